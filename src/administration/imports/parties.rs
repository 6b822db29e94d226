//! Imports of relying parties: a file as the export writes it, judged whole, with what would become of each entry.

use super::{ImportError, PartWriter, begin};
use crate::accounts::import::BATCH;
use crate::administration::parties::Rules;
use crate::administration::parties::exchange::{
    self, Entry, EntryFault, FileError, Outcome, Ready, preview,
};
use crate::clock::UtcTime;
use crate::config::ServerSettings;
use crate::jose::KeyEncryptionKey;
use crate::model::{Actor, ImportKind, UserImport};
use crate::store::{Store, StoreError, user_import};
use serde::{Deserialize, Serialize};

/// Entries of the report that are kept; those that are wrong first.
const MOST_ROWS: usize = 200;
/// Faults of an entry that are kept.
const MOST_FAULTS: usize = 10;
/// Entries of a part.
const PER_PART: usize = 100;

/// Why nothing of a file was kept.
#[derive(Debug, thiserror::Error)]
pub enum PartyFileError {
    /// It is none.
    #[error(transparent)]
    File(#[from] FileError),
    /// It could not be kept.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// What is told of a file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PartyReport {
    /// Entries, those that are wrong first.
    pub rows: Vec<PartyRow>,
    /// Further ones.
    pub left_out: usize,
}

/// An entry of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartyRow {
    /// Its place, from 1.
    pub number: usize,
    /// What it says of itself.
    pub issuer: String,
    /// As above.
    pub client_id: String,
    /// `wrong`, `added`, `added_secret`, `changed`, `unchanged` or `not_registered`.
    pub kind: String,
    /// What is wrong.
    pub faults: Vec<PartyFault>,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartyFault {
    /// Which member.
    pub member: String,
    /// Which of its values.
    pub value: Option<String>,
    /// The problem's name.
    pub problem: String,
}

impl From<&EntryFault> for PartyFault {
    fn from(fault: &EntryFault) -> Self {
        Self {
            member: fault.member.clone(),
            value: fault.value.clone(),
            problem: fault.problem.name().to_owned(),
        }
    }
}

/// Reads a file into the database and judges it; no RP is changed before [`super::start`]. Blocks.
///
/// # Errors
/// It is none; the database's, sealing's.
pub fn read(
    (store, key): (&Store, &KeyEncryptionKey),
    actor: &Actor,
    (name, text, settings): (&str, &str, &ServerSettings),
    now: UtcTime,
) -> Result<String, PartyFileError> {
    let development = settings.development;
    let rules = |id: &str| Rules::of(settings.issuer(id)?, development);
    let entries = exchange::read(text, rules)?;
    let becomes = store
        .read_blocking(|conn| {
            let one = |entry: &Entry| match &entry.judged {
                Ok(ready) => preview(conn, ready).map(Some),
                Err(_) => Ok(None),
            };
            entries
                .iter()
                .map(one)
                .collect::<Result<Vec<_>, StoreError>>()
        })
        .map_err(ImportError::from)?;
    let id = begin(store, actor, (ImportKind::Parties, name), now)?;
    let mut part = PartWriter::new((store, key), &id, now);
    let mut counts = (0, 0);
    let mut rows = Vec::new();
    for (entry, became) in entries.iter().zip(becomes) {
        let row = row(entry, became);
        match (&entry.judged, became) {
            (Ok(ready), Some(became)) if became != Outcome::NotRegistered => {
                counts.0 += 1;
                part.push(Ready::clone(ready), BATCH / PER_PART)?;
                rows.push((true, row));
            }
            _ => {
                counts.1 += 1;
                rows.push((false, row));
            }
        }
    }
    part.write()?;
    rows.sort_by_key(|(is_good, _)| *is_good);
    let report = PartyReport {
        left_out: rows.len().saturating_sub(MOST_ROWS),
        rows: rows
            .into_iter()
            .map(|(_, row)| row)
            .take(MOST_ROWS)
            .collect(),
    };
    let report = serde_json::to_string(&report).unwrap_or_default();
    let read = id.clone();
    store
        .write_blocking(move |tx| user_import::finish_reading(tx, &read, counts, &report))
        .map_err(ImportError::from)?;
    Ok(id)
}

fn row(entry: &Entry, became: Option<Outcome>) -> PartyRow {
    let kind = match became {
        None => "wrong",
        Some(Outcome::Added { needs_secret: true }) => "added_secret",
        Some(Outcome::Added {
            needs_secret: false,
        }) => "added",
        Some(Outcome::Changed) => "changed",
        Some(Outcome::Unchanged) => "unchanged",
        Some(Outcome::NotRegistered) => "not_registered",
    };
    let faults = entry.judged.as_ref().err();
    PartyRow {
        number: entry.number,
        issuer: entry.issuer.clone(),
        client_id: entry.client_id.clone(),
        kind: kind.to_owned(),
        faults: faults
            .into_iter()
            .flatten()
            .take(MOST_FAULTS)
            .map(PartyFault::from)
            .collect(),
    }
}

/// What is told of a file, as [`read`] kept it.
#[must_use]
pub fn report(known: &UserImport) -> PartyReport {
    serde_json::from_str(&known.problems).unwrap_or_default()
}
