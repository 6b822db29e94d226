//! Who applies imports.

use super::{ImportError, Kept, Step, action, associated_data, people, tell};
use crate::accounts::import::{NewPassword, UserRecord, apply_batch, hash_all, known_hashes};
use crate::accounts::{PasswordError, PasswordHasher};
use crate::administration::Office;
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
    /// What was kept of an import's file cannot be read: it has ended, and its page says so.
    Failed(String),
}

/// Applies imports; each node has one, each command too.
pub struct Importer {
    holder: String,
    only: Option<String>,
    office: Office,
}

impl Importer {
    /// One that applies whatever waits. People whom it changes are told by this office.
    #[must_use]
    pub fn new(office: Office) -> Self {
        Self {
            holder: random::identifier(),
            only: None,
            office,
        }
    }

    /// One that applies this import and no other.
    #[must_use]
    pub fn only(office: Office, import: &str) -> Self {
        Self {
            only: Some(import.to_owned()),
            ..Self::new(office)
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
        let actor = import.actor.clone();
        match open_part(key, &import, &part) {
            Err(error) => {
                store.write(self.give_up(import.clone(), now)).await?;
                Ok(failed(import, &error))
            }
            Ok(Lines::Parties(entries)) => {
                let applied = self.apply_parties(actor, (part, entries), now);
                store.write(applied).await?;
                Ok(progress_of(import, lines))
            }
            Ok(Lines::People(records)) => {
                let records = hashed(store, passwords, records).await?;
                let applied = self.apply((actor, key), (part, records), now);
                store.write(applied).await?;
                Ok(progress_of(import, lines))
            }
        }
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
        let actor = import.actor.clone();
        match open_part(key, &import, &part) {
            Err(error) => {
                store.write_blocking(self.give_up(import.clone(), now))?;
                Ok(failed(import, &error))
            }
            Ok(Lines::Parties(entries)) => {
                store.write_blocking(self.apply_parties(actor, (part, entries), now))?;
                Ok(progress_of(import, lines))
            }
            Ok(Lines::People(mut records)) => {
                hash_all::<ImportError>(store, &mut records)?;
                store.write_blocking(self.apply((actor, key), (part, records), now))?;
                Ok(progress_of(import, lines))
            }
        }
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

    /// What cannot be read today cannot be read tomorrow either, and what was begun later waits behind it.
    fn give_up(
        &self,
        import: UserImport,
        now: UtcTime,
    ) -> impl FnOnce(&mut DbConn) -> Result<(), StoreError> + Send + 'static {
        let holder = self.holder.clone();
        move |tx| {
            if !user_import::fail(tx, (&import.id, &holder), now)? {
                return Ok(());
            }
            let after = json!({
                "applied": import.done_lines,
                "lines": import.valid_lines,
                "reason": "the lines that were kept cannot be opened",
            });
            let failed = (action(import.kind, Step::Failed), import.id.as_str());
            tell(tx, &import.actor, failed, after, now)
        }
    }

    /// Everything of a part, or nothing of it.
    fn apply(
        &self,
        (actor, key): (Actor, &KeyEncryptionKey),
        (part, records): (ImportPart, Vec<UserRecord>),
        now: UtcTime,
    ) -> impl FnOnce(&mut DbConn) -> Result<(), ImportError> + Send + 'static {
        let (holder, key, office) = (self.holder.clone(), key.clone(), self.office.clone());
        move |tx| {
            // First, since it is what another node or a cancellation would have taken.
            let is_mine = user_import::redeem_part(tx, &part)?;
            if !is_mine {
                return Ok(());
            }
            let batch = apply_batch(tx, records, Some(&key), now)?;
            let told = (part.import.as_str(), batch.known.as_slice());
            people::tell_all(tx, (&actor, &office), told, now)?;
            let done = batch.summary;
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

/// What is in a part.
enum Lines {
    People(Vec<UserRecord>),
    Parties(Vec<Ready>),
}

fn open_part(
    key: &KeyEncryptionKey,
    import: &UserImport,
    part: &ImportPart,
) -> Result<Lines, ImportError> {
    Ok(match import.kind {
        ImportKind::Parties => Lines::Parties(open(key, part)?),
        ImportKind::People => {
            let kept: Vec<Kept> = open(key, part)?;
            Lines::People(kept.into_iter().map(UserRecord::from).collect())
        }
    })
}

fn failed(import: UserImport, error: &ImportError) -> Turn {
    let reason = crate::endpoint::quote(error);
    log::error!(
        "event=import.unreadable import={} reason={reason}",
        import.id
    );
    Turn::Failed(import.id)
}

/// As [`hash_all`], in the queue of logins.
async fn hashed(
    store: &Store,
    passwords: &PasswordHasher,
    records: Vec<UserRecord>,
) -> Result<Vec<UserRecord>, ImportError> {
    let (mut records, known) = store
        .read(move |conn| {
            let known = known_hashes(conn, &records)?;
            Ok::<_, StoreError>((records, known))
        })
        .await?;
    for record in &mut records {
        let Some(NewPassword::Clear(password)) = &record.password else {
            continue;
        };
        let known = known.get(&record.username);
        let is_same = match known {
            None => false,
            Some(hash) => match passwords.verify(Some(hash.clone()), password.clone()).await {
                Err(PasswordError::Busy) => return Err(PasswordError::Busy.into()),
                other => other.is_ok_and(|same| same),
            },
        };
        let hash = match known.filter(|_| is_same) {
            Some(hash) => hash.clone(),
            None => passwords.hash(password.clone()).await?,
        };
        record.password = Some(NewPassword::Hash(hash));
    }
    Ok(records)
}
