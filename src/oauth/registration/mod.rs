//! `/registration`: explicit registration of RPs through a federation (OIDC Federation §12.2).
//!
//! ```text
//! request ─► checks on what it claims ─► trust chain ─► choice of metadata ─► one transaction ─► signed answer
//!            (addressed to us, fresh, …:   (verified, or    (narrowed to what    request spent,
//!             before anything is fetched)   fetched)         the issuer has)      row replaced
//! ```
//!
//! Open to strangers: until the chain holds, a request costs what the first login of an unknown RP costs elsewhere.
//! The answer may hold a new `client_secret`, and whoever sends the request gets it; so a request works once, and only
//! until a later one was used.

mod choice;
mod error;
mod offer;
mod replacement;
mod request;

pub use error::{Fact, RegistrationError};
pub use request::Application;

use super::documents::with_federation_key;
use crate::clock::UtcTime;
use crate::endpoint::{Access, Call, Caller, Decision, Endpoint, Inbound, Note, Reply};
use crate::federation::registration_response::{RegistrationResponseInput, registration_response};
use crate::federation::{EntityId, Source};
use crate::model::{ClientId, IssuerId, RelyingParty};
use crate::profile::metadata;
use crate::provider::{Applicant, ClientError, Provider};
use crate::random;
use crate::secret::{self, Secret};
use crate::store::{DbConn, StoreError, client, replay};
use data_encoding::BASE64URL_NOPAD;
use offer::Offer;
use replacement::{Replaced, replaceable};
use serde_json::{Map, Value, json};

/// What replay rows of registration requests are called.
const REPLAY_PURPOSE: &str = "explicit_registration";
/// The entity type that is registered.
const RELYING_PARTY: &str = "openid_relying_party";
/// The media type of the answer.
const RESPONSE_TYPE: &str = "application/explicit-registration-response+jwt";

/// The endpoint.
pub struct RegistrationEndpoint;

/// An RP whose chain holds, and what it may choose from.
#[derive(Debug)]
pub struct Candidate {
    applicant: Applicant,
    offer: Offer,
}

/// What is going to be registered.
#[derive(Debug)]
pub struct Registration {
    application: Application,
    party: RelyingParty,
    /// The chosen `openid_relying_party` metadata, as it is answered.
    chosen: Map<String, Value>,
    client_secret: Option<Secret<String>>,
    superior: String,
    expires_at: UtcTime,
}

/// What was registered.
#[derive(Debug)]
pub struct Registered {
    subject: EntityId,
    jwks: Value,
    trust_anchor: String,
    superior: String,
    /// All entity types, without the secret.
    metadata: Map<String, Value>,
    client_secret: Option<Secret<String>>,
    replaced: Option<Replaced>,
    party: RelyingParty,
    issued_at: UtcTime,
    expires_at: UtcTime,
}

impl Endpoint for RegistrationEndpoint {
    type Request = Application;
    type Client = Candidate;
    type Accepted = Registration;
    type Response = Registered;
    type Error = RegistrationError;

    const ACCESS: Access = Access::Write;
    const BODIES: &'static [&'static str] = request::MEDIA_TYPES;

    fn parse_request(op: &Provider, inbound: &Inbound) -> Result<Application, RegistrationError> {
        Application::parse(op, inbound)
    }

    async fn client_authentication(
        op: &Provider,
        inbound: &Inbound,
        application: &Application,
    ) -> Result<Candidate, RegistrationError> {
        let about = |fact| RegistrationError::about(application.subject(), fact);
        if is_used(op, application).await? {
            return Err(about(Fact::Replayed));
        }
        let source = Source::of(inbound.address);
        let applicant = op
            .applicant(
                source,
                application.subject(),
                application.configuration(),
                application.chain(),
            )
            .await
            .map_err(|error| about(Fact::Client(error)))?;
        let mut offer = Offer::of(op);
        if let Some(chain) = application.peer_chain() {
            let peer = op
                .metadata_in_peer_chain(source, chain, &applicant.resolved.anchor)
                .await
                .map_err(|error| about(Fact::PeerChain(error)))?;
            offer.narrow(&peer);
        }
        Ok(Candidate { applicant, offer })
    }

    fn post_parse_request(
        op: &Provider,
        _inbound: &Inbound,
        application: Application,
        candidate: &Candidate,
    ) -> Result<Registration, RegistrationError> {
        let subject = application.subject().clone();
        prepare(op, application, candidate).map_err(|fact| RegistrationError::about(&subject, fact))
    }

    fn process_request(
        op: &Provider,
        tx: &mut DbConn,
        call: &Call<Self>,
    ) -> Result<Decision<Self>, RegistrationError> {
        let registration = call.request();
        let about = |fact| RegistrationError::about(registration.application.subject(), fact);
        let party = &registration.party;
        let replaced = client::insert_or_replace(tx, party, |current| {
            replaceable(current, registration, op.now()).map_err(about)
        })?;
        let application = &registration.application;
        let used_first = replay::insert(
            tx,
            &replay_key(&op.issuer, &party.client_id, application.digest()),
            None,
            application.presentable_until(op),
        )?;
        if !used_first {
            return Err(about(Fact::Replayed));
        }
        Ok(Decision::Granted(registered(op, registration, replaced)))
    }

    async fn after_commit(op: &Provider, registered: &Registered) {
        op.forget_client(&registered.party.client_id).await;
    }

    fn do_response(
        op: &Provider,
        _caller: &Caller,
        outcome: Result<Registered, RegistrationError>,
    ) -> Reply {
        outcome
            .and_then(|registered| answer(op, registered))
            .unwrap_or_else(RegistrationError::into_reply)
    }
}

