//! Tokens of ours that come back: signature first, then the row (what makes revocation immediate).

use super::tokens::{ACCESS_TOKEN_TYPE, AccessTokenClaims, REFRESH_TOKEN_TYPE, RefreshTokenClaims};
use crate::jose::{Expectations, ExpiryRule, IssuedAtRule, JoseError, TypRule, Unverified};
use crate::model::{ClientId, TokenId};
use crate::profile::Path;
use crate::provider::Provider;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Our own tokens are far shorter.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What an access token says of itself.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The key of its row.
    pub id: TokenId,
    /// The RP that it was issued to.
    pub client_id: ClientId,
}

/// An access token that we signed for our userinfo endpoint and that has not expired.
///
/// # Errors
/// What is wrong with it.
pub fn access_token(op: &Provider, token: &str) -> Result<AccessToken, JoseError> {
    let claims: AccessTokenClaims = verify(op, token, ACCESS_TOKEN_TYPE, Path::Userinfo)?;
    Ok(AccessToken {
        id: TokenId::new(claims.jti),
        client_id: ClientId::new(claims.client_id),
    })
}

/// The RP that an access token names, also one that has expired or that we never signed.
#[must_use]
pub fn unverified_client(token: &str) -> Option<ClientId> {
    let unverified = Unverified::parse(token, MAX_TOKEN_BYTES).ok()?;
    let claims: Map<String, Value> = unverified.unverified_claims().ok()?;
    claims.get("client_id")?.as_str().map(ClientId::new)
}

/// The `jti` of a refresh token that we signed and that has not expired.
///
/// # Errors
/// What is wrong with it.
pub fn refresh_token(op: &Provider, token: &str) -> Result<TokenId, JoseError> {
    let claims: RefreshTokenClaims = verify(op, token, REFRESH_TOKEN_TYPE, Path::Token)?;
    Ok(TokenId::new(claims.jti))
}

/// The `jti` of either kind: introspection and revocation take both (RFC 7009 §2.1: the hint is only a hint).
#[must_use]
pub fn either(op: &Provider, token: &str) -> Option<TokenId> {
    access_token(op, token)
        .map(|token| token.id)
        .or_else(|_| refresh_token(op, token))
        .ok()
}

fn verify<C: DeserializeOwned>(
    op: &Provider,
    token: &str,
    typ: &str,
    audience: Path,
) -> Result<C, JoseError> {
    let unverified = Unverified::parse(token, MAX_TOKEN_BYTES)?;
    let audience = op.url(audience);
    let verified = unverified.verify::<C>(
        &op.rings().protocol.verification_keys(),
        &Expectations {
            kind: "token",
            typ: TypRule::Exactly(&[typ]),
            algorithms: op.profile.signature_algorithms,
            kid_required: true,
            issuer: Some(&op.settings.id),
            subject: None,
            audience: Some(&[&audience]),
            now: op.now(),
            // Our own clock wrote it.
            leeway_seconds: 0,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        },
    )?;
    Ok(verified.into_claims())
}
