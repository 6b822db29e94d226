//! The pages of the demonstration: the start page, and those of the relying parties.

use super::flow::{Flow, pretty_claims, shown_error};
use super::view::{self, View};
use super::{Attempt, Outcome, Site, parameter};
use crate::demo::policy::LEVELS;
use crate::demo::relying_party::{
    AuthorizationAnswer, PreparedRequest, ProviderMetadata, unverified_claims,
};
use crate::demo::{DemoError, LoginOptions, RelyingParty, origins, path};
use crate::random;
use crate::ui::{ActionKind, FormPostPage, StepKind};
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

/// Characters of the cookie: [`random::token`].
const COOKIE_CHARACTERS: usize = 43;
/// Bytes of an authorization answer: it is kept in memory.
const MAX_ANSWER_BYTES: usize = 8 * 1024;

/// `/`
pub async fn home(site: web::Data<Site>, request: HttpRequest) -> HttpResponse {
    View::new(&site, &request).page(&view::home(&site), StatusCode::OK)
}

/// `/rp` → `/rp/`
pub async fn with_slash(entity: web::Path<String>) -> HttpResponse {
    see_other(&format!("/{entity}/"))
}

/// `/rp/`: what to ask for.
pub async fn start(
    site: web::Data<Site>,
    entity: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let Some(relying_party) = site.relying_party(&entity) else {
        return HttpResponse::NotFound().finish();
    };
    let view = View::new(&site, &request);
    let page = view::start(&view, &relying_party, &entity);
    view.page(&page, StatusCode::OK)
}

/// `/rp/login`: builds the request and sends the browser to the provider. With `request_method=post` by a form that
/// posts the request, else by a redirect.
pub async fn login(
    site: web::Data<Site>,
    entity: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let Some(relying_party) = site.relying_party(&entity) else {
        return HttpResponse::NotFound().finish();
    };
    let form = String::from_utf8_lossy(&body);
    let view = View::new(&site, &request);
    let issuer = match parameter(&form, "provider").as_deref() {
        Some("spid") => site.federation.entity_id(path::SPID),
        Some("cie") => site.federation.entity_id(path::CIE),
        _ => {
            let error = ("invalid_request", "provider is neither spid nor cie");
            return view.failure(&relying_party, &entity, error, StatusCode::BAD_REQUEST);
        }
    };
    let mut options = login_options(&form, redirect_uri(&site, &relying_party, &request));
    options.ui_locales = Some(view.locale.code().to_owned());
    let mut outcome = Outcome::default();
    match begin(&site, &relying_party, &issuer, &options, &mut outcome).await {
        Ok((provider, prepared)) => {
            let (browser, is_new) = browser(&request, &entity);
            let attempt =
                Attempt::begun(&browser, &entity, provider, prepared.clone(), outcome.steps);
            site.federation.attempts.insert(attempt);
            let mut response = if parameter(&form, "request_method").as_deref() == Some("post") {
                let page = FormPostPage {
                    action_url: prepared.endpoint,
                    fields: prepared.fields,
                    rp_name: issuer,
                };
                view.page(&page, StatusCode::OK)
            } else {
                see_other(&prepared.url)
            };
            if is_new && let Err(error) = response.add_cookie(&cookie(&site, &entity, &browser)) {
                log::error!("demo: the cookie cannot be set: {error}");
            }
            response
        }
        Err(error) => {
            outcome.error = Some(shown_error(&error));
            let page = view::result(&view, &relying_party, &entity, &outcome, None);
            view.page(&page, StatusCode::BAD_GATEWAY)
        }
    }
}

async fn begin(
    site: &Site,
    relying_party: &RelyingParty,
    issuer: &str,
    options: &LoginOptions,
    outcome: &mut Outcome,
) -> Result<(ProviderMetadata, PreparedRequest), DemoError> {
    let discovered = match site.federation.discover(issuer).await {
        Ok(discovered) => discovered,
        Err(error) => {
            outcome.push(StepKind::TrustChain, false, error.to_string(), None);
            return Err(error);
        }
    };
    let detail = format!(
        "GET {}; signatures verified from the trust anchor's key down, metadata policy applied",
        discovered.fetched.join(", GET ")
    );
    let metadata = pretty_claims(&discovered.metadata);
    outcome.push(StepKind::TrustChain, true, detail, Some(metadata));
    let prepared = relying_party.authorization_request(&discovered.provider, options)?;
    let claims = unverified_claims(&prepared.request_object).unwrap_or_default();
    let detail = format!("signed for {}", prepared.endpoint);
    let body = Some(pretty_claims(&claims));
    outcome.push(StepKind::RequestObject, true, detail, body);
    Ok((discovered.provider, prepared))
}

