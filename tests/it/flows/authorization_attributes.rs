//! What is released, where, and when a refresh token comes with it (SPID/CIE AZ-9, AZ-10).

use crate::harness::{ADA, Issuer, Tokens, World};
use serde_json::{Map, Value, json};
use varco::demo::{DemoKeys, LoginOptions, RelyingParty};

/// Members of every id_token (SPID/CIE TK-5).
const PROTOCOL: [&str; 10] = [
    "iss", "sub", "aud", "acr", "at_hash", "iat", "nbf", "exp", "jti", "nonce",
];

fn user_claims(token: &Map<String, Value>) -> Vec<&str> {
    let mut names: Vec<&str> = token
        .keys()
        .map(String::as_str)
        .filter(|name| !PROTOCOL.contains(name))
        .collect();
    names.sort_unstable();
    names
}

async fn userinfo(world: &World, issuer: &Issuer, tokens: &Tokens) -> Map<String, Value> {
    let answer = world.userinfo(issuer, &tokens.answer.access_token).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let subject = tokens.id_token["sub"].as_str().unwrap();
    world
        .rp()
        .open_userinfo(&issuer.metadata, &answer.body, subject)
        .unwrap()
}

fn nothing_asked() -> LoginOptions {
    LoginOptions {
        userinfo_claims: Vec::new(),
        ..LoginOptions::default()
    }
}

/// SPID/CIE AZ-9.
#[actix_web::test]
async fn only_openid_and_no_claims_releases_only_sub() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let tokens = world.login(world.rp(), &issuer, &nothing_asked()).await;
        assert_eq!(user_claims(&tokens.id_token), Vec::<&str>::new());
        let claims = userinfo(&world, &issuer, &tokens).await;
        assert_eq!(user_claims(&claims), Vec::<&str>::new(), "SPID/CIE AZ-9");
        assert_eq!(claims["sub"], tokens.id_token["sub"]);
    }
}

/// SPID/CIE AZ-9: SPID releases through `claims.userinfo` only; `claims.id_token` is ignored whatever it holds.
#[actix_web::test]
async fn a_spid_id_token_never_has_attributes_and_claims_id_token_is_ignored() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    for asked in [
        json!({"userinfo": {"email": null}, "id_token": {"given_name": null, "email": {"essential": true}}}),
        json!({"userinfo": {"email": null}, "id_token": ["nonsense"]}),
        json!({"userinfo": {"email": null}, "id_token": "nonsense"}),
    ] {
        let options = LoginOptions::default().with_claim("claims", asked);
        let tokens = world.login(world.rp(), &issuer, &options).await;
        assert_eq!(user_claims(&tokens.id_token), Vec::<&str>::new());
        let claims = userinfo(&world, &issuer, &tokens).await;
        assert_eq!(user_claims(&claims), ["email"], "SPID/CIE AZ-9");
    }
}

/// SPID/CIE AZ-9: the scopes of CIE, in userinfo; the id_token carries what was asked for it.
#[actix_web::test]
async fn cie_scopes_and_claims_release_what_they_stand_for_and_nothing_else() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let scoped = |scope: &str| LoginOptions {
        scope: scope.to_owned(),
        ..nothing_asked()
    };
    let tokens = world
        .login(world.rp(), &issuer, &scoped("openid profile"))
        .await;
    let claims = userinfo(&world, &issuer, &tokens).await;
    let names = user_claims(&claims);
    assert_eq!(names.len(), 4, "SPID/CIE AZ-9: {names:?}");
    for name in ["family_name", "given_name", "birthdate"] {
        assert!(names.contains(&name), "SPID/CIE AZ-9: {names:?}");
    }
    assert!(names.iter().any(|name| name.ends_with("fiscal_number")));

    let tokens = world
        .login(world.rp(), &issuer, &scoped("openid email"))
        .await;
    let claims = userinfo(&world, &issuer, &tokens).await;
    assert_eq!(
        user_claims(&claims),
        ["email", "email_verified"],
        "SPID/CIE AZ-9"
    );

    // Each place has what was asked for it.
    let options = nothing_asked().with_claim(
        "claims",
        json!({"userinfo": {"birthdate": null}, "id_token": {"given_name": null, "email": {"essential": true}}}),
    );
    let tokens = world.login(world.rp(), &issuer, &options).await;
    assert_eq!(
        user_claims(&tokens.id_token),
        ["email", "given_name"],
        "SPID/CIE AZ-9"
    );
    assert_eq!(tokens.id_token["given_name"], "Ada");
    let claims = userinfo(&world, &issuer, &tokens).await;
    assert!(user_claims(&claims).contains(&"birthdate"));
}

