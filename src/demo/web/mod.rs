//! The demonstration over HTTP: the federation's documents and the relying parties' pages.

mod attempts;
mod federation;
mod flow;
mod pages;
mod view;

pub use attempts::{Attempt, Attempts, Outcome};

use super::{DemoFederation, RelyingParty, Superior, path};
use crate::ui::Pages;
use actix_web::web;
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
        .route(
            &format!("{entity}/.well-known/openid-federation"),
            web::get().to(federation::configuration),
        )
        .route(
            &format!("{superior}/fetch"),
            web::get().to(federation::fetch),
        )
        .route(&format!("{superior}/list"), web::get().to(federation::list))
        .service(
            web::resource("/ta/trust_mark_status")
                .route(web::get().to(federation::trust_mark_status))
                .route(web::post().to(federation::trust_mark_status)),
        )
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

/// The first parameter of this name in a query or form.
fn parameter(text: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(text.as_bytes())
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}
