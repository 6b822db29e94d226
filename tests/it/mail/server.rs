//! The mail server as a child of the test.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Nothing here takes so long; it only keeps a broken test from waiting for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// A mail server that runs until it is dropped.
pub struct MailServer {
    child: Child,
    /// What it said after its port.
    lines: UnboundedReceiver<Value>,
    /// Where it listens, on loopback.
    pub port: u16,
}

impl MailServer {
    /// At a port of its own.
    pub async fn start() -> Self {
        Self::start_at(0, &[]).await
    }

    /// At a port, asking for these credentials.
    pub async fn start_at(port: u16, credentials: &[&str]) -> Self {
        Self::start_with((port, credentials), &[]).await
    }

    /// As [`Self::start_at`], with variables of its environment.
    pub async fn start_with(
        (port, credentials): (u16, &[&str]),
        variables: &[(&str, &Path)],
    ) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail/server.py");
        // Debian's, which has the module that `make install-test` installs.
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(port.to_string())
            .args(credentials)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let Ok(said) = serde_json::from_str(&line) else {
                    return;
                };
                if sender.send(said).is_err() {
                    return;
                }
            }
        });
        let mut server = Self {
            child,
            lines,
            port: 0,
        };
        let first = server.next().await;
        server.port = u16::try_from(first["port"].as_u64().unwrap()).unwrap();
        server
    }

    /// The next mail that it accepts.
    pub async fn next(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.lines.recv())
            .await
            .unwrap()
            .unwrap_or_else(|| {
                panic!("no mail server: make install-test installs python3-aiosmtpd")
            })
    }

    /// Whether it said nothing that the test has not heard.
    pub fn is_silent(&mut self) -> bool {
        self.lines.try_recv().is_err()
    }

    /// Its port is free afterwards.
    pub fn stop(mut self) -> u16 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.port
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// A header of a mail that arrived.
pub fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    let content = mail["content"].as_str().unwrap();
    let (headers, _) = content.split_once("\r\n\r\n").unwrap();
    headers
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_else(|| panic!("no {name}: {headers}"))
}
