//! Imports of people and of relying parties: a file, what is wrong with it, and how far it is. What differs between the
//! two is an [`Imported`].
//!
//! ```text
//! list ─► read (file or text: judged and kept) ─► one ─┬─► start ──► one, which comes again by itself
//!                                                      └─► cancel
//! ```

use super::visit::link;
use super::{Desk, Outcome, Route, Section, trail};
use crate::administration::imports::{self as administration, ImportError};
use crate::clock::UtcTime;
use crate::endpoint::{Reply, Trouble};
use crate::model::{Actor, ImportKind, ImportState, Role, UserImport};
use crate::provider::Shared;
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::user_import;
use crate::ui::visit::PageFailure;
use crate::ui::{ImportEntryView, ImportPage, ImportRowView, ImportsPage};
use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom};
use std::sync::Arc;

/// Imports of a page.
const PER_PAGE: u32 = 20;
/// How often a page of an import that goes on comes again by itself.
const REFRESH_SECONDS: &str = "5";

const GONE: PageFailure = PageFailure::Refused(Trouble::NotFound, "there is no such import");

/// What is imported.
pub(super) trait Imported: 'static {
    const KIND: ImportKind;
    /// Its name is in the keys of messages that are said of these alone.
    const SECTION: Section;
    /// The list, where a file is sent to as well.
    const LIST: &'static str;
    const ONE: &'static str;
    const START: &'static str;
    const CANCEL: &'static str;
    /// All that is known of an import, to download.
    const REPORT: Option<&'static str>;
    /// What a browser lets people choose.
    const FILES: &'static str;

    /// Judges what was sent, and keeps it under the key that is returned; nothing else is changed. Blocks.
    fn read(sent: Sent) -> Result<String, NotRead>;

    /// What is told of its entries, and of how many more nothing is.
    fn entries(desk: &Desk<'_>, known: &UserImport) -> (Vec<ImportEntryView>, usize);
}

/// What was sent, by whom.
pub(super) struct Sent {
    pub(super) shared: Arc<Shared>,
    pub(super) actor: Actor,
    pub(super) now: UtcTime,
    pub(super) name: String,
    pub(super) format: String,
    content: Content,
}

enum Content {
    File(Arc<File>),
    Text(String),
}

impl Sent {
    /// Its bytes, from the first one.
    pub(super) fn open(&self) -> std::io::Result<Box<dyn BufRead + '_>> {
        Ok(match &self.content {
            Content::Text(text) => Box::new(text.as_bytes()),
            Content::File(file) => {
                let mut file: &File = file;
                file.seek(SeekFrom::Start(0))?;
                Box::new(BufReader::with_capacity(1 << 16, file))
            }
        })
    }
}

/// Why nothing was kept.
pub(super) enum NotRead {
    /// It is no such file: a message's key, and what is to be said beside.
    NoSuchFile(&'static str, Option<String>),
    /// It could not be.
    Failed(ImportError),
}

impl From<ImportError> for NotRead {
    fn from(error: ImportError) -> Self {
        Self::Failed(error)
    }
}

impl From<ImportError> for PageFailure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Store(error) => error.into(),
            ImportError::Unknown => GONE,
            other => {
                let reason = crate::endpoint::quote(other);
                log::error!("event=import.failed reason={reason}");
                Self::Refused(Trouble::ServerError, "the import failed")
            }
        }
    }
}

/// The addresses of these imports.
pub(super) const fn routes<I: Imported>() -> [Route; 5] {
    [
        Route::get(I::LIST, Role::Operator, |desk| Box::pin(list::<I>(desk))),
        Route::post_file(I::LIST, Role::Operator, |desk| Box::pin(read::<I>(desk))),
        Route::get(I::ONE, Role::Operator, |desk| Box::pin(one::<I>(desk))),
        Route::post(I::START, Role::Operator, |desk| Box::pin(start::<I>(desk))),
        Route::post(I::CANCEL, Role::Operator, |desk| {
            Box::pin(cancel::<I>(desk))
        }),
    ]
}

async fn list<I: Imported>(desk: &Desk<'_>) -> Outcome {
    page::<I>(desk, 200, None).await
}

async fn page<I: Imported>(desk: &Desk<'_>, status: u16, error: Option<String>) -> Outcome {
    let after = desk.query().get("after").and_then(TimeCursor::from_text);
    let store = &desk.shared().store;
    let found = store
        .read(move |conn| user_import::search(conn, I::KIND, after.as_ref(), PER_PAGE))
        .await?;
    let next = found.next.map(|next| next.to_text());
    let page = ImportsPage {
        desk: desk.view(I::SECTION),
        section: I::SECTION.name(),
        imports: found.rows.iter().map(row::<I>).collect(),
        error,
        text: desk.form().get("text").unwrap_or_default().to_owned(),
        files: I::FILES,
        action_url: I::LIST,
        back_url: I::SECTION.path(),
        next_url: next.map(|next| link(I::LIST, &[("after", &next)])),
    };
    desk.page(status, &page)
}

/// In message keys.
pub(super) fn state_of(known: &UserImport) -> &'static str {
    match known.state {
        ImportState::Reading => "reading",
        ImportState::Ready => "ready",
        ImportState::Running => "running",
        ImportState::Done => "done",
        ImportState::Cancelled => "cancelled",
        ImportState::Failed => "failed",
    }
}

