//! Refresh tokens: who gets one, rotation, theft, limits (SPID/CIE AZ-10, TK-7).

use crate::harness::{World, claims_of};
use futures_util::future::join_all;
use varco::demo::LoginOptions;
use varco::demo::relying_party::IdTokenExpectation;

const PROFILES: [&str; 2] = ["spid", "cie"];

fn unlimited() -> World {
    World::builder()
        .issuers(|settings| settings.max_refresh = 0)
        .start()
}

/// SPID/CIE AZ-10: `offline_access` and `prompt` with consent.
#[actix_web::test]
async fn a_refresh_token_is_given_to_whom_asks_for_offline_access() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for (prompt, scope, given) in [
            ("consent", "openid offline_access", true),
            ("consent login", "openid offline_access", true),
            ("login consent", "offline_access openid", true),
            ("consent", "openid", false),
            ("consent login", "openid", false),
        ] {
            let options = LoginOptions {
                prompt: prompt.to_owned(),
                scope: scope.to_owned(),
                ..LoginOptions::default()
            };
            let tokens = world.login(world.rp(), &issuer, &options).await;
            let refresh_token = tokens.answer.refresh_token;
            assert_eq!(
                refresh_token.is_some(),
                given,
                "SPID/CIE AZ-10: {prompt}, {scope}"
            );
        }
        // An RP whose metadata has no such grant gets none.
        let rp = world.further_rp(&format!("rp-code-{profile}"), |rp| {
            rp.with_metadata("grant_types", serde_json::json!(["authorization_code"]))
        });
        let tokens = world.offline_login(&rp, &issuer).await;
        assert_eq!(tokens.answer.refresh_token, None, "SPID/CIE AZ-10");
    }
}

/// SPID/CIE AZ-10: the switch of CIE; the login succeeds without a refresh token. SPID has no switch to switch off.
#[actix_web::test]
async fn in_cie_the_user_can_switch_offline_access_off() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default().with_offline_access();
        let prepared = world
            .rp()
            .authorization_request(&issuer.metadata, &options)
            .unwrap();
        let mut browser = world.browser();
        let page = world.authorize(&mut browser, &prepared).await;
        let page = world
            .type_password(&mut browser, &page, ("ada", "ada-demo"))
            .await;
        let has_switch = page.body.contains("name=\"offline_access\"");
        assert_eq!(has_switch, profile == "cie", "SPID/CIE AZ-10");
        let form = page.form("/consent").with("decision", "allow");
        let answer = browser.submit(&page, &form).await;
        let code = answer.redirected("code").unwrap();
        let tokens = world.redeem(world.rp(), &issuer, prepared, &code).await;
        assert_eq!(
            tokens.answer.refresh_token.is_some(),
            profile == "spid",
            "SPID/CIE AZ-10"
        );
        let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
        assert_eq!(answer.status, 200);
    }
}

/// SPID/CIE TK-7: the new one comes at once, what was before stops working.
#[actix_web::test]
async fn a_refresh_replaces_every_token_of_the_access() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let elsewhere = world.offline_login(world.rp(), &issuer).await;
        let old = tokens.answer.refresh_token.as_deref().unwrap();
        world.clock.advance_seconds(5);
        let answer = world.refresh(world.rp(), &issuer, old).await;
        assert_eq!(answer.header("cache-control"), "no-store", "SPID/CIE TK-3");
        let answer = answer.granted();
        assert_eq!(answer["token_type"], "Bearer");
        let (access, refresh) = (
            answer["access_token"].as_str().unwrap(),
            answer["refresh_token"].as_str().unwrap(),
        );
        assert_ne!(refresh, old, "SPID/CIE TK-7");
        let before = claims_of(&tokens.answer.access_token);
        let after = claims_of(access);
        for same in ["iss", "sub", "client_id", "aud", "scope"] {
            assert_eq!(before[same], after[same], "SPID/CIE TK-7: {same}");
        }
        assert_ne!(before["jti"], after["jti"]);
        assert_eq!(world.userinfo(&issuer, access).await.status, 200);
        world
            .userinfo(&issuer, &tokens.answer.access_token)
            .await
            .is_refused(401, "invalid_token", "revoked");
        assert!(world.is_active(world.rp(), &issuer, refresh).await);
        assert!(!world.is_active(world.rp(), &issuer, old).await);
        // Another login of the same user at the same RP is another grant.
        let other = world
            .userinfo(&issuer, &elsewhere.answer.access_token)
            .await;
        assert_eq!(other.status, 200, "SPID/CIE TK-7");
    }
}

