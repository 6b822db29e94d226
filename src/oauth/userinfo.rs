//! `/userinfo` (OIDC Core §5.3, RFC 6750, SPID/CIE UI-1, UI-2).

use super::bearer;
use super::claims::{self, Place};
use super::client_auth::strip_scheme;
use super::tokens::{EncryptionTarget, SigningChoice};
use crate::clock::UtcTime;
use crate::endpoint::{Access, Call, Caller, Decision, Endpoint, Inbound, Method, Note, Reply};
use crate::federation::Source;
use crate::jose::JoseError;
use crate::model::{ClientId, ErrorCode, TokenId, TokenKind, UserinfoContentType};
use crate::provider::{ClientError, Discovery, KnownClient, Provider, Tolerance};
use crate::store::{DbConn, StoreError, account, token};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Signed userinfo is fresh by nature; this is how long an RP may keep it.
const USERINFO_SECONDS: i64 = 300;

/// The endpoint.
pub struct UserinfoEndpoint;

/// A token that we signed, and the RP that it names.
#[derive(Debug)]
pub struct Bearer {
    token: TokenId,
    client: Arc<KnownClient>,
}

/// What to send, with the keys to do it.
#[derive(Debug)]
pub struct Userinfo {
    client: Arc<KnownClient>,
    claims: UserinfoClaims,
    signing: Option<SigningChoice>,
    encryption: Option<EncryptionTarget>,
}

/// SPID/CIE UI-2.
#[derive(Debug, Serialize)]
struct UserinfoClaims {
    iss: String,
    sub: String,
    aud: ClientId,
    iat: UtcTime,
    nbf: UtcTime,
    exp: UtcTime,
    #[serde(flatten)]
    attributes: Map<String, Value>,
}

/// OIDC Core §5.3.2, unsigned.
#[derive(Serialize)]
struct PlainUserinfo<'a> {
    sub: &'a str,
    #[serde(flatten)]
    attributes: &'a Map<String, Value>,
}

