//! Algorithms and keys (SPID/CIE AL-1 to AL-6).

use crate::harness::{Answer, Issuer, Tokens, World, header_of, with_assertion};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use varco::demo::policy::{CONTENT_ENCRYPTION, KEY_MANAGEMENT, SIGNATURES};
use varco::demo::relying_party::{IdTokenExpectation, TokenAnswer};
use varco::demo::{LoginOptions, RelyingParty, RelyingPartyKeys};
use varco::jose::{KeyKind, PrivateKey, SignHeader, SignatureAlgorithm, sign};

pub(super) const PROFILES: [&str; 2] = ["spid", "cie"];

pub(super) static P521: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeyKind::P521).unwrap());
pub(super) static P384: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeyKind::P384).unwrap());

/// Keys whose signing key can sign so.
pub(super) fn keys_for(world: &World, algorithm: &str) -> RelyingPartyKeys {
    let mut keys = world.rp().keys().clone();
    match algorithm {
        "ES256" => {
            keys.signing = world
                .federation
                .aggregated_relying_party()
                .keys()
                .signing
                .clone()
        }
        "ES384" => keys.signing = P384.clone(),
        "ES512" => keys.signing = P521.clone(),
        _ => {}
    }
    keys
}

pub(super) fn path(parts: &[&str]) -> String {
    format!("rp-{}", parts.join("-"))
        .to_lowercase()
        .replace('+', "-")
}

pub(super) fn assertion(
    world: &World,
    rp: &RelyingParty,
    audience: &str,
    algorithm: &str,
) -> String {
    assertion_with(world, rp, audience, algorithm, &Map::new())
}

pub(super) fn assertion_with(
    world: &World,
    rp: &RelyingParty,
    audience: &str,
    algorithm: &str,
    extra: &Map<String, Value>,
) -> String {
    let key = &rp.keys().signing;
    let header = SignHeader {
        alg: SignatureAlgorithm::parse(algorithm).unwrap(),
        typ: Some("JWT"),
        cty: None,
        kid: key.kid(),
        extra: Some(extra),
    };
    sign(&header, &world.assertion_claims(rp, audience), key).unwrap()
}

/// A login in which everything that the RP signs is signed so.
pub(super) async fn login(
    world: &World,
    rp: &RelyingParty,
    issuer: &Issuer,
    algorithm: &str,
) -> Tokens {
    let options = LoginOptions::default().with_header("alg", algorithm);
    let (prepared, code) = world.code(rp, issuer, &options).await;
    let url = &issuer.metadata.token_endpoint;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("code_verifier", prepared.code_verifier.as_str()),
    ];
    let form = with_assertion(rp, &assertion(world, rp, url, algorithm), &fields);
    let answer = world.post(url, &form).await;
    assert_eq!(answer.status, 200, "{algorithm}: {}", answer.body);
    let answer = TokenAnswer::parse(answer.body.as_bytes()).unwrap();
    let id_token = rp
        .verify_id_token(
            &issuer.metadata,
            answer.id_token.as_deref().unwrap(),
            &IdTokenExpectation {
                nonce: Some(&prepared.nonce),
                access_token: &answer.access_token,
                acr_values: &prepared.acr_values,
            },
        )
        .unwrap();
    Tokens {
        answer,
        id_token,
        prepared,
    }
}

/// SPID/CIE AL-1: request object, assertion, id_token (with the `at_hash` that fits) and userinfo.
#[actix_web::test]
async fn every_published_signature_works_in_both_directions() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for algorithm in SIGNATURES {
            let rp = world.further_rp_with_keys(
                &path(&[profile, algorithm]),
                keys_for(&world, algorithm),
                |rp| {
                    [
                        "id_token_signed_response_alg",
                        "userinfo_signed_response_alg",
                        "request_object_signing_alg",
                        "token_endpoint_auth_signing_alg",
                    ]
                    .into_iter()
                    .fold(rp, |rp, name| rp.with_metadata(name, algorithm))
                },
            );
            let tokens = login(&world, &rp, &issuer, algorithm).await;
            let id_token = tokens.answer.id_token.as_deref().unwrap();
            assert_eq!(header_of(id_token)["alg"], algorithm, "SPID/CIE AL-1");
            // Opened and verified with exactly this algorithm.
            let claims = world.attributes(&rp, &issuer, &tokens).await;
            assert_eq!(claims["given_name"], "Ada", "SPID/CIE AL-1");
        }
    }
}

