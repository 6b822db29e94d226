//! A one-time code by e-mail, to the address that the registry has of a person.
//!
//! ```text
//! send ─► throttled by person ─► six digits ─► SHA-256 in the login's row (the code before is gone) ─► letter in the queue
//! check ─► counted by person ─► the row of this login is spent, once
//! ```
//!
//! It proves that somebody reads the person's mail, which is as safe as the mailbox: opt-in, and no level above 2. The code
//! counts only in the login, and so in the browser, that asked for it.

use super::second_factor::{self, Checked};
use crate::clock::UtcTime;
use crate::mail::{Letter, MailError, Origin, Queued};
use crate::model::{Account, AccountId, InteractionId, Method, SecretHash};
use crate::provider::Provider;
use crate::random;
use crate::secret::Secret;
use crate::store::email_code::{self, NewCode};
use crate::store::throttle::{self, Allowance};
use crate::store::{DbConn, StoreError};

/// How long a code counts.
pub const VALID_SECONDS: i64 = 600;
/// Codes that one login may be sent.
const MOST: i64 = 5;
/// From one code to the next.
const WAIT_SECONDS: i64 = 30;
/// Codes that a person is sent: nobody floods a mailbox with them.
const LETTERS: Allowance = Allowance {
    attempts: 10,
    window_seconds: 3_600,
    first_block_seconds: 900,
    longest_block_seconds: 86_400,
};
/// Six digits.
const CODES: u64 = 1_000_000;

/// What came of asking for a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is on its way.
    Yes,
    /// A moment ago one was sent, or far too many.
    NotYet {
        /// Seconds to wait.
        seconds: i64,
    },
    /// This login was sent all that it may have.
    NoMore,
    /// The person has no address any more.
    Nobody,
}

/// What the letter says beside the code.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The relying party's name.
    pub rp_name: String,
    /// From where.
    pub origin: Origin,
}

/// Sends a code, which ends the one before.
///
/// # Errors
/// The database's, or a bug in the letter.
pub fn send(
    conn: &mut DbConn,
    op: &Provider,
    (interaction, person): (&InteractionId, &Account),
    asked: Asked,
) -> Result<Sent, MailError> {
    let now = op.now();
    let before = email_code::sent(conn, interaction)?;
    if let Some((count, at)) = before {
        if count >= MOST {
            return Ok(Sent::NoMore);
        }
        let seconds = at.plus_seconds(WAIT_SECONDS).seconds_since(now);
        // A longer time has nobody set: the clock went back.
        if (1..=WAIT_SECONDS).contains(&seconds) {
            return Ok(Sent::NotYet { seconds });
        }
    }
    let key = format!("email code letters {}", person.id);
    if let Some(until) = throttle::reserve(conn, &key, now, LETTERS)? {
        let seconds = until.seconds_since(now).max(1);
        return Ok(Sent::NotYet { seconds });
    }
    let drawn = u64::from_be_bytes(random::bytes()) % CODES;
    let code = Secret::new(format!("{drawn:06}"));
    let new = NewCode {
        interaction,
        account: &person.id,
        hash: hash(interaction, code.expose()),
        expires_at: now.plus_seconds(VALID_SECONDS),
    };
    let count = before.map_or(0, |(count, _)| count);
    email_code::replace(conn, new, count.saturating_add(1), now)?;
    let letter = Letter::EmailCode {
        code,
        valid_seconds: VALID_SECONDS,
        rp_name: asked.rp_name,
        origin: asked.origin,
    };
    Ok(match op.queue_mail(conn, person, &letter)? {
        Queued::Nobody => Sent::Nobody,
        _ => Sent::Yes,
    })
}

/// When the last code of a login was sent, and whether a further one may be asked for.
///
/// # Errors
/// The database's.
pub fn last_sent(
    conn: &mut DbConn,
    interaction: &InteractionId,
) -> Result<Option<(UtcTime, bool)>, StoreError> {
    let sent = email_code::sent(conn, interaction)?;
    Ok(sent.map(|(count, at)| (at, count < MOST)))
}

/// Checks a code in the login that it was sent for. What it writes has to be committed whatever it says.
///
/// # Errors
/// The database's.
pub fn check(
    conn: &mut DbConn,
    op: &Provider,
    (interaction, account): (&InteractionId, &AccountId),
    typed: &str,
) -> Result<Checked, StoreError> {
    let plain: String = typed
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .take(64)
        .collect();
    second_factor::counted(conn, op, (account, Method::EmailCode), |conn| {
        let sent = email_code::sent(conn, interaction)?;
        if sent.is_some_and(|(_, at)| at.is_of_the_future(op.now())) {
            return Ok(Checked::OfTheFuture);
        }
        let hash = hash(interaction, &plain);
        let spent = email_code::redeem(conn, (interaction, account), &hash, op.now())?;
        Ok(if spent {
            Checked::Proven(Method::EmailCode)
        } else {
            Checked::Wrong
        })
    })
}

/// A million codes have no secret in their hash; it lives as long as the code.
fn hash(interaction: &InteractionId, code: &str) -> SecretHash {
    SecretHash::of(&format!("email code {interaction} {code}"))
}

/// `a•••@example.it`: enough to know which mailbox to look into.
#[must_use]
pub fn masked(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}•••@{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_by_its_first_letter_and_its_domain() {
        assert_eq!(masked("ada.rossi@example.it"), "a•••@example.it");
        assert_eq!(masked("è@example.it"), "è•••@example.it");
        assert_eq!(masked("\"a@b\"@example.it"), "\"•••@example.it");
    }

    #[test]
    fn a_code_counts_for_its_login_only() {
        let (one, two) = (InteractionId::new("1"), InteractionId::new("2"));
        assert_ne!(hash(&one, "123456"), hash(&two, "123456"));
        assert_ne!(hash(&one, "123456"), hash(&one, "123457"));
    }
}
