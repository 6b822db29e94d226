//! The command line, as a function: `main.rs` passes arguments and the two commands that stand above this library.
//!
//! Exit status: 0 done, 1 failed, 2 used wrongly. What a command tells goes to standard output, what went wrong and what
//! to do next to standard error; `--json` makes the former one JSON document (an export apart), and the latter
//! `{"error": "…"}`, once the arguments are understood.
//!
//! One more command: a variant in `arguments.rs`, a function in the file of its subject, an arm in [`run_with`].

mod arguments;
mod check;
mod database;
mod holdings;
mod imports;
mod keys;
mod mails;
mod operators;
mod otp;
mod output;
mod parties;
mod party_fields;
mod party_files;
mod people;
mod refusals;
mod seed;
mod sessions;
#[cfg(test)]
mod tests;
mod tolerance;
mod users;

pub use arguments::{DemoOptions, Superior, TaCommand};

use crate::administration;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Environment, ServerSettings};
use crate::model::Actor;
use crate::secret::Secret;
use crate::store::Store;
use arguments::{Arguments, Command, ConfigCommand, DemoCommand};
use clap::Parser;
use output::Output;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// The commands that stand above this library.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// `varco serve`: runs until it is told to stop.
    pub serve: fn(ServeOptions) -> Result<(), String>,
    /// `varco demo`.
    pub demo: fn(DemoOptions) -> Result<(), String>,
    /// `varco demo ta`: asks the demonstration that runs with this data folder.
    pub demo_ta: fn(&Path, TaCommand) -> Result<Told, String>,
}

/// What a command that stands above this library has to tell.
#[derive(Clone, Debug)]
pub struct Told {
    /// For people.
    pub text: String,
    /// For programs (`--json`).
    pub document: serde_json::Value,
}

/// What `varco serve` was asked.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The checked configuration; its `warnings` are for the log.
    pub settings: ServerSettings,
    /// Apply missing migrations first.
    pub migrate: bool,
}

/// Where a command reads, writes and finds out; tests put their own in.
pub struct Console<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// Standard input.
    pub input: &'a mut dyn Read,
    /// Asks for a secret without showing it; the text is the question.
    pub ask_secret: fn(&str) -> std::io::Result<String>,
    /// The environment.
    pub environment: Environment,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// Why a command failed.
#[derive(Debug)]
enum Failure {
    /// Status 1.
    Failed(String),
    /// Status 2.
    UsedWrongly(String),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

type Done = Result<(), Failure>;

/// Runs the command line of this process.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>, hooks: Hooks) -> ExitCode {
    let mut console = Console {
        out: &mut std::io::stdout(),
        err: &mut std::io::stderr(),
        input: &mut std::io::stdin(),
        ask_secret: |question| rpassword::prompt_password(question),
        environment: Environment::of_process(),
        clock: &SystemClock,
    };
    ExitCode::from(run_with(arguments, hooks, &mut console))
}

/// As [`run`], with everything passed in; returns the exit status.
pub fn run_with(
    arguments: impl IntoIterator<Item = OsString>,
    hooks: Hooks,
    console: &mut Console<'_>,
) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(refusal) => {
            let status = u8::from(refusal.use_stderr()) * 2;
            let text = refusal.render().to_string();
            let target: &mut dyn Write = if status == 0 {
                console.out
            } else {
                console.err
            };
            // Nobody is left to be told that this failed.
            let _unheard = target.write_all(text.as_bytes());
            return status;
        }
    };
    let json = arguments.json;
    let (message, status) = match dispatch(arguments, hooks, console) {
        Ok(()) => return 0,
        Err(Failure::Failed(message)) => (message, 1),
        Err(Failure::UsedWrongly(message)) => (message, 2),
    };
    let _unheard = match json {
        true => writeln!(console.err, "{}", serde_json::json!({ "error": message })),
        false => writeln!(console.err, "{message}"),
    };
    status
}

