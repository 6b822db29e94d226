//! Processes of this program on cores of their own, and what the kernel says of them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// `/proc` counts in these (USER_HZ, the same on every Linux).
const TICK: Duration = Duration::from_millis(10);

/// Which cores serve and which load.
#[derive(Clone, Debug)]
pub struct Cores {
    pub server: Option<String>,
    pub load: Vec<String>,
}

impl Cores {
    /// The last core is the server's, the others are the load's; on a machine with one core nobody is pinned.
    pub fn divide() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let list = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .unwrap();
        let mut cores: Vec<String> = list.trim().split(',').flat_map(expand).collect();
        let taskset = Command::new("taskset")
            .arg("--version")
            .stdout(Stdio::null())
            .status();
        if cores.len() < 2 || taskset.is_err() {
            return Self {
                server: None,
                load: Vec::new(),
            };
        }
        let server = cores.pop();
        Self {
            server,
            load: cores,
        }
    }

    /// All of them, for a process that takes what is free.
    pub fn all(&self) -> Option<String> {
        let all: Vec<&str> = self
            .server
            .iter()
            .chain(&self.load)
            .map(String::as_str)
            .collect();
        (!all.is_empty()).then(|| all.join(","))
    }

    /// Keeps this process, and the threads that it will start, off the server's core.
    pub fn leave_the_servers(&self) {
        if self.load.is_empty() {
            return;
        }
        let process = std::process::id().to_string();
        Command::new("taskset")
            .args(["-cp", &self.load.join(","), &process])
            .stdout(Stdio::null())
            .status()
            .unwrap();
    }
}

fn expand(range: &str) -> Vec<String> {
    match range.split_once('-') {
        None => vec![range.to_owned()],
        Some((first, last)) => {
            let number = |text: &str| text.parse::<u32>().unwrap();
            (number(first)..=number(last))
                .map(|core| core.to_string())
                .collect()
        }
    }
}

/// A process of this program; it ends when its standard input does.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program again with other arguments, on the server's core.
    pub fn start(cores: &Cores, arguments: &[&str], errors: Stdio) -> Self {
        Self::start_on(cores.server.as_deref(), arguments, errors)
    }

    /// As [`Process::start`], on these cores.
    pub fn start_on(cores: Option<&str>, arguments: &[&str], errors: Stdio) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = match cores {
            Some(cores) => {
                let mut command = Command::new("taskset");
                command.args(["-c", cores]).arg(program);
                command
            }
            None => Command::new(program),
        };
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Closes its input and waits for its end.
    pub fn stop(mut self) {
        drop(self.input.take());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

/// User and system time of a process, ended threads included; in steps of 10 ms.
pub fn cpu_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name may contain spaces; what follows its parenthesis is numbered from 3.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks = |field: usize| fields[field - 3].parse::<u32>().unwrap();
    TICK * (ticks(14) + ticks(15))
}

/// Resident memory in MiB: now, and at its highest.
pub fn memory(process: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mebibytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.unwrap().trim().trim_end_matches(" kB");
        f64::from(number.parse::<u32>().unwrap()) / 1024.0
    };
    (mebibytes("VmRSS:"), mebibytes("VmHWM:"))
}
