//! The program as a child of the test: commands, a running server, its log.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Nothing here takes so long; it only keeps a broken test from waiting for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a command said.
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Standard output of a command that has to succeed.
    pub fn done(self) -> String {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        self.out
    }
}

/// The program without the test's environment.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_varco"));
    for (name, _) in std::env::vars() {
        if name.starts_with("VARCO_") || name.starts_with("OIDCFED_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command with the configuration of a folder.
pub fn varco(folder: &Path, arguments: &[&str]) -> Said {
    let output = program()
        .arg("--config")
        .arg(folder.join("varco.toml"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Said {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// An address of the loopback network that no other test uses: a server that is started again has to find it free.
pub fn own_address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    // 127.0.x.y is left to others.
    format!("127.{}.{low}.{number}:8443", high | 1)
}

/// `varco serve` or `varco demo`, killed at the end of the test.
pub struct Server {
    child: Child,
    log: Arc<Log>,
    /// Where it listens.
    pub address: String,
}

#[derive(Default)]
struct Log {
    lines: Mutex<(Vec<String>, bool)>,
    more: Condvar,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// As [`Server::start`], with variables of the environment.
    pub fn start_with(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = program();
        command
            .arg("--config")
            .arg(folder.join("varco.toml"))
            .arg("serve")
            .envs(variables.iter().copied());
        Self::run(command)
    }

    /// `varco demo` with this data folder.
    pub fn demo(folder: &Path, address: &str) -> Self {
        let mut command = program();
        command
            .args(["demo", "--listen", address, "--data"])
            .arg(folder);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Log::default());
        let (kept, errors) = (log.clone(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines() {
                kept.lines.lock().unwrap().0.push(line.unwrap());
                kept.more.notify_all();
            }
            kept.lines.lock().unwrap().1 = true;
            kept.more.notify_all();
        });
        let mut server = Self {
            child,
            log,
            address: String::new(),
        };
        let line = server.line("event=started");
        let (_, address) = line.split_once("address=").unwrap();
        server.address = address.to_owned();
        server
    }

    /// The first line of the log with this text; waits for it.
    pub fn line(&self, part: &str) -> String {
        let lines = self.log.lines.lock().unwrap();
        let found = |lines: &[String]| lines.iter().find(|line| line.contains(part)).cloned();
        let (lines, _) = self
            .log
            .more
            .wait_timeout_while(lines, PATIENCE, |(lines, ended)| {
                !*ended && found(lines).is_none()
            })
            .unwrap();
        found(&lines.0).unwrap_or_else(|| panic!("no line {part} in {:#?}", lines.0))
    }

    /// An address of it without TLS.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end; its exit status and whole log.
    pub fn ended(mut self) -> (Option<i32>, Vec<String>) {
        let status = self.child.wait().unwrap().code();
        let lines = self.log.lines.lock().unwrap();
        let (lines, _) = self
            .log
            .more
            .wait_timeout_while(lines, PATIENCE, |(_, ended)| !*ended)
            .unwrap();
        (status, lines.0.clone())
    }

    /// `kill -9`.
    pub fn kill(self) {
        self.signal("KILL");
        let (status, _) = self.ended();
        assert_eq!(status, None);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Writes a file of a test's folder.
pub fn write(folder: &Path, name: &str, text: &str) {
    let mut file = std::fs::File::create(folder.join(name)).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
