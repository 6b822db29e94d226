//! A browser's visit to a page: who, where, in which language; and how its answer is made.

use super::{
    BRAND_STYLE_PATH, Brand, Layout, Locale, Page as _, PageError, Pages, RefusalKind, RefusalPage,
};
use crate::accounts::second_factor::SecondFactorError;
use crate::clock::UtcTime;
use crate::config::ServerSettings;
use crate::endpoint::{CookieChange, Inbound, Method, Note, Page, Reply, Trouble, quote};
use crate::mail::MailError;
use crate::model::{Account, ErrorCode, IssuerId, Params, Session, SessionId};
use crate::provider::{KnownClient, Provider};
use crate::secret;
use crate::store::{DbConn, StoreError, account, session};
use data_encoding::BASE64URL_NOPAD;
use std::sync::{Arc, OnceLock};

/// How long the language choice is kept.
const LANGUAGE_SECONDS: i64 = 365 * 86_400;

/// A visit.
pub struct Visit<'a> {
    /// At which issuer.
    pub op: &'a Arc<Provider>,
    /// The templates.
    pub pages: &'a Pages,
    /// The request.
    pub inbound: &'a Inbound,
    /// What the browser's session cookie stands for, if it has one.
    pub session: Option<SessionId>,
    /// The page's path below the issuer, for the language switch: `/login`. Empty: no page to come back to.
    pub path: &'static str,
    /// The languages that the RP wished, once its interaction was found: refusals keep to them too.
    pub ui_locales: OnceLock<Vec<String>>,
}

/// A live session and its person.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Alive.
    pub session: Session,
    /// Enabled.
    pub account: Account,
}

/// The session, if it is alive, of this issuer, and of a person who may log in.
///
/// # Errors
/// The database failed.
pub fn signed_in(
    connection: &mut DbConn,
    id: &SessionId,
    issuer: &IssuerId,
    now: UtcTime,
) -> Result<Option<SignedIn>, StoreError> {
    let Some(session) = session::find(connection, id)?
        .filter(|session| session.is_alive(now) && session.issuer == *issuer)
    else {
        return Ok(None);
    };
    let person = account::find(connection, &session.account)?;
    Ok(person
        .filter(|account| account.enabled)
        .map(|account| SignedIn { session, account }))
}

/// What goes wrong on a page.
#[derive(Debug)]
pub enum PageFailure {
    /// A refusal page.
    Refused(Trouble, &'static str),
    /// The database failed.
    Store(StoreError),
    /// A template failed: a bug.
    Page(PageError),
}

impl From<StoreError> for PageFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<MailError> for PageFailure {
    fn from(error: MailError) -> Self {
        match error {
            MailError::Store(error) => Self::Store(error),
            error @ (MailError::Text(_) | MailError::Seal(..) | MailError::Unreadable(_)) => {
                log::error!("event=mail.unusable reason={}", quote(error));
                Self::Refused(Trouble::ServerError, "the letter cannot be made")
            }
        }
    }
}

impl From<SecondFactorError> for PageFailure {
    fn from(error: SecondFactorError) -> Self {
        match error {
            SecondFactorError::Store(error) => Self::Store(error),
            error @ (SecondFactorError::Unreadable { .. }
            | SecondFactorError::Seal { .. }
            | SecondFactorError::NotBase32) => {
                log::error!("event=second_factor.unusable reason={}", quote(error));
                Self::Refused(
                    Trouble::ServerError,
                    "the second factor cannot be read or made",
                )
            }
        }
    }
}

impl From<PageError> for PageFailure {
    fn from(error: PageError) -> Self {
        Self::Page(error)
    }
}

impl PageFailure {
    /// The refusal, with its line of the log.
    #[must_use]
    pub fn into_reply(self, path: &'static str, wants_json: bool) -> Reply {
        let (code, trouble, description) = match &self {
            Self::Refused(trouble, description) => {
                let code = match trouble {
                    Trouble::Busy => ErrorCode::TemporarilyUnavailable,
                    Trouble::Forbidden => ErrorCode::AccessDenied,
                    _ => ErrorCode::InvalidRequest,
                };
                (code, *trouble, (*description).to_owned())
            }
            Self::Store(_) => (
                ErrorCode::TemporarilyUnavailable,
                Trouble::Unavailable,
                "the provider cannot reach its database".to_owned(),
            ),
            Self::Page(_) => (
                ErrorCode::ServerError,
                Trouble::ServerError,
                "the page could not be made".to_owned(),
            ),
        };
        let reason = match &self {
            Self::Refused(_, reason) => (*reason).to_owned(),
            Self::Store(error) => error.to_string(),
            Self::Page(error) => error.to_string(),
        };
        let level = if matches!(self, Self::Refused(..)) {
            log::Level::Info
        } else {
            log::Level::Error
        };
        Reply::refusal(code, description, trouble, wants_json).noted(
            Note::new(level, "page.refused")
                .with("page", path)
                .with("reason", reason),
        )
    }
}

impl Visit<'_> {
    /// The current time.
    #[must_use]
    pub fn now(&self) -> UtcTime {
        self.op.now()
    }

