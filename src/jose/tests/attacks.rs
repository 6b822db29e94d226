//! What attackers send: each defect known in other libraries, refused here.

use super::*;

fn refusal(token: &str, keys: &KeySet) -> JoseError {
    verify_token(token, keys, &expectations()).unwrap_err()
}

fn rsa_header(extra: &str) -> String {
    format!(r#"{{"alg":"RS256","kid":"{}"{extra}}}"#, KEYS.rsa.kid())
}

#[test]
fn a_token_without_signature_is_refused() {
    let keys = public_set(&[&KEYS.rsa]);
    let payload = encode_base64url(good_claims().to_string().as_bytes());
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header =
            encode_base64url(format!(r#"{{"alg":"{alg}","kid":"{}"}}"#, KEYS.rsa.kid()).as_bytes());
        assert_eq!(
            refusal(&format!("{header}.{payload}."), &keys),
            JoseError::UnsupportedAlgorithm { found: alg.into() }
        );
    }
    let header = encode_base64url(rsa_header("").as_bytes());
    assert_eq!(
        refusal(&format!("{header}.{payload}."), &keys),
        JoseError::SignatureMismatch
    );
}

#[test]
fn a_mac_with_the_public_key_as_secret_is_refused() {
    let keys = public_set(&[&KEYS.rsa]);
    let header = rsa_header("").replace("RS256", "HS256");
    let input = format!(
        "{}.{}",
        encode_base64url(header.as_bytes()),
        encode_base64url(good_claims().to_string().as_bytes())
    );
    let pem = KEYS.rsa.public().key().public_key_to_pem().unwrap();
    let secret = openssl::pkey::PKey::hmac(&pem).unwrap();
    let mac = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &secret)
        .and_then(|mut signer| signer.sign_oneshot_to_vec(input.as_bytes()))
        .unwrap();
    assert_eq!(
        refusal(&format!("{input}.{}", encode_base64url(&mac)), &keys),
        JoseError::UnsupportedAlgorithm {
            found: "HS256".into()
        }
    );
}

#[test]
fn an_algorithm_that_does_not_fit_the_key_is_refused() {
    let all = [&KEYS.rsa, &KEYS.p256, &KEYS.p384, &KEYS.p521];
    let keys = public_set(&all);
    for key in all {
        let payload = good_claims().to_string();
        let own = key.default_signature_algorithm();
        for algorithm in SignatureAlgorithm::ALL
            .iter()
            .filter(|algorithm| !key.supports(**algorithm))
        {
            let header = format!(r#"{{"alg":"{algorithm}","kid":"{}"}}"#, key.kid());
            let token = sign_raw(&header, &payload, own, key);
            assert!(
                matches!(refusal(&token, &keys), JoseError::UnsuitableKey { .. }),
                "{algorithm}"
            );
            let header = SignHeader {
                alg: *algorithm,
                typ: None,
                cty: None,
                kid: "k",
                extra: None,
            };
            assert!(matches!(
                sign(&header, &json!({}), key),
                Err(JoseError::UnsuitableKey { .. })
            ));
        }
    }
    let only = Expectations {
        algorithms: &[SignatureAlgorithm::Es256],
        ..expectations()
    };
    let token = sign_claims(&good_claims(), &KEYS.rsa);
    assert_eq!(
        verify_token(&token, &keys, &only).unwrap_err().to_string(),
        "algorithm RS256 is not accepted here, expected ES256"
    );
}

#[test]
fn what_the_key_says_of_itself_is_respected() {
    let token = sign_claims(&good_claims(), &KEYS.rsa);
    let kid = Some(KEYS.rsa.kid());
    let public = KEYS.rsa.public();
    let verify_with = |key: PublicKey| {
        verify_token(&token, &KeySet::from_keys(vec![key]), &expectations()).map(|_| ())
    };
    assert_eq!(
        verify_with(public.described(kid, Some(KeyUse::Signature), Some("RS256"))),
        Ok(())
    );
    for key in [
        public.described(kid, Some(KeyUse::Encryption), None),
        public.described(kid, None, Some("PS256")),
        public.described(kid, None, Some("RSA-OAEP")),
        public.described(kid, None, Some("invented")),
    ] {
        assert!(matches!(
            verify_with(key),
            Err(JoseError::UnsuitableKey { .. })
        ));
    }
    assert_eq!(
        verify_with(KEYS.other_rsa.public().described(kid, None, None)),
        Err(JoseError::SignatureMismatch)
    );
}

#[test]
fn without_kid_only_an_unambiguous_key_is_used() {
    let token = sign_raw(
        r#"{"alg":"RS256"}"#,
        &good_claims().to_string(),
        SignatureAlgorithm::Rs256,
        &KEYS.rsa,
    );
    let lenient = Expectations {
        kid_required: false,
        ..expectations()
    };
    let one = public_set(&[&KEYS.rsa, &KEYS.p256]);
    let two = public_set(&[&KEYS.rsa, &KEYS.other_rsa]);
    assert!(verify_token(&token, &one, &lenient).is_ok());
    assert_eq!(refusal(&token, &one), JoseError::MissingHeader("kid"));
    assert_eq!(
        verify_token(&token, &two, &lenient).unwrap_err(),
        JoseError::AmbiguousKey { suitable: 2 }
    );
    assert_eq!(
        verify_token(&token, &KeySet::default(), &lenient).unwrap_err(),
        JoseError::AmbiguousKey { suitable: 0 }
    );
}

#[test]
fn extensions_are_refused_and_keys_in_the_header_are_ignored() {
    let keys = public_set(&[&KEYS.rsa]);
    let claims = good_claims().to_string();
    let token = |extra: &str| {
        sign_raw(
            &rsa_header(extra),
            &claims,
            SignatureAlgorithm::Rs256,
            &KEYS.rsa,
        )
    };
    for (name, extra) in [
        ("crit", r#","crit":["exp"],"exp":1"#),
        ("crit", r#","crit":[]"#),
        ("crit", r#","crit":null"#),
        ("b64", r#","b64":true"#),
        ("zip", r#","zip":"DEF""#),
    ] {
        assert_eq!(
            refusal(&token(extra), &keys),
            JoseError::CriticalHeader(name),
            "{extra}"
        );
    }
    // Signed with the attacker's key, which the header brings along.
    let jwk = KEYS.other_rsa.public_jwk(KeyUse::Signature, None);
    let header = rsa_header(&format!(
        r#","jwk":{jwk},"jku":"https://evil.example","x5c":["AA=="],"x5u":"https://evil.example""#
    ));
    let forged = sign_raw(&header, &claims, SignatureAlgorithm::Rs256, &KEYS.other_rsa);
    assert_eq!(refusal(&forged, &keys), JoseError::SignatureMismatch);
    let honest = sign_raw(&header, &claims, SignatureAlgorithm::Rs256, &KEYS.rsa);
    assert!(verify_token(&honest, &keys, &expectations()).is_ok());
}

#[test]
fn two_readings_of_one_token_are_refused() {
    let keys = public_set(&[&KEYS.rsa]);
    let claims = good_claims().to_string();
    let alg = SignatureAlgorithm::Rs256;
    let token = sign_raw(&rsa_header(r#","alg":"none""#), &claims, alg, &KEYS.rsa);
    assert_eq!(
        refusal(&token, &keys),
        JoseError::DuplicateMember("alg".into())
    );
    let doubled = claims.replacen('{', r#"{"iss":"https://evil.example","#, 1);
    let token = sign_raw(&rsa_header(""), &doubled, alg, &KEYS.rsa);
    assert_eq!(
        refusal(&token, &keys),
        JoseError::DuplicateMember("iss".into())
    );
    let parsed = Unverified::parse(&token, MAX_BYTES).unwrap();
    assert!(parsed.unverified_claims::<Value>().is_err());
}

#[test]
fn size_and_nesting_are_bounded() {
    let keys = public_set(&[&KEYS.rsa]);
    let alg = SignatureAlgorithm::Rs256;
    let deep = format!(r#","x":{}{}"#, "[".repeat(5000), "]".repeat(5000));
    let token = sign_raw(&rsa_header(&deep), "{}", alg, &KEYS.rsa);
    assert_eq!(refusal(&token, &keys), JoseError::TooDeep { limit: 32 });
    let token = sign_raw(
        &rsa_header(""),
        &format!(r#"{{"a":1{deep}}}"#),
        alg,
        &KEYS.rsa,
    );
    assert_eq!(refusal(&token, &keys), JoseError::TooDeep { limit: 32 });
    let huge = format!(r#","x":"{}""#, "a".repeat(MAX_BYTES));
    let token = sign_raw(&rsa_header(&huge), "{}", alg, &KEYS.rsa);
    assert!(matches!(
        refusal(&token, &keys),
        JoseError::TooLarge {
            limit: MAX_BYTES,
            ..
        }
    ));
    let jwe = "a".repeat(crate::jose::decrypt::MAX_ENCRYPTED_BYTES + 1);
    let outcome = decrypt(
        &jwe,
        &[],
        KeyManagementAlgorithm::ALL,
        ContentEncryption::ALL,
    );
    assert!(matches!(outcome, Err(JoseError::TooLarge { .. })));
}

#[test]
fn what_is_no_compact_serialization_is_refused() {
    let keys = public_set(&[&KEYS.rsa]);
    let good = sign_claims(&good_claims(), &KEYS.rsa);
    for (token, parts) in [
        ("", 1),
        ("a", 1),
        ("a.b", 2),
        ("a.b.c.d", 4),
        ("a.b.c.d.e", 5),
        ("a.b.c.d.e.f.g.h.i", 7),
    ] {
        assert_eq!(
            refusal(token, &keys),
            JoseError::WrongPartCount {
                expected: 3,
                found: parts
            }
        );
    }
    for token in [
        format!("{good}="),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}\n"),
        good.replace('.', ".="),
        "è.è.è".to_owned(),
    ] {
        assert!(
            matches!(refusal(&token, &keys), JoseError::NotBase64Url(_)),
            "{token}"
        );
    }
    for header in ["", "[]", "1", "null", r#""RS256""#, "{"] {
        let token = sign_raw(header, "{}", SignatureAlgorithm::Rs256, &KEYS.rsa);
        assert!(
            matches!(refusal(&token, &keys), JoseError::MalformedJson(_)),
            "{header}"
        );
    }
    for (header, message) in [
        ("{}", "header alg is missing"),
        (r#"{"alg":1}"#, "header alg is not a string"),
        (r#"{"alg":"RS256","kid":1}"#, "header kid is not a string"),
        (
            r#"{"alg":"RS256","typ":null}"#,
            "header typ is not a string",
        ),
        (
            r#"{"alg":"RS256","trust_chain":["a",1]}"#,
            "header trust_chain is not an array of strings",
        ),
    ] {
        let token = sign_raw(header, "{}", SignatureAlgorithm::Rs256, &KEYS.rsa);
        assert_eq!(refusal(&token, &keys).to_string(), message);
    }
    for payload in ["", "[]", "1", "\u{feff}{}"] {
        let token = sign_raw(
            &rsa_header(""),
            payload,
            SignatureAlgorithm::Rs256,
            &KEYS.rsa,
        );
        assert!(
            matches!(refusal(&token, &keys), JoseError::MalformedJson(_)),
            "{payload}"
        );
    }
}

#[test]
fn ecdsa_signatures_of_another_form_are_refused() {
    let key = &KEYS.p256;
    let keys = public_set(&[key]);
    let good = sign_claims(&good_claims(), key);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let raw = decode_base64url(signature, "signature").unwrap();
    let der = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), key.key())
        .and_then(|mut signer| signer.sign_oneshot_to_vec(input.as_bytes()))
        .unwrap();
    let forms = [
        der,
        vec![],
        vec![0; 64],
        vec![0xff; 64],
        raw[..63].to_vec(),
        raw[..32].to_vec(),
        [&raw[..], &[0]].concat(),
        [&[0], &raw[..]].concat(),
    ];
    for form in forms {
        let token = format!("{input}.{}", encode_base64url(&form));
        assert_eq!(refusal(&token, &keys), JoseError::SignatureMismatch);
    }
}
