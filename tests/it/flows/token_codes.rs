//! A code is redeemed once, in time, by the client and at the issuer that it is for (SPID/CIE TK-2, TK-8).

use super::token::*;
use crate::harness::World;
use futures_util::future::join_all;
use varco::demo::LoginOptions;

/// SPID/CIE TK-2.
#[actix_web::test]
async fn of_twenty_redemptions_at_once_one_wins_and_the_others_revoke_it() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default().with_offline_access();
        let (prepared, code) = world.code(world.rp(), &issuer, &options).await;
        let forms: Vec<_> = (0..20)
            .map(|_| {
                world
                    .rp()
                    .token_request(&issuer.metadata, &prepared, &code)
                    .unwrap()
            })
            .collect();
        let url = &issuer.metadata.token_endpoint;
        let answers = join_all(forms.iter().map(|form| world.post(url, form))).await;
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(won.len(), 1, "SPID/CIE TK-2");
        for answer in &lost {
            answer.is_refused(400, "invalid_grant", "code was used before");
        }
        let tokens = won.into_iter().next().unwrap().granted();
        let access_token = tokens["access_token"].as_str().unwrap();
        let refused = world.userinfo(&issuer, access_token).await;
        refused.is_refused(401, "invalid_token", "revoked");
        let refresh_token = tokens["refresh_token"].as_str().unwrap();
        for token in [access_token, refresh_token] {
            assert!(
                !world.is_active(world.rp(), &issuer, token).await,
                "SPID/CIE TK-2"
            );
        }
        world
            .refresh(world.rp(), &issuer, refresh_token)
            .await
            .is_refused(400, "invalid_grant", "revoked");
    }
}

/// SPID/CIE TK-2: also long after the code has expired.
#[actix_web::test]
async fn a_code_used_twice_takes_back_what_it_gave() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let again = world
            .rp()
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        let other = world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let tokens = world.redeem(world.rp(), &issuer, prepared, &code).await;
        let access_token = &tokens.answer.access_token;
        assert_eq!(world.userinfo(&issuer, access_token).await.status, 200);
        world.clock.advance_seconds(50);
        world
            .post(&issuer.metadata.token_endpoint, &again)
            .await
            .is_refused(400, "invalid_grant", "code was used before");
        world
            .userinfo(&issuer, access_token)
            .await
            .is_refused(401, "invalid_token", "revoked");
        let other = world.userinfo(&issuer, &other.answer.access_token).await;
        assert_eq!(other.status, 200, "another login's token lives on");
    }
}

/// SPID/CIE TK-2.
#[actix_web::test]
async fn another_clients_code_is_refused_and_stays_usable() {
    let world = World::start();
    let thief = world.federation.aggregated_relying_party();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        // The provider knows the thief.
        world.login(thief, &issuer, &LoginOptions::default()).await;
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let stolen = thief
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        world
            .post(&issuer.metadata.token_endpoint, &stolen)
            .await
            .is_refused(400, "invalid_grant", "another client");
        let tokens = world.redeem(world.rp(), &issuer, prepared, &code).await;
        // Not even a spent code of another client does anything.
        world
            .post(
                &issuer.metadata.token_endpoint,
                &thief
                    .token_request(&issuer.metadata, &tokens.prepared, &code)
                    .unwrap(),
            )
            .await
            .is_refused(400, "invalid_grant", "another client");
        let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
        assert_eq!(answer.status, 200, "SPID/CIE TK-2");
    }
}

/// SPID/CIE TK-2: issuers of one process share a database, not their codes.
#[actix_web::test]
async fn another_issuers_code_is_refused_and_stays_usable() {
    let world = World::start();
    let (spid, cie) = (world.issuer("spid").await, world.issuer("cie").await);
    // Both issuers know the RP.
    world
        .login(world.rp(), &cie, &LoginOptions::default())
        .await;
    let (prepared, code) = world
        .code(world.rp(), &spid, &LoginOptions::default())
        .await;
    let elsewhere = world
        .rp()
        .token_request(&cie.metadata, &prepared, &code)
        .unwrap();
    world
        .post(&cie.metadata.token_endpoint, &elsewhere)
        .await
        .is_refused(400, "invalid_grant", "code is unknown");
    let tokens = world.redeem(world.rp(), &spid, prepared, &code).await;
    let elsewhere = world
        .rp()
        .token_request(&cie.metadata, &tokens.prepared, &code)
        .unwrap();
    world
        .post(&cie.metadata.token_endpoint, &elsewhere)
        .await
        .is_refused(400, "invalid_grant", "code");
    let answer = world.userinfo(&spid, &tokens.answer.access_token).await;
    assert_eq!(answer.status, 200, "the other issuer changes nothing here");
}

/// SPID/CIE AZ-11, TK-2: ten seconds unless configured.
#[actix_web::test]
async fn a_code_lives_as_long_as_configured_and_not_longer() {
    let default = World::start();
    let longer = World::builder()
        .issuers(|settings| settings.auth_code_max_age = 60)
        .start();
    for (world, seconds) in [(&default, 10), (&longer, 60)] {
        for profile in PROFILES {
            let issuer = world.issuer(profile).await;
            let (prepared, code) = world
                .code(world.rp(), &issuer, &LoginOptions::default())
                .await;
            world.clock.advance_seconds(seconds - 1);
            world.redeem(world.rp(), &issuer, prepared, &code).await;
            let (prepared, code) = world
                .code(world.rp(), &issuer, &LoginOptions::default())
                .await;
            world.clock.advance_seconds(seconds);
            let fields = world
                .rp()
                .token_request(&issuer.metadata, &prepared, &code)
                .unwrap();
            world
                .post(&issuer.metadata.token_endpoint, &fields)
                .await
                .is_refused(400, "invalid_grant", "code has expired");
        }
    }
}
