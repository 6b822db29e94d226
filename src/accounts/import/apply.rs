//! Writing what was read: passwords first, then rows, a batch a transaction.

use super::{BATCH, ImportError, ImportSummary, NewPassword, UserRecord};
use crate::accounts::password::{PasswordError, hash_password, verify_password};
use crate::accounts::second_factor::{self, SecondFactorError};
use crate::clock::UtcTime;
use crate::jose::KeyEncryptionKey;
use crate::model::{Account, AccountId};
use crate::store::{DbConn, Store, StoreError, account};
use serde_json::Map;
use std::collections::{BTreeSet, HashMap};

/// Somebody who was known, before and after an import.
#[derive(Clone, Debug)]
pub struct Changed {
    /// What was there.
    pub before: Account,
    /// What is there now; the same but for the time of change where the file says nothing new.
    pub after: Account,
    /// The person was given another secret of one-time codes.
    pub factor_given: bool,
}

/// What a batch of records did.
#[derive(Debug, Default)]
pub struct Batch {
    /// How many people.
    pub summary: ImportSummary,
    /// Those who were known.
    pub known: Vec<Changed>,
}

/// Writes records: hashes every password in clear first, then the rows. The key is needed only for records with a
/// `totp_secret`. `tell` is given those who were known, in the transaction that wrote them.
///
/// # Errors
/// argon2's, the database's.
pub fn apply(
    store: &Store,
    mut records: Vec<UserRecord>,
    key: Option<&KeyEncryptionKey>,
    now: UtcTime,
    tell: impl Fn(&mut DbConn, &[Changed]) -> Result<(), StoreError> + Clone + Send + 'static,
) -> Result<ImportSummary, ImportError> {
    if key.is_none() && records.iter().any(|record| record.totp_secret.is_some()) {
        return Err(ImportError::NoKey);
    }
    hash_all::<ImportError>(store, &mut records)?;
    let mut summary = ImportSummary::default();
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let batch: Vec<UserRecord> = records.by_ref().take(BATCH).collect();
        let (key, tell) = (key.cloned(), tell.clone());
        let done = store.write_blocking(move |conn| -> Result<_, SecondFactorError> {
            let done = apply_batch(conn, batch, key.as_ref(), now)?;
            tell(conn, &done.known)?;
            Ok(done.summary)
        })?;
        summary.added += done.added;
        summary.updated += done.updated;
    }
    Ok(summary)
}

/// Writes a batch of records, whose passwords in clear were hashed before, in the caller's transaction: one query finds
/// those who are known, and as few as the database allows write all. Who is told of it is the caller's to see to.
///
/// # Errors
/// The database's.
pub fn apply_batch(
    conn: &mut DbConn,
    mut batch: Vec<UserRecord>,
    key: Option<&KeyEncryptionKey>,
    now: UtcTime,
) -> Result<Batch, SecondFactorError> {
    // In one order, so that two imports of the same people wait for each other and do not lock each other out.
    batch.sort_by(|one, other| one.username.cmp(&other.username));
    let names: Vec<&str> = batch
        .iter()
        .map(|record| record.username.as_str())
        .collect();
    let known = account::find_all_by_username(conn, &names)?;
    let mut before: HashMap<String, Account> = known
        .into_iter()
        .map(|account| (account.username.clone(), account))
        .collect();
    let mut secrets = Vec::new();
    let accounts: Vec<Account> = batch
        .into_iter()
        .map(|mut record| {
            if let Some(secret) = record.totp_secret.take() {
                secrets.push((record.username.clone(), secret));
            }
            let known = before.get(&record.username).cloned();
            merged(record, known, now)
        })
        .collect();
    let ids = account::upsert_all(conn, &accounts)?;
    let mut given = BTreeSet::new();
    for (username, secret) in secrets {
        if let (Some(id), Some(key)) = (ids.get(&username), key)
            && second_factor::give_totp(conn, key, id, &secret, now)?
        {
            given.insert(username);
        }
    }
    let summary = ImportSummary {
        added: accounts.len().saturating_sub(before.len()),
        updated: before.len(),
    };
    let known = accounts.into_iter().filter_map(|after| {
        Some(Changed {
            before: before.remove(&after.username)?,
            factor_given: given.contains(&after.username),
            after,
        })
    });
    Ok(Batch {
        summary,
        known: known.collect(),
    })
}

fn merged(record: UserRecord, known: Option<Account>, now: UtcTime) -> Account {
    let before = known.unwrap_or_else(|| Account {
        id: AccountId::random(),
        username: record.username.clone(),
        password_hash: None,
        enabled: true,
        attributes: Map::new(),
        created_at: now,
        updated_at: now,
    });
    Account {
        password_hash: match record.password {
            Some(NewPassword::Hash(hash)) => Some(hash),
            // Clear ones were hashed before.
            Some(NewPassword::Clear(_)) | None => before.password_hash,
        },
        enabled: record.enabled.unwrap_or(before.enabled),
        attributes: record.attributes.unwrap_or(before.attributes),
        updated_at: now,
        ..before
    }
}

/// Hashes passwords in clear, on all cores. Who has that password already keeps its hash: the same file again changes
/// nobody's password.
///
/// # Errors
/// argon2's, the database's.
pub fn hash_all<E: From<StoreError> + From<PasswordError>>(
    store: &Store,
    records: &mut [UserRecord],
) -> Result<(), E> {
    let mut known = HashMap::new();
    for part in records.chunks(BATCH) {
        known.extend(store.read_blocking(|conn| known_hashes(conn, part))?);
    }
    let known = &known;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = records.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = records
            .chunks_mut(share)
            .map(|part| {
                scope.spawn(move || part.iter_mut().try_for_each(|one| hash_one(one, known)))
            })
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(PasswordError::Argon2("a thread failed".to_owned())))
        })
    })?;
    Ok(())
}

/// By username, the hashes of those whose password records say in clear.
///
/// # Errors
/// The database's.
pub fn known_hashes(
    conn: &mut DbConn,
    records: &[UserRecord],
) -> Result<HashMap<String, String>, StoreError> {
    let clear = records
        .iter()
        .filter(|record| matches!(record.password, Some(NewPassword::Clear(_))));
    let names: Vec<&str> = clear.map(|record| record.username.as_str()).collect();
    match names.is_empty() {
        true => Ok(HashMap::new()),
        false => account::password_hashes(conn, &names),
    }
}

fn hash_one(record: &mut UserRecord, known: &HashMap<String, String>) -> Result<(), PasswordError> {
    if let Some(NewPassword::Clear(password)) = &record.password {
        let is_same = |hash: &&String| {
            verify_password(Some(hash.as_str()), password.expose()).is_ok_and(|same| same)
        };
        let hash = match known.get(&record.username).filter(is_same) {
            Some(hash) => hash.clone(),
            None => hash_password(password.expose())?,
        };
        record.password = Some(NewPassword::Hash(hash));
    }
    Ok(())
}
