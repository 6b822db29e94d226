//! Answers of the resolve endpoint (OpenID Federation 1.0 §8.3, SPID/CIE FE-8). Pure.

use super::entity_configuration::{ENTITY_STATEMENT_TYPE, SigningKey, trust_mark_list};
use super::entity_id::EntityId;
use super::trust_mark::ValidMark;
use crate::clock::UtcTime;
use crate::jose::JoseError;
use serde_json::{Map, Value, json};

/// `typ` of a resolve answer.
pub const RESOLVE_RESPONSE_TYPE: &str = "resolve-response+jwt";

/// What a resolve answer says.
#[derive(Clone, Copy, Debug)]
pub struct ResolveResponseInput<'a> {
    /// Who answers.
    pub issuer: &'a EntityId,
    /// Who was asked about.
    pub subject: &'a EntityId,
    /// Final metadata, of the asked entity types only.
    pub metadata: &'a Map<String, Value>,
    /// The marks of the subject; those past their `exp` are left out.
    pub trust_marks: &'a [ValidMark],
    /// Subject's entity configuration, subordinate statements, anchor's entity configuration.
    pub chain: &'a [String],
    /// The smallest `exp` of the chain.
    pub expires_at: UtcTime,
    /// `typ` of the draft instead of the final one.
    pub draft_typ: bool,
}

/// A signed resolve answer.
///
/// # Errors
/// Signing failed.
pub fn resolve_response(
    input: &ResolveResponseInput<'_>,
    issued_at: UtcTime,
    key: SigningKey<'_>,
) -> Result<String, JoseError> {
    let live = |mark: &&ValidMark| mark.expires_at.is_none_or(|end| issued_at < end);
    let marks: Vec<(String, String)> = input
        .trust_marks
        .iter()
        .filter(live)
        .map(|mark| (mark.mark_type.clone(), mark.jwt.clone()))
        .collect();
    let members = [
        ("iss", json!(input.issuer)),
        ("sub", json!(input.subject)),
        ("iat", json!(issued_at)),
        ("exp", json!(input.expires_at)),
        ("metadata", json!(input.metadata)),
        ("trust_marks", trust_mark_list(&marks)),
        ("trust_chain", json!(input.chain)),
    ];
    let claims = members.into_iter().map(|(name, value)| (name.to_owned(), value));
    let typ = if input.draft_typ { ENTITY_STATEMENT_TYPE } else { RESOLVE_RESPONSE_TYPE };
    key.sign(typ, &claims.collect())
}
