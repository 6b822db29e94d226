//! What a federation asks of an OpenID Provider, as data.
//!
//! Each profile is one `static` [`Profile`]; nothing outside this folder asks which profile it is. To add one: a
//! file with its table, a row in [`PROFILES`], a brand in `ui`.

pub mod acr;
mod cie;
pub mod conformance;
pub mod message;
pub mod metadata;
mod oidc;
mod rules;
mod spid;

pub use message::{Message, Violation};
pub use rules::{Demand, MetadataFacts, Rule, is_redirect_uri};
pub use spid::ASSERTION_TYPES;

use crate::jose::{ContentEncryption, KeyManagementAlgorithm, SignatureAlgorithm};

/// What RP metadata without algorithms means (SPID/CIE UI-2).
pub const DEFAULT_SIGNATURE: SignatureAlgorithm = SignatureAlgorithm::Rs256;
/// As [`DEFAULT_SIGNATURE`], for key management.
pub const DEFAULT_KEY_MANAGEMENT: KeyManagementAlgorithm = KeyManagementAlgorithm::RsaOaep;
/// As [`DEFAULT_SIGNATURE`], for content encryption.
pub const DEFAULT_CONTENT_ENCRYPTION: ContentEncryption = ContentEncryption::A256CbcHs512;

/// Every profile there is.
pub static PROFILES: &[&Profile] = &[&spid::SPID, &cie::CIE, &oidc::OIDC];

/// A profile: rules, levels, algorithms, claims, lifetimes, metadata.
#[derive(Debug)]
pub struct Profile {
    /// `spid`, `cie` or `oidc`: the configuration's word.
    pub name: &'static str,
    /// The name that people know.
    pub brand: &'static str,
    /// Its short name, which the stylesheet and the logo carry.
    pub brand_slug: &'static str,
    /// What membership in a federation means.
    pub federation: Federation,
    /// Addresses under every issuer of the profile; those of members of a federation are in [`Federation::endpoints`].
    pub endpoints: &'static [Path],
    /// Signature algorithms, published and accepted (SPID/CIE AL-1).
    pub signature_algorithms: &'static [SignatureAlgorithm],
    /// Key management algorithms, published and accepted (SPID/CIE AL-2).
    pub key_management: &'static [KeyManagementAlgorithm],
    /// Content encryption, published (SPID/CIE AL-3).
    pub content_encryption: &'static [ContentEncryption],
    /// Parameters of `/authorization` outside the request object (SPID/CIE AZ-3).
    pub authorization: &'static Message,
    /// The request object; `None`: the parameters themselves are the request.
    pub request_object: Option<&'static Message>,
    /// `/token` with a code.
    pub code_request: &'static Message,
    /// `/token` with a refresh token; `None`: not offered.
    pub refresh_request: Option<&'static Message>,
    /// The claims of `client_assertion`.
    pub client_assertion: &'static Message,
    /// `/introspection` and `/revocation`.
    pub token_query: &'static Message,
    /// Rules on final RP metadata (SPID/CIE FE-10).
    pub metadata_rules: &'static [Rule<MetadataFacts>],
    /// Where an RP's keys are asked to be; from the other places they are taken as well (SPID/CIE FE-9, FE-10).
    pub key_members: &'static [&'static str],
    /// Client authentication methods.
    pub client_authentication: &'static [&'static str],
    /// Values of `prompt`.
    pub prompts: &'static [&'static str],
    /// Supported scopes with the claims that they stand for.
    pub scopes: &'static [Scope],
    /// Levels, weakest first.
    pub levels: &'static [&'static str],
    /// A level that cannot be reached refuses the login (SPID/CIE AZ-8); otherwise levels are a wish.
    pub levels_are_binding: bool,
    /// Which column of the attribute table counts.
    pub attributes: AttributeColumn,
    /// `claims.id_token` counts (SPID/CIE AZ-9).
    pub claims_in_id_token: bool,
    /// The claims of a scope go into the id_token too; otherwise to userinfo only (OIDC Core §5.4).
    pub scopes_in_id_token: bool,
    /// The id_token can be encrypted (SPID/CIE TK-5).
    pub id_token_encryption: bool,
    /// The id_token carries `auth_time`.
    pub auth_time: bool,
    /// The id_token carries `amr` (RFC 8176), which SPID/CIE TK-5 does not name.
    pub amr: bool,
    /// Pairwise subjects (SPID/CIE TM-3).
    pub pairwise_subjects: bool,
    /// Userinfo is always a JWE around a JWS (SPID/CIE UI-2); otherwise as the RP registered, by default JSON.
    pub userinfo_sealed: bool,
    /// `POST /userinfo` is served as well (SPID/CIE UI-1).
    pub userinfo_post: bool,
    /// Refresh tokens.
    pub refresh: Refresh,
    /// The user may switch offline access off on the consent page (SPID/CIE AZ-10).
    pub offline_switch: bool,
    /// Introspection says more than `active` (SPID/CIE IN-1).
    pub introspection_details: bool,
    /// What else ends with a revoked token (SPID/CIE RV-2).
    pub revocation: RevocationEffects,
}

