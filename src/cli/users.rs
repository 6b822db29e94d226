//! `varco user`.

use super::arguments::users::{FormatArgument, UserCommand};
use super::output::Output;
use super::{Console, Done, Failure, World, imports, otp, people, read_password};
use crate::accounts::export::{self, ExportError, Opening};
use crate::accounts::hash_password;
use crate::administration::readings;
use crate::administration::users::{self, Change, NewUser};
use crate::config::ServerSettings;
use crate::keys;
use crate::model::Account;
use crate::store::account;
use serde_json::{Map, Value, json};
use std::path::Path;

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
        UserCommand::Import(wanted) => imports::run(&world, wanted, console, output),
        UserCommand::Imports(wanted) => imports::manage(&world, wanted, console, output),
        UserCommand::Export {
            format,
            with_hashes,
        } => {
            let key = with_hashes
                .then(|| keys::load_key(&world.settings))
                .transpose()?;
            let (actor, now) = (world.actor.clone(), world.now);
            world
                .store
                .write_blocking(move |tx| readings::users(tx, &actor, with_hashes, now))?;
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
    users::check_password(password.expose())?;
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
