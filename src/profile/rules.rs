//! Named rules over facts: what a table of members cannot say.

use super::Profile;
use crate::jose::{KeyManagementAlgorithm, KeySet};
use crate::model::{ClientMetadata, ErrorCode};

/// One rule: a name for logs and tests, the clause it enforces, and the predicate.
#[derive(Debug)]
pub struct Rule<R: 'static> {
    /// The member of RP metadata that it looks at; the reports' name of the rule.
    pub member: &'static str,
    /// What kind of thing it asks, for the words of advice.
    pub demand: Demand,
    /// What must hold, as a phrase after "RP metadata:"; ASCII, it goes on the wire.
    pub says: &'static str,
    /// The clause.
    pub source: &'static str,
    /// What is answered when it does not hold.
    pub code: ErrorCode,
    /// Whether it holds.
    pub holds: fn(&R) -> bool,
}

/// The kinds of things that rules ask of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A list that is not empty.
    Present,
    /// https URLs or custom schemes, without fragment.
    RedirectUris,
    /// A list that contains this.
    Contains(&'static str),
    /// A list of nothing but these.
    Only(&'static str),
    /// This, or nothing.
    Is(&'static str),
    /// One of these, or nothing.
    OneOf(&'static str),
    /// A usable signing key.
    SigningKey,
    /// An encryption key that fits the algorithm of this member.
    EncryptionKey(&'static str),
}

/// What rules on RP metadata look at (SPID/CIE FE-10).
#[derive(Clone, Debug)]
pub struct MetadataFacts {
    /// The final metadata.
    pub metadata: ClientMetadata,
    /// The RP's keys, from wherever they were published.
    pub keys: KeySet,
    /// Loopback redirect URIs over http are allowed.
    pub development: bool,
    /// The profile that judges.
    pub profile: &'static Profile,
}

impl Profile {
    /// The first rule that the RP's metadata breaks.
    #[must_use]
    pub fn broken_by(&self, facts: &MetadataFacts) -> Option<&'static Rule<MetadataFacts>> {
        self.metadata_rules.iter().find(|rule| !(rule.holds)(facts))
    }
}

const fn rule(
    (member, demand): (&'static str, Demand),
    says: &'static str,
    source: &'static str,
    holds: fn(&MetadataFacts) -> bool,
) -> Rule<MetadataFacts> {
    Rule {
        member,
        demand,
        says,
        source,
        code: ErrorCode::UnauthorizedClient,
        holds,
    }
}

/// The algorithm of one metadata member, when it is stated; a rule a member, so that the refusal names it.
macro_rules! algorithm {
    ($member:ident, $choices:literal, $source:literal, $is_known:expr) => {
        rule(
            (stringify!($member), Demand::OneOf($choices)),
            concat!(stringify!($member), " must be one of ", $choices),
            $source,
            |facts| {
                let name = facts.metadata.$member.as_deref();
                name.is_none_or(|name| $is_known(facts.profile, name))
            },
        )
    };
}

macro_rules! signature_algorithm {
    ($member:ident) => {
        algorithm!(
            $member,
            "RS256, RS512, ES256, ES512, PS256, PS512",
            "SPID/CIE AL-1, AL-4",
            |profile: &Profile, name| is_known(profile.signature_algorithms, name, |alg| alg
                .as_str())
        )
    };
}

macro_rules! key_management {
    ($member:ident) => {
        algorithm!(
            $member,
            "RSA-OAEP, RSA-OAEP-256, ECDH-ES, ECDH-ES+A128KW, ECDH-ES+A256KW",
            "SPID/CIE AL-2, AL-4",
            |profile: &Profile, name| is_known(profile.key_management, name, |alg| alg.as_str())
        )
    };
}

macro_rules! content_encryption {
    ($member:ident) => {
        algorithm!(
            $member,
            "A128CBC-HS256, A256CBC-HS512, A128GCM, A256GCM",
            "SPID/CIE AL-3",
            |_: &Profile, name| crate::jose::ContentEncryption::parse(name).is_some()
        )
    };
}

/// SPID/CIE FE-10, AL-4, UI-2: the rules on an RP's final metadata in both federations.
pub(super) static FEDERATION_METADATA: &[Rule<MetadataFacts>] = &[
    rule(
        ("redirect_uris", Demand::Present),
        "redirect_uris must not be empty",
        "SPID/CIE FE-10",
        |facts| !facts.metadata.redirect_uris.is_empty(),
    ),
    rule(
        ("redirect_uris", Demand::RedirectUris),
        "redirect_uris must be https URLs or custom schemes, without fragment",
        "SPID/CIE FE-10",
        |facts| {
            facts
                .metadata
                .redirect_uris
                .iter()
                .all(|uri| is_redirect_uri(uri, facts.development))
        },
    ),
    rule(
        ("response_types", Demand::Contains("code")),
        "response_types must contain code",
        "SPID/CIE FE-10",
        |facts| {
            facts
                .metadata
                .response_types
                .iter()
                .any(|kind| kind == "code")
        },
    ),
    rule(
        (
            "grant_types",
            Demand::Only("authorization_code, refresh_token"),
        ),
        "grant_types must be authorization_code and refresh_token only",
        "SPID/CIE FE-10",
        |facts| {
            !facts.metadata.grant_types.is_empty()
                && facts
                    .metadata
                    .grant_types
                    .iter()
                    .all(|kind| ["authorization_code", "refresh_token"].contains(&kind.as_str()))
        },
    ),
    rule(
        ("token_endpoint_auth_method", Demand::Is("private_key_jwt")),
        "token_endpoint_auth_method must be private_key_jwt",
        "SPID/CIE FE-10",
        |facts| {
            facts
                .metadata
                .token_endpoint_auth_method
                .as_deref()
                .is_none_or(|method| method == "private_key_jwt")
        },
    ),
    rule(
        ("client_registration_types", Demand::Contains("automatic")),
        "client_registration_types must contain automatic",
        "SPID/CIE FE-10",
        |facts| {
            let types = &facts.metadata.client_registration_types;
            types.is_empty() || types.iter().any(|kind| kind == "automatic")
        },
    ),
    rule(
        ("jwks", Demand::SigningKey),
        "jwks (or signed_jwks_uri) must hold a usable signing key",
        "SPID/CIE FE-10, AL-5",
        |facts| facts.keys.signing_keys().next().is_some(),
    ),
    signature_algorithm!(id_token_signed_response_alg),
    signature_algorithm!(userinfo_signed_response_alg),
    signature_algorithm!(request_object_signing_alg),
    signature_algorithm!(token_endpoint_auth_signing_alg),
    key_management!(id_token_encrypted_response_alg),
    key_management!(userinfo_encrypted_response_alg),
    content_encryption!(id_token_encrypted_response_enc),
    content_encryption!(userinfo_encrypted_response_enc),
    rule(
        (
            "jwks",
            Demand::EncryptionKey("userinfo_encrypted_response_alg"),
        ),
        "jwks must hold an encryption key that fits userinfo_encrypted_response_alg",
        "SPID/CIE UI-2",
        |facts| {
            let name = facts.metadata.userinfo_encrypted_response_alg.as_deref();
            KeyManagementAlgorithm::parse(name.unwrap_or(super::DEFAULT_KEY_MANAGEMENT.as_str()))
                .is_some_and(|alg| facts.keys.encryption_key(alg).is_some())
        },
    ),
    rule(
        (
            "jwks",
            Demand::EncryptionKey("id_token_encrypted_response_alg"),
        ),
        "jwks must hold an encryption key that fits id_token_encrypted_response_alg",
        "SPID/CIE TK-5",
        |facts| match &facts.metadata.id_token_encrypted_response_alg {
            Some(name) if facts.profile.id_token_encryption => KeyManagementAlgorithm::parse(name)
                .is_some_and(|alg| facts.keys.encryption_key(alg).is_some()),
            _ => true,
        },
    ),
];

/// The rules on clients registered by an operator.
pub(super) static REGISTERED_METADATA: &[Rule<MetadataFacts>] = &[rule(
    ("redirect_uris", Demand::Present),
    "redirect_uris must not be empty",
    "OIDC Registration §2",
    |facts| !facts.metadata.redirect_uris.is_empty(),
)];

fn is_known<T: Copy>(known: &[T], name: &str, as_str: fn(T) -> &'static str) -> bool {
    known.iter().any(|item| as_str(*item) == name)
}

/// https, a custom scheme of a mobile application (RFC 8252 §7.1), or loopback http in development; no fragment.
#[must_use]
pub fn is_redirect_uri(uri: &str, development: bool) -> bool {
    // The parser drops control characters, which would break the Location header.
    if !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    let Ok(url) = url::Url::parse(uri) else {
        return false;
    };
    let safe_scheme = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => development && is_loopback(&url),
        "javascript" | "data" | "vbscript" | "file" | "about" | "blob" | "ws" | "wss" | "ftp" => {
            false
        }
        _ => true,
    };
    safe_scheme && url.fragment().is_none() && uri.len() <= 2048
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
