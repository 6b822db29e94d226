//! Removing what has expired, in small batches of one short transaction each: large ones stall logins.

use super::login_count::HOURS_KEPT_SECONDS;
use super::{DbConn, Store, StoreError};
use crate::clock::UtcTime;
use diesel::RunQueryDsl;
use diesel::sql_types::BigInt;
use std::time::Duration;
use tokio::time::Instant;

/// Rows of a batch on SQLite, where logins wait for it.
const SQLITE_BATCH: u64 = 500;
/// Rows of a batch on PostgreSQL, where only these rows are locked.
const POSTGRES_BATCH: u64 = 2_000;
/// Tokens stay so long after their end, for clocks that differ.
const TOKEN_GRACE_SECONDS: i64 = 300;
/// Sessions stay so long after their end: whoever sends a form of an ended one is known by it (`ui::draft`).
pub const SESSION_GRACE_SECONDS: i64 = 43_200;
/// Codes stay so long after their end: whoever presents a used one later is found out, and its tokens are revoked.
const CODE_GRACE_SECONDS: i64 = 86_400;
/// Federation members stay so long after their trust chain's end, for the operator's list.
const CLIENT_GRACE_SECONDS: i64 = 30 * 86_400;
/// Refusals are kept so long, for developers who ask later.
const REFUSAL_SECONDS: i64 = 30 * 86_400;
const DAY_SECONDS: i64 = 86_400;
/// A turn of the background purge; shorter than the lease that makes it one node's.
const TURN: Duration = Duration::from_secs(50);

/// A table whose rows end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purgeable {
    /// Used values that are refused for their age now.
    Replay,
    /// Requests that nobody answered in time, and answered ones.
    Interaction,
    /// Expired web sessions.
    WebSession,
    /// Second factors that were never confirmed.
    Authenticator,
    /// Challenges that no security key answered.
    KeyChallenge,
    /// What was typed when a session had ended, and nobody came back for.
    FormDraft,
    /// Browsers that were not used for long.
    KnownDevice,
    /// Single sign-on sessions, a while after their end.
    Session,
    /// Expired sessions of the desk.
    OperatorSession,
    /// Expired tokens.
    Token,
    /// Codes, a day after their end.
    AuthorizationCode,
    /// Grants after the end of consent, with whatever is left of them.
    Grant,
    /// Failures that count no more.
    Throttle,
    /// Leases that nobody renewed.
    Lease,
    /// Federation members whose trust chain ended long ago; never one that an operator switched off, since it would
    /// come back switched on, nor one of which something is tolerated.
    Client,
    /// Changes of relying parties that every node has seen long ago.
    ClientChange,
    /// Own trust marks that were not renewed.
    OwnTrustMark,
    /// Refusals of long ago.
    Refusal,
    /// Mails that were sent or given up; never one that still waits.
    MailMessage,
    /// Logins that waited for an authentication service.
    ExternalLogin,
    /// Codes sent by e-mail.
    EmailCode,
    /// Parts of files that nobody let be applied.
    UserImportPart,
    /// Imports whose report is old.
    UserImport,
    /// What operators looked into an hour ago.
    RpCheck,
    /// History beyond its retention.
    LoginEvent,
    /// Hours of the counted logins, which are kept by the day.
    LoginHour,
    /// Counted logins beyond the history's retention.
    LoginCount,
    /// Counted refusals, likewise.
    RefusalHour,
    /// Likewise.
    RefusalCount,
    /// Nodes that ended without saying so.
    Node,
}

impl Purgeable {
    /// In an order that leaves little for cascades.
    pub const ALL: &[Self] = &[
        Self::Replay,
        Self::Interaction,
        Self::WebSession,
        Self::Authenticator,
        Self::KeyChallenge,
        Self::FormDraft,
        Self::KnownDevice,
        Self::Session,
        Self::OperatorSession,
        Self::Token,
        Self::AuthorizationCode,
        Self::Grant,
        Self::Throttle,
        Self::Lease,
        Self::Client,
        Self::ClientChange,
        Self::OwnTrustMark,
        Self::Refusal,
        Self::MailMessage,
        Self::ExternalLogin,
        Self::EmailCode,
        Self::UserImportPart,
        Self::UserImport,
        Self::RpCheck,
        Self::LoginEvent,
        Self::LoginHour,
        Self::LoginCount,
        Self::RefusalHour,
        Self::RefusalCount,
        Self::Node,
    ];

