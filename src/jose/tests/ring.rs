//! The key ring and sealing.

use super::*;

fn ring_key(private: &PrivateKey, usage: KeyUse, state: KeyState, created_at: i64) -> RingKey {
    RingKey {
        private: private.clone(),
        usage,
        state,
        created_at: UtcTime(created_at),
        activates_at: (state == KeyState::Next).then(|| NOW.plus_seconds(100)),
        retires_at: (state == KeyState::Retired).then(|| NOW.plus_seconds(50)),
    }
}

fn kids(document: &Value) -> Vec<&str> {
    let keys = document["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap())
        .collect()
}

#[test]
fn each_state_has_its_part() {
    let keys = &*KEYS;
    let all = vec![
        ring_key(&keys.rsa, KeyUse::Signature, KeyState::Retired, 1),
        ring_key(&keys.other_rsa, KeyUse::Signature, KeyState::Current, 2),
        ring_key(&keys.p256, KeyUse::Signature, KeyState::Next, 3),
        ring_key(&keys.p384, KeyUse::Encryption, KeyState::Retired, 1),
        ring_key(&keys.p521, KeyUse::Encryption, KeyState::Current, 2),
    ];
    let ring = Ring::new(all.clone(), NOW);
    assert_eq!(
        ring.signing_key(SignatureAlgorithm::Ps512)
            .map(PrivateKey::kid),
        Some(keys.other_rsa.kid())
    );
    assert!(ring.signing_key(SignatureAlgorithm::Es256).is_none());
    assert!(ring.signing_key(SignatureAlgorithm::Es512).is_none());
    assert_eq!(
        kids(ring.published_jwks()),
        [
            keys.p256.kid(),
            keys.other_rsa.kid(),
            keys.p521.kid(),
            keys.rsa.kid()
        ]
    );
    assert_eq!(ring.verification_keys().keys().len(), 3);
    let decrypting: Vec<_> = ring
        .decryption_keys()
        .iter()
        .map(|key| key.kid().to_owned())
        .collect();
    assert_eq!(decrypting, [keys.p521.kid(), keys.p384.kid()]);
    assert_eq!(ring.next_change(), Some(NOW.plus_seconds(50)));

    let later = Ring::new(all, NOW.plus_seconds(50));
    assert_eq!(later.verification_keys().keys().len(), 2);
    assert_eq!(later.decryption_keys().len(), 1);
    assert_eq!(later.next_change(), Some(NOW.plus_seconds(100)));
}

#[test]
fn published_keys_state_use_and_the_algorithm_only_where_there_is_one() {
    let keys = &*KEYS;
    let ring = Ring::new(
        vec![
            ring_key(&keys.rsa, KeyUse::Signature, KeyState::Current, 3),
            ring_key(&keys.p521, KeyUse::Signature, KeyState::Current, 2),
            ring_key(&keys.p256, KeyUse::Encryption, KeyState::Current, 1),
        ],
        NOW,
    );
    let published = ring.published_jwks()["keys"].clone();
    let facts = |index: usize| {
        (
            published[index]["use"].as_str(),
            published[index]["alg"].as_str(),
        )
    };
    assert_eq!(facts(0), (Some("sig"), None));
    assert_eq!(facts(1), (Some("sig"), Some("ES512")));
    assert_eq!(facts(2), (Some("enc"), None));
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(
            !ring
                .published_jwks()
                .to_string()
                .contains(&format!("\"{member}\":"))
        );
    }
    // What relying parties read is what they need, for every algorithm of the key.
    let read = KeySet::from_json(ring.published_jwks()).unwrap();
    for algorithm in [
        SignatureAlgorithm::Rs256,
        SignatureAlgorithm::Ps512,
        SignatureAlgorithm::Es512,
    ] {
        let key = ring.signing_key(algorithm).unwrap();
        let header = SignHeader {
            alg: algorithm,
            typ: None,
            cty: None,
            kid: key.kid(),
            extra: None,
        };
        let token = sign(&header, &good_claims(), key).unwrap();
        assert!(
            verify_token(&token, &read, &expectations()).is_ok(),
            "{algorithm}"
        );
    }
}

