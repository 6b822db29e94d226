//! From `openid_relying_party` metadata as JSON to [`ClientMetadata`].

use crate::model::{ClientLifetimes, ClientMetadata};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A member of the wrong type; the text is ASCII and names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("RP metadata: {member} must be {expected}")]
pub struct MisshapenMetadata {
    /// The member.
    pub member: &'static str,
    /// Its type.
    pub expected: &'static str,
}

/// Reads what the provider uses of RP metadata (OIDC Registration §2); the rest is ignored.
///
/// # Errors
/// A member that is used and has the wrong JSON type.
pub fn parse(members: &Map<String, Value>) -> Result<ClientMetadata, MisshapenMetadata> {
    let text = |member: &'static str| optional_text(members, member);
    let texts = |member: &'static str| optional_texts(members, member);
    Ok(ClientMetadata {
        client_name: names(members, "client_name"),
        redirect_uris: texts("redirect_uris")?,
        response_types: texts("response_types")?,
        grant_types: texts("grant_types")?,
        token_endpoint_auth_method: text("token_endpoint_auth_method")?,
        client_secret_sha256: None,
        client_registration_types: texts("client_registration_types")?,
        id_token_signed_response_alg: text("id_token_signed_response_alg")?,
        id_token_encrypted_response_alg: text("id_token_encrypted_response_alg")?,
        id_token_encrypted_response_enc: text("id_token_encrypted_response_enc")?,
        userinfo_signed_response_alg: text("userinfo_signed_response_alg")?,
        userinfo_encrypted_response_alg: text("userinfo_encrypted_response_alg")?,
        userinfo_encrypted_response_enc: text("userinfo_encrypted_response_enc")?,
        request_object_signing_alg: text("request_object_signing_alg")?,
        token_endpoint_auth_signing_alg: text("token_endpoint_auth_signing_alg")?,
        scope: text("scope")?,
        subject_type: text("subject_type")?,
        logo_uri: lenient_text(members, "logo_uri"),
        policy_uri: lenient_text(members, "policy_uri"),
        client_uri: lenient_text(members, "client_uri"),
        organization_name: lenient_text(members, "organization_name"),
        // Operators set these, never the RP.
        jwks_uri: None,
        previous_secret: None,
        lifetimes: ClientLifetimes::default(),
    })
}

/// As [`parse`], from an entity's metadata by entity type: where only `federation_entity` names the organisation behind
/// an RP, that counts.
///
/// # Errors
/// A member that is used and has the wrong JSON type.
pub fn of_entity(by_type: &Map<String, Value>) -> Result<ClientMetadata, MisshapenMetadata> {
    let none = Map::new();
    let members = by_type.get("openid_relying_party");
    let mut parsed = parse(members.and_then(Value::as_object).unwrap_or(&none))?;
    if parsed.organization_name.is_none() {
        parsed.organization_name = organization_of(by_type);
    }
    Ok(parsed)
}

/// `organization_name` of an entity's `federation_entity` metadata.
#[must_use]
pub fn organization_of(by_type: &Map<String, Value>) -> Option<String> {
    let entity = by_type.get("federation_entity")?;
    entity.get("organization_name")?.as_str().map(str::to_owned)
}

fn optional_text(
    members: &Map<String, Value>,
    member: &'static str,
) -> Result<Option<String>, MisshapenMetadata> {
    match members.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(MisshapenMetadata {
            member,
            expected: "a text",
        }),
    }
}

fn optional_texts(
    members: &Map<String, Value>,
    member: &'static str,
) -> Result<Vec<String>, MisshapenMetadata> {
    let misshapen = || MisshapenMetadata {
        member,
        expected: "an array of texts",
    };
    match members.get(member) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(misshapen))
            .collect(),
        Some(_) => Err(misshapen()),
    }
}

/// Members for display only: a wrong type counts as absent.
fn lenient_text(members: &Map<String, Value>, member: &str) -> Option<String> {
    members.get(member)?.as_str().map(str::to_owned)
}

/// `client_name`, `client_name#it` … (OIDC Registration §2.1).
fn names(members: &Map<String, Value>, member: &str) -> BTreeMap<String, String> {
    members
        .iter()
        .filter_map(|(name, value)| {
            let rest = name.strip_prefix(member)?;
            let language = if rest.is_empty() {
                ""
            } else {
                rest.strip_prefix('#')?
            };
            Some((language.to_ascii_lowercase(), value.as_str()?.to_owned()))
        })
        .collect()
}
