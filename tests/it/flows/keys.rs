//! Keys: ours, and those of RPs (SPID/CIE AL-4 to AL-6).

use super::algorithms::*;
use crate::harness::{World, header_of, with_assertion};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use varco::demo::{LoginOptions, RelyingParty, RelyingPartyKeys};
use varco::jose::{KeyUse, PrivateKey};

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
