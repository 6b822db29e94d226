//! `make fuzz`: mutates the corpus for a while and stops at the first case that breaks a promise.
//!
//! - `FUZZ_SECONDS` (60): how long; `FUZZ_SEED`: the same cases again, printed at the start.
//! - `FUZZ_REPLAY=FILE`: runs one written case and says what happens.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test program: it talks to who started it, and the unexpected ends it"
)]

#[path = "mod.rs"]
mod fuzz;

use fuzz::{Case, Fuzzer};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A case that takes longer counts as one that never ends.
const HANGS_AFTER: Duration = Duration::from_secs(20);
/// How often the watchdog looks.
const WATCHED_EVERY: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    if let Ok(file) = std::env::var("FUZZ_REPLAY") {
        return replay(Path::new(&file));
    }
    let number = |name: &str, otherwise: u64| match std::env::var(name) {
        Ok(text) => text.parse().expect(name),
        Err(_) => otherwise,
    };
    let seconds = number("FUZZ_SECONDS", 60);
    let seed = number("FUZZ_SEED", fastrand::u64(..));
    println!("fuzz: {seconds} s, FUZZ_SEED={seed}");
    let under_way = Arc::new(Mutex::new(None));
    watch(Arc::clone(&under_way));
    let mut fuzzer = Fuzzer::new(seed);
    if let Err(broken) = fuzzer.check_corpus() {
        println!("the corpus is not as it says: {broken}");
        return ExitCode::FAILURE;
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let case = fuzzer.next_case();
        *under_way.lock().unwrap() = Some((Instant::now(), case.clone()));
        if let Err(broken) = fuzzer.run(&case) {
            return report(&case, &broken);
        }
    }
    println!("{}", fuzzer.summary());
    ExitCode::SUCCESS
}

/// A case that hangs cannot be stopped from within: this thread writes it down and ends the process.
fn watch(under_way: Arc<Mutex<Option<(Instant, Case)>>>) {
    std::thread::spawn(move || {
        loop {
            std::thread::park_timeout(WATCHED_EVERY);
            let current = under_way.lock().unwrap().clone();
            if let Some((since, case)) = current
                && since.elapsed() > HANGS_AFTER
            {
                report(&case, "it does not end");
                std::process::exit(1);
            }
        }
    });
}

fn report(case: &Case, broken: &str) -> ExitCode {
    let file = failure_file();
    std::fs::write(&file, case.to_text()).unwrap();
    println!("{}: {broken}", case.name);
    println!("replay with: FUZZ_REPLAY={} make fuzz", file.display());
    ExitCode::FAILURE
}

fn failure_file() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(format!("failure-{}.json", std::process::id()))
}

fn replay(file: &Path) -> ExitCode {
    let case = Case::from_text(&std::fs::read_to_string(file).unwrap());
    println!("{}", case.name);
    match Fuzzer::new(0).run(&case) {
        Ok(outcome) => {
            println!("holds: {outcome}");
            ExitCode::SUCCESS
        }
        Err(broken) => {
            println!("{broken}");
            ExitCode::FAILURE
        }
    }
}
