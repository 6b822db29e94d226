//! The command line on a world's configuration and clock, within the test's process.

use super::World;
use serde_json::Value;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use varco::cli::{Console, Hooks, run_with};
use varco::clock::ManualClock;
use varco::config::Environment;

/// What a command said, with `--json`.
pub struct Said {
    pub status: u8,
    pub out: String,
    pub err: String,
}

impl Said {
    /// The document of a command that has to succeed.
    pub fn done(self) -> Value {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap()
    }

    /// Of one that has to fail, with this status and these words; what it printed all the same.
    pub fn refused(self, status: u8, says: &str) -> String {
        assert_eq!(self.status, status, "{}{}", self.out, self.err);
        assert!(self.err.contains(says), "{says:?} is not in {}", self.err);
        self.out
    }
}

fn run(config: PathBuf, clock: &ManualClock, words: Vec<OsString>, input: &str) -> Said {
    let mut all: Vec<OsString> = vec!["varco".into(), "--json".into()];
    all.extend(words);
    all.extend(["--config".into(), config.into()]);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let hooks = Hooks {
        serve: |_| Ok(()),
        demo: |_| Ok(()),
        demo_ta: |_, _| Err(String::new()),
    };
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        input: &mut input.as_bytes(),
        ask_secret: |_| Ok(String::new()),
        environment: Environment::default(),
        clock,
    };
    let status = run_with(all, hooks, &mut console);
    Said {
        status,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

impl World {
    fn order(&self, words: &[&str]) -> (PathBuf, Arc<ManualClock>, Vec<OsString>) {
        let config = self.folder.path().join("varco.toml");
        let words = words.iter().map(OsString::from).collect();
        (config, self.clock.clone(), words)
    }

    /// Runs a command.
    pub fn command(&self, words: &[&str]) -> Said {
        self.command_reading(words, "")
    }

    /// Runs a command that reads standard input.
    pub fn command_reading(&self, words: &[&str], input: &str) -> Said {
        let (config, clock, words) = self.order(words);
        run(config, &clock, words, input)
    }

    /// Runs a command that asks others over HTTP, which has a runtime of its own.
    pub async fn command_asking(&self, words: &[&str]) -> Said {
        let (config, clock, words) = self.order(words);
        let asked = tokio::task::spawn_blocking(move || run(config, &clock, words, ""));
        asked.await.unwrap()
    }
}