/// SPID/CIE AZ-9: a claim that the profile does not have, or that nobody knows, is not released and does no harm.
#[actix_web::test]
async fn claims_that_do_not_exist_in_the_profile_are_left_out() {
    let world = World::start();
    for (profile, foreign) in [
        ("spid", "email_verified"),
        ("cie", "https://attributes.eid.gov.it/spid_code"),
    ] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions {
            userinfo_claims: ["given_name", foreign, "password_hash", "username", ""]
                .map(str::to_owned)
                .to_vec(),
            ..LoginOptions::default()
        };
        let tokens = world.login(world.rp(), &issuer, &options).await;
        let claims = userinfo(&world, &issuer, &tokens).await;
        assert_eq!(user_claims(&claims), ["given_name"], "SPID/CIE AZ-9");
    }
}

/// A login with the consent form sent as `keep` says; the token endpoint's answer.
async fn refresh_token_of(
    world: &World,
    rp: &RelyingParty,
    issuer: &Issuer,
    (options, keep): (&LoginOptions, bool),
) -> Option<String> {
    let prepared = world.request_of(rp, issuer, options);
    let (mut browser, page) = world.accepted(&prepared).await;
    let consent = world.type_password(&mut browser, &page, ADA).await;
    let mut form = consent.form("/consent").with("decision", "allow");
    if keep {
        form = form.with("offline_access", "on");
    }
    let answer = browser.submit(&consent, &form).await;
    let code = answer.redirected("code").unwrap();
    let answer = world.redeem_raw(rp, issuer, &prepared, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["refresh_token"].as_str().map(str::to_owned)
}

/// SPID/CIE AZ-10.
#[actix_web::test]
async fn a_refresh_token_comes_with_offline_access_and_only_with_it() {
    let world = World::start();
    let rp = world.rp();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let offline = LoginOptions::default().with_offline_access();
        for prompt in ["consent", "consent login"] {
            let options = LoginOptions {
                prompt: prompt.to_owned(),
                ..offline.clone()
            };
            let token = refresh_token_of(&world, rp, &issuer, (&options, true)).await;
            assert!(token.is_some(), "SPID/CIE AZ-10: {profile} {prompt}");
        }
        // A forged checkbox gives nothing that the RP did not ask for.
        let plain = LoginOptions::default();
        let token = refresh_token_of(&world, rp, &issuer, (&plain, true)).await;
        assert_eq!(token, None, "SPID/CIE AZ-10");
        // The switch is CIE's; SPID's page has none, and a form without it changes nothing.
        let token = refresh_token_of(&world, rp, &issuer, (&offline, false)).await;
        assert_eq!(token.is_none(), profile == "cie", "SPID/CIE AZ-10");
    }
}

/// SPID/CIE AZ-10: the switch is on the page where there is something to switch, checked.
#[actix_web::test]
async fn the_consent_page_of_cie_shows_the_switch_when_offline_access_is_asked() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for (options, asked) in [
            (LoginOptions::default(), false),
            (LoginOptions::default().with_offline_access(), true),
        ] {
            let prepared = world.request(&issuer, &options);
            let (mut browser, page) = world.accepted(&prepared).await;
            let consent = world.type_password(&mut browser, &page, ADA).await;
            let input = consent
                .body
                .split("<input")
                .find(|input| input.contains("name=\"offline_access\""));
            assert_eq!(
                input.is_some(),
                asked && profile == "cie",
                "SPID/CIE AZ-10: {profile}"
            );
            if let Some(input) = input {
                let tag = input.split('>').next().unwrap();
                assert!(tag.contains("checked"), "{tag}");
                assert!(tag.contains("type=\"checkbox\""), "{tag}");
            }
        }
    }
}

/// SPID/CIE AZ-10, FE-10: an RP without the refresh grant gets no refresh token.
#[actix_web::test]
async fn an_rp_without_the_refresh_grant_gets_no_refresh_token() {
    let world = World::start();
    let keys = DemoKeys::generate_fast().unwrap().relying_party;
    let rp = world.federation.further_relying_party("rp-once", keys);
    let rp = rp
        .unwrap()
        .with_metadata("grant_types", json!(["authorization_code"]));
    let rp = world.federation.admit("rp-once", rp);
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default().with_offline_access();
        let token = refresh_token_of(&world, &rp, &issuer, (&options, true)).await;
        assert_eq!(token, None);
    }
}

/// SPID/CIE AZ-9: the page names what is released, and what it names is what is released.
#[actix_web::test]
async fn the_consent_page_names_the_attributes_the_rp_and_where_the_answer_goes() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let (mut browser, page) = world.accepted(&prepared).await;
        browser.headers.push(("accept-language", "it".to_owned()));
        let consent = world.type_password(&mut browser, &page, ADA).await;
        for text in [
            "Comune di Esempio",
            world.rp().entity_id(),
            "Ada",
            "Rossi",
            "ada.rossi@example.it",
            "RSSDAA85T50H501C",
        ] {
            assert!(consent.body.contains(text), "{text}: {}", consent.body);
        }
        assert!(
            !consent.body.contains("1985"),
            "birthdate was not asked for"
        );
    }
}