fn row<I: Imported>(known: &UserImport) -> ImportRowView {
    ImportRowView {
        name: known.name.clone(),
        state: state_of(known),
        actor: known.actor.name.clone(),
        created_at: known.created_at,
        done: known.done_lines,
        total: known.valid_lines,
        url: link(I::ONE, &[("id", &known.id)]),
    }
}

/// Reads the file that was sent, or the text that was typed.
async fn read<I: Imported>(desk: &Desk<'_>) -> Outcome {
    let upload = desk.inbound.upload.clone().filter(|file| file.bytes > 0);
    let typed = desk.form().get("text").unwrap_or_default().to_owned();
    let (name, content) = match upload {
        Some(upload) => (upload.name, Content::File(upload.file)),
        None if typed.trim().is_empty() => {
            let error = desk.text("desk-import-error-nothing");
            return page::<I>(desk, 422, Some(error)).await;
        }
        None => (desk.text("desk-import-typed"), Content::Text(typed)),
    };
    let sent = Sent {
        shared: desk.shared().clone(),
        actor: desk.actor(),
        now: desk.now(),
        name,
        format: desk.field("format").to_owned(),
        content,
    };
    let done = tokio::task::spawn_blocking(move || I::read(sent)).await;
    match done.map_err(|_| PageFailure::Refused(Trouble::ServerError, "a thread failed"))? {
        Ok(id) => Ok(Reply::see_other(link(I::ONE, &[("id", &id)]))),
        Err(NotRead::Failed(error)) => Err(error.into()),
        Err(NotRead::NoSuchFile(key, cause)) => {
            let cause = cause.map_or_else(String::new, |cause| format!(" ({cause})"));
            page::<I>(desk, 422, Some(desk.text(key) + &cause)).await
        }
    }
}

/// The import of a key.
pub(super) async fn wanted<I: Imported>(
    desk: &Desk<'_>,
    id: &str,
) -> Result<UserImport, PageFailure> {
    let (id, store) = (id.to_owned(), &desk.shared().store);
    let found = store.read(move |conn| user_import::find(conn, &id)).await?;
    found.filter(|known| known.kind == I::KIND).ok_or(GONE)
}

async fn one<I: Imported>(desk: &Desk<'_>) -> Outcome {
    let known = wanted::<I>(desk, desk.query().get("id").unwrap_or_default()).await?;
    one_page::<I>(desk, &known, (200, None))
}

fn one_page<I: Imported>(
    desk: &Desk<'_>,
    known: &UserImport,
    (status, error): (u16, Option<&str>),
) -> Outcome {
    let (entries, left_out) = I::entries(desk, known);
    let about = |path: &str| link(path, &[("id", &known.id)]);
    let subject = administration::subject(&known.id);
    let error = error.or((known.state == ImportState::Failed).then_some("unreadable"));
    let page = ImportPage {
        desk: desk.view(I::SECTION),
        section: I::SECTION.name(),
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
        entries,
        left_out,
        error: error.map(|key| desk.text(&format!("desk-import-error-{key}"))),
        start_url: I::START,
        cancel_url: I::CANCEL,
        report_url: I::REPORT.map(about),
        refresh_url: about(I::ONE),
        trail_url: link(trail::PATH, &[("subject", &subject)]),
        back_url: I::LIST,
    };
    let reply = desk.page(status, &page)?;
    Ok(match known.state {
        ImportState::Reading | ImportState::Running => reply.header("Refresh", REFRESH_SECONDS),
        ImportState::Ready | ImportState::Done | ImportState::Cancelled | ImportState::Failed => {
            reply
        }
    })
}

async fn start<I: Imported>(desk: &Desk<'_>) -> Outcome {
    let known = wanted::<I>(desk, desk.field("id")).await?;
    let (actor, now, skips) = (desk.actor(), desk.now(), desk.field("skip") == "1");
    let (id, store) = (known.id.clone(), &desk.shared().store);
    let started = store
        .write(move |tx| administration::start(tx, &actor, (&id, skips), now))
        .await;
    answer::<I>(desk, &known.id, started).await
}

async fn cancel<I: Imported>(desk: &Desk<'_>) -> Outcome {
    let known = wanted::<I>(desk, desk.field("id")).await?;
    let (actor, now) = (desk.actor(), desk.now());
    let (id, store) = (known.id.clone(), &desk.shared().store);
    let cancelled = store
        .write(move |tx| administration::cancel(tx, &actor, &id, now))
        .await;
    answer::<I>(desk, &known.id, cancelled).await
}

async fn answer<I: Imported>(desk: &Desk<'_>, id: &str, done: Result<(), ImportError>) -> Outcome {
    let key = match done {
        Ok(()) => return Ok(Reply::see_other(link(I::ONE, &[("id", id)]))),
        Err(ImportError::NotWaiting) => "not_waiting",
        Err(ImportError::BadLines) => "bad_lines",
        Err(ImportError::NothingValid) => "nothing_valid",
        Err(other) => return Err(other.into()),
    };
    let known = wanted::<I>(desk, id).await?;
    one_page::<I>(desk, &known, (409, Some(key)))
}
