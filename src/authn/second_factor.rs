//! Checks what somebody typed as second factor, in one transaction: counted before it is judged, spent when it is right.

use super::clocks::{App, Judged};
use super::{external, recovery, security_key};
use crate::accounts::second_factor::{self, SecondFactorError};
use crate::clock::UtcTime;
use crate::endpoint::quote;
use crate::model::{Account, AccountId, Authenticator, Method};
use crate::provider::Provider;
use crate::secret::Secret;
use crate::store::throttle::{self, Allowance};
use crate::store::{DbConn, StoreError, authenticator, recovery_code};

/// Guesses a day before a method is locked: 20 of a million codes, of which three are right at a time. A minute's limit
/// alone would let one in fifty days through. Whoever guesses here knows the password, so that the limit cannot be used
/// by a stranger to lock the owner out; recovery codes, which have their own, remain.
const LOCK_OUT: Allowance = Allowance {
    attempts: 20,
    window_seconds: 86_400,
    first_block_seconds: 3_600,
    longest_block_seconds: 86_400,
};

/// What a person has beside the password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Available {
    /// Methods that the person can use, in the order in which they are offered.
    pub methods: Vec<Method>,
    /// Authenticators that count.
    pub authenticators: usize,
    /// Recovery codes that are left.
    pub recovery_codes: i64,
}

impl Available {
    /// Whether there is anything. Recovery codes alone count too: their authenticator was removed for a new one. So does a
    /// security key that browsers use on another host only.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.methods.is_empty() || self.authenticators > 0
    }

    /// Whether a code can be typed.
    #[must_use]
    pub fn code(&self) -> bool {
        [Method::Totp, Method::Recovery]
            .iter()
            .any(|method| self.methods.contains(method))
    }
}

/// Every second factor: what protects an account is asked for at every issuer, also where it counts for no login.
pub const ALL: &[Method] = &[Method::Totp, Method::SecurityKey, Method::Recovery];

/// What a person has, of the accepted methods.
///
/// # Errors
/// The database's.
pub fn available(
    conn: &mut DbConn,
    op: &Provider,
    accepted: &[Method],
    account: &Account,
) -> Result<Available, StoreError> {
    let has_address = op.mail_address(account).is_some();
    let mut authenticators = authenticator::search(conn, &account.id, op.now())?;
    authenticators.retain(|known| known.is_active() && accepted.contains(&known.method));
    let recovery_codes = if accepted.contains(&Method::Recovery) {
        recovery_code::count_left(conn, &account.id)?
    } else {
        0
    };
    let keys = security_key::methods_of(op, &authenticators);
    let has = |method: &Method| match method {
        // A card is no matter of the account: whoever has it at hand may use it.
        Method::Password | Method::Certificate => false,
        Method::Totp => authenticators.iter().any(|known| known.method == *method),
        Method::External => accepted.contains(method),
        Method::EmailCode => accepted.contains(method) && has_address,
        Method::SecurityKey | Method::VerifiedKey => keys.contains(method),
        Method::Recovery => recovery_codes > 0,
    };
    Ok(Available {
        methods: Method::all().filter(has).collect(),
        authenticators: authenticators.len(),
        recovery_codes,
    })
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Right, and spent.
    Proven(Method),
    /// Wrong.
    Wrong,
    /// Right, and used before: the next one is needed.
    UsedBefore,
    /// Right at another time: the clock of the person's device is wrong.
    ClockOff {
        /// By so many seconds it is ahead; negative: behind.
        seconds: i64,
    },
    /// Right, but later ones were used: the server's clock went back.
    ServerBehind {
        /// When the next one counts, unless the clock is put right earlier.
        until: UtcTime,
    },
    /// Sent at a time that has not come: the server's clock went back.
    OfTheFuture,
    /// Too many attempts; this one was not judged.
    Throttled {
        /// Seconds to wait.
        seconds: i64,
    },
    /// Far too many; this one was not judged.
    Locked {
        /// Until when.
        until: UtcTime,
    },
}

/// Checks a code of the accepted methods: digits are a one-time code, anything else a recovery code. What it writes (the
/// attempt, the spent step) has to be committed whatever it says.
///
/// # Errors
/// The database's.
pub fn check(
    conn: &mut DbConn,
    op: &Provider,
    accepted: &[Method],
    (account, typed): (&AccountId, &str),
) -> Result<Checked, StoreError> {
    // Apps show a code in two groups.
    let plain: String = typed
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .take(64)
        .collect();
    let is_code = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
    let method = if is_code {
        Method::Totp
    } else {
        Method::Recovery
    };
    counted(conn, op, (account, method), |conn| match method {
        _ if !accepted.contains(&method) => Ok(Checked::Wrong),
        Method::Totp => check_totp(conn, op, account, &plain),
        _ => check_recovery(conn, op, account, &plain),
    })
}