/// SPID/CIE AL-2, AL-3: every pair, for userinfo and (C) for the id_token.
#[actix_web::test]
async fn every_published_encryption_works() {
    let world = World::start();
    let elliptic = &world
        .federation
        .aggregated_relying_party()
        .keys()
        .encryption;
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for alg in KEY_MANAGEMENT {
            let curves = if alg.starts_with("ECDH") {
                vec![elliptic, &*P384, &*P521]
            } else {
                vec![&world.rp().keys().encryption]
            };
            for (curve, encryption) in curves.into_iter().enumerate() {
                for enc in CONTENT_ENCRYPTION {
                    let keys = RelyingPartyKeys {
                        encryption: encryption.clone(),
                        ..world.rp().keys().clone()
                    };
                    let path = path(&[profile, alg, enc, &curve.to_string()]);
                    let rp = world.further_rp_with_keys(&path, keys, |rp| {
                        rp.with_metadata("userinfo_encrypted_response_alg", alg)
                            .with_metadata("userinfo_encrypted_response_enc", enc)
                            .with_metadata("id_token_encrypted_response_alg", alg)
                            .with_metadata("id_token_encrypted_response_enc", enc)
                    });
                    let tokens = world.login(&rp, &issuer, &LoginOptions::default()).await;
                    let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
                    let mut sealed = vec![answer.body];
                    if profile == "cie" {
                        sealed.push(tokens.answer.id_token.clone().unwrap());
                    }
                    for token in sealed {
                        let header = header_of(&token);
                        assert_eq!(header["alg"], alg, "SPID/CIE AL-2");
                        assert_eq!(header["enc"], enc, "SPID/CIE AL-3");
                        assert_eq!(header["kid"], encryption.kid(), "SPID/CIE UI-2");
                    }
                    world.attributes(&rp, &issuer, &tokens).await;
                }
            }
        }
    }
}

/// SPID/CIE AL-1, AL-2, AL-3: what metadata publishes is exactly this.
#[actix_web::test]
async fn metadata_publishes_exactly_the_algorithms_of_the_federations() {
    let world = World::start();
    for profile in PROFILES {
        let url = world.url(&format!("/{profile}/.well-known/openid-configuration"));
        let metadata = world.browser().get(&url).await.json();
        let published = |name: &str| -> BTreeSet<String> {
            let values = metadata[name].as_array();
            let values = values.unwrap_or_else(|| panic!("{name} is missing"));
            values
                .iter()
                .map(|value| value.as_str().unwrap().to_owned())
                .collect()
        };
        let expected = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>()
        };
        for name in [
            "id_token_signing_alg_values_supported",
            "userinfo_signing_alg_values_supported",
            "request_object_signing_alg_values_supported",
            "token_endpoint_auth_signing_alg_values_supported",
            "request_authentication_signing_alg_values_supported",
        ] {
            assert_eq!(
                published(name),
                expected(&SIGNATURES),
                "SPID/CIE AL-1: {name}"
            );
        }
        let alg = published("userinfo_encryption_alg_values_supported");
        assert_eq!(alg, expected(&KEY_MANAGEMENT), "SPID/CIE AL-2");
        let enc = published("userinfo_encryption_enc_values_supported");
        assert_eq!(enc, expected(&CONTENT_ENCRYPTION), "SPID/CIE AL-3");
        for name in [
            "request_object_encryption_alg_values_supported",
            "request_object_encryption_enc_values_supported",
        ] {
            assert_eq!(metadata.get(name), None, "SPID/CIE MD-3: {name}");
        }
    }
}

/// Whether the RP is accepted at the authorization endpoint.
pub(super) async fn authorization(
    world: &World,
    rp: &RelyingParty,
    issuer: &Issuer,
    options: &LoginOptions,
) -> Answer {
    let prepared = rp.authorization_request(&issuer.metadata, options).unwrap();
    world
        .send("GET", &prepared.url, &[("accept", "application/json")], "")
        .await
}

