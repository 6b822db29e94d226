//! Relying parties as the provider knows them, however it came to know them.

use super::{ClientId, IssuerId};
use crate::clock::UtcTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A relying party of one issuer.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    /// The issuer that it is known to.
    pub issuer: IssuerId,
    /// Its `client_id`.
    pub client_id: ClientId,
    /// Final metadata: after trust chain and policies, or as registered.
    pub metadata: ClientMetadata,
    /// Its JWKS as JSON, wherever it was published (`jwks`, `signed_jwks_uri`, `jwks_uri`).
    pub jwks: Value,
    /// How the provider came to know it.
    pub origin: Origin,
    /// An operator may switch an RP off.
    pub enabled: bool,
    /// What an operator tolerates of it, beyond the configuration.
    pub tolerance: RpToleranceOverride,
    /// When this was last written.
    pub updated_at: UtcTime,
}

/// How the provider came to know an RP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// Automatic registration through a trust chain (OIDC Federation §12.1, SPID/CIE FE-4).
    Federation(ResolvedTrust),
    /// Explicit registration through a trust chain, which the RP itself renews (OIDC Federation §12.2). The chain begins
    /// with the registration request: addressed to this issuer, so it is shown to nobody.
    Explicit(ResolvedTrust),
    /// `varco rp register`.
    Registered,
}

impl Origin {
    /// The trust chain behind it, if there is one.
    #[must_use]
    pub fn trust(&self) -> Option<&ResolvedTrust> {
        match self {
            Self::Federation(trust) | Self::Explicit(trust) => Some(trust),
            Self::Registered => None,
        }
    }
}

/// The result of trust resolution, kept for audit and for the `resolve` endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedTrust {
    /// The trust anchor at the end of the chain.
    pub trust_anchor: String,
    /// The statements, RP first, as compact JWS.
    pub chain: Vec<String>,
    /// The marks that held.
    pub trust_marks: Vec<KeptTrustMark>,
    /// Final metadata of every entity type.
    pub metadata: Map<String, Value>,
    /// Smallest `exp` of chain and required mark: the RP is unknown after it.
    pub expires_at: UtcTime,
    /// When it was resolved.
    pub resolved_at: UtcTime,
}

/// A trust mark that held when the RP was resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTrustMark {
    /// Its type.
    pub mark_type: String,
    /// Who issued it.
    pub issuer: String,
    /// The mark as a compact JWS.
    pub jwt: String,
    /// End of its life, if it has one.
    pub expires_at: Option<UtcTime>,
}

/// The media type of signed and encrypted userinfo (SPID/CIE UI-2, FE-12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserinfoContentType {
    /// `application/jwt` (OIDC Core §5.3.2).
    #[default]
    #[serde(rename = "application/jwt")]
    Jwt,
    /// `application/jose`, of the older Italian text.
    #[serde(rename = "application/jose")]
    Jose,
}

impl UserinfoContentType {
    /// On the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jwt => "application/jwt",
            Self::Jose => "application/jose",
        }
    }
}

/// What is tolerated of one RP (SPID/CIE FE-12); absent: as for the issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RpToleranceOverride {
    /// How far its clock may be off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_leeway_seconds: Option<i64>,
    /// A request object without `exp` counts until `iat` + 300 s (SPID/CIE AZ-4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_exp: Option<bool>,
    /// Media type of userinfo (SPID/CIE UI-2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_content_type: Option<UserinfoContentType>,
}

/// A pair of JWE algorithms, as JOSE names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionChoice {
    /// Key management.
    pub alg: String,
    /// Content encryption.
    pub enc: String,
}

/// `openid_relying_party` metadata (OIDC Registration §2), what the provider uses of it.
///
/// Unknown members are ignored; all algorithm names stay text until a profile's rules have judged them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientMetadata {
    /// Names by language tag; the empty tag is the default.
    pub client_name: std::collections::BTreeMap<String, String>,
    /// Exact values; nothing else is ever redirected to.
    pub redirect_uris: Vec<String>,
    /// Empty when not stated.
    pub response_types: Vec<String>,
    /// Empty when not stated.
    pub grant_types: Vec<String>,
    /// `private_key_jwt`, `client_secret_basic`, …; absent when not stated.
    pub token_endpoint_auth_method: Option<String>,
    /// SHA-256 (base64url) of the client secret of a registered client that has one.
    pub client_secret_sha256: Option<String>,
    /// Empty when not stated.
    pub client_registration_types: Vec<String>,
    /// Signature algorithm of the id_token.
    pub id_token_signed_response_alg: Option<String>,
    /// Encryption of the id_token.
    pub id_token_encrypted_response_alg: Option<String>,
    /// Content encryption of the id_token.
    pub id_token_encrypted_response_enc: Option<String>,
    /// Signature algorithm of userinfo.
    pub userinfo_signed_response_alg: Option<String>,
    /// Encryption of userinfo.
    pub userinfo_encrypted_response_alg: Option<String>,
    /// Content encryption of userinfo.
    pub userinfo_encrypted_response_enc: Option<String>,
    /// Signature algorithm of request objects, when stated.
    pub request_object_signing_alg: Option<String>,
    /// Signature algorithm of client assertions, when stated.
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// Scope that the client may ask for; absent: all that the issuer has.
    pub scope: Option<String>,
    /// `public` or `pairwise`, when stated.
    pub subject_type: Option<String>,
    /// A picture for the consent page.
    pub logo_uri: Option<String>,
    /// The RP's privacy policy.
    pub policy_uri: Option<String>,
    /// The RP's home page.
    pub client_uri: Option<String>,
    /// The organisation behind the RP.
    pub organization_name: Option<String>,
    /// Where an RP that an operator registered publishes its keys: [`RelyingParty::jwks`] is what was found there last. Of
    /// others the chain's metadata say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The secret before the last rotation, which counts beside the new one for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_secret: Option<PreviousSecret>,
    /// Lifetimes of its tokens, where an operator made them shorter than the issuer's.
    #[serde(skip_serializing_if = "ClientLifetimes::says_nothing")]
    pub lifetimes: ClientLifetimes,
}

/// A client secret that was rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSecret {
    /// As [`ClientMetadata::client_secret_sha256`].
    pub sha256: String,
    /// From then on it does not count.
    pub until: UtcTime,
}

/// Seconds that an RP's tokens live at most. The issuer's lifetimes count where nothing is said, and where they are shorter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientLifetimes {
    /// Access tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<i64>,
    /// id_tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<i64>,
    /// Refresh tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<i64>,
}

impl ClientLifetimes {
    fn says_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl ClientMetadata {
    /// The same without what comes of secrets: for people, exports and the trail.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        Self {
            client_secret_sha256: None,
            previous_secret: None,
            ..self.clone()
        }
    }

    /// The RP's name in the first language that it has, else its default name, else any.
    #[must_use]
    pub fn name_in(&self, language: &str) -> Option<&str> {
        self.client_name
            .get(language)
            .or_else(|| self.client_name.get(""))
            .or_else(|| self.client_name.values().next())
            .or(self.organization_name.as_ref())
            .map(String::as_str)
    }
}
