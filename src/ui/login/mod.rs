//! `/login`: for an RP (with an interaction) or for one's own pages (without).
//!
//! ```text
//! GET ─► single sign-on suffices ──────────────────────────────────────────────► /consent
//!   │    its level is too low, and it is fresh ─► step-up ─┐
//!   └──► form ─POST password─► the level needs more ───────┴─► step ─POST─► … ─► the level is reached ─► /consent
//! ```
//!
//! What was proven so far is kept in the interaction's row. Without an RP a password opens one's own pages; what changes
//! the account asks for a proof of its own.

mod alone;
mod around;
mod certificate;
mod finish;
mod start;
mod step;

use super::account::again::OWN_PAGES;
use super::device;
use super::interaction::{self, OpenInteraction};
use super::visit::{self, PageFailure, SignedIn, Visit, check_csrf, csrf_token};
use super::{Level, LoginError, LoginPage, Page as _};
use crate::authn::password::{self, LoginFailure};
use crate::endpoint::{CookieChange, Note, Reply};
use crate::federation::Source;
use crate::model::{Account, Factor, InteractionState, Method, Methods, Session, SessionId};
use crate::oauth::claims;
use crate::provider::Discovery;
use crate::random;
use crate::secret::Secret;
use crate::store::{external_login, interaction as interactions, session};
use finish::Proven;

/// What form tokens of this page are for.
const PURPOSE: &str = "login";
/// The longest username that is looked up.
const MAX_USERNAME: usize = 256;

/// The page's own view of a login: with an RP or without.
struct Login {
    open: Option<OpenInteraction>,
    /// What form tokens are made of.
    secret: String,
    /// Set when the cookie is new.
    fresh_cookie: Option<CookieChange>,
    /// The level to reach.
    level: String,
}

/// `GET /login`.
pub async fn show(visit: &Visit<'_>) -> Reply {
    match try_show(visit).await {
        Ok(reply) => reply,
        Err(failure) => visit.failure(failure),
    }
}

/// `GET /login/waiting`: what the script of a waiting page asks.
pub async fn waiting(visit: &Visit<'_>) -> Reply {
    match try_waiting(visit).await {
        Ok(reply) => reply,
        Err(failure) => visit.failure(failure),
    }
}

/// `POST /login`.
pub async fn submit(visit: &Visit<'_>) -> Reply {
    match try_submit(visit).await {
        Ok(reply) => reply,
        Err(failure) => visit.failure(failure),
    }
}

async fn try_show(visit: &Visit<'_>) -> Result<Reply, PageFailure> {
    let login = Login::find(visit).await?;
    if let Some(reply) = login.single_sign_on(visit).await? {
        return Ok(reply);
    }
    if let Some(step) = step::Step::find(&login, visit).await? {
        return Box::pin(step.show(visit)).await;
    }
    match (&login.open, start::chosen(visit, &login)) {
        (Some(open), Some(method)) => {
            Box::pin(start::page(visit, (&login, open), method, (200, None))).await
        }
        _ => {
            let error = login.lost(visit).await?;
            login.form(visit, 200, String::new(), error).await
        }
    }
}

/// Whatever is not a login that waits is something new: the page, loaded again, says what.
async fn try_waiting(visit: &Visit<'_>) -> Result<Reply, PageFailure> {
    let login = Login::find(visit).await?;
    let state = match step::Step::find(&login, visit).await? {
        Some(step) => Box::pin(step::poll(&step, visit)).await?,
        None => match (&login.open, start::chosen(visit, &login)) {
            (Some(open), Some(Method::External)) => {
                Box::pin(alone::poll(visit, &login, open)).await?
            }
            _ => "gone",
        },
    };
    Ok(Reply::json(200, &serde_json::json!({ "state": state })))
}