/// SPID/CIE TK-7, RFC 9700 §4.14.2.
#[actix_web::test]
async fn a_refresh_token_used_twice_ends_its_whole_family() {
    let world = unlimited();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let elsewhere = world.offline_login(world.rp(), &issuer).await;
        let first = tokens.answer.refresh_token.as_deref().unwrap();
        let second = world.refresh(world.rp(), &issuer, first).await.granted();
        let second = second["refresh_token"].as_str().unwrap();
        let third = world.refresh(world.rp(), &issuer, second).await.granted();
        world.refresh(world.rp(), &issuer, first).await.is_refused(
            400,
            "invalid_grant",
            "used before",
        );
        world
            .userinfo(&issuer, third["access_token"].as_str().unwrap())
            .await
            .is_refused(401, "invalid_token", "revoked");
        let newest = third["refresh_token"].as_str().unwrap();
        assert!(
            !world.is_active(world.rp(), &issuer, newest).await,
            "SPID/CIE TK-7"
        );
        world.refresh(world.rp(), &issuer, newest).await.is_refused(
            400,
            "invalid_grant",
            "revoked",
        );
        let other = world
            .userinfo(&issuer, &elsewhere.answer.access_token)
            .await;
        assert_eq!(other.status, 200, "another family lives on");
    }
}

/// SPID/CIE TK-7: of many refreshes with one token one wins; the others are reuse.
#[actix_web::test]
async fn of_twenty_refreshes_at_once_exactly_one_wins() {
    let world = unlimited();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let token = tokens.answer.refresh_token.as_deref().unwrap();
        let answers = join_all((0..20).map(|_| world.refresh(world.rp(), &issuer, token))).await;
        let (won, lost): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 19), "SPID/CIE TK-7");
        for answer in lost {
            answer.is_refused(400, "invalid_grant", "used before");
        }
        let winner = won.into_iter().next().unwrap().granted();
        world
            .userinfo(&issuer, winner["access_token"].as_str().unwrap())
            .await
            .is_refused(401, "invalid_token", "revoked");
    }
}

/// SPID/CIE TK-7: once by default in SPID, without limit in CIE; running into the limit ends nothing.
#[actix_web::test]
async fn spid_limits_how_often_and_cie_does_not() {
    let (default, three, unlimited) = (
        World::start(),
        World::builder()
            .issuers(|settings| settings.max_refresh = 3)
            .start(),
        unlimited(),
    );
    for (world, profile, limit) in [
        (&default, "spid", Some(1)),
        (&three, "spid", Some(3)),
        (&unlimited, "spid", None),
        (&default, "cie", None),
        (&three, "cie", None),
    ] {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let mut refresh = tokens.answer.refresh_token.unwrap();
        let mut access = tokens.answer.access_token;
        for _ in 0..limit.unwrap_or(6) {
            let answer = world.refresh(world.rp(), &issuer, &refresh).await.granted();
            refresh = answer["refresh_token"].as_str().unwrap().to_owned();
            access = answer["access_token"].as_str().unwrap().to_owned();
        }
        if let Some(limit) = limit {
            // An RP that tries again has not stolen anything.
            for _ in 0..3 {
                world
                    .refresh(world.rp(), &issuer, &refresh)
                    .await
                    .is_refused(
                        400,
                        "invalid_grant",
                        &format!("refreshed {limit} times only"),
                    );
            }
        }
        let answer = world.userinfo(&issuer, &access).await;
        assert_eq!(answer.status, 200, "SPID/CIE TK-7: {}", answer.body);
    }
}

