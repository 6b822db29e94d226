//! CIE, where it differs from SPID.

use super::acr::SPID_LEVELS;
use super::message::{Member, Message, Presence, Shape};
use super::rules::FEDERATION_METADATA;
use super::spid::{
    CLIENT_ASSERTION, CODE_REQUEST, CONTENT_ENCRYPTION, FEDERATION_ENDPOINTS, FEDERATION_PROMPTS,
    FEDERATION_SIGNATURES, KEY_MANAGEMENT, REFRESH_REQUEST, REQUEST_OBJECT, TOKEN_QUERY, members,
};
use super::{AttributeColumn, ITALIAN_FEDERATION, Profile, Refresh, RevocationEffects, Scope};
use crate::model::ErrorCode;

/// CIE.
pub static CIE: Profile = Profile {
    name: "cie",
    brand: "CIE",
    brand_slug: "cie",
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
    key_members: &["jwks"],
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
        Scope {
            name: "profile",
            claims: &["family_name", "given_name", "birthdate", "fiscal_number"],
        },
        Scope {
            name: "email",
            claims: &["email", "email_verified"],
        },
    ],
    levels: SPID_LEVELS,
    levels_are_binding: true,
    attributes: AttributeColumn::Cie,
    claims_in_id_token: true,
    scopes_in_id_token: true,
    id_token_encryption: true,
    auth_time: false,
    amr: false,
    pairwise_subjects: true,
    userinfo_sealed: true,
    userinfo_post: true,
    refresh: Refresh {
        limited: false,
        id_token: false,
    },
    offline_switch: true,
    introspection_details: false,
    revocation: RevocationEffects {
        access_ends_refresh: false,
        access_ends_session: false,
        refresh_ends_access: true,
    },
};

static AUTHORIZATION: Message = Message {
    name: "authorization-request",
    title: "Authorization request: the parameters outside the request object",
    called: "parameter",
    members: members! {
        "request_uri" Forbidden Shape::Text, RequestUriNotSupported, "SPID/CIE AZ-2";
        "registration" Forbidden Shape::Text, RegistrationNotSupported, "SPID/CIE AZ-2";
        "request" Required Shape::Jwt, InvalidRequest, "SPID/CIE AZ-2";
        "client_id" Optional Shape::Text, InvalidRequest, "SPID/CIE AZ-3";
        "response_type" Optional Shape::Text, UnsupportedResponseType, "SPID/CIE AZ-3";
        "scope" Required Shape::Words, InvalidScope, "SPID/CIE AZ-3";
        "code_challenge" Required Shape::Unreserved { min: 43, max: 128 }, InvalidRequest, "SPID/CIE AZ-3";
        "code_challenge_method" Required Shape::Exactly("S256"), InvalidRequest, "SPID/CIE AZ-7";
    },
};