fn dispatch(arguments: Arguments, hooks: Hooks, console: &mut Console<'_>) -> Done {
    let file = arguments.config.as_path();
    let mut output = Output::new(arguments.json);
    match arguments.command {
        Command::Serve(options) => {
            let options = ServeOptions {
                settings: settings(file, console)?,
                migrate: !options.no_migrate,
            };
            return (hooks.serve)(options).map_err(Failure::Failed);
        }
        Command::Demo(demo) => match demo.command {
            None => return (hooks.demo)(demo.options).map_err(Failure::Failed),
            Some(DemoCommand::Seed(options)) => {
                // The demonstration's own configuration, where there is one.
                let own = demo.options.data.join("varco.toml");
                let world = World::open(if own.exists() { &own } else { file }, console)?;
                seed::run(&world, options, console, &mut output)?;
            }
            Some(DemoCommand::Ta(command)) => {
                let told = (hooks.demo_ta)(&demo.options.data, command);
                let told = told.map_err(Failure::Failed)?;
                output.text(&told.text);
                output.json(told.document);
            }
        },
        Command::Config(ConfigCommand::Example) => output.text(config::example().trim_end()),
        Command::Config(ConfigCommand::Check) => check(file, console, &mut output)?,
        Command::Migrate(direction) => {
            database::migrate(&settings(file, console)?, direction, &mut output)?;
        }
        Command::Purge => {
            let world = World::open(file, console)?;
            database::purge(&world, &mut output)?;
        }
        Command::Operator(command) => {
            let world = World::open(file, console)?;
            operators::run(&world, command, console, &mut output)?;
        }
        Command::Session(command) => {
            let world = World::open(file, console)?;
            sessions::run(&world, command, console, &mut output)?;
        }
        Command::Mail(command) => {
            let world = World::open(file, console)?;
            mails::run(&world, command, &mut output)?;
        }
        Command::Keys(command) => keys::run(file, command, console, &mut output)?,
        Command::User(command) => users::run(file, command, console, &mut output)?,
        Command::Rp(command) => {
            let world = World::open(file, console)?;
            parties::run(&world, command, console, &mut output)?;
        }
    }
    output.finish(console.out)
}

fn settings(file: &Path, console: &Console<'_>) -> Result<ServerSettings, Failure> {
    Ok(config::load(file, &console.environment)?)
}

fn check(file: &Path, console: &Console<'_>, output: &mut Output) -> Done {
    let settings = match config::load(file, &console.environment) {
        Ok(settings) => settings,
        Err(error) if output.json => {
            let problems: Vec<serde_json::Value> = error
                .problems
                .iter()
                .map(|problem| {
                    serde_json::json!({
                        "key": problem.key,
                        "found": problem.found,
                        "expected": problem.expected,
                    })
                })
                .collect();
            output.json(serde_json::json!({ "valid": false, "problems": problems }));
            // The document is complete; only the status says no.
            output.failed(format!("{} problems", error.problems.len()));
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let issuers: Vec<&str> = settings
        .issuers
        .iter()
        .map(|issuer| issuer.id.as_str())
        .collect();
    for warning in &settings.warnings {
        output.text(&format!("warning: {warning}"));
    }
    output.text(&format!(
        "{} is valid: {}. `varco serve --config {}` runs it",
        file.display(),
        issuers.join(", "),
        file.display()
    ));
    output.json(serde_json::json!({
        "valid": true, "problems": [], "warnings": settings.warnings, "issuers": issuers,
    }));
    Ok(())
}

/// What most commands work on.
struct World {
    settings: ServerSettings,
    store: Store,
    now: crate::clock::UtcTime,
    /// Who runs the command, for the trail.
    actor: Actor,
}

impl World {
    /// Reads the configuration and opens the database, whose missing migrations are applied.
    fn open(file: &Path, console: &Console<'_>) -> Result<Self, Failure> {
        let settings = settings(file, console)?;
        let store = Store::open(&settings.database(true))?;
        Ok(Self {
            settings,
            store,
            now: console.clock.now(),
            actor: administration::command_line_actor(Some(&console.environment.account())),
        })
    }

    fn issuer(&self, id: &str) -> Result<&config::IssuerSettings, Failure> {
        self.settings.issuer(id).ok_or_else(|| {
            let known: Vec<&str> = self
                .settings
                .issuers
                .iter()
                .map(|issuer| issuer.id.as_str())
                .collect();
            Failure::UsedWrongly(format!(
                "no issuer {id} in the configuration (compared byte for byte); there is: {}",
                known.join(", ")
            ))
        })
    }
}

/// A password: from a terminal, asked twice, or the first line of standard input.
fn read_password(from_stdin: bool, console: &mut Console<'_>) -> Result<Secret<String>, Failure> {
    if from_stdin {
        let mut text = String::new();
        console.input.take(4096).read_to_string(&mut text)?;
        let line = text.lines().next().unwrap_or_default().to_owned();
        return Ok(Secret::new(line));
    }
    let no_terminal = |error: std::io::Error| {
        Failure::UsedWrongly(format!(
            "no terminal to ask for a password ({error}): use --password-stdin"
        ))
    };
    let first = (console.ask_secret)("Password: ").map_err(no_terminal)?;
    let second = (console.ask_secret)("Again: ").map_err(no_terminal)?;
    if first != second {
        return Err(Failure::Failed(
            "the two passwords differ; nothing was changed".to_owned(),
        ));
    }
    Ok(Secret::new(first))
}
