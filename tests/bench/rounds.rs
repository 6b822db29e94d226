//! One run: a first start that makes keys and users, the start that is measured, rounds in which the measurements take
//! turns, the report.

use crate::child::{Cores, Process, cpu_time, memory};
use crate::flood;
use crate::floor::FloorProcess;
use crate::http::Connection;
use crate::load::{Action, Budget, Client, Target, beside_busy_cores, slice};
use crate::options::Options;
use crate::report::{Report, Round};
use crate::resolution;
use crate::server::{self, Node};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use varco::clock::SystemClock;
use varco::demo::{DemoFederation, HttpClient};

/// Logins before the first round: the relying party's trust chain is resolved, caches and allocator are warm.
const WARM_UP: u32 = 200;

pub fn run(options: &Options) {
    let cores = Cores::divide();
    cores.leave_the_servers();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let address = free_address();
    Node::single(folder.path(), &address).start(&cores).stop();
    let (process, start) = measured_start(&cores, folder.path(), &address, &options.profile);
    let target = Arc::new(target(folder.path(), &address, &options.profile));
    let mut clients = clients(&target, options.clients);
    slice(&mut clients, Action::Login, &Budget::count(WARM_UP));
    if let Some(kind) = &options.hold {
        return hold(kind, &mut clients, &process);
    }
    let sizes = clients[0].sizes();
    for client in &mut clients {
        client.latencies = Default::default();
    }
    let mut run = Run {
        floor: FloorProcess::start(&cores, sizes),
        load_cores: cores.load.len(),
        target,
        process,
        clients,
    };
    let rounds: Vec<Round> = (0..options.rounds)
        .map(|_| round(options, &mut run))
        .collect();
    let Run {
        process,
        mut clients,
        floor,
        target,
        ..
    } = run;
    floor.stop();
    let latencies: Vec<_> = clients.iter().map(|one| one.latencies.clone()).collect();
    let memory = memory(process.id());
    let report = Report {
        sizes,
        rounds,
        memory,
        flood: flood::measure(&target, &mut clients),
        resolutions: resolution::measure(folder.path()),
        database: std::fs::metadata(folder.path().join("varco.db"))
            .unwrap()
            .len(),
        logins: latencies
            .iter()
            .map(|latencies| u32::try_from(latencies[0].len()).unwrap())
            .sum(),
        latencies,
        start,
    };
    process.stop();
    report.print(options, &cores);
}

/// What the rounds work with.
struct Run {
    target: Arc<Target>,
    process: Process,
    clients: Vec<Client>,
    floor: FloorProcess,
    load_cores: usize,
}

pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The relying party's side: the same keys as the server process has, and the provider as its documents say.
pub fn target(folder: &Path, address: &str, profile: &str) -> Target {
    let base = format!("http://{address}");
    let federation = DemoFederation::new(
        &base,
        server::keys(folder),
        Arc::new(SystemClock),
        Arc::new(HttpClient::new().unwrap()),
    )
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let discovered = runtime
        .block_on(federation.discover(&format!("{base}/{profile}/")))
        .unwrap();
    Target {
        address: address.to_owned(),
        federation,
        provider: discovered.provider,
    }
}

fn clients(target: &Arc<Target>, count: u32) -> Vec<Client> {
    (0..usize::try_from(count).unwrap())
        .map(|number| Client::new(target.clone(), number))
        .collect()
}

fn round(options: &Options, run: &mut Run) -> Round {
    let login_budget = match options.logins {
        Some(count) => Budget::count(count / options.rounds),
        None => Budget::time(options.login_time),
    };
    let mut cost = |action, budget: &Budget| {
        let before = cpu_time(run.process.id());
        let (count, time) = slice(&mut run.clients, action, budget);
        Cost {
            cpu: (cpu_time(run.process.id()) - before) / count,
            per_second: f64::from(count) / time.as_secs_f64(),
        }
    };
    let login = cost(Action::Login, &login_budget);
    let userinfo = cost(Action::Userinfo, &Budget::time(options.userinfo_time));
    let budget = Budget::time(options.configuration_time);
    let configuration = cost(Action::EntityConfiguration, &budget);
    let floor = beside_busy_cores(&run.target, run.load_cores, || run.floor.measure());
    Round {
        login,
        userinfo,
        configuration,
        floor,
    }
}

/// What one action costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Of the server process, system time included.
    pub cpu: Duration,
    pub per_second: f64,
}

/// One load for ten minutes or until it is interrupted.
fn hold(kind: &str, clients: &mut [Client], process: &Process) {
    let action = match kind {
        "login" => Action::Login,
        "userinfo" => Action::Userinfo,
        "configuration" => Action::EntityConfiguration,
        other => panic!("VARCO_BENCH_HOLD={other}"),
    };
    println!("server process {}", process.id());
    slice(clients, action, &Budget::time(Duration::from_secs(600)));
}

/// A process with existing keys and database, and the time from its start to its first whole answer.
fn measured_start(
    cores: &Cores,
    folder: &Path,
    address: &str,
    profile: &str,
) -> (Process, Duration) {
    let began = Instant::now();
    let process = Node::single(folder, address).start(cores);
    let path = format!("/{profile}/.well-known/openid-federation");
    let answer = Connection::open(address).get(&path, "");
    let time = began.elapsed();
    assert_eq!(answer.status, 200, "{}", answer.body);
    (process, time)
}
