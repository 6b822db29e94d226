//! `varco user revoke` and `varco user history`: what was given in a person's name.

use super::arguments::users::History;
use super::output::{Output, one_line};
use super::{Done, Failure, World};
use crate::administration::revocation::revoke_all_of;
use crate::administration::sessions::Revoked;
use crate::clock::UtcTime;
use crate::model::{Account, LoginEvent};
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::login_event::{self, EventsOf};
use serde_json::{Value, json};

/// Ends everything, in batches.
pub(super) fn revoke(world: &World, known: &Account, reason: &str, output: &mut Output) -> Done {
    let mut total = Revoked::default();
    loop {
        let (actor, now) = (world.actor.clone(), world.now);
        let (id, reason) = (known.id.clone(), reason.to_owned());
        let batch = world
            .store
            .write_blocking(move |tx| revoke_all_of(tx, &actor, (&id, &reason), now))?;
        total.sessions = total.sessions.saturating_add(batch.revoked.sessions);
        total.grants = total.grants.saturating_add(batch.revoked.grants);
        if !batch.more {
            break;
        }
    }
    let username = &known.username;
    if total == Revoked::default() {
        output.text(&format!("{username}: there was nothing left to revoke"));
    } else {
        output.text(&format!(
            "{username}: {} sessions ended, {} grants revoked",
            total.sessions, total.grants
        ));
    }
    output.json(json!({
        "username": username,
        "action": "user.revoke",
        "revoked": { "sessions": total.sessions, "grants": total.grants },
    }));
    Ok(())
}

/// A page of where somebody logged in.
pub(super) fn history(
    world: &World,
    known: &Account,
    wanted: &History,
    output: &mut Output,
) -> Done {
    let time =
        |given: Option<chrono::DateTime<chrono::Utc>>| given.map(|at| UtcTime(at.timestamp()));
    let (since, until) = (time(wanted.since), time(wanted.until));
    let after =
        match &wanted.after {
            // The list goes down from the end that was asked for, which is not part of it.
            None => until.map(|key| TimeCursor {
                key,
                id: String::new(),
            }),
            Some(text) => Some(TimeCursor::from_text(text).ok_or_else(|| {
                Failure::UsedWrongly("--after: expected what `next` was".to_owned())
            })?),
        };
    let of = EventsOf::Account(known.id.clone());
    let mut page = world.store.read_blocking(|conn| {
        login_event::search_recent(conn, &of, after.as_ref(), wanted.limit)
    })?;
    let found = page.rows.len();
    page.rows
        .retain(|event| since.is_none_or(|since| event.occurred_at >= since));
    let next = page.next.filter(|_| page.rows.len() == found);
    let next = next.as_ref().map(TimeCursor::to_text);
    let rows: Vec<Vec<String>> = page
        .rows
        .iter()
        .map(|event| {
            vec![
                event.occurred_at.to_rfc3339(),
                state(event, world.now).to_owned(),
                event.client_id.to_string(),
                event.acr.clone(),
                event.address.clone(),
                one_line(&event.browser),
            ]
        })
        .collect();
    if rows.is_empty() {
        output.text("no logins are kept of that time");
    } else {
        let heads = ["WHEN", "ACCESS", "CLIENT", "LEVEL", "ADDRESS", "BROWSER"];
        output.table(&heads, &rows);
    }
    if let Some(next) = &next {
        output.text(&format!("there are more: --after {next}"));
    }
    let logins: Vec<Value> = page
        .rows
        .iter()
        .map(|event| document(event, world.now))
        .collect();
    output.json(json!({ "username": known.username, "logins": logins, "next": next }));
    Ok(())
}

fn document(event: &LoginEvent, now: UtcTime) -> Value {
    json!({
        "id": event.id,
        "at": event.occurred_at.to_rfc3339(),
        "issuer": event.issuer,
        "client_id": event.client_id,
        "rp_name": event.rp_name,
        "acr": event.acr,
        "browser": event.browser,
        "address": event.address,
        "grant": event.grant,
        "access_until": event.access_until.to_rfc3339(),
        "revoked_at": event.revoked_at.map(UtcTime::to_rfc3339),
        "state": state(event, now),
    })
}

fn state(event: &LoginEvent, now: UtcTime) -> &'static str {
    match event.revoked_at {
        Some(_) => "revoked",
        None if now < event.access_until => "active",
        None => "ended",
    }
}
