//! RPs from a file: judged as a whole, then applied in parts, as people are ([`crate::administration::imports`]).

use super::{IMPORT, IMPORT_CANCEL, IMPORT_ONE, IMPORT_START, ONE, PATH};
use crate::administration::imports::parties::{PartyFileError, PartyRow, read, report};
use crate::administration::imports::{self as administration, ImportError};
use crate::administration::parties::exchange::FileError;
use crate::endpoint::{Reply, Trouble, Upload};
use crate::model::{ImportKind, ImportState, UserImport};
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::user_import;
use crate::ui::desk::users::{import_row, import_state};
use crate::ui::desk::visit::link;
use crate::ui::desk::{Desk, Outcome, Section, trail};
use crate::ui::visit::PageFailure;
use crate::ui::{RpImportPage, RpImportRowView, RpImportsPage};
use std::io::{Read as _, Seek as _, SeekFrom};

/// Imports of a page.
const PER_PAGE: u32 = 20;
/// How often a page of an import that goes on comes again by itself.
const REFRESH_SECONDS: &str = "5";
/// Bytes of a file: 20,000 RPs with keys of their own.
const MOST_BYTES: u64 = 32 << 20;

const GONE: PageFailure = PageFailure::Refused(Trouble::NotFound, "there is no such import");

pub(super) async fn list(desk: &Desk<'_>) -> Outcome {
    page(desk, 200, None).await
}

async fn page(desk: &Desk<'_>, status: u16, file_error: Option<String>) -> Outcome {
    let after = desk.query().get("after").and_then(TimeCursor::from_text);
    let kind = ImportKind::Parties;
    let found = desk
        .shared()
        .store
        .read(move |conn| user_import::search(conn, kind, after.as_ref(), PER_PAGE))
        .await?;
    let next = found.next.map(|next| next.to_text());
    let rows = found.rows.iter();
    let page = RpImportsPage {
        desk: desk.view(Section::Rps),
        text: desk.form().get("text").unwrap_or_default().to_owned(),
        file_error,
        imports: rows.map(|known| import_row(known, IMPORT_ONE)).collect(),
        action_url: IMPORT,
        back_url: PATH,
        next_url: next.map(|next| link(IMPORT, &[("after", &next)])),
    };
    desk.page(status, &page)
}

/// Reads the file that was sent, or the text that was pasted; no RP is changed.
pub(super) async fn submit(desk: &Desk<'_>) -> Outcome {
    let upload = desk.inbound.upload.clone().filter(|file| file.bytes > 0);
    let pasted = desk
        .form()
        .get("text")
        .unwrap_or_default()
        .trim()
        .to_owned();
    if upload.as_ref().is_some_and(|file| file.bytes > MOST_BYTES) {
        let too_large = desk.text("desk-rp-file-too-large");
        return page(desk, 422, Some(too_large)).await;
    }
    let name = match &upload {
        Some(upload) => upload.name.clone(),
        None => desk.text("desk-import-typed"),
    };
    let (shared, actor, now) = (desk.shared().clone(), desk.actor(), desk.now());
    let work = move || {
        let text = match upload {
            Some(upload) => text_of(&upload),
            None => pasted,
        };
        let into = (&shared.store, &shared.key_encryption_key);
        read(into, &actor, (&name, &text, &shared.server), now)
    };
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|_| PageFailure::Refused(Trouble::ServerError, "a thread failed"))?;
    let error = match done {
        Ok(id) => return Ok(Reply::see_other(link(IMPORT_ONE, &[("id", &id)]))),
        Err(PartyFileError::Import(error)) => return Err(error.into()),
        Err(PartyFileError::File(error)) => error,
    };
    let says = match &error {
        FileError::NotJson(cause) => format!("{} ({cause})", desk.text("desk-rp-file-not-json")),
        FileError::NotAFile => desk.text("desk-rp-file-not-a-file"),
        FileError::TooMany => desk.text("desk-rp-file-too-many"),
    };
    page(desk, 422, Some(says)).await
}

/// The text of a file; what is none is no JSON either.
fn text_of(upload: &Upload) -> String {
    let mut text = String::new();
    let read = upload.file.try_clone().and_then(|mut file| {
        file.seek(SeekFrom::Start(0))?;
        file.take(MOST_BYTES).read_to_string(&mut text)
    });
    match read {
        Ok(_) => text,
        Err(_) => String::new(),
    }
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
        .filter(|known| known.kind == ImportKind::Parties)
        .ok_or(GONE)
}

