//! One RP: what is known of it, what happened, and what can be done.

use super::{
    CHANGE, CHECK, CONFIRM, EDIT, EXPORT, PATH, SECRET, TOLERATE, Wanted, chain, of_query, row,
    tolerance,
};
use crate::administration::parties::{can_refresh, has_secret};
use crate::model::{ClientMetadata, LoginEvent, Origin, Refusal, Role};
use crate::store::login_event::{self, EventsOf};
use crate::store::renewal;
use crate::ui::desk::visit::link;
use crate::ui::desk::{Desk, Outcome, Section, trail};
use crate::ui::{
    KeptView, Level, OutcomeView, RpActionsView, RpLoginView, RpPage, dates, level_name,
};
use serde_json::{Value, json};

/// Logins that are shown.
const LAST_LOGINS: u32 = 10;

pub(super) async fn show(desk: &Desk<'_>) -> Outcome {
    let wanted = of_query(desk).await?;
    page(desk, &wanted, (200, None)).await
}

/// The page, with why nothing was done.
pub(super) async fn page(
    desk: &Desk<'_>,
    wanted: &Wanted,
    (status, error): (u16, Option<String>),
) -> Outcome {
    let (issuer, id) = (wanted.op.issuer.clone(), wanted.party.client_id.clone());
    let (logins, failure) = desk
        .shared()
        .store
        .read(move |conn| {
            let failure = renewal::find_failure(conn, &issuer, &id)?;
            let of = EventsOf::Client(issuer, id);
            let logins = login_event::search_recent(conn, &of, None, LAST_LOGINS)?;
            Ok::<_, crate::store::StoreError>((logins.rows, failure))
        })
        .await?;
    let refusals = wanted.op.last_refusals(&wanted.party.client_id).await?;
    let trust = wanted.party.origin.trust();
    let page = RpPage {
        desk: desk.view(Section::Rps),
        rp: row(desk, wanted),
        issuer_slug: wanted.op.settings.slug().to_owned(),
        error,
        facts: facts(desk, wanted),
        redirect_uris: wanted.party.metadata.redirect_uris.clone(),
        chain: trust
            .map(|trust| chain::nodes(trust, desk.now()))
            .unwrap_or_default(),
        renewal_failure: failure.map(|failure| (failure.since, failure.description)),
        marks: trust
            .map(|trust| chain::marks(trust, desk.now()))
            .unwrap_or_default(),
        tolerances: tolerance::views(desk, wanted),
        logins: logins.into_iter().map(|event| login(desk, event)).collect(),
        refusals: refusals
            .into_iter()
            .map(|refusal| kept(wanted, refusal))
            .collect(),
        metadata: format!("{:#}", shown(&wanted.party.metadata, &wanted.party.jwks)),
        actions: actions(desk, wanted),
        back_url: PATH,
    };
    desk.page(status, &page)
}

fn facts(desk: &Desk<'_>, wanted: &Wanted) -> Vec<OutcomeView> {
    let metadata = &wanted.party.metadata;
    let locale = desk.locale();
    let mut facts = Vec::new();
    let mut fact = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.push(OutcomeView {
                name: desk.text(key),
                value,
            });
        }
    };
    let time = |at| dates::date_time(locale, at);
    fact(
        "desk-rp-field-organization_name",
        metadata.organization_name.clone(),
    );
    fact(
        "desk-rp-field-auth_method",
        metadata.token_endpoint_auth_method.clone(),
    );
    fact("desk-rp-field-jwks_uri", metadata.jwks_uri.clone());
    fact("desk-rp-field-scope", metadata.scope.clone());
    let seconds = |value: Option<i64>| value.map(|seconds| seconds.to_string());
    fact(
        "desk-rp-field-access_token",
        seconds(metadata.lifetimes.access_token),
    );
    fact(
        "desk-rp-field-id_token",
        seconds(metadata.lifetimes.id_token),
    );
    fact(
        "desk-rp-field-refresh_token",
        seconds(metadata.lifetimes.refresh_token),
    );
    let previous = metadata.previous_secret.as_ref();
    let counts = previous.filter(|previous| previous.until > desk.now());
    fact(
        "desk-rp-old-secret-until",
        counts.map(|previous| time(previous.until)),
    );
    let missing = has_secret(metadata) && metadata.client_secret_sha256.is_none();
    fact(
        "desk-rp-secret",
        missing.then(|| desk.text("desk-rp-secret-missing")),
    );
    let trust = wanted.party.origin.trust();
    fact(
        "desk-rp-resolved",
        trust.map(|trust| time(trust.resolved_at)),
    );
    facts
}

fn login(desk: &Desk<'_>, event: LoginEvent) -> RpLoginView {
    let level = Level::from_acr(&event.acr);
    RpLoginView {
        at: event.occurred_at,
        level: level.map_or(event.acr, |level| level_name(desk.locale(), level)),
        access_until: event.access_until,
        revoked: event.revoked_at.is_some(),
    }
}

fn kept(wanted: &Wanted, refusal: Refusal) -> KeptView {
    kept_view(
        wanted.link(CHECK, &[("reference", &refusal.reference)]),
        refusal,
    )
}

/// A refusal and where it is shown by itself.
pub(super) fn kept_view(url: String, refusal: Refusal) -> KeptView {
    KeptView {
        url,
        endpoint: refusal.endpoint().to_owned(),
        answered: format!("{}: {}", refusal.code, refusal.description),
        reference: refusal.reference,
        refused_at: refusal.refused_at.0,
        client_id: refusal.unverified_client_id.to_string(),
        reason: refusal.reason,
    }
}

/// Metadata and keys without secrets, and without what says nothing.
fn shown(metadata: &ClientMetadata, jwks: &Value) -> Value {
    let mut members = match serde_json::to_value(metadata.without_secrets()) {
        Ok(Value::Object(members)) => members,
        Ok(_) | Err(_) => serde_json::Map::new(),
    };
    members.retain(|_, value| !value.is_null() && *value != json!([]) && *value != json!({}));
    members.insert("jwks".to_owned(), jwks.clone());
    Value::Object(members)
}

fn actions(desk: &Desk<'_>, wanted: &Wanted) -> RpActionsView {
    let may = desk.may(Role::Operator);
    let registered = matches!(wanted.party.origin, Origin::Registered);
    let resolves = can_refresh(&wanted.op, &wanted.party);
    let confirm = |change: &str| wanted.link(CONFIRM, &[("change", change)]);
    RpActionsView {
        change_url: CHANGE,
        disable_url: (may && wanted.party.enabled).then(|| confirm("disable")),
        enable: may && !wanted.party.enabled,
        refresh: (may && resolves && wanted.party.enabled).then(|| {
            desk.text(match registered {
                true => "desk-rp-fetch-keys",
                false => "desk-rp-refresh",
            })
        }),
        revoke_url: may.then(|| confirm("revoke")),
        edit_url: (may && registered).then(|| wanted.link(EDIT, &[])),
        tolerate_url: may.then(|| wanted.link(TOLERATE, &[])),
        secret_url: (may && registered && has_secret(&wanted.party.metadata))
            .then(|| wanted.link(SECRET, &[])),
        delete_url: (may && registered).then(|| confirm("delete")),
        check_url: wanted.link(CHECK, &[]),
        export_url: wanted.link(EXPORT, &[]),
        trail_url: link(trail::PATH, &[("subject", &wanted.key().subject())]),
    }
}