async fn try_submit(visit: &Visit<'_>) -> Result<Reply, PageFailure> {
    let form = visit.form()?;
    let login = Login::find(visit).await?;
    check_csrf(&form, &login.secret, &login.purpose())?;
    if let (Some(open), Some(_)) = (&login.open, form.get("cancel")) {
        return open.deny(visit, "the user cancelled the login").await;
    }
    if let (Some(open), Some(_)) = (&login.open, form.get("restart")) {
        return login.restart(visit, open).await;
    }
    // A form without username and password is that of a further step, whose code may have been left empty.
    let has_code = ["otp", "enrol", "answer", "card", "begin", "check"]
        .iter()
        .any(|name| form.get(name).is_some());
    let has_neither = form.get("username").is_none() && form.get("password").is_none();
    let is_begun = matches!(
        login.open.as_ref().map(|open| &open.interaction.state),
        Some(InteractionState::PartlyProven(_))
    );
    if has_code || (has_neither && is_begun) {
        if let Some(step) = step::Step::find(&login, visit).await? {
            return Box::pin(step.submit(visit, &form)).await;
        }
        return match (&login.open, start::chosen(visit, &login)) {
            (Some(open), Some(method)) => {
                Box::pin(start::submit(visit, (&login, open), method, &form)).await
            }
            _ => {
                let error = login.lost(visit).await?;
                let error = error.unwrap_or(LoginError::FormExpired);
                login.form(visit, 422, String::new(), Some(error)).await
            }
        };
    }
    let username = form.get("username").unwrap_or_default().trim().to_owned();
    let missing = match (username.is_empty(), form.get("password").is_none()) {
        (true, true) => Some(LoginError::MissingBoth),
        (true, false) => Some(LoginError::MissingUsername),
        (false, true) => Some(LoginError::MissingPassword),
        (false, false) => None,
    };
    if let Some(error) = missing {
        return login.form(visit, 422, username, Some(error)).await;
    }
    if username.len() > MAX_USERNAME {
        return login
            .form(
                visit,
                422,
                String::new(),
                Some(LoginError::WrongCredentials),
            )
            .await;
    }
    let typed = Secret::new(form.get("password").unwrap_or_default().to_owned());
    match password::check(visit.op, &username, typed, visit.inbound.address).await {
        Ok(account) => login.proven(visit, &account, Method::Password).await,
        Err(LoginFailure::Store(error)) => Err(error.into()),
        Err(failure) => login.refuse(visit, username, &failure).await,
    }
}

impl Login {
    async fn find(visit: &Visit<'_>) -> Result<Self, PageFailure> {
        let op = visit.op;
        if let Some(id) = visit.query().get("interaction") {
            let open = interaction::find(visit, id).await?;
            let level = op
                .level_for(&open.interaction.request.acr_values)
                .unwrap_or(&op.settings.default_acr)
                .to_owned();
            return Ok(Self {
                secret: open.secret.clone(),
                open: Some(open),
                fresh_cookie: None,
                level,
            });
        }
        let level = op
            .settings
            .password_levels
            .first()
            .cloned()
            .unwrap_or_default();
        let name = format!("{}.login", op.cookie_name());
        let (secret, fresh_cookie) = match visit.inbound.cookie(&name) {
            Some(secret) => (secret.to_owned(), None),
            None => {
                let secret = random::token();
                let cookie =
                    CookieChange::Set(name, secret.clone(), op.settings.lifetimes.interaction);
                (secret, Some(cookie))
            }
        };
        Ok(Self {
            open: None,
            secret,
            fresh_cookie,
            level,
        })
    }

    fn purpose(&self) -> String {
        match &self.open {
            Some(open) => format!("{PURPOSE} {}", open.id()),
            None => PURPOSE.to_owned(),
        }
    }

