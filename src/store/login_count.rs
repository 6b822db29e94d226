//! How many logins ended how, and how many requests were refused why: what the dashboard draws. Counted in the transaction
//! of what is counted, so that reading a year costs a walk over buckets and not over logins.
//!
//! ```text
//! a login ─► all RPs: its hour, its day  ─► series
//!        └─► its RP:  its day, its month ─► series of the RP, the busiest RPs   (a month is 30 days)
//! ```

use super::connection::on_backend;
use super::schema::refusal_count;
use super::{Backend, DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{ClientId, IssuerId, Refusal};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// Rows that share a bucket on PostgreSQL, where transactions that write the same row wait for each other.
const SLOTS: u8 = 4;

/// The width of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Kept for [`HOURS_KEPT_SECONDS`].
    Hour,
    /// Kept as long as the history.
    Day,
    /// Thirty days; of each RP, granted logins only.
    Month,
}

/// How long hours are kept.
pub const HOURS_KEPT_SECONDS: i64 = 40 * 86_400;

impl Span {
    /// Its seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Month => 30 * 86_400,
        }
    }

    /// The beginning of the bucket that a time is in.
    #[must_use]
    pub fn bucket_of(self, time: UtcTime) -> UtcTime {
        UtcTime(time.0.saturating_sub(time.0.rem_euclid(self.seconds())))
    }
}

/// How a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoginResult {
    /// The RP got what it asked for.
    Granted,
    /// The person did not want to.
    Denied,
    /// A password, code or key was wrong.
    Failed,
}

impl LoginResult {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Granted, Self::Denied, Self::Failed];

    /// As kept, and in message keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// A login that ended.
#[derive(Clone, Debug)]
pub struct EndedLogin {
    /// Where.
    pub issuer: IssuerId,
    /// For which RP, which must be a known one: strangers fill no table with names they made up.
    pub client_id: ClientId,
    /// The level reached, or else the one that was asked for.
    pub acr: String,
    /// How.
    pub result: LoginResult,
    /// When.
    pub at: UtcTime,
}

/// Counts a login. Call it last in a transaction: others wait for the rows until its end.
///
/// # Errors
/// The database's.
pub fn count(conn: &mut DbConn, login: &EndedLogin) -> Result<(), StoreError> {
    let slot = match conn.backend() {
        Backend::Sqlite => 0,
        Backend::Postgres => {
            let [byte] = crate::random::bytes::<1>();
            i64::from(byte % SLOTS)
        }
    };
    // Everybody's rows are written in the same order, so that no two transactions wait for each other.
    let month = match login.result {
        LoginResult::Granted => ", ($7, 2592000, $8, $2, '', '', $5, 1)",
        LoginResult::Denied | LoginResult::Failed => "",
    };
    let sql = format!(
        "INSERT INTO login_count (client_id, span, bucket_at, issuer, acr, result, slot, number) VALUES \
         ('', 3600, $1, $2, $3, $4, $5, 1), ('', 86400, $6, $2, $3, $4, $5, 1), \
         ($7, 86400, $6, $2, $3, $4, $5, 1){month} \
         ON CONFLICT (client_id, span, bucket_at, issuer, acr, result, slot) \
         DO UPDATE SET number = login_count.number + 1"
    );
    on_backend!(conn, c => {
        let query = diesel::sql_query(sql)
            .into_boxed()
            .bind::<BigInt, _>(Span::Hour.bucket_of(login.at).0)
            .bind::<Text, _>(login.issuer.as_str())
            .bind::<Text, _>(&login.acr)
            .bind::<Text, _>(login.result.name())
            .bind::<BigInt, _>(slot)
            .bind::<BigInt, _>(Span::Day.bucket_of(login.at).0)
            .bind::<Text, _>(login.client_id.as_str());
        if month.is_empty() {
            query.execute(c)
        } else {
            query
                .bind::<BigInt, _>(Span::Month.bucket_of(login.at).0)
                .execute(c)
        }
    })?;
    Ok(())
}

