//! `jwks.json` and `jwks.jose` (SPID/CIE MD-3).

use crate::harness::{World, claims_of, header_of};
use serde_json::Value;
use varco::clock::Clock;
use varco::jose::{
    Expectations, ExpiryRule, IssuedAtRule, KeySet, KeyUse, SignatureAlgorithm, TypRule,
    Unverified, Verified,
};

#[actix_web::test]
async fn the_protocol_keys_are_public_of_both_kinds_and_uses_and_the_same_everywhere() {
    // SPID/CIE MD-3, AL-1, AL-2, AL-5
    let world = World::start();
    for profile in ["spid", "cie"] {
        let url = world.url(&format!("/{profile}/jwks.json"));
        let answer = world.browser().get(&url).await;
        assert_eq!(answer.header("content-type"), "application/json");
        let jwks = answer.json();
        for key in jwks["keys"].as_array().unwrap() {
            for secret in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(secret).is_none(), "{secret} is published");
            }
        }
        let keys = KeySet::from_json(&jwks).unwrap();
        assert!(keys.skipped().is_empty());
        for usage in [KeyUse::Signature, KeyUse::Encryption] {
            for rsa in [true, false] {
                let there = keys
                    .keys()
                    .iter()
                    .any(|key| key.usage() == Some(usage) && key.kind().is_rsa() == rsa);
                assert!(there, "SPID/CIE MD-3: {usage:?} rsa={rsa}");
            }
        }
        let configuration = world.url(&format!("/{profile}/.well-known/openid-federation"));
        let configuration = world.browser().get(&configuration).await.body;
        let claims = claims_of(&configuration);
        assert_eq!(
            claims["metadata"]["openid_provider"]["jwks"], jwks,
            "SPID/CIE MD-3"
        );

        let url = world.url(&format!("/{profile}/jwks.jose"));
        let answer = world.browser().get(&url).await;
        assert_eq!(answer.header("content-type"), "application/jwk-set+jwt");
        assert_eq!(header_of(&answer.body)["typ"], "jwk-set+jwt");
        let issuer = world.url(&format!("/{profile}/"));
        let expectations = Expectations {
            kind: "signed key set",
            typ: TypRule::Exactly(&["jwk-set+jwt"]),
            algorithms: SignatureAlgorithm::ALL,
            kid_required: true,
            issuer: Some(&issuer),
            subject: Some(&issuer),
            audience: None,
            now: world.clock.now(),
            leeway_seconds: 0,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        };
        let federation = KeySet::from_json(&claims["jwks"]).unwrap();
        let signed: Verified<Value> = Unverified::parse(&answer.body, 100_000)
            .unwrap()
            .verify(&federation, &expectations)
            .unwrap();
        assert_eq!(signed.claims()["keys"], jwks["keys"], "SPID/CIE MD-3");
        assert_eq!(
            world.browser().get(&url).await.body,
            answer.body,
            "signed once, not per request"
        );
    }
}
