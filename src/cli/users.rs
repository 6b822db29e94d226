//! `varco user`.

use super::arguments::users::{FormatArgument, UserCommand};
use super::output::Output;
use super::{Console, Done, Failure, World, otp, people, read_password};
use crate::accounts::export::{self, ExportError, Opening};
use crate::accounts::hash_password;
use crate::accounts::import::{self, Format, ImportError};
use crate::administration::users::{self, Change, NewUser};
use crate::config::ServerSettings;
use crate::keys;
use crate::model::Account;
use crate::store::account;
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::Path;

/// Bytes of an import file.
const MOST_FILE_BYTES: u64 = 1 << 30;

pub(super) fn run(
    file: &Path,
    command: UserCommand,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    let world = World::open(file, console)?;
    match command {
        UserCommand::Add {
            username,
            password_stdin,
            no_password,
            attributes,
        } => {
            let attributes = parse_attributes(&world.settings, &attributes)?;
            let asked = (!no_password).then_some(password_stdin);
            add(&world, (username, attributes, asked), console, output)
        }
        UserCommand::Import {
            file,
            check,
            format,
        } => import_file(&world, (&file, check, format), console, output),
        UserCommand::Export {
            format,
            with_hashes,
        } => {
            let key = with_hashes
                .then(|| keys::load_key(&world.settings))
                .transpose()?;
            let now = world.now;
            let secrets = key.as_ref().map(|key| Opening { key, now });
            let result = match format {
                FormatArgument::Jsonl => export::json_lines(&world.store, secrets, console.out),
                FormatArgument::Csv => export::csv(&world.store, secrets, console.out),
            };
            match result {
                // The reader has seen enough.
                Err(ExportError::Write(error))
                    if error.kind() == std::io::ErrorKind::BrokenPipe =>
                {
                    Ok(())
                }
                other => other.map(|_| ()).map_err(Failure::from),
            }
        }
        UserCommand::Otp(command) => otp::run(&world, command, console, output),
        UserCommand::Password {
            username,
            none,
            password_stdin,
        } => {
            let asked = (!none).then_some(password_stdin);
            set_password(&world, (username, asked), console, output)
        }
        UserCommand::Edit {
            username,
            attributes,
            removed,
        } => {
            let known = require(&world, &username)?;
            let given = parse_attributes(&world.settings, &attributes)?;
            people::edit(&world, &known, (given, &removed), output)
        }
        other => people::run(&world, other, output),
    }
}

/// The hash of a password that is asked for, or read from standard input; `None` where none is asked for.
fn hashed(asked: Option<bool>, console: &mut Console<'_>) -> Result<Option<String>, Failure> {
    let Some(from_stdin) = asked else {
        return Ok(None);
    };
    let password = read_password(from_stdin, console)?;
    Ok(Some(hash_password(password.expose())?))
}

fn add(
    world: &World,
    (username, attributes, asked): (String, Map<String, Value>, Option<bool>),
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    users::check_username(&username).map_err(wrongly)?;
    if find(world, &username)?.is_some() {
        return Err(users::UserError::UsernameTaken.into());
    }
    let new = NewUser {
        username: username.clone(),
        password_hash: hashed(asked, console)?,
        attributes,
    };
    let (actor, now) = (world.actor.clone(), world.now);
    world
        .store
        .write_blocking(move |tx| users::add(tx, &actor, new, now))?;
    output.text(&format!("added {username}"));
    output.json(json!({ "username": username, "added": true }));
    Ok(())
}

fn set_password(
    world: &World,
    (username, asked): (String, Option<bool>),
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    let known = require(world, &username)?;
    let hash = hashed(asked, console)?;
    let (text, is) = match hash {
        Some(_) => ("a new password", "set"),
        None => ("no password any more", "removed"),
    };
    people::change(world, &known, Change::Password(hash))?;
    output.text(&format!("{username} has {text}"));
    output.json(json!({ "username": username, "password": is }));
    Ok(())
}

