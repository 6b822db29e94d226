//! Imports of people, and of relying parties ([`parties`]), from the file to the last line.
//!
//! ```text
//! read (every line judged, those that are valid sealed) ─► ready ─start─► running ─► Importer::turn … ─► done
//!                                                            └─────────────┴─cancel─► cancelled
//!                                                                          └─ what was kept cannot be opened ─► failed
//! ```
//!
//! [`Importer`] applies a part a transaction, so that logins go on in between. A part is removed by the transaction that
//! writes its people: an import that was interrupted goes on at another node, or at the same one, where it stopped.

pub mod parties;
mod people;
mod work;

pub use work::{Importer, Turn};

use super::parties::PartyError;
use super::{Office, record};
use crate::accounts::fault::Fault;
use crate::accounts::import::{
    self, BATCH, Format, ImportProblem, ImportSummary, MOST_PROBLEMS, NewPassword, Records,
    UserRecord,
};
use crate::clock::UtcTime;
use crate::jose::{JoseError, KeyEncryptionKey};
use crate::model::{Actor, Deed, ImportKind, ImportState, UserImport};
use crate::random;
use crate::secret::Secret;
use crate::store::user_import::{self, ImportPart};
use crate::store::{DbConn, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::BufRead;

const DAY_SECONDS: i64 = 86_400;
/// How long a file that nobody lets be applied is kept.
const WAITING_SECONDS: i64 = DAY_SECONDS;
/// How long an import and its report are kept.
const KEPT_SECONDS: i64 = 30 * DAY_SECONDS;
/// What a password in clear weighs in a part, in lines without one: hashing it takes tens of milliseconds of a core, and a
/// part has to be done long before the lease ends.
const PASSWORD_WEIGHT: usize = 20;
/// Characters of a file's name.
const MOST_NAME: usize = 120;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is no such import (any more).
    #[error("there is no such import")]
    Unknown,
    /// It has begun, ended or was cancelled.
    #[error("the import was started, ended or cancelled meanwhile")]
    NotWaiting,
    /// There are bad lines, and they shall not be left out.
    #[error("there are lines that are wrong; nothing was changed")]
    BadLines,
    /// There is nothing to apply.
    #[error("there is no line that could be applied")]
    NothingValid,
    /// openssl failed, or the part was sealed with another key-encryption key.
    #[error("import {0}: {1}")]
    Seal(String, JoseError),
    /// What was sealed is no part.
    #[error("import {0}: what was sealed cannot be read")]
    Unreadable(String),
    /// Passwords could not be hashed.
    #[error(transparent)]
    Password(#[from] crate::accounts::PasswordError),
    /// Second factors could not be sealed.
    #[error(transparent)]
    SecondFactor(#[from] crate::accounts::second_factor::SecondFactorError),
    /// A relying party was changed while it was written.
    #[error(transparent)]
    Party(PartyError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PartyError> for ImportError {
    fn from(error: PartyError) -> Self {
        match error {
            PartyError::Store(error) => Self::Store(error),
            error => Self::Party(error),
        }
    }
}

/// A line as it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    username: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    clear: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<Map<String, Value>>,
}

impl From<UserRecord> for Kept {
    fn from(record: UserRecord) -> Self {
        let (clear, hash) = match record.password {
            Some(NewPassword::Clear(password)) => (Some(password.expose().clone()), None),
            Some(NewPassword::Hash(hash)) => (None, Some(hash)),
            None => (None, None),
        };
        Self {
            username: record.username,
            clear,
            hash,
            totp: record.totp_secret,
            enabled: record.enabled,
            attributes: record.attributes,
        }
    }
}

impl From<Kept> for UserRecord {
    fn from(kept: Kept) -> Self {
        let clear = kept.clear.map(|text| NewPassword::Clear(Secret::new(text)));
        Self {
            username: kept.username,
            password: kept.hash.map(NewPassword::Hash).or(clear),
            totp_secret: kept.totp,
            enabled: kept.enabled,
            attributes: kept.attributes,
        }
    }
}

/// What a part is sealed together with, so that it can be opened only as this row.
fn associated_data(import: &str, number: i64) -> Vec<u8> {
    format!("user_import_part.sealed {import} {number}").into_bytes()
}

/// A file to be read.
pub struct ImportFile<R> {
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub input: R,
    /// Guessed when it is not told.
    pub format: Option<Format>,
}

/// What is wrong with a file, counted; only the first lines are told.
#[derive(Default)]
pub struct Judgement {
    /// Lines that can be applied.
    pub valid: i64,
    /// Lines that cannot.
    pub bad: i64,
    /// What is wrong, by line.
    pub problems: Vec<ImportProblem>,
}

impl Judgement {
    fn condemn(&mut self, line: u64, faults: Vec<Fault>) {
        self.bad += 1;
        let told = faults
            .into_iter()
            .map(|fault| ImportProblem { line, fault });
        self.problems.extend(told);
    }

    /// Whether it is of another format: then nobody reads on, and nothing is applied.
    fn is_hopeless(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }
}

/// Judges a file and keeps nothing.
pub fn judge<R: BufRead>(input: R, format: Option<Format>, custom: &BTreeSet<String>) -> Judgement {
    let mut judgement = Judgement::default();
    for (line, found) in Records::read(input, format, custom) {
        match found {
            Ok(_) => judgement.valid += 1,
            Err(faults) => judgement.condemn(line, faults),
        }
        if judgement.is_hopeless() {
            break;
        }
    }
    judgement
}

/// Reads a file into the database, sealed, and judges it; nobody is changed before [`start`]. Blocks.
///
/// # Errors
/// The database's, sealing's.
pub fn read<R: BufRead>(
    (store, key): (&Store, &KeyEncryptionKey),
    actor: &Actor,
    (file, custom): (ImportFile<R>, &BTreeSet<String>),
    now: UtcTime,
) -> Result<String, ImportError> {
    let id = begin(store, actor, (ImportKind::People, &file.name), now)?;
    let mut judgement = Judgement::default();
    let mut part = PartWriter::new((store, key), &id, now);
    for (line, found) in Records::read(file.input, file.format, custom) {
        match found {
            Ok(record) => {
                judgement.valid += 1;
                let weight = match record.password {
                    Some(NewPassword::Clear(_)) => PASSWORD_WEIGHT,
                    Some(NewPassword::Hash(_)) | None => 1,
                };
                part.push(Kept::from(record), weight)?;
            }
            Err(faults) => judgement.condemn(line, faults),
        }
        if judgement.is_hopeless() {
            judgement.valid = 0;
            break;
        }
    }
    part.write()?;
    let problems = serde_json::to_string(&judgement.problems).unwrap_or_default();
    let (read, counts) = (id.clone(), (judgement.valid, judgement.bad));
    store.write_blocking(move |tx| user_import::finish_reading(tx, &read, counts, &problems))?;
    Ok(id)
}

/// An import whose file is being read. Blocks.
fn begin(
    store: &Store,
    actor: &Actor,
    (kind, name): (ImportKind, &str),
    now: UtcTime,
) -> Result<String, ImportError> {
    let id = random::identifier();
    let new = UserImport {
        id: id.clone(),
        kind,
        state: ImportState::Reading,
        name: name.chars().take(MOST_NAME).collect(),
        actor: actor.clone(),
        skips: false,
        valid_lines: 0,
        bad_lines: 0,
        problems: "[]".to_owned(),
        done_lines: 0,
        added: 0,
        updated: 0,
        created_at: now,
        started_at: None,
        finished_at: None,
        expires_at: now.plus_seconds(WAITING_SECONDS),
    };
    store.write_blocking(move |tx| user_import::insert(tx, &new))?;
    Ok(id)
}

/// Collects lines and writes them as a part.
struct PartWriter<'a, T> {
    store: &'a Store,
    key: &'a KeyEncryptionKey,
    import: &'a str,
    expires_at: UtcTime,
    number: i64,
    weight: usize,
    lines: Vec<T>,
}

impl<'a, T: Serialize> PartWriter<'a, T> {
    fn new((store, key): (&'a Store, &'a KeyEncryptionKey), import: &'a str, now: UtcTime) -> Self {
        Self {
            store,
            key,
            import,
            expires_at: now.plus_seconds(WAITING_SECONDS),
            number: 0,
            weight: 0,
            lines: Vec::new(),
        }
    }

    fn push(&mut self, line: T, weight: usize) -> Result<(), ImportError> {
        self.weight += weight;
        self.lines.push(line);
        if self.weight >= BATCH {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<(), ImportError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let unreadable = |_| ImportError::Unreadable(self.import.to_owned());
        let plain = Secret::new(serde_json::to_vec(&self.lines).map_err(unreadable)?);
        let bound = associated_data(self.import, self.number);
        let sealed = self
            .key
            .seal(plain.expose(), &bound)
            .map_err(|error| ImportError::Seal(self.import.to_owned(), error))?;
        let new = ImportPart {
            import: self.import.to_owned(),
            number: self.number,
            lines: i64::try_from(self.lines.len()).unwrap_or(i64::MAX),
            sealed,
        };
        let until = self.expires_at;
        self.store
            .write_blocking(move |tx| user_import::insert_part(tx, &new, until))?;
        self.number += 1;
        self.weight = 0;
        self.lines.clear();
        Ok(())
    }
}

/// Applies lines that are kept nowhere, where there is no key to seal them with and no mail.
///
/// # Errors
/// As [`import::apply`].
pub fn apply_at_once(
    store: &Store,
    actor: &Actor,
    (name, bad, records): (&str, i64, Vec<UserRecord>),
    now: UtcTime,
) -> Result<ImportSummary, import::ImportError> {
    let after = json!({ "file": name, "lines": records.len(), "left_out": bad });
    let (by, id) = (actor.clone(), random::identifier());
    let of = id.clone();
    store.write_blocking(move |tx| {
        let begun = (action(ImportKind::People, Step::Start), of.as_str());
        tell(tx, &by, begun, after, now)
    })?;
    let actor = actor.clone();
    import::apply(store, records, None, now, move |tx, known| {
        // Without a key there are no letters.
        people::tell_all(tx, (&actor, &Office::closed()), (&id, known), now)
    })
}

/// Lets an import be applied; lines that are wrong are left out if `skips`.
///
/// # Errors
/// `Unknown`, `NotWaiting`, `BadLines`, `NothingValid`.
pub fn start(
    conn: &mut DbConn,
    actor: &Actor,
    (id, skips): (&str, bool),
    now: UtcTime,
) -> Result<(), ImportError> {
    let known = user_import::find(conn, id)?.ok_or(ImportError::Unknown)?;
    if known.state != ImportState::Ready {
        return Err(ImportError::NotWaiting);
    }
    if known.valid_lines == 0 {
        return Err(ImportError::NothingValid);
    }
    if known.bad_lines > 0 && !skips {
        return Err(ImportError::BadLines);
    }
    let until = now.plus_seconds(KEPT_SECONDS);
    if !user_import::start(conn, (id, actor, skips), now, until)? {
        return Err(ImportError::NotWaiting);
    }
    let after = json!({
        "file": known.name,
        "lines": known.valid_lines,
        "left_out": known.bad_lines,
    });
    tell(
        conn,
        actor,
        (action(known.kind, Step::Start), id),
        after,
        now,
    )?;
    Ok(())
}

/// Stops an import; what was applied stays.
///
/// # Errors
/// `Unknown`, `NotWaiting`.
pub fn cancel(conn: &mut DbConn, actor: &Actor, id: &str, now: UtcTime) -> Result<(), ImportError> {
    if !user_import::cancel(conn, id, now)? {
        return Err(match user_import::find(conn, id)? {
            Some(_) => ImportError::NotWaiting,
            None => ImportError::Unknown,
        });
    }
    let known = user_import::find(conn, id)?.ok_or(ImportError::Unknown)?;
    // A file that was only looked at has changed nobody.
    if known.started_at.is_some() {
        let after = json!({ "applied": known.done_lines, "lines": known.valid_lines });
        tell(
            conn,
            actor,
            (action(known.kind, Step::Cancel), id),
            after,
            now,
        )?;
    }
    Ok(())
}

/// What is wrong with a file, as [`read`] kept it.
#[must_use]
pub fn problems(known: &UserImport) -> Vec<ImportProblem> {
    serde_json::from_str(&known.problems).unwrap_or_default()
}

/// What the trail tells of an import.
#[derive(Clone, Copy)]
enum Step {
    Start,
    Done,
    Cancel,
    Failed,
}

/// As the trail calls it.
const fn action(kind: ImportKind, step: Step) -> &'static str {
    match (kind, step) {
        (ImportKind::People, Step::Start) => "users.import",
        (ImportKind::People, Step::Done) => "users.import_done",
        (ImportKind::People, Step::Cancel) => "users.import_cancel",
        (ImportKind::People, Step::Failed) => "users.import_failed",
        (ImportKind::Parties, Step::Start) => "rps.import",
        (ImportKind::Parties, Step::Done) => "rps.import_done",
        (ImportKind::Parties, Step::Cancel) => "rps.import_cancel",
        (ImportKind::Parties, Step::Failed) => "rps.import_failed",
    }
}

/// What an import is called in the trail.
#[must_use]
pub fn subject(id: &str) -> String {
    format!("import {id}")
}

fn tell(
    conn: &mut DbConn,
    actor: &Actor,
    (action, id): (&'static str, &str),
    after: Value,
    now: UtcTime,
) -> Result<(), StoreError> {
    let deed = Deed {
        action,
        subject: subject(id),
        before: None,
        after: Some(after),
    };
    record(conn, actor, &deed, now)
}
