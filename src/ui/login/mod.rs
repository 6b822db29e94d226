//! `/login`: for an RP (with an interaction) or for one's own history (without).

use super::interaction::{self, OpenInteraction};
use super::visit::{self, PageFailure, SignedIn, Visit, check_csrf, csrf_token};
use super::{Level, LoginError, LoginPage, Page as _};
use crate::authn::password::{self, LoginFailure};
use crate::endpoint::{CookieChange, Note, Reply, SessionChange};
use crate::federation::Source;
use crate::model::{Account, InteractionState, Session, SessionId};
use crate::oauth::claims;
use crate::provider::Discovery;
use crate::random;
use crate::secret::Secret;
use crate::store::{StoreError, interaction as interactions, session};

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
    login.form(visit, 200, String::new(), None).await
}

async fn try_submit(visit: &Visit<'_>) -> Result<Reply, PageFailure> {
    let form = visit.form()?;
    let login = Login::find(visit).await?;
    check_csrf(&form, &login.secret, &login.purpose())?;
    if let (Some(open), Some(_)) = (&login.open, form.get("cancel")) {
        return open.deny(visit, "the user cancelled the login").await;
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
        Ok(account) => login.succeed(visit, &account).await,
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

    /// SPID/CIE AZ-6: a session of a sufficient level is used, unless the RP wants a new login.
    async fn single_sign_on(&self, visit: &Visit<'_>) -> Result<Option<Reply>, PageFailure> {
        let Some(SignedIn { session, .. }) = visit.live_session().await? else {
            return Ok(None);
        };
        let Some(open) = &self.open else {
            return Ok(Some(Reply::see_other(visit.link("/history", &[]))));
        };
        let request = &open.interaction.request;
        let did_log_in_for_it = matches!(
            &open.interaction.state,
            InteractionState::Authenticated { session: known } if *known == session.id
        );
        let too_old = request
            .max_age
            .is_some_and(|seconds| visit.now().seconds_since(session.authenticated_at) > seconds);
        let usable = visit.op.suffices(&session.acr, &self.level)
            && !too_old
            && (!request.prompt.login || did_log_in_for_it);
        if !usable {
            return Ok(None);
        }
        self.go_on(visit, open, session.id).await.map(Some)
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

    async fn succeed(&self, visit: &Visit<'_>, account: &Account) -> Result<Reply, PageFailure> {
        let op = visit.op;
        let now = visit.now();
        let current = visit.live_session().await?;
        let acr = self.level.clone();
        let new = Session {
            id: SessionId::random(),
            issuer: op.issuer.clone(),
            account: account.id.clone(),
            acr: acr.clone(),
            authenticated_at: now,
            browser: visit.inbound.user_agent.clone(),
            address: visit.inbound.address.to_string(),
            expires_at: now.plus_seconds(op.settings.lifetimes.session),
            ended_at: None,
        };
        // The same person again: the session stays, so that other tabs which wait for consent go on working; the
        // cookie changes in any case.
        let known = current
            .map(|current| current.session)
            .filter(|session| session.account == account.id);
        let interaction = self.open.as_ref().map(|open| open.interaction.id.clone());
        let id = op
            .shared
            .store
            .write(move |tx| -> Result<SessionId, StoreError> {
                let id = match known {
                    Some(session)
                        if session::reauthenticate(
                            tx,
                            &session.id,
                            &acr,
                            (now, new.expires_at),
                        )? =>
                    {
                        session.id
                    }
                    _ => {
                        session::insert(tx, &new)?;
                        new.id
                    }
                };
                if let Some(interaction) = interaction {
                    interactions::authenticate(tx, &interaction, &id, now)?;
                }
                Ok(id)
            })
            .await?;
        let next = match &self.open {
            Some(open) => visit.link("/consent", &[("interaction", open.id())]),
            None => visit.link("/history", &[]),
        };
        let mut reply = Reply::see_other(next)
            .noted(Note::new(log::Level::Info, "login.succeeded").with("level", &self.level));
        reply.session = SessionChange::Start(id);
        Ok(reply)
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
            Some(request) => op
                .find_client(
                    &request.client_id,
                    Discovery::Renew(Source::of(visit.inbound.address)),
                )
                .await
                .ok(),
        };
        let interaction = self.open.as_ref().map_or("", |open| open.id());
        let page = LoginPage {
            rp: client.as_ref().map(|client| visit::rp_view(client, locale)),
            level: request.and_then(|_| Level::from_acr(&self.level)),
            username,
            error,
            csrf_token: csrf_token(&self.secret, &self.purpose()),
            action_url: visit.link("/login", &[("interaction", interaction)]),
            cancel_allowed: self.open.is_some(),
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
        Ok(reply)
    }
}