    /// The table's name.
    #[must_use]
    pub fn table(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Interaction => "interaction",
            Self::WebSession => "web_session",
            Self::Authenticator => "authenticator",
            Self::KeyChallenge => "key_challenge",
            Self::FormDraft => "form_draft",
            Self::KnownDevice => "known_device",
            Self::Session => "session",
            Self::OperatorSession => "operator_session",
            Self::Token => "token",
            Self::AuthorizationCode => "authorization_code",
            Self::Grant => "access_grant",
            Self::Throttle => "throttle",
            Self::Lease => "lease",
            Self::Client => "client",
            Self::ClientChange => "client_change",
            Self::OwnTrustMark => "own_trust_mark",
            Self::Refusal => "refusal",
            Self::MailMessage => "mail_message",
            Self::ExternalLogin => "external_login",
            Self::EmailCode => "email_code",
            Self::UserImportPart => "user_import_part",
            Self::UserImport => "user_import",
            Self::RpCheck => "rp_check",
            Self::LoginEvent => "login_event",
            Self::LoginHour | Self::LoginCount => "login_count",
            Self::RefusalHour | Self::RefusalCount => "refusal_count",
            Self::Node => "node",
        }
    }

    /// SQL that is true for rows that have ended; `$1` is [`Purgeable::cut`].
    fn condition(self) -> &'static str {
        match self {
            Self::Client => "expires_at <= $1 AND enabled AND tolerance IS NULL",
            Self::ClientChange => "changed_at <= $1",
            Self::Refusal => "refused_at <= $1",
            Self::MailMessage => "expires_at <= $1 AND state <> 'queued'",
            Self::LoginEvent => "occurred_at <= $1",
            Self::LoginHour | Self::RefusalHour => "span = 3600 AND bucket_at <= $1",
            Self::LoginCount | Self::RefusalCount => "span IN (86400, 2592000) AND bucket_at <= $1",
            Self::Node => "seen_at <= $1",
            _ => "expires_at <= $1",
        }
    }

    fn cut(self, now: UtcTime, limits: &PurgeLimits) -> UtcTime {
        now.plus_seconds(match self {
            Self::Replay
            | Self::Interaction
            | Self::WebSession
            | Self::Authenticator
            | Self::KeyChallenge
            | Self::OperatorSession
            | Self::FormDraft
            | Self::KnownDevice
            | Self::Throttle
            | Self::Lease
            | Self::MailMessage
            | Self::ExternalLogin
            | Self::EmailCode
            | Self::UserImportPart
            | Self::UserImport
            | Self::RpCheck
            | Self::OwnTrustMark => 0,
            Self::Session => -SESSION_GRACE_SECONDS,
            Self::Token | Self::Grant => -TOKEN_GRACE_SECONDS,
            Self::AuthorizationCode => -CODE_GRACE_SECONDS,
            Self::Client => -CLIENT_GRACE_SECONDS,
            Self::ClientChange => -DAY_SECONDS,
            Self::Refusal => -REFUSAL_SECONDS,
            Self::LoginHour | Self::RefusalHour => -HOURS_KEPT_SECONDS,
            Self::Node => -DAY_SECONDS,
            Self::LoginEvent | Self::LoginCount | Self::RefusalCount => limits
                .history_retention_days
                .saturating_mul(DAY_SECONDS)
                .saturating_neg(),
        })
    }
}

/// How long is kept what has no end of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurgeLimits {
    /// Days that the history is kept.
    pub history_retention_days: i64,
}

/// What was removed: rows by table, for the log and the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PurgeCount(pub Vec<(&'static str, u64)>);

impl PurgeCount {
    /// Rows in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, rows)| rows).sum()
    }
}

/// Removes one batch of a table; returns how many rows, and whether there may be more.
///
/// # Errors
/// The database's.
pub fn purge_batch(
    conn: &mut DbConn,
    what: Purgeable,
    now: UtcTime,
    limits: &PurgeLimits,
) -> Result<(u64, bool), StoreError> {
    let table = what.table();
    let condition = what.condition();
    let cut = what.cut(now, limits).0;
    let (rows, batch) = match conn {
        DbConn::Sqlite(c) => {
            let sql = format!(
                "DELETE FROM {table} WHERE rowid IN \
                 (SELECT rowid FROM {table} WHERE {condition} LIMIT {SQLITE_BATCH})"
            );
            let rows = diesel::sql_query(sql).bind::<BigInt, _>(cut).execute(c)?;
            (rows, SQLITE_BATCH)
        }
        DbConn::Postgres(c) => {
            // What another transaction holds is left for the next time.
            let sql = format!(
                "DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} \
                 WHERE {condition} LIMIT {POSTGRES_BATCH} FOR UPDATE SKIP LOCKED))"
            );
            let rows = diesel::sql_query(sql).bind::<BigInt, _>(cut).execute(c)?;
            (rows, POSTGRES_BATCH)
        }
    };
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    Ok((rows, rows >= batch))
}

/// One turn of the background purge: as [`purge_expired_blocking`], off the async threads, and it begins no further batch
/// after a bounded time; the next turn goes on.
///
/// # Errors
/// As [`purge_expired_blocking`].
pub async fn purge_expired(
    store: &Store,
    now: UtcTime,
    limits: PurgeLimits,
) -> Result<PurgeCount, StoreError> {
    let own = store.clone();
    store
        .blocking(move || {
            let end = Instant::now() + TURN;
            purge_while(&own, now, limits, || Instant::now() < end)
        })
        .await
}

/// Removes all that has ended, a transaction a batch.
///
/// # Errors
/// The database's; what was removed before stays removed.
pub fn purge_expired_blocking(
    store: &Store,
    now: UtcTime,
    limits: PurgeLimits,
) -> Result<PurgeCount, StoreError> {
    purge_while(store, now, limits, || true)
}

/// Asks before each batch whether there is time for it.
pub(super) fn purge_while(
    store: &Store,
    now: UtcTime,
    limits: PurgeLimits,
    mut has_time: impl FnMut() -> bool,
) -> Result<PurgeCount, StoreError> {
    let mut count = PurgeCount::default();
    for what in Purgeable::ALL.iter().copied() {
        let mut removed = 0_u64;
        while has_time() {
            let (rows, more) =
                store.write_blocking(move |conn| purge_batch(conn, what, now, &limits))?;
            removed = removed.saturating_add(rows);
            if !more {
                break;
            }
        }
        count.0.push((what.table(), removed));
    }
    Ok(count)
}
