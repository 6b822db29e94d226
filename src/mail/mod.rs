//! E-mails to people: what they say, the queue in the database, and the way out. The only user of lettre.
//!
//! ```text
//! queue (in the transaction of what it tells of) ─► letter: text in the person's language ─► sealed row
//! Courier::turn (every node, every second) ─► claim a due row ─► smtp ─► sent │ postponed, ever longer │ given up
//! ```
//!
//! Whoever tells people of something calls `Provider::queue_mail` with a [`Letter`]. Nobody is told twice without need: a
//! row is claimed by one sender, and marked as sent by a conditional UPDATE. A sender that dies between the mail server's
//! "accepted" and that UPDATE leaves a row that is sent again, with the same `Message-ID`, by which mail programs know it.
//!
//! To add a letter: a variant of [`Letter`] and its messages in `locales/*/mail.ftl`; the compiler and the tests name the
//! rest.

mod courier;
mod letter;
mod smtp;
#[cfg(test)]
mod tests;

pub use courier::{Courier, Round};
pub use letter::{FactorChange, Letter, Origin};

use crate::clock::UtcTime;
use crate::config::MailSettings;
use crate::jose::{JoseError, KeyEncryptionKey};
use crate::language::Locale;
use crate::language::catalog::TranslationError;
use crate::model::{Account, MailMessage, MailState};
use crate::random;
use crate::store::{DbConn, StoreError, account, mail_message};
use lettre::Address;
use serde::{Deserialize, Serialize};

const DAY_SECONDS: i64 = 86_400;

/// Why a mail could not be queued or read.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A message misses: a bug, which the tests meet first.
    #[error(transparent)]
    Text(#[from] TranslationError),
    /// openssl failed, or the row was sealed with another key-encryption key.
    #[error("mail {0}: {1}")]
    Seal(String, JoseError),
    /// What was sealed is no mail.
    #[error("mail {0}: what was sealed cannot be read")]
    Unreadable(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a mail says, and to whom: personal data, sealed in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailText {
    /// The address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

/// For whom mails are queued: one issuer's, at one time.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    /// Seals them.
    pub key: &'a KeyEncryptionKey,
    /// How they go out; absent: there are none.
    pub settings: Option<&'a MailSettings>,
    /// Who writes: the issuer's name.
    pub name: &'a str,
    /// The published address of the citizen's account.
    pub account_url: &'a str,
    /// Attributes of the registry that hold the address, the first one that a person has counts.
    pub address_attributes: &'a [String],
    /// The time.
    pub now: UtcTime,
}

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued {
    /// It will be sent.
    Yes,
    /// The person has been told, and once is enough.
    Before,
    /// There are no mails, or the person has no address.
    Nobody,
}

/// Queues a letter, in the transaction of what it tells of. Whoever has no address is skipped; the log says so.
///
/// # Errors
/// A message misses, openssl or the database failed.
pub fn queue(
    tx: &mut DbConn,
    sender: &Sender<'_>,
    person: &Account,
    letter: &Letter,
) -> Result<Queued, MailError> {
    let Some(settings) = sender.settings else {
        return Ok(Queued::Nobody);
    };
    let Some(to) = address_of(person, sender.address_attributes) else {
        log::info!(
            "event=mail.no_address account={} kind={}",
            person.id,
            letter.kind()
        );
        return Ok(Queued::Nobody);
    };
    let languages = account::languages(tx, &person.id)?;
    let locale = languages
        .for_mails()
        .and_then(Locale::parse)
        .unwrap_or_default();
    let (subject, body) = letter.write(locale, sender)?;
    let text = MailText { to, subject, body };
    let give_up_at = sender.now.plus_seconds(letter.useful_seconds());
    let retention = i64::from(settings.retention_days).saturating_mul(DAY_SECONDS);
    let mut new = MailMessage {
        id: random::identifier(),
        account: person.id.clone(),
        kind: letter.kind().to_owned(),
        distinct: letter.distinct(person, sender.now),
        sealed: Vec::new(),
        state: MailState::Queued,
        attempts: 0,
        created_at: sender.now,
        next_attempt_at: sender.now,
        give_up_at,
        done_at: None,
        reason: None,
        expires_at: give_up_at.plus_seconds(retention),
    };
    new.sealed = seal(sender.key, &new.id, &text)?;
    Ok(if mail_message::insert(tx, &new)? {
        Queued::Yes
    } else {
        Queued::Before
    })
}

/// The operator has a mail that was given up tried again, for as long as a new one. False: it was not given up.
///
/// # Errors
/// The database's.
pub fn retry(tx: &mut DbConn, id: &str, now: UtcTime) -> Result<bool, StoreError> {
    mail_message::requeue(tx, id, now, now.plus_seconds(letter::PATIENCE_SECONDS))
}

/// Whether a letter of this kind may be tried again after it was given up: a one-time code nobody waits for.
#[must_use]
pub fn is_of_use_late(kind: &str) -> bool {
    !Letter::is_worthless_late(kind)
}

/// The address of a person; none that is known not to be the person's.
#[must_use]
pub fn address_of(person: &Account, attributes: &[String]) -> Option<String> {
    let unverified = person
        .attributes
        .get("email_verified")
        .and_then(serde_json::Value::as_bool)
        == Some(false);
    if unverified {
        return None;
    }
    written_address(person, attributes)
        .filter(|text| text.parse::<Address>().is_ok())
        .map(str::to_owned)
}

/// What is written where the address of a person is looked for, whatever is known of it.
#[must_use]
pub fn written_address<'a>(person: &'a Account, attributes: &[String]) -> Option<&'a str> {
    attributes
        .iter()
        .find_map(|name| person.attributes.get(name)?.as_str())
        .map(str::trim)
}

/// What a mail is sealed together with, so that it can be opened only as this row.
fn associated_data(id: &str) -> Vec<u8> {
    format!("mail_message.sealed {id}").into_bytes()
}

fn seal(key: &KeyEncryptionKey, id: &str, text: &MailText) -> Result<Vec<u8>, MailError> {
    let json = serde_json::to_vec(text).map_err(|_| MailError::Unreadable(id.to_owned()))?;
    key.seal(&json, &associated_data(id))
        .map_err(|error| MailError::Seal(id.to_owned(), error))
}

/// What a mail says.
///
/// # Errors
/// It was sealed with another key-encryption key, or is no mail.
pub fn open(key: &KeyEncryptionKey, message: &MailMessage) -> Result<MailText, MailError> {
    let json = key
        .open(&message.sealed, &associated_data(&message.id))
        .map_err(|error| MailError::Seal(message.id.clone(), error))?;
    serde_json::from_slice(json.expose()).map_err(|_| MailError::Unreadable(message.id.clone()))
}
