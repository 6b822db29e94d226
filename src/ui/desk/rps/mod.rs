//! `/admin/rps`: the relying parties of every issuer.
//!
//! ```text
//! list ─► one ─┬─► check: the evaluation, now or by the reference of a refusal
//!              ├─► confirm ─► change: switch, tokens, chain, removal
//!              ├─► tolerate: what is tolerated of it
//!              └─► edit, secret: those that an operator registered        list ─► add, import, export
//! ```
//!
//! An RP is named by its issuer's slug and its `client_id`, and never found by `client_id` alone: issuers do not share them.

mod chain;
mod change;
mod check;
mod exchange;
mod form;
mod imports;
mod list;
mod look;
mod one;
mod secret;
mod tolerance;

use super::super::visit::PageFailure;
use super::visit::link;
use super::{Desk, Route};
use crate::administration::parties::PartyKey;
use crate::endpoint::Trouble;
use crate::model::{ClientId, Origin, RelyingParty, Role};
use crate::provider::Provider;
use crate::store::client;
use crate::ui::RpRowView;
use imports::Parties;
use std::sync::Arc;

pub(super) const PATH: &str = "/admin/rps";
const ONE: &str = "/admin/rps/one";
const CONFIRM: &str = "/admin/rps/confirm";
const CHANGE: &str = "/admin/rps/change";
pub(super) const CHECK: &str = "/admin/rps/check";
const ADD: &str = "/admin/rps/add";
const EDIT: &str = "/admin/rps/edit";
const SECRET: &str = "/admin/rps/secret";
const TOLERATE: &str = "/admin/rps/tolerate";
const EXPORT: &str = "/admin/rps/export";

pub(super) static ROUTES: [Route; 15] = [
    Route::get(PATH, Role::Viewer, |desk| Box::pin(list::show(desk))),
    Route::get(ONE, Role::Viewer, |desk| Box::pin(one::show(desk))),
    Route::get(CONFIRM, Role::Operator, |desk| {
        Box::pin(change::confirm(desk))
    }),
    Route::post(CHANGE, Role::Operator, |desk| {
        Box::pin(change::change(desk))
    }),
    Route::get(CHECK, Role::Viewer, |desk| Box::pin(check::show(desk))),
    // It makes the provider ask others.
    Route::post(CHECK, Role::Operator, |desk| Box::pin(check::submit(desk))),
    Route::get(ADD, Role::Operator, |desk| Box::pin(form::show_add(desk))),
    Route::post(ADD, Role::Operator, |desk| Box::pin(form::add(desk))),
    Route::get(EDIT, Role::Operator, |desk| Box::pin(form::show_edit(desk))),
    Route::post(EDIT, Role::Operator, |desk| Box::pin(form::edit(desk))),
    Route::get(SECRET, Role::Operator, |desk| Box::pin(secret::ask(desk))),
    Route::post(SECRET, Role::Operator, |desk| {
        Box::pin(secret::rotate(desk))
    }),
    Route::get(TOLERATE, Role::Operator, |desk| {
        Box::pin(tolerance::show(desk))
    }),
    Route::post(TOLERATE, Role::Operator, |desk| {
        Box::pin(tolerance::set(desk))
    }),
    Route::get(EXPORT, Role::Viewer, |desk| {
        Box::pin(exchange::export(desk))
    }),
];

pub(super) static IMPORT_ROUTES: [Route; 5] = super::imports::routes::<Parties>();

/// An RP that a request names, with its issuer.
struct Wanted {
    op: Arc<Provider>,
    party: RelyingParty,
}

impl Wanted {
    fn key(&self) -> PartyKey {
        PartyKey {
            issuer: self.party.issuer.clone(),
            client_id: self.party.client_id.clone(),
        }
    }

    /// An address about this RP.
    fn link(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut all = vec![
            ("issuer", self.op.settings.slug()),
            ("client_id", self.party.client_id.as_str()),
        ];
        all.extend_from_slice(more);
        link(path, &all)
    }
}

/// The page of an RP of an issuer.
pub(super) fn link_to(op: &Provider, client_id: &str) -> String {
    let issuer = ("issuer", op.settings.slug());
    link(ONE, &[issuer, ("client_id", client_id)])
}

/// The issuer of a slug.
fn issuer<'d>(desk: &'d Desk<'_>, slug: &str) -> Option<&'d Arc<Provider>> {
    let mut providers = desk.state.providers.iter();
    providers.find(|op| op.settings.slug() == slug)
}

/// The RP of `issuer` and `client_id`, whatever its state.
async fn find(desk: &Desk<'_>, slug: &str, client_id: &str) -> Result<Wanted, PageFailure> {
    let unknown = || {
        PageFailure::Refused(
            Trouble::NotFound,
            "this issuer knows no relying party of this client_id",
        )
    };
    let op = issuer(desk, slug).ok_or_else(unknown)?.clone();
    let (own, id) = (op.issuer.clone(), ClientId::new(client_id));
    let party = desk
        .shared()
        .store
        .read(move |conn| client::find(conn, &own, &id))
        .await?;
    let party = party.ok_or_else(unknown)?;
    Ok(Wanted { op, party })
}

/// The RP that the address names.
async fn of_query(desk: &Desk<'_>) -> Result<Wanted, PageFailure> {
    let query = desk.query();
    let own = |name: &str| query.get(name).unwrap_or_default().to_owned();
    find(desk, &own("issuer"), &own("client_id")).await
}

/// The RP that the form names.
async fn of_form(desk: &Desk<'_>) -> Result<Wanted, PageFailure> {
    find(
        desk,
        desk.field("issuer"),
        desk.form().get("client_id").unwrap_or_default(),
    )
    .await
}

/// In message keys.
fn origin_name(party: &RelyingParty) -> &'static str {
    match party.origin {
        Origin::Federation(_) => "federation",
        Origin::Explicit(_) => "explicit",
        Origin::Registered => "registered",
    }
}

fn row(desk: &Desk<'_>, wanted: &Wanted) -> RpRowView {
    let (op, party) = (&wanted.op, &wanted.party);
    let expires_at = party.origin.trust().map(|trust| trust.expires_at);
    let ended = expires_at.is_some_and(|end| end <= desk.now());
    let language = desk.locale().code();
    let name = party
        .metadata
        .name_in(language)
        .filter(|name| !name.trim().is_empty());
    RpRowView {
        name: name.unwrap_or(party.client_id.as_str()).to_owned(),
        client_id: party.client_id.to_string(),
        issuer: op.display_name().to_owned(),
        state: match (party.enabled, ended) {
            (false, _) => "disabled",
            (true, true) => "ended",
            (true, false) => "active",
        },
        origin: origin_name(party),
        changed_at: party.updated_at,
        expires_at,
        url: wanted.link(ONE, &[]),
    }
}
