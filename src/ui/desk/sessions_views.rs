//! Sessions and grants as the desk shows them.

use super::super::user_agent::in_few_words;
use super::super::{DeskSessionView, GrantView, Level, Link, level_name};
use super::sessions::{GRANT, REVOKE, list_url};
use super::visit::link;
use super::{Desk, users};
use crate::clock::UtcTime;
use crate::model::{AccountId, Grant, Session};
use crate::store::grant::GrantsOf;
use std::collections::HashMap;

/// What those of a list are called.
pub(super) type People = HashMap<AccountId, String>;

/// Who it is, with their page.
pub(super) fn person_link(id: &AccountId, people: &People) -> Link {
    Link {
        url: users::one_url(id),
        text: people.get(id).cloned().unwrap_or_else(|| id.to_string()),
    }
}

fn level(desk: &Desk<'_>, acr: &str) -> String {
    Level::from_acr(acr).map_or_else(|| acr.to_owned(), |level| level_name(desk.locale(), level))
}

pub(super) fn session_view(
    desk: &Desk<'_>,
    row: Session,
    (people, now): (&People, UtcTime),
) -> DeskSessionView {
    DeskSessionView {
        state: session_state(&row, now),
        level: level(desk, &row.acr),
        methods: row.methods.to_text(),
        at: row.authenticated_at,
        until: row.ended_at.unwrap_or(row.expires_at),
        url: list_url(&GrantsOf::Session(row.id.clone())),
        id: row.id.into(),
        issuer: desk.issuer_name(row.issuer.as_str()),
        person: person_link(&row.account, people),
        browser: in_few_words(&row.browser),
        address: row.address,
    }
}

pub(super) fn session_state(row: &Session, now: UtcTime) -> &'static str {
    match (row.ended_at, row.is_alive(now)) {
        (_, true) => "live",
        (Some(_), false) => "ended",
        (None, false) => "expired",
    }
}

pub(super) fn grant_state(row: &Grant, now: UtcTime) -> &'static str {
    match row.revoked_at {
        Some(_) => "revoked",
        None if now < row.expires_at => "live",
        None => "expired",
    }
}

pub(super) fn grant_view(
    desk: &Desk<'_>,
    row: &Grant,
    (people, now): (&People, UtcTime),
) -> GrantView {
    GrantView {
        id: row.id.to_string(),
        person: person_link(&row.account, people),
        client_id: row.client_id.to_string(),
        issuer: desk.issuer_name(row.issuer.as_str()),
        subject: row.subject.clone(),
        level: level(desk, &row.acr),
        offline: row.offline_access,
        at: row.created_at,
        until: row.revoked_at.unwrap_or(row.expires_at),
        state: grant_state(row, now),
        url: link(GRANT, &[("id", row.id.as_str())]),
    }
}

pub(super) fn revoke_url(what: &str, id: &str) -> String {
    link(REVOKE, &[("what", what), ("id", id)])
}
