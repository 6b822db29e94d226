//! The route table.

use super::desk;
use super::inbound::{self, BodyError};
use super::outbound::respond;
use super::peer::{self, Proxies};
use super::{mailbox, pages, static_files};
use crate::endpoint::{self, Endpoint, FORM, Note, Reply, Trouble, quote};
use crate::model::ErrorCode;
use crate::oauth::authorization::AuthorizationEndpoint;
use crate::oauth::introspection::IntrospectionEndpoint;
use crate::oauth::registration::RegistrationEndpoint;
use crate::oauth::revocation::RevocationEndpoint;
use crate::oauth::token::TokenEndpoint;
use crate::oauth::userinfo::UserinfoEndpoint;
use crate::oauth::{documents, resolve};
use crate::profile::Path;
use crate::provider::{Provider, Shared};
use crate::ui::{BRAND_STYLE_PATH, Pages, brand_style};
use actix_web::guard::{Guard, GuardContext};
use actix_web::http::header;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};
use std::sync::Arc;

/// What a process serves.
#[derive(Clone)]
pub struct App {
    /// What all issuers share.
    pub shared: Arc<Shared>,
    /// The issuers.
    pub providers: Vec<Arc<Provider>>,
    /// The templates and static files.
    pub pages: Arc<Pages>,
}

/// What the handlers of one issuer have at hand.
pub(super) struct IssuerState {
    pub(super) op: Arc<Provider>,
    pub(super) pages: Arc<Pages>,
}

/// Registers every address of the application.
pub fn configure(app: &App, config: &mut ServiceConfig) {
    config
        .app_data(Data::new(app.clone()))
        .route("/healthz", web::get().to(healthy))
        .route("/readyz", web::get().to(ready))
        .service(static_files::service(app.pages.clone()));
    desk::register(app, config);
    mailbox::register(app, config);
    let mut providers = app.providers.clone();
    // Longest path first, so that /a/b is not swallowed by /a.
    providers.sort_by_key(|op| std::cmp::Reverse(op.base_path().len()));
    let authorities: std::collections::BTreeSet<_> =
        providers.iter().filter_map(|op| authority_of(op)).collect();
    for op in providers {
        let scope = web::scope(&op.base_path());
        // Published URLs come from the configuration; the Host header only tells issuers apart.
        let scope = if authorities.len() > 1 {
            scope.guard(AtAuthority {
                authority: authority_of(&op).unwrap_or_default(),
                op: op.clone(),
            })
        } else {
            scope
        };
        let state = Data::new(IssuerState {
            op: op.clone(),
            pages: app.pages.clone(),
        });
        config.service(
            scope
                .app_data(state)
                .configure(|config| issuer(&op, config)),
        );
    }
}

/// The addresses below one issuer; those that its profile does not offer do not exist.
fn issuer(op: &Arc<Provider>, config: &mut ServiceConfig) {
    endpoint::<AuthorizationEndpoint>(op, Path::Authorization, config);
    endpoint::<TokenEndpoint>(op, Path::Token, config);
    endpoint::<UserinfoEndpoint>(op, Path::Userinfo, config);
    endpoint::<IntrospectionEndpoint>(op, Path::Introspection, config);
    endpoint::<RevocationEndpoint>(op, Path::Revocation, config);
    endpoint::<RegistrationEndpoint>(op, Path::Registration, config);
    for path in [
        Path::EntityConfiguration,
        Path::OpenidConfiguration,
        Path::Jwks,
        Path::SignedJwks,
        Path::HistoricalKeys,
    ] {
        if op.offers(path) {
            let resource = only(op.profile.methods(path), path.as_str());
            config.service(
                resource
                    .route(web::get().to(move |state, http| document(state, http, path)))
                    .route(web::head().to(move |state, http| document(state, http, path))),
            );
        }
    }
    if op.offers(Path::Resolve) {
        config.service(
            only(op.profile.methods(Path::Resolve), Path::Resolve.as_str())
                .route(web::get().to(resolve))
                .route(web::post().to(resolve)),
        );
    }
    config
        .service(only("GET", "/schemas/").route(web::get().to(schemas)))
        .service(only("GET", "/schemas/{name}.json").route(web::get().to(schema)));
    if brand_style(&op.settings.branding).is_some() {
        config.service(only("GET", BRAND_STYLE_PATH).route(web::get().to(style)));
    }
    pages::register(op, config);
    config.default_service(web::to(not_found));
}

fn endpoint<E: Endpoint>(op: &Provider, path: Path, config: &mut ServiceConfig) {
    if op.offers(path) {
        config.service(
            only(op.profile.methods(path), path.as_str())
                .route(web::get().to(protocol::<E>))
                .route(web::post().to(protocol::<E>)),
        );
    }
}

/// The handler of every protocol endpoint.
async fn protocol<E: Endpoint>(
    state: Data<IssuerState>,
    http: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    match inbound::read(&*state.op, &http, payload, E::BODIES).await {
        Ok(inbound) => {
            let reply = endpoint::run::<E>(state.op.clone(), inbound.clone()).await;
            respond(&state, &inbound, reply)
        }
        Err(error) => {
            let for_people = http.path().ends_with(Path::Authorization.as_str());
            unreadable(&state, &http, &error, for_people)
        }
    }
}

