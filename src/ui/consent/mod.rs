//! `/consent`: what is released to whom, and the answer to the RP (SPID/CIE AZ-9 to AZ-11).

use super::interaction::{self, OpenInteraction};
use super::visit::{self, PageFailure, SignedIn, Visit, check_csrf, csrf_token};
use super::{AttributeView, ConsentPage, Level, Locale, Page as _};
use crate::endpoint::{Note, Reply, Trouble};
use crate::federation::Source;
use crate::model::{
    Account, AuthorizationCode, AuthorizationRequest, CodeHash, CodeState, Grant, GrantId,
    InteractionState, LoginEvent, Session,
};
use crate::oauth::authorization::answer::Answer;
use crate::oauth::{claims, subject};
use crate::provider::{ClientError, Discovery, KnownClient, Provider};
use crate::random;
use crate::store::login_count::{self, EndedLogin, LoginResult};
use crate::store::{
    DbConn, StoreError, authorization_code, grant, interaction as interactions, login_event,
};
use serde_json::Value;
use std::sync::Arc;

/// What form tokens of this page are for.
const PURPOSE: &str = "consent";

/// Somebody who logged in for an open interaction, and whom it is for.
struct Consent {
    open: OpenInteraction,
    session: Session,
    account: Account,
    client: Arc<KnownClient>,
}

/// `GET /consent`.
pub async fn show(visit: &Visit<'_>) -> Reply {
    let reply = match Consent::find(visit).await {
        Ok(Ok(consent)) => consent.page(visit),
        Ok(Err(elsewhere)) => Ok(elsewhere),
        Err(failure) => Err(failure),
    };
    reply.unwrap_or_else(|failure| visit.failure(failure))
}

/// `POST /consent`.
pub async fn submit(visit: &Visit<'_>) -> Reply {
    match try_submit(visit).await {
        Ok(reply) => reply,
        Err(failure) => visit.failure(failure),
    }
}

async fn try_submit(visit: &Visit<'_>) -> Result<Reply, PageFailure> {
    let form = visit.form()?;
    let consent = match Consent::find(visit).await? {
        Ok(consent) => consent,
        Err(elsewhere) => return Ok(elsewhere),
    };
    check_csrf(&form, &consent.open.secret, &consent.purpose())?;
    match form.get("decision") {
        Some("allow") => {
            let keep_offline = form.get("offline_access").is_some();
            consent.allow(visit, keep_offline).await
        }
        Some("deny") => consent.open.deny(visit, "the user did not consent").await,
        _ => Err(PageFailure::Refused(
            Trouble::InvalidRequest,
            "decision must be allow or deny",
        )),
    }
}

impl Consent {
    /// `Ok(Err(reply))`: somebody has to log in first.
    async fn find(visit: &Visit<'_>) -> Result<Result<Self, Reply>, PageFailure> {
        let query = visit.query();
        let id = query.get("interaction").ok_or(PageFailure::Refused(
            Trouble::InvalidRequest,
            "this address needs the parameter interaction",
        ))?;
        let open = interaction::find(visit, id).await?;
        let login = || Reply::see_other(visit.link("/login", &[("interaction", open.id())]));
        let Some(SignedIn { session, account }) = visit.live_session().await? else {
            return Ok(Err(login()));
        };
        let authenticated = matches!(
            &open.interaction.state,
            InteractionState::Authenticated { session: known } if *known == session.id
        );
        // Another tab may have logged in anew at a lower level (SPID/CIE AZ-8, TK-5).
        if !authenticated || !reaches(visit.op, &session, &open.interaction.request) {
            return Ok(Err(login()));
        }
        let client = visit
            .op
            .find_client(
                &open.interaction.request.client_id,
                Discovery::Renew(Source::of(visit.inbound.address)),
            )
            .await
            .map_err(|error| match error {
                ClientError::Store(_) => {
                    PageFailure::Refused(Trouble::Unavailable, "the database does not answer")
                }
                _ => PageFailure::Refused(
                    Trouble::RpNotAuthorized,
                    "the relying party may not be used any more",
                ),
            })?;
        Ok(Ok(Self {
            open,
            session,
            account,
            client,
        }))
    }

    fn purpose(&self) -> String {
        format!("{PURPOSE} {}", self.open.id())
    }

    fn request(&self) -> &AuthorizationRequest {
        &self.open.interaction.request
    }

    /// SPID/CIE AZ-10: `offline_access` together with `prompt` consent, for an RP that has the refresh grant.
    fn asks_offline_access(&self) -> bool {
        let grants = &self.client.metadata().grant_types;
        self.request().has_scope("offline_access")
            && self.request().prompt.consent
            && grants.iter().any(|kind| kind == "refresh_token")
    }

