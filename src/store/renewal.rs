//! When automatically registered relying parties are resolved anew (SPID/CIE FE-4), and how that failed. One row an RP
//! beside its row in `client`, which logins read: an attempt that fails changes nothing there.

use super::client::OriginKind;
use super::column::TextEnum;
use super::connection::on_backend;
use super::schema::{client, renewal};
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{ClientId, IssuerId};
use diesel::prelude::*;

/// When an RP is to be resolved anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The issuer that knows it.
    pub issuer: IssuerId,
    /// The RP.
    pub client_id: ClientId,
    /// Who says of it what its chain needs: its immediate superior.
    pub superior: String,
    /// When it was resolved.
    pub resolved_at: UtcTime,
    /// When it is resolved again.
    pub due_at: UtcTime,
}

/// An RP that is to be resolved anew now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The issuer that knows it.
    pub issuer: IssuerId,
    /// The RP.
    pub client_id: ClientId,
    /// Its immediate superior; empty when it was recorded by a version that did not keep it.
    pub superior: String,
    /// The end of its trust chain.
    pub expires_at: UtcTime,
    /// When its row in `client` was last written.
    pub updated_at: UtcTime,
    /// How often that failed since it last succeeded.
    pub failures: u32,
}

/// How the attempts since the last success failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalFailure {
    /// When the first of them failed.
    pub since: UtcTime,
    /// Why the last one failed, fit for the wire.
    pub description: String,
}

/// Sets when an RP that was just resolved is resolved again; earlier failures are forgotten.
///
/// # Errors
/// The database's.
pub fn insert(conn: &mut DbConn, schedule: &Schedule) -> Result<(), StoreError> {
    let replaced = (
        renewal::superior.eq(&schedule.superior),
        renewal::resolved_at.eq(schedule.resolved_at.0),
        renewal::due_at.eq(schedule.due_at.0),
        renewal::failures.eq(0),
        renewal::failing_since.eq(None::<i64>),
        renewal::failure.eq(None::<&str>),
    );
    on_backend!(conn, c => diesel::insert_into(renewal::table)
        .values((
            renewal::issuer.eq(schedule.issuer.as_str()),
            renewal::client_id.eq(schedule.client_id.as_str()),
            replaced,
        ))
        .on_conflict((renewal::issuer, renewal::client_id))
        .do_update()
        .set(replaced)
        .execute(c))?;
    Ok(())
}

type DueRow = (String, String, String, Option<i64>, i64, i64);

/// An issuer's RPs that are due: on, with a chain that holds now (those whose chain has ended are resolved when they
/// come again). Those that did not fail come first, so that no number of dead ones delays them. `resolved_before`: RPs
/// that were last resolved then or earlier are due too, unless that failed and waits for its turn.
///
/// # Errors
/// The database's.
pub fn search_due(
    conn: &mut DbConn,
    issuer: &IssuerId,
    now: UtcTime,
    resolved_before: Option<UtcTime>,
    limit: u32,
) -> Result<Vec<Due>, StoreError> {
    let long_ago = resolved_before.unwrap_or(UtcTime(i64::MIN)).0;
    let unfailed = renewal::failures.eq(0);
    let is_due = renewal::due_at
        .le(now.0)
        .or(unfailed.and(renewal::resolved_at.le(long_ago)));
    let rows: Vec<DueRow> = renewal::table
        .inner_join(
            client::table.on(client::issuer
                .eq(renewal::issuer)
                .and(client::client_id.eq(renewal::client_id))),
        )
        .filter(renewal::issuer.eq(issuer.as_str()))
        .filter(is_due)
        .filter(client::origin.eq(OriginKind::Federation.as_text()))
        .filter(client::enabled.eq(true))
        .filter(client::expires_at.gt(now.0))
        .select((
            renewal::issuer,
            renewal::client_id,
            renewal::superior,
            client::expires_at,
            client::updated_at,
            renewal::failures,
        ))
        .order((renewal::failures.gt(0), renewal::due_at))
        .limit(i64::from(limit))
        .load(conn)?;
    Ok(rows.into_iter().map(due).collect())
}

fn due((issuer, client_id, superior, expires_at, updated_at, failures): DueRow) -> Due {
    Due {
        issuer: IssuerId::new(issuer),
        client_id: ClientId::new(client_id),
        superior,
        expires_at: UtcTime(expires_at.unwrap_or_default()),
        updated_at: UtcTime(updated_at),
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
    }
}

/// Notes that an attempt failed, and when the next one comes. Nothing when the RP was resolved anew meanwhile.
///
/// # Errors
/// The database's.
pub fn postpone(
    conn: &mut DbConn,
    due: &Due,
    failure: &RenewalFailure,
    due_at: UtcTime,
) -> Result<(), StoreError> {
    let row = renewal::table.find((due.issuer.as_str(), due.client_id.as_str()));
    let seen = i64::from(due.failures);
    let since: Option<i64> = row
        .select(renewal::failing_since)
        .get_result::<Option<i64>>(conn)
        .optional()?
        .flatten();
    diesel::update(row)
        .filter(renewal::failures.eq(seen))
        .set((
            renewal::due_at.eq(due_at.0),
            renewal::failures.eq(seen.saturating_add(1)),
            renewal::failing_since.eq(since.unwrap_or(failure.since.0)),
            renewal::failure.eq(&failure.description),
        ))
        .execute(conn)?;
    Ok(())
}

/// How the last attempts failed; `None` when none did.
///
/// # Errors
/// The database's.
pub fn find_failure(
    conn: &mut DbConn,
    issuer: &IssuerId,
    client_id: &ClientId,
) -> Result<Option<RenewalFailure>, StoreError> {
    let row: Option<(Option<i64>, Option<String>)> = renewal::table
        .find((issuer.as_str(), client_id.as_str()))
        .select((renewal::failing_since, renewal::failure))
        .get_result(conn)
        .optional()?;
    Ok(row.and_then(|(since, description)| {
        Some(RenewalFailure {
            since: UtcTime(since?),
            description: description?,
        })
    }))
}
