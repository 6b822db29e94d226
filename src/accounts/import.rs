//! Users for import (INTERFACE.md): JSON lines and CSV, judged as a whole before anything is written.

use super::form::{check_attribute, is_sound};
use super::lines::{csv_lines, json_lines, without_mark};
use super::password::{PasswordError, check_hash, hash_password};
use super::second_factor::{self, SecondFactorError};
use crate::clock::UtcTime;
use crate::jose::KeyEncryptionKey;
use crate::model::attribute::{attribute, canonical_claim};
use crate::model::{Account, AccountId};
use crate::secret::Secret;
use crate::store::{Store, StoreError, account};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one transaction: logins go on in between.
const BATCH: usize = 500;
/// Problems that are reported; a file with more is of another format.
const MOST_PROBLEMS: usize = 1000;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// A header line with names of members and claims; objects as JSON in a cell.
    Csv,
}

impl Format {
    /// The format of a text: what begins with `{` is JSON.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        if without_mark(text).trim_start().starts_with('{') {
            Self::JsonLines
        } else {
            Self::Csv
        }
    }
}

/// What a file says of a password.
#[derive(Clone, Debug, PartialEq)]
pub enum NewPassword {
    /// In clear; hashed on the way in.
    Clear(Secret<String>),
    /// An argon2id PHC string.
    Hash(String),
}

/// A line that was understood. What it does not say, an existing person keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct UserRecord {
    /// What the person types.
    pub username: String,
    /// The password.
    pub password: Option<NewPassword>,
    /// Base32 (RFC 4648) in capitals, without padding; sealed on the way in.
    pub totp_secret: Option<String>,
    /// Whether the person may log in.
    pub enabled: Option<bool>,
    /// By canonical name; replaces all that the person had.
    pub attributes: Option<Map<String, Value>>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportProblem {
    /// From 1.
    pub line: u64,
    /// What, and what is expected. Holds no value of the file, since values are personal data.
    pub message: String,
}

impl std::fmt::Display for ImportProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Why an import did not happen or did not finish.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nothing was written.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<ImportProblem>),
    /// Nothing was written.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Nothing was written: secrets of one-time codes are stored sealed.
    #[error("totp_secret needs the key-encryption key, which seals it")]
    NoKey,
    /// People before were written; running the import again is harmless.
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorError),
    /// People before were written; running the import again is harmless.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// People who were not known.
    pub added: usize,
    /// People who were.
    pub updated: usize,
}

/// Reads a whole file. `custom` are names of attributes outside the table that an issuer's `attributes` refer to.
///
/// # Errors
/// Every problem of the file, by line.
pub fn read(
    text: &str,
    format: Format,
    custom: &BTreeSet<String>,
) -> Result<Vec<UserRecord>, Vec<ImportProblem>> {
    let text = without_mark(text);
    let lines = match format {
        Format::JsonLines => json_lines(text),
        Format::Csv => csv_lines(text),
    };
    let mut problems = Vec::new();
    let mut records = Vec::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for (line, members) in lines {
        let found = members
            .map_err(|message| vec![message])
            .and_then(|members| record(&members, custom));
        match found {
            Err(messages) => problems.extend(
                messages
                    .into_iter()
                    .map(|message| ImportProblem { line, message }),
            ),
            Ok(record) => {
                if let Some(first) = seen.insert(record.username.clone(), line) {
                    let message = format!("username of line {first} again; every username once");
                    problems.push(ImportProblem { line, message });
                }
                records.push(record);
            }
        }
        if problems.len() >= MOST_PROBLEMS {
            break;
        }
    }
    if problems.is_empty() {
        Ok(records)
    } else {
        Err(problems)
    }
}

/// Writes records: hashes every password in clear first, on all cores, then the rows. The key is needed only for records
/// with a `totp_secret`.
///
/// # Errors
/// argon2's, the database's.
pub fn apply(
    store: &Store,
    mut records: Vec<UserRecord>,
    key: Option<&KeyEncryptionKey>,
    now: UtcTime,
) -> Result<ImportSummary, ImportError> {
    if key.is_none() && records.iter().any(|record| record.totp_secret.is_some()) {
        return Err(ImportError::NoKey);
    }
    hash_all(&mut records)?;
    let mut summary = ImportSummary::default();
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let batch: Vec<UserRecord> = records.by_ref().take(BATCH).collect();
        let key = key.cloned();
        let done: ImportSummary = store.write_blocking(move |conn| {
            let mut done = ImportSummary::default();
            for mut record in batch {
                let secret = record.totp_secret.take();
                let known = account::find_by_username(conn, &record.username)?;
                match known {
                    Some(_) => done.updated += 1,
                    None => done.added += 1,
                }
                let id = account::upsert(conn, &merged(record, known, now))?;
                if let (Some(secret), Some(key)) = (&secret, &key) {
                    second_factor::give_totp(conn, key, &id, secret, now)?;
                }
            }
            Ok::<_, SecondFactorError>(done)
        })?;
        summary.added += done.added;
        summary.updated += done.updated;
    }
    Ok(summary)
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

