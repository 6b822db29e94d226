//! What attackers send encrypted, and what our answers must not tell them.

use super::*;

fn jwe(alg: KeyManagementAlgorithm, enc: ContentEncryption, key: &PrivateKey) -> Vec<String> {
    let header = EncryptHeader {
        alg,
        enc,
        cty: None,
        typ: None,
    };
    let token = encrypt(&header, &key.public(), b"secret").unwrap();
    token.split('.').map(str::to_owned).collect()
}

fn open(parts: &[String], key: &PrivateKey) -> Result<Decrypted, JoseError> {
    let (algs, encs) = (KeyManagementAlgorithm::ALL, ContentEncryption::ALL);
    decrypt(&parts.join("."), std::slice::from_ref(key), algs, encs)
}

#[test]
fn tags_and_initialisation_vectors_of_another_length_are_refused() {
    for enc in ContentEncryption::ALL {
        let good = jwe(KeyManagementAlgorithm::EcdhEs, *enc, &KEYS.p256);
        assert!(open(&good, &KEYS.p256).is_ok());
        for position in [2, 4] {
            let bytes = decode_base64url(&good[position], "part").unwrap();
            for length in 0..bytes.len() {
                let mut parts = good.clone();
                parts[position] = encode_base64url(&bytes[..length]);
                assert_eq!(
                    open(&parts, &KEYS.p256).unwrap_err(),
                    JoseError::Decryption,
                    "{enc} {length}"
                );
            }
            let mut parts = good.clone();
            parts[position] = encode_base64url(&[&bytes[..], &[0]].concat());
            assert_eq!(open(&parts, &KEYS.p256).unwrap_err(), JoseError::Decryption);
        }
    }
}

#[test]
fn all_failures_of_decryption_are_one_error() {
    for alg in KeyManagementAlgorithm::ALL {
        let (key, other) = if alg.is_rsa() {
            (&KEYS.rsa, &KEYS.other_rsa)
        } else {
            (&KEYS.p256, &KEYS.p384)
        };
        for enc in ContentEncryption::ALL {
            let good = jwe(*alg, *enc, key);
            assert_eq!(open(&good, other).unwrap_err(), JoseError::Decryption);
            assert_eq!(open(&good, &KEYS.p521).unwrap_err(), JoseError::Decryption);
            for position in 1..5 {
                let mut parts = good.clone();
                let mut bytes = decode_base64url(&parts[position], "part").unwrap();
                match bytes.first_mut() {
                    Some(byte) => *byte ^= 1,
                    None => bytes.push(1),
                }
                parts[position] = encode_base64url(&bytes);
                assert_eq!(
                    open(&parts, key).unwrap_err(),
                    JoseError::Decryption,
                    "{alg} {enc} {position}"
                );
            }
        }
    }
}

#[test]
fn an_ephemeral_point_off_the_curve_is_refused() {
    let good = jwe(
        KeyManagementAlgorithm::EcdhEs,
        ContentEncryption::A128Gcm,
        &KEYS.p256,
    );
    let header: Value =
        serde_json::from_slice(&decode_base64url(&good[0], "header").unwrap()).unwrap();
    let x = header["epk"]["x"].clone();
    let zeros = encode_base64url(&[0; 32]);
    let epks = [
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": x}),
        json!({"kty": "EC", "crv": "P-256", "x": zeros, "y": zeros}),
        json!({"kty": "EC", "crv": "P-256", "x": encode_base64url(&[0xff; 32]), "y": zeros}),
        json!({"kty": "EC", "crv": "P-256", "x": "", "y": ""}),
        KEYS.p384.public().to_jwk(),
        KEYS.rsa.public().to_jwk(),
        json!({}),
        json!("x"),
        json!(null),
    ];
    for epk in epks {
        let mut changed = header.clone();
        changed["epk"] = epk;
        let mut parts = good.clone();
        parts[0] = encode_base64url(changed.to_string().as_bytes());
        assert_eq!(
            open(&parts, &KEYS.p256).unwrap_err(),
            JoseError::Decryption,
            "{changed}"
        );
    }
}

#[test]
fn extensions_and_foreign_algorithms_of_encrypted_tokens_are_refused() {
    let good = jwe(
        KeyManagementAlgorithm::RsaOaep,
        ContentEncryption::A128Gcm,
        &KEYS.rsa,
    );
    let open_with_header = |header: &str| {
        let mut parts = good.clone();
        parts[0] = encode_base64url(header.as_bytes());
        open(&parts, &KEYS.rsa).unwrap_err()
    };
    let refuse =
        |extra: &str| open_with_header(&format!(r#"{{"alg":"RSA-OAEP","enc":"A128GCM"{extra}}}"#));
    assert_eq!(refuse(r#","zip":"DEF""#), JoseError::CriticalHeader("zip"));
    assert_eq!(
        refuse(r#","crit":["x"]"#),
        JoseError::CriticalHeader("crit")
    );
    assert_eq!(
        refuse(r#","alg":"RSA-OAEP""#),
        JoseError::DuplicateMember("alg".into())
    );
    for alg in ["RSA1_5", "dir", "PBES2-HS512+A256KW", "none"] {
        let header = format!(r#"{{"alg":"{alg}","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}}"#);
        assert_eq!(
            open_with_header(&header),
            JoseError::UnsupportedAlgorithm { found: alg.into() }
        );
    }
    let outcome = decrypt(
        &good.join("."),
        std::slice::from_ref(&KEYS.rsa),
        &[KeyManagementAlgorithm::EcdhEs],
        ContentEncryption::ALL,
    );
    assert!(matches!(
        outcome,
        Err(JoseError::AlgorithmNotAllowed { .. })
    ));
}