/// SPID/CIE AL-4: in metadata; what is wrong is said by name, whatever the superiors' policies let through.
#[actix_web::test]
async fn metadata_with_a_forbidden_algorithm_refuses_the_rp() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for (name, values) in [
            (
                "id_token_signed_response_alg",
                &["none", "HS256", "HS384", "HS512", "ES384", "EdDSA"][..],
            ),
            ("userinfo_signed_response_alg", &["none", "HS256", "RS384"]),
            ("request_object_signing_alg", &["none", "HS256", "PS384"]),
            ("token_endpoint_auth_signing_alg", &["none", "HS512"]),
            (
                "userinfo_encrypted_response_alg",
                &["RSA1_5", "dir", "A256KW"],
            ),
            ("id_token_encrypted_response_alg", &["RSA1_5", "dir"]),
            (
                "userinfo_encrypted_response_enc",
                &["A192CBC-HS384", "none"],
            ),
            ("id_token_encrypted_response_enc", &["A192GCM", "none"]),
        ] {
            for value in values {
                let path = path(&[profile, &name.replace('_', "-"), &value.replace('_', "-")]);
                let rp = world.further_rp(&path, |rp| rp.with_metadata(name, *value));
                world
                    .federation
                    .trust_anchor()
                    .change(rp.entity_id(), |statement| {
                        statement.metadata_policy.clear()
                    });
                let answer = authorization(&world, &rp, &issuer, &LoginOptions::default()).await;
                answer.is_refused(400, "unauthorized_client", name);
            }
        }
    }
}

pub(super) fn raw(
    header: &Value,
    claims: &Value,
    signature: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = signature(input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// HMAC with what an attacker knows: the public key, in PEM.
pub(super) fn with_public_key(
    key: &PrivateKey,
    digest: openssl::hash::MessageDigest,
    input: &[u8],
) -> Vec<u8> {
    let der = key.to_pkcs8_der().unwrap();
    let private = openssl::pkey::PKey::private_key_from_pkcs8(der.expose()).unwrap();
    let pem = private.public_key_to_pem().unwrap();
    let secret = openssl::pkey::PKey::hmac(&pem).unwrap();
    openssl::sign::Signer::new(digest, &secret)
        .unwrap()
        .sign_oneshot_to_vec(input)
        .unwrap()
}

/// SPID/CIE AL-4: in the headers of assertions, with or without the right `kid`.
#[actix_web::test]
async fn an_assertion_with_a_forbidden_algorithm_is_refused() {
    use openssl::hash::MessageDigest;
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let url = &issuer.metadata.introspection_endpoint;
        let key = &world.rp().keys().signing;
        let hashes = [
            ("HS256", MessageDigest::sha256()),
            ("HS384", MessageDigest::sha384()),
            ("HS512", MessageDigest::sha512()),
        ];
        for kid in [json!(key.kid()), Value::Null] {
            let header = |alg: &str| {
                let mut header = json!({"alg": alg, "typ": "JWT"});
                if !kid.is_null() {
                    header["kid"] = kid.clone();
                }
                header
            };
            let claims = || world.assertion_claims(world.rp(), url);
            let mut tokens = Vec::new();
            for alg in ["none", "None", "NONE", ""] {
                tokens.push((alg, raw(&header(alg), &claims(), |_| Vec::new())));
            }
            for (alg, digest) in hashes {
                let token = raw(&header(alg), &claims(), |input| {
                    with_public_key(key, digest, input)
                });
                tokens.push((alg, token));
            }
            for alg in ["RSA1_5", "EdDSA", "RS1", "rs256"] {
                tokens.push((alg, raw(&header(alg), &claims(), |_| vec![1; 256])));
            }
            for (alg, token) in tokens {
                let form = with_assertion(world.rp(), &token, &[("token", "unknown")]);
                let answer = world.post(url, &form).await;
                answer.is_refused(401, "invalid_client", "client_assertion: ");
                let description = answer.description();
                assert!(
                    description.contains("alg"),
                    "SPID/CIE AL-4: {alg}: {description}"
                );
            }
        }
        // Algorithms that exist here and belong to the oidc profile only (AL-1).
        for alg in ["RS384", "PS384"] {
            let token = assertion(&world, world.rp(), url, alg);
            let form = with_assertion(world.rp(), &token, &[("token", "unknown")]);
            world.post(url, &form).await.is_refused(
                401,
                "invalid_client",
                &format!("algorithm {alg} is not accepted"),
            );
        }
    }
}

/// SPID/CIE AL-4: in the header of request objects.
#[actix_web::test]
async fn a_request_object_with_a_forbidden_algorithm_is_refused() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for alg in ["none", "HS256", "HS384", "HS512", "RSA1_5", "RS384"] {
            let options = LoginOptions::default().with_header("alg", alg);
            let answer = authorization(&world, world.rp(), &issuer, &options).await;
            assert_eq!(answer.status, 400, "SPID/CIE AL-4: {alg}: {}", answer.body);
            assert_eq!(answer.location(), None, "SPID/CIE AL-4: {alg}");
            let description = answer.description();
            assert!(
                description.contains("alg"),
                "SPID/CIE AL-4: {alg}: {description}"
            );
        }
    }
}
