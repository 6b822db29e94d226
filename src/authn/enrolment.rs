//! Registering a second factor: the secret is shown, and counts from the first code on.
//!
//! ```text
//! begin ─► pending (10 minutes, one a person, seen by the session or login that began it) ──confirm(first code)──► active, and recovery codes for whoever has none
//! ```

use super::second_factor::secret_of;
use super::{clocks, recovery, totp};
use crate::accounts::second_factor::{self, SECRET_BYTES, SecondFactorError};
use crate::clock::UtcTime;
use crate::model::{Account, AccountId, Authenticator, Method, Pending, SecretHash};
use crate::provider::Provider;
use crate::random;
use crate::secret::Secret;
use crate::store::throttle::{self, Allowance};
use crate::store::{DbConn, StoreError, authenticator, recovery_code};

/// How long a secret waits for its first code.
const PENDING_SECONDS: i64 = 600;
/// Authenticators that a person may have.
pub const MOST: usize = 5;
/// Characters of a name.
pub const MOST_NAME: usize = 60;

/// The name as it is kept: one line, without spaces at its ends, not too long.
#[must_use]
pub fn tidy_name(typed: &str) -> String {
    let words: Vec<&str> = typed.split_whitespace().collect();
    let name: String = words
        .join(" ")
        .chars()
        .filter(|letter| !letter.is_control())
        .take(MOST_NAME)
        .collect();
    name.trim_end().to_owned()
}

/// A new secret that waits for its first code, instead of one that waited. False: the person has as many as one may have.
///
/// # Errors
/// The database's; sealing failed.
pub fn begin(
    conn: &mut DbConn,
    op: &Provider,
    (account, begun_in): (&AccountId, &str),
    name: &str,
) -> Result<bool, SecondFactorError> {
    let now = op.now();
    authenticator::remove_pending(conn, account)?;
    if authenticator::search(conn, account, now)?.len() >= MOST {
        return Ok(false);
    }
    let secret = Secret::new(random::byte_vec(SECRET_BYTES));
    let new = Authenticator {
        id: random::identifier(),
        account: account.clone(),
        method: Method::Totp,
        name: tidy_name(name),
        sealed: Vec::new(),
        key: None,
        created_at: now,
        last_used_at: None,
        last_step: None,
        pending: Some(Pending {
            until: now.plus_seconds(PENDING_SECONDS),
            begun_in: begun_in.to_owned(),
        }),
    };
    let new = second_factor::seal(&op.shared.key_encryption_key, secret.expose(), new)?;
    authenticator::insert(conn, &new)?;
    Ok(true)
}

/// What a person types or scans into an app.
#[derive(Debug)]
pub struct NewSecret {
    /// Base32 in groups of four.
    pub secret: String,
    /// `otpauth://…`.
    pub uri: String,
    /// What the person called it.
    pub name: String,
}

/// The secret that waits for its first code.
///
/// # Errors
/// The database's; it cannot be opened.
pub fn pending(
    conn: &mut DbConn,
    op: &Provider,
    account: &Account,
    begun_in: &str,
) -> Result<Option<NewSecret>, SecondFactorError> {
    let Some(known) = waiting(conn, (&account.id, begun_in), op.now())? else {
        return Ok(None);
    };
    let secret = second_factor::open(&op.shared.key_encryption_key, &known)?;
    let issuer = op.display_name();
    Ok(Some(NewSecret {
        secret: totp::readable(secret.expose()),
        // Only an empty name has no address, and no account has one.
        uri: totp::uri(secret.expose(), issuer, &account.username).unwrap_or_default(),
        name: known.name,
    }))
}

/// What came of the first code.
#[derive(Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// It counts now. Codes for whoever had none left: to be shown, once.
    Active(Option<Vec<String>>),
    /// The code is wrong.
    Wrong,
    /// The code is right at another time: the clock of the device is wrong.
    ClockOff {
        /// By so many seconds it is ahead; negative: behind.
        seconds: i64,
    },
    /// Too many attempts.
    Throttled {
        /// Seconds to wait.
        seconds: i64,
    },
    /// Nothing waits for a code any more.
    Expired,
}

/// Takes the first code of the secret that waits.
///
/// # Errors
/// The database's.
pub fn confirm(
    conn: &mut DbConn,
    op: &Provider,
    (account, begun_in): (&AccountId, &str),
    typed: &str,
) -> Result<Confirmed, StoreError> {
    let now = op.now();
    let Some(known) = waiting(conn, (account, begun_in), now)? else {
        return Ok(Confirmed::Expired);
    };
    // Whoever guesses here sees the secret anyway; the limit is for the processor.
    let limit = Allowance::per_minute(op.shared.server.throttle.per_account_per_minute);
    let key = format!("second factor enrolment {account}");
    if let Some(until) = throttle::reserve(conn, &key, now, limit)? {
        let seconds = until.seconds_since(now).max(1);
        return Ok(Confirmed::Throttled { seconds });
    }
    let code: String = typed
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let Some(secret) = secret_of(op, &known) else {
        return Ok(Confirmed::Wrong);
    };
    let Some(step) = totp::step_of(secret.expose(), &code, now) else {
        let off = clocks::seconds_off(secret.expose(), &code, now);
        return Ok(off.map_or(Confirmed::Wrong, |seconds| Confirmed::ClockOff { seconds }));
    };
    if !authenticator::confirm(conn, &known.id, step, now)? {
        return Ok(Confirmed::Expired);
    }
    throttle::clear(conn, &key)?;
    Ok(Confirmed::Active(first_recovery_codes(conn, op, account)?))
}

/// Recovery codes for whoever has none left, with a new authenticator; to be shown, once.
///
/// # Errors
/// The database's.
pub fn first_recovery_codes(
    conn: &mut DbConn,
    op: &Provider,
    account: &AccountId,
) -> Result<Option<Vec<String>>, StoreError> {
    if !op.accepts(Method::Recovery) || recovery_code::count_left(conn, account)? > 0 {
        return Ok(None);
    }
    new_recovery_codes(conn, account, op.now()).map(Some)
}

/// New recovery codes instead of those before; to be shown, once.
///
/// # Errors
/// The database's.
pub fn new_recovery_codes(
    conn: &mut DbConn,
    account: &AccountId,
    now: UtcTime,
) -> Result<Vec<String>, StoreError> {
    let codes = recovery::generate();
    let hashes: Vec<SecretHash> = codes
        .iter()
        .filter_map(|code| recovery::hash(account, code))
        .collect();
    recovery_code::replace(conn, account, &hashes, now)?;
    Ok(codes)
}

fn waiting(
    conn: &mut DbConn,
    (account, begun_in): (&AccountId, &str),
    now: UtcTime,
) -> Result<Option<Authenticator>, StoreError> {
    let all = authenticator::search(conn, account, now)?;
    Ok(all.into_iter().find(|known| {
        let pending = known.pending.as_ref();
        pending.is_some_and(|pending| pending.begun_in == begun_in)
    }))
}

#[cfg(test)]
mod tests {
    use super::tidy_name;

    #[test]
    fn a_name_is_one_short_line() {
        assert_eq!(tidy_name("  my \n phone\u{7}  "), "my phone");
        assert_eq!(tidy_name(&"x".repeat(5000)).len(), super::MOST_NAME);
        assert_eq!(tidy_name(" "), "");
    }
}
