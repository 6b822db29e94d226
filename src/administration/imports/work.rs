//! Who applies imports.

use super::{ImportError, Kept, Step, action, associated_data, tell};
use crate::accounts::import::{NewPassword, UserRecord, apply_batch};
use crate::accounts::{PasswordError, PasswordHasher, hash_password};
use crate::administration::parties::exchange::{self, Outcome, Ready};
use crate::clock::UtcTime;
use crate::jose::KeyEncryptionKey;
use crate::model::{Actor, ImportKind, UserImport};
use crate::random;
use crate::store::user_import::{self, ImportPart, Progress};
use crate::store::{DbConn, Store, StoreError};
use serde::de::DeserializeOwned;
use serde_json::json;

/// A node that died is replaced after this time; a part takes a few seconds at most.
const LEASE_SECONDS: i64 = 60;

/// What a turn did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// No import is to be applied, or another node does it.
    Idle,
    /// A part was applied: the import, its lines so far, and of how many.
    Applied(String, i64, i64),
    /// An import is done.
    Finished(String),
}

/// Applies imports; each node has one, each command too.
#[derive(Debug)]
pub struct Importer {
    holder: String,
    only: Option<String>,
}

impl Default for Importer {
    fn default() -> Self {
        Self {
            holder: random::identifier(),
            only: None,
        }
    }
}

impl Importer {
    /// One that applies this import and no other.
    #[must_use]
    pub fn only(import: &str) -> Self {
        Self {
            only: Some(import.to_owned()),
            ..Self::default()
        }
    }

    /// Applies the next part of the import that is this node's. Passwords in clear wait in the same queue as logins, one
    /// at a time.
    ///
    /// # Errors
    /// The database's, sealing's, `Busy` when there are too many logins. The next turn tries again.
    pub async fn turn(
        &self,
        (store, key, passwords): (&Store, &KeyEncryptionKey, &PasswordHasher),
        now: UtcTime,
    ) -> Result<Turn, ImportError> {
        let claimed = store.write(self.claim(now)).await?;
        let Some((import, Some(part))) = claimed else {
            return Ok(claimed.map_or(Turn::Idle, |(import, _)| Turn::Finished(import.id)));
        };
        let lines = part.lines;
        if import.kind == ImportKind::Parties {
            let entries = open(key, &part)?;
            let actor = import.actor.clone();
            let applied = self.apply_parties(actor, (part, entries), now);
            store.write(applied).await?;
            return Ok(progress_of(import, lines));
        }
        let mut records = open_people(key, &part)?;
        for record in &mut records {
            if let Some(NewPassword::Clear(password)) = &record.password {
                let hash = passwords.hash(password.clone()).await?;
                record.password = Some(NewPassword::Hash(hash));
            }
        }
        let applied = self.apply(key, (part, records), now);
        store.write(applied).await?;
        Ok(progress_of(import, lines))
    }

    /// As [`Importer::turn`], for commands; passwords are hashed here.
    ///
    /// # Errors
    /// As there.
    pub fn turn_blocking(
        &self,
        (store, key): (&Store, &KeyEncryptionKey),
        now: UtcTime,
    ) -> Result<Turn, ImportError> {
        let claimed = store.write_blocking(self.claim(now))?;
        let Some((import, Some(part))) = claimed else {
            return Ok(claimed.map_or(Turn::Idle, |(import, _)| Turn::Finished(import.id)));
        };
        let lines = part.lines;
        if import.kind == ImportKind::Parties {
            let entries = open(key, &part)?;
            let actor = import.actor.clone();
            store.write_blocking(self.apply_parties(actor, (part, entries), now))?;
            return Ok(progress_of(import, lines));
        }
        let mut records = open_people(key, &part)?;
        hash_all(&mut records)?;
        store.write_blocking(self.apply(key, (part, records), now))?;
        Ok(progress_of(import, lines))
    }

