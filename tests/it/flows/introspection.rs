//! Introspection (SPID/CIE IN-1).

use crate::harness::{World, claims_of};
use serde_json::json;
use varco::demo::LoginOptions;

const PROFILES: [&str; 2] = ["spid", "cie"];

/// SPID/CIE IN-1: C only `active`, S also the rest, for both kinds of token.
#[actix_web::test]
async fn an_active_token_is_described_in_spid_and_called_active_in_cie() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let refresh = tokens.answer.refresh_token.as_deref().unwrap();
        for (token, audience) in [
            (tokens.answer.access_token.as_str(), "userinfo"),
            (refresh, "token"),
        ] {
            let claims = claims_of(token);
            let expected = match profile {
                "cie" => json!({"active": true}),
                _ => json!({
                    "active": true,
                    "scope": "openid offline_access",
                    "exp": claims["exp"],
                    "sub": tokens.id_token["sub"],
                    "client_id": world.rp().entity_id(),
                    "iss": issuer.metadata.issuer,
                    "aud": format!("{}/{profile}/{audience}", world.base),
                }),
            };
            let found = world.introspect(world.rp(), &issuer, token).await;
            assert_eq!(found, expected, "SPID/CIE IN-1");
        }
    }
}

/// SPID/CIE IN-1: `{"active": false}` and nothing else, whatever the reason.
#[actix_web::test]
async fn what_is_not_an_active_token_of_the_caller_is_inactive() {
    let world = World::start();
    let stranger = world.federation.aggregated_relying_party();
    for (profile, other) in [("spid", "cie"), ("cie", "spid")] {
        let issuer = world.issuer(profile).await;
        let elsewhere = world.issuer(other).await;
        world
            .login(stranger, &issuer, &LoginOptions::default())
            .await;
        world
            .login(world.rp(), &elsewhere, &LoginOptions::default())
            .await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let access = tokens.answer.access_token.as_str();
        let refresh = tokens.answer.refresh_token.as_deref().unwrap();
        let forged = world
            .rp()
            .sign_protocol_token(&claims_of(access).into())
            .unwrap();
        let inactive = json!({"active": false});
        for unknown in [
            "unknown",
            "a.b.c",
            &forged,
            tokens.answer.id_token.as_deref().unwrap(),
            &access[..access.len() - 1],
            "\u{0}",
            "è",
        ] {
            let found = world.introspect(world.rp(), &issuer, unknown).await;
            assert_eq!(found, inactive, "SPID/CIE IN-1: {unknown}");
        }
        for token in [access, refresh] {
            let found = world.introspect(stranger, &issuer, token).await;
            assert_eq!(found, inactive, "SPID/CIE IN-1: another RP's");
            let found = world.introspect(world.rp(), &elsewhere, token).await;
            assert_eq!(found, inactive, "SPID/CIE IN-1: another issuer's");
            assert!(world.is_active(world.rp(), &issuer, token).await);
        }
        assert_eq!(world.revoke(world.rp(), &issuer, refresh).await.status, 200);
        for token in [access, refresh] {
            let found = world.introspect(world.rp(), &issuer, token).await;
            assert_eq!(found, inactive, "SPID/CIE IN-1: revoked");
        }
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let refresh = tokens.answer.refresh_token.as_deref().unwrap();
        world
            .clock
            .advance_seconds(tokens.answer.expires_in.unwrap());
        let found = world
            .introspect(world.rp(), &issuer, &tokens.answer.access_token)
            .await;
        assert_eq!(found, inactive, "SPID/CIE IN-1: expired");
        assert!(world.is_active(world.rp(), &issuer, refresh).await);
    }
}

/// SPID/CIE IN-1: private_key_jwt, and something to ask about; a hint is only a hint (RFC 7662 §2.1).
#[actix_web::test]
async fn introspection_wants_an_authenticated_rp_and_a_token() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let url = &issuer.metadata.introspection_endpoint;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let access = ("token".to_owned(), tokens.answer.access_token.clone());
        world
            .post(url, std::slice::from_ref(&access))
            .await
            .is_refused(401, "invalid_client", "private_key_jwt");
        let fields = world.rp().authenticated_form(url, &[]).unwrap();
        world
            .post(url, &fields)
            .await
            .is_refused(400, "invalid_request", "token is missing");
        for hint in ["access_token", "refresh_token", "nonsense"] {
            let mut fields = world
                .rp()
                .introspection_request(&issuer.metadata, &access.1)
                .unwrap();
            fields.push(("token_type_hint".to_owned(), hint.to_owned()));
            let answer = world.post(url, &fields).await;
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.granted()["active"], true, "SPID/CIE IN-1: {hint}");
        }
        // `client_id` beside the assertion is not needed.
        let mut fields = world
            .rp()
            .introspection_request(&issuer.metadata, &access.1)
            .unwrap();
        fields.retain(|(name, _)| name != "client_id");
        assert_eq!(world.post(url, &fields).await.granted()["active"], true);
    }
}