fn hash_all(records: &mut [UserRecord]) -> Result<(), PasswordError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = records.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = records
            .chunks_mut(share)
            .map(|part| scope.spawn(|| part.iter_mut().try_for_each(hash_one)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .unwrap_or_else(|_| Err(PasswordError::Argon2("a thread failed".to_owned())))
        })
    })
}

fn hash_one(record: &mut UserRecord) -> Result<(), PasswordError> {
    if let Some(NewPassword::Clear(password)) = &record.password {
        record.password = Some(NewPassword::Hash(hash_password(password.expose())?));
    }
    Ok(())
}

const MEMBERS: &str = "username, password, password_hash, totp_secret, enabled, attributes";

fn record(
    members: &Map<String, Value>,
    custom: &BTreeSet<String>,
) -> Result<UserRecord, Vec<String>> {
    let mut messages = Vec::new();
    let mut username = None;
    let mut password = None;
    let mut hash = None;
    let mut totp_secret = None;
    let mut enabled = None;
    let mut attributes = None;
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let result = match (name.as_str(), value) {
            ("username", Value::String(text)) => {
                check_username(text).map(|()| username = Some(text.clone()))
            }
            ("password", Value::String(text)) => check_password(text)
                .map(|()| password = Some(NewPassword::Clear(Secret::new(text.clone())))),
            ("password_hash", Value::String(text)) => check_hash(text)
                .map(|()| hash = Some(NewPassword::Hash(text.clone())))
                .map_err(|error| format!("password_hash: {error}")),
            ("totp_secret", Value::String(text)) => second_factor::read_base32(text)
                .map(|secret| totp_secret = Some(secret))
                .map_err(|_| "totp_secret: expected 10 to 128 bytes in Base32".to_owned()),
            ("enabled", Value::Bool(value)) => {
                enabled = Some(*value);
                Ok(())
            }
            ("attributes", Value::Object(claims)) => {
                attributes = Some(read_attributes(claims, custom, &mut messages));
                Ok(())
            }
            ("username" | "password" | "password_hash" | "totp_secret", _) => {
                Err(format!("{name}: expected text"))
            }
            ("enabled", _) => Err("enabled: expected true or false".to_owned()),
            ("attributes", _) => Err("attributes: expected an object".to_owned()),
            _ => Err(format!("unknown member {name}; expected {MEMBERS}")),
        };
        messages.extend(result.err());
    }
    if password.is_some() && hash.is_some() {
        messages.push("both password and password_hash; expected one of the two".to_owned());
    }
    match username {
        Some(username) if messages.is_empty() => Ok(UserRecord {
            username,
            password: hash.or(password),
            totp_secret,
            enabled,
            attributes,
        }),
        None if messages.is_empty() => Err(vec!["no username".to_owned()]),
        _ => Err(messages),
    }
}

/// Whether text can be a username.
///
/// # Errors
/// What is expected.
pub fn check_username(text: &str) -> Result<(), String> {
    let fits = !text.is_empty()
        && text.len() <= 255
        && text.trim() == text
        && !text.contains(char::is_control);
    if fits {
        Ok(())
    } else {
        Err(
            "username: expected 1 to 255 bytes without control characters, and no space at either end"
                .to_owned(),
        )
    }
}

fn check_password(text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > 1024 {
        return Err(format!("password: {}", PasswordError::Length));
    }
    Ok(())
}

/// Claims as canonical attributes; what is wrong is added to `messages`.
pub fn read_attributes(
    claims: &Map<String, Value>,
    custom: &BTreeSet<String>,
    messages: &mut Vec<String>,
) -> Map<String, Value> {
    let mut attributes = Map::new();
    for (claim, value) in claims.iter().filter(|(_, value)| !value.is_null()) {
        let name = canonical_claim(claim).unwrap_or(claim);
        let checked = match attribute(claim) {
            Some(info) => {
                check_attribute(info, value).map_err(|e| format!("{claim}: expected {e}"))
            }
            None if !custom.contains(claim) => Err(format!(
                "unknown claim {claim}; expected one of the attribute table, or one named in an issuer's `attributes`"
            )),
            None if is_sound(value, 4) => Ok(value.clone()),
            None => Err(format!("{claim}: too long or too deep")),
        };
        match checked {
            Err(message) => messages.push(message),
            Ok(value) => {
                let before = attributes.insert(name.to_owned(), value.clone());
                if before.is_some_and(|before| before != value) {
                    messages.push(format!(
                        "{claim}: given under two names with different values"
                    ));
                }
            }
        }
    }
    attributes
}
