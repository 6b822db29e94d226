//! Tests of the module as its users see it: vectors, round trips, attacks.

mod attacks;
mod attacks_encrypted;
mod claims;
mod keys;
mod mutations;
mod ring;
mod round_trips;
mod vectors;

use super::*;
use crate::clock::UtcTime;
use serde_json::{Value, json};
use std::sync::LazyLock;

pub(super) const NOW: UtcTime = UtcTime(1_789_000_000);
pub(super) const MAX_BYTES: usize = 64 * 1024;

pub(super) struct TestKeys {
    pub rsa: PrivateKey,
    pub other_rsa: PrivateKey,
    pub p256: PrivateKey,
    pub p384: PrivateKey,
    pub p521: PrivateKey,
}

/// Made once: an RSA key takes a while.
pub(super) static KEYS: LazyLock<TestKeys> = LazyLock::new(|| TestKeys {
    rsa: PrivateKey::generate(KeyKind::Rsa(2048)).unwrap(),
    other_rsa: PrivateKey::generate(KeyKind::Rsa(2048)).unwrap(),
    p256: PrivateKey::generate(KeyKind::P256).unwrap(),
    p384: PrivateKey::generate(KeyKind::P384).unwrap(),
    p521: PrivateKey::generate(KeyKind::P521).unwrap(),
});

/// A key that can sign so.
pub(super) fn key_for(algorithm: SignatureAlgorithm) -> &'static PrivateKey {
    let keys = &*KEYS;
    [&keys.rsa, &keys.p256, &keys.p384, &keys.p521]
        .into_iter()
        .find(|key| key.supports(algorithm))
        .unwrap()
}

pub(super) fn public_set(keys: &[&PrivateKey]) -> KeySet {
    KeySet::from_keys(keys.iter().map(|key| key.public()).collect())
}

pub(super) fn good_claims() -> Value {
    json!({
        "iss": "https://rp.example", "sub": "https://rp.example", "aud": ["https://op.example", "https://op.example/token"],
        "iat": NOW.0 - 10, "exp": NOW.0 + 60, "jti": "one",
    })
}

pub(super) fn expectations() -> Expectations<'static> {
    Expectations {
        kind: "client_assertion",
        typ: TypRule::Any,
        algorithms: SignatureAlgorithm::ALL,
        kid_required: true,
        issuer: Some("https://rp.example"),
        subject: Some("https://rp.example"),
        audience: Some(&["https://op.example/token"]),
        now: NOW,
        leeway_seconds: 5,
        expiry: ExpiryRule::Required,
        issued_at: IssuedAtRule::Required,
        max_lifetime_seconds: Some(300),
    }
}

/// Signs any header and payload, also wrong ones.
pub(super) fn sign_raw(
    header: &str,
    payload: &str,
    algorithm: SignatureAlgorithm,
    key: &PrivateKey,
) -> String {
    let input = format!(
        "{}.{}",
        encode_base64url(header.as_bytes()),
        encode_base64url(payload.as_bytes())
    );
    let signature = signature::create(algorithm, key.key(), input.as_bytes()).unwrap();
    format!("{input}.{}", encode_base64url(&signature))
}

pub(super) fn sign_claims(claims: &Value, key: &PrivateKey) -> String {
    let header = SignHeader {
        alg: key.default_signature_algorithm(),
        typ: Some("JWT"),
        cty: None,
        kid: key.kid(),
        extra: None,
    };
    sign(&header, claims, key).unwrap()
}

pub(super) fn verify_token(
    token: &str,
    keys: &KeySet,
    expected: &Expectations<'_>,
) -> Result<Verified<Value>, JoseError> {
    Unverified::parse(token, MAX_BYTES)?.verify(keys, expected)
}
