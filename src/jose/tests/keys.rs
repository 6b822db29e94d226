//! Key sets with keys that cannot be used among them.

use super::*;

fn jwk(change: impl FnOnce(&mut Value)) -> Value {
    let mut jwk = KEYS.rsa.public_jwk(KeyUse::Signature, Some("RS256"));
    change(&mut jwk);
    jwk
}

fn reason(jwk: &Value) -> &'static str {
    let set = KeySet::from_json(&json!({ "keys": [jwk] })).unwrap();
    assert_eq!(set.keys().len(), 0);
    set.skipped()[0].reason
}

#[test]
fn keys_that_are_not_understood_hide_no_other() {
    let document = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "eddsa"},
        {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ", "kid": "mac"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k1"},
        jwk(|jwk| jwk["kid"] = json!(7)),
        {}, null, "text", 1, [],
        jwk(|jwk| { jwk["kid"] = json!("good"); jwk["x5c"] = json!(["AA=="]); jwk["key_ops"] = json!(7); }),
    ]});
    let keys = KeySet::from_slice(document.to_string().as_bytes()).unwrap();
    assert_eq!(keys.keys().len(), 1);
    assert!(keys.find("good").is_some());
    assert_eq!(keys.skipped().len(), 9);
    assert_eq!(
        keys.skipped()[1],
        SkippedKey {
            kid: Some("mac".into()),
            reason: "it has private members"
        }
    );
    assert_eq!(keys.skipped()[3].reason, "kid is not a string");
}

#[test]
fn unsuitable_keys_are_refused_with_their_reason() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert_eq!(
            reason(&jwk(|jwk| jwk[member] = json!("AA"))),
            "it has private members"
        );
    }
    assert_eq!(
        reason(&jwk(|jwk| jwk["use"] = json!("tls"))),
        "use is neither sig nor enc"
    );
    assert_eq!(
        reason(&jwk(|jwk| jwk["alg"] = json!(1))),
        "alg is not a string"
    );
    let short = encode_base64url(&[0xff; 128]);
    assert_eq!(
        reason(&jwk(|jwk| jwk["n"] = json!(short))),
        "an RSA key of fewer than 2048 or more than 8192 bits"
    );
    let long = encode_base64url(&[0xff; 1025]);
    assert_eq!(
        reason(&jwk(|jwk| jwk["n"] = json!(long))),
        "an RSA key of fewer than 2048 or more than 8192 bits"
    );
    let endless = "_".repeat(100_000);
    assert_eq!(
        reason(&jwk(|jwk| jwk["n"] = json!(endless))),
        "a member of the key is missing or too long"
    );
    let even = encode_base64url(&[0xfe; 256]);
    assert_eq!(
        reason(&jwk(|jwk| jwk["n"] = json!(even))),
        "an even RSA modulus"
    );
    for exponent in ["AQ", "Ag", "", "AA", "AQAA", "____________"] {
        let found = reason(&jwk(|jwk| jwk["e"] = json!(exponent)));
        assert!(
            found.contains("exponent") || found.contains("base64url"),
            "{exponent}: {found}"
        );
    }
    for n in ["=", "+/+/", "a b", ""] {
        let _ = reason(&jwk(|jwk| jwk["n"] = json!(n)));
    }
}

#[test]
fn points_must_be_on_the_curve_and_of_full_length() {
    for key in [&KEYS.p256, &KEYS.p384, &KEYS.p521] {
        let good = key.public().to_jwk();
        assert!(PublicKey::from_jwk(&good).is_ok());
        let x = decode_base64url(good["x"].as_str().unwrap(), "x").unwrap();
        let with_x = |x: &[u8]| {
            let mut changed = good.clone();
            changed["x"] = json!(encode_base64url(x));
            changed
        };
        assert_eq!(
            reason(&with_x(&x[1..])),
            "a coordinate that has not the curve's length"
        );
        assert_eq!(
            reason(&with_x(&[&[0], &x[..]].concat())),
            "a coordinate that has not the curve's length"
        );
        assert_eq!(
            reason(&with_x(&vec![0; x.len()])),
            "a point that is not on the curve"
        );
        assert_eq!(
            reason(&with_x(&vec![0xff; x.len()])),
            "a point that is not on the curve"
        );
    }
}