    fn page(&self, visit: &Visit<'_>) -> Result<Reply, PageFailure> {
        let op = visit.op;
        let locale = visit.locale(&self.request().ui_locales);
        let offline = self.asks_offline_access();
        let page = ConsentPage {
            rp: visit::rp_view(&self.client, locale),
            display_name: display_name(&self.account),
            level: Level::from_acr(&self.session.acr),
            attributes: self.attributes(visit, locale),
            offline_access: (offline && op.profile.offline_switch).then_some(true),
            offline_access_included: offline && !op.profile.offline_switch,
            csrf_token: csrf_token(&self.open.secret, &self.purpose()),
            action_url: visit.link("/consent", &[("interaction", self.open.id())]),
            redirect_host: url::Url::parse(&self.request().destination.redirect_uri)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned))
                .unwrap_or_default(),
        };
        let name = Some(display_name(&self.account));
        let html = page.render(visit.pages, &visit.layout(locale, name, false))?;
        let mut reply = visit.html(200, html);
        reply
            .form_actions
            .extend(visit::origin_of(&self.request().destination.redirect_uri));
        reply.images.extend(
            self.client
                .metadata()
                .logo_uri
                .as_deref()
                .and_then(visit::origin_of),
        );
        Ok(reply)
    }

    fn attributes(&self, visit: &Visit<'_>, locale: Locale) -> Vec<AttributeView> {
        claims::attributes(visit.op, self.request())
            .into_iter()
            .map(|name| {
                let value = claims::value_of(visit.op, name, &self.account.attributes);
                AttributeView::new(locale, name, value)
            })
            .collect()
    }

    async fn allow(self, visit: &Visit<'_>, keep_offline: bool) -> Result<Reply, PageFailure> {
        let op = visit.op;
        let code = random::token();
        let (new_grant, new_code, event) = self.records(visit, keep_offline, &code);
        let ended = EndedLogin {
            issuer: op.issuer.clone(),
            client_id: event.client_id.clone(),
            acr: event.acr.clone(),
            result: LoginResult::Granted,
            at: event.occurred_at,
        };
        let id = self.open.interaction.id.clone();
        let session = self.session.id.clone();
        let now = visit.now();
        let (provider, request) = (op.clone(), self.request().clone());
        let answered = op
            .shared
            .store
            .write(move |tx: &mut DbConn| -> Result<bool, StoreError> {
                // A logout or another login in between counts, so it is judged again where nothing can come between.
                let still = visit::signed_in(tx, &session, &provider.issuer, now)?
                    .is_some_and(|current| reaches(&provider, &current.session, &request));
                if !still || !interactions::answer(tx, &id, &session, now)? {
                    return Ok(false);
                }
                grant::insert(tx, &new_grant)?;
                authorization_code::insert(tx, &new_code)?;
                login_event::insert(tx, &event)?;
                login_count::count(tx, &ended)?;
                Ok(true)
            })
            .await?;
        if !answered {
            return Err(PageFailure::Refused(
                Trouble::AlreadyAnswered,
                "the login was answered already",
            ));
        }
        Ok(self.open.answer(op, Answer::Code(code)).noted(
            Note::new(log::Level::Info, "consent.given")
                .with("client_id", self.client.id().as_str())
                .with("level", &self.session.acr),
        ))
    }

    fn records(
        &self,
        visit: &Visit<'_>,
        keep_offline: bool,
        code: &str,
    ) -> (Grant, AuthorizationCode, LoginEvent) {
        let op = visit.op;
        let now = visit.now();
        let offline = self.asks_offline_access() && (keep_offline || !op.profile.offline_switch);
        let lifetimes = &op.settings.lifetimes;
        let grant = Grant {
            id: GrantId::random(),
            issuer: op.issuer.clone(),
            client_id: self.client.id().clone(),
            account: self.account.id.clone(),
            session: self.session.id.clone(),
            subject: subject::pairwise(op, &self.account.id, self.client.id()),
            acr: self.session.acr.clone(),
            methods: self.session.methods.clone(),
            authenticated_at: self.session.authenticated_at,
            request: self.request().clone(),
            offline_access: offline,
            refresh_count: 0,
            created_at: now,
            // Without offline access nothing can outlive the access token.
            expires_at: now.plus_seconds(if offline {
                lifetimes.consent
            } else {
                op.settings
                    .auth_code_max_age
                    .saturating_add(lifetimes.access_token)
            }),
            revoked_at: None,
        };
        let code = AuthorizationCode {
            hash: CodeHash::of(code),
            grant: grant.id.clone(),
            client_id: grant.client_id.clone(),
            expires_at: now.plus_seconds(op.settings.auth_code_max_age),
            state: CodeState::Issued,
        };
        let released = claims::attributes(op, self.request())
            .into_iter()
            .filter(|name| claims::value_of(op, name, &self.account.attributes).is_some())
            .map(str::to_owned)
            .collect();
        let event = LoginEvent {
            id: random::identifier(),
            issuer: op.issuer.clone(),
            account: self.account.id.clone(),
            client_id: grant.client_id.clone(),
            rp_name: self
                .client
                .name(visit.locale(&self.request().ui_locales).code()),
            acr: self.session.acr.clone(),
            attributes: released,
            browser: visit.inbound.user_agent.clone(),
            address: visit.inbound.address.to_string(),
            occurred_at: now,
            grant: grant.id.clone(),
            access_until: code.expires_at,
            revoked_at: None,
        };
        (grant, code, event)
    }
}

/// Whether a session has the level that the request is to be answered with.
fn reaches(op: &Provider, session: &Session, request: &AuthorizationRequest) -> bool {
    op.level_for(&request.acr_values)
        .is_some_and(|level| op.suffices(&session.acr, level))
}

/// Given and family name, or the username.
pub(super) fn display_name(account: &Account) -> String {
    let text = |name: &str| account.attributes.get(name).and_then(Value::as_str);
    match (text("given_name"), text("family_name")) {
        (Some(given), Some(family)) => format!("{given} {family}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => account.username.clone(),
    }
}