/// Judges an attempt that is counted by person and method first, so that parallel guesses cannot slip through.
pub(super) fn counted(
    conn: &mut DbConn,
    op: &Provider,
    (account, method): (&AccountId, Method),
    judge: impl FnOnce(&mut DbConn) -> Result<Checked, StoreError>,
) -> Result<Checked, StoreError> {
    let now = op.now();
    let keys = Keys::new(account, method);
    let limit = op.shared.server.throttle.per_account_per_minute;
    if let Some(until) = throttle::reserve(conn, &keys.short, now, Allowance::per_minute(limit))? {
        let seconds = until.seconds_since(now).max(1);
        return Ok(Checked::Throttled { seconds });
    }
    if let Some(until) = throttle::reserve(conn, &keys.long, now, lock_out(limit))? {
        return Ok(Checked::Locked { until });
    }
    let checked = judge(conn)?;
    match checked {
        Checked::Proven(_) => {
            throttle::clear(conn, &keys.long)?;
            throttle::clear(conn, &keys.short)?;
        }
        // No guess: whoever sends it has seen the right one.
        Checked::UsedBefore => throttle::give_back(conn, &keys.long)?,
        Checked::Wrong
        | Checked::ClockOff { .. }
        | Checked::ServerBehind { .. }
        | Checked::OfTheFuture
        | Checked::Throttled { .. }
        | Checked::Locked { .. } => {}
    }
    Ok(checked)
}

/// The operator lets a locked person try again.
///
/// # Errors
/// The database's.
pub fn unlock(conn: &mut DbConn, account: &AccountId) -> Result<(), StoreError> {
    external::unlock(conn, account)?;
    for method in Method::all() {
        let keys = Keys::new(account, method);
        throttle::clear(conn, &keys.long)?;
        throttle::clear(conn, &keys.short)?;
    }
    Ok(())
}

/// What attempts are counted by.
pub(super) struct Keys {
    pub(super) short: String,
    long: String,
}

impl Keys {
    pub(super) fn new(account: &AccountId, method: Method) -> Self {
        let name = method.name();
        Self {
            short: format!("second factor minute {name} {account}"),
            long: format!("second factor day {name} {account}"),
        }
    }
}

/// Who switches the limit of a minute off (a load test) wants no lock either.
pub(super) fn lock_out(per_minute: u32) -> Allowance {
    Allowance {
        attempts: if per_minute == 0 {
            0
        } else {
            LOCK_OUT.attempts
        },
        ..LOCK_OUT
    }
}

fn check_totp(
    conn: &mut DbConn,
    op: &Provider,
    account: &AccountId,
    code: &str,
) -> Result<Checked, StoreError> {
    let now = op.now();
    let mut checked = Checked::Wrong;
    for known in authenticator::search(conn, account, now)? {
        if !known.is_active() || known.method != Method::Totp {
            continue;
        }
        let Some(secret) = secret_of(op, &known) else {
            continue;
        };
        let app = App {
            name: &format!("totp {}", known.id),
            secret: secret.expose(),
            last_step: known.last_step,
        };
        match app.judge(conn, code, now)? {
            Judged::Right(step) if authenticator::redeem_step(conn, &known.id, step, now)? => {
                return Ok(Checked::Proven(Method::Totp));
            }
            Judged::Right(_) => checked = app.spent(now),
            Judged::Refused(why) => checked = why,
            Judged::Wrong => {}
        }
    }
    Ok(checked)
}

/// The secret of this authenticator; one that cannot be opened is told of in the log and matches nothing.
pub(super) fn secret_of(op: &Provider, known: &Authenticator) -> Option<Secret<Vec<u8>>> {
    match second_factor::open(&op.shared.key_encryption_key, known) {
        Ok(secret) => Some(secret),
        Err(error @ SecondFactorError::Unreadable { .. }) => {
            log::error!("event=second_factor.unreadable reason={}", quote(error));
            None
        }
        Err(_) => None,
    }
}

fn check_recovery(
    conn: &mut DbConn,
    op: &Provider,
    account: &AccountId,
    typed: &str,
) -> Result<Checked, StoreError> {
    let Some(hash) = recovery::hash(account, typed) else {
        return Ok(Checked::Wrong);
    };
    Ok(if recovery_code::redeem(conn, account, &hash, op.now())? {
        Checked::Proven(Method::Recovery)
    } else {
        Checked::Wrong
    })
}
