//! Levels by configuration (SPID/CIE AZ-8).

use super::settings::*;
use crate::harness::World;
use serde_json::Value;
use varco::demo::LoginOptions;

/// SPID/CIE TK-7.
#[actix_web::test]
async fn refresh_acr_is_the_level_that_a_refreshed_id_token_states() {
    for (name, world) in worlds(
        "spid",
        ["VARCO_ISSUER_REFRESH_ACR", "OIDCFED_PROVIDER_ACR_4_REFRESH"],
        "SpidL2",
        |issuer, from| issuer.refresh_acr = from.refresh_acr.clone(),
    ) {
        let issuer = world.issuer("spid").await;
        for (level, acr) in [(2, Some(L2)), (1, None)] {
            let options = LoginOptions::at_level(level).with_offline_access();
            let tokens = world.login(world.rp(), &issuer, &options).await.answer;
            let answer = world
                .refresh(
                    world.rp(),
                    &issuer,
                    tokens.refresh_token.as_deref().unwrap(),
                )
                .await;
            let id_token = answer.json()["id_token"].as_str().map(|token| {
                varco::demo::relying_party::unverified_claims(token).unwrap()["acr"].clone()
            });
            assert_eq!(id_token, acr.map(Value::from), "SPID/CIE TK-7, {name}");
        }
    }
}

/// SPID/CIE AZ-8.
#[actix_web::test]
async fn default_acr_is_the_level_of_a_request_without_one_where_that_is_allowed() {
    for (name, world) in worlds(
        "spid",
        [
            "VARCO_ISSUER_DEFAULT_ACR",
            "OIDCFED_PROVIDER_PROFILES_DEFAULT_ACR",
        ],
        "SpidL3",
        |issuer, from| {
            issuer.default_acr = from.default_acr.clone();
            issuer.acr_values_required = false;
        },
    ) {
        let issuer = world.issuer("spid").await;
        let options = LoginOptions {
            acr_values: vec![L3.to_owned()],
            ..LoginOptions::default()
        };
        let tokens = world
            .login(world.rp(), &issuer, &options.without_claim("acr_values"))
            .await;
        assert_eq!(tokens.id_token["acr"], L3, "SPID/CIE AZ-8, {name}");
    }
    // Without acr_values_required = false the request is refused (SPID/CIE AZ-8).
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let options = LoginOptions::default().without_claim("acr_values");
    let prepared = world
        .rp()
        .authorization_request(&issuer.metadata, &options)
        .unwrap();
    let answer = world.browser().get(&prepared.url).await;
    assert_eq!(
        answer.redirected("error").as_deref(),
        Some("invalid_request")
    );
    assert!(
        answer
            .redirected("error_description")
            .unwrap()
            .contains("acr_values")
    );
}
