//! `varco rp export` and `varco rp import`.

use super::output::Output;
use super::{Console, Done, Failure, World};
use crate::administration::parties::exchange::{
    self, Entry, EntryFault, Outcome, Ready, apply, preview,
};
use crate::administration::parties::{PartyError, Rules};
use crate::model::IssuerId;
use crate::store::client::{self, ClientFilter, ClientOrder, ClientOrigin};
use crate::store::{DbConn, StoreError};
use serde_json::{Value, json};
use std::path::Path;

/// RPs read at once.
const READ: u32 = 500;
/// Entries written in one transaction.
const WRITTEN: usize = 100;

pub(super) fn export(world: &World, issuer: Option<&str>, output: &mut Output) -> Done {
    let issuer = issuer.map(|id| world.issuer(id)).transpose()?;
    let filter = ClientFilter {
        issuer: issuer.map(|settings| IssuerId::new(settings.id.clone())),
        origin: Some(ClientOrigin::Registered),
        ..ClientFilter::default()
    };
    let mut entries = Vec::new();
    let mut after = None;
    loop {
        let page = world.store.read_blocking(|conn| {
            client::search(conn, &filter, ClientOrder::default(), after.as_ref(), READ)
        })?;
        entries.extend(page.rows.iter().map(exchange::entry));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let document = exchange::document(entries);
    output.text(&format!("{document:#}"));
    output.json(document);
    Ok(())
}

/// Says how far it is where errors go. What was written stays when it is interrupted; the same file again does the rest.
pub(super) fn import(
    world: &World,
    (file, dry_run, skip_bad): (&Path, bool, bool),
    console: &mut Console<'_>,
    output: &mut Output,
) -> Done {
    let failed = |reason: String| Failure::Failed(format!("{}: {reason}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let development = world.settings.development;
    let rules = |id: &str| Rules::of(world.settings.issuer(id)?, development);
    let entries = exchange::read(&text, rules).map_err(|error| failed(error.to_string()))?;
    let mut bad = 0_usize;
    let mut ready = Vec::new();
    let mut report = Vec::new();
    for entry in &entries {
        match judge(world, entry)? {
            Ok((good, outcome)) => {
                output.text(&format!(
                    "{} {}: {}",
                    entry.number,
                    entry.client_id,
                    name(outcome)
                ));
                report.push(document(entry, name(outcome), Vec::new()));
                ready.push(good);
            }
            Err(faults) => {
                bad = bad.saturating_add(1);
                for fault in &faults {
                    output.text(&format!("{} {}: {fault}", entry.number, entry.client_id));
                }
                report.push(document(entry, "wrong", faults));
            }
        }
    }
    let may_write = !dry_run && (bad == 0 || skip_bad);
    if may_write {
        let mut done = 0_usize;
        for batch in ready.chunks(WRITTEN) {
            write(world, batch.to_vec()).map_err(|failure| interrupted(failure, done))?;
            done = done.saturating_add(batch.len());
            if ready.len() > WRITTEN {
                writeln!(console.err, "{done} of {} written", ready.len())?;
            }
        }
    }
    let written = if may_write { ready.len() } else { 0 };
    output.text(&format!(
        "{} good, {bad} wrong, {written} written",
        ready.len()
    ));
    output.json(json!({
        "good": ready.len(), "wrong": bad, "written": written, "entries": report,
    }));
    if bad > 0 && !skip_bad {
        output.failed(format!("{bad} entries are wrong; nothing was written"));
    }
    Ok(())
}

/// That the rest is for the next time.
fn interrupted(failure: Failure, done: usize) -> Failure {
    match failure {
        Failure::Failed(reason) => Failure::Failed(format!(
            "{reason}\n{done} entries were written and stay; the same command does the rest"
        )),
        wrongly @ Failure::UsedWrongly(_) => wrongly,
    }
}

type Judged = Result<(Ready, Outcome), Vec<String>>;

fn judge(world: &World, entry: &Entry) -> Result<Judged, Failure> {
    let ready = match &entry.judged {
        Ok(ready) => ready.clone(),
        Err(faults) => return Ok(Err(faults.iter().map(line).collect())),
    };
    let outcome =
        world
            .store
            .read_blocking(|conn: &mut DbConn| -> Result<Outcome, StoreError> {
                preview(conn, &ready)
            })?;
    Ok(match outcome {
        Outcome::NotRegistered => Err(vec![PartyError::NotRegistered.to_string()]),
        outcome => Ok((ready, outcome)),
    })
}

fn line(fault: &EntryFault) -> String {
    let expected = fault.problem.expected();
    match &fault.value {
        Some(value) => format!("{} {value}: {expected}", fault.member),
        None => format!("{}: {expected}", fault.member),
    }
}

const fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Added { needs_secret: true } => "added; `varco rp rotate-secret` makes its secret",
        Outcome::Added {
            needs_secret: false,
        } => "added",
        Outcome::Changed => "changed",
        Outcome::Unchanged => "unchanged",
        Outcome::NotRegistered => "not registered here",
    }
}

fn document(entry: &Entry, outcome: &str, faults: Vec<String>) -> Value {
    json!({
        "entry": entry.number,
        "issuer": entry.issuer,
        "client_id": entry.client_id,
        "outcome": outcome,
        "faults": faults,
    })
}

fn write(world: &World, batch: Vec<Ready>) -> Result<(), Failure> {
    let (actor, now) = (world.actor.clone(), world.now);
    world.store.write_blocking(move |tx| {
        batch
            .iter()
            .try_for_each(|ready| apply(tx, &actor, ready, now).map(drop))
    })?;
    Ok(())
}
