//! Login by username and password: throttled, in the same time for unknown names, off the async threads.

use super::address::{self, subscriber};
use super::external;
use crate::accounts::PasswordError;
use crate::endpoint::quote;
use crate::model::Account;
use crate::provider::{Provider, Shared};
use crate::secret::Secret;
use crate::store::throttle::{self, Allowance};
use crate::store::{DbConn, StoreError, account};
use std::net::IpAddr;

/// Why a login failed.
#[derive(Debug)]
pub enum LoginFailure {
    /// Unknown name, wrong password, or an account without password or switched off: nobody learns which.
    WrongCredentials,
    /// Too many attempts; to be tried again after so many seconds.
    Throttled {
        /// Seconds to wait.
        seconds: i64,
    },
    /// Too many passwords are being checked.
    Busy,
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for LoginFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Checks a password.
///
/// The attempt is counted before it is judged, so that parallel guesses cannot slip through.
///
/// # Errors
/// Why it failed.
pub async fn check(
    op: &Provider,
    username: &str,
    password: Secret<String>,
    address: IpAddr,
) -> Result<Account, LoginFailure> {
    let keys = Keys::new(address::CITIZENS, username, address);
    let name = username.to_owned();
    let found = keys
        .admit(&op.shared, move |tx| account::find_by_username(tx, &name))
        .await?;
    let hash = found
        .as_ref()
        .and_then(|account| account.password_hash.clone());
    let holds = holds(&op.shared, hash, password).await?;
    let Some(account) = found.filter(|account| holds && account.enabled) else {
        return Err(LoginFailure::WrongCredentials);
    };
    keys.give_back(&op.shared).await?;
    Ok(account)
}

/// Whether a password is that of a hash; without one the answer is no, after the same time.
pub(super) async fn holds(
    shared: &Shared,
    hash: Option<String>,
    password: Secret<String>,
) -> Result<bool, LoginFailure> {
    match shared.passwords.verify(hash, password).await {
        Ok(holds) => Ok(holds),
        Err(PasswordError::Busy) => Err(LoginFailure::Busy),
        Err(error) => {
            log::error!("event=password.unreadable reason={}", quote(error));
            Ok(false)
        }
    }
}

/// How much wider the limit of an account is over all addresses: guessing from many is slowed down, and a stranger
/// at one address cannot lock the owner out.
const WIDER: u32 = 10;

/// What operators' names are counted under.
pub(super) const OPERATORS: &str = "operator";

/// What attempts are counted by.
#[derive(Clone)]
pub(super) struct Keys {
    /// The account from this address: the strict limit.
    pair: String,
    /// The account from anywhere.
    account: String,
    /// Any account from this address.
    address: String,
}

impl Keys {
    /// `kind` keeps logins of different registries apart.
    pub(super) fn new(kind: &str, username: &str, address: IpAddr) -> Self {
        let address_key = address::key(kind, address);
        let subscriber = subscriber(address);
        Self {
            pair: format!("{kind} pair {subscriber} {username}"),
            account: format!("{kind} account {username}"),
            address: address_key,
        }
    }

    /// Counts an attempt, and looks up whom it is for if it may be judged.
    pub(super) async fn admit<T: Send + 'static>(
        &self,
        shared: &Shared,
        find: impl FnOnce(&mut DbConn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, LoginFailure> {
        let now = shared.clock.now();
        let limits = shared.server.throttle;
        let keys = self.clone();
        shared
            .store
            .write(move |tx| {
                let account = limits.per_account_per_minute;
                let of = Allowance::per_minute;
                let wide = of(account.saturating_mul(WIDER));
                let pair = throttle::reserve(tx, &keys.pair, now, of(account))?;
                let wide = throttle::reserve(tx, &keys.account, now, wide)?;
                let address =
                    throttle::reserve(tx, &keys.address, now, of(limits.per_address_per_minute))?;
                match pair.max(wide).max(address) {
                    Some(until) => Err(LoginFailure::Throttled {
                        seconds: until.seconds_since(now).max(1),
                    }),
                    None => Ok(find(tx)?),
                }
            })
            .await
    }

    /// The attempt was no guess.
    pub(super) async fn give_back(self, shared: &Shared) -> Result<(), StoreError> {
        shared
            .store
            .write(move |tx| -> Result<(), StoreError> {
                throttle::clear(tx, &self.pair)?;
                throttle::give_back(tx, &self.account)?;
                throttle::give_back(tx, &self.address)
            })
            .await
    }
}

/// The operator lets somebody try again whose attempts from many addresses were too many; the limit of a single address is
/// over after minutes. So may whose app rang too often, for logins without a password.
///
/// # Errors
/// The database's.
pub fn unlock(conn: &mut DbConn, username: &str) -> Result<(), StoreError> {
    external::unlock_alone(conn, username)?;
    throttle::clear(conn, &format!("login account {username}"))
}

/// As [`unlock`], of an operator.
pub(super) fn unlock_operator(conn: &mut DbConn, name: &str) -> Result<(), StoreError> {
    throttle::clear(conn, &format!("{OPERATORS} account {name}"))
}