fn login_options(form: &str, redirect_uri: Option<String>) -> LoginOptions {
    let level = parameter(form, "level").and_then(|level| level.parse::<usize>().ok());
    let level = LEVELS
        .get(level.unwrap_or(2).saturating_sub(1))
        .unwrap_or(&LEVELS[1]);
    let attributes: Vec<String> = url::form_urlencoded::parse(form.as_bytes())
        .filter(|(name, _)| name == "attribute")
        .map(|(_, claim)| claim.into_owned())
        .collect();
    let attributes = view::ATTRIBUTES
        .into_iter()
        .filter(|(claim, _)| attributes.iter().any(|asked| asked == claim))
        .map(|(claim, _)| claim.to_owned());
    let is_ticked = |name: &str| parameter(form, name).is_some_and(|value| value == "1");
    let scope = if is_ticked("offline_access") {
        "openid offline_access"
    } else {
        "openid"
    };
    let prompt = if is_ticked("prompt_login") {
        "consent login"
    } else {
        "consent"
    };
    let response_mode = parameter(form, "response_mode");
    LoginOptions {
        acr_values: vec![(*level).to_owned()],
        scope: scope.to_owned(),
        prompt: prompt.to_owned(),
        response_mode: response_mode.filter(|mode| mode == "query" || mode == "form_post"),
        redirect_uri,
        userinfo_claims: attributes.collect(),
        ..LoginOptions::default()
    }
}

/// The redirect address at the origin under which the page was opened, when that is one of ours.
fn redirect_uri(
    site: &Site,
    relying_party: &RelyingParty,
    request: &HttpRequest,
) -> Option<String> {
    let host = request.headers().get("host")?.to_str().ok()?;
    let origins = origins(site.federation.base_url());
    let position = origins.iter().position(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    });
    relying_party.redirect_uris().get(position?).cloned()
}

/// `/rp/callback`, by query or by form: keeps the answer and goes on to the result. A form that another site posts comes
/// without the cookie (`SameSite=Lax`), so that the cookie is looked at only after the redirect.
pub async fn callback(
    site: web::Data<Site>,
    entity: web::Path<String>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let Some(relying_party) = site.relying_party(&entity) else {
        return HttpResponse::NotFound().finish();
    };
    let form = String::from_utf8_lossy(&body);
    let answer = if request.method() == actix_web::http::Method::POST {
        form.as_ref()
    } else {
        request.query_string()
    };
    if answer.len() > MAX_ANSWER_BYTES {
        return HttpResponse::PayloadTooLarge().finish();
    }
    let answer = AuthorizationAnswer::parse_form(answer);
    let state = answer.state.clone().unwrap_or_default();
    let Some(attempt) = site.federation.attempts.find(&state) else {
        let view = View::new(&site, &request);
        let error = ("unknown_state", "no login with this state is under way");
        return view.failure(&relying_party, &entity, error, StatusCode::BAD_REQUEST);
    };
    attempt.lock().await.answer.get_or_insert(answer);
    see_other(&format!("/{entity}/result?{}", state_query(&state)))
}

/// `/rp/result?state=…`: what came of a login; looking again does nothing again.
pub async fn result(
    site: web::Data<Site>,
    entity: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    let Some(relying_party) = site.relying_party(&entity) else {
        return HttpResponse::NotFound().finish();
    };
    let view = View::new(&site, &request);
    let state = parameter(request.query_string(), "state").unwrap_or_default();
    let Some(attempt) = site.federation.attempts.find(&state) else {
        let error = ("unknown_state", "no login with this state is under way");
        return view.failure(&relying_party, &entity, error, StatusCode::BAD_REQUEST);
    };
    let mut attempt = attempt.lock().await;
    if !attempt.is_of(&entity, &browser(&request, &entity).0) {
        let error = ("wrong_browser", "another browser began this login");
        return view.failure(&relying_party, &entity, error, StatusCode::FORBIDDEN);
    }
    if attempt.outcome.is_none() {
        let Some(answer) = attempt.answer.clone() else {
            let error = ("no_answer", "the provider has not answered yet");
            return view.failure(&relying_party, &entity, error, StatusCode::BAD_REQUEST);
        };
        let first_steps = std::mem::take(&mut attempt.first_steps);
        let flow = flow(&site, &relying_party, &attempt);
        let outcome = flow.complete(&attempt.prepared, &answer, first_steps).await;
        attempt.outcome = Some(outcome);
    }
    let outcome = attempt.outcome.as_ref().cloned().unwrap_or_default();
    let page = view::result(&view, &relying_party, &entity, &outcome, Some(&state));
    view.page(&page, StatusCode::OK)
}

