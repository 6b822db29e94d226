//! RPs as a file: out, and in after it was looked at as a whole.

use super::{IMPORT, ONE, PATH, form, issuer, list, of_query};
use crate::administration::parties::exchange::{
    self, Entry, FileError, Outcome as Became, Ready, apply, preview,
};
use crate::administration::parties::{PartyError, Rules};
use crate::endpoint::Reply;
use crate::store::StoreError;
use crate::store::client::{self, ClientOrder, ClientOrigin};
use crate::ui::desk::visit::link;
use crate::ui::desk::{Desk, Outcome, Section};
use crate::ui::visit::PageFailure;
use crate::ui::{RpImportPage, RpImportRowView};
use serde_json::Value;

/// RPs read at once.
const READ: u32 = 500;
/// RPs of a file that the desk makes; `varco rp export` has no end.
const MOST_EXPORTED: usize = 5_000;
/// Entries written in one transaction.
const WRITTEN: usize = 100;
/// Entries of the report that are shown; those that are wrong first.
const MOST_SHOWN: usize = 200;

/// `?issuer&client_id`: that one; else what an operator registered of what the list shows.
pub(super) async fn export(desk: &Desk<'_>) -> Outcome {
    let entries = match desk.query().get("client_id") {
        Some(_) => vec![exchange::entry(&of_query(desk).await?.party)],
        None => registered(desk).await?,
    };
    let text = format!("{:#}\n", exchange::document(entries));
    Ok(Reply::bytes(200, "application/json", text.into_bytes())
        .header("Cache-Control", "no-store")
        .header(
            "Content-Disposition",
            "attachment; filename=\"relying-parties.json\"",
        ))
}

async fn registered(desk: &Desk<'_>) -> Result<Vec<Value>, PageFailure> {
    let mut filter = list::filter(desk);
    filter.origin = Some(ClientOrigin::Registered);
    let mut entries = Vec::new();
    let mut after = None;
    loop {
        let (searched, from) = (filter.clone(), after.take());
        let page = desk
            .shared()
            .store
            .read(move |conn| {
                client::search(conn, &searched, ClientOrder::default(), from.as_ref(), READ)
            })
            .await?;
        entries.extend(page.rows.iter().map(exchange::entry));
        after = page.next;
        if after.is_none() || entries.len() >= MOST_EXPORTED {
            return Ok(entries);
        }
    }
}

pub(super) async fn show(desk: &Desk<'_>) -> Outcome {
    let text = desk.form().get("file").unwrap_or_default().to_owned();
    page(
        desk,
        200,
        RpImportPage {
            text,
            ..empty(desk)
        },
    )
}

fn empty(desk: &Desk<'_>) -> RpImportPage {
    RpImportPage {
        desk: desk.view(Section::Rps),
        text: String::new(),
        file_error: None,
        rows: Vec::new(),
        left_out: 0,
        good: 0,
        bad: 0,
        tried: false,
        written: false,
        action_url: IMPORT,
        back_url: PATH,
    }
}

fn page(desk: &Desk<'_>, status: u16, page: RpImportPage) -> Outcome {
    desk.page(status, &page)
}

