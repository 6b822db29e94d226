//! SPID, beside the tables of the specification it restates.

use super::acr::SPID_LEVELS;
use super::message::{Member, Message, Presence, Shape};
use super::rules::FEDERATION_METADATA;
use super::{
    AttributeColumn, ITALIAN_FEDERATION, Path, Profile, Refresh, RevocationEffects, Scope,
};
use crate::jose::{ContentEncryption, KeyManagementAlgorithm, SignatureAlgorithm};
use crate::model::ErrorCode;

/// SPID.
pub static SPID: Profile = Profile {
    name: "spid",
    brand: "SPID",
    brand_slug: "spid",
    federation: ITALIAN_FEDERATION,
    endpoints: FEDERATION_ENDPOINTS,
    signature_algorithms: FEDERATION_SIGNATURES,
    key_management: KEY_MANAGEMENT,
    content_encryption: CONTENT_ENCRYPTION,
    authorization: &AUTHORIZATION,
    request_object: Some(&REQUEST_OBJECT),
    code_request: &CODE_REQUEST,
    refresh_request: Some(&REFRESH_REQUEST),
    client_assertion: &CLIENT_ASSERTION,
    token_query: &TOKEN_QUERY,
    metadata_rules: FEDERATION_METADATA,
    key_members: &["jwks", "signed_jwks_uri"],
    client_authentication: &["private_key_jwt"],
    prompts: FEDERATION_PROMPTS,
    scopes: &[
        Scope {
            name: "openid",
            claims: &[],
        },
        Scope {
            name: "offline_access",
            claims: &[],
        },
    ],
    levels: SPID_LEVELS,
    levels_are_binding: true,
    attributes: AttributeColumn::Spid,
    claims_in_id_token: false,
    scopes_in_id_token: false,
    id_token_encryption: false,
    auth_time: false,
    amr: false,
    pairwise_subjects: true,
    userinfo_sealed: true,
    userinfo_post: false,
    refresh: Refresh {
        limited: true,
        id_token: true,
    },
    offline_switch: false,
    introspection_details: true,
    revocation: RevocationEffects {
        access_ends_refresh: true,
        access_ends_session: true,
        refresh_ends_access: true,
    },
};

/// SPID/CIE MD-1, MD-3, FE-8, FE-11.
pub(super) const FEDERATION_ENDPOINTS: &[Path] = &[
    Path::OpenidConfiguration,
    Path::Authorization,
    Path::Token,
    Path::Userinfo,
    Path::Introspection,
    Path::Revocation,
    Path::Jwks,
];

/// SPID/CIE AL-1: exactly these six.
pub(super) const FEDERATION_SIGNATURES: &[SignatureAlgorithm] = &[
    SignatureAlgorithm::Rs256,
    SignatureAlgorithm::Rs512,
    SignatureAlgorithm::Es256,
    SignatureAlgorithm::Es512,
    SignatureAlgorithm::Ps256,
    SignatureAlgorithm::Ps512,
];

/// SPID/CIE AL-2.
pub(super) const KEY_MANAGEMENT: &[KeyManagementAlgorithm] = &[
    KeyManagementAlgorithm::RsaOaep,
    KeyManagementAlgorithm::RsaOaep256,
    KeyManagementAlgorithm::EcdhEs,
    KeyManagementAlgorithm::EcdhEsA128Kw,
    KeyManagementAlgorithm::EcdhEsA256Kw,
];

/// SPID/CIE AL-3.
pub(super) const CONTENT_ENCRYPTION: &[ContentEncryption] = &[
    ContentEncryption::A128CbcHs256,
    ContentEncryption::A256CbcHs512,
];

/// SPID/CIE AZ-6.
pub(super) const FEDERATION_PROMPTS: &[&str] = &["consent", "consent login", "login consent"];

/// `name presence shape error source`, one row a member.
macro_rules! members {
    ($($name:literal $presence:ident $shape:expr, $error:ident, $source:literal;)*) => {
        &[$(Member {
            name: $name,
            presence: Presence::$presence,
            shape: $shape,
            error: ErrorCode::$error,
            source: $source,
        }),*]
    };
}
pub(super) use members;

static AUTHORIZATION: Message = Message {
    name: "authorization-request",
    title: "Authorization request: the parameters outside the request object",
    called: "parameter",
    members: members! {
        "request_uri" Forbidden Shape::Text, RequestUriNotSupported, "SPID/CIE AZ-2";
        "registration" Forbidden Shape::Text, RegistrationNotSupported, "SPID/CIE AZ-2";
        "request" Required Shape::Jwt, InvalidRequest, "SPID/CIE AZ-2";
        "client_id" Required Shape::Text, InvalidRequest, "SPID/CIE AZ-3";
        "response_type" Required Shape::Text, UnsupportedResponseType, "SPID/CIE AZ-3";
        "scope" Required Shape::Words, InvalidScope, "SPID/CIE AZ-3";
        "code_challenge" Required Shape::Unreserved { min: 43, max: 128 }, InvalidRequest, "SPID/CIE AZ-3";
        "code_challenge_method" Required Shape::Exactly("S256"), InvalidRequest, "SPID/CIE AZ-7";
    },
};