/// SPID/CIE TK-7: S an id_token of level 1 if that was asked for, C none.
#[actix_web::test]
async fn a_refresh_brings_an_id_token_in_spid_if_level_one_was_asked_for() {
    let world = World::start();
    let levels = |numbers: &[u8]| -> Vec<String> {
        numbers
            .iter()
            .map(|number| format!("https://www.spid.gov.it/SpidL{number}"))
            .collect()
    };
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for (asked, brings) in [
            (levels(&[1]), profile == "spid"),
            (levels(&[2, 1]), profile == "spid"),
            (levels(&[2]), false),
            (levels(&[3, 2]), false),
        ] {
            let mut options = LoginOptions::default().with_offline_access();
            options.acr_values = asked.clone();
            let tokens = world.login(world.rp(), &issuer, &options).await;
            let token = tokens.answer.refresh_token.as_deref().unwrap();
            world.clock.advance_seconds(1);
            let answer = world.refresh(world.rp(), &issuer, token).await.granted();
            let id_token = answer.get("id_token");
            assert_eq!(
                id_token.is_some(),
                brings,
                "SPID/CIE TK-7: {profile} {asked:?}"
            );
            let Some(id_token) = id_token else {
                continue;
            };
            let claims = world
                .rp()
                .verify_id_token(
                    &issuer.metadata,
                    id_token.as_str().unwrap(),
                    &IdTokenExpectation {
                        nonce: None,
                        access_token: answer["access_token"].as_str().unwrap(),
                        acr_values: &levels(&[1]),
                    },
                )
                .unwrap();
            assert_eq!(
                claims["acr"], "https://www.spid.gov.it/SpidL1",
                "SPID/CIE TK-7"
            );
            // OIDC Core §12.2.
            for same in ["iss", "sub", "aud"] {
                assert_eq!(claims[same], tokens.id_token[same]);
            }
            assert_ne!(claims["iat"], tokens.id_token["iat"]);
            assert_ne!(claims["jti"], tokens.id_token["jti"]);
        }
    }
}

/// SPID/CIE TK-7: 30 days a token, and never beyond the end of consent.
#[actix_web::test]
async fn consent_ends_what_refreshing_prolongs() {
    const DAY: i64 = 86_400;
    let world = World::builder()
        .issuers(|settings| settings.lifetimes.consent = 50 * DAY)
        .start();
    let issuer = world.issuer("cie").await;
    let tokens = world.offline_login(world.rp(), &issuer).await;
    let first = tokens.answer.refresh_token.as_deref().unwrap();
    let claims = claims_of(first);
    let start = claims["iat"].as_i64().unwrap();
    assert_eq!(claims["exp"], start + 30 * DAY, "SPID/CIE TK-6");
    world.clock.advance_seconds(29 * DAY);
    let second = world.refresh(world.rp(), &issuer, first).await.granted();
    let second = second["refresh_token"].as_str().unwrap();
    assert_eq!(
        claims_of(second)["exp"],
        start + 50 * DAY,
        "SPID/CIE TK-7: consent limits exp"
    );
    world.clock.advance_seconds(21 * DAY - 60);
    let third = world.refresh(world.rp(), &issuer, second).await.granted();
    assert_eq!(third["expires_in"], 60, "SPID/CIE TK-7");
    let (access, refresh) = (
        third["access_token"].as_str().unwrap(),
        third["refresh_token"].as_str().unwrap(),
    );
    assert_eq!(claims_of(access)["exp"], start + 50 * DAY);
    assert_eq!(world.userinfo(&issuer, access).await.status, 200);
    world.clock.advance_seconds(60);
    world
        .userinfo(&issuer, access)
        .await
        .is_refused(401, "invalid_token", "exp");
    world
        .refresh(world.rp(), &issuer, refresh)
        .await
        .is_refused(400, "invalid_grant", "refresh_token: claim exp");
}

