//! An import of many people whose passwords are hashed already, beside a server that goes on serving.

use super::tour::{citizen, desk};
use super::{Place, Sizes, percentile};
use crate::browser::Browser;
use crate::child::Process;
use crate::load::{Action, Budget, Client, Latencies};
use crate::rounds::target;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use varco::demo::credentials;

/// Pages that are asked for meanwhile.
const DESK_PAGES: [&str; 4] = [
    "/admin/users?by=username&text=marta.bel",
    "/admin/users",
    "/admin/users/import",
    "/admin/dashboard?range=week",
];
const CITIZENS_PAGES: [&str; 2] = ["/spid/account", "/spid/history"];
/// What the command prints last.
const CPU: &str = "cpu ";

pub struct Imported {
    lines: u32,
    time: Duration,
    /// Of the command; the server and PostgreSQL have their own.
    cpu: f64,
    /// How often it said how far it was.
    progress: usize,
    /// Meanwhile.
    pages: Vec<Duration>,
    logins: Vec<Duration>,
}

/// The arm of `main` for `varco`: the command, and what it cost.
pub fn command(database: &str, arguments: &[&str]) {
    super::command(database, arguments);
    let cpu = crate::child::cpu_time(std::process::id());
    println!("{CPU}{}", cpu.as_secs_f64());
}

pub fn measure(sizes: &Sizes, place: &Place) -> Imported {
    let file = place.folder.join("import.jsonl");
    write_file(&file, sizes.import);
    let target = Arc::new(target(&place.folder, &place.address, "spid"));
    let mut client = Client::new(target, 0);
    client.work(Action::Login, &Budget::count(20));
    client.latencies = Default::default();
    let mut browsers = [desk(place), citizen(place, credentials()[0])];
    let goes_on = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| look(&mut browsers, &goes_on));
        let logging_in = scope.spawn(|| {
            while goes_on.load(Ordering::Relaxed) {
                client.work(Action::Login, &Budget::count(1));
            }
            whole(&client.latencies)
        });
        let (time, cpu, progress) = import(place, &file);
        goes_on.store(false, Ordering::Relaxed);
        Imported {
            lines: sizes.import,
            time,
            cpu,
            progress,
            pages: looking.join().unwrap(),
            logins: logging_in.join().unwrap(),
        }
    })
}

fn write_file(file: &Path, lines: u32) {
    let hash = varco::accounts::hash_password("a password of an import").unwrap();
    let run = varco::random::uuid4();
    let mut text = String::new();
    for n in 0..lines {
        let (day, number) = (1 + n % 28, n % 1_000);
        writeln!(
            text,
            "{{\"username\":\"import.{run}.{n}\",\"password_hash\":\"{hash}\",\"attributes\":{{\"given_name\":\"Maria\",\
             \"family_name\":\"Rossi {n}\",\"birthdate\":\"1980-01-{day:02}\",\
             \"fiscal_number\":\"TINIT-RSSMRA80A{day:02}H{number:03}U\",\"email\":\"import.{run}.{n}@example.it\"}}}}",
        )
        .unwrap();
    }
    std::fs::write(file, text).unwrap();
}

/// In a process of its own, on whatever core is free.
fn import(place: &Place, file: &Path) -> (Duration, f64, usize) {
    let told = place.folder.join("import.log");
    let log = std::fs::File::create(&told).unwrap();
    let arguments = place.command(&["user", "import", file.to_str().unwrap()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let began = Instant::now();
    let mut process = Process::start_on(place.cores.all().as_deref(), &arguments, Stdio::from(log));
    let cpu = loop {
        let line = process.line();
        assert!(!line.is_empty(), "see {}", told.display());
        if let Some(seconds) = line.strip_prefix(CPU) {
            break seconds.parse().unwrap();
        }
    };
    let time = began.elapsed();
    process.stop();
    let text = std::fs::read_to_string(&told).unwrap();
    (time, cpu, text.matches("lines applied").count())
}

fn look(browsers: &mut [Browser; 2], goes_on: &AtomicBool) -> Vec<Duration> {
    let mut times = Vec::new();
    let [desk, citizen] = browsers;
    while goes_on.load(Ordering::Relaxed) {
        let mut ask = |browser: &mut Browser, path: &str| {
            let began = Instant::now();
            let answer = browser.get(path);
            times.push(began.elapsed());
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        };
        DESK_PAGES.iter().for_each(|path| ask(desk, path));
        CITIZENS_PAGES.iter().for_each(|path| ask(citizen, path));
    }
    times.sort_unstable();
    times
}

/// Of each login, all steps.
fn whole(latencies: &Latencies) -> Vec<Duration> {
    let login = |number: usize| latencies.iter().map(|step| step[number]).sum();
    let mut all: Vec<Duration> = (0..latencies[0].len()).map(login).collect();
    all.sort_unstable();
    all
}

impl Imported {
    pub fn print(&self) {
        println!(
            "\nimport of {} lines with hashed passwords: {:.1} s (goal 60), {:.1} s of CPU in the command, progress told {} times",
            self.lines,
            self.time.as_secs_f64(),
            self.cpu,
            self.progress,
        );
        for (name, times) in [("pages", &self.pages), ("whole logins", &self.logins)] {
            println!(
                "  meanwhile {:<14} p50 {:>7.2}  p99 {:>7.2}  max {:>7.2} ms  ({} of them)",
                name,
                percentile(times, 50),
                percentile(times, 99),
                percentile(times, 100),
                times.len(),
            );
        }
    }
}
