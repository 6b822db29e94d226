//! `/admin/federation`: how our issuers stand in the federation, and what is to come of the relying parties in it.
//!
//! "Ask now" ([`asked`]) looks at us as a stranger would.

mod asked;

use super::super::visit::PageFailure;
use super::super::{AnchorView, FederationPage, OwnMarkView, RenewalView};
use super::visit::link;
use super::{Desk, Outcome, Route, Section, published};
use crate::endpoint::Trouble;
use crate::model::Role;
use crate::profile::Path;
use crate::provider::Provider;
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::renewal;
use std::sync::Arc;

pub(super) const PATH: &str = "/admin/federation";
/// How far a question to the superiors is, and what they answered.
pub(super) const ASKED: &str = "/admin/federation/asked";
/// Renewals of a page.
const PER_PAGE: u32 = 50;

pub(super) static ROUTES: [Route; 3] = [
    Route::get(PATH, Role::Viewer, |desk| Box::pin(show(desk))),
    // It makes the provider ask others.
    Route::post(PATH, Role::Operator, |desk| Box::pin(asked::ask(desk))),
    Route::get(ASKED, Role::Viewer, |desk| Box::pin(asked::show(desk))),
];

/// The member that the address names, or the first one.
fn chosen<'a>(desk: &'a Desk<'_>) -> Result<Option<&'a Arc<Provider>>, PageFailure> {
    let mut members = desk.state.providers.iter().filter(|op| op.is_member());
    match desk.query().get("issuer") {
        None => Ok(members.next()),
        Some(wanted) => members
            .find(|op| op.issuer.as_str() == wanted)
            .map(Some)
            .ok_or_else(unknown),
    }
}

const fn unknown() -> PageFailure {
    PageFailure::Refused(
        Trouble::NotFound,
        "no issuer of this name is in a federation",
    )
}

async fn show(desk: &Desk<'_>) -> Outcome {
    let chosen = chosen(desk)?;
    let query = desk.query();
    let failing = query.get("failing") == Some("1");
    let id = chosen.map_or("", |op| op.issuer.as_str());
    let address = |failing: bool, after: &str| {
        let failing = if failing { "1" } else { "" };
        let all = [("issuer", id), ("failing", failing), ("after", after)];
        link(PATH, &all)
    };
    let mut page = FederationPage {
        desk: desk.view(Section::Federation),
        issuers: members(desk, id),
        issuer: chosen.map(|op| op.issuer.to_string()),
        configuration: chosen.map(|op| published::one(op, "entity", Path::EntityConfiguration)),
        anchors: chosen.map(|op| anchors(op)).unwrap_or_default(),
        hints: chosen
            .map(|op| op.settings.authority_hints.clone())
            .unwrap_or_default(),
        ask_url: desk
            .may(Role::Operator)
            .then(|| link(PATH, &[("issuer", id)])),
        marks: chosen.map(|op| marks(op)).unwrap_or_default(),
        renewals: Vec::new(),
        failing,
        switch_url: address(!failing, ""),
        next_url: None,
    };
    if let Some(op) = chosen {
        let issuer = op.issuer.clone();
        let after = query.get("after").and_then(TimeCursor::from_text);
        let found = desk
            .shared()
            .store
            .read(move |conn| renewal::search(conn, (&issuer, failing), after.as_ref(), PER_PAGE))
            .await?;
        page.next_url = found.next.map(|next| address(failing, &next.to_text()));
        page.renewals = found.rows.into_iter().map(renewal_view).collect();
    }
    desk.page(200, &page)
}

fn members(desk: &Desk<'_>, chosen: &str) -> Vec<(String, Option<String>)> {
    desk.state
        .providers
        .iter()
        .filter(|op| op.is_member())
        .map(|op| {
            let id = op.issuer.as_str();
            let url = (id != chosen).then(|| link(PATH, &[("issuer", id)]));
            (id.to_owned(), url)
        })
        .collect()
}

fn anchors(op: &Provider) -> Vec<AnchorView> {
    let of = |anchor: &crate::federation::TrustAnchor| AnchorView {
        id: anchor.id.to_string(),
        kids: anchor
            .pinned_keys
            .iter()
            .flat_map(|keys| keys.keys())
            .filter_map(|key| key.kid().map(str::to_owned))
            .collect(),
    };
    op.trust
        .iter()
        .flat_map(|trust| trust.anchors.iter().map(of))
        .collect()
}

fn marks(op: &Provider) -> Vec<OwnMarkView> {
    op.own_trust_marks()
        .into_iter()
        .map(|mark| OwnMarkView {
            mark_type: mark.mark_type,
            issuer: mark.mark_issuer,
            issued_at: mark.issued_at,
            expires_at: mark.expires_at,
        })
        .collect()
}

fn renewal_view(row: renewal::Upcoming) -> RenewalView {
    RenewalView {
        client_id: row.client_id.into(),
        superior: row.superior,
        due_at: row.due_at,
        failures: i64::from(row.failures),
        failing_since: row.failure.as_ref().map(|failure| failure.since),
        failure: row.failure.map(|failure| failure.description),
    }
}