fn find(world: &World, username: &str) -> Result<Option<Account>, Failure> {
    Ok(world
        .store
        .read_blocking(|conn| account::find_by_username(conn, username))?)
}

pub(super) fn require(world: &World, username: &str) -> Result<Account, Failure> {
    find(world, username)?.ok_or_else(|| {
        Failure::Failed(format!(
            "no user {username} (compared exactly); `varco user export` shows everybody"
        ))
    })
}

fn parse_attributes(
    settings: &ServerSettings,
    pairs: &[String],
) -> Result<Map<String, Value>, Failure> {
    let mut claims = Map::new();
    for pair in pairs {
        let Some((claim, text)) = pair.split_once('=') else {
            return Err(Failure::UsedWrongly(format!(
                "--attribute {pair}: expected CLAIM=VALUE"
            )));
        };
        let value = if text.starts_with('{') {
            serde_json::from_str(text).map_err(|_| {
                Failure::UsedWrongly(format!("--attribute {claim}: the value is no JSON"))
            })?
        } else {
            Value::String(text.to_owned())
        };
        claims.insert(claim.to_owned(), value);
    }
    users::check_attributes(settings, &claims).map_err(wrongly)
}

fn wrongly(error: users::UserError) -> Failure {
    Failure::UsedWrongly(error.to_string())
}

fn import_file(
    world: &World,
    (file, check, format): (&Path, bool, Option<FormatArgument>),
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    let text = read_file(file, console)?;
    let format = match format {
        Some(FormatArgument::Jsonl) => Format::JsonLines,
        Some(FormatArgument::Csv) => Format::Csv,
        None if file.extension().is_some_and(|ending| ending == "csv") => Format::Csv,
        None => Format::guess(text.as_bytes()),
    };
    let records = match import::read(
        text.as_bytes(),
        Some(format),
        &users::custom_attributes(&world.settings),
    ) {
        Ok(records) => records,
        Err(problems) => {
            let list: Vec<Value> = problems
                .iter()
                .map(
                    |problem| json!({ "line": problem.line, "message": problem.fault.to_string() }),
                )
                .collect();
            output.json(json!({ "problems": list }));
            let count = problems.len();
            let error = ImportError::Invalid(problems);
            if !output.json {
                return Err(Failure::Failed(format!(
                    "{error}\n{count} problems; nothing was changed"
                )));
            }
            output.failed(format!("{count} problems; nothing was changed"));
            return Ok(());
        }
    };
    if check {
        output.text(&format!(
            "{} users, all valid; nothing was changed",
            records.len()
        ));
        output.json(json!({ "valid": records.len(), "problems": [] }));
        return Ok(());
    }
    // Only secrets of one-time codes are sealed: an import without them needs no key.
    let has_secrets = records.iter().any(|record| record.totp_secret.is_some());
    let key = has_secrets
        .then(|| keys::load_key(&world.settings))
        .transpose()?;
    let summary = import::apply(&world.store, records, key.as_ref(), world.now)?;
    output.text(&format!(
        "{} added, {} updated",
        summary.added, summary.updated
    ));
    output.json(json!({ "added": summary.added, "updated": summary.updated, "problems": [] }));
    Ok(())
}

fn read_file(file: &Path, console: &mut Console<'_>) -> Result<String, Failure> {
    let mut text = String::new();
    let failed = |error: std::io::Error| Failure::Failed(format!("{}: {error}", file.display()));
    let read = if file.as_os_str() == "-" {
        console
            .input
            .take(MOST_FILE_BYTES + 1)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(file)
            .and_then(|opened| opened.take(MOST_FILE_BYTES + 1).read_to_string(&mut text))
    };
    let bytes = read.map_err(failed)?;
    if u64::try_from(bytes).is_ok_and(|bytes| bytes > MOST_FILE_BYTES) {
        return Err(Failure::Failed(format!(
            "{}: larger than 1 GiB; split it",
            file.display()
        )));
    }
    Ok(text)
}
