//! Registering an RP and changing one: what was typed is kept, every field says what is wrong with it, and who changed the
//! same RP meanwhile is not overwritten unseen.
//!
//! ```text
//! form (fields, base) ─► faults ─► the form again, 422
//!                     └► base is what is stored ─► written
//!                                             └──► the form again, 409: what others changed, fields that only they changed
//!                                                  taken over, base renewed; whoever saves now has seen it
//! ```

use super::{ADD, EDIT, ONE, PATH, Wanted, change, issuer, list, of_form, of_query, secret};
use crate::administration::parties::{
    self, Draft, Edited, Fault, Field as PartyField, PartyError, PartyKey, Rules, is_client_id,
};
use crate::clock::UtcTime;
use crate::model::{ClientId, TrailEntry, TrailFilter};
use crate::provider::Provider;
use crate::random;
use crate::store::trail;
use crate::ui::desk::{Desk, Outcome, Section};
use crate::ui::visit::PageFailure;
use crate::ui::{ConflictView, Field, OptionView, RpFormPage, ScopeView};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Entries of the trail in which it is looked for who changed what.
const LAST_CHANGES: u32 = 20;

/// The rules of an issuer whose RPs an operator registers.
pub(super) fn rules(op: &Provider) -> Option<Rules<'_>> {
    Rules::of(&op.settings, op.shared.server.development)
}

/// Whether RPs can be registered at any issuer.
pub(super) fn can_register(desk: &Desk<'_>) -> bool {
    desk.state.providers.iter().any(|op| rules(op).is_some())
}

/// Everything that the form shows.
#[derive(Default)]
struct Shown {
    draft: Draft,
    /// What was stored when the form was first shown; of an RP that is there.
    base: Option<Draft>,
    client_id: String,
    faults: Vec<Fault>,
    client_id_error: Option<String>,
    error: Option<String>,
    conflicts: Vec<ConflictView>,
}

fn nothing_here() -> PageFailure {
    PageFailure::Refused(
        crate::endpoint::Trouble::NotFound,
        "the relying parties of this issuer register themselves",
    )
}

/// The issuer that the form is about: the chosen one, else the first that has such RPs.
fn chosen(desk: &Desk<'_>, slug: &str) -> Result<Arc<Provider>, PageFailure> {
    let mut providers = desk.state.providers.iter();
    let first = providers.find(|op| rules(op).is_some());
    let found = match slug {
        "" => first,
        _ => issuer(desk, slug).filter(|op| rules(op).is_some()),
    };
    found.cloned().ok_or_else(nothing_here)
}

pub(super) async fn show_add(desk: &Desk<'_>) -> Outcome {
    let op = chosen(desk, desk.query().get("issuer").unwrap_or_default())?;
    let mut shown = Shown::default();
    shown
        .draft
        .set(PartyField::AuthMethod, "client_secret_basic");
    let kept = typed(desk, &op);
    if kept != Draft::default() {
        shown.draft = kept;
        shown.client_id = desk.field("client_id").to_owned();
    }
    page(desk, &op, 200, shown)
}

/// The fields as they were sent. Scopes are boxes; all of them ticked says nothing more than none.
fn typed(desk: &Desk<'_>, op: &Provider) -> Draft {
    let form = desk.form();
    let mut draft = Draft::from_fields(|field| form.get(field.name()));
    let names = op.profile.scopes.iter().map(|scope| scope.name);
    let ticked: Vec<&str> = names
        .filter(|name| form.get(&format!("scope.{name}")).is_some())
        .collect();
    if form.get("scope.openid").is_some() {
        draft.set(PartyField::Scope, &ticked.join(" "));
    }
    draft
}