/// `do=try` says what would happen; `do=write` does it, if all is good; `do=skip` leaves out what is not.
pub(super) async fn import(desk: &Desk<'_>) -> Outcome {
    let text = desk
        .form()
        .get("file")
        .unwrap_or_default()
        .trim()
        .to_owned();
    let mut shown = RpImportPage {
        text: text.clone(),
        ..empty(desk)
    };
    let read = exchange::read(&text, |id| rules(desk, id));
    let entries = match read {
        Ok(entries) => entries,
        Err(error) => {
            let key = match error {
                FileError::NotJson(_) => "desk-rp-file-not-json",
                FileError::NotAFile => "desk-rp-file-not-a-file",
                FileError::TooMany => "desk-rp-file-too-many",
            };
            let at = match &error {
                FileError::NotJson(cause) => format!(" ({cause})"),
                FileError::NotAFile | FileError::TooMany => String::new(),
            };
            shown.file_error = Some(format!("{}{at}", desk.text(key)));
            return page(desk, 422, shown);
        }
    };
    let ready: Vec<(usize, Ready)> = entries
        .iter()
        .filter_map(|entry| Some((entry.number, entry.judged.as_ref().ok()?.clone())))
        .collect();
    let tried = ready.clone();
    let becomes = desk
        .shared()
        .store
        .read(move |conn| {
            let one = |(number, ready): &(usize, Ready)| Ok((*number, preview(conn, ready)?));
            tried
                .iter()
                .map(one)
                .collect::<Result<Vec<_>, StoreError>>()
        })
        .await?;
    let becomes_of = |number: usize| {
        let mut found = becomes.iter().filter(|(of, _)| *of == number);
        found.next().map(|(_, became)| *became)
    };
    let is_good = |entry: &Entry| {
        entry.judged.is_ok() && becomes_of(entry.number) != Some(Became::NotRegistered)
    };
    shown.good = entries.iter().filter(|entry| is_good(entry)).count();
    shown.bad = entries.len().saturating_sub(shown.good);
    shown.left_out = entries.len().saturating_sub(MOST_SHOWN);
    let mut order: Vec<&Entry> = entries.iter().collect();
    order.sort_by_key(|entry| is_good(entry));
    let rows = order.into_iter().take(MOST_SHOWN);
    shown.rows = rows
        .map(|entry| row(desk, entry, becomes_of(entry.number)))
        .collect();
    let may_write = match desk.field("do") {
        "write" => shown.bad == 0,
        "skip" => true,
        _ => false,
    };
    if !may_write || shown.good == 0 {
        shown.tried = true;
        let status = if shown.bad == 0 { 200 } else { 422 };
        return page(desk, status, shown);
    }
    write(desk, ready).await?;
    shown.written = true;
    page(desk, 200, shown)
}

fn rules<'d>(desk: &'d Desk<'_>, id: &str) -> Option<Rules<'d>> {
    let mut providers = desk.state.providers.iter();
    let op = providers.find(|op| op.settings.id == id)?;
    form::rules(op)
}

async fn write(desk: &Desk<'_>, ready: Vec<(usize, Ready)>) -> Result<(), PageFailure> {
    for batch in ready.chunks(WRITTEN) {
        let (actor, now, batch) = (desk.actor(), desk.now(), batch.to_vec());
        let keys: Vec<_> = batch.iter().map(|(_, ready)| ready.key().clone()).collect();
        let written = desk
            .shared()
            .store
            .write(move |tx| {
                batch
                    .iter()
                    .try_for_each(|(_, ready)| apply(tx, &actor, ready, now).map(drop))
            })
            .await;
        written.map_err(|error: PartyError| match error {
            PartyError::Store(error) => PageFailure::Store(error),
            _ => PageFailure::Refused(
                crate::endpoint::Trouble::AlreadyAnswered,
                "a relying party was changed by somebody else meanwhile: send the file again",
            ),
        })?;
        for key in keys {
            let mut providers = desk.state.providers.iter();
            if let Some(op) = providers.find(|op| op.issuer == key.issuer) {
                op.forget_client(&key.client_id).await;
            }
        }
    }
    Ok(())
}

fn row(desk: &Desk<'_>, entry: &Entry, became: Option<Became>) -> RpImportRowView {
    let (kind, faults) = match (&entry.judged, became) {
        (Err(faults), _) => {
            let line = |fault: &exchange::EntryFault| {
                let says = desk.text(&format!("desk-rp-problem-{}", fault.problem.name()));
                match &fault.value {
                    Some(value) => format!("{} {value}: {says}", fault.member),
                    None => format!("{}: {says}", fault.member),
                }
            };
            ("wrong", faults.iter().take(10).map(line).collect())
        }
        (Ok(_), Some(Became::Added { needs_secret: true })) => ("added_secret", Vec::new()),
        (
            Ok(_),
            Some(Became::Added {
                needs_secret: false,
            }),
        ) => ("added", Vec::new()),
        (Ok(_), Some(Became::Changed)) => ("changed", Vec::new()),
        (Ok(_), Some(Became::NotRegistered)) => ("not_registered", Vec::new()),
        (Ok(_), Some(Became::Unchanged) | None) => ("unchanged", Vec::new()),
    };
    let mut providers = desk.state.providers.iter();
    let slug = providers
        .find(|op| op.settings.id == entry.issuer)
        .map(|op| op.settings.slug());
    let slug = slug.filter(|slug| issuer(desk, slug).is_some());
    RpImportRowView {
        number: entry.number,
        issuer: entry.issuer.clone(),
        client_id: entry.client_id.clone(),
        kind,
        faults,
        url: slug
            .filter(|_| kind != "wrong")
            .map(|slug| link(ONE, &[("issuer", slug), ("client_id", &entry.client_id)])),
    }
}