/// Counts a refusal, by the hour and by the day.
pub(super) fn count_refusal(conn: &mut DbConn, refusal: &Refusal) -> Result<(), StoreError> {
    for span in [Span::Hour, Span::Day] {
        on_backend!(conn, c => diesel::insert_into(refusal_count::table)
            .values((
                refusal_count::span.eq(span.seconds()),
                refusal_count::bucket_at.eq(span.bucket_of(refusal.refused_at).0),
                refusal_count::issuer.eq(refusal.issuer.as_str()),
                refusal_count::event.eq(&refusal.event),
                refusal_count::code.eq(&refusal.code),
                refusal_count::number.eq(1),
            ))
            .on_conflict((
                refusal_count::span,
                refusal_count::bucket_at,
                refusal_count::issuer,
                refusal_count::event,
                refusal_count::code,
            ))
            .do_update()
            .set(refusal_count::number.eq(refusal_count::number + 1))
            .execute(c))?;
    }
    Ok(())
}

/// The logins of a bucket that are alike.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct LoginSum {
    /// The bucket's beginning.
    #[diesel(sql_type = BigInt, deserialize_as = i64)]
    pub bucket_at: UtcTime,
    /// Where.
    #[diesel(sql_type = Text)]
    pub issuer: String,
    /// At which level.
    #[diesel(sql_type = Text)]
    pub acr: String,
    /// [`LoginResult::name`].
    #[diesel(sql_type = Text)]
    pub result: String,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
}

/// How a span says that logins were granted.
const fn granted_in(span: Span) -> &'static str {
    match span {
        Span::Hour | Span::Day => LoginResult::Granted.name(),
        Span::Month => "",
    }
}

/// The logins of all RPs in the buckets of a time, added up by `bar` seconds from its beginning on, oldest first.
///
/// # Errors
/// The database's.
pub fn series(
    conn: &mut DbConn,
    (span, bar): (Span, i64),
    (from, until): (UtcTime, UtcTime),
) -> Result<Vec<LoginSum>, StoreError> {
    // SQLite numbers the values in the order in which they occur first.
    let sql = "SELECT $1 + (bucket_at - $1) / $2 * $2 AS bucket_at, issuer, acr, result, \
        CAST(sum(number) AS BIGINT) AS number FROM login_count \
        WHERE client_id = '' AND span = $3 AND bucket_at >= $1 AND bucket_at < $4 \
        GROUP BY 1, issuer, acr, result ORDER BY 1, issuer, acr, result";
    Ok(on_backend!(conn, c => diesel::sql_query(sql)
        .bind::<BigInt, _>(span.bucket_of(from).0)
        .bind::<BigInt, _>(bar.max(1))
        .bind::<BigInt, _>(span.seconds())
        .bind::<BigInt, _>(until.0)
        .load(c))?)
}

/// The logins that an RP was granted in a bucket.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct GrantedSum {
    /// The RP.
    #[diesel(sql_type = Text)]
    pub client_id: String,
    /// Where.
    #[diesel(sql_type = Text)]
    pub issuer: String,
    /// The bucket's beginning.
    #[diesel(sql_type = BigInt, deserialize_as = i64)]
    pub bucket_at: UtcTime,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
}

/// The granted logins of some RPs in the buckets of a time, by [`Span::Day`] or [`Span::Month`]; RP by RP, oldest first.
///
/// # Errors
/// The database's.
pub fn granted_of(
    conn: &mut DbConn,
    clients: &[ClientId],
    span: Span,
    (from, until): (UtcTime, UtcTime),
) -> Result<Vec<GrantedSum>, StoreError> {
    if clients.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (5..5 + clients.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT client_id, issuer, bucket_at, CAST(sum(number) AS BIGINT) AS number FROM login_count \
         WHERE span = $1 AND bucket_at >= $2 AND bucket_at < $3 AND result = $4 AND client_id IN ({}) \
         GROUP BY client_id, issuer, bucket_at ORDER BY client_id, issuer, bucket_at",
        places.join(", ")
    );
    Ok(on_backend!(conn, c => {
        let mut query = diesel::sql_query(sql)
            .into_boxed()
            .bind::<BigInt, _>(span.seconds())
            .bind::<BigInt, _>(span.bucket_of(from).0)
            .bind::<BigInt, _>(until.0)
            .bind::<Text, _>(granted_in(span));
        for client_id in clients {
            query = query.bind::<Text, _>(client_id.as_str());
        }
        query.load(c)
    })?)
}

/// A busy RP.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct BusyClient {
    /// Its key.
    #[diesel(sql_type = Text)]
    pub client_id: String,
    /// Where.
    #[diesel(sql_type = Text)]
    pub issuer: String,
    /// Logins granted.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
}