pub(super) async fn add(desk: &Desk<'_>) -> Outcome {
    let op = chosen(desk, desk.field("issuer"))?;
    let rules = rules(&op).ok_or_else(nothing_here)?;
    let mut shown = Shown {
        draft: typed(desk, &op),
        client_id: desk.field("client_id").to_owned(),
        ..Shown::default()
    };
    if !shown.client_id.is_empty() && !is_client_id(&shown.client_id) {
        shown.client_id_error = Some(desk.text("desk-rp-client-id-wrong"));
    }
    let accepted = match shown.draft.check(&rules) {
        Ok(accepted) if shown.client_id_error.is_none() => accepted,
        Ok(_) => return page(desk, &op, 422, shown),
        Err(faults) => {
            shown.faults = faults;
            return page(desk, &op, 422, shown);
        }
    };
    let client_id = match shown.client_id.is_empty() {
        true => random::identifier(),
        false => shown.client_id.clone(),
    };
    let key = PartyKey {
        issuer: op.issuer.clone(),
        client_id: ClientId::new(client_id),
    };
    let (actor, now, new) = (desk.actor(), desk.now(), key.clone());
    let registered = desk
        .shared()
        .store
        .write(move |tx| parties::register(tx, &actor, (&new, &accepted, false), now))
        .await;
    match registered {
        Ok(None) => {
            let slug = op.settings.slug();
            let parameters = [("issuer", slug), ("client_id", key.client_id.as_str())];
            Ok(desk.done(ONE, &parameters, "rp_added"))
        }
        Ok(Some(new)) => secret::shown(desk, (&op, &key.client_id), &new, None),
        Err(PartyError::Exists) => {
            shown.client_id_error = Some(desk.text("desk-rp-error-exists"));
            page(desk, &op, 422, shown)
        }
        Err(PartyError::Store(error)) => Err(error.into()),
        Err(_) => Err(nothing_here()),
    }
}

pub(super) async fn show_edit(desk: &Desk<'_>) -> Outcome {
    let wanted = of_query(desk).await?;
    let stored = Draft::of(&wanted.party);
    let mut shown = Shown {
        client_id: wanted.party.client_id.to_string(),
        draft: stored.clone(),
        base: Some(stored),
        ..Shown::default()
    };
    // What was typed before the session ended, with what was seen then.
    if let Some(base) = desk.form().get("base") {
        shown.draft = typed(desk, &wanted.op);
        shown.base = Some(Draft::from_text(base));
    }
    editable(desk, &wanted, (200, shown)).await
}

async fn editable(desk: &Desk<'_>, wanted: &Wanted, (status, shown): (u16, Shown)) -> Outcome {
    match wanted.party.origin {
        crate::model::Origin::Registered => page(desk, &wanted.op, status, shown),
        _ => change::failed(desk, wanted, PartyError::NotRegistered).await,
    }
}

pub(super) async fn edit(desk: &Desk<'_>) -> Outcome {
    let wanted = of_form(desk).await?;
    let op = wanted.op.clone();
    let Some(rules) = rules(&op) else {
        return change::failed(desk, &wanted, PartyError::NotRegistered).await;
    };
    let base = Draft::from_text(desk.form().get("base").unwrap_or_default());
    let mut shown = Shown {
        client_id: wanted.party.client_id.to_string(),
        draft: typed(desk, &op),
        base: Some(base.clone()),
        ..Shown::default()
    };
    let accepted = match shown.draft.check(&rules) {
        Ok(accepted) => accepted,
        Err(faults) => {
            shown.faults = faults;
            return editable(desk, &wanted, (422, shown)).await;
        }
    };
    let (actor, now, key, seen) = (desk.actor(), desk.now(), wanted.key(), base.clone());
    let edited = desk
        .shared()
        .store
        .write(move |tx| parties::edit(tx, &actor, (&key, &seen, &accepted), now))
        .await;
    op.forget_client(&wanted.party.client_id).await;
    match edited {
        Ok(Edited::Saved(None)) => Ok(change::done(desk, &wanted, "rp_changed")),
        Ok(Edited::Saved(Some(new))) => {
            secret::shown(desk, (&op, &wanted.party.client_id), &new, None)
        }
        Ok(Edited::Changed(theirs)) => {
            let mine = shown.draft.clone();
            let fields = shown.draft.take_over(&base, &theirs);
            let changes = last_changes(desk, &wanted).await?;
            let conflict = |field: &PartyField| ConflictView {
                name: desk.text(&format!("desk-rp-field-{}", field.name())),
                theirs: theirs.get(*field).to_owned(),
                yours: mine.get(*field).to_owned(),
                taken_over: mine.get(*field) == base.get(*field),
                by: changes.of(field.name()),
            };
            shown.conflicts = fields.iter().map(conflict).collect();
            shown.base = Some(*theirs);
            page(desk, &op, 409, shown)
        }
        Err(error) => change::failed(desk, &wanted, error).await,
    }
}

/// The last entries of the trail about an RP.
pub(super) struct LastChanges(Vec<TrailEntry>);

