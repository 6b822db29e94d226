//! Users for import (INTERFACE.md): JSON lines and CSV, a line in memory at a time, every line judged before anything is
//! written.

mod apply;

pub use apply::{Batch, Changed, apply, apply_batch, hash_all, known_hashes};

use super::fault::{Fault, FaultKind};
use super::form::{check_attribute, is_sound};
use super::lines::{Lines, Members};
use super::password::{PasswordError, check_hash};
use super::second_factor::{self, SecondFactorError};
use crate::model::attribute::{attribute, canonical_claim};
use crate::secret::{self, Secret};
use crate::store::StoreError;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap};
use std::io::BufRead;

/// Rows of one transaction: logins go on in between. On SQLite a login waits for one such transaction at each of its own.
pub const BATCH: usize = 100;
/// Problems that are reported; a file with more is of another format.
pub const MOST_PROBLEMS: usize = 1000;

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// A header line with names of members and claims; objects as JSON in a cell.
    Csv,
}

impl Format {
    /// The format of a file that begins so: what begins with `{` is JSON.
    #[must_use]
    pub fn guess(head: &[u8]) -> Self {
        let head = head.strip_prefix("\u{feff}".as_bytes()).unwrap_or(head);
        if head.trim_ascii_start().starts_with(b"{") {
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProblem {
    /// From 1.
    pub line: u64,
    /// What.
    pub fault: Fault,
}

impl std::fmt::Display for ImportProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
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

/// The lines of a file, judged one after the other. `custom` are names of attributes outside the table that an issuer's
/// `attributes` refer to.
pub struct Records<'a, R> {
    lines: Lines<R>,
    custom: &'a BTreeSet<String>,
    /// Half a hash of every username, and its line: a million names would be in memory otherwise.
    seen: HashMap<[u8; 16], u64>,
}

impl<'a, R: BufRead> Records<'a, R> {
    /// The format is guessed when it is not told.
    pub fn read(input: R, format: Option<Format>, custom: &'a BTreeSet<String>) -> Self {
        Self {
            lines: Lines::open(input, format),
            custom,
            seen: HashMap::new(),
        }
    }

    fn judge(&mut self, line: u64, members: Members) -> Result<UserRecord, Vec<Fault>> {
        let members = members.map_err(|fault| vec![fault])?;
        let record = record(&members, self.custom)?;
        let mut key = [0; 16];
        let hash = secret::sha256(record.username.as_bytes());
        key.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        match self.seen.get(&key) {
            Some(first) => Err(vec![FaultKind::UsernameAgain.of("", first)]),
            None => {
                self.seen.insert(key, line);
                Ok(record)
            }
        }
    }
}

impl<R: BufRead> Iterator for Records<'_, R> {
    type Item = (u64, Result<UserRecord, Vec<Fault>>);

    fn next(&mut self) -> Option<Self::Item> {
        let (line, members) = self.lines.next()?;
        Some((line, self.judge(line, members)))
    }
}

/// Reads a whole file.
///
/// # Errors
/// The problems of the file, by line; at most [`MOST_PROBLEMS`] and those of the last line.
pub fn read(
    input: impl BufRead,
    format: Option<Format>,
    custom: &BTreeSet<String>,
) -> Result<Vec<UserRecord>, Vec<ImportProblem>> {
    let mut problems = Vec::new();
    let mut records = Vec::new();
    for (line, found) in Records::read(input, format, custom) {
        match found {
            Err(faults) => problems.extend(
                faults
                    .into_iter()
                    .map(|fault| ImportProblem { line, fault }),
            ),
            Ok(record) => records.push(record),
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

const MEMBERS: &str = "username, password, password_hash, totp_secret, enabled, attributes";

fn record(
    members: &Map<String, Value>,
    custom: &BTreeSet<String>,
) -> Result<UserRecord, Vec<Fault>> {
    let mut faults = Vec::new();
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
                .map_err(|_| FaultKind::PasswordHash.alone()),
            ("totp_secret", Value::String(text)) => second_factor::read_base32(text)
                .map(|secret| totp_secret = Some(secret))
                .map_err(|_| FaultKind::TotpSecret.alone()),
            ("enabled", Value::Bool(value)) => {
                enabled = Some(*value);
                Ok(())
            }
            ("attributes", Value::Object(claims)) => {
                attributes = Some(read_attributes(claims, custom, &mut faults));
                Ok(())
            }
            // An export tells of them; keys and secrets that people registered cannot be moved.
            ("second_factors", Value::Array(_)) => Ok(()),
            ("username" | "password" | "password_hash" | "totp_secret", _) => {
                Err(FaultKind::NotText.of(name, ""))
            }
            ("enabled", _) => Err(FaultKind::NotBoolean.of(name, "")),
            ("attributes", _) => Err(FaultKind::NotObject.of(name, "")),
            _ => Err(FaultKind::UnknownMember.of(name, MEMBERS)),
        };
        faults.extend(result.err());
    }
    if password.is_some() && hash.is_some() {
        faults.push(FaultKind::BothPasswords.alone());
    }
    match username {
        Some(username) if faults.is_empty() => Ok(UserRecord {
            username,
            password: hash.or(password),
            totp_secret,
            enabled,
            attributes,
        }),
        None if faults.is_empty() => Err(vec![FaultKind::NoUsername.alone()]),
        _ => Err(faults),
    }
}

/// Whether text can be a username.
///
/// # Errors
/// What is expected.
pub fn check_username(text: &str) -> Result<(), Fault> {
    let fits = !text.is_empty()
        && text.len() <= 255
        && text.trim() == text
        && !text.contains(char::is_control);
    if fits {
        Ok(())
    } else {
        Err(FaultKind::Username.alone())
    }
}

/// Whether text can be a person's password, as other programs let people have one.
///
/// # Errors
/// What is expected.
fn check_password(text: &str) -> Result<(), Fault> {
    if text.is_empty() || text.len() > 1024 {
        return Err(FaultKind::Password.alone());
    }
    Ok(())
}

/// Claims as canonical attributes; what is wrong is added to `faults`.
pub fn read_attributes(
    claims: &Map<String, Value>,
    custom: &BTreeSet<String>,
    faults: &mut Vec<Fault>,
) -> Map<String, Value> {
    let mut attributes = Map::new();
    for (claim, value) in claims.iter().filter(|(_, value)| !value.is_null()) {
        let name = canonical_claim(claim).unwrap_or(claim);
        let checked = match attribute(claim) {
            Some(info) => check_attribute(info, claim, value),
            None if !custom.contains(claim) => Err(FaultKind::UnknownClaim.of(claim, "")),
            None if is_sound(value, 4) => Ok(value.clone()),
            None => Err(FaultKind::TooDeep.of(claim, "")),
        };
        match checked {
            Err(fault) => faults.push(fault),
            Ok(value) => {
                let before = attributes.insert(name.to_owned(), value.clone());
                if before.is_some_and(|before| before != value) {
                    faults.push(FaultKind::TwoNames.of(claim, ""));
                }
            }
        }
    }
    attributes
}
