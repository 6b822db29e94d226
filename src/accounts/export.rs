//! Users for export: the format of the import, so that one provider's export is another's import.

use super::second_factor::{self, SecondFactorError};
use crate::clock::UtcTime;
use crate::jose::KeyEncryptionKey;
use crate::model::Account;
use crate::model::attribute::attribute;
use crate::secret::Secret;
use crate::store::account::{self, AccountFilter};
use crate::store::{Store, StoreError};
use serde_json::{Map, Value};
use std::io::Write;

/// People read at once.
const PAGE: u32 = 500;

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret cannot be read.
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorError),
    /// Where it is written.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

/// What opens the secrets of an export.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// Opens one-time-code secrets.
    pub key: &'a KeyEncryptionKey,
    /// The time.
    pub now: UtcTime,
}

/// A person with the secret of their one-time codes, where that was asked for.
type Person = (Account, Option<Secret<String>>);

/// One person as an object of the import format; secrets (hash and one-time-code secret) only when asked for.
fn record((account, totp_secret): &Person, with_hashes: bool) -> Value {
    let mut members = Map::new();
    members.insert(
        "username".to_owned(),
        Value::from(account.username.as_str()),
    );
    if with_hashes {
        let secrets = [
            ("password_hash", account.password_hash.as_ref()),
            ("totp_secret", totp_secret.as_ref().map(Secret::expose)),
        ];
        for (name, secret) in secrets {
            if let Some(secret) = secret {
                members.insert(name.to_owned(), Value::from(secret.as_str()));
            }
        }
    }
    members.insert("enabled".to_owned(), Value::Bool(account.enabled));
    let attributes: Map<String, Value> = account
        .attributes
        .iter()
        .map(|(name, value)| {
            let claim = attribute(name).map_or_else(|| name.clone(), |info| info.claim());
            (claim, value.clone())
        })
        .collect();
    members.insert("attributes".to_owned(), Value::Object(attributes));
    Value::Object(members)
}

/// Writes everybody as JSON lines, by username, with secrets if there is something to open them with; returns how many.
///
/// # Errors
/// The database's, the writer's.
pub fn json_lines(
    store: &Store,
    secrets: Option<Opening<'_>>,
    out: &mut dyn Write,
) -> Result<usize, ExportError> {
    each_page(store, secrets, &mut |page| {
        for person in page {
            writeln!(out, "{}", record(person, secrets.is_some()))?;
        }
        Ok(())
    })
}

/// As [`json_lines`], as CSV: attributes as one JSON cell.
///
/// # Errors
/// The database's, the writer's.
pub fn csv(
    store: &Store,
    secrets: Option<Opening<'_>>,
    out: &mut dyn Write,
) -> Result<usize, ExportError> {
    let names: &[&str] = if secrets.is_some() {
        &[
            "username",
            "password_hash",
            "totp_secret",
            "enabled",
            "attributes",
        ]
    } else {
        &["username", "enabled", "attributes"]
    };
    let mut writer = csv::Writer::from_writer(out);
    let failed = |error: csv::Error| ExportError::Write(std::io::Error::other(error));
    writer.write_record(names).map_err(failed)?;
    let count = each_page(store, secrets, &mut |page| {
        for person in page {
            let record = record(person, secrets.is_some());
            let cells = names.iter().map(|name| match record.get(name) {
                None => String::new(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            });
            writer.write_record(cells).map_err(failed)?;
        }
        Ok(())
    })?;
    writer.flush()?;
    Ok(count)
}

fn each_page(
    store: &Store,
    secrets: Option<Opening<'_>>,
    visit: &mut dyn FnMut(&[Person]) -> Result<(), ExportError>,
) -> Result<usize, ExportError> {
    let mut after = None;
    let mut count = 0;
    loop {
        let (people, next) = store.read_blocking(|conn| -> Result<_, SecondFactorError> {
            let page = account::search(conn, &AccountFilter::all(), after.as_ref(), PAGE)?;
            let people: Result<Vec<Person>, SecondFactorError> = page
                .rows
                .into_iter()
                .map(|account| {
                    let secret = match secrets {
                        None => None,
                        Some(Opening { key, now }) => {
                            second_factor::exported_totp(conn, key, &account.id, now)?
                        }
                    };
                    Ok((account, secret))
                })
                .collect();
            Ok((people?, page.next))
        })?;
        visit(&people)?;
        count += people.len();
        match next {
            Some(cursor) => after = Some(cursor),
            None => return Ok(count),
        }
    }
}
