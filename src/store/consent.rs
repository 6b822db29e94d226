//! What a person has allowed relying parties and what still counts, one row for each of them: from grants and history.

use super::column::{Row, can_be_stored};
use super::connection::on_backend;
use super::schema::{access_grant, login_event};
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{AccountId, ClientId, IssuerId};
use diesel::dsl::{max, min};
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Grants that are read for the details of a page; more are of a person who logs in all day.
const MOST_GRANTS: i64 = 1_000;

/// What one relying party may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who.
    pub client_id: ClientId,
    /// What it was called last.
    pub rp_name: String,
    /// Since the first consent that counts.
    pub since: UtcTime,
    /// Until the last one ends.
    pub until: UtcTime,
    /// Whether it may come back while the person is away.
    pub offline_access: bool,
    /// The claims that it got.
    pub attributes: Vec<String>,
}

/// A page of them by `client_id`, after that one.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    (issuer, account): (&IssuerId, &AccountId),
    now: UtcTime,
    after: Option<&ClientId>,
    limit: u32,
) -> Result<Vec<Consent>, StoreError> {
    let after = after.map_or("", ClientId::as_str);
    if !can_be_stored(after) {
        return Ok(Vec::new());
    }
    let found: Vec<(String, Option<i64>, Option<i64>)> = on_backend!(conn, c => access_grant::table
        .filter(access_grant::account_id.eq(account.as_str()))
        .filter(access_grant::issuer.eq(issuer.as_str()))
        .filter(access_grant::client_id.gt(after))
        .filter(access_grant::revoked_at.is_null())
        .filter(access_grant::expires_at.gt(now.0))
        .group_by(access_grant::client_id)
        .select((
            access_grant::client_id,
            min(access_grant::created_at),
            max(access_grant::expires_at),
        ))
        .order(access_grant::client_id)
        .limit(i64::from(limit))
        .load(c))?;
    let clients: Vec<&str> = found.iter().map(|(client, ..)| client.as_str()).collect();
    let mut details = details(conn, (issuer, account), now, &clients)?;
    Ok(found
        .into_iter()
        .map(|(client, since, until)| {
            let detail = details.remove(&client).unwrap_or_default();
            Consent {
                rp_name: detail.name.unwrap_or_else(|| client.clone()),
                client_id: ClientId::new(client),
                since: UtcTime(since.unwrap_or_default()),
                until: UtcTime(until.unwrap_or_default()),
                offline_access: detail.offline_access,
                attributes: detail.attributes.into_iter().collect(),
            }
        })
        .collect())
}

#[derive(Default)]
struct Detail {
    name: Option<String>,
    offline_access: bool,
    attributes: BTreeSet<String>,
}

fn details(
    conn: &mut DbConn,
    (issuer, account): (&IssuerId, &AccountId),
    now: UtcTime,
    clients: &[&str],
) -> Result<BTreeMap<String, Detail>, StoreError> {
    if clients.is_empty() {
        return Ok(BTreeMap::new());
    }
    let grants: Vec<(String, String, bool)> = access_grant::table
        .filter(access_grant::account_id.eq(account.as_str()))
        .filter(access_grant::issuer.eq(issuer.as_str()))
        .filter(access_grant::client_id.eq_any(clients))
        .filter(access_grant::revoked_at.is_null())
        .filter(access_grant::expires_at.gt(now.0))
        .limit(MOST_GRANTS)
        .select((
            access_grant::id,
            access_grant::client_id,
            access_grant::offline_access,
        ))
        .load(conn)?;
    let ids: Vec<&str> = grants.iter().map(|(id, ..)| id.as_str()).collect();
    let mut events: Vec<(i64, String, String, String, String)> = login_event::table
        .filter(login_event::grant_id.eq_any(ids))
        .select((
            login_event::occurred_at,
            login_event::id,
            login_event::client_id,
            login_event::rp_name,
            login_event::attributes,
        ))
        .load(conn)?;
    // The last name first.
    events.sort_by(|one, other| (other.0, &other.1).cmp(&(one.0, &one.1)));
    let mut details: BTreeMap<String, Detail> = BTreeMap::new();
    for (_, client, offline_access) in grants {
        details.entry(client).or_default().offline_access |= offline_access;
    }
    for (_, _, client, name, attributes) in events {
        let row = Row {
            table: "login_event",
            key: &client,
        };
        let attributes: Vec<String> = row.json("attributes", &attributes)?;
        let detail = details.entry(client).or_default();
        detail.name.get_or_insert(name);
        detail.attributes.extend(attributes);
    }
    Ok(details)
}