/// What membership in a federation means for the issuers of a profile (OIDC Federation 1.0).
#[derive(Clone, Copy, Debug)]
pub struct Federation {
    /// Every issuer is a member; otherwise those whose configuration names a trust anchor.
    pub compulsory: bool,
    /// How RPs come to be known through their trust chains.
    pub registration: RegistrationType,
    /// Addresses that members have beside the others.
    pub endpoints: &'static [Path],
}

/// A way of registering, as `client_registration_types_supported` names it (OIDC Federation §12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationType {
    /// The first request of an RP registers it (OIDC Federation §12.1).
    Automatic,
    /// An RP registers before its first request (OIDC Federation §12.2).
    Explicit,
}

impl RegistrationType {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Explicit => "explicit",
        }
    }
}

/// Automatic registration, without exception (SPID/CIE FE-4, FE-11).
const ITALIAN_FEDERATION: Federation = Federation {
    compulsory: true,
    registration: RegistrationType::Automatic,
    endpoints: &[
        Path::EntityConfiguration,
        Path::SignedJwks,
        Path::HistoricalKeys,
        Path::Resolve,
    ],
};

/// An address under an issuer; the text is in [`Path::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Authorization endpoint.
    Authorization,
    /// Token endpoint.
    Token,
    /// Userinfo endpoint.
    Userinfo,
    /// Introspection endpoint.
    Introspection,
    /// Revocation endpoint.
    Revocation,
    /// JWKS as JSON.
    Jwks,
    /// JWKS signed with the federation key.
    SignedJwks,
    /// Resolve endpoint of the federation.
    Resolve,
    /// OIDC Discovery.
    OpenidConfiguration,
    /// Entity configuration.
    EntityConfiguration,
    /// Historical federation keys.
    HistoricalKeys,
    /// Explicit registration through a federation.
    Registration,
}

impl Path {
    /// The address, to be appended to the issuer without its final slash.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorization => "/authorization",
            Self::Token => "/token",
            Self::Userinfo => "/userinfo",
            Self::Introspection => "/introspection",
            Self::Revocation => "/revocation",
            Self::Jwks => "/jwks.json",
            Self::SignedJwks => "/jwks.jose",
            Self::Resolve => "/resolve",
            Self::OpenidConfiguration => "/.well-known/openid-configuration",
            Self::EntityConfiguration => "/.well-known/openid-federation",
            Self::HistoricalKeys => "/.well-known/openid-federation-historical-jwks",
            Self::Registration => "/registration",
        }
    }
}

/// A scope and the claims that it stands for (OIDC Core §5.4, SPID/CIE AZ-9).
#[derive(Debug)]
pub struct Scope {
    /// The token.
    pub name: &'static str,
    /// Canonical claims.
    pub claims: &'static [&'static str],
}

/// Which column of the attribute table an RP may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeColumn {
    /// Column S.
    Spid,
    /// Column C.
    Cie,
    /// Every attribute.
    All,
}

/// What refreshing does (SPID/CIE TK-7).
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    /// At most `issuer.max_refresh` times; otherwise without limit.
    pub limited: bool,
    /// A new id_token at `issuer.refresh_acr`, if the original `acr_values` had that level; otherwise none.
    pub id_token: bool,
}

/// What else ends when an RP revokes a token (SPID/CIE RV-2).
#[derive(Clone, Copy, Debug)]
pub struct RevocationEffects {
    /// Revoking an access token revokes the refresh tokens of its grant.
    pub access_ends_refresh: bool,
    /// Revoking an access token ends the single sign-on session.
    pub access_ends_session: bool,
    /// Revoking a refresh token revokes the access tokens of its grant.
    pub refresh_ends_access: bool,
}

impl Profile {
    /// The profile of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        PROFILES
            .iter()
            .copied()
            .find(|profile| profile.name == name)
    }

    /// Whether an address exists under issuers of this profile, members of a federation or not.
    #[must_use]
    pub fn offers(&self, path: Path, is_member: bool) -> bool {
        self.endpoints.contains(&path) || is_member && self.federation.endpoints.contains(&path)
    }

    /// The methods that an endpoint serves, as the `Allow` header says them (RFC 9110 §10.2.1).
    #[must_use]
    pub fn methods(&self, path: Path) -> &'static str {
        match path {
            Path::Token | Path::Introspection | Path::Revocation | Path::Registration => "POST",
            Path::Userinfo if !self.userinfo_post => "GET",
            Path::Authorization | Path::Userinfo | Path::Resolve => "GET, POST",
            Path::Jwks
            | Path::SignedJwks
            | Path::OpenidConfiguration
            | Path::EntityConfiguration
            | Path::HistoricalKeys => "GET",
        }
    }

    /// The strength of a level; `None` for an unknown one.
    #[must_use]
    pub fn rank(&self, level: &str) -> Option<usize> {
        self.levels.iter().position(|known| *known == level)
    }

    /// The scope of that name.
    #[must_use]
    pub fn scope(&self, name: &str) -> Option<&'static Scope> {
        self.scopes.iter().find(|scope| scope.name == name)
    }

    /// Every message that is published as a JSON Schema.
    pub fn messages(&self) -> impl Iterator<Item = &'static Message> + use<> {
        [
            Some(self.authorization),
            self.request_object,
            Some(self.code_request),
            self.refresh_request,
            Some(self.client_assertion),
            self.endpoints
                .contains(&Path::Introspection)
                .then_some(self.token_query),
        ]
        .into_iter()
        .flatten()
    }
}