/// SPID/CIE TK-7: an expired token is refused, and using it is no theft.
#[actix_web::test]
async fn an_expired_refresh_token_is_refused() {
    let world = World::builder()
        .issuers(|settings| settings.lifetimes.refresh_token = 100)
        .start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        world.clock.advance_seconds(100);
        let token = tokens.answer.refresh_token.as_deref().unwrap();
        world.refresh(world.rp(), &issuer, token).await.is_refused(
            400,
            "invalid_grant",
            "refresh_token: claim exp",
        );
        let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
        assert_eq!(answer.status, 200);
    }
}

/// SPID/CIE TK-7: bound to the client and the issuer; whoever else tries changes nothing.
#[actix_web::test]
async fn a_refresh_token_is_of_no_use_to_another_client_or_issuer() {
    let world = World::start();
    let thief = world.federation.aggregated_relying_party();
    for (profile, other) in [("spid", "cie"), ("cie", "spid")] {
        let issuer = world.issuer(profile).await;
        let elsewhere = world.issuer(other).await;
        world.login(thief, &issuer, &LoginOptions::default()).await;
        world
            .login(world.rp(), &elsewhere, &LoginOptions::default())
            .await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let token = tokens.answer.refresh_token.as_deref().unwrap();
        world.refresh(thief, &issuer, token).await.is_refused(
            400,
            "invalid_grant",
            "another client",
        );
        world
            .refresh(world.rp(), &elsewhere, token)
            .await
            .is_refused(400, "invalid_grant", "refresh_token");
        let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
        assert_eq!(answer.status, 200);
        let new = world.refresh(world.rp(), &issuer, token).await.granted();
        // A spent one in the thief's hands is not the RP's reuse.
        world.refresh(thief, &issuer, token).await.is_refused(
            400,
            "invalid_grant",
            "another client",
        );
        let answer = world
            .userinfo(&issuer, new["access_token"].as_str().unwrap())
            .await;
        assert_eq!(answer.status, 200, "SPID/CIE TK-7");
    }
}

/// SPID/CIE TK-7: no other token passes for a refresh token.
#[actix_web::test]
async fn only_a_refresh_token_of_ours_refreshes() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let right = tokens.answer.refresh_token.as_deref().unwrap();
        let mut claims = claims_of(right);
        claims.insert("jti".to_owned(), varco::random::uuid4().into());
        let forged = world.rp().sign_protocol_token(&claims.into()).unwrap();
        let unsigned = format!(
            "{}.{}.",
            data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"rt+jwt"}"#),
            right.split('.').nth(1).unwrap()
        );
        let cut = &right[..right.len() - 4];
        for wrong in [
            tokens.answer.access_token.as_str(),
            tokens.answer.id_token.as_deref().unwrap(),
            &forged,
            &unsigned,
            cut,
            "a.b.c",
            "abc",
        ] {
            world.refresh(world.rp(), &issuer, wrong).await.is_refused(
                400,
                "invalid_grant",
                "refresh_token",
            );
        }
        world.refresh(world.rp(), &issuer, "").await.is_refused(
            400,
            "invalid_request",
            "refresh_token is missing",
        );
        world.refresh(world.rp(), &issuer, right).await.granted();
    }
}

/// SPID/CIE TK-7: extra parameters are ignored; `scope` cannot widen anything.
#[actix_web::test]
async fn a_refresh_ignores_what_belongs_to_other_requests() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let token = tokens.answer.refresh_token.as_deref().unwrap();
        let mut fields = world.rp().refresh_request(&issuer.metadata, token).unwrap();
        for (name, value) in [
            ("code", "x"),
            ("code_verifier", "x"),
            ("redirect_uri", "https://attacker.example/"),
            ("scope", "openid offline_access profile email"),
            ("state", "x"),
        ] {
            fields.push((name.to_owned(), value.to_owned()));
        }
        let answer = world
            .post(&issuer.metadata.token_endpoint, &fields)
            .await
            .granted();
        let access = claims_of(answer["access_token"].as_str().unwrap());
        assert_eq!(access["scope"], "openid offline_access", "SPID/CIE TK-7");
    }
}