    /// The query; empty when it cannot be read.
    #[must_use]
    pub fn query(&self) -> Params {
        self.inbound.query.clone().unwrap_or_default()
    }

    /// The form.
    ///
    /// # Errors
    /// A repeated parameter or broken encoding.
    pub fn form(&self) -> Result<Params, PageFailure> {
        self.inbound.form.clone().map_err(|_| {
            PageFailure::Refused(Trouble::InvalidRequest, "the form could not be read")
        })
    }

    /// The language that the person chose on the page.
    #[must_use]
    pub fn chosen_language(&self) -> Option<Locale> {
        self.query().get("lang").and_then(Locale::parse)
    }

    /// The language of the page: chosen on it, then the RP's wish, then the cookie, then the browser's.
    #[must_use]
    pub fn locale(&self, ui_locales: &[String]) -> Locale {
        Locale::choose(
            self.query().get("lang"),
            ui_locales,
            self.inbound
                .cookie(&language_cookie(&self.op.shared.server)),
            self.inbound.accept_language.as_deref(),
        )
    }

    /// Whether this browser's language was chosen on a page, now or before.
    #[must_use]
    pub fn has_language(&self) -> bool {
        let kept = self
            .inbound
            .cookie(&language_cookie(&self.op.shared.server));
        self.chosen_language().is_some() || kept.and_then(Locale::parse).is_some()
    }

    /// Keeps a language in the browser.
    #[must_use]
    pub fn language_cookie(&self, language: Locale) -> CookieChange {
        keep_language(&self.op.shared.server, language)
    }

    /// A path below the issuer with query parameters; the language choice travels along.
    #[must_use]
    pub fn link(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let language = self.chosen_language();
        self.link_in(path, parameters, language)
    }

    fn link_in(&self, path: &str, parameters: &[(&str, &str)], language: Option<Locale>) -> String {
        let mut all = parameters.to_vec();
        if let Some(language) = language {
            all.push(("lang", language.code()));
        }
        format!("{}{}", self.op.base_path(), link(path, &all))
    }

    /// What surrounds every page.
    #[must_use]
    pub fn layout(&self, locale: Locale, signed_in_as: Option<String>, nav: bool) -> Layout {
        let language_links = match self.path {
            "" => Vec::new(),
            path => language_links(self.inbound, |all| self.link_in(path, all, None)),
        };
        let settings = &self.op.settings;
        let profile = self.op.profile;
        let mut brand = Brand::named(profile.brand, profile.brand_slug);
        if let Some(name) = &settings.branding.name {
            brand.name.clone_from(name);
        }
        Layout {
            locale,
            issuer_path: self.op.base_path(),
            organization_name: settings
                .organization_name
                .clone()
                .unwrap_or_else(|| brand.name.clone()),
            logo_url: super::logo_url(&settings.branding, self.pages.assets()),
            style_url: super::brand_style(&settings.branding).map(|style| {
                let base = self.op.base_path();
                format!("{base}{BRAND_STYLE_PATH}?v={}", style.version())
            }),
            policy_url: settings.policy_uri.clone(),
            attribute_names: super::attribute_names(settings, locale),
            profile_brand: brand,
            language_links,
            request_id: self.inbound.request_id.clone(),
            development: self.op.shared.server.development,
            signed_in_as,
            nav,
        }
    }

