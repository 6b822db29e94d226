//! What an RP registers for its own signatures is what it is held to (OIDC Registration §2), and keys that it shares.

use crate::harness::{World, keep_log, logged, with_assertion};
use serde_json::json;
use varco::demo::{LoginOptions, RelyingPartyKeys};
use varco::jose::{KeyUse, SignHeader, SignatureAlgorithm, sign};

const PROFILES: [&str; 2] = ["spid", "cie"];

/// OIDC Registration §2: another algorithm of the same key does not do.
#[actix_web::test]
async fn a_request_object_is_signed_with_the_registered_algorithm_or_refused() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let rp = world.further_rp(&format!("rp-{profile}-request"), |rp| {
            rp.with_metadata("request_object_signing_alg", "PS256")
        });
        let request = |alg: &str| {
            let options = LoginOptions::default().with_header("alg", alg);
            rp.authorization_request(&issuer.metadata, &options)
                .unwrap()
        };
        world.accepted(&request("PS256")).await;
        for other in ["RS256", "PS512"] {
            world
                .shown(&request(other), "invalid_request_object", other)
                .await;
        }
    }
}

/// OIDC Registration §2, OIDC Core §9.
#[actix_web::test]
async fn an_assertion_is_signed_with_the_registered_algorithm_or_refused() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let rp = world.further_rp(&format!("rp-{profile}-assertion"), |rp| {
            rp.with_metadata("token_endpoint_auth_signing_alg", "PS256")
        });
        let request = rp.authorization_request(&issuer.metadata, &LoginOptions::default());
        world.accepted(&request.unwrap()).await;
        let url = &issuer.metadata.introspection_endpoint;
        let key = &rp.keys().signing;
        for (algorithm, status) in [("PS256", 200), ("RS256", 401), ("PS512", 401)] {
            let header = SignHeader {
                alg: SignatureAlgorithm::parse(algorithm).unwrap(),
                typ: Some("JWT"),
                cty: None,
                kid: key.kid(),
                extra: None,
            };
            let assertion = sign(&header, &world.assertion_claims(&rp, url), key).unwrap();
            let form = with_assertion(&rp, &assertion, &[("token", "unknown")]);
            let answer = world.post(url, &form).await;
            assert_eq!(answer.status, status, "{algorithm}: {}", answer.body);
            if status == 401 {
                answer.is_refused(401, "invalid_client", algorithm);
            }
        }
    }
}

/// SPID/CIE AL-6: a warning that names the RP and what to mend.
#[actix_web::test]
async fn the_operator_is_warned_of_keys_shared_between_federation_and_protocol() {
    keep_log();
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let keys = world.rp().keys();
        let keys = RelyingPartyKeys {
            federation: keys.signing.clone(),
            ..keys.clone()
        };
        let rp = world.further_rp_with_keys(&format!("rp-{profile}-warned"), keys.clone(), |rp| {
            let signing = keys.signing.public_jwk(KeyUse::Signature, None);
            let encryption = keys.encryption.public_jwk(KeyUse::Encryption, None);
            rp.with_metadata("jwks", json!({"keys": [signing, encryption]}))
        });
        world.login(&rp, &issuer, &LoginOptions::default()).await;
        let warned = logged(&["event=rp.shared_key", rp.entity_id()]);
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(warned[0].starts_with("WARN"), "{warned:?}");
        for part in [&keys.signing.public().thumbprint(), "SPID/CIE AL-6"] {
            assert!(warned[0].contains(part), "{warned:?}");
        }
    }
    // Who keeps them apart is not named.
    let issuer = world.issuer("spid").await;
    world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let named = logged(&[
        "event=rp.shared_key",
        &format!("client_id={} ", world.rp().entity_id()),
    ]);
    assert!(named.is_empty(), "{named:?}");
}