    /// Takes or keeps an import, with the part that is next; without one it is done.
    fn claim(
        &self,
        now: UtcTime,
    ) -> impl FnOnce(&mut DbConn) -> Result<Option<(UserImport, Option<ImportPart>)>, StoreError>
    + Send
    + 'static {
        let (holder, only) = (self.holder.clone(), self.only.clone());
        move |tx| {
            let until = now.plus_seconds(LEASE_SECONDS);
            let claim = (holder.as_str(), only.as_deref());
            let Some(import) = user_import::claim(tx, claim, now, until)? else {
                return Ok(None);
            };
            let part = user_import::next_part(tx, &import.id)?;
            if part.is_none() && user_import::finish(tx, &import.id, now)? {
                let after = json!({ "added": import.added, "updated": import.updated });
                let done = (action(import.kind, Step::Done), import.id.as_str());
                tell(tx, &import.actor, done, after, now)?;
            }
            Ok(Some((import, part)))
        }
    }

    /// Everything of a part, or nothing of it.
    fn apply(
        &self,
        key: &KeyEncryptionKey,
        (part, records): (ImportPart, Vec<UserRecord>),
        now: UtcTime,
    ) -> impl FnOnce(&mut DbConn) -> Result<(), ImportError> + Send + 'static {
        let (holder, key) = (self.holder.clone(), key.clone());
        move |tx| {
            // First, since it is what another node or a cancellation would have taken.
            let is_mine = user_import::redeem_part(tx, &part)?;
            if !is_mine {
                return Ok(());
            }
            let done = apply_batch(tx, records, Some(&key), now)?;
            let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
            let by = Progress {
                lines: part.lines,
                added: count(done.added),
                updated: count(done.updated),
            };
            let until = now.plus_seconds(LEASE_SECONDS);
            match user_import::advance(tx, (&part.import, &holder), by, until)? {
                true => Ok(()),
                // Undone, with all that it wrote: it is the other node's now.
                false => Err(ImportError::NotWaiting),
            }
        }
    }

    /// As [`Importer::apply`], each entry with its line in the trail.
    fn apply_parties(
        &self,
        actor: Actor,
        (part, entries): (ImportPart, Vec<Ready>),
        now: UtcTime,
    ) -> impl FnOnce(&mut DbConn) -> Result<(), ImportError> + Send + 'static {
        let holder = self.holder.clone();
        move |tx| {
            if !user_import::redeem_part(tx, &part)? {
                return Ok(());
            }
            let mut by = Progress {
                lines: part.lines,
                ..Progress::default()
            };
            for ready in &entries {
                match exchange::apply(tx, &actor, ready, now)? {
                    Outcome::Added { .. } => by.added += 1,
                    Outcome::Changed => by.updated += 1,
                    Outcome::Unchanged | Outcome::NotRegistered => {}
                }
            }
            let until = now.plus_seconds(LEASE_SECONDS);
            match user_import::advance(tx, (&part.import, &holder), by, until)? {
                true => Ok(()),
                false => Err(ImportError::NotWaiting),
            }
        }
    }
}

fn progress_of(import: UserImport, lines: i64) -> Turn {
    Turn::Applied(import.id, import.done_lines + lines, import.valid_lines)
}

fn open<T: DeserializeOwned>(
    key: &KeyEncryptionKey,
    part: &ImportPart,
) -> Result<Vec<T>, ImportError> {
    let plain = key
        .open(&part.sealed, &associated_data(&part.import, part.number))
        .map_err(|error| ImportError::Seal(part.import.clone(), error))?;
    serde_json::from_slice(plain.expose()).map_err(|_| ImportError::Unreadable(part.import.clone()))
}

fn open_people(key: &KeyEncryptionKey, part: &ImportPart) -> Result<Vec<UserRecord>, ImportError> {
    let kept: Vec<Kept> = open(key, part)?;
    Ok(kept.into_iter().map(UserRecord::from).collect())
}

/// On all cores.
fn hash_all(records: &mut [UserRecord]) -> Result<(), PasswordError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = records.len().div_ceil(cores).max(1);
    let hash_one = |record: &mut UserRecord| -> Result<(), PasswordError> {
        if let Some(NewPassword::Clear(password)) = &record.password {
            record.password = Some(NewPassword::Hash(hash_password(password.expose())?));
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = records
            .chunks_mut(share)
            .map(|part| scope.spawn(move || part.iter_mut().try_for_each(hash_one)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(PasswordError::Argon2("a thread failed".to_owned())))
        })
    })
}
