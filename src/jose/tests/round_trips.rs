//! Every algorithm with itself.

use super::*;
use serde_json::Map;

#[test]
fn every_signature_algorithm_signs_and_verifies() {
    let keys = public_set(&[&KEYS.rsa, &KEYS.p256, &KEYS.p384, &KEYS.p521]);
    for algorithm in SignatureAlgorithm::ALL {
        let key = key_for(*algorithm);
        let header = SignHeader {
            alg: *algorithm,
            typ: Some("at+jwt"),
            cty: None,
            kid: key.kid(),
            extra: None,
        };
        let token = sign(&header, &good_claims(), key).unwrap();
        let verified = verify_token(&token, &keys, &expectations()).unwrap();
        assert_eq!(verified.claims(), &good_claims(), "{algorithm}");
        assert_eq!(verified.algorithm(), *algorithm);
        assert_eq!(
            (verified.kid(), verified.typ()),
            (Some(key.kid()), Some("at+jwt"))
        );
        assert_eq!(verified.expires_at(), Some(NOW.plus_seconds(60)));
        assert_eq!(verified.issued_at(), Some(NOW.plus_seconds(-10)));
    }
}

#[test]
fn every_pair_of_encryption_algorithms_encrypts_and_decrypts() {
    let ec_keys = [&KEYS.p256, &KEYS.p384, &KEYS.p521];
    for alg in KeyManagementAlgorithm::ALL {
        let keys = if alg.is_rsa() {
            &[&KEYS.rsa][..]
        } else {
            &ec_keys[..]
        };
        for (enc, key) in ContentEncryption::ALL
            .iter()
            .flat_map(|enc| keys.iter().map(move |key| (enc, *key)))
        {
            let header = EncryptHeader {
                alg: *alg,
                enc: *enc,
                cty: Some("JWT"),
                typ: None,
            };
            for plaintext in [&b""[..], b"a.b.c", &[7; 5000]] {
                let token = encrypt(&header, &key.public(), plaintext).unwrap();
                let decrypted = decrypt(
                    &token,
                    &[KEYS.other_rsa.clone(), key.clone()],
                    &[*alg],
                    &[*enc],
                )
                .unwrap();
                assert_eq!(decrypted.plaintext.as_slice(), plaintext, "{alg} {enc}");
                assert_eq!(decrypted.cty.as_deref(), Some("JWT"));
                assert_eq!((decrypted.algorithm, decrypted.encryption), (*alg, *enc));
            }
        }
    }
}

#[test]
fn a_token_to_a_kid_that_is_not_ours_is_tried_with_the_keys_that_fit() {
    for key in [&KEYS.rsa, &KEYS.p256] {
        let public = key
            .public()
            .described(Some("what the sender calls it"), None, None);
        let alg = if key.kind().is_rsa() {
            KeyManagementAlgorithm::RsaOaep256
        } else {
            KeyManagementAlgorithm::EcdhEs
        };
        let header = EncryptHeader {
            alg,
            enc: ContentEncryption::A256CbcHs512,
            cty: None,
            typ: None,
        };
        let token = encrypt(&header, &public, b"hello").unwrap();
        let ours = [
            KEYS.other_rsa.clone(),
            KEYS.p521.clone(),
            KEYS.p384.clone(),
            KEYS.rsa.clone(),
            KEYS.p256.clone(),
        ];
        let decrypted = decrypt(
            &token,
            &ours,
            KeyManagementAlgorithm::ALL,
            ContentEncryption::ALL,
        )
        .unwrap();
        assert_eq!(decrypted.plaintext.as_slice(), b"hello");
    }
}

#[test]
fn extra_header_members_follow_the_fixed_ones_and_cannot_replace_them() {
    let key = &KEYS.p256;
    let mut extra = Map::new();
    let mut replacing = Map::new();
    replacing.insert("alg".into(), json!("none"));
    extra.insert("trust_chain".into(), json!(["a.b.c", "d.e.f"]));
    let header = |extra| SignHeader {
        alg: SignatureAlgorithm::Es256,
        typ: Some("entity-statement+jwt"),
        cty: Some("JWT"),
        kid: "k",
        extra: Some(extra),
    };
    let token = sign(&header(&extra), &json!({}), key).unwrap();
    let parsed = Unverified::parse(&token, MAX_BYTES).unwrap();
    assert_eq!(
        parsed.header(),
        &Header {
            alg: "ES256".into(),
            kid: Some("k".into()),
            typ: Some("entity-statement+jwt".into()),
            cty: Some("JWT".into()),
            trust_chain: Some(vec!["a.b.c".into(), "d.e.f".into()]),
        }
    );
    assert!(sign(&header(&replacing), &json!({}), key).is_err());
}

#[test]
fn private_keys_survive_pkcs8() {
    for key in [&KEYS.rsa, &KEYS.p256, &KEYS.p384, &KEYS.p521] {
        let der = key.to_pkcs8_der().unwrap();
        let again = PrivateKey::from_pkcs8_der(der.expose()).unwrap();
        assert_eq!(again.kid(), key.kid());
        let token = sign_claims(&good_claims(), &again);
        assert!(verify_token(&token, &public_set(&[key]), &expectations()).is_ok());
    }
}

#[test]
fn debug_shows_no_key_material() {
    let shown = format!("{:?} {:?}", KEYS.p256, KEYS.p256.public());
    assert!(shown.contains(KEYS.p256.kid()));
    assert!(shown.len() < 300, "{shown}");
}
