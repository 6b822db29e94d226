//! `varco user`.

use super::arguments::{FormatArgument, UserCommand};
use super::output::Output;
use super::{Console, Done, Failure, World, otp, read_password};
use crate::accounts::export::{self, ExportError, Opening};
use crate::accounts::import::{self, Format, ImportError};
use crate::accounts::{NewPassword, UserRecord, hash_password};
use crate::config::ServerSettings;
use crate::keys;
use crate::model::Account;
use crate::model::attribute::canonical_claim;
use crate::store::{account, session};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
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
            import::check_username(&username).map_err(Failure::UsedWrongly)?;
            if find(&world, &username)?.is_some() {
                return Err(Failure::Failed(format!(
                    "there is a user {username} already; `varco user password` sets a password, `varco user import` updates attributes"
                )));
            }
            let password = if no_password {
                None
            } else {
                Some(NewPassword::Clear(read_password(password_stdin, console)?))
            };
            let record = UserRecord {
                username: username.clone(),
                password,
                totp_secret: None,
                enabled: Some(true),
                attributes: Some(attributes),
            };
            import::apply(&world.store, vec![record], None, world.now)?;
            output.text(&format!("added {username}"));
            output.json(json!({ "username": username, "added": true }));
            Ok(())
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
        UserCommand::Disable { username } => set_enabled(&world, &username, false, output),
        UserCommand::Enable { username } => set_enabled(&world, &username, true, output),
        UserCommand::Password {
            username,
            password_stdin,
        } => {
            let known = require(&world, &username)?;
            let password = read_password(password_stdin, console)?;
            let hash = hash_password(password.expose())?;
            let now = world.now;
            world.store.write_blocking(move |conn| {
                account::set_password(conn, &known.id, Some(&hash), now)?;
                // Whoever is logged in with the old password is not any more.
                session::end_all_of(conn, &known.id, now)
            })?;
            output.text(&format!("{username} has a new password"));
            output.json(json!({ "username": username, "password": "set" }));
            Ok(())
        }
    }
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

fn set_enabled(world: &World, username: &str, enabled: bool, output: &mut Output) -> Done {
    let known = require(world, username)?;
    let now = world.now;
    world.store.write_blocking(move |conn| {
        account::set_enabled(conn, &known.id, enabled, now)?;
        if enabled {
            Ok(0)
        } else {
            session::end_all_of(conn, &known.id, now)
        }
    })?;
    output.text(&if enabled {
        format!("{username} can log in")
    } else {
        format!("{username} cannot log in, and the tokens given for them no longer work")
    });
    output.json(json!({ "username": username, "enabled": enabled }));
    Ok(())
}

/// Names outside the attribute table that an issuer's `attributes` refer to.
fn custom_names(settings: &ServerSettings) -> BTreeSet<String> {
    settings
        .issuers
        .iter()
        .filter_map(|issuer| issuer.attributes.as_ref())
        .flat_map(|map| map.values().flatten().cloned())
        .filter(|name| canonical_claim(name).is_none())
        .collect()
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
    let mut messages = Vec::new();
    let attributes = import::read_attributes(&claims, &custom_names(settings), &mut messages);
    if messages.is_empty() {
        Ok(attributes)
    } else {
        Err(Failure::UsedWrongly(messages.join("\n")))
    }
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
        None => Format::guess(&text),
    };
    let records = match import::read(&text, format, &custom_names(&world.settings)) {
        Ok(records) => records,
        Err(problems) => {
            let list: Vec<Value> = problems
                .iter()
                .map(|problem| json!({ "line": problem.line, "message": problem.message }))
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