    /// SPID/CIE AZ-6: a session of a sufficient level is used, unless the RP wants a new login. One of a lower level is
    /// asked for what it lacks.
    async fn single_sign_on(&self, visit: &Visit<'_>) -> Result<Option<Reply>, PageFailure> {
        let Some(SignedIn { session, account }) = visit.live_session().await? else {
            return Ok(None);
        };
        let Some(open) = &self.open else {
            return Ok(Some(Reply::see_other(visit.link(own_page(visit), &[]))));
        };
        let request = &open.interaction.request;
        let did_log_in_for_it = matches!(
            &open.interaction.state,
            InteractionState::Authenticated { session: known } if *known == session.id
        );
        if self.is_too_old(visit, &session) || (request.prompt.login && !did_log_in_for_it) {
            return Ok(None);
        }
        if visit.op.suffices(&session.acr, &self.level) {
            return self.go_on(visit, open, session.id).await.map(Some);
        }
        // A password that was typed for this very login counts for more than the session.
        let has_begun = matches!(open.interaction.state, InteractionState::PartlyProven(_));
        let lacks = visit.op.next_factor(&self.level, &session.methods);
        if has_begun || lacks == Some(Factor::Knowledge) {
            return Ok(None);
        }
        if lacks.is_none() {
            if !session.methods.prove(Factor::Possession) {
                return Ok(None);
            }
            // The key verified its holder although a touch would have done: that reaches this level too.
            let proven = Proven {
                account: account.id,
                methods: session.methods,
                authenticated_at: session.authenticated_at,
                session_ends_at: session.expires_at,
            };
            return finish::finish(visit, self, proven).await.map(Some);
        }
        Box::pin(step::step_up(
            visit,
            self,
            open,
            SignedIn { session, account },
        ))
        .await
    }

    /// Says why somebody who had logged in, wholly or in part, has to do so again, when it is the server's fault.
    async fn lost(&self, visit: &Visit<'_>) -> Result<Option<LoginError>, PageFailure> {
        let state = self.open.as_ref().map(|open| &open.interaction.state);
        if let Some(InteractionState::PartlyProven(proof)) = state
            && proof.authenticated_at.is_of_the_future(visit.now())
        {
            return Ok(Some(LoginError::ClockWentBack));
        }
        let (Some(id), issuer, now) = (visit.session.clone(), &visit.op.issuer, visit.now()) else {
            return Ok(None);
        };
        let store = &visit.op.shared.store;
        let found = store.read(move |conn| session::find(conn, &id)).await?;
        let lost = found.filter(|found| {
            found.issuer == *issuer
                && found.ended_at.is_none()
                && found.authenticated_at.is_of_the_future(now)
        });
        Ok(lost.map(|lost| {
            log::error!(
                "event=clock.behind seconds={} seen_by=\"session of account {}\"",
                lost.authenticated_at.seconds_since(now),
                lost.account
            );
            LoginError::ClockWentBack
        }))
    }

    /// OIDC Core §3.1.2.1, `max_age`.
    fn is_too_old(&self, visit: &Visit<'_>, session: &Session) -> bool {
        let request = self.open.as_ref().map(|open| &open.interaction.request);
        request
            .and_then(|request| request.max_age)
            .is_some_and(|seconds| visit.now().seconds_since(session.authenticated_at) > seconds)
    }

    async fn go_on(
        &self,
        visit: &Visit<'_>,
        open: &OpenInteraction,
        session: SessionId,
    ) -> Result<Reply, PageFailure> {
        let id = open.interaction.id.clone();
        let now = visit.now();
        visit
            .op
            .shared
            .store
            .write(move |tx| interactions::authenticate(tx, &id, &session, now))
            .await?;
        Ok(Reply::see_other(
            visit.link("/consent", &[("interaction", open.id())]),
        ))
    }

    /// A first factor is proven, and with it who it is: the login is done, or goes on with the next factor.
    async fn proven(
        &self,
        visit: &Visit<'_>,
        account: &Account,
        method: Method,
    ) -> Result<Reply, PageFailure> {
        let methods = Methods::only(method);
        let lacks = visit.op.next_factor(&self.level, &methods);
        if let Some(open) = &self.open
            && matches!(
                lacks,
                Some(Factor::Possession | Factor::Strong | Factor::External)
            )
        {
            return step::begin(visit, open, (account, methods)).await;
        }
        let proven = Proven {
            account: account.id.clone(),
            methods,
            authenticated_at: visit.now(),
            session_ends_at: visit
                .now()
                .plus_seconds(visit.op.settings.lifetimes.session),
        };
        finish::finish(visit, self, proven).await
    }

