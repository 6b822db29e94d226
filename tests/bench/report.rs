//! What is printed.

use crate::child::Cores;
use crate::flood::Flood;
use crate::floor::{Floor, Sizes};
use crate::load::{Latencies, STEPS};
use crate::options::Options;
use crate::resolution::Resolutions;
use crate::rounds::Cost;
use std::time::Duration;

/// The measurements of one round.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub login: Cost,
    pub userinfo: Cost,
    pub configuration: Cost,
    pub floor: Floor,
}

/// One of a round's costs.
type CostOf = fn(&Round) -> Cost;

/// The measurements of a run.
pub struct Report {
    pub sizes: Sizes,
    pub rounds: Vec<Round>,
    pub latencies: Vec<Latencies>,
    pub flood: Flood,
    pub resolutions: Resolutions,
    /// Resident and highest, MiB.
    pub memory: (f64, f64),
    /// Bytes.
    pub database: u64,
    pub logins: u32,
    pub start: Duration,
}

impl Report {
    pub fn print(&self, options: &Options, cores: &Cores) {
        println!(
            "\n{} | {} clients | {} rounds | server on core {} | load on {}",
            options.profile,
            options.clients,
            self.rounds.len(),
            cores.server.as_deref().unwrap_or("(not pinned)"),
            cores.load.join(","),
        );
        println!("lengths of the tokens in bytes: {:?}", self.sizes);
        println!("\nlatency in ms{:>17}{:>10}{:>10}", "p50", "p99", "max");
        print_latencies(&self.latencies);
        println!(
            "\nthe same while 10,000 requests name hosts that never answer ({} connections to them at most, {} answers \
             other than temporarily_unavailable)",
            self.flood.connections, self.flood.other_answers
        );
        print_latencies(&self.flood.latencies);
        self.print_costs();
        self.print_goals();
    }

    fn print_costs(&self) {
        println!(
            "\nmedians of the rounds{:>21}{:>16}",
            "server CPU us", "per second"
        );
        let costs: [(&str, CostOf); 3] = [
            ("complete login", |round| round.login),
            ("userinfo", |round| round.userinfo),
            ("entity configuration", |round| round.configuration),
        ];
        for (name, cost) in costs {
            println!(
                "  {name:<24}{:>16.1}{:>16.0}",
                self.median(|round| microseconds(cost(round).cpu)),
                self.median(|round| cost(round).per_second),
            );
        }
        println!(
            "  {:<24}{:>16.1}\n  {:<24}{:>16.1}",
            "crypto floor, login",
            self.median(|round| microseconds(round.floor.login)),
            "crypto floor, userinfo",
            self.median(|round| microseconds(round.floor.userinfo)),
        );
    }

    fn print_goals(&self) {
        let (resident, highest) = self.memory;
        let goal = |name: &str, value: f64, goal: &str, met: bool| {
            let verdict = if met { "met" } else { "MISSED" };
            println!("  {name:<44}{value:>12.2}   goal {goal:<9}{verdict}");
        };
        println!("\ngoals (ratios: medians of the rounds)");
        let login = self.median(|round| ratio(round.login.cpu, round.floor.login));
        goal("login CPU / crypto floor", login, "<= 2", login <= 2.0);
        let userinfo = self.median(|round| ratio(round.userinfo.cpu, round.floor.userinfo));
        goal(
            "userinfo CPU / its floor",
            userinfo,
            "<= 1.5",
            userinfo <= 1.5,
        );
        let served = self.median(|round| 1.0 / round.configuration.cpu.as_secs_f64());
        goal(
            "entity configurations per CPU second",
            served,
            "> 20000",
            served > 20_000.0,
        );
        let name = format!("resident MiB after {} logins", self.logins);
        goal(&name, resident, "< 60", resident < 60.0);
        for (name, cost) in [
            ("ms CPU of a resolution, RSA-2048", self.resolutions.rsa),
            ("ms CPU of a resolution, ES256", self.resolutions.elliptic),
        ] {
            let cost = cost.as_secs_f64() * 1000.0;
            let name = format!("{name}, {} documents", self.resolutions.fetches);
            goal(&name, cost, "< 15", cost < 15.0);
        }
        let connections = f64::from(u32::try_from(self.flood.connections).unwrap());
        let name = "connections to hosts that never answer";
        goal(name, connections, "<= 32", connections <= 32.0);
        let start = self.start.as_secs_f64();
        goal(
            "seconds from start to first answer",
            start,
            "< 1",
            start < 1.0,
        );
        println!(
            "\nhighest resident memory {highest:.1} MiB (password hashes at the start included), database {} MiB",
            self.database / 1_048_576
        );
    }

    fn median(&self, value: impl Fn(&Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}

fn print_latencies(all: &[Latencies]) {
    for (step, name) in STEPS.iter().enumerate() {
        print_percentiles(name, all.iter().flat_map(|of| of[step].iter().copied()));
    }
    // Every login adds one duration to each step.
    let whole = all.iter().flat_map(|of| {
        let login = |number: usize| of.iter().map(|step| step[number]).sum();
        (0..of[0].len()).map(login)
    });
    print_percentiles("all of a login", whole);
}

fn print_percentiles(name: &str, times: impl Iterator<Item = Duration>) {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    let at = |percent: usize| {
        let position = (times.len() * percent / 100).min(times.len() - 1);
        times[position].as_secs_f64() * 1000.0
    };
    println!(
        "  {name:<18}{:>10.2}{:>10.2}{:>10.2}",
        at(50),
        at(99),
        at(100)
    );
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000_000.0
}

fn ratio(cost: Duration, floor: Duration) -> f64 {
    cost.as_secs_f64() / floor.as_secs_f64()
}
