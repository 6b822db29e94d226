//! A browser's visit to the desk, before anybody is known to be behind it.

use super::super::visit::{LANGUAGE_SECONDS, PageFailure, language_cookie, refusal_kind};
use super::super::{Brand, Layout, Locale, Page as _, PageError, Pages, RefusalPage};
use super::cookie_name;
use crate::clock::UtcTime;
use crate::endpoint::{CookieChange, Inbound, Method, Page, Reply};
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
        let query = self.query();
        let kept: Vec<(&str, &str)> = query.iter().filter(|(name, _)| *name != "lang").collect();
        let language_links = if self.inbound.method == Method::Get {
            let to = |locale: Locale| {
                let mut all = kept.clone();
                all.push(("lang", locale.code()));
                (locale, link(self.path, &all))
            };
            Locale::ALL.into_iter().map(to).collect()
        } else {
            Vec::new()
        };
        Layout {
            locale: self.locale(),
            issuer_path: String::new(),
            organization_name: "Varco".to_owned(),
            logo_url: None,
            style_url: None,
            policy_url: None,
            attribute_names: Default::default(),
            profile_brand: Brand::named("Varco", "openid"),
            language_links,
            request_id: self.inbound.request_id.clone(),
            development: self.shared().server.development,
            signed_in_as,
            nav: false,
        }
    }

    /// A rendered page, which nobody may store; the language choice becomes a cookie.
    #[must_use]
    pub fn html(&self, status: u16, html: String) -> Reply {
        let reply = Reply::bytes(status, "text/html; charset=utf-8", html.into_bytes())
            .header("Cache-Control", "no-store");
        match self.query().get("lang").and_then(Locale::parse) {
            None => reply,
            Some(language) => reply.cookie(CookieChange::Set(
                language_cookie(&self.shared().server),
                language.code().to_owned(),
                LANGUAGE_SECONDS,
            )),
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

/// A path with query parameters; empty ones are left out.
#[must_use]
pub fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}