/// SPID/CIE AZ-4: the same for both federations.
pub(super) static REQUEST_OBJECT: Message = Message {
    name: "request-object",
    title: "Request object: the claims of the signed JWT",
    called: "request object:",
    members: members! {
        "client_id" Required Shape::Text, InvalidRequest, "SPID/CIE AZ-4";
        "iss" Required Shape::Text, InvalidRequestObject, "SPID/CIE AZ-4";
        "aud" Required Shape::TextOrTexts, InvalidRequestObject, "SPID/CIE AZ-4";
        "iat" Required Shape::NumericDate, InvalidRequestObject, "SPID/CIE AZ-4";
        "exp" Optional Shape::NumericDate, InvalidRequestObject, "SPID/CIE AZ-4";
        "redirect_uri" Required Shape::Uri, InvalidRequest, "SPID/CIE AZ-4";
        "response_type" Required Shape::Exactly("code"), UnsupportedResponseType, "SPID/CIE AZ-7";
        "scope" Required Shape::Words, InvalidScope, "SPID/CIE AZ-4";
        "code_challenge" Required Shape::Unreserved { min: 43, max: 128 }, InvalidRequest, "SPID/CIE AZ-4";
        "code_challenge_method" Required Shape::Exactly("S256"), InvalidRequest, "SPID/CIE AZ-7";
        "nonce" Required Shape::Unreserved { min: 32, max: 512 }, InvalidRequest, "SPID/CIE AZ-4";
        "state" Required Shape::Unreserved { min: 32, max: 512 }, InvalidRequest, "SPID/CIE AZ-4";
        "prompt" Required Shape::Text, InvalidRequest, "SPID/CIE AZ-6";
        "acr_values" RequiredUnlessConfigured Shape::Words, InvalidRequest, "SPID/CIE AZ-8";
        "claims" Optional Shape::Object, InvalidRequest, "SPID/CIE AZ-4";
        "ui_locales" Optional Shape::Words, InvalidRequest, "SPID/CIE AZ-4";
        "response_mode" Optional Shape::OneOf(&["query", "form_post"]), InvalidRequest, "SPID/CIE AZ-11";
        "jti" Optional Shape::Text, InvalidRequest, "SPID/CIE AZ-4";
    },
};

/// SPID/CIE TK-1, TK-2.
pub(super) static CODE_REQUEST: Message = Message {
    name: "token-request-authorization-code",
    title: "Token request with an authorization code",
    called: "parameter",
    members: members! {
        "grant_type" Required Shape::Exactly("authorization_code"), UnsupportedGrantType, "SPID/CIE TK-2";
        "client_id" Required Shape::Text, InvalidRequest, "SPID/CIE TK-2";
        "client_assertion" Required Shape::Jwt, InvalidClient, "SPID/CIE TK-1";
        "client_assertion_type" Required Shape::OneOf(ASSERTION_TYPES), InvalidClient, "SPID/CIE TK-1";
        "code" Required Shape::Text, InvalidGrant, "SPID/CIE TK-2";
        "code_verifier" Required Shape::Unreserved { min: 43, max: 128 }, InvalidRequest, "SPID/CIE TK-2";
        "redirect_uri" Optional Shape::Text, InvalidRequest, "SPID/CIE TK-2";
    },
};

/// SPID/CIE TK-7.
pub(super) static REFRESH_REQUEST: Message = Message {
    name: "token-request-refresh-token",
    title: "Token request with a refresh token",
    called: "parameter",
    members: members! {
        "grant_type" Required Shape::Exactly("refresh_token"), UnsupportedGrantType, "SPID/CIE TK-7";
        "client_id" Required Shape::Text, InvalidRequest, "SPID/CIE TK-7";
        "client_assertion" Required Shape::Jwt, InvalidClient, "SPID/CIE TK-1";
        "client_assertion_type" Required Shape::OneOf(ASSERTION_TYPES), InvalidClient, "SPID/CIE TK-1";
        "refresh_token" Required Shape::Jwt, InvalidGrant, "SPID/CIE TK-7";
    },
};

/// SPID/CIE TK-1.
pub(super) static CLIENT_ASSERTION: Message = Message {
    name: "client-assertion",
    title: "Client assertion: the claims of the signed JWT",
    called: "client_assertion:",
    members: members! {
        "iss" Required Shape::Text, InvalidClient, "SPID/CIE TK-1";
        "sub" Required Shape::Text, InvalidClient, "SPID/CIE TK-1";
        "aud" Required Shape::TextOrTexts, InvalidClient, "SPID/CIE TK-1";
        "iat" Required Shape::NumericDate, InvalidClient, "SPID/CIE TK-1";
        "exp" Required Shape::NumericDate, InvalidClient, "SPID/CIE TK-1";
        "jti" Required Shape::Text, InvalidClient, "SPID/CIE TK-1";
        // A request object is in every browser's address bar: it must not pass for a credential (RFC 9101 §10.8).
        "response_type" Forbidden Shape::Text, InvalidClient, "RFC 9101 §10.8";
        "redirect_uri" Forbidden Shape::Text, InvalidClient, "RFC 9101 §10.8";
        "code_challenge" Forbidden Shape::Text, InvalidClient, "RFC 9101 §10.8";
    },
};

/// SPID/CIE IN-1, RV-1.
pub(super) static TOKEN_QUERY: Message = Message {
    name: "token-query",
    title: "Introspection or revocation request",
    called: "parameter",
    members: members! {
        "client_assertion" Required Shape::Jwt, InvalidClient, "SPID/CIE IN-1";
        "client_assertion_type" Required Shape::OneOf(ASSERTION_TYPES), InvalidClient, "SPID/CIE TK-1";
        "token" Required Shape::AnyText, InvalidRequest, "RFC 7009 §2.1, RFC 7662 §2.1";
    },
};

/// RFC 7523 §2.2, and the official text's misspelling (SPID/CIE TK-1).
pub const ASSERTION_TYPES: &[&str] = &[
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "urn:ietf:params:oauth:clientassertion-type:jwt-bearer",
];
