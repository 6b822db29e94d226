//! Users for export: the format of the import, so that one provider's export is another's import.

use super::second_factor::{self, SecondFactorError};
use crate::clock::UtcTime;
use crate::jose::KeyEncryptionKey;
use crate::model::attribute::attribute;
use crate::model::{Account, AccountId, Authenticator};
use crate::secret::Secret;
use crate::store::account::{self, AccountFilter};
use crate::store::{Store, StoreError, authenticator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
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

/// A person as they are exported.
struct Person {
    account: Account,
    /// The secret of their one-time codes, where that was asked for.
    totp_secret: Option<Secret<String>>,
    /// What else is told of their second factors: no secret, and nothing that an import could use.
    factors: Vec<Value>,
}

/// One person as an object of the import format; secrets (hash and one-time-code secret) only when asked for.
fn record(person: &Person, with_hashes: bool) -> Value {
    let Person {
        account,
        totp_secret,
        factors,
    } = person;
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
    if !factors.is_empty() {
        members.insert("second_factors".to_owned(), Value::from(factors.clone()));
    }
    Value::Object(members)
}

/// What is told of a second factor.
fn factor_of(known: &Authenticator) -> Value {
    json!({
        "method": known.method.name(),
        "name": known.name,
        "created_at": known.created_at.to_rfc3339(),
        "last_used_at": known.last_used_at.map(UtcTime::to_rfc3339),
    })
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
            let ids: Vec<&AccountId> = page.rows.iter().map(|account| &account.id).collect();
            let mut factors: BTreeMap<String, Vec<Value>> = BTreeMap::new();
            for known in authenticator::active_of(conn, &ids)? {
                let of_person = factors.entry(known.account.to_string()).or_default();
                of_person.push(factor_of(&known));
            }
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
                    Ok(Person {
                        factors: factors.remove(account.id.as_str()).unwrap_or_default(),
                        account,
                        totp_secret: secret,
                    })
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
