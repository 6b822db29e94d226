//! All that is kept about a person, as JSON (GDPR Art. 15 and 20): read in batches, and bounded.

use super::super::history::json_of;
use super::super::visit::{PageFailure, SignedIn, Visit};
use crate::clock::UtcTime;
use crate::mail;
use crate::model::{Account, IssuerId, MailCursor, MailState};
use crate::provider::Shared;
use crate::store::login_event::{self, HistoryOwner};
use crate::store::{
    DbConn, StoreError, account, authenticator, consent, known_device, mail_message, recovery_code,
    session,
};
use serde_json::{Value, json};

/// Rows of one query.
const BATCH: u32 = 500;
/// Rows of one kind; a person who has more is told that there are more.
const MOST_ROWS: usize = 50_000;
/// Known browsers: more than anybody uses.
const MOST_BROWSERS: u32 = 1_000;
/// Live sessions: more than anybody has.
const MOST_SESSIONS: u32 = 1_000;

/// The document. Secrets are not in it: neither password hashes nor those of second factors, nor what a code was.
pub(super) async fn document(
    visit: &Visit<'_>,
    citizen: &SignedIn,
) -> Result<Vec<u8>, PageFailure> {
    let (shared, person, now) = (
        visit.op.shared.clone(),
        citizen.account.clone(),
        visit.now(),
    );
    let store = shared.store.clone();
    let found = store
        .read(move |conn| collect(conn, &shared, &person, now))
        .await?;
    Ok(serde_json::to_vec_pretty(&found).unwrap_or_default())
}

fn collect(
    conn: &mut DbConn,
    shared: &Shared,
    person: &Account,
    now: UtcTime,
) -> Result<Value, StoreError> {
    let languages = account::languages(conn, &person.id)?;
    let (mut consents, mut history) = (Vec::new(), Vec::new());
    for issuer in &shared.server.issuers {
        let issuer = IssuerId::new(issuer.id.clone());
        collect_consents(conn, (&issuer, person), now, &mut consents)?;
        collect_history(conn, (&issuer, person), now, &mut history)?;
    }
    Ok(json!({
        "made_at": now.to_rfc3339(),
        "account": {
            "username": person.username,
            "created_at": person.created_at.to_rfc3339(),
            "updated_at": person.updated_at.to_rfc3339(),
            "has_password": person.password_hash.is_some(),
            "language": languages.chosen,
            "language_of_last_login": languages.of_pages,
        },
        "attributes": person.attributes,
        "second_factors": factors(conn, person, now)?,
        "recovery_codes_left": recovery_code::count_left(conn, &person.id)?,
        "sessions": sessions(conn, person, now)?,
        "known_browsers": browsers(conn, person)?,
        "consents": consents,
        "accesses": history,
        "mails": mails(conn, shared, person)?,
        "complete_up_to_rows_of_a_kind": MOST_ROWS,
    }))
}

fn factors(conn: &mut DbConn, person: &Account, now: UtcTime) -> Result<Vec<Value>, StoreError> {
    let all = authenticator::search(conn, &person.id, now)?;
    let shown = all.into_iter().filter(|factor| factor.is_active());
    Ok(shown
        .map(|factor| {
            json!({
                "method": factor.method.name(),
                "name": factor.name,
                "created_at": factor.created_at.to_rfc3339(),
                "last_used_at": factor.last_used_at.map(UtcTime::to_rfc3339),
            })
        })
        .collect())
}

fn sessions(conn: &mut DbConn, person: &Account, now: UtcTime) -> Result<Vec<Value>, StoreError> {
    let all = session::alive_of(conn, &person.id, now, MOST_SESSIONS)?;
    Ok(all
        .into_iter()
        .map(|session| {
            json!({
                "issuer": session.issuer,
                "level": session.acr,
                "since": session.authenticated_at.to_rfc3339(),
                "until": session.expires_at.to_rfc3339(),
                "browser": session.browser,
                "address": session.address,
            })
        })
        .collect())
}

/// Which browser it is, nobody can tell from what is kept.
fn browsers(conn: &mut DbConn, person: &Account) -> Result<Vec<Value>, StoreError> {
    let all = known_device::search(conn, &person.id, MOST_BROWSERS)?;
    let shown = all.into_iter().map(|(since, until)| {
        json!({ "first_used_at": since.to_rfc3339(), "known_until": until.to_rfc3339() })
    });
    Ok(shown.collect())
}

fn collect_consents(
    conn: &mut DbConn,
    (issuer, person): (&IssuerId, &Account),
    now: UtcTime,
    out: &mut Vec<Value>,
) -> Result<(), StoreError> {
    let mut after = None;
    while out.len() < MOST_ROWS {
        let owner = (issuer, &person.id);
        let page = consent::search(conn, owner, now, after.as_ref(), BATCH)?;
        let Some(last) = page.last() else { break };
        after = Some(last.client_id.clone());
        out.extend(page.into_iter().map(|consent| {
            json!({
                "issuer": issuer,
                "entity_id": consent.client_id,
                "rp_name": consent.rp_name,
                "attributes": consent.attributes,
                "offline_access": consent.offline_access,
                "since": consent.since.to_rfc3339(),
                "until": consent.until.to_rfc3339(),
            })
        }));
    }
    Ok(())
}

fn collect_history(
    conn: &mut DbConn,
    (issuer, person): (&IssuerId, &Account),
    now: UtcTime,
    out: &mut Vec<Value>,
) -> Result<(), StoreError> {
    let owner = HistoryOwner {
        issuer,
        account: &person.id,
    };
    let mut after = None;
    while out.len() < MOST_ROWS {
        let page = login_event::search(conn, owner, &Default::default(), after.as_ref(), BATCH)?;
        out.extend(page.rows.iter().map(|event| {
            let mut json = json_of(event, now);
            if let Some(members) = json.as_object_mut() {
                members.insert("issuer".to_owned(), json!(issuer));
            }
            json
        }));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(())
}

fn mails(conn: &mut DbConn, shared: &Shared, person: &Account) -> Result<Vec<Value>, StoreError> {
    let mut all = Vec::new();
    let mut after: Option<MailCursor> = None;
    while all.len() < MOST_ROWS {
        let page = mail_message::search_of(conn, &person.id, after.as_ref(), BATCH)?;
        let Some(last) = page.last() else { break };
        after = Some(MailCursor {
            created_at: last.created_at,
            id: last.id.clone(),
        });
        all.extend(page.iter().map(|message| {
            let text = mail::open(&shared.key_encryption_key, message).ok();
            json!({
                "kind": message.kind,
                "to": text.as_ref().map(|text| &text.to),
                "subject": text.as_ref().map(|text| &text.subject),
                "queued_at": message.created_at.to_rfc3339(),
                "state": match message.state {
                    MailState::Queued => "queued",
                    MailState::Sent => "sent",
                    MailState::Failed => "failed",
                },
                "done_at": message.done_at.map(UtcTime::to_rfc3339),
            })
        }));
    }
    Ok(all)
}
