//! When automatically registered relying parties are resolved anew (SPID/CIE FE-4), and how that failed. One row an RP
//! beside its row in `client`, which logins read: an attempt that fails changes nothing there.

use super::client::OriginKind;
use super::column::TextEnum;
use super::connection::on_backend;
use super::keyset::{Page, TimeCursor, fetched};
use super::schema::renewal;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{ClientId, IssuerId};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

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
    /// When its marks are asked about at the latest, whatever became of that.
    pub marks_due_at: UtcTime,
}

/// An RP that is to be resolved anew now, or whose marks are to be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The issuer that knows it.
    pub issuer: IssuerId,
    /// The RP.
    pub client_id: ClientId,
    /// Its immediate superior; empty when it was recorded by a version that did not keep it.
    pub superior: String,
    /// When it was resolved.
    pub resolved_at: UtcTime,
    /// When it is resolved again; later than now when only its marks are to be asked about.
    pub due_at: UtcTime,
    /// The end of its trust chain, or of the keys that were found at an address ([`KEYS_SECONDS`]).
    pub expires_at: UtcTime,
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

/// A renewal that is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// The RP.
    pub client_id: ClientId,
    /// Its immediate superior; empty when it is not known yet.
    pub superior: String,
    /// When it is resolved again.
    pub due_at: UtcTime,
    /// How often that failed since it last succeeded.
    pub failures: u32,
    /// How it failed last.
    pub failure: Option<RenewalFailure>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = renewal)]
struct UpcomingRow {
    client_id: String,
    superior: String,
    due_at: i64,
    failures: i64,
    failing_since: Option<i64>,
    failure: Option<String>,
}

impl UpcomingRow {
    fn decode(self) -> Upcoming {
        let failure = self.failing_since.zip(self.failure);
        Upcoming {
            client_id: ClientId::new(self.client_id),
            superior: self.superior,
            due_at: UtcTime(self.due_at),
            failures: u32::try_from(self.failures).unwrap_or_default(),
            failure: failure.map(|(since, description)| RenewalFailure {
                since: UtcTime(since),
                description,
            }),
        }
    }
}

/// A page of an issuer's renewals, the next ones first; only those that fail, or all.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    (issuer, failing): (&IssuerId, bool),
    after: Option<&TimeCursor>,
    limit: u32,
) -> Result<Page<Upcoming>, StoreError> {
    let rows: Vec<UpcomingRow> = on_backend!(conn, c => {
        let mut query = renewal::table
            .filter(renewal::issuer.eq(issuer.as_str()))
            .select(UpcomingRow::as_select())
            .order((renewal::due_at, renewal::client_id))
            .limit(fetched(limit))
            .into_boxed();
        if failing {
            // Not as a parameter: the index of those that fail has this condition.
            query = query.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("failures > 0"));
        }
        if let Some(after) = after {
            query = query
                .filter(renewal::due_at.ge(after.key.0))
                .filter(renewal::due_at.gt(after.key.0).or(renewal::client_id.gt(&after.id)));
        }
        query.load(c)
    })?;
    Page::of(
        rows,
        limit,
        |row| Ok(row.decode()),
        |last| TimeCursor {
            key: last.due_at,
            id: last.client_id.to_string(),
        },
    )
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
        renewal::marks_due_at.eq(schedule.marks_due_at.0),
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

/// An issuer's RPs that have no row, because a version that keeps none registered them, get one: due as that version
/// would have renewed them, `lead_seconds` before their end.
///
/// # Errors
/// The database's.
pub fn adopt(
    conn: &mut DbConn,
    issuer: &IssuerId,
    now: UtcTime,
    (lead_seconds, marks_seconds): (i64, i64),
) -> Result<(), StoreError> {
    let sql = "INSERT INTO renewal (issuer, client_id, superior, resolved_at, due_at, marks_due_at, failures) \
        SELECT c.issuer, c.client_id, '', c.updated_at, c.expires_at - $1, c.updated_at + $2, 0 FROM client c \
        WHERE c.issuer = $3 AND c.origin = $4 AND c.expires_at > $5 AND NOT EXISTS \
        (SELECT 1 FROM renewal r WHERE r.issuer = c.issuer AND r.client_id = c.client_id) ON CONFLICT DO NOTHING";
    on_backend!(conn, c => diesel::sql_query(sql)
        .bind::<BigInt, _>(lead_seconds)
        .bind::<BigInt, _>(marks_seconds)
        .bind::<Text, _>(issuer.as_str())
        .bind::<Text, _>(OriginKind::Federation.as_text())
        .bind::<BigInt, _>(now.0)
        .execute(c))?;
    Ok(())
}