impl LastChanges {
    /// Who changed a field last, and when.
    pub(super) fn of(&self, field: &str) -> Option<(String, UtcTime)> {
        let has = |text: &Option<String>| {
            let members = text
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok());
            members.is_some_and(|members: Map<String, Value>| members.contains_key(field))
        };
        let mut entries = self.0.iter();
        let entry = entries.find(|entry| has(&entry.before) || has(&entry.after))?;
        Some((entry.actor.name.clone(), entry.happened_at))
    }
}

pub(super) async fn last_changes(
    desk: &Desk<'_>,
    wanted: &Wanted,
) -> Result<LastChanges, PageFailure> {
    let filter = TrailFilter {
        subject: Some(wanted.key().subject()),
        ..TrailFilter::default()
    };
    let store = &desk.shared().store;
    let entries = store.read(move |conn| trail::search(conn, &filter, None, LAST_CHANGES));
    Ok(LastChanges(entries.await?))
}

fn page(desk: &Desk<'_>, op: &Arc<Provider>, status: u16, shown: Shown) -> Outcome {
    let rules = rules(op).ok_or_else(nothing_here)?;
    let field = |field: PartyField| Field {
        value: shown.draft.get(field).to_owned(),
        error: messages(desk, &shown.faults, field),
    };
    let words: Vec<&str> = shown
        .draft
        .get(PartyField::Scope)
        .split_ascii_whitespace()
        .collect();
    let scope = |name: &'static str| ScopeView {
        name,
        chosen: words.is_empty() || words.contains(&name),
    };
    let method = shown.draft.get(PartyField::AuthMethod);
    let methods = rules.profile.client_authentication.iter();
    let is_new = shown.base.is_none();
    let slug = op.settings.slug();
    let about = [("issuer", slug), ("client_id", shown.client_id.as_str())];
    let page = RpFormPage {
        desk: desk.view(Section::Rps),
        is_new,
        issuer_slug: slug.to_owned(),
        issuer_name: op.settings.id.clone(),
        issuers: match is_new {
            true => list::issuers(desk, slug, |op| self::rules(op).is_some()),
            false => Vec::new(),
        },
        client_id: Field {
            value: shown.client_id.clone(),
            error: shown.client_id_error.clone(),
        },
        base: shown.base.as_ref().map(Draft::to_text).unwrap_or_default(),
        name: field(PartyField::Name),
        organization_name: field(PartyField::Organization),
        redirect_uris: field(PartyField::RedirectUris),
        auth_method: field(PartyField::AuthMethod),
        methods: methods
            .map(|known| OptionView {
                value: (*known).to_owned(),
                name: desk.text(&format!("desk-rp-method-{known}")),
                chosen: *known == method,
            })
            .collect(),
        jwks: field(PartyField::Jwks),
        jwks_uri: field(PartyField::JwksUri),
        scope: field(PartyField::Scope),
        scopes: rules
            .profile
            .scopes
            .iter()
            .map(|known| scope(known.name))
            .collect(),
        access_token: field(PartyField::AccessSeconds),
        id_token: field(PartyField::IdTokenSeconds),
        refresh_token: field(PartyField::RefreshSeconds),
        most_seconds: [
            PartyField::AccessSeconds,
            PartyField::IdTokenSeconds,
            PartyField::RefreshSeconds,
        ]
        .map(|field| rules.most_seconds(field)),
        logo_uri: field(PartyField::LogoUri),
        client_uri: field(PartyField::ClientUri),
        policy_uri: field(PartyField::PolicyUri),
        faulty: !shown.faults.is_empty() || shown.client_id_error.is_some(),
        error: shown.error.clone(),
        conflicts: shown.conflicts.clone(),
        action_url: if is_new { ADD } else { EDIT },
        back_url: match is_new {
            true => PATH.to_owned(),
            false => crate::ui::desk::visit::link(ONE, &about),
        },
    };
    desk.page(status, &page)
}

/// What is wrong with a field, in the visitor's language; of several values the first few.
fn messages(desk: &Desk<'_>, faults: &[Fault], field: PartyField) -> Option<String> {
    let of_field = faults.iter().filter(|fault| fault.field == field);
    let texts: Vec<String> = of_field
        .take(5)
        .map(|fault| {
            let says = desk.text(&format!("desk-rp-problem-{}", fault.problem.name()));
            match &fault.value {
                Some(value) => format!("{value}: {says}"),
                None => says,
            }
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}
