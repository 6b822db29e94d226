//! What a relying party needs to know of a provider.

use super::DemoError;
use crate::jose::KeySet;
use serde_json::{Map, Value};

/// The members of `openid_provider` metadata (SPID/CIE MD-3) that a relying party uses.
#[derive(Clone, Debug)]
pub struct ProviderMetadata {
    /// `issuer`
    pub issuer: String,
    /// `authorization_endpoint`
    pub authorization_endpoint: String,
    /// `token_endpoint`
    pub token_endpoint: String,
    /// `userinfo_endpoint`
    pub userinfo_endpoint: String,
    /// `introspection_endpoint`
    pub introspection_endpoint: String,
    /// `revocation_endpoint`
    pub revocation_endpoint: String,
    /// `jwks`: the protocol keys.
    pub keys: KeySet,
}

impl ProviderMetadata {
    /// Reads `metadata.openid_provider` of an entity configuration, or a discovery document joined with its `jwks`.
    ///
    /// # Errors
    /// `Missing` with the member's name; `Jose` when `jwks` is no key set.
    pub fn from_json(metadata: &Map<String, Value>) -> Result<Self, DemoError> {
        let jwks = metadata.get("jwks").ok_or(missing("jwks"))?;
        let text = |name: &'static str| {
            metadata
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or(missing(name))
        };
        Ok(Self {
            issuer: text("issuer")?,
            authorization_endpoint: text("authorization_endpoint")?,
            token_endpoint: text("token_endpoint")?,
            userinfo_endpoint: text("userinfo_endpoint")?,
            introspection_endpoint: text("introspection_endpoint")?,
            revocation_endpoint: text("revocation_endpoint")?,
            keys: KeySet::from_json(jwks)?,
        })
    }
}

const fn missing(claim: &'static str) -> DemoError {
    DemoError::Missing {
        token: "provider metadata",
        claim,
        expected: "there",
    }
}
