//! The demonstration over HTTP: the federation's documents and the relying parties' pages.

mod asked;
mod attempts;
mod federation;
mod flow;
mod members;
mod pages;
mod trust_marks;
mod view;

pub use attempts::{Attempt, Attempts, Outcome};

use super::{DemoFederation, RelyingParty, Superior, path};
use crate::ui::Pages;
use actix_web::{FromRequest, Handler, Resource, Responder, web};
use asked::Refusal;
use std::sync::Arc;

/// What the handlers share.
pub struct Site {
    federation: Arc<DemoFederation>,
    pages: Arc<Pages>,
}

impl Site {
    fn superior(&self, entity: &str) -> Option<&Superior> {
        match entity {
            path::TRUST_ANCHOR => Some(self.federation.trust_anchor()),
            path::INTERMEDIATE => Some(self.federation.intermediate()),
            _ => None,
        }
    }

    fn relying_party(&self, entity: &str) -> Option<Arc<RelyingParty>> {
        self.federation.relying_party_at(entity)
    }
}

/// Mounts the demonstration: `/`, `/ta/…`, `/sa/…`, `/rp/…`, `/rp-aggregated/…` and further relying parties at `/rp-*/…`. The static files that the pages name are
/// somebody else's.
pub fn routes(config: &mut web::ServiceConfig, federation: Arc<DemoFederation>, pages: Arc<Pages>) {
    let entity = "/{entity:ta|sa|rp|rp-[a-z0-9-]+}";
    let superior = "/{entity:ta|sa}";
    let relying_party = "/{entity:rp|rp-[a-z0-9-]+}";
    config
        .app_data(web::Data::new(Site { federation, pages }))
        .route("/", web::get().to(pages::home))
        .service(document(
            &format!("{entity}/.well-known/openid-federation"),
            federation::configuration,
        ))
        .service(document(&format!("{superior}/fetch"), federation::fetch))
        .service(document(&format!("{superior}/list"), federation::list))
        .service(document(
            &format!("{superior}/resolve"),
            federation::resolve,
        ))
        .service(document("/ta/trust_mark_list", trust_marks::list))
        .service(document("/ta/trust_mark", trust_marks::mark))
        .service(only("POST", "/ta/members").route(web::post().to(members::order)))
        .service(only("POST", "/ta/trust_mark_status").route(web::post().to(trust_marks::status)))
        .route(relying_party, web::get().to(pages::with_slash))
        .route(&format!("{relying_party}/"), web::get().to(pages::start))
        .route(
            &format!("{relying_party}/login"),
            web::post().to(pages::login),
        )
        .service(
            web::resource(format!("{relying_party}/callback"))
                .route(web::get().to(pages::callback))
                .route(web::post().to(pages::callback)),
        )
        .route(
            &format!("{relying_party}/result"),
            web::get().to(pages::result),
        )
        .route(
            &format!("{relying_party}/action/{{action}}"),
            web::post().to(pages::action),
        )
        .route(
            &format!("{relying_party}/logo.svg"),
            web::get().to(pages::logo),
        )
        .route(
            &format!("{relying_party}/policy"),
            web::get().to(pages::privacy),
        );
}

/// An address to be read, by GET or HEAD.
fn document<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args> + Copy,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    only("GET, HEAD", path)
        .route(web::get().to(handler))
        .route(web::head().to(handler))
}

/// An address where other methods than these are refused.
fn only(methods: &'static str, path: &str) -> Resource {
    let refused = move || async move { Refusal::Method(methods).into_response() };
    web::resource(path).default_service(web::to(refused))
}

/// The first parameter of this name in a query or form.
fn parameter(text: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(text.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}
