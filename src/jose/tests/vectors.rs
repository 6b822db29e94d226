//! The examples of RFC 7515, 7516, 7517, 7518, 7520 and 7638.

use super::*;
use crate::jose::content::{self, Envelope};
use crate::jose::key_agreement::{self, PartyInfo};
use data_encoding::HEXLOWER;

static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../tests/vectors/jose.json")).unwrap()
});

fn vectors(kind: &str) -> &'static [Value] {
    VECTORS[kind].as_array().unwrap()
}

fn key_of(vector: &Value) -> PrivateKey {
    let jwk = match vector["key"].as_str() {
        Some(name) => &vectors("signed")
            .iter()
            .find(|other| other["name"] == name)
            .unwrap()["key"],
        None => &vector["key"],
    };
    PrivateKey::from_jwk(jwk).unwrap()
}

fn text<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector[member].as_str().unwrap()
}

#[test]
fn the_signatures_of_the_rfcs_verify() {
    assert_eq!(vectors("signed").len(), 6);
    for vector in vectors("signed") {
        let name = text(vector, "name");
        let token = Unverified::parse(text(vector, "token"), MAX_BYTES).unwrap();
        let algorithm = SignatureAlgorithm::parse(text(vector, "alg")).unwrap();
        assert_eq!(token.header().alg, algorithm.as_str(), "{name}");
        let public = key_of(vector).public().described(
            token.header().kid.as_deref(),
            Some(KeyUse::Signature),
            None,
        );
        let keys = KeySet::from_keys(vec![public]);
        assert_eq!(
            token.check_signature(algorithm, &keys, false),
            Ok(()),
            "{name}"
        );
        for other in SignatureAlgorithm::ALL
            .iter()
            .filter(|other| **other != algorithm)
        {
            assert!(
                token.check_signature(*other, &keys, false).is_err(),
                "{name} as {other}"
            );
        }
    }
}

#[test]
fn the_deterministic_signatures_of_the_rfcs_are_made_again() {
    for vector in vectors("signed")
        .iter()
        .filter(|vector| vector["alg"] == "RS256")
    {
        let (input, expected) = text(vector, "token").rsplit_once('.').unwrap();
        let signature = signature::create(
            SignatureAlgorithm::Rs256,
            key_of(vector).key(),
            input.as_bytes(),
        )
        .unwrap();
        assert_eq!(encode_base64url(&signature), expected, "{}", vector["name"]);
    }
}

#[test]
fn the_encrypted_examples_of_the_rfcs_decrypt() {
    assert_eq!(vectors("encrypted").len(), 4);
    for vector in vectors("encrypted") {
        let decrypted = decrypt(
            text(vector, "token"),
            &[key_of(vector)],
            KeyManagementAlgorithm::ALL,
            ContentEncryption::ALL,
        )
        .unwrap();
        assert_eq!(
            std::str::from_utf8(&decrypted.plaintext).unwrap(),
            text(vector, "plaintext"),
            "{}",
            vector["name"]
        );
    }
}

#[test]
fn the_examples_with_weak_algorithms_are_refused() {
    let refused = |alg: &str| {
        vectors("refused")
            .iter()
            .find(|vector| vector["alg"] == alg)
            .unwrap()
    };
    for name in ["HS256", "none"] {
        let token = text(refused(name), "token");
        let keys = public_set(&[&KEYS.rsa]);
        assert_eq!(
            verify_token(token, &keys, &expectations()).unwrap_err(),
            JoseError::UnsupportedAlgorithm { found: name.into() }
        );
    }
    let outcome = decrypt(
        text(refused("RSA1_5"), "token"),
        std::slice::from_ref(&KEYS.rsa),
        KeyManagementAlgorithm::ALL,
        ContentEncryption::ALL,
    );
    assert_eq!(
        outcome.unwrap_err(),
        JoseError::UnsupportedAlgorithm {
            found: "RSA1_5".into()
        }
    );
}

#[test]
fn the_keys_of_rfc_7517_are_read_and_the_thumbprint_is_that_of_rfc_7638() {
    let document = json!({"keys": [
        {"kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
         "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},
        {"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
         "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"},
    ]});
    let keys = KeySet::from_json(&document).unwrap();
    assert_eq!(keys.skipped(), []);
    assert_eq!(keys.find("1").unwrap().kind(), KeyKind::P256);
    let rsa = keys.find("2011-04-29").unwrap();
    assert_eq!((rsa.bits(), rsa.algorithm()), (2048, Some("RS256")));
    assert_eq!(
        rsa.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(keys.to_json(), document);
    // RFC 7517 A.2: the private half of the first.
    let mut private = document["keys"][0].clone();
    private["d"] = json!("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE");
    assert_eq!(
        PrivateKey::from_jwk(&private).unwrap().kid(),
        keys.find("1").unwrap().thumbprint()
    );
}

#[test]
fn aes_cbc_hmac_is_that_of_rfc_7518_appendix_b() {
    let cases = [
        (
            ContentEncryption::A128CbcHs256,
            "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9a94ac9b47ad2655c5f10f9aef71427e2fc6f9b3f399a221489f16362c703233609d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade54b8851ffb598f7f80074b9473c82e2db",
            "652c3fa36b0a7c5b3219fab3a30bc1c4",
        ),
        (
            ContentEncryption::A256CbcHs512,
            "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950bbe2638d09dd7a4930930806d0703b1f6",
            "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5",
        ),
    ];
    let plaintext = b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience";
    let iv = HEXLOWER
        .decode(b"1af38c2dc2b96ffdd86694092341bc04")
        .unwrap();
    let envelope = Envelope {
        iv: &iv,
        associated_data: b"The second principle of Auguste Kerckhoffs",
    };
    for (encryption, ciphertext, tag) in cases {
        let key: Vec<u8> = (0..content::key_bytes(encryption)).collect();
        let sealed = content::seal(encryption, &key, envelope, plaintext).unwrap();
        assert_eq!(HEXLOWER.encode(&sealed.0), ciphertext, "{encryption}");
        assert_eq!(HEXLOWER.encode(&sealed.1), tag, "{encryption}");
        let opened = content::open(encryption, &key, envelope, &sealed.0, &sealed.1).unwrap();
        assert_eq!(opened, plaintext);
    }
}

#[test]
fn ecdh_es_is_that_of_rfc_7518_appendix_c() {
    let alice = PrivateKey::from_jwk(&json!({
        "kty": "EC", "crv": "P-256", "x": "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
        "y": "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps", "d": "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo",
    }))
    .unwrap();
    let bob = PrivateKey::from_jwk(&json!({
        "kty": "EC", "crv": "P-256", "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck", "d": "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw",
    }))
    .unwrap();
    let party = PartyInfo {
        apu: b"Alice",
        apv: b"Bob",
    };
    for (own, peer) in [(&alice, &bob), (&bob, &alice)] {
        let secret = key_agreement::shared_secret(own.key(), peer.public().key()).unwrap();
        let key = key_agreement::agreed_key(
            KeyManagementAlgorithm::EcdhEs,
            ContentEncryption::A128Gcm,
            &secret,
            party,
        )
        .unwrap();
        assert_eq!(encode_base64url(&key), "VqqN6vgjbSBcIijNcacQGg");
    }
}
