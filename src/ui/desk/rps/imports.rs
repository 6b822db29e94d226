//! RPs from a file: judged as a whole, then applied in parts, as people are ([`crate::administration::imports`]).

use crate::administration::imports::parties::{PartyFault, PartyFileError, PartyRow, read, report};
use crate::administration::parties::exchange::FileError;
use crate::model::{ImportKind, UserImport};
use crate::ui::desk::imports::{Imported, NotRead, Sent};
use crate::ui::desk::{Desk, Section};
use crate::ui::{ImportEntryView, ImportPartyView};
use std::io::Read as _;

/// Bytes of a file: 20,000 RPs with keys of their own.
const MOST_BYTES: u64 = 32 << 20;

/// Relying parties.
pub(in crate::ui::desk) struct Parties;

impl Imported for Parties {
    const KIND: ImportKind = ImportKind::Parties;
    const SECTION: Section = Section::Rps;
    const LIST: &'static str = "/admin/rps/import";
    const ONE: &'static str = "/admin/rps/import/one";
    const START: &'static str = "/admin/rps/import/start";
    const CANCEL: &'static str = "/admin/rps/import/cancel";
    const REPORT: Option<&'static str> = None;
    const FILES: &'static str = ".json,application/json";

    fn read(sent: Sent) -> Result<String, NotRead> {
        let mut bytes = Vec::new();
        // What cannot be read is no JSON either.
        if let Ok(input) = sent.open() {
            let _so_many = input.take(MOST_BYTES + 1).read_to_end(&mut bytes);
        }
        if u64::try_from(bytes.len()).is_ok_and(|size| size > MOST_BYTES) {
            return Err(NotRead::NoSuchFile("desk-rp-file-too-large", None));
        }
        let text = String::from_utf8(bytes).unwrap_or_default();
        let into = (&sent.shared.store, &sent.shared.key_encryption_key);
        let file = (sent.name.as_str(), text.as_str(), &sent.shared.server);
        read(into, &sent.actor, file, sent.now).map_err(|error| match error {
            PartyFileError::Import(error) => error.into(),
            PartyFileError::File(FileError::NotJson(cause)) => {
                NotRead::NoSuchFile("desk-rp-file-not-json", Some(cause.to_string()))
            }
            PartyFileError::File(FileError::NotAFile) => {
                NotRead::NoSuchFile("desk-rp-file-not-a-file", None)
            }
            PartyFileError::File(FileError::TooMany) => {
                NotRead::NoSuchFile("desk-rp-file-too-many", None)
            }
        })
    }

    fn entries(desk: &Desk<'_>, known: &UserImport) -> (Vec<ImportEntryView>, usize) {
        let told = report(known);
        let rows = told.rows.into_iter().map(|entry| row(desk, entry));
        (rows.collect(), told.left_out)
    }
}

fn row(desk: &Desk<'_>, entry: PartyRow) -> ImportEntryView {
    let mut providers = desk.state.providers.iter();
    let op = providers.find(|op| op.settings.id == entry.issuer);
    let op = op.filter(|_| entry.kind != "wrong");
    let url = op.map(|op| super::link_to(op, &entry.client_id));
    let says = |fault: &PartyFault| {
        let says = desk.text(&format!("desk-rp-problem-{}", fault.problem));
        match &fault.value {
            Some(value) => format!("{} {value}: {says}", fault.member),
            None => format!("{}: {says}", fault.member),
        }
    };
    ImportEntryView {
        number: u64::try_from(entry.number).unwrap_or(u64::MAX),
        faults: entry.faults.iter().map(says).collect(),
        party: Some(ImportPartyView {
            issuer: entry.issuer,
            client_id: entry.client_id,
            kind: entry.kind,
            url,
        }),
    }
}
