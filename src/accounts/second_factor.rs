//! Second factors of people: how their secrets are kept. Only with the key-encryption key can they be read.
//!
//! A person has at most one secret that an operator gave (by import or `varco user otp --set`), beside those that the
//! person registered on the account page.

use crate::clock::UtcTime;
use crate::jose::{JoseError, KeyEncryptionKey};
use crate::model::{AccountId, Authenticator, Method};
use crate::secret::Secret;
use crate::store::{DbConn, Store, StoreError, account, authenticator, recovery_code};
use data_encoding::BASE32_NOPAD;

/// Rows of one transaction.
const BATCH: u32 = 500;
/// Bytes of a new secret: as many as HMAC-SHA-1 makes (RFC 4226 §4, R6).
pub const SECRET_BYTES: usize = 20;
/// Bytes of a secret that is accepted from elsewhere.
const ACCEPTED_BYTES: std::ops::RangeInclusive<usize> = 10..=128;

/// Why a second factor cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecondFactorError {
    /// It was sealed with another key-encryption key, or the row was changed.
    #[error(
        "second factor {id} cannot be opened: key_file (or VARCO_KEY) is not the one that it was sealed with"
    )]
    Unreadable {
        /// Which.
        id: String,
    },
    /// openssl failed.
    #[error("second factor {id}: {reason}")]
    Seal {
        /// Which.
        id: String,
        /// Why.
        reason: JoseError,
    },
    /// Not a secret.
    #[error("a secret of one-time codes has 10 to 128 bytes in Base32")]
    NotBase32,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A secret as people write it (any case, spaces, padding) as Base32 in capitals without padding.
///
/// # Errors
/// `NotBase32`.
pub fn read_base32(text: &str) -> Result<String, SecondFactorError> {
    let plain: String = text
        .chars()
        .filter(|letter| !matches!(letter, ' ' | '='))
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    match BASE32_NOPAD.decode(plain.as_bytes()) {
        Ok(secret) if ACCEPTED_BYTES.contains(&secret.len()) => Ok(plain),
        _ => Err(SecondFactorError::NotBase32),
    }
}

/// The key of the one secret of a person that an operator gave.
fn given_id(account: &AccountId) -> String {
    format!("{account}.given")
}

/// What a secret is sealed together with, so that it can be opened only as this factor of this person.
fn associated_data(account: &AccountId, id: &str) -> Vec<u8> {
    format!("authenticator.sealed {account} {id}").into_bytes()
}

/// A new authenticator with its secret sealed.
///
/// # Errors
/// `Seal`.
pub fn seal(
    key: &KeyEncryptionKey,
    secret: &[u8],
    mut new: Authenticator,
) -> Result<Authenticator, SecondFactorError> {
    let sealed = key.seal(secret, &associated_data(&new.account, &new.id));
    new.sealed = sealed.map_err(|reason| SecondFactorError::Seal {
        id: new.id.clone(),
        reason,
    })?;
    Ok(new)
}

/// The secret of an authenticator.
///
/// # Errors
/// `Unreadable`.
pub fn open(
    key: &KeyEncryptionKey,
    known: &Authenticator,
) -> Result<Secret<Vec<u8>>, SecondFactorError> {
    key.open(&known.sealed, &associated_data(&known.account, &known.id))
        .map_err(|_| SecondFactorError::Unreadable {
            id: known.id.clone(),
        })
}

/// The operator gives a person a secret (Base32): it counts at once, and replaces the one given before. The same secret
/// again changes nothing, so that its last code stays spent: false.
///
/// # Errors
/// `NotBase32`, `Seal`, the database's.
pub fn give_totp(
    conn: &mut DbConn,
    key: &KeyEncryptionKey,
    account: &AccountId,
    base32: &str,
    now: UtcTime,
) -> Result<bool, SecondFactorError> {
    let plain = read_base32(base32)?;
    let secret = BASE32_NOPAD
        .decode(plain.as_bytes())
        .map(Secret::new)
        .map_err(|_| SecondFactorError::NotBase32)?;
    if let Some(known) = given(conn, account, now)? {
        if open(key, &known).is_ok_and(|kept| kept == secret) {
            return Ok(false);
        }
        authenticator::remove(conn, account, &known.id)?;
    }
    let new = Authenticator {
        id: given_id(account),
        account: account.clone(),
        method: Method::Totp,
        name: String::new(),
        sealed: Vec::new(),
        key: None,
        created_at: now,
        last_used_at: None,
        last_step: None,
        pending: None,
    };
    authenticator::insert(conn, &seal(key, secret.expose(), new)?)?;
    Ok(true)
}

/// The one secret of a person that an operator gave, if there is one.
///
/// # Errors
/// The database's.
pub fn given(
    conn: &mut DbConn,
    account: &AccountId,
    now: UtcTime,
) -> Result<Option<Authenticator>, StoreError> {
    let id = given_id(account);
    let all = authenticator::search(conn, account, now)?;
    Ok(all.into_iter().find(|known| known.id == id))
}

/// The Base32 secret for an export: the one that an operator gave. Those that people registered themselves are theirs
/// alone: nobody is shown one, and whoever moves to another provider registers anew there.
///
/// # Errors
/// `Unreadable`, the database's.
pub fn exported_totp(
    conn: &mut DbConn,
    key: &KeyEncryptionKey,
    account: &AccountId,
    now: UtcTime,
) -> Result<Option<Secret<String>>, SecondFactorError> {
    let known = given(conn, account, now)?;
    let Some(known) = known.filter(|known| known.method == Method::Totp && known.is_active())
    else {
        return Ok(None);
    };
    let secret = open(key, &known)?;
    Ok(Some(Secret::new(BASE32_NOPAD.encode(secret.expose()))))
}

/// Removes every second factor of a person, recovery codes too: whoever lost all of them begins anew.
///
/// # Errors
/// The database's.
pub fn remove_all(conn: &mut DbConn, account: &AccountId) -> Result<usize, StoreError> {
    recovery_code::remove_all(conn, account)?;
    authenticator::remove_all(conn, account)
}

/// Seals the secrets that version 0.1 imported readable; returns how many. At every start, since a node of that version
/// may have imported more; several nodes may do it at once. Blocks.
///
/// # Errors
/// `Seal`, the database's. A secret that is none is removed and told of in the log.
pub fn seal_readable(
    store: &Store,
    key: &KeyEncryptionKey,
    now: UtcTime,
) -> Result<usize, SecondFactorError> {
    let mut sealed = 0;
    loop {
        let found: Vec<_> =
            store.read_blocking(|conn| account::readable_totp_secrets(conn, BATCH))?;
        if found.is_empty() {
            return Ok(sealed);
        }
        sealed += found.len();
        let key = key.clone();
        store.write_blocking(move |conn| -> Result<(), SecondFactorError> {
            for (account, secret) in found {
                if !account::forget_readable_totp_secret(conn, &account)? {
                    continue;
                }
                match give_totp(conn, &key, &account, &secret, now) {
                    Err(SecondFactorError::NotBase32) => {
                        log::warn!("event=second_factor.unusable account={account}");
                    }
                    other => _ = other?,
                }
            }
            Ok(())
        })?;
    }
}
