//! What an issuer's documents say, as anybody gets them.

use super::super::PublishedView;
use crate::clock::UtcTime;
use crate::jose::shown;
use crate::oauth::documents::document;
use crate::profile::Path;
use crate::provider::Provider;
use serde_json::{Value, json};

/// Larger ones are not decoded.
const MOST_BYTES: usize = 256 * 1024;

const DOCUMENTS: [(&str, Path); 5] = [
    ("entity", Path::EntityConfiguration),
    ("discovery", Path::OpenidConfiguration),
    ("jwks", Path::Jwks),
    ("signed_jwks", Path::SignedJwks),
    ("historical", Path::HistoricalKeys),
];

/// Every document of the issuer.
pub(super) fn all(op: &Provider) -> Vec<PublishedView> {
    DOCUMENTS
        .into_iter()
        .map(|(name, path)| one(op, name, path))
        .collect()
}

/// One of them.
pub(super) fn one(op: &Provider, name: &'static str, path: Path) -> PublishedView {
    let body = op
        .offers(path)
        .then(|| document(op, path).ok())
        .flatten()
        .and_then(|document| String::from_utf8(document.body.to_vec()).ok());
    let (header, claims) = match body.as_deref() {
        None => (Value::Null, Value::Null),
        Some(json) if json.starts_with('{') => {
            (Value::Null, serde_json::from_str(json).unwrap_or_default())
        }
        Some(token) => shown(token.trim(), MOST_BYTES),
    };
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(UtcTime);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let keys = claims
        .get("keys")
        .or_else(|| claims.get("jwks").and_then(|jwks| jwks.get("keys")));
    let decoded = match &header {
        Value::Null => claims.clone(),
        header => json!({ "header": header, "claims": claims }),
    };
    PublishedView {
        name,
        url: op.url(path),
        missing: body.is_none(),
        kid: header.get("kid").and_then(text),
        issued_at: time("iat"),
        expires_at: time("exp"),
        kids: keys
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|key| key.get("kid").and_then(text))
            .collect(),
        json: format!("{decoded:#}"),
    }
}
