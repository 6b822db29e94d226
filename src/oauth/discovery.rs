//! What an issuer says of itself: `openid_provider` metadata (OIDC Discovery §3, RFC 8414, SPID/CIE MD-3, MD-5).

use crate::model::attribute::ATTRIBUTES;
use crate::profile::{AttributeColumn, Path, Profile, RegistrationType};
use crate::provider::Provider;
use serde_json::{Map, Value, json};

/// The metadata, made of the profile's tables and the configuration; nothing is advertised that does not exist.
#[must_use]
pub fn openid_provider(op: &Provider) -> Map<String, Value> {
    let mut members = Map::new();
    endpoints(op, &mut members);
    protocol(op, &mut members);
    algorithms(op, &mut members);
    if op.is_member() {
        federation(op, &mut members);
    }
    members
}

fn endpoints(op: &Provider, members: &mut Map<String, Value>) {
    members.insert("issuer".into(), op.settings.id.clone().into());
    for (name, path) in [
        ("authorization_endpoint", Path::Authorization),
        ("token_endpoint", Path::Token),
        ("userinfo_endpoint", Path::Userinfo),
        ("introspection_endpoint", Path::Introspection),
        ("revocation_endpoint", Path::Revocation),
        ("jwks_uri", Path::Jwks),
        ("signed_jwks_uri", Path::SignedJwks),
        ("federation_registration_endpoint", Path::Registration),
    ] {
        if op.offers(path) {
            members.insert(name.into(), op.url(path).into());
        }
    }
}

fn protocol(op: &Provider, members: &mut Map<String, Value>) {
    let profile = op.profile;
    let scopes: Vec<&str> = profile.scopes.iter().map(|scope| scope.name).collect();
    let mut grants = vec!["authorization_code"];
    if profile.refresh_request.is_some() {
        grants.push("refresh_token");
    }
    let subject = if profile.pairwise_subjects {
        "pairwise"
    } else {
        "public"
    };
    for (name, value) in [
        ("scopes_supported", json!(scopes)),
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["form_post", "query"])),
        ("grant_types_supported", json!(grants)),
        ("subject_types_supported", json!([subject])),
        ("acr_values_supported", json!(profile.levels)),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("claims_supported", json!(claims(op))),
        ("claims_parameter_supported", json!(true)),
        (
            "request_parameter_supported",
            json!(profile.request_object.is_some()),
        ),
        ("request_uri_parameter_supported", json!(false)),
        (
            "authorization_response_iss_parameter_supported",
            json!(true),
        ),
        (
            "token_endpoint_auth_methods_supported",
            json!(profile.client_authentication),
        ),
        ("ui_locales_supported", json!(["it", "en", "de"])),
    ] {
        members.insert(name.into(), value);
    }
    if let Some(uri) = &op.settings.policy_uri {
        members.insert("op_policy_uri".into(), json!(uri));
    }
}

fn algorithms(op: &Provider, members: &mut Map<String, Value>) {
    let profile = op.profile;
    let signatures: Vec<&str> = profile
        .signature_algorithms
        .iter()
        .map(|algorithm| algorithm.as_str())
        .collect();
    let alg: Vec<&str> = profile
        .key_management
        .iter()
        .map(|algorithm| algorithm.as_str())
        .collect();
    let enc: Vec<&str> = profile
        .content_encryption
        .iter()
        .map(|algorithm| algorithm.as_str())
        .collect();
    for name in [
        "id_token_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
    ] {
        members.insert(name.into(), json!(signatures));
    }
    if profile.request_object.is_some() {
        members.insert(
            "request_object_signing_alg_values_supported".into(),
            json!(signatures),
        );
    }
    members.insert(
        "userinfo_encryption_alg_values_supported".into(),
        json!(alg),
    );
    members.insert(
        "userinfo_encryption_enc_values_supported".into(),
        json!(enc),
    );
    // SPID/CIE MD-3: in SPID by a switch, because a federation policy may make them essential.
    if profile.id_token_encryption || op.settings.encrypt_id_token {
        members.insert(
            "id_token_encryption_alg_values_supported".into(),
            json!(alg),
        );
        members.insert(
            "id_token_encryption_enc_values_supported".into(),
            json!(enc),
        );
    }
}

fn federation(op: &Provider, members: &mut Map<String, Value>) {
    let registration = op.profile.federation.registration;
    members.insert("jwks".into(), op.rings().protocol.published_jwks().clone());
    members.insert(
        "client_registration_types_supported".into(),
        json!([registration.as_str()]),
    );
    if registration == RegistrationType::Automatic {
        let signatures: Vec<&str> = op
            .profile
            .signature_algorithms
            .iter()
            .map(|algorithm| algorithm.as_str())
            .collect();
        members.insert(
            "request_authentication_methods_supported".into(),
            json!({ "authorization_endpoint": ["request_object"] }),
        );
        members.insert(
            "request_authentication_signing_alg_values_supported".into(),
            json!(signatures),
        );
    }
    for (name, path) in [
        (
            "revocation_endpoint_auth_methods_supported",
            Path::Revocation,
        ),
        (
            "introspection_endpoint_auth_methods_supported",
            Path::Introspection,
        ),
    ] {
        if op.offers(path) {
            members.insert(name.into(), json!(op.profile.client_authentication));
        }
    }
    if let Some(name) = &op.settings.organization_name {
        members.insert("organization_name".into(), json!(name));
    }
}

/// The registered claims of the id_token, then the profile's attributes.
fn claims(op: &Provider) -> Vec<String> {
    let releases = |profile: &Profile, spid: bool, cie: bool| match profile.attributes {
        AttributeColumn::Spid => spid,
        AttributeColumn::Cie => cie,
        AttributeColumn::All => true,
    };
    ["sub", "iss", "acr"]
        .into_iter()
        .chain(op.profile.amr.then_some("amr"))
        .map(str::to_owned)
        .chain(
            ATTRIBUTES
                .iter()
                .filter(|row| releases(op.profile, row.spid, row.cie))
                .map(|row| row.claim()),
        )
        .collect()
}
