//! From the demonstration's data to the typed pages.

use super::pages::action_name;
use super::{Outcome, Site};
use crate::clock::UtcTime;
use crate::demo::{RelyingParty, origins, path, users};
use crate::random;
use crate::ui::{
    ActionKind, Brand, DemoAction, DemoAttribute, DemoHomePage, DemoLink, DemoLinkKind,
    DemoOptions, DemoResultPage, DemoRpPage, DemoUser, Layout, Level, Locale, Page,
    attribute_value,
};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

/// The attributes that the page offers, and whether they are ticked at first.
pub(super) const ATTRIBUTES: [(&str, bool); 15] = [
    ("given_name", true),
    ("family_name", true),
    ("https://attributes.eid.gov.it/fiscal_number", true),
    ("email", true),
    ("birthdate", false),
    ("place_of_birth", false),
    ("gender", false),
    ("phone_number", false),
    ("address", false),
    ("document_details", false),
    ("https://attributes.eid.gov.it/e_delivery_service", false),
    ("https://attributes.eid.gov.it/spid_code", false),
    ("https://attributes.eid.gov.it/eid_exp_date", false),
    ("https://attributes.eid.gov.it/company_name", false),
    ("https://attributes.eid.gov.it/vat_number", false),
];

/// The issuers of a development set-up keep the language in it too; where the host is the same, one choice does for all.
const LANGUAGE_COOKIE: &str = "varco-lang";

/// One request's way of making pages: language and address.
pub(super) struct View<'a> {
    site: &'a Site,
    pub(super) locale: Locale,
    chosen: Option<Locale>,
    path: String,
    query: String,
    is_get: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(site: &'a Site, request: &HttpRequest) -> Self {
        let query = request.query_string().to_owned();
        let header = request.headers().get("accept-language");
        let accept_language = header.and_then(|value| value.to_str().ok());
        let choice = super::parameter(&query, "lang");
        let kept = request.cookie(LANGUAGE_COOKIE);
        Self {
            site,
            locale: Locale::choose(
                choice.as_deref(),
                &[],
                kept.as_ref().map(Cookie::value),
                accept_language,
            ),
            chosen: choice.as_deref().and_then(Locale::parse),
            path: request.path().to_owned(),
            query,
            is_get: request.method() == actix_web::http::Method::GET,
        }
    }

    /// The page, with the headers that its forms and images need.
    pub(super) fn page(&self, page: &impl Page, status: StatusCode) -> HttpResponse {
        let html = match page.render(&self.site.pages, &self.layout()) {
            Ok(html) => html,
            Err(error) => {
                log::error!("demo: {error}");
                return HttpResponse::InternalServerError().finish();
            }
        };
        // A form's redirect to the provider is checked against form-action too, by Chromium.
        let origins = origins(self.site.federation.base_url()).join(" ");
        let policy = format!(
            "default-src 'none'; style-src 'self'; font-src 'self' data:; script-src 'self'; img-src 'self' data:; \
             form-action 'self' {origins}; base-uri 'none'; frame-ancestors 'none'"
        );
        let mut response = HttpResponse::build(status);
        if let Some(locale) = self.chosen {
            let cookie = Cookie::build(LANGUAGE_COOKIE, locale.code())
                .path("/")
                .http_only(true)
                .same_site(SameSite::Lax);
            response.cookie(cookie.finish());
        }
        response
            .content_type("text/html; charset=utf-8")
            .insert_header(("Content-Security-Policy", policy))
            .insert_header(("Cache-Control", "no-store"))
            .insert_header(("X-Content-Type-Options", "nosniff"))
            .insert_header(("Referrer-Policy", "no-referrer"))
            .body(html)
    }

    /// A result page that says only what failed.
    pub(super) fn failure(
        &self,
        relying_party: &RelyingParty,
        entity: &str,
        error: (&str, &str),
        status: StatusCode,
    ) -> HttpResponse {
        let outcome = Outcome {
            error: Some((error.0.to_owned(), error.1.to_owned())),
            ..Outcome::default()
        };
        let page = result(self, relying_party, entity, &outcome, None);
        self.page(&page, status)
    }

    fn layout(&self) -> Layout {
        Layout {
            locale: self.locale,
            issuer_path: String::new(),
            organization_name: "Varco".to_owned(),
            logo_url: None,
            style_url: None,
            policy_url: None,
            attribute_names: Default::default(),
            profile_brand: Brand::demo(),
            language_links: self.language_links(),
            request_id: random::identifier(),
            development: true,
            signed_in_as: None,
            nav: false,
        }
    }

    fn language_links(&self) -> Vec<(Locale, String)> {
        if !self.is_get {
            return Vec::new();
        }
        let others: Vec<(String, String)> = url::form_urlencoded::parse(self.query.as_bytes())
            .filter(|(name, _)| name != "lang")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let link = |locale: Locale| {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&others)
                .append_pair("lang", locale.code())
                .finish();
            (locale, format!("{}?{query}", self.path))
        };
        Locale::ALL.into_iter().map(link).collect()
    }
}

