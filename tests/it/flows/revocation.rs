//! Revocation (SPID/CIE RV-1, RV-2).

use crate::harness::{Browser, Issuer, Tokens, World};
use varco::demo::LoginOptions;

const PROFILES: [&str; 2] = ["spid", "cie"];

/// A login with this browser, which uses a session that it has.
async fn offline_login_with(world: &World, browser: &mut Browser, issuer: &Issuer) -> Tokens {
    let options = LoginOptions {
        prompt: "consent".to_owned(),
        ..LoginOptions::default().with_offline_access()
    };
    let (prepared, code) = world.code_with(browser, world.rp(), issuer, &options).await;
    world.redeem(world.rp(), issuer, prepared, &code).await
}

async fn has_session(world: &World, browser: &mut Browser, issuer: &Issuer) -> bool {
    let options = LoginOptions {
        prompt: "consent".to_owned(),
        ..LoginOptions::default()
    };
    let prepared = world
        .rp()
        .authorization_request(&issuer.metadata, &options)
        .unwrap();
    let page = world.authorize(browser, &prepared).await;
    page.body.contains("name=\"decision\"")
}

/// SPID/CIE RV-2: S ends the refresh tokens and the session; C leaves both.
#[actix_web::test]
async fn revoking_an_access_token_ends_more_in_spid_than_in_cie() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let mut browser = world.browser();
        let first = offline_login_with(&world, &mut browser, &issuer).await;
        let second = offline_login_with(&world, &mut browser, &issuer).await;
        assert!(has_session(&world, &mut browser, &issuer).await);
        let (access, refresh) = (
            first.answer.access_token.as_str(),
            first.answer.refresh_token.as_deref().unwrap(),
        );
        let answer = world.revoke(world.rp(), &issuer, access).await;
        assert_eq!(answer.status, 200, "SPID/CIE RV-1: {}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        world
            .userinfo(&issuer, access)
            .await
            .is_refused(401, "invalid_token", "revoked");
        assert!(!world.is_active(world.rp(), &issuer, access).await);
        let is_cie = profile == "cie";
        assert_eq!(
            world.is_active(world.rp(), &issuer, refresh).await,
            is_cie,
            "SPID/CIE RV-2"
        );
        assert_eq!(
            has_session(&world, &mut browser, &issuer).await,
            is_cie,
            "SPID/CIE RV-2"
        );
        let answer = world.refresh(world.rp(), &issuer, refresh).await;
        if is_cie {
            answer.granted();
        } else {
            answer.is_refused(400, "invalid_grant", "revoked");
        }
        // Other active tokens of the user stay.
        let answer = world.userinfo(&issuer, &second.answer.access_token).await;
        assert_eq!(answer.status, 200, "SPID/CIE RV-2");
        let refresh = second.answer.refresh_token.as_deref().unwrap();
        assert!(
            world.is_active(world.rp(), &issuer, refresh).await,
            "SPID/CIE RV-2"
        );
    }
}

/// SPID/CIE RV-2.
#[actix_web::test]
async fn revoking_a_refresh_token_ends_its_access_tokens() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let mut browser = world.browser();
        let first = offline_login_with(&world, &mut browser, &issuer).await;
        let second = offline_login_with(&world, &mut browser, &issuer).await;
        let refresh = first.answer.refresh_token.as_deref().unwrap();
        assert_eq!(world.revoke(world.rp(), &issuer, refresh).await.status, 200);
        world
            .userinfo(&issuer, &first.answer.access_token)
            .await
            .is_refused(401, "invalid_token", "revoked");
        world
            .refresh(world.rp(), &issuer, refresh)
            .await
            .is_refused(400, "invalid_grant", "revoked");
        assert!(
            has_session(&world, &mut browser, &issuer).await,
            "SPID/CIE RV-2"
        );
        let answer = world.userinfo(&issuer, &second.answer.access_token).await;
        assert_eq!(answer.status, 200, "SPID/CIE RV-2");
    }
}

/// SPID/CIE RV-1: 200 for what is unknown, expired or revoked already; another client's and issuer's tokens stay.
#[actix_web::test]
async fn revoking_nothing_succeeds_and_changes_nothing() {
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
        for unknown in [
            "unknown",
            "a.b.c",
            "\u{0}",
            tokens.answer.id_token.as_deref().unwrap(),
        ] {
            let answer = world.revoke(world.rp(), &issuer, unknown).await;
            assert_eq!(answer.status, 200, "SPID/CIE RV-1: {}", answer.body);
        }
        for token in [access, refresh] {
            assert_eq!(
                world.revoke(stranger, &issuer, token).await.status,
                200,
                "SPID/CIE RV-1"
            );
            assert_eq!(
                world.revoke(world.rp(), &elsewhere, token).await.status,
                200
            );
        }
        assert_eq!(
            world.userinfo(&issuer, access).await.status,
            200,
            "SPID/CIE RV-1"
        );
        assert!(
            world.is_active(world.rp(), &issuer, refresh).await,
            "SPID/CIE RV-1"
        );
        for _ in 0..2 {
            assert_eq!(
                world.revoke(world.rp(), &issuer, refresh).await.status,
                200,
                "SPID/CIE RV-1"
            );
        }
        world
            .clock
            .advance_seconds(tokens.answer.expires_in.unwrap() + 1);
        assert_eq!(
            world.revoke(world.rp(), &issuer, access).await.status,
            200,
            "SPID/CIE RV-1"
        );
    }
}

/// SPID/CIE RV-1: an RP that lost the answer to a refresh holds the spent token only, and wants the access to end.
#[actix_web::test]
async fn revoking_a_spent_refresh_token_ends_what_replaced_it() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let old = tokens.answer.refresh_token.as_deref().unwrap();
        let new = world.refresh(world.rp(), &issuer, old).await.granted();
        assert_eq!(
            world.revoke(world.rp(), &issuer, old).await.status,
            200,
            "SPID/CIE RV-1"
        );
        world
            .userinfo(&issuer, new["access_token"].as_str().unwrap())
            .await
            .is_refused(401, "invalid_token", "revoked");
        let refresh = new["refresh_token"].as_str().unwrap();
        assert!(!world.is_active(world.rp(), &issuer, refresh).await);
    }
}

/// SPID/CIE RV-1: private_key_jwt, and something to revoke.
#[actix_web::test]
async fn revocation_wants_an_authenticated_rp_and_a_token() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let url = &issuer.metadata.revocation_endpoint;
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
        assert_eq!(world.userinfo(&issuer, &access.1).await.status, 200);
        // RFC 7009 §2.1: a wrong hint does not hide the token.
        let mut fields = world
            .rp()
            .revocation_request(&issuer.metadata, &access.1)
            .unwrap();
        fields.push(("token_type_hint".to_owned(), "refresh_token".to_owned()));
        assert_eq!(world.post(url, &fields).await.status, 200);
        assert_eq!(
            world.userinfo(&issuer, &access.1).await.status,
            401,
            "SPID/CIE RV-1"
        );
    }
}
