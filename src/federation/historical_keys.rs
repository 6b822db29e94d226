//! Keys that are no longer used, so that old documents can still be verified (OpenID Federation 1.0 §8.7, SPID/CIE FE-11).

use super::entity_configuration::{JWK_SET_TYPE, SigningKey};
use super::entity_id::EntityId;
use crate::clock::UtcTime;
use crate::jose::JoseError;
use serde_json::{Map, Value, json};

/// A federation key of the past.
#[derive(Clone, Debug)]
pub struct HistoricalKey {
    /// Its public JWK, with `kid`.
    pub jwk: Value,
    /// When it was made, if that is known.
    pub issued_at: Option<UtcTime>,
    /// When it ended.
    pub expires_at: UtcTime,
    /// When and why it was revoked: `unspecified`, `compromised` or `superseded`.
    pub revoked: Option<(UtcTime, String)>,
}

/// The signed list of historical keys.
///
/// # Errors
/// Signing failed.
pub fn historical_keys(
    issuer: &EntityId,
    keys: &[HistoricalKey],
    issued_at: UtcTime,
    key: SigningKey<'_>,
) -> Result<String, JoseError> {
    let listed: Vec<Value> = keys.iter().map(HistoricalKey::to_json).collect();
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), json!(issuer));
    claims.insert("iat".to_owned(), json!(issued_at));
    claims.insert("keys".to_owned(), listed.into());
    key.sign(JWK_SET_TYPE, &claims)
}

impl HistoricalKey {
    fn to_json(&self) -> Value {
        let mut jwk = self.jwk.clone();
        if let Value::Object(members) = &mut jwk {
            members.insert("exp".to_owned(), json!(self.expires_at));
            if let Some(issued_at) = self.issued_at {
                members.insert("iat".to_owned(), json!(issued_at));
            }
            if let Some((revoked_at, reason)) = &self.revoked {
                let revoked = json!({"revoked_at": revoked_at, "reason": reason});
                members.insert("revoked".to_owned(), revoked);
            }
        }
        jwk
    }
}
