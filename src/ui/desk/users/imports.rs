//! Imports: a file, what is wrong with it, and how far it is.

use super::super::visit::link;
use super::super::{Desk, Outcome, Section, trail};
use super::{PATH, fault_text};
use crate::accounts::import::Format;
use crate::administration::imports::{self, ImportError, ImportFile};
use crate::administration::users;
use crate::endpoint::{Reply, Trouble};
use crate::model::{ImportKind, ImportState, UserImport};
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::user_import;
use crate::ui::visit::PageFailure;
use crate::ui::{ImportPage, ImportProblemView, ImportRowView, ImportsPage};
use std::io::{BufReader, Cursor, Seek as _, SeekFrom};

pub(super) const IMPORTS: &str = "/admin/users/import";
pub(super) const IMPORT: &str = "/admin/users/import/one";
pub(super) const START: &str = "/admin/users/import/start";
pub(super) const CANCEL: &str = "/admin/users/import/cancel";
pub(super) const REPORT: &str = "/admin/users/import/report";
/// Imports of a page.
const PER_PAGE: u32 = 20;
/// Problems on a page; the report has all that are kept.
const MOST_PROBLEMS: usize = 200;
/// How often a page of an import that goes on comes again by itself.
const REFRESH_SECONDS: &str = "5";

const GONE: PageFailure = PageFailure::Refused(Trouble::NotFound, "there is no such import");

impl From<ImportError> for PageFailure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Unknown => GONE,
            other => {
                log::error!(
                    "event=import.failed reason={}",
                    crate::endpoint::quote(other)
                );
                Self::Refused(Trouble::ServerError, "the import failed")
            }
        }
    }
}

pub(super) async fn list(desk: &Desk<'_>) -> Outcome {
    page(desk, 200, None).await
}

async fn page(desk: &Desk<'_>, status: u16, error: Option<&str>) -> Outcome {
    let after = desk.query().get("after").and_then(TimeCursor::from_text);
    let found = desk
        .shared()
        .store
        .read(move |conn| user_import::search(conn, ImportKind::People, after.as_ref(), PER_PAGE))
        .await?;
    let next = found.next.map(|next| next.to_text());
    let page = ImportsPage {
        desk: desk.view(Section::Users),
        imports: found.rows.iter().map(|known| row(known, IMPORT)).collect(),
        error: error.map(|key| desk.text(&format!("desk-import-error-{key}"))),
        text: desk.form().get("text").unwrap_or_default().to_owned(),
        action_url: IMPORTS,
        back_url: PATH,
        next_url: next.map(|next| link(IMPORTS, &[("after", &next)])),
    };
    desk.page(status, &page)
}

/// In message keys.
pub(in crate::ui::desk) fn state_of(known: &UserImport) -> &'static str {
    match known.state {
        ImportState::Reading => "reading",
        ImportState::Ready => "ready",
        ImportState::Running => "running",
        ImportState::Done => "done",
        ImportState::Cancelled => "cancelled",
    }
}

/// An import in a list, with the page of its kind.
pub(in crate::ui::desk) fn row(known: &UserImport, page: &str) -> ImportRowView {
    ImportRowView {
        name: known.name.clone(),
        state: state_of(known),
        actor: known.actor.name.clone(),
        created_at: known.created_at,
        done: known.done_lines,
        total: known.valid_lines,
        url: link(page, &[("id", &known.id)]),
    }
}

/// Reads the file that was sent, or the text that was typed; nobody is changed.
pub(super) async fn read(desk: &Desk<'_>) -> Outcome {
    let upload = desk.inbound.upload.clone();
    let typed = desk.form().get("text").unwrap_or_default().to_owned();
    let format = match desk.field("format") {
        "csv" => Some(Format::Csv),
        "jsonl" => Some(Format::JsonLines),
        _ => None,
    };
    let (name, file) = match upload {
        Some(upload) if upload.bytes > 0 => (upload.name, Some(upload.file)),
        _ if typed.trim().is_empty() => return page(desk, 422, Some("nothing")).await,
        _ => (desk.text("desk-import-typed"), None),
    };
    let (shared, actor, now) = (desk.shared().clone(), desk.actor(), desk.now());
    let custom = users::custom_attributes(&shared.server);
    let work = move || {
        let into = (&shared.store, &shared.key_encryption_key);
        let failed = |_| ImportError::Unreadable(String::new());
        match file {
            Some(file) => {
                let mut input = file.try_clone().map_err(failed)?;
                input.seek(SeekFrom::Start(0)).map_err(failed)?;
                let input = BufReader::with_capacity(1 << 16, input);
                let file = ImportFile {
                    name,
                    input,
                    format,
                };
                imports::read(into, &actor, (file, &custom), now)
            }
            None => {
                let input = Cursor::new(typed.into_bytes());
                let file = ImportFile {
                    name,
                    input,
                    format,
                };
                imports::read(into, &actor, (file, &custom), now)
            }
        }
    };
    let read = tokio::task::spawn_blocking(work).await;
    let id = read.map_err(|_| PageFailure::Refused(Trouble::ServerError, "a thread failed"))??;
    Ok(Reply::see_other(link(IMPORT, &[("id", &id)])))
}

