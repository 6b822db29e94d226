//! People from a file of CSV or JSON lines.

use super::fault_text;
use crate::accounts::import::Format;
use crate::administration::imports::{self, ImportError, ImportFile};
use crate::administration::users;
use crate::endpoint::{Reply, Trouble};
use crate::model::{ImportKind, UserImport};
use crate::ui::ImportEntryView;
use crate::ui::desk::imports::{Imported, NotRead, Sent, state_of, wanted};
use crate::ui::desk::{Desk, Outcome, Section};
use crate::ui::visit::PageFailure;

pub(super) const REPORT: &str = "/admin/users/import/report";
/// Problems on a page; the report has all that are kept.
const MOST_PROBLEMS: usize = 200;

/// People.
pub(in crate::ui::desk) struct People;

impl Imported for People {
    const KIND: ImportKind = ImportKind::People;
    const SECTION: Section = Section::Users;
    const LIST: &'static str = "/admin/users/import";
    const ONE: &'static str = "/admin/users/import/one";
    const START: &'static str = "/admin/users/import/start";
    const CANCEL: &'static str = "/admin/users/import/cancel";
    const REPORT: Option<&'static str> = Some(REPORT);
    const FILES: &'static str = ".csv,.jsonl,.json,.txt,text/csv";

    fn read(sent: Sent) -> Result<String, NotRead> {
        let failed = |_| ImportError::Unreadable(String::new());
        let file = ImportFile {
            name: sent.name.clone(),
            input: sent.open().map_err(failed)?,
            format: match sent.format.as_str() {
                "csv" => Some(Format::Csv),
                "jsonl" => Some(Format::JsonLines),
                _ => None,
            },
        };
        let into = (&sent.shared.store, &sent.shared.key_encryption_key);
        let custom = users::custom_attributes(&sent.shared.server);
        Ok(imports::read(into, &sent.actor, (file, &custom), sent.now)?)
    }

    fn entries(desk: &Desk<'_>, known: &UserImport) -> (Vec<ImportEntryView>, usize) {
        let all = imports::problems(known);
        let told = all
            .iter()
            .take(MOST_PROBLEMS)
            .map(|problem| ImportEntryView {
                number: problem.line,
                party: None,
                faults: vec![fault_text(desk, &problem.fault)],
            });
        (told.collect(), all.len().saturating_sub(MOST_PROBLEMS))
    }
}

/// What came of the import, and every problem that is kept, as CSV.
pub(super) async fn report(desk: &Desk<'_>) -> Outcome {
    let known = wanted::<People>(desk, desk.query().get("id").unwrap_or_default()).await?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut rows = vec![
        ["line".to_owned(), "result".to_owned()],
        [
            String::new(),
            desk.text(&format!("desk-import-state-{}", state_of(&known))),
        ],
    ];
    for (key, count) in [
        ("desk-import-done", known.done_lines),
        ("desk-import-added", known.added),
        ("desk-import-updated", known.updated),
        ("desk-import-bad", known.bad_lines),
    ] {
        rows.push([String::new(), format!("{}: {count}", desk.text(key))]);
    }
    rows.extend(imports::problems(&known).iter().map(|problem| {
        // A spreadsheet runs what begins like a formula; names of columns come from the file.
        let text = fault_text(desk, &problem.fault);
        let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
            true => format!("'{text}"),
            false => text,
        };
        [problem.line.to_string(), text]
    }));
    let failed = PageFailure::Refused(Trouble::ServerError, "the report could not be written");
    for row in rows {
        if writer.write_record(&row).is_err() {
            return Err(failed);
        }
    }
    let bytes = writer.into_inner().map_err(|_| failed)?;
    Ok(Reply::bytes(200, "text/csv; charset=utf-8", bytes)
        .header("Cache-Control", "no-store")
        .header("Content-Disposition", "attachment; filename=\"import.csv\""))
}