pub(super) fn home(site: &Site) -> DemoHomePage {
    let base = site.federation.base_url();
    let configuration = ".well-known/openid-federation";
    let address = |kind| match kind {
        DemoLinkKind::Rp => format!("{}/", path::RELYING_PARTY),
        DemoLinkKind::RpAggregated => format!("{}/", path::AGGREGATED_RELYING_PARTY),
        DemoLinkKind::SpidHistory => format!("{}/history", path::SPID),
        DemoLinkKind::CieHistory => format!("{}/history", path::CIE),
        DemoLinkKind::OidcHistory => format!("{}/history", path::OIDC),
        DemoLinkKind::Mailbox => "mailbox/".to_owned(),
        DemoLinkKind::SpidConfiguration => format!("{}/{configuration}", path::SPID),
        DemoLinkKind::CieConfiguration => format!("{}/{configuration}", path::CIE),
        DemoLinkKind::OidcConfiguration => {
            format!("{}/.well-known/openid-configuration", path::OIDC)
        }
        DemoLinkKind::TrustAnchor => format!("{}/{configuration}", path::TRUST_ANCHOR),
        DemoLinkKind::Intermediate => format!("{}/{configuration}", path::INTERMEDIATE),
    };
    let link = |kind| DemoLink {
        kind,
        url: format!("{base}/{}", address(kind)),
    };
    DemoHomePage {
        links: DemoLinkKind::ALL.into_iter().map(link).collect(),
        users: people(site.federation.clock.now()),
    }
}

pub(super) fn start(view: &View<'_>, relying_party: &RelyingParty, entity: &str) -> DemoRpPage {
    let attribute = |(claim, checked): (&str, bool)| DemoAttribute {
        claim: claim.to_owned(),
        checked,
    };
    DemoRpPage {
        rp_name: name(view, relying_party),
        subtitle: relying_party.entity_id().to_owned(),
        action_url: format!("/{entity}/login"),
        csrf_token: None,
        level: Level::L2,
        attributes: ATTRIBUTES.into_iter().map(attribute).collect(),
        options: DemoOptions::default(),
        users: people(view.site.federation.clock.now()),
        home_url: "/".to_owned(),
    }
}

/// The result of a login; the buttons need its `state`.
pub(super) fn result(
    view: &View<'_>,
    relying_party: &RelyingParty,
    entity: &str,
    outcome: &Outcome,
    state: Option<&str>,
) -> DemoResultPage {
    let claims = outcome.claims.iter();
    let claims = claims.map(|(claim, value)| {
        let shown = attribute_value(view.locale, claim, value);
        (claim.clone(), shown)
    });
    DemoResultPage {
        rp_name: name(view, relying_party),
        steps: outcome.steps.clone(),
        claims: claims.collect(),
        csrf_token: None, // `state` is one: random, of this login, checked with the cookie
        actions: state.map_or_else(Vec::new, |state| actions(entity, outcome, state)),
        error: outcome.error.clone(),
        restart_url: format!("/{entity}/"),
    }
}

fn actions(entity: &str, outcome: &Outcome, state: &str) -> Vec<DemoAction> {
    let Some(tokens) = &outcome.tokens else {
        return Vec::new();
    };
    let is_possible = |kind: &ActionKind| match kind {
        ActionKind::Refresh | ActionKind::RevokeRefresh => tokens.refresh_token.is_some(),
        ActionKind::Introspect
        | ActionKind::UserInfo
        | ActionKind::RevokeAccess
        | ActionKind::Logout => true,
    };
    let action = |kind| DemoAction {
        kind,
        action_url: format!("/{entity}/action/{}", action_name(kind)),
        name: "state".to_owned(),
        value: state.to_owned(),
    };
    ActionKind::ALL
        .into_iter()
        .filter(is_possible)
        .map(action)
        .collect()
}

fn name(view: &View<'_>, relying_party: &RelyingParty) -> String {
    match view.locale {
        Locale::It => relying_party.name_it().to_owned(),
        Locale::En | Locale::De => relying_party.name().to_owned(),
    }
}

fn people(now: UtcTime) -> Vec<DemoUser> {
    let user = |line: &str| {
        let person: Value = serde_json::from_str(line).ok()?;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let attribute = |name: &str| text(person.get("attributes")?.get(name));
        Some(DemoUser {
            username: text(person.get("username"))?,
            password: text(person.get("password"))?,
            name: format!("{} {}", attribute("given_name")?, attribute("family_name")?),
            code: text(person.get("totp_secret")).and_then(|secret| code_at(&secret, now)),
        })
    };
    users().lines().filter_map(user).collect()
}

/// What an app with this secret (Base32) shows: RFC 6238, as every app does it.
fn code_at(secret: &str, now: UtcTime) -> Option<String> {
    let secret = totp_rs::Secret::try_from_base32(secret).ok()?;
    let app = totp_rs::Builder::new().with_secret(secret).build().ok()?;
    let now = u64::try_from(now.0).ok()?;
    Some(app.generate(now).to_string())
}
