//! `/authorization` (OIDC Core §3.1.2, RFC 9101, SPID/CIE AZ-1 to AZ-12).
//!
//! It reads no session: it verifies, stores an interaction bound to a cookie of its own, and sends the browser to
//! `/login`. So a cross-site POST, which arrives without `SameSite=Lax` cookies, works like a GET.
//!
//! Errors have two phases: before the destination is verified they are a page with HTTP 400, after it they travel
//! to the RP. The destination counts as verified once the request object's signature and the exact redirect URI
//! are (SPID/CIE FE-6).

pub mod answer;
mod checks;
mod error;
mod sender;

pub use checks::accept;
pub use error::{AuthorizationError, Fact};
pub use sender::Sender;

use crate::endpoint::{
    Access, Call, Caller, CookieChange, Decision, Endpoint, Inbound, Method, Note, Reply,
};
use crate::federation::Source;
use crate::model::{
    AuthorizationRequest, ClientId, Interaction, InteractionId, InteractionState, Params,
    SecretHash,
};
use crate::provider::Provider;
use crate::random;
use crate::secret::Secret;
use crate::store::{DbConn, interaction, replay};

/// What replay rows of request objects are called.
const REPLAY_PURPOSE: &str = "request_object";

/// The endpoint.
pub struct AuthorizationEndpoint;

/// A request that every check accepted.
#[derive(Debug)]
pub struct Accepted {
    request: AuthorizationRequest,
    cookies: Vec<(String, String)>,
    method: Method,
}

/// The interaction that the browser goes on with.
#[derive(Debug)]
pub struct Started {
    interaction: InteractionId,
    client_id: String,
    /// Absent when an open interaction is resumed: the browser has it already.
    cookie: Option<Secret<String>>,
}

impl Endpoint for AuthorizationEndpoint {
    type Request = Params;
    type Client = Sender;
    type Accepted = Accepted;
    type Response = Started;
    type Error = AuthorizationError;

    const ACCESS: Access = Access::Write;

    fn parse_request(_op: &Provider, inbound: &Inbound) -> Result<Params, AuthorizationError> {
        inbound
            .params()
            .cloned()
            .map_err(|error| AuthorizationError::before(Fact::Parameters(error)))
    }

    fn unverified_client(inbound: &Inbound) -> Option<ClientId> {
        let params = inbound.params().ok()?;
        params.get("client_id").map(ClientId::new)
    }

    async fn client_authentication(
        op: &Provider,
        inbound: &Inbound,
        params: &Params,
    ) -> Result<Sender, AuthorizationError> {
        sender::find(op, Source::of(inbound.address), params).await
    }

    fn post_parse_request(
        op: &Provider,
        inbound: &Inbound,
        params: Params,
        sender: &Sender,
    ) -> Result<Accepted, AuthorizationError> {
        let has_session = inbound.cookie(&op.cookie_name()).is_some();
        let request = checks::accept(op, &params, sender, has_session).map_err(|fact| {
            AuthorizationError::after(sender.destination().clone(), sender.client_id(), fact)
        })?;
        Ok(Accepted {
            request,
            cookies: inbound.cookies.clone(),
            method: inbound.method,
        })
    }

    fn process_request(
        op: &Provider,
        tx: &mut DbConn,
        call: &Call<Self>,
    ) -> Result<Decision<Self>, AuthorizationError> {
        let fresh = InteractionId::random();
        if let Some(key) = call.client().replay_key(op) {
            let first = replay::insert(
                tx,
                &replay_key(op, call.client(), &key.value),
                Some(fresh.as_str()),
                key.until,
            )?;
            if !first {
                return resume(op, tx, call, &key.value);
            }
        }
        let cookie = random::token();
        let now = op.now();
        interaction::insert(
            tx,
            &Interaction {
                id: fresh.clone(),
                issuer: op.issuer.clone(),
                browser: SecretHash::of(&cookie),
                request: call.request().request.clone(),
                state: InteractionState::Started,
                created_at: now,
                expires_at: now.plus_seconds(op.settings.lifetimes.interaction),
            },
        )?;
        Ok(Decision::Granted(Started {
            interaction: fresh,
            client_id: call.client().client_id().to_string(),
            cookie: Some(Secret::new(cookie)),
        }))
    }

    fn do_response(
        op: &Provider,
        caller: &Caller,
        outcome: Result<Started, AuthorizationError>,
    ) -> Reply {
        let started = match outcome {
            Ok(started) => started,
            Err(error) => return error.into_reply(op, caller),
        };
        let location = format!(
            "{}?interaction={}",
            op.url_of("/login"),
            started.interaction
        );
        let event = if started.cookie.is_some() {
            "authorization.started"
        } else {
            "authorization.resumed"
        };
        let reply = Reply::see_other(location).noted(
            Note::new(log::Level::Info, event)
                .with("client_id", started.client_id)
                .with("interaction", started.interaction.as_str()),
        );
        match started.cookie {
            None => reply,
            Some(cookie) => reply.cookie(CookieChange::Set(
                op.interaction_cookie_name(&started.interaction),
                cookie.expose().clone(),
                op.settings.lifetimes.interaction,
            )),
        }
    }
}

fn replay_key<'a>(op: &'a Provider, sender: &'a Sender, key: &'a str) -> replay::ReplayKey<'a> {
    replay::ReplayKey {
        issuer: &op.issuer,
        client_id: sender.client_id(),
        purpose: REPLAY_PURPOSE,
        value: key,
    }
}

/// SPID/CIE AZ-5: the same browser goes on with its open interaction; anything else is a replay.
///
/// A cross-site POST comes without cookies, so the browser cannot be told there: it is sent on without a new
/// cookie, and the login page, which gets the cookie, judges.
fn resume(
    op: &Provider,
    tx: &mut DbConn,
    call: &Call<AuthorizationEndpoint>,
    key: &str,
) -> Result<Decision<AuthorizationEndpoint>, AuthorizationError> {
    let sender = call.client();
    let reference = replay::find(tx, &replay_key(op, sender, key))?;
    let open = match reference {
        None => None,
        Some(id) => interaction::find(tx, &InteractionId::new(id))?.filter(|found| {
            found.issuer == op.issuer
                && found.state != InteractionState::Answered
                && op.now() < found.expires_at
        }),
    };
    let request = call.request();
    let resumed = open.filter(|found| {
        let name = op.interaction_cookie_name(&found.id);
        match request.cookies.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => SecretHash::of(value) == found.browser,
            None => request.method == Method::Post && request.cookies.is_empty(),
        }
    });
    Ok(match resumed {
        Some(found) => Decision::Granted(Started {
            interaction: found.id,
            client_id: sender.client_id().to_string(),
            cookie: None,
        }),
        None => Decision::Refused(AuthorizationError::after(
            sender.destination().clone(),
            sender.client_id(),
            Fact::Replayed,
        )),
    })
}
