//! `varco migrate`, `varco purge`.

use super::arguments::MigrateCommand;
use super::output::Output;
use super::{Done, World};
use crate::config::ServerSettings;
use crate::store::purge::{PurgeLimits, purge_expired_blocking};
use crate::store::{migrate_down, migrate_up, migration_status};
use serde_json::{Map, Value, json};

pub(super) fn migrate(
    settings: &ServerSettings,
    command: MigrateCommand,
    output: &mut Output,
) -> Done {
    let url = settings.database_url.expose();
    match command {
        MigrateCommand::Up => {
            let applied = migrate_up(url)?;
            if applied.is_empty() {
                output.text("the schema is up to date");
            }
            for name in &applied {
                output.text(&format!("applied {name}"));
            }
            output.json(json!({ "applied": applied }));
        }
        MigrateCommand::Down => {
            let reverted = migrate_down(url)?;
            match &reverted {
                Some(name) => output.text(&format!(
                    "took back {name}; `varco migrate up` (or any command that opens the database) applies it again"
                )),
                None => output.text("no migration is applied"),
            }
            output.json(json!({ "reverted": reverted }));
        }
        MigrateCommand::Status => {
            let status = migration_status(url)?;
            let missing = status.iter().filter(|one| !one.applied).count();
            for one in &status {
                let word = if one.applied { "applied" } else { "missing" };
                output.text(&format!("{word}  {}", one.name));
            }
            if missing > 0 {
                output.text("`varco migrate up` applies what is missing");
            }
            let list: Vec<Value> = status
                .iter()
                .map(|one| json!({ "name": one.name, "applied": one.applied }))
                .collect();
            output.json(json!({ "migrations": list }));
        }
    }
    Ok(())
}

pub(super) fn purge(world: &World, output: &mut Output) -> Done {
    let limits = PurgeLimits {
        history_retention_days: i64::from(world.settings.history_retention_days),
    };
    let count = purge_expired_blocking(&world.store, world.now, limits)?;
    let rows: Map<String, Value> = count
        .0
        .iter()
        .map(|(table, rows)| ((*table).to_owned(), Value::from(*rows)))
        .collect();
    for (table, rows) in count.0.iter().filter(|(_, rows)| *rows > 0) {
        output.text(&format!("{table}: removed {rows}"));
    }
    output.text(&format!("removed {} rows that had ended", count.total()));
    output.json(json!({ "removed": count.total(), "tables": rows }));
    Ok(())
}