#[test]
fn a_new_ring_has_a_key_for_every_recommended_algorithm() {
    let kinds = Ring::generate_kinds(RingName::Protocol);
    for algorithm in ["RS256", "RS512", "PS256", "PS512", "ES256", "ES512"] {
        let algorithm = SignatureAlgorithm::parse(algorithm).unwrap();
        assert!(
            kinds
                .iter()
                .any(|(kind, usage)| *usage == KeyUse::Signature
                    && signature::fits(algorithm, *kind)),
            "SPID/CIE AL-1: {algorithm}"
        );
    }
    for algorithm in KeyManagementAlgorithm::ALL {
        assert!(
            kinds
                .iter()
                .any(|(kind, usage)| *usage == KeyUse::Encryption
                    && kind.is_rsa() == algorithm.is_rsa()),
            "SPID/CIE AL-2: {algorithm}"
        );
    }
    for (kind, _) in Ring::generate_kinds(RingName::Federation) {
        assert!(kind.bits() >= 4096, "SPID/CIE AL-5");
    }
}

#[test]
fn stored_names_parse_to_what_they_print() {
    for state in [KeyState::Next, KeyState::Current, KeyState::Retired] {
        assert_eq!(KeyState::parse(state.as_str()), Some(state));
    }
    for name in [RingName::Protocol, RingName::Federation] {
        assert_eq!(RingName::parse(name.as_str()), Some(name));
    }
    for usage in [KeyUse::Signature, KeyUse::Encryption] {
        assert_eq!(KeyUse::parse(usage.as_str()), Some(usage));
    }
}

#[test]
fn sealed_values_open_only_with_their_key_and_place() {
    let key = KeyEncryptionKey::generate();
    let sealed = key.seal(b"private", b"key_ring/1").unwrap();
    assert_eq!(sealed.len(), 7 + 29);
    assert_ne!(sealed, key.seal(b"private", b"key_ring/1").unwrap());
    assert_eq!(
        key.open(&sealed, b"key_ring/1").unwrap().expose(),
        b"private"
    );
    let refused = |key: &KeyEncryptionKey, sealed: &[u8], place: &[u8]| {
        assert_eq!(key.open(sealed, place).unwrap_err(), JoseError::Decryption);
    };
    refused(&key, &sealed, b"key_ring/2");
    refused(&KeyEncryptionKey::generate(), &sealed, b"key_ring/1");
    for position in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[position] ^= 1;
        refused(&key, &damaged, b"key_ring/1");
        refused(&key, &sealed[..position], b"key_ring/1");
    }
    assert_eq!(
        key.open(&key.seal(b"", b"").unwrap(), b"")
            .unwrap()
            .expose(),
        b""
    );
}

#[test]
fn key_encryption_keys_are_read_in_both_spellings() {
    let key = KeyEncryptionKey::generate();
    let sealed = key.seal(b"x", b"").unwrap();
    let bytes = decode_base64url(key.to_text().expose(), "key").unwrap();
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    for text in [
        key.to_text().expose().clone(),
        format!("  {}\n", key.to_text().expose()),
        hex.clone(),
        hex.to_ascii_uppercase(),
    ] {
        assert!(
            KeyEncryptionKey::parse(&text)
                .unwrap()
                .open(&sealed, b"")
                .is_ok()
        );
    }
    for text in [
        "",
        "00",
        &hex[1..],
        &hex[2..],
        &format!("{hex}00"),
        &"g".repeat(64),
        &"A".repeat(42),
    ] {
        assert!(KeyEncryptionKey::parse(text).is_err(), "{text}");
    }
    assert_eq!(format!("{key:?}"), "KeyEncryptionKey(Secret(…))");
}