#[test]
fn key_sets_are_bounded_and_must_be_key_sets() {
    let many: Vec<Value> = (0..40)
        .map(|number| jwk(|jwk| jwk["kid"] = json!(number.to_string())))
        .collect();
    let keys = KeySet::from_json(&json!({ "keys": many })).unwrap();
    assert_eq!((keys.keys().len(), keys.skipped().len()), (32, 1));
    for document in ["{}", "[]", "null", r#"{"keys":{}}"#, r#"{"keys":null}"#] {
        assert!(
            KeySet::from_slice(document.as_bytes()).is_err(),
            "{document}"
        );
    }
    assert_eq!(
        KeySet::from_slice(br#"{"keys":[]}"#).unwrap().keys().len(),
        0
    );
    assert!(matches!(
        KeySet::from_slice(br#"{"keys":[],"keys":[]}"#),
        Err(JoseError::DuplicateMember(_))
    ));
    assert!(matches!(
        KeySet::from_slice(&vec![b' '; 300 * 1024]),
        Err(JoseError::TooLarge { .. })
    ));
}

#[test]
fn the_encryption_key_is_the_one_meant_for_it() {
    let rsa = KEYS.rsa.public();
    let other = KEYS.other_rsa.public();
    let ec = KEYS.p256.public();
    let set = KeySet::from_keys(vec![
        rsa.described(Some("sig"), Some(KeyUse::Signature), None),
        rsa.described(Some("any"), None, None),
        other.described(
            Some("enc256"),
            Some(KeyUse::Encryption),
            Some("RSA-OAEP-256"),
        ),
        ec.described(Some("ec"), None, None),
    ]);
    let kid = |algorithm| set.encryption_key(algorithm).and_then(PublicKey::kid);
    assert_eq!(kid(KeyManagementAlgorithm::RsaOaep256), Some("enc256"));
    assert_eq!(kid(KeyManagementAlgorithm::RsaOaep), Some("any"));
    assert_eq!(kid(KeyManagementAlgorithm::EcdhEsA256Kw), Some("ec"));
    assert_eq!(set.signing_keys().count(), 3);
    let header = EncryptHeader {
        alg: KeyManagementAlgorithm::RsaOaep,
        enc: ContentEncryption::A128Gcm,
        cty: None,
        typ: None,
    };
    for unfit in [&set.keys()[0], &set.keys()[2], &set.keys()[3]] {
        assert!(matches!(
            encrypt(&header, unfit, b""),
            Err(JoseError::UnsuitableKey { .. })
        ));
    }
}

#[test]
fn unsuitable_private_keys_are_refused() {
    assert!(PrivateKey::generate(KeyKind::Rsa(1024)).is_err());
    assert!(PrivateKey::from_pkcs8_der(b"nonsense").is_err());
    let weak = openssl::rsa::Rsa::generate(1024)
        .and_then(openssl::pkey::PKey::from_rsa)
        .and_then(|key| key.private_key_to_pkcs8())
        .unwrap();
    assert!(PrivateKey::from_pkcs8_der(&weak).is_err());
    let ed25519 = openssl::pkey::PKey::generate_ed25519()
        .and_then(|key| key.private_key_to_pkcs8())
        .unwrap();
    assert!(PrivateKey::from_pkcs8_der(&ed25519).is_err());
    let mut foreign = KEYS.p256.public().to_jwk();
    foreign["d"] = json!(encode_base64url(&[1; 32]));
    assert!(PrivateKey::from_jwk(&foreign).is_err());
    assert!(PrivateKey::from_jwk(&json!({"kty": "oct", "k": "AA"})).is_err());
}

#[test]
fn kinds_have_names() {
    for kind in [
        KeyKind::Rsa(4096),
        KeyKind::P256,
        KeyKind::P384,
        KeyKind::P521,
    ] {
        assert_eq!(KeyKind::parse(&kind.to_string()), Some(kind));
    }
    for text in ["RSA-1024", "RSA-99999999999", "RSA-", "rsa", "P-512", ""] {
        assert_eq!(KeyKind::parse(text), None);
    }
}
