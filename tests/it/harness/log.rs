//! The log of the process, for tests of what it says. All worlds of a run write into it: look for your own world's port.

use std::sync::{LazyLock, Mutex};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

static STARTED: LazyLock<()> = LazyLock::new(|| {
    log::set_boxed_logger(Box::new(Keeper)).unwrap();
    log::set_max_level(log::LevelFilter::Info);
});

struct Keeper;

impl log::Log for Keeper {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Info
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) && record.target().starts_with("varco") {
            let line = format!("{} {}", record.level(), record.args());
            LINES.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

/// Starts keeping lines; call it before the world does what is to be seen. How many there are already.
pub fn keep_log() -> usize {
    LazyLock::force(&STARTED);
    LINES.lock().unwrap().len()
}

/// The lines so far that contain all of these.
pub fn logged(parts: &[&str]) -> Vec<String> {
    logged_after(0, parts)
}

/// As [`logged`], without the first ones: a port of this world may have been another one's before.
pub fn logged_after(first: usize, parts: &[&str]) -> Vec<String> {
    let lines = LINES.lock().unwrap();
    let matching = lines
        .iter()
        .skip(first)
        .filter(|line| parts.iter().all(|part| line.contains(part)));
    matching.cloned().collect()
}
