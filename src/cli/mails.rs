//! `varco mail`: the desk's page of letters, for scripts.

use super::arguments::mails::{List, MailCommand, StateArgument};
use super::output::{Output, one_line};
use super::{Done, Failure, World};
use crate::administration::mails::{self, can_be_retried};
use crate::clock::UtcTime;
use crate::model::{AccountId, MailCursor, MailMessage, MailState};
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::{StoreError, account, mail_message};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) fn run(world: &World, command: MailCommand, output: &mut Output) -> Done {
    match command {
        MailCommand::List(wanted) => list(world, &wanted, output),
        MailCommand::Retry(wanted) => match wanted.id {
            Some(id) => retry(world, &id, output),
            None => retry_all(world, output),
        },
    }
}

fn list(world: &World, wanted: &List, output: &mut Output) -> Done {
    let state = match wanted.state {
        StateArgument::Queued => MailState::Queued,
        StateArgument::Failed => MailState::Failed,
    };
    let after = match &wanted.after {
        None => None,
        Some(text) => {
            let cursor = TimeCursor::from_text(text).ok_or_else(|| {
                Failure::UsedWrongly("--after: expected what `next` was".to_owned())
            })?;
            Some(MailCursor {
                created_at: cursor.key,
                id: cursor.id,
            })
        }
    };
    let (mut found, people) = world.store.read_blocking(|conn| {
        let limit = wanted.limit.saturating_add(1);
        let found = mail_message::search(conn, state, after.as_ref(), limit)?;
        let ids: Vec<AccountId> = found.iter().map(|one| one.account.clone()).collect();
        Ok::<_, StoreError>((found, account::usernames(conn, &ids)?))
    })?;
    let most = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let has_more = found.len() > most;
    found.truncate(most);
    let cursor = |last: &MailMessage| TimeCursor {
        key: last.created_at,
        id: last.id.clone(),
    };
    let next = found.last().filter(|_| has_more).map(cursor);
    let next = next.as_ref().map(TimeCursor::to_text);
    tell(&found, &people, output);
    if let Some(next) = &next {
        output.text(&format!("there are more: --after {next}"));
    }
    let mails: Vec<Value> = found.iter().map(|one| document(one, &people)).collect();
    output.json(json!({ "mails": mails, "next": next }));
    Ok(())
}

fn tell(found: &[MailMessage], people: &HashMap<AccountId, String>, output: &mut Output) {
    if found.is_empty() {
        output.text("there are none");
        return;
    }
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|one| {
            vec![
                one.created_at.to_rfc3339(),
                one.id.clone(),
                one.kind.clone(),
                people.get(&one.account).cloned().unwrap_or_default(),
                one.attempts.to_string(),
                one_line(one.reason.as_deref().unwrap_or("-")),
            ]
        })
        .collect();
    let heads = ["QUEUED", "ID", "KIND", "USERNAME", "ATTEMPTS", "FAILURE"];
    output.table(&heads, &rows);
}

fn document(one: &MailMessage, people: &HashMap<AccountId, String>) -> Value {
    json!({
        "id": one.id,
        "kind": one.kind,
        "account": one.account,
        "username": people.get(&one.account),
        "state": match one.state {
            MailState::Queued => "queued",
            MailState::Sent => "sent",
            MailState::Failed => "failed",
        },
        "attempts": one.attempts,
        "created_at": one.created_at.to_rfc3339(),
        "next_attempt_at": (one.state == MailState::Queued)
            .then(|| one.next_attempt_at.to_rfc3339()),
        "given_up_at": one.done_at.map(UtcTime::to_rfc3339),
        "reason": one.reason,
        "can_be_retried": can_be_retried(one),
    })
}

fn retry(world: &World, id: &str, output: &mut Output) -> Done {
    let (actor, now, wanted) = (world.actor.clone(), world.now, id.to_owned());
    world
        .store
        .write_blocking(move |tx| mails::retry(tx, &actor, &wanted, now))?;
    output.text(&format!("mail {id} is tried again"));
    output.json(json!({ "action": "mail.retry", "retried": 1 }));
    Ok(())
}

fn retry_all(world: &World, output: &mut Output) -> Done {
    let (mut retried, mut after) = (0_usize, None);
    loop {
        let (actor, now, from) = (world.actor.clone(), world.now, after.take());
        let round = world
            .store
            .write_blocking(move |tx| mails::retry_failed(tx, &actor, from.as_ref(), now))?;
        retried = retried.saturating_add(round.retried);
        after = round.next;
        if after.is_none() {
            break;
        }
    }
    output.text(&format!("{retried} mails are tried again"));
    output.json(json!({ "action": "mail.retry", "retried": retried }));
    Ok(())
}
