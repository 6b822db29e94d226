//! Signed documents of the demonstration federation.
//!
//! They are built here and not with the provider's own builders: two implementations that agree prove more than one
//! that agrees with itself.

use super::DemoError;
use crate::jose::{PrivateKey, SignHeader, sign};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Media type of entity statements, and with `application/` their content type (OpenID Federation 1.0 §3.1, SPID/CIE MD-1).
pub const STATEMENT_TYP: &str = "entity-statement+jwt";
/// `typ` of a trust mark (OpenID Federation 1.0 §7.1).
pub const TRUST_MARK_TYP: &str = "trust-mark+jwt";
/// `typ` of the answer of a trust mark status endpoint (OpenID Federation 1.0 §8.4.2).
pub const STATUS_TYP: &str = "trust-mark-status-response+jwt";

/// Seconds that the demonstration's statements and marks live: two days, as in the Italian federation.
pub const STATEMENT_SECONDS: i64 = 48 * 3600;

/// Signs an entity statement with the key's default algorithm.
pub(super) fn sign_statement(
    claims: &impl Serialize,
    key: &PrivateKey,
) -> Result<String, DemoError> {
    sign_as(STATEMENT_TYP, claims, key)
}

/// Signs any document with the key's default algorithm.
pub(super) fn sign_as(
    typ: &str,
    claims: &impl Serialize,
    key: &PrivateKey,
) -> Result<String, DemoError> {
    let header = SignHeader {
        alg: key.default_signature_algorithm(),
        typ: Some(typ),
        cty: None,
        kid: key.kid(),
        extra: None,
    };
    Ok(sign(&header, claims, key)?)
}

/// An element of `trust_marks` (SPID/CIE TM-1: several names for the type, so that older readers find theirs).
pub(super) fn mark_wrapper(mark_type: &str, mark: &str) -> Value {
    json!({"trust_mark_type": mark_type, "id": mark_type, "trust_mark": mark})
}

/// The members of a JSON object; empty for any other value.
pub(super) fn claims(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Replaces members, or adds them; `null` removes one.
pub(super) fn change(members: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (name, value) in changes {
        if value.is_null() {
            members.shift_remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}