    /// A rendered page. It may be stored by nobody; the language choice becomes a cookie.
    #[must_use]
    pub fn html(&self, status: u16, html: String) -> Reply {
        let mut reply = page_reply(status, html);
        if let Some(language) = self.chosen_language() {
            reply = reply.cookie(self.language_cookie(language));
        }
        reply.images.extend(
            self.op
                .settings
                .branding
                .logo
                .as_deref()
                .and_then(origin_of),
        );
        reply
    }

    /// The live session of this browser at this issuer, and whose it is; a disabled person has none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn live_session(&self) -> Result<Option<SignedIn>, StoreError> {
        let Some(id) = self.session.clone() else {
            return Ok(None);
        };
        let (issuer, now) = (self.op.issuer.clone(), self.now());
        self.op
            .shared
            .store
            .read(move |connection| signed_in(connection, &id, &issuer, now))
            .await
    }

    /// The page for a failure.
    #[must_use]
    pub fn failure(&self, failure: PageFailure) -> Reply {
        let mut reply = failure.into_reply(self.path, self.inbound.wants_json);
        reply.ui_locales = self.ui_locales.get().cloned().unwrap_or_default();
        reply
    }

    /// Where developers see more of this refusal.
    fn check_url(&self, kept: bool) -> Option<String> {
        let exists = self.op.shared.server.development && self.op.is_member();
        let reference = [("reference", self.inbound.request_id.as_str())];
        (kept && exists).then(|| self.link("/check", &reference))
    }

    /// Renders the data of a protocol endpoint's page, for an RP that wishes these languages.
    ///
    /// # Errors
    /// A template failed.
    pub fn render(&self, page: &Page, ui_locales: &[String]) -> Result<String, PageError> {
        let locale = self.locale(ui_locales);
        let layout = self.layout(locale, None, false);
        match page {
            Page::Refusal {
                code,
                description,
                trouble,
                kept,
            } => RefusalPage {
                kind: refusal_kind(*trouble),
                error: code.as_str().to_owned(),
                error_description: description.clone(),
                reference: self.inbound.request_id.clone(),
                check_url: self.check_url(*kept),
                retry_url: None,
                back_to_rp: None,
            }
            .render(self.pages, &layout),
            Page::FormPost { action, fields } => super::FormPostPage {
                action_url: action.clone(),
                fields: fields
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect(),
                rp_name: url::Url::parse(action)
                    .ok()
                    .and_then(|url| url.host_str().map(str::to_owned))
                    .unwrap_or_else(|| action.clone()),
            }
            .render(self.pages, &layout),
        }
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

/// The page that was asked for in every language, by its query; of an answer to a form none: it cannot be asked for again.
pub(super) fn language_links(
    inbound: &Inbound,
    link: impl Fn(&[(&str, &str)]) -> String,
) -> Vec<(Locale, String)> {
    if inbound.method != Method::Get {
        return Vec::new();
    }
    let query = inbound.query.clone().unwrap_or_default();
    let kept: Vec<(&str, &str)> = query.iter().filter(|(name, _)| *name != "lang").collect();
    let to = |locale: Locale| {
        let mut all = kept.clone();
        all.push(("lang", locale.code()));
        (locale, link(&all))
    };
    Locale::ALL.into_iter().map(to).collect()
}

/// A rendered page, which nobody may store.
pub(super) fn page_reply(status: u16, html: String) -> Reply {
    Reply::bytes(status, "text/html; charset=utf-8", html.into_bytes())
        .header("Cache-Control", "no-store")
}

/// Keeps a language in the browser.
pub(super) fn keep_language(server: &ServerSettings, language: Locale) -> CookieChange {
    CookieChange::Set(
        language_cookie(server),
        language.code().to_owned(),
        LANGUAGE_SECONDS,
    )
}

/// The name of the cookie that keeps the language.
#[must_use]
pub fn language_cookie(server: &ServerSettings) -> String {
    host_cookie(server, "lang")
}

/// The name of a cookie that all issuers of the host share; see `RESERVED_SLUGS` of the configuration.
pub(super) fn host_cookie(server: &ServerSettings, name: &str) -> String {
    let prefix = if server.development { "" } else { "__Host-" };
    format!("{prefix}varco-{name}")
}

/// A form token bound to a secret of the browser (the interaction's cookie, or the session) and to a purpose.
#[must_use]
pub fn csrf_token(browser_secret: &str, purpose: &str) -> String {
    let text = format!("varco form\n{purpose}\n{browser_secret}");
    BASE64URL_NOPAD.encode(&secret::sha256(text.as_bytes()))
}

/// Whether a form brought the token that belongs to it. A browser without a secret has no token: everybody could compute
/// the one of an empty secret.
///
/// # Errors
/// It did not.
pub fn check_csrf(form: &Params, browser_secret: &str, purpose: &str) -> Result<(), PageFailure> {
    let sent = form.get("csrf_token").unwrap_or_default();
    let expected = csrf_token(browser_secret, purpose);
    if !browser_secret.is_empty() && secret::equal(sent.as_bytes(), expected.as_bytes()) {
        Ok(())
    } else {
        Err(PageFailure::Refused(
            Trouble::CsrfMismatch,
            "the form does not belong to this browser, or is too old",
        ))
    }
}

/// How a page shows an RP.
#[must_use]
pub fn rp_view(client: &KnownClient, locale: Locale) -> super::RpView {
    super::RpView {
        name: client.name(locale.code()),
        entity_id: client.id().to_string(),
        logo_url: client.metadata().logo_uri.clone(),
        policy_url: client.metadata().policy_uri.clone(),
    }
}

/// `https://rp.example.it` of a URL, for the content security policy; `app:` of a custom scheme.
#[must_use]
pub fn origin_of(uri: &str) -> Option<String> {
    let url = url::Url::parse(uri).ok()?;
    if matches!(url.scheme(), "http" | "https") {
        Some(url.origin().ascii_serialization())
    } else {
        Some(format!("{}:", url.scheme()))
    }
}

pub(super) fn refusal_kind(trouble: Trouble) -> RefusalKind {
    match trouble {
        Trouble::InvalidRequest => RefusalKind::InvalidRequest,
        Trouble::UntrustedRp => RefusalKind::UntrustedRp,
        Trouble::RpUnreachable => RefusalKind::RpUnreachable,
        Trouble::RpNotAuthorized => RefusalKind::RpNotAuthorized,
        Trouble::Replay => RefusalKind::Replay,
        Trouble::LostCookie => RefusalKind::LostCookie,
        Trouble::InteractionExpired => RefusalKind::InteractionExpired,
        Trouble::AlreadyAnswered => RefusalKind::AlreadyAnswered,
        Trouble::CsrfMismatch => RefusalKind::CsrfMismatch,
        Trouble::NotFound => RefusalKind::NotFound,
        Trouble::Forbidden => RefusalKind::Forbidden,
        Trouble::TooLarge => RefusalKind::TooLarge,
        Trouble::Busy => RefusalKind::ServerBusy,
        Trouble::Unavailable => RefusalKind::DatabaseDown,
        Trouble::ServerError => RefusalKind::ServerError,
    }
}