pub(super) fn unreadable(
    state: &IssuerState,
    http: &HttpRequest,
    error: &BodyError,
    for_people: bool,
) -> HttpResponse {
    let inbound = inbound::without_body(&*state.op, http);
    let (status, description) = error.answer();
    let trouble = match error {
        BodyError::TooLarge => Trouble::TooLarge,
        BodyError::TooSlow | BodyError::Broken | BodyError::WrongType(_) => Trouble::InvalidRequest,
    };
    let mut reply = Reply::refusal(
        ErrorCode::InvalidRequest,
        description.clone(),
        trouble,
        inbound.wants_json || !for_people,
    );
    reply.status = status;
    let note = Note::new(log::Level::Warn, "http.refused").with("reason", description);
    respond(state, &inbound, reply.noted(note))
}

async fn document(state: Data<IssuerState>, http: HttpRequest, path: Path) -> HttpResponse {
    let inbound = inbound::without_body(&*state.op, &http);
    // For people who look at it with a tool; federations fetch the signed form.
    if path == Path::EntityConfiguration && inbound.wants_json {
        return match documents::readable_entity_configuration(&state.op) {
            Ok(json) => respond(
                &state,
                &inbound,
                Reply::bytes(200, "application/json", json),
            ),
            Err(error) => respond(&state, &inbound, error.into_reply(false)),
        };
    }
    match documents::document(&state.op, path) {
        Ok(document) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, document.content_type))
            .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
            .insert_header((header::CACHE_CONTROL, "public, max-age=60"))
            .body(document.body.clone()),
        Err(error) => respond(&state, &inbound, error.into_reply(false)),
    }
}

async fn resolve(state: Data<IssuerState>, http: HttpRequest, payload: Payload) -> HttpResponse {
    let inbound = match inbound::read(&*state.op, &http, payload, &[FORM]).await {
        Ok(inbound) => inbound,
        Err(error) => return unreadable(&state, &http, &error, false),
    };
    match resolve::resolve(&state.op, &inbound).await {
        Ok(document) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, document.content_type))
            .body(document.body.clone()),
        Err(error) => respond(&state, &inbound, error.into_reply(false)),
    }
}

async fn schemas(state: Data<IssuerState>, http: HttpRequest) -> HttpResponse {
    let inbound = inbound::without_body(&*state.op, &http);
    respond(&state, &inbound, documents::schema_index(&state.op))
}

async fn schema(
    state: Data<IssuerState>,
    http: HttpRequest,
    name: web::Path<String>,
) -> HttpResponse {
    let inbound = inbound::without_body(&*state.op, &http);
    let reply = documents::schema(&state.op, &name)
        .unwrap_or_else(|error| error.into_reply(!inbound.wants_json));
    respond(&state, &inbound, reply)
}

async fn style(state: Data<IssuerState>, http: HttpRequest) -> HttpResponse {
    match brand_style(&state.op.settings.branding) {
        Some(style) => static_files::answer(&http, &style),
        None => not_found(state, http).await,
    }
}

async fn not_found(state: Data<IssuerState>, http: HttpRequest) -> HttpResponse {
    let inbound = inbound::without_body(&*state.op, &http);
    let reply = Reply::refusal(
        ErrorCode::NotFound,
        "there is nothing at this address".to_owned(),
        Trouble::NotFound,
        inbound.wants_json,
    );
    let note = Note::new(log::Level::Info, "http.not_found");
    respond(&state, &inbound, reply.noted(note))
}

/// An address where other methods than these are refused with a reason and a line of the log.
pub(super) fn only(methods: &'static str, path: &str) -> Resource {
    web::resource(path).default_service(web::to(move || method_not_allowed(methods)))
}

async fn method_not_allowed(methods: &'static str) -> HttpResponse {
    let mut response = HttpResponse::MethodNotAllowed()
        .insert_header((header::ALLOW, methods))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(serde_json::json!({
            "error": "invalid_request",
            "error_description": format!("this endpoint takes {methods} only"),
        }));
    let note = Note::new(log::Level::Info, "http.method_refused").with("allowed", methods);
    response.extensions_mut().insert(note);
    response
}

/// The process is alive.
async fn healthy() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// The process can serve: its database answers.
async fn ready(app: Data<App>) -> HttpResponse {
    match app.shared.store.ping().await {
        Ok(()) => HttpResponse::Ok().json(serde_json::json!({ "status": "ready" })),
        Err(error) => {
            log::error!("event=not_ready reason={}", quote(error));
            HttpResponse::ServiceUnavailable()
                .insert_header((header::RETRY_AFTER, "5"))
                .json(serde_json::json!({ "status": "the database does not answer" }))
        }
    }
}

fn authority_of(op: &Provider) -> Option<String> {
    let url = url::Url::parse(&op.settings.id).ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => peer::comparable(&format!("{host}:{port}")),
        None => peer::comparable(host),
    })
}

struct AtAuthority {
    authority: String,
    op: Arc<Provider>,
}

impl Guard for AtAuthority {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        Proxies::of(&self.op.shared.server)
            .authority(context.head())
            .is_some_and(|found| found == self.authority)
    }
}