/// Every way the endpoint says no.
#[derive(Debug)]
pub enum UserinfoError {
    /// The profile serves GET only (SPID/CIE UI-1).
    Method,
    /// No token in the `Authorization` header.
    NoToken,
    /// The token does not verify.
    Token(JoseError),
    /// The token is revoked, or what it belongs to has ended.
    NotLive,
    /// It was not issued with `openid` (OIDC Core §5.3).
    NotOpenid,
    /// The RP may not be used any more.
    Client(ClientError),
    /// The RP's algorithms or keys do not fit any more.
    Unserviceable(&'static str),
    /// openssl failed.
    Signing(JoseError),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for UserinfoError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Endpoint for UserinfoEndpoint {
    type Request = String;
    type Client = Bearer;
    type Accepted = ();
    type Response = Userinfo;
    type Error = UserinfoError;

    const ACCESS: Access = Access::Read;

    fn parse_request(op: &Provider, inbound: &Inbound) -> Result<String, UserinfoError> {
        if inbound.method == Method::Post && !op.profile.userinfo_post {
            return Err(UserinfoError::Method);
        }
        inbound
            .authorization
            .as_deref()
            .and_then(|header| strip_scheme(header, "bearer"))
            .map(str::to_owned)
            .ok_or(UserinfoError::NoToken)
    }

    fn unverified_client(inbound: &Inbound) -> Option<ClientId> {
        let token = strip_scheme(inbound.authorization.as_deref()?, "bearer")?;
        bearer::unverified_client(token)
    }

    async fn client_authentication(
        op: &Provider,
        inbound: &Inbound,
        token: &String,
    ) -> Result<Bearer, UserinfoError> {
        let claims = bearer::access_token(op, token).map_err(UserinfoError::Token)?;
        let client = op
            .find_client(
                &claims.client_id,
                Discovery::Renew(Source::of(inbound.address)),
            )
            .await
            .map_err(UserinfoError::Client)?;
        Ok(Bearer {
            token: claims.id,
            client,
        })
    }

    fn post_parse_request(
        _op: &Provider,
        _inbound: &Inbound,
        _token: String,
        _client: &Bearer,
    ) -> Result<(), UserinfoError> {
        Ok(())
    }

    fn process_request(
        op: &Provider,
        tx: &mut DbConn,
        call: &Call<Self>,
    ) -> Result<Decision<Self>, UserinfoError> {
        let now = op.now();
        let Bearer { token, client } = call.client();
        let status = token::find_status(tx, token)?
            .filter(|status| {
                status.is_active(now)
                    && status.token.kind == TokenKind::Access
                    && status.token.client_id == *client.id()
                    && status.grant.issuer == op.issuer
            })
            .ok_or(UserinfoError::NotLive)?;
        if !status.grant.request.has_scope("openid") {
            return Err(UserinfoError::NotOpenid);
        }
        let person = account::find(tx, &status.grant.account)?.ok_or(UserinfoError::NotLive)?;
        let wanted = claims::wanted(op, &status.grant.request, Place::Userinfo);
        let (signing, encryption) = protection(op, client)?;
        Ok(Decision::Granted(Userinfo {
            claims: UserinfoClaims {
                iss: op.settings.id.clone(),
                sub: status.grant.subject,
                aud: client.id().clone(),
                iat: now,
                nbf: now,
                exp: now.plus_seconds(USERINFO_SECONDS),
                attributes: claims::values(op, &wanted, &person.attributes),
            },
            client: client.clone(),
            signing,
            encryption,
        }))
    }

    fn do_response(
        op: &Provider,
        _caller: &Caller,
        outcome: Result<Userinfo, UserinfoError>,
    ) -> Reply {
        match outcome.and_then(|userinfo| userinfo.into_reply(op)) {
            Ok(reply) => reply,
            Err(error) => error.into_reply(),
        }
    }
}

/// How userinfo for this RP is signed and encrypted.
fn protection(
    op: &Provider,
    client: &KnownClient,
) -> Result<(Option<SigningChoice>, Option<EncryptionTarget>), UserinfoError> {
    let metadata = client.metadata();
    let name = metadata.userinfo_signed_response_alg.as_deref();
    let encrypted =
        op.profile.userinfo_sealed || metadata.userinfo_encrypted_response_alg.is_some();
    let signed = op.profile.userinfo_sealed || encrypted || name.is_some();
    let signing = if signed {
        Some(
            SigningChoice::for_name(op, name).ok_or(UserinfoError::Unserviceable(
                "RP metadata: userinfo_signed_response_alg is not supported",
            ))?,
        )
    } else {
        None
    };
    let encryption = if encrypted {
        Some(
            EncryptionTarget::for_userinfo(client).ok_or(UserinfoError::Unserviceable(
                "RP metadata: jwks has no encryption key that fits userinfo_encrypted_response_alg",
            ))?,
        )
    } else {
        None
    };
    Ok((signing, encryption))
}

impl Userinfo {
    fn into_reply(self, op: &Provider) -> Result<Reply, UserinfoError> {
        let note = Note::new(log::Level::Info, "userinfo.answered")
            .with("client_id", self.client.id().as_str());
        let Some(signing) = &self.signing else {
            let body = PlainUserinfo {
                sub: &self.claims.sub,
                attributes: &self.claims.attributes,
            };
            return Ok(Reply::json(200, &body).noted(note));
        };
        // SPID/CIE UI-2: the inner header has cty as well.
        let signed = signing
            .sign(None, Some("JWT"), &self.claims)
            .map_err(UserinfoError::Signing)?;
        let body = match &self.encryption {
            None => signed,
            Some(target) => target.seal(&signed).map_err(UserinfoError::Signing)?,
        };
        let content_type = match self.client.tolerance.userinfo_content_type {
            UserinfoContentType::Jwt => "application/jwt",
            UserinfoContentType::Jose => {
                op.tolerance_used(&self.client, Tolerance::UserinfoContentType);
                "application/jose"
            }
        };
        Ok(Reply::bytes(200, content_type, body.into_bytes())
            .header("Cache-Control", "no-store")
            .noted(note))
    }
}

impl UserinfoError {
    /// The wire's code (RFC 6750 §3.1).
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Method => ErrorCode::InvalidRequest,
            Self::NoToken | Self::Token(_) | Self::NotLive | Self::Client(ClientError::Unknown) => {
                ErrorCode::InvalidToken
            }
            Self::NotOpenid => ErrorCode::InsufficientScope,
            Self::Store(_) => ErrorCode::TemporarilyUnavailable,
            Self::Client(error) if error.code() == ErrorCode::TemporarilyUnavailable => {
                ErrorCode::TemporarilyUnavailable
            }
            Self::Client(_) => ErrorCode::InvalidToken,
            Self::Unserviceable(_) => ErrorCode::InvalidRequest,
            Self::Signing(_) => ErrorCode::ServerError,
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Method => "userinfo takes GET only".into(),
            Self::NoToken => "the access token is missing: send it as Authorization: Bearer".into(),
            Self::Token(error) => format!("access token: {error}"),
            Self::NotLive => {
                "access token: it is revoked, or the access or account behind it has ended".into()
            }
            Self::NotOpenid => "access token: it was not issued with scope openid".into(),
            Self::Client(error) => error.to_string(),
            Self::Unserviceable(what) => (*what).into(),
            Self::Signing(_) => "the provider could not sign the answer".into(),
            Self::Store(_) => "the provider cannot reach its database; try again".into(),
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Client(error) => error.reason(),
            Self::Store(error) => error.to_string(),
            Self::Signing(error) => error.to_string(),
            other => other.description(),
        }
    }

    fn into_reply(self) -> Reply {
        let code = self.code();
        let description = self.description();
        let mut reply = Reply::refused("userinfo.refused", code, &description, self.reason());
        if matches!(self, Self::Method) {
            reply = reply.only_by("GET");
        }
        if code.status() == 401 {
            reply = reply.header(
                "WWW-Authenticate",
                format!(
                    "Bearer error=\"{}\", error_description=\"{description}\"",
                    code.as_str()
                ),
            );
        }
        reply
    }
}