    /// Forgets what was proven, for somebody else to log in.
    async fn restart(
        &self,
        visit: &Visit<'_>,
        open: &OpenInteraction,
    ) -> Result<Reply, PageFailure> {
        let (id, now) = (open.interaction.id.clone(), visit.now());
        visit
            .op
            .shared
            .store
            .write(move |tx| {
                external_login::remove(tx, &id)?;
                interactions::prove(tx, &id, None, now)
            })
            .await?;
        if start::chosen(visit, self) == Some(Method::External) {
            // Another name for the same app.
            return Ok(Reply::see_other(around::url(
                visit,
                open,
                Some(Method::External),
            )));
        }
        self.form(visit, 200, String::new(), None).await
    }

    async fn refuse(
        &self,
        visit: &Visit<'_>,
        username: String,
        failure: &LoginFailure,
    ) -> Result<Reply, PageFailure> {
        let (status, error, reason, retry) = match failure {
            LoginFailure::Throttled { seconds } => (
                429,
                LoginError::Throttled {
                    seconds: u64::try_from(*seconds).unwrap_or(1),
                },
                "throttled",
                Some(*seconds),
            ),
            LoginFailure::Busy => (503, LoginError::Busy, "busy", Some(5)),
            LoginFailure::WrongCredentials | LoginFailure::Store(_) => {
                (422, LoginError::WrongCredentials, "credentials", None)
            }
        };
        if let (LoginFailure::WrongCredentials, Some(open)) = (failure, &self.open) {
            open.count_failure(visit).await?;
        }
        let mut reply = self.form(visit, status, username, Some(error)).await?;
        if let Some(seconds) = retry {
            reply = reply.header("Retry-After", seconds.to_string());
        }
        Ok(reply.noted(Note::new(log::Level::Warn, "login.failed").with("reason", reason)))
    }

    async fn form(
        &self,
        visit: &Visit<'_>,
        status: u16,
        username: String,
        error: Option<LoginError>,
    ) -> Result<Reply, PageFailure> {
        let op = visit.op;
        let request = self.open.as_ref().map(|open| &open.interaction.request);
        let locale = visit.locale(request.map_or(&[], |request| request.ui_locales.as_slice()));
        let client = match request {
            None => None,
            Some(request) => {
                let source = Discovery::Renew(Source::of(visit.inbound.address));
                Box::pin(op.find_client(&request.client_id, source))
                    .await
                    .ok()
            }
        };
        let interaction = self.open.as_ref().map_or("", |open| open.id());
        let page = LoginPage {
            rp: client.as_ref().map(|client| visit::rp_view(client, locale)),
            for_account: own_page(visit).starts_with("/account"),
            level: request.and_then(|_| Level::from_acr(&self.level)),
            username,
            error,
            csrf_token: csrf_token(&self.secret, &self.purpose()),
            action_url: visit.link(
                "/login",
                &[
                    ("interaction", interaction),
                    ("to", visit.query().get("to").unwrap_or_default()),
                ],
            ),
            cancel_allowed: self.open.is_some(),
            other_ways: match &self.open {
                Some(open) => around::ways(visit, open, start::methods(visit, self)),
                None => Vec::new(),
            },
            requested_attributes: request
                .map(|request| {
                    claims::attributes(op, request)
                        .into_iter()
                        .map(str::to_owned)
                        .collect()
                })
                .unwrap_or_default(),
        };
        let html = page.render(
            visit.pages,
            &visit.layout(locale, None, self.open.is_none()),
        )?;
        let mut reply = visit.html(status, html);
        if let Some(request) = request {
            // Cancelling answers this form with a redirect to the RP, which browsers hold against form-action.
            reply
                .form_actions
                .extend(visit::origin_of(&request.destination.redirect_uri));
        }
        reply.images.extend(
            client
                .as_ref()
                .and_then(|client| client.metadata().logo_uri.as_deref())
                .and_then(visit::origin_of),
        );
        reply.cookies.extend(self.fresh_cookie.clone());
        reply.cookies.push(device::cookie(visit));
        Ok(reply)
    }
}

/// Where a login without an RP leads to.
fn own_page(visit: &Visit<'_>) -> &'static str {
    let query = visit.query();
    let wanted = query.get("to").unwrap_or_default();
    OWN_PAGES
        .into_iter()
        .find(|path| path.trim_start_matches('/') == wanted)
        .unwrap_or("/history")
}
