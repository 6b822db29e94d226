//! Algorithms and keys (SPID/CIE AL-1 to AL-6).

use crate::harness::{Answer, Issuer, Tokens, World, header_of, with_assertion};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use varco::demo::policy::{CONTENT_ENCRYPTION, KEY_MANAGEMENT, SIGNATURES};
use varco::demo::relying_party::{IdTokenExpectation, TokenAnswer};
use varco::demo::{LoginOptions, RelyingParty, RelyingPartyKeys};
use varco::jose::{KeyKind, KeyUse, PrivateKey, SignHeader, SignatureAlgorithm, sign};

const PROFILES: [&str; 2] = ["spid", "cie"];

static P521: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyKind::P521).unwrap());
static P384: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyKind::P384).unwrap());

/// Keys whose signing key can sign so.
fn keys_for(world: &World, algorithm: &str) -> RelyingPartyKeys {
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

fn path(parts: &[&str]) -> String {
    format!("rp-{}", parts.join("-"))
        .to_lowercase()
        .replace('+', "-")
}

fn assertion(world: &World, rp: &RelyingParty, audience: &str, algorithm: &str) -> String {
    assertion_with(world, rp, audience, algorithm, &Map::new())
}

fn assertion_with(
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
async fn login(world: &World, rp: &RelyingParty, issuer: &Issuer, algorithm: &str) -> Tokens {
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
async fn authorization(
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

fn raw(header: &Value, claims: &Value, signature: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = signature(input.as_bytes());
    format!("{input}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// HMAC with what an attacker knows: the public key, in PEM.
fn with_public_key(
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

/// SPID/CIE AL-5: RFC 7638, computed here again.
#[actix_web::test]
async fn our_kids_are_thumbprints_and_our_rsa_keys_have_2048_bits() {
    let world = World::start();
    for profile in PROFILES {
        let base = world.url(&format!("/{profile}"));
        let mut browser = world.browser();
        let protocol = browser.get(&format!("{base}/jwks.json")).await.json();
        let configuration = browser
            .get(&format!("{base}/.well-known/openid-federation"))
            .await;
        let statement = Value::Object(crate::harness::claims_of(&configuration.body));
        assert_eq!(
            header_of(&configuration.body)["kid"],
            statement["jwks"]["keys"][0]["kid"],
            "SPID/CIE AL-5"
        );
        let inline = &statement["metadata"]["openid_provider"]["jwks"];
        assert_eq!(inline["keys"], protocol["keys"], "SPID/CIE MD-3");
        for key in both(&protocol, &statement["jwks"]) {
            let members = if key["kty"] == "RSA" {
                let modulus = BASE64URL_NOPAD
                    .decode(key["n"].as_str().unwrap().as_bytes())
                    .unwrap();
                assert!(modulus.len() * 8 >= 2048, "SPID/CIE AL-5");
                format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, key["e"], key["n"])
            } else {
                format!(
                    r#"{{"crv":{},"kty":"EC","x":{},"y":{}}}"#,
                    key["crv"], key["x"], key["y"]
                )
            };
            let thumbprint = BASE64URL_NOPAD.encode(&openssl::sha::sha256(members.as_bytes()));
            assert_eq!(key["kid"], thumbprint, "SPID/CIE AL-5");
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert_eq!(key.get(private), None, "a private member is published");
            }
        }
        // SPID/CIE AL-6.
        let kids = |set: &Value| -> BTreeSet<String> {
            set["keys"]
                .as_array()
                .unwrap()
                .iter()
                .map(|key| key["kid"].to_string())
                .collect()
        };
        let shared: Vec<_> = kids(&protocol)
            .intersection(&kids(&statement["jwks"]))
            .cloned()
            .collect();
        assert_eq!(shared, Vec::<String>::new(), "SPID/CIE AL-6");
    }
}

fn both<'a>(one: &'a Value, other: &'a Value) -> Vec<&'a Value> {
    let keys = |set: &'a Value| set["keys"].as_array().unwrap().iter();
    keys(one).chain(keys(other)).collect()
}

/// SPID/CIE AL-5: the kid of an RP's key is opaque.
#[actix_web::test]
async fn the_kid_of_an_rp_is_whatever_it_says() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let keys = world.rp().keys();
        let named = |key: &PrivateKey, usage, kid: &str| {
            let mut jwk = key.public_jwk(usage, None);
            jwk["kid"] = json!(kid);
            jwk
        };
        let jwks = json!({"keys": [
            named(&keys.signing, KeyUse::Signature, "firma 1/2026"),
            named(&keys.encryption, KeyUse::Encryption, "cifra #1"),
        ]});
        let rp = world.further_rp(&path(&[profile, "opaque"]), |rp| {
            rp.with_metadata("jwks", jwks)
        });
        let options = LoginOptions::default().with_header("kid", "firma 1/2026");
        let (prepared, code) = world.code(&rp, &issuer, &options).await;
        let url = &issuer.metadata.token_endpoint;
        let claims = world.assertion_claims(&rp, url);
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": "firma 1/2026"});
        let token = raw(&header, &claims, |input| rsa_sha256(&keys.signing, input));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("code_verifier", prepared.code_verifier.as_str()),
        ];
        let answer = world
            .post(url, &with_assertion(&rp, &token, &fields))
            .await
            .granted();
        let answer = world
            .userinfo(&issuer, answer["access_token"].as_str().unwrap())
            .await;
        assert_eq!(
            header_of(&answer.body)["kid"],
            "cifra #1",
            "SPID/CIE AL-5, UI-2"
        );
    }
}

fn rsa_sha256(key: &PrivateKey, input: &[u8]) -> Vec<u8> {
    let der = key.to_pkcs8_der().unwrap();
    let private = openssl::pkey::PKey::private_key_from_pkcs8(der.expose()).unwrap();
    openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &private)
        .unwrap()
        .sign_oneshot_to_vec(input)
        .unwrap()
}

/// SPID/CIE AL-5: an attacker's key in the header signs nothing, not even with the victim's kid.
#[actix_web::test]
async fn keys_in_a_header_are_never_trusted() {
    let world = World::start();
    let attacker = world
        .federation
        .aggregated_relying_party()
        .keys()
        .signing
        .clone();
    let attacker_rsa = world.rp().keys().encryption.clone();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let url = &issuer.metadata.introspection_endpoint;
        for key in [&attacker, &attacker_rsa] {
            for kid in [key.kid(), world.rp().keys().signing.kid()] {
                for (name, value) in header_keys(&world, key) {
                    let alg = key.default_signature_algorithm();
                    let mut header = json!({"alg": alg.as_str(), "typ": "JWT", "kid": kid});
                    header[name] = value;
                    let claims = world.assertion_claims(world.rp(), url);
                    let token = raw(&header, &claims, |input| {
                        if key.kind().is_rsa() {
                            rsa_sha256(key, input)
                        } else {
                            elliptic(key, input)
                        }
                    });
                    let form = with_assertion(world.rp(), &token, &[("token", "unknown")]);
                    world.post(url, &form).await.is_refused(
                        401,
                        "invalid_client",
                        "client_assertion: ",
                    );
                }
            }
        }
        // Beside the right signature they are ignored.
        for (name, value) in header_keys(&world, &attacker) {
            let extra = Map::from_iter([(name.to_owned(), value)]);
            let token = assertion_with(&world, world.rp(), url, "RS256", &extra);
            let form = with_assertion(world.rp(), &token, &[("token", "unknown")]);
            world.post(url, &form).await.granted();
        }
        // RFC 7515 §4.1.11: an unknown extension is not ignored.
        for name in ["crit", "b64", "zip"] {
            let extra = Map::from_iter([(name.to_owned(), json!(["exp"]))]);
            let token = assertion_with(&world, world.rp(), url, "RS256", &extra);
            let form = with_assertion(world.rp(), &token, &[("token", "unknown")]);
            world.post(url, &form).await.is_refused(
                401,
                "invalid_client",
                &format!("header {name}"),
            );
        }
    }
}