/// Nothing is asked any more.
///
/// # Errors
/// The database's.
pub fn delete(
    conn: &mut DbConn,
    issuer: &IssuerId,
    client_id: &ClientId,
) -> Result<(), StoreError> {
    diesel::delete(renewal::table.find((issuer.as_str(), client_id.as_str()))).execute(conn)?;
    Ok(())
}

/// How long the keys count that were found at the address of an RP that an operator registered: after that they may have
/// been taken back, and nobody could have told us.
pub const KEYS_SECONDS: i64 = 86_400;

/// Rows of [`search_due`], whatever is asked for.
const DUE_MAX: i64 = 20_000;

#[derive(QueryableByName)]
#[diesel(table_name = renewal)]
struct DueRow {
    issuer: String,
    client_id: String,
    superior: String,
    resolved_at: i64,
    due_at: i64,
    #[diesel(sql_type = BigInt)]
    expires_at: i64,
    failures: i64,
}

/// An issuer's RPs that are due: on, with a chain that holds now (those whose chain has ended are resolved when they
/// come again) or with keys at an address. At most so many below each superior, and all superiors in turn, so that one that hangs fills no answer.
/// Below a superior those that did not fail come first, so that no number of dead ones delays them. `marks`: also those
/// whose marks are to be asked about, which no failure puts off.
///
/// # Errors
/// The database's.
pub fn search_due(
    conn: &mut DbConn,
    issuer: &IssuerId,
    now: UtcTime,
    marks: bool,
    per_superior: u32,
) -> Result<Vec<Due>, StoreError> {
    // SQLite numbers parameters as they appear.
    let sql = "SELECT issuer, client_id, superior, resolved_at, due_at, expires_at, failures FROM \
        (SELECT r.issuer, r.client_id, r.superior, r.resolved_at, r.due_at, \
        COALESCE(c.expires_at, r.resolved_at + $1) AS expires_at, r.failures, row_number() \
        OVER (PARTITION BY r.superior ORDER BY r.failures > 0, r.due_at) AS place FROM renewal r \
        JOIN client c ON c.issuer = r.issuer AND c.client_id = r.client_id WHERE r.issuer = $2 \
        AND (r.due_at <= $3 OR r.marks_due_at <= $4) AND c.enabled \
        AND (c.origin = $5 AND c.expires_at > $3 OR c.origin = $6)) AS due \
        WHERE place <= $7 ORDER BY place LIMIT $8";
    let marks_due = if marks { now.0 } else { i64::MIN };
    let rows: Vec<DueRow> = on_backend!(conn, c => diesel::sql_query(sql)
        .bind::<BigInt, _>(KEYS_SECONDS)
        .bind::<Text, _>(issuer.as_str())
        .bind::<BigInt, _>(now.0)
        .bind::<BigInt, _>(marks_due)
        .bind::<Text, _>(OriginKind::Federation.as_text())
        .bind::<Text, _>(OriginKind::Registered.as_text())
        .bind::<BigInt, _>(i64::from(per_superior))
        .bind::<BigInt, _>(DUE_MAX)
        .load(c))?;
    Ok(rows.into_iter().map(DueRow::decode).collect())
}

impl DueRow {
    fn decode(self) -> Due {
        Due {
            issuer: IssuerId::new(self.issuer),
            client_id: ClientId::new(self.client_id),
            superior: self.superior,
            resolved_at: UtcTime(self.resolved_at),
            due_at: UtcTime(self.due_at),
            expires_at: UtcTime(self.expires_at),
            failures: u32::try_from(self.failures).unwrap_or(u32::MAX),
        }
    }
}

/// Sets when its marks are asked about again. Nothing when the RP was resolved anew meanwhile.
///
/// # Errors
/// The database's.
pub fn postpone_marks(
    conn: &mut DbConn,
    due: &Due,
    marks_due_at: UtcTime,
) -> Result<(), StoreError> {
    diesel::update(renewal::table.find((due.issuer.as_str(), due.client_id.as_str())))
        .filter(renewal::resolved_at.eq(due.resolved_at.0))
        .set(renewal::marks_due_at.eq(marks_due_at.0))
        .execute(conn)?;
    Ok(())
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
        .filter(renewal::resolved_at.eq(due.resolved_at.0))
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
