//! `VARCO_BENCH=pages` (`make bench-pages`): how long the pages of people and operators take over a large data set, on SQLite
//! and, when `VARCO_TEST_POSTGRES` holds the URL of a server, on PostgreSQL; how long an import takes and what it does to
//! others; and how soon another node obeys the kill switch.
//!
//! ```text
//! varco demo seed ─► server process ◄── one browser, page after page ([`tour`])
//!                        ▲    ▲───────── varco user import in a process of its own ([`import`])
//!                        └── database ── second server process ([`switch`])
//! ```
//! A page's time is what the browser waits: from the first byte sent to the last one received, on a connection that is kept
//! alive, on loopback. So it is the server's time and a little more.
//!
//! - `VARCO_BENCH_USERS`, `VARCO_BENCH_RPS`, `VARCO_BENCH_LOGINS`, `VARCO_BENCH_IMPORT`: the sizes (100,000, 10,000, 1,000,000;
//!   100,000 lines).
//! - `VARCO_BENCH_REPEATS`: how often each page is asked for (200).
//! - `VARCO_BENCH_ON=sqlite` or `postgres`: on that database alone.
//! - `VARCO_BENCH_FOLDER`: keeps the data set there, and uses what a run before this one kept.

mod import;
mod schema;
mod stops;
mod switch;
mod tour;
mod walk;

pub use import::command as varco;

use crate::child::Cores;
use crate::rounds::free_address;
use crate::server::Node;
use schema::Schema;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use varco::cli::{Console, Hooks, run_with};
use varco::clock::SystemClock;
use varco::config::Environment;

/// How much there is.
struct Sizes {
    users: u32,
    rps: u32,
    logins: u32,
    import: u32,
    repeats: usize,
}

impl Sizes {
    fn from_environment() -> Self {
        let number = |name: &str, usual: u32| {
            let told = std::env::var(format!("VARCO_BENCH_{name}"));
            told.map_or(usual, |text| text.parse().unwrap())
        };
        Self {
            users: number("USERS", 100_000),
            rps: number("RPS", 10_000),
            logins: number("LOGINS", 1_000_000),
            import: number("IMPORT", 100_000),
            repeats: usize::try_from(number("REPEATS", 200)).unwrap(),
        }
    }
}

/// A database with the data set, and where its servers are.
struct Place {
    folder: PathBuf,
    /// Of the first node; the issuers' identifiers contain it.
    address: String,
    database: Option<String>,
    cores: Cores,
}

impl Place {
    /// The node at the address.
    fn node(&self) -> Node<'_> {
        Node {
            folder: &self.folder,
            address: &self.address,
            base: &self.address,
            database: self.database.as_deref(),
        }
    }

    /// Arguments of this program for a command of varco with the demonstration's configuration.
    fn command(&self, arguments: &[&str]) -> Vec<String> {
        let config = self.folder.join("varco.toml");
        let database = self.database.clone().unwrap_or_default();
        let first = ["varco", &database, "--config", config.to_str().unwrap()];
        let all = first.iter().chain(arguments);
        all.map(|argument| (*argument).to_owned()).collect()
    }
}

pub fn run() {
    let sizes = Sizes::from_environment();
    let kept = std::env::var_os("VARCO_BENCH_FOLDER").map(PathBuf::from);
    let wanted = std::env::var("VARCO_BENCH_ON").unwrap_or_default();
    let cores = Cores::divide();
    cores.leave_the_servers();
    let temporary = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = kept.as_deref().unwrap_or(temporary.path());
    if wanted != "postgres" {
        measure(&sizes, folder, ("sqlite", None), &cores);
    }
    match std::env::var("VARCO_TEST_POSTGRES") {
        Ok(server) if wanted != "sqlite" => {
            let schema = Schema::create(server, kept.is_some());
            measure(&sizes, folder, ("postgres", Some(schema.url())), &cores);
        }
        _ => {}
    }
}

fn measure(sizes: &Sizes, folder: &Path, (name, database): (&str, Option<String>), cores: &Cores) {
    println!("\n== {name}");
    let folder = folder.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let known = std::fs::read_to_string(folder.join("address")).ok();
    let place = Place {
        address: known.clone().unwrap_or_else(free_address),
        folder,
        database,
        cores: cores.clone(),
    };
    if known.is_none() {
        seed(sizes, &place);
    }
    let process = place.node().start(&place.cores);
    tour::measure(sizes, &place).print();
    import::measure(sizes, &place).print();
    switch::measure(&place).print();
    process.stop();
}

/// Keys, configuration, operator; then the data set.
fn seed(sizes: &Sizes, place: &Place) {
    place.node().start(&place.cores).stop();
    let began = Instant::now();
    let numbers = [sizes.users, sizes.rps, sizes.logins].map(|number| number.to_string());
    let [users, rps, logins] = &numbers;
    let data = place.folder.to_str().unwrap();
    let arguments = place.command(&[
        "demo", "--data", data, "seed", "--users", users, "--rps", rps, "--logins", logins,
    ]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    command(arguments[1], &arguments[2..]);
    println!(
        "{users} users, {rps} RPs, {logins} logins: seeded in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    std::fs::write(place.folder.join("address"), &place.address).unwrap();
}

/// A command of varco in this process: the same that `varco` does. The URL of a database comes before that of the
/// configuration.
fn command(database: &str, arguments: &[&str]) {
    let hooks = Hooks {
        serve: |_| Err("not here".to_owned()),
        demo: |_| Err("not here".to_owned()),
        demo_ta: |_, _| Err("not here".to_owned()),
    };
    let environment: Environment = std::iter::once(("VARCO_DATABASE_URL", database))
        .filter(|(_, url)| !url.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut console = Console {
        out: &mut std::io::stdout(),
        err: &mut std::io::stderr(),
        input: &mut std::io::empty(),
        ask_secret: |_| Err(std::io::ErrorKind::Unsupported.into()),
        environment,
        clock: &SystemClock,
    };
    let program = std::iter::once(OsString::from("varco"));
    let all = program.chain(arguments.iter().map(OsString::from));
    let status = run_with(all, hooks, &mut console);
    assert_eq!(status, 0, "varco {arguments:?}");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The time that so many of a hundred do not exceed; of sorted times.
fn percentile(times: &[Duration], percent: usize) -> f64 {
    let place = (times.len() * percent / 100).min(times.len() - 1);
    milliseconds(times[place])
}