fn header_keys(world: &World, key: &PrivateKey) -> [(&'static str, Value); 4] {
    let address = world.url("/rp/jwks.json");
    [
        ("jwk", key.public_jwk(KeyUse::Signature, None)),
        ("jku", json!(address)),
        ("x5u", json!(address)),
        ("x5c", json!(["MIIB"])),
    ]
}

fn elliptic(key: &PrivateKey, input: &[u8]) -> Vec<u8> {
    let der = key.to_pkcs8_der().unwrap();
    let private = openssl::pkey::PKey::private_key_from_pkcs8(der.expose()).unwrap();
    let signature = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &private)
        .unwrap()
        .sign_oneshot_to_vec(input)
        .unwrap();
    let signature = openssl::ecdsa::EcdsaSig::from_der(&signature).unwrap();
    let mut raw = signature.r().to_vec_padded(32).unwrap();
    raw.append(&mut signature.s().to_vec_padded(32).unwrap());
    raw
}

/// SPID/CIE AL-5: signing keys of RPs have 2048 bits; one small or unknown key does not hide the others.
#[actix_web::test]
async fn small_and_unknown_keys_of_an_rp_are_not_used() {
    let world = World::start();
    let small = openssl::rsa::Rsa::generate(1024).unwrap();
    let small = json!({
        "kty": "RSA",
        "use": "sig",
        "kid": "small",
        "n": BASE64URL_NOPAD.encode(&small.n().to_vec()),
        "e": BASE64URL_NOPAD.encode(&small.e().to_vec()),
    });
    let unknown = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "okp"});
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let keys = world.rp().keys();
        let encryption = keys.encryption.public_jwk(KeyUse::Encryption, None);
        let only_small = json!({"keys": [small, encryption]});
        let rp = world.further_rp(&path(&[profile, "small"]), |rp| {
            rp.with_metadata("jwks", only_small)
        });
        authorization(&world, &rp, &issuer, &LoginOptions::default())
            .await
            .is_refused(400, "unauthorized_client", "jwks");
        let mixed = json!({"keys": [
            small, unknown, {"kty": "RSA"}, 7,
            keys.signing.public_jwk(KeyUse::Signature, None),
            encryption,
        ]});
        let rp = world.further_rp(&path(&[profile, "mixed"]), |rp| {
            rp.with_metadata("jwks", mixed)
        });
        world.login(&rp, &issuer, &LoginOptions::default()).await;
    }
}

/// SPID/CIE AL-6: sharing federation and protocol keys is a warning, not a refusal.
#[actix_web::test]
async fn an_rp_that_shares_its_keys_is_served() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let keys = world.rp().keys();
        let keys = RelyingPartyKeys {
            federation: keys.signing.clone(),
            signing: keys.signing.clone(),
            encryption: keys.signing.clone(),
        };
        let rp: Arc<RelyingParty> =
            world.further_rp_with_keys(&path(&[profile, "shared"]), keys.clone(), |rp| {
                // One key for everything, as some kits make it: without `use`.
                let mut jwk = keys.signing.public_jwk(KeyUse::Signature, None);
                jwk.as_object_mut().unwrap().remove("use");
                rp.with_metadata("jwks", json!({"keys": [jwk]}))
            });
        let tokens = world.login(&rp, &issuer, &LoginOptions::default()).await;
        world.attributes(&rp, &issuer, &tokens).await;
    }
}
