//! Users for export: the format of the import, so that one provider's export is another's import.

use crate::model::Account;
use crate::model::attribute::attribute;
use crate::store::account::{self, AccountPage};
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
    /// Where it is written.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

/// One person as an object of the import format; secrets (hash and one-time-code secret) only when asked for.
#[must_use]
pub fn record(account: &Account, with_hashes: bool) -> Value {
    let mut members = Map::new();
    members.insert(
        "username".to_owned(),
        Value::from(account.username.as_str()),
    );
    if with_hashes {
        let secrets = [
            ("password_hash", &account.password_hash),
            ("totp_secret", &account.totp_secret),
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

/// Writes everybody as JSON lines, by username; returns how many.
///
/// # Errors
/// The database's, the writer's.
pub fn json_lines(
    store: &Store,
    with_hashes: bool,
    out: &mut dyn Write,
) -> Result<usize, ExportError> {
    each_page(store, &mut |page| {
        for account in page {
            writeln!(out, "{}", record(account, with_hashes))?;
        }
        Ok(())
    })
}

/// As [`json_lines`], as CSV: attributes as one JSON cell.
///
/// # Errors
/// The database's, the writer's.
pub fn csv(store: &Store, with_hashes: bool, out: &mut dyn Write) -> Result<usize, ExportError> {
    let names: &[&str] = if with_hashes {
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
    let count = each_page(store, &mut |page| {
        for account in page {
            let record = record(account, with_hashes);
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
    visit: &mut dyn FnMut(&[Account]) -> Result<(), ExportError>,
) -> Result<usize, ExportError> {
    let mut page = AccountPage {
        limit: PAGE,
        ..AccountPage::default()
    };
    let mut count = 0;
    loop {
        let asked = page.clone();
        let accounts: Vec<Account> =
            store.read_blocking(move |conn| account::search(conn, &asked))?;
        visit(&accounts)?;
        count += accounts.len();
        match accounts.last() {
            Some(last) if u32::try_from(accounts.len()).is_ok_and(|rows| rows >= PAGE) => {
                page.after = Some(last.username.clone())
            }
            _ => return Ok(count),
        }
    }
}
