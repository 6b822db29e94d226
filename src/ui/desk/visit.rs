//! A browser's visit to the desk, before anybody is known to be behind it.

pub use super::super::visit::link;
use super::super::visit::{
    PageFailure, keep_language, language_cookie, language_links, page_reply, refusal_kind,
};
use super::super::{Brand, Layout, Locale, Page as _, PageError, Pages, RefusalPage};
use super::cookie_name;
use crate::clock::UtcTime;
use crate::endpoint::{Inbound, Page, Reply};
use crate::model::{Params, SessionId};
use crate::provider::{Provider, Shared};
use std::sync::Arc;

/// What the desk's handlers have at hand.
#[derive(Clone)]
pub struct DeskState {
    /// What all issuers share.
    pub shared: Arc<Shared>,
    /// The issuers.
    pub providers: Vec<Arc<Provider>>,
    /// The templates.
    pub pages: Arc<Pages>,
}

/// A visit.
pub struct DeskVisit<'a> {
    /// The process.
    pub state: &'a DeskState,
    /// The request.
    pub inbound: &'a Inbound,
    /// What the browser's session cookie stands for, if it has one.
    pub session: Option<SessionId>,
    /// The page's path.
    pub path: &'static str,
}

impl DeskVisit<'_> {
    /// What all issuers share.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.state.shared
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> UtcTime {
        self.state.shared.clock.now()
    }

    /// The query; empty when it cannot be read.
    #[must_use]
    pub fn query(&self) -> Params {
        self.inbound.query.clone().unwrap_or_default()
    }

    /// The language of the page: chosen on it, then the cookie, then the browser's.
    #[must_use]
    pub fn locale(&self) -> Locale {
        Locale::choose(
            self.query().get("lang"),
            &[],
            self.inbound.cookie(&language_cookie(&self.shared().server)),
            self.inbound.accept_language.as_deref(),
        )
    }

    /// The name of the cookie that login forms are bound to, before there is a session.
    pub(super) fn login_cookie(&self) -> String {
        format!("{}.login", cookie_name(&self.shared().server))
    }

    /// What surrounds every page.
    #[must_use]
    pub fn layout(&self, signed_in_as: Option<String>) -> Layout {
        Layout {
            locale: self.locale(),
            issuer_path: String::new(),
            organization_name: "Varco".to_owned(),
            logo_url: None,
            style_url: None,
            policy_url: None,
            attribute_names: Default::default(),
            profile_brand: Brand::named("Varco", "openid"),
            language_links: language_links(self.inbound, |all| link(self.path, all)),
            request_id: self.inbound.request_id.clone(),
            development: self.shared().server.development,
            signed_in_as,
            nav: false,
        }
    }

    /// A rendered page, which nobody may store; the language choice becomes a cookie.
    #[must_use]
    pub fn html(&self, status: u16, html: String) -> Reply {
        let reply = page_reply(status, html);
        match self.query().get("lang").and_then(Locale::parse) {
            None => reply,
            Some(language) => reply.cookie(keep_language(&self.shared().server, language)),
        }
    }

    /// The page for a failure.
    #[must_use]
    pub fn failure(&self, failure: PageFailure) -> Reply {
        failure.into_reply(self.path, self.inbound.wants_json)
    }

    /// Renders a refusal.
    ///
    /// # Errors
    /// A template failed.
    pub fn render(&self, page: &Page) -> Result<String, PageError> {
        let (kind, error, error_description) = match page {
            Page::Refusal {
                code,
                description,
                trouble,
                ..
            } => (
                refusal_kind(*trouble),
                code.as_str().to_owned(),
                description.clone(),
            ),
            // Nothing here answers to relying parties.
            Page::FormPost { .. } => (
                super::super::RefusalKind::ServerError,
                String::new(),
                String::new(),
            ),
        };
        RefusalPage {
            kind,
            error,
            error_description,
            reference: self.inbound.request_id.clone(),
            check_url: None,
            retry_url: Some(super::PATH.to_owned()),
            back_to_rp: None,
        }
        .render(&self.state.pages, &self.layout(None))
    }
}
