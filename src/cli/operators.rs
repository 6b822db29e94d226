//! `varco operator`: the desk's section of the same name, for scripts and for the first administrator.

use super::arguments::operators::{OperatorCommand, TrailArguments};
use super::output::Output;
use super::{Console, Done, Failure, World, read_password};
use crate::accounts::hash_password;
use crate::administration::operators::{self, Change};
use crate::clock::UtcTime;
use crate::model::{Operator, TrailFilter, Via};
use crate::store::{operator, trail};
use serde_json::{Value, json};

pub(super) fn run(
    world: &World,
    command: OperatorCommand,
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    match command {
        OperatorCommand::Add {
            name,
            role,
            password_stdin,
        } => {
            operators::check_name(&name).map_err(wrongly)?;
            let password = read_password(password_stdin, console)?;
            operators::check_password(password.expose()).map_err(wrongly)?;
            let hash = hash_password(password.expose())?;
            let (actor, now) = (world.actor.clone(), world.now);
            let added = world.store.write_blocking(move |tx| {
                operators::add(tx, &actor, (&name, role.into(), hash), now)
            })?;
            output.text(&format!(
                "added {} as {}; the second factor is registered at the first login at /admin",
                added.name,
                added.role.name()
            ));
            output.json(document(&added));
            Ok(())
        }
        OperatorCommand::List => list(world, output),
        OperatorCommand::Password {
            name,
            password_stdin,
        } => {
            let password = read_password(password_stdin, console)?;
            operators::check_password(password.expose()).map_err(wrongly)?;
            let hash = hash_password(password.expose())?;
            change(world, name, Change::Password(hash), output)
        }
        OperatorCommand::Role { name, role } => {
            change(world, name, Change::Role(role.into()), output)
        }
        OperatorCommand::Disable(of) => change(world, of.name, Change::Enabled(false), output),
        OperatorCommand::Enable(of) => change(world, of.name, Change::Enabled(true), output),
        OperatorCommand::ResetFactor(of) => change(world, of.name, Change::ResetFactor, output),
        OperatorCommand::Unlock(of) => change(world, of.name, Change::Unlock, output),
        OperatorCommand::EndSessions(of) => change(world, of.name, Change::EndSessions, output),
        OperatorCommand::Trail(wanted) => show_trail(world, wanted, output),
    }
}

fn wrongly(error: impl std::fmt::Display) -> Failure {
    Failure::UsedWrongly(error.to_string())
}

fn change(world: &World, name: String, change: Change, output: &mut Output) -> Done {
    let (actor, now) = (world.actor.clone(), world.now);
    let action = change.action();
    let of = name.clone();
    world
        .store
        .write_blocking(move |tx| operators::change(tx, &actor, (&of, &change), now))?;
    output.text(&format!("{action}: {name}"));
    output.json(json!({ "name": name, "action": action }));
    Ok(())
}

fn document(known: &Operator) -> Value {
    json!({
        "name": known.name,
        "role": known.role.name(),
        "enabled": known.enabled,
        "second_factor": known.totp.is_some(),
        "last_login_at": known.last_login_at.map(|at| at.to_rfc3339()),
    })
}

/// Operators are few: all of them, a page after the other.
fn list(world: &World, output: &mut Output) -> Done {
    let mut all: Vec<Operator> = Vec::new();
    loop {
        let after = all.last().map(|last| last.name.clone());
        let page = world
            .store
            .read_blocking(|conn| operator::search(conn, after.as_deref(), 500))?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|known| {
            vec![
                known.name.clone(),
                known.role.name().to_owned(),
                if known.enabled { "enabled" } else { "disabled" }.to_owned(),
                if known.totp.is_some() { "yes" } else { "no" }.to_owned(),
                known
                    .last_login_at
                    .map_or_else(|| "never".to_owned(), |at| at.to_rfc3339()),
            ]
        })
        .collect();
    if rows.is_empty() {
        output.text("there are no operators; `varco operator add NAME --role administrator` adds the first one");
    } else {
        output.table(
            &["NAME", "ROLE", "STATE", "SECOND FACTOR", "LAST LOGIN"],
            &rows,
        );
    }
    output.json(json!({ "operators": all.iter().map(document).collect::<Vec<_>>() }));
    Ok(())
}

fn show_trail(world: &World, wanted: TrailArguments, output: &mut Output) -> Done {
    let filter = TrailFilter {
        actor: wanted.actor,
        action: wanted.action,
        subject: wanted.subject,
        since: wanted.since.map(|time| UtcTime(time.timestamp())),
        until: wanted.until.map(|time| UtcTime(time.timestamp())),
    };
    let entries = world
        .store
        .read_blocking(|conn| trail::search(conn, &filter, wanted.before, wanted.limit))?;
    let via = |via: Via| match via {
        Via::Desk => "desk",
        Via::CommandLine => "command line",
    };
    for entry in &entries {
        output.text(&format!(
            "{}  {}  {} ({} {})  {}  {}",
            entry.number,
            entry.happened_at.to_rfc3339(),
            entry.actor.name,
            via(entry.actor.via),
            entry.actor.address,
            entry.action,
            entry.subject
        ));
        for (name, value) in [("before", &entry.before), ("after", &entry.after)] {
            if let Some(value) = value {
                output.text(&format!("    {name} {value}"));
            }
        }
    }
    let parsed = |text: &Option<String>| {
        text.as_deref()
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
    };
    let documents: Vec<Value> = entries
        .iter()
        .map(|entry| {
            json!({
                "number": entry.number,
                "at": entry.happened_at.to_rfc3339(),
                "actor": entry.actor.name,
                "via": via(entry.actor.via),
                "address": entry.actor.address,
                "action": entry.action,
                "subject": entry.subject,
                "before": parsed(&entry.before),
                "after": parsed(&entry.after),
            })
        })
        .collect();
    output.json(json!({ "entries": documents }));
    Ok(())
}