/// The import that the request names.
async fn wanted(desk: &Desk<'_>, id: &str) -> Result<UserImport, PageFailure> {
    let id = id.to_owned();
    let found = desk
        .shared()
        .store
        .read(move |conn| user_import::find(conn, &id))
        .await?;
    found
        .filter(|known| known.kind == ImportKind::People)
        .ok_or(GONE)
}

pub(super) async fn one(desk: &Desk<'_>) -> Outcome {
    let known = wanted(desk, desk.query().get("id").unwrap_or_default()).await?;
    one_page(desk, &known, 200, None)
}

fn one_page(desk: &Desk<'_>, known: &UserImport, status: u16, error: Option<&str>) -> Outcome {
    let all = imports::problems(known);
    let more = all.len().saturating_sub(MOST_PROBLEMS);
    let page = ImportPage {
        desk: desk.view(Section::Users),
        id: known.id.clone(),
        name: known.name.clone(),
        state: state_of(known),
        actor: known.actor.name.clone(),
        created_at: known.created_at,
        finished_at: known.finished_at,
        valid: known.valid_lines,
        bad: known.bad_lines,
        done: known.done_lines,
        added: known.added,
        updated: known.updated,
        skips: known.skips,
        problems: all
            .iter()
            .take(MOST_PROBLEMS)
            .map(|problem| ImportProblemView {
                line: problem.line,
                text: fault_text(desk, &problem.fault),
            })
            .collect(),
        more_problems: more,
        error: error.map(|key| desk.text(&format!("desk-import-error-{key}"))),
        start_url: START,
        cancel_url: CANCEL,
        report_url: link(REPORT, &[("id", &known.id)]),
        refresh_url: link(IMPORT, &[("id", &known.id)]),
        trail_url: link(trail::PATH, &[("subject", &imports::subject(&known.id))]),
        back_url: IMPORTS,
    };
    let reply = desk.page(status, &page)?;
    Ok(match known.state {
        ImportState::Reading | ImportState::Running => reply.header("Refresh", REFRESH_SECONDS),
        ImportState::Ready | ImportState::Done | ImportState::Cancelled => reply,
    })
}

pub(super) async fn start(desk: &Desk<'_>) -> Outcome {
    let (id, skips) = (desk.field("id").to_owned(), desk.field("skip") == "1");
    let (actor, now, wanted_id) = (desk.actor(), desk.now(), id.clone());
    let started = desk
        .shared()
        .store
        .write(move |tx| imports::start(tx, &actor, (&wanted_id, skips), now))
        .await;
    answer(desk, &id, started).await
}

pub(super) async fn cancel(desk: &Desk<'_>) -> Outcome {
    let id = desk.field("id").to_owned();
    let (actor, now, wanted_id) = (desk.actor(), desk.now(), id.clone());
    let cancelled = desk
        .shared()
        .store
        .write(move |tx| imports::cancel(tx, &actor, &wanted_id, now))
        .await;
    answer(desk, &id, cancelled).await
}

async fn answer(desk: &Desk<'_>, id: &str, done: Result<(), ImportError>) -> Outcome {
    let key = match done {
        Ok(()) => return Ok(Reply::see_other(link(IMPORT, &[("id", id)]))),
        Err(ImportError::NotWaiting) => "not_waiting",
        Err(ImportError::BadLines) => "bad_lines",
        Err(ImportError::NothingValid) => "nothing_valid",
        Err(other) => return Err(other.into()),
    };
    let known = wanted(desk, id).await?;
    one_page(desk, &known, 409, Some(key))
}

/// What came of the import, and every problem that is kept, as CSV.
pub(super) async fn report(desk: &Desk<'_>) -> Outcome {
    let known = wanted(desk, desk.query().get("id").unwrap_or_default()).await?;
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