/// From a chain that holds to what is going to be registered.
fn prepare(
    op: &Provider,
    application: Application,
    candidate: &Candidate,
) -> Result<Registration, Fact> {
    let Candidate { applicant, offer } = candidate;
    let resolved = &applicant.resolved;
    // Clocks may differ for what others wrote, not for what we write now.
    if resolved.expires_at <= op.now() {
        return Err(Fact::Ended(resolved.expires_at));
    }
    let superior = resolved.superior().unwrap_or_default();
    if !application.names_superior(&superior) {
        return Err(Fact::Superior(superior));
    }
    let development = op.shared.server.development;
    let mut chosen = choice::choose(offer, &applicant.metadata(), &applicant.keys, development)?;
    let mut kept =
        metadata::parse(&chosen).map_err(|error| Fact::Client(ClientError::Metadata(error)))?;
    let needs_secret = kept
        .token_endpoint_auth_method
        .as_deref()
        .is_some_and(|method| method.starts_with("client_secret_"));
    let client_secret = needs_secret.then(|| Secret::new(random::token()));
    kept.client_secret_sha256 = client_secret
        .as_ref()
        .map(|text| BASE64URL_NOPAD.encode(&secret::sha256(text.expose().as_bytes())));
    chosen.insert("client_id".into(), json!(application.subject()));
    chosen.insert("client_id_issued_at".into(), json!(op.now()));
    Ok(Registration {
        party: op
            .explicit_registration(applicant, kept)
            .map_err(Fact::Client)?,
        expires_at: resolved.expires_at,
        application,
        chosen,
        client_secret,
        superior,
    })
}

/// A request that was used costs a query and no fetch; the transaction has the last word.
async fn is_used(op: &Provider, application: &Application) -> Result<bool, StoreError> {
    let issuer = op.issuer.clone();
    let client_id = ClientId::new(application.subject().as_str());
    let digest = application.digest().to_owned();
    let read = move |connection: &mut DbConn| {
        replay::is_used(connection, &replay_key(&issuer, &client_id, &digest))
    };
    op.shared.store.read(read).await
}

fn replay_key<'a>(
    issuer: &'a IssuerId,
    client_id: &'a ClientId,
    digest: &'a str,
) -> replay::ReplayKey<'a> {
    replay::ReplayKey {
        issuer,
        client_id,
        purpose: REPLAY_PURPOSE,
        value: digest,
    }
}

fn registered(
    op: &Provider,
    registration: &Registration,
    replaced: Option<Replaced>,
) -> Registered {
    let trust = registration.party.origin.trust();
    // OIDC Federation §12.2.5, step 5: the RP expects the entity types of its request.
    let metadata = registration
        .application
        .entity_types()
        .filter_map(|kind| {
            let value = trust?.metadata.get(kind)?.clone();
            Some((kind.to_owned(), value))
        })
        .chain([(RELYING_PARTY.to_owned(), registration.chosen.clone().into())])
        .collect();
    Registered {
        subject: registration.application.subject().clone(),
        jwks: registration.application.jwks().clone(),
        trust_anchor: trust
            .map(|trust| trust.trust_anchor.clone())
            .unwrap_or_default(),
        superior: registration.superior.clone(),
        metadata,
        client_secret: registration.client_secret.clone(),
        replaced,
        party: registration.party.clone(),
        issued_at: op.now(),
        expires_at: registration.expires_at,
    }
}

fn answer(op: &Provider, mut registered: Registered) -> Result<Reply, RegistrationError> {
    if let Some(secret) = &registered.client_secret
        && let Some(Value::Object(chosen)) = registered.metadata.get_mut(RELYING_PARTY)
    {
        chosen.insert("client_secret".into(), json!(secret.expose()));
        chosen.insert(
            "client_secret_expires_at".into(),
            json!(registered.expires_at),
        );
    }
    let statement = with_federation_key(op, |entity, key| {
        let input = RegistrationResponseInput {
            subject: &registered.subject,
            jwks: &registered.jwks,
            trust_anchor: &registered.trust_anchor,
            superior: &registered.superior,
            metadata: &registered.metadata,
            issued_at: registered.issued_at,
            expires_at: registered.expires_at,
        };
        registration_response(entity, &input, key)
    })
    .map_err(|error| RegistrationError::about(&registered.subject, Fact::Signing(error)))?;
    let method = registered.party.metadata.token_endpoint_auth_method.clone();
    let mut note = Note::new(log::Level::Info, "registration.granted")
        .with("client_id", registered.subject.as_str())
        .with("trust_anchor", &*registered.trust_anchor)
        .with("superior", &*registered.superior)
        .with("method", method.unwrap_or_default())
        .with("expires_at", registered.expires_at.to_rfc3339());
    if let Some(replaced) = &registered.replaced {
        note = note
            .with("replaced", replaced.registered_at.to_rfc3339())
            .with("old_superior", &*replaced.superior);
    }
    Ok(Reply::bytes(200, RESPONSE_TYPE, statement.into_bytes())
        .header("Cache-Control", "no-store")
        .noted(note))
}
