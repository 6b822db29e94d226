//! The two messages between Varco and an authentication service: a signed request (JWT) in the body of a POST, a signed
//! answer (JWT) in its response. Both sides use this module: [`Request::read`] and [`Answer::sign`] are the service's.
//!
//! | claim | request | answer |
//! |---|---|---|
//! | header `typ` | `external-authentication-request+jwt` | `external-authentication-answer+jwt` |
//! | `iss` | the issuer | the service's address as configured |
//! | `aud` | the service's address | the issuer |
//! | `jti`, `iat`, `exp` | new for every request, a minute | new for every answer, at most five minutes |
//! | `txn` | the transaction: the first request begins it | the same |
//! | `nonce` | – | the request's `jti` |
//! | `sub` | the person's key | the same |
//! | `username` | what the person logs in with | – |
//! | `acr` | the level that is asked for | approved: the level that was reached, at least that |
//! | `number` | two digits: the person has to recognise them | – |
//! | `rp_name`, `ui_locales` | which service the login is for, and the language | – |
//! | `txn_exp` | until when somebody waits | – |
//! | `status` | – | `pending`, `approved`, `denied`, or `unavailable`: the person is not known there |
//!
//! Where the method stands alone (`levels_alone`), whoever types a name begins a transaction, also for a name that nobody
//! has: then `sub` and `username` are a random identifier, and the service answers `unavailable`, as fast as it answers for
//! anybody else. So no browser learns which names exist.
//!
//! The response has status 200 or 202 and the content type `application/jwt`.

use super::Shown;
use crate::clock::UtcTime;
use crate::config::ExternalMethodSettings;
use crate::federation::FetchError;
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, JoseError, KeySet, PrivateKey, SignHeader,
    SignatureAlgorithm, TypRule, Unverified, sign,
};
use crate::model::{ExternalLogin, ExternalTrouble};
use crate::provider::Provider;
use crate::random;
use serde::{Deserialize, Serialize};

/// `typ` of a request.
pub const REQUEST_TYPE: &str = "external-authentication-request+jwt";
/// `typ` of an answer.
pub const ANSWER_TYPE: &str = "external-authentication-answer+jwt";
/// Content type of both.
const CONTENT_TYPE: &str = "application/jwt";
/// Bytes of either message.
const MOST_BYTES: usize = 16_384;
/// Seconds that a request counts.
const REQUEST_SECONDS: i64 = 60;
/// Seconds that an answer may count.
const MOST_ANSWER_SECONDS: i64 = 300;
/// Seconds by which the clocks of the two may differ.
const LEEWAY_SECONDS: i64 = 30;

/// What a request says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The issuer.
    pub iss: String,
    /// The service.
    pub aud: String,
    /// This request; the answer's `nonce`.
    pub jti: String,
    /// When it was made.
    pub iat: UtcTime,
    /// When it counts no more.
    pub exp: UtcTime,
    /// The transaction.
    pub txn: String,
    /// Until when somebody waits for it.
    pub txn_exp: UtcTime,
    /// The person, by a key that never changes.
    pub sub: String,
    /// The person, as they log in.
    pub username: String,
    /// The level that is asked for.
    pub acr: String,
    /// What the page shows too.
    pub number: String,
    /// Which service the login is for.
    pub rp_name: String,
    /// The language of the page.
    pub ui_locales: String,
}

/// How a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has answered.
    Pending,
    /// The person confirmed.
    Approved,
    /// The person refused.
    Denied,
    /// The service does not know the person, or cannot reach them.
    Unavailable,
}

/// What an answer says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    iss: String,
    aud: String,
    sub: String,
    jti: String,
    nonce: String,
    txn: String,
    iat: UtcTime,
    exp: UtcTime,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
}

/// Why a transaction is no further.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// An answer of another content type.
    #[error("the answer is {0}, not application/jwt")]
    ContentType(String),
    /// Our request could not be signed, or its keys cannot be read.
    #[error("{0}")]
    Own(JoseError),
    /// An answer whose signature or registered claims are wrong.
    #[error("answer: {0}")]
    Answer(JoseError),
    /// An answer to another request, of another transaction, or at another level.
    #[error("answer: {0}")]
    Claim(String),
}

impl Failure {
    /// What the person is told.
    pub(super) fn trouble(&self) -> ExternalTrouble {
        match self {
            Self::Fetch(_) | Self::Own(_) => ExternalTrouble::Unreachable,
            Self::ContentType(_) | Self::Answer(_) | Self::Claim(_) => {
                ExternalTrouble::Untrustworthy
            }
        }
    }
}

/// One request with all that it and its answer depend on.
pub(super) struct Question<'a> {
    pub(super) op: &'a Provider,
    pub(super) method: &'a ExternalMethodSettings,
    pub(super) login: &'a ExternalLogin,
    pub(super) shown: &'a Shown,
}