pub(super) async fn one(desk: &Desk<'_>) -> Outcome {
    let known = wanted(desk, desk.query().get("id").unwrap_or_default()).await?;
    one_page(desk, &known, (200, None))
}

fn one_page(desk: &Desk<'_>, known: &UserImport, (status, error): (u16, Option<&str>)) -> Outcome {
    let told = report(known);
    let page = RpImportPage {
        desk: desk.view(Section::Rps),
        id: known.id.clone(),
        name: known.name.clone(),
        state: import_state(known),
        actor: known.actor.name.clone(),
        created_at: known.created_at,
        finished_at: known.finished_at,
        valid: known.valid_lines,
        bad: known.bad_lines,
        done: known.done_lines,
        added: known.added,
        updated: known.updated,
        skips: known.skips,
        rows: told
            .rows
            .into_iter()
            .map(|entry| row(desk, entry))
            .collect(),
        left_out: told.left_out,
        error: error.map(|key| desk.text(&format!("desk-import-error-{key}"))),
        start_url: IMPORT_START,
        cancel_url: IMPORT_CANCEL,
        refresh_url: link(IMPORT_ONE, &[("id", &known.id)]),
        trail_url: link(
            trail::PATH,
            &[("subject", &administration::subject(&known.id))],
        ),
        back_url: IMPORT,
    };
    let reply = desk.page(status, &page)?;
    Ok(match known.state {
        ImportState::Reading | ImportState::Running => reply.header("Refresh", REFRESH_SECONDS),
        ImportState::Ready | ImportState::Done | ImportState::Cancelled => reply,
    })
}

fn row(desk: &Desk<'_>, entry: PartyRow) -> RpImportRowView {
    let mut providers = desk.state.providers.iter();
    let op = providers.find(|op| op.settings.id == entry.issuer);
    let about = |op: &std::sync::Arc<crate::provider::Provider>| {
        let about = [
            ("issuer", op.settings.slug()),
            ("client_id", entry.client_id.as_str()),
        ];
        link(ONE, &about)
    };
    RpImportRowView {
        number: entry.number,
        url: op.filter(|_| entry.kind != "wrong").map(about),
        faults: entry
            .faults
            .iter()
            .map(|fault| {
                let says = desk.text(&format!("desk-rp-problem-{}", fault.problem));
                match &fault.value {
                    Some(value) => format!("{} {value}: {says}", fault.member),
                    None => format!("{}: {says}", fault.member),
                }
            })
            .collect(),
        issuer: entry.issuer,
        client_id: entry.client_id,
        kind: entry.kind,
    }
}

pub(super) async fn start(desk: &Desk<'_>) -> Outcome {
    let known = wanted(desk, desk.field("id")).await?;
    let (actor, now, skips) = (desk.actor(), desk.now(), desk.field("skip") == "1");
    let id = known.id.clone();
    let started = desk
        .shared()
        .store
        .write(move |tx| administration::start(tx, &actor, (&id, skips), now))
        .await;
    answer(desk, &known.id, started).await
}

pub(super) async fn cancel(desk: &Desk<'_>) -> Outcome {
    let known = wanted(desk, desk.field("id")).await?;
    let (actor, now, id) = (desk.actor(), desk.now(), known.id.clone());
    let cancelled = desk
        .shared()
        .store
        .write(move |tx| administration::cancel(tx, &actor, &id, now))
        .await;
    answer(desk, &known.id, cancelled).await
}

async fn answer(desk: &Desk<'_>, id: &str, done: Result<(), ImportError>) -> Outcome {
    let key = match done {
        Ok(()) => return Ok(Reply::see_other(link(IMPORT_ONE, &[("id", id)]))),
        Err(ImportError::NotWaiting) => "not_waiting",
        Err(ImportError::BadLines) => "bad_lines",
        Err(ImportError::NothingValid) => "nothing_valid",
        Err(other) => return Err(other.into()),
    };
    let known = wanted(desk, id).await?;
    one_page(desk, &known, (409, Some(key)))
}