/// `/rp/action/{action}` with `state`: one of the buttons of the result page.
pub async fn action(
    site: web::Data<Site>,
    path: web::Path<(String, String)>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let (entity, name) = path.into_inner();
    let (Some(relying_party), Some(kind)) = (site.relying_party(&entity), action_kind(&name))
    else {
        return HttpResponse::NotFound().finish();
    };
    let view = View::new(&site, &request);
    let state = parameter(&String::from_utf8_lossy(&body), "state").unwrap_or_default();
    let Some(attempt) = site.federation.attempts.find(&state) else {
        let error = ("unknown_state", "no login with this state is under way");
        return view.failure(&relying_party, &entity, error, StatusCode::BAD_REQUEST);
    };
    let mut attempt = attempt.lock().await;
    // The cookie is SameSite=Lax: another site's form comes without it and ends here.
    if !attempt.is_of(&entity, &browser(&request, &entity).0) {
        let error = ("wrong_browser", "another browser began this login");
        return view.failure(&relying_party, &entity, error, StatusCode::FORBIDDEN);
    }
    if let Some(mut outcome) = attempt.outcome.clone() {
        flow(&site, &relying_party, &attempt)
            .act(kind, &mut outcome)
            .await;
        attempt.outcome = Some(outcome);
    }
    // To the step that the button has added.
    see_other(&format!("/{entity}/result?{}#last", state_query(&state)))
}

fn flow<'a>(site: &'a Site, relying_party: &'a RelyingParty, attempt: &'a Attempt) -> Flow<'a> {
    Flow {
        http: &*site.federation.http,
        relying_party,
        provider: &attempt.provider,
        acr_values: &attempt.prepared.acr_values,
    }
}

/// The last part of an action's address.
pub(super) const fn action_name(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Refresh => "refresh",
        ActionKind::Introspect => "introspect",
        ActionKind::UserInfo => "userinfo",
        ActionKind::RevokeAccess => "revoke-access",
        ActionKind::RevokeRefresh => "revoke-refresh",
        ActionKind::Logout => "logout",
    }
}

fn action_kind(name: &str) -> Option<ActionKind> {
    ActionKind::ALL
        .into_iter()
        .find(|kind| action_name(*kind) == name)
}

/// `/rp/logo.svg`
pub async fn logo() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header(("Cache-Control", "public, max-age=86400"))
        .body(include_str!("logo.svg"))
}

/// `/rp/policy`
pub async fn privacy() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(
        "Servizio dimostrativo: i dati ricevuti restano in memoria per due ore al massimo e non sono dati di persone reali.\n\
         Demonstration service: what it receives stays in memory for two hours at most and is of no real person.\n",
    )
}

/// The browser's secret, and whether it is new.
fn browser(request: &HttpRequest, entity: &str) -> (String, bool) {
    let known = request.cookie(&cookie_name(entity));
    match known.filter(|cookie| cookie.value().len() == COOKIE_CHARACTERS) {
        Some(cookie) => (cookie.value().to_owned(), false),
        None => (random::token(), true),
    }
}

fn cookie(site: &Site, entity: &str, value: &str) -> Cookie<'static> {
    let is_https = site.federation.base_url().starts_with("https://");
    Cookie::build(cookie_name(entity), value.to_owned())
        .secure(is_https)
        .path(format!("/{entity}/"))
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}

fn cookie_name(entity: &str) -> String {
    format!("varco-demo-{entity}")
}

fn state_query(state: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("state", state)
        .finish()
}

fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("Location", location))
        .insert_header(("Cache-Control", "no-store"))
        .finish()
}