impl Question<'_> {
    pub(super) async fn ask(&self) -> Result<Status, Failure> {
        let request = self.request();
        let jwt = self.signed(&request).map_err(Failure::Own)?;
        let network = self.op.shared.resolver.network();
        let fetched = network.post_jwt(&self.method.url, &jwt).await?;
        let kind = fetched.content_type.unwrap_or_default();
        let bare = kind.split(';').next().unwrap_or_default().trim();
        if !bare.eq_ignore_ascii_case(CONTENT_TYPE) {
            return Err(Failure::ContentType(kind));
        }
        let text = String::from_utf8(fetched.body)
            .map_err(|_| Failure::Claim("not text, let alone a JWT".to_owned()))?;
        self.judge(&request, text.trim())
    }

    fn request(&self) -> Request {
        let (now, login) = (self.op.now(), self.login);
        Request {
            iss: self.op.settings.id.clone(),
            aud: self.method.url.clone(),
            jti: random::uuid4(),
            iat: now,
            exp: now.plus_seconds(REQUEST_SECONDS),
            txn: login.transaction.clone(),
            txn_exp: login.expires_at,
            sub: login.account.to_string(),
            username: self.shown.username.clone(),
            acr: login.level.clone(),
            number: login.number.clone(),
            rp_name: self.shown.rp_name.clone(),
            ui_locales: self.shown.language.clone(),
        }
    }

    fn signed(&self, request: &Request) -> Result<String, JoseError> {
        let rings = self.op.rings();
        let algorithms = self.op.profile.signature_algorithms.iter();
        let chosen = algorithms
            .filter_map(|algorithm| Some((*algorithm, rings.protocol.signing_key(*algorithm)?)))
            .next();
        let (algorithm, key) = chosen.ok_or(JoseError::MissingHeader("kid"))?;
        signed(REQUEST_TYPE, (algorithm, key), request)
    }

    /// The answer, if it is one: to this request, from this service, and not above what it may reach.
    fn judge(&self, request: &Request, jwt: &str) -> Result<Status, Failure> {
        let keys = KeySet::from_json(&self.method.jwks).map_err(Failure::Own)?;
        let unverified = Unverified::parse(jwt, MOST_BYTES).map_err(Failure::Answer)?;
        let audience = [request.iss.as_str()];
        let expected = Expectations {
            kind: "answer",
            typ: TypRule::Exactly(&[ANSWER_TYPE]),
            algorithms: SignatureAlgorithm::ALL,
            kid_required: false,
            issuer: Some(&self.method.url),
            subject: Some(&request.sub),
            audience: Some(&audience),
            now: self.op.now(),
            leeway_seconds: LEEWAY_SECONDS,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: Some(MOST_ANSWER_SECONDS),
        };
        let verified = unverified.verify::<Answer>(&keys, &expected);
        let answer = verified.map_err(Failure::Answer)?.into_claims();
        let wrong = |what: &str| Err(Failure::Claim(what.to_owned()));
        // An answer that was true once, or for somebody else's login, says nothing now.
        if answer.nonce != request.jti {
            return wrong("nonce is not the jti of the request");
        }
        if answer.txn != request.txn {
            return wrong("txn is another transaction");
        }
        if answer.status != Status::Approved {
            return Ok(answer.status);
        }
        let Some(reached) = answer.acr else {
            return wrong("approved without acr");
        };
        let allowed = [&self.method.levels, &self.method.levels_alone];
        if !allowed.into_iter().flatten().any(|level| *level == reached) {
            return wrong("acr is none of the levels that external_method allows");
        }
        if !self.op.suffices(&reached, &request.acr) {
            return wrong("acr is lower than the level that was asked for");
        }
        Ok(Status::Approved)
    }
}

fn signed(
    typ: &'static str,
    (alg, key): (SignatureAlgorithm, &PrivateKey),
    claims: &impl Serialize,
) -> Result<String, JoseError> {
    let header = SignHeader {
        alg,
        typ: Some(typ),
        cty: None,
        kid: key.kid(),
        extra: None,
    };
    sign(&header, claims, key)
}

impl Request {
    /// For a service: reads and verifies a request of an issuer whose published keys these are.
    ///
    /// # Errors
    /// It is not what it says.
    pub fn read(
        jwt: &str,
        issuer_keys: &KeySet,
        (issuer, service): (&str, &str),
        now: UtcTime,
    ) -> Result<Self, JoseError> {
        let expected = Expectations {
            kind: "request",
            typ: TypRule::Exactly(&[REQUEST_TYPE]),
            algorithms: SignatureAlgorithm::ALL,
            kid_required: true,
            issuer: Some(issuer),
            subject: None,
            audience: Some(&[service]),
            now,
            leeway_seconds: LEEWAY_SECONDS,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: Some(MOST_ANSWER_SECONDS),
        };
        let verified =
            Unverified::parse(jwt, MOST_BYTES)?.verify::<Self>(issuer_keys, &expected)?;
        Ok(verified.into_claims())
    }
}

impl Answer {
    /// For a service: the answer to a request. `reached` is the level of an approval.
    #[must_use]
    pub fn to(request: &Request, status: Status, reached: Option<&str>, now: UtcTime) -> Self {
        Self {
            iss: request.aud.clone(),
            aud: request.iss.clone(),
            sub: request.sub.clone(),
            jti: random::uuid4(),
            nonce: request.jti.clone(),
            txn: request.txn.clone(),
            iat: now,
            exp: now.plus_seconds(REQUEST_SECONDS),
            status,
            acr: reached.map(str::to_owned),
        }
    }

    /// For a service: signs it.
    ///
    /// # Errors
    /// openssl failed.
    pub fn sign(&self, key: &PrivateKey) -> Result<String, JoseError> {
        signed(ANSWER_TYPE, (key.default_signature_algorithm(), key), self)
    }
}
