//! Plain OpenID Connect, code flow with PKCE, for clients that an operator registers, and for those that register
//! themselves through a federation, where the issuer is a member of one (OIDC Federation §12.2).

use super::acr::SPID_LEVELS;
use super::message::{Member, Message, Presence, Shape};
use super::rules::REGISTERED_METADATA;
use super::spid::{CLIENT_ASSERTION, KEY_MANAGEMENT, TOKEN_QUERY, members};
use super::{
    AttributeColumn, Federation, Path, Profile, Refresh, RegistrationType, RevocationEffects, Scope,
};
use crate::jose::{ContentEncryption, SignatureAlgorithm};
use crate::model::ErrorCode;

/// Plain OpenID Connect.
pub static OIDC: Profile = Profile {
    name: "oidc",
    brand: "OpenID",
    brand_slug: "openid",
    federation: Federation {
        compulsory: false,
        registration: RegistrationType::Explicit,
        // No Path::Resolve: a registration request is made for this issuer, and says nothing to others.
        endpoints: &[
            Path::EntityConfiguration,
            Path::SignedJwks,
            Path::HistoricalKeys,
            Path::Registration,
        ],
    },
    endpoints: &[
        Path::OpenidConfiguration,
        Path::Authorization,
        Path::Token,
        Path::Userinfo,
        Path::Jwks,
    ],
    signature_algorithms: &[
        SignatureAlgorithm::Rs256,
        SignatureAlgorithm::Rs384,
        SignatureAlgorithm::Rs512,
        SignatureAlgorithm::Ps256,
        SignatureAlgorithm::Ps384,
        SignatureAlgorithm::Ps512,
        SignatureAlgorithm::Es256,
        SignatureAlgorithm::Es512,
    ],
    key_management: KEY_MANAGEMENT,
    content_encryption: &[
        ContentEncryption::A128CbcHs256,
        ContentEncryption::A256CbcHs512,
        ContentEncryption::A128Gcm,
        ContentEncryption::A256Gcm,
    ],
    authorization: &AUTHORIZATION,
    request_object: None,
    code_request: &CODE_REQUEST,
    refresh_request: None,
    client_assertion: &CLIENT_ASSERTION,
    token_query: &TOKEN_QUERY,
    metadata_rules: REGISTERED_METADATA,
    key_members: &["jwks", "signed_jwks_uri", "jwks_uri"],
    client_authentication: &[
        "private_key_jwt",
        "client_secret_basic",
        "client_secret_post",
        "none",
    ],
    prompts: &["none", "login", "consent", "login consent", "consent login"],
    scopes: &[
        Scope {
            name: "openid",
            claims: &[],
        },
        Scope {
            name: "profile",
            claims: &["family_name", "given_name", "birthdate", "gender"],
        },
        Scope {
            name: "email",
            claims: &["email", "email_verified"],
        },
        Scope {
            name: "address",
            claims: &["address"],
        },
        Scope {
            name: "phone",
            claims: &["phone_number", "phone_number_verified"],
        },
    ],
    levels: SPID_LEVELS,
    levels_are_binding: false,
    attributes: AttributeColumn::All,
    claims_in_id_token: true,
    scopes_in_id_token: false,
    id_token_encryption: true,
    auth_time: true,
    amr: true,
    pairwise_subjects: true,
    userinfo_sealed: false,
    userinfo_post: true,
    refresh: Refresh {
        limited: false,
        id_token: false,
    },
    offline_switch: false,
    introspection_details: true,
    revocation: RevocationEffects {
        access_ends_refresh: false,
        access_ends_session: false,
        refresh_ends_access: true,
    },
};

static AUTHORIZATION: Message = Message {
    name: "authorization-request",
    title: "Authorization request",
    called: "parameter",
    members: members! {
        "client_id" Required Shape::Text, InvalidRequest, "OIDC Core §3.1.2.1";
        "request" Forbidden Shape::Text, RequestNotSupported, "OIDC Core §6.1";
        "request_uri" Forbidden Shape::Text, RequestUriNotSupported, "OIDC Core §6.2";
        "registration" Forbidden Shape::Text, RegistrationNotSupported, "OIDC Core §7.2.1";
        "response_type" Required Shape::Exactly("code"), UnsupportedResponseType, "OIDC Core §3.1.2.1";
        "scope" Required Shape::Words, InvalidScope, "OIDC Core §3.1.2.1";
        "code_challenge" Required Shape::Unreserved { min: 43, max: 128 }, InvalidRequest, "RFC 7636 §4.3";
        "code_challenge_method" Required Shape::Exactly("S256"), InvalidRequest, "RFC 7636 §4.3";
        "nonce" Optional Shape::Text, InvalidRequest, "OIDC Core §3.1.2.1";
        "state" Optional Shape::Text, InvalidRequest, "RFC 6749 §4.1.1";
        "prompt" Optional Shape::Text, InvalidRequest, "OIDC Core §3.1.2.1";
        "acr_values" Optional Shape::Words, InvalidRequest, "OIDC Core §3.1.2.1";
        "claims" Optional Shape::Object, InvalidRequest, "OIDC Core §5.5";
        "max_age" Optional Shape::Count, InvalidRequest, "OIDC Core §3.1.2.1";
        "ui_locales" Optional Shape::Words, InvalidRequest, "OIDC Core §3.1.2.1";
        "response_mode" Optional Shape::OneOf(&["query", "form_post"]), InvalidRequest, "OAuth 2.0 Multiple Response Types §2.1";
    },
};

static CODE_REQUEST: Message = Message {
    name: "token-request-authorization-code",
    title: "Token request with an authorization code",
    called: "parameter",
    members: members! {
        "grant_type" Required Shape::Exactly("authorization_code"), UnsupportedGrantType, "RFC 6749 §4.1.3";
        "code" Required Shape::Text, InvalidGrant, "RFC 6749 §4.1.3";
        "redirect_uri" Required Shape::Text, InvalidRequest, "RFC 6749 §4.1.3";
        "code_verifier" Required Shape::Unreserved { min: 43, max: 128 }, InvalidRequest, "RFC 7636 §4.5";
    },
};