#[derive(QueryableByName)]
struct BusyRow {
    #[diesel(embed)]
    client: BusyClient,
    #[diesel(sql_type = BigInt)]
    counters: i64,
}

/// The RPs with most granted logins, by [`Span::Day`] or, for long times, by [`Span::Month`]; and how many counters were
/// summed up for that: each RP has some, so this is nothing to wait for where there are many.
///
/// # Errors
/// The database's.
pub fn busiest(
    conn: &mut DbConn,
    span: Span,
    (from, until): (UtcTime, UtcTime),
    limit: u32,
) -> Result<(Vec<BusyClient>, i64), StoreError> {
    let sql = "SELECT client_id, issuer, CAST(sum(number) AS BIGINT) AS number, \
        CAST(sum(count(*)) OVER () AS BIGINT) AS counters FROM login_count \
        WHERE span = $1 AND bucket_at >= $2 AND bucket_at < $3 AND client_id > '' AND result = $4 \
        GROUP BY client_id, issuer ORDER BY 3 DESC, client_id, issuer LIMIT $5";
    let rows: Vec<BusyRow> = on_backend!(conn, c => diesel::sql_query(sql)
        .bind::<BigInt, _>(span.seconds())
        .bind::<BigInt, _>(span.bucket_of(from).0)
        .bind::<BigInt, _>(until.0)
        .bind::<Text, _>(granted_in(span))
        .bind::<BigInt, _>(i64::from(limit))
        .load(c))?;
    let counters = rows.first().map_or(0, |row| row.counters);
    Ok((rows.into_iter().map(|row| row.client).collect(), counters))
}

/// The refusals of a bucket that are alike.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct RefusalSum {
    /// The bucket's beginning.
    #[diesel(sql_type = BigInt, deserialize_as = i64)]
    pub bucket_at: UtcTime,
    /// Where: `token.refused`.
    #[diesel(sql_type = Text)]
    pub event: String,
    /// `error`.
    #[diesel(sql_type = Text)]
    pub code: String,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
}

/// The refusals of a time, of all issuers, oldest first.
///
/// # Errors
/// The database's.
pub fn refusals(
    conn: &mut DbConn,
    span: Span,
    (from, until): (UtcTime, UtcTime),
) -> Result<Vec<RefusalSum>, StoreError> {
    let sql = "SELECT bucket_at, event, code, CAST(sum(number) AS BIGINT) AS number FROM refusal_count \
        WHERE span = $1 AND bucket_at >= $2 AND bucket_at < $3 \
        GROUP BY bucket_at, event, code ORDER BY bucket_at, event, code";
    Ok(on_backend!(conn, c => diesel::sql_query(sql)
        .bind::<BigInt, _>(span.seconds())
        .bind::<BigInt, _>(span.bucket_of(from).0)
        .bind::<BigInt, _>(until.0)
        .load(c))?)
}

/// A row of the table, for data that is made in bulk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CountRow {
    /// `None`: of all RPs.
    pub client_id: Option<ClientId>,
    /// The bucket's seconds ([`Span::seconds`]).
    pub span: i64,
    /// Its beginning.
    pub bucket_at: UtcTime,
    /// Where.
    pub issuer: IssuerId,
    /// Empty for months.
    pub acr: String,
    /// Empty for months.
    pub result: &'static str,
}

/// Adds many at once to a row.
///
/// # Errors
/// The database's.
pub fn add(conn: &mut DbConn, row: &CountRow, number: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO login_count (client_id, span, bucket_at, issuer, acr, result, slot, number) VALUES \
        ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (client_id, span, bucket_at, issuer, acr, result, slot) \
        DO UPDATE SET number = login_count.number + excluded.number";
    on_backend!(conn, c => diesel::sql_query(sql)
        .bind::<Text, _>(row.client_id.as_ref().map_or("", ClientId::as_str))
        .bind::<BigInt, _>(row.span)
        .bind::<BigInt, _>(row.bucket_at.0)
        .bind::<Text, _>(row.issuer.as_str())
        .bind::<Text, _>(&row.acr)
        .bind::<Text, _>(row.result)
        .bind::<BigInt, _>(number)
        .execute(c))?;
    Ok(())
}
