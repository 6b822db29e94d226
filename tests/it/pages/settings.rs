//! Every setting of INTERFACE.md's table, under its own name and under that of spid-cie-oidc-django, changes what the
//! outside sees. (How values are read is tested in `config`.)

use crate::harness::{START, World};
use serde_json::json;
use std::path::Path;
use varco::config::{self, Environment, IssuerSettings, ServerSettings};
use varco::demo::LoginOptions;
use varco::provider::Provider;

pub(super) const L1: &str = "https://www.spid.gov.it/SpidL1";
pub(super) const L2: &str = "https://www.spid.gov.it/SpidL2";
pub(super) const L3: &str = "https://www.spid.gov.it/SpidL3";

/// The settings of a file with one issuer and these variables.
pub(super) fn settings(profile: &str, variables: &[(&str, &str)]) -> ServerSettings {
    let text = format!(
        "development = true\n[[issuer]]\nid = \"http://127.0.0.1:1/op\"\nprofile = \"{profile}\"\n"
    );
    let variables: Environment = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    config::parse(&text, Path::new("/etc/varco"), &variables)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// A world whose issuers got one setting by each of its names in turn.
pub(super) fn worlds<const N: usize>(
    profile: &'static str,
    names: [&'static str; N],
    value: &str,
    copy: impl Fn(&mut IssuerSettings, &IssuerSettings) + Copy + 'static,
) -> Vec<(&'static str, World)> {
    names
        .into_iter()
        .map(|name| {
            let from = settings(profile, &[(name, value)]).issuers.remove(0);
            let world = World::builder()
                .issuers(move |issuer| copy(issuer, &from))
                .start();
            (name, world)
        })
        .collect()
}

#[test]
fn the_profile_is_spid_unless_the_default_says_otherwise() {
    let text = "development = true\n[[issuer]]\nid = \"http://127.0.0.1:1/op\"\n";
    for (variables, expected) in [
        (Environment::default(), "spid"),
        ([("OIDCFED_DEFAULT_PROVIDER_PROFILE", "cie")].into(), "cie"),
        ([("VARCO_ISSUER_PROFILE", "oidc")].into(), "oidc"),
    ] {
        let settings = config::parse(text, Path::new("/"), &variables).unwrap();
        assert_eq!(settings.issuers[0].profile.as_str(), expected);
    }
}

/// SPID/CIE TK-7.
#[actix_web::test]
async fn max_refresh_limits_how_often_tokens_are_refreshed() {
    for (name, world) in worlds(
        "spid",
        ["VARCO_ISSUER_MAX_REFRESH", "OIDCFED_PROVIDER_MAX_REFRESH"],
        "2",
        |issuer, from| issuer.max_refresh = from.max_refresh,
    ) {
        let issuer = world.issuer("spid").await;
        let options = LoginOptions::default().with_offline_access();
        let tokens = world.login(world.rp(), &issuer, &options).await.answer;
        let mut token = tokens.refresh_token.unwrap();
        for _ in 0..2 {
            let answer = world.refresh(world.rp(), &issuer, &token).await;
            assert_eq!(answer.status, 200, "SPID/CIE TK-7, {name}: {}", answer.body);
            token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
        }
        let third = world.refresh(world.rp(), &issuer, &token).await;
        assert_eq!(
            (third.status, third.error().as_str()),
            (400, "invalid_grant"),
            "{name}"
        );
    }
}

/// SPID/CIE AZ-11.
#[actix_web::test]
async fn auth_code_max_age_is_the_life_of_a_code_in_seconds() {
    for (name, world) in worlds(
        "spid",
        [
            "VARCO_ISSUER_AUTH_CODE_MAX_AGE",
            "OIDCFED_PROVIDER_AUTH_CODE_MAX_AGE",
        ],
        "20",
        |issuer, from| issuer.auth_code_max_age = from.auth_code_max_age,
    ) {
        let issuer = world.issuer("spid").await;
        let rp = world.rp();
        for (seconds, status) in [(19, 200), (20, 400)] {
            let (prepared, code) = world.code(rp, &issuer, &LoginOptions::default()).await;
            world.clock.advance_seconds(seconds);
            let form = rp
                .token_request(&issuer.metadata, &prepared, &code)
                .unwrap();
            let answer = world.post(&issuer.metadata.token_endpoint, &form).await;
            assert_eq!(
                answer.status, status,
                "SPID/CIE AZ-11, {name}: {}",
                answer.body
            );
        }
    }
}

#[actix_web::test]
async fn the_lifetime_of_an_interaction_ends_a_login_that_takes_too_long() {
    for (name, world) in worlds(
        "spid",
        [
            "VARCO_ISSUER_LIFETIMES_INTERACTION",
            "OIDCFED_PROVIDER_MAX_CONSENT_TIMEFRAME",
        ],
        "120",
        |issuer, from| issuer.lifetimes.interaction = from.lifetimes.interaction,
    ) {
        let issuer = world.issuer("spid").await;
        for (seconds, words) in [(119, "Consenso"), (120, "Il tempo per l’accesso è scaduto")] {
            let mut browser = world.browser();
            let prepared = world
                .rp()
                .authorization_request(&issuer.metadata, &LoginOptions::default())
                .unwrap();
            let page = world.authorize(&mut browser, &prepared).await;
            world.clock.advance_seconds(seconds);
            let page = world
                .type_password(&mut browser, &page, ("ada", "ada-demo"))
                .await;
            assert!(page.text().contains(words), "{name}: {}", page.text());
        }
    }
}

/// SPID/CIE TM-3.
#[actix_web::test]
async fn the_pairwise_salt_goes_into_every_subject() {
    for (name, world) in worlds(
        "spid",
        ["VARCO_ISSUER_PAIRWISE_SALT", "OIDCFED_PROVIDER_SALT"],
        "a salt of this test only",
        |issuer, from| issuer.pairwise_salt = from.pairwise_salt.clone(),
    ) {
        let issuer = world.issuer("spid").await;
        let tokens = world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let shared = world.app.shared.clone();
        let account = shared
            .store
            .read(|connection| varco::store::account::find_by_username(connection, "ada"))
            .await
            .unwrap()
            .unwrap();
        let rp = varco::model::ClientId::new(world.rp().entity_id());
        let subject = |salt: &str| {
            let mut settings = world.provider("spid").settings.clone();
            settings.pairwise_salt = varco::secret::Secret::new(salt.to_owned());
            let op = Provider::open(shared.clone(), settings).unwrap();
            varco::oauth::subject::pairwise(&op, &account.id, &rp)
        };
        let sub = tokens.id_token["sub"].as_str().unwrap();
        assert_eq!(
            sub,
            subject("a salt of this test only"),
            "SPID/CIE TM-3, {name}"
        );
        assert_ne!(sub, subject("another"), "SPID/CIE TM-3, {name}");
        let aggregated = world.federation.aggregated_relying_party();
        let other = world
            .login(aggregated, &issuer, &LoginOptions::default())
            .await;
        assert_ne!(
            other.id_token["sub"], sub,
            "SPID/CIE TM-3: RPs cannot compare"
        );
    }
}

#[actix_web::test]
async fn history_per_page_is_the_length_of_a_page() {
    for name in [
        "VARCO_HISTORY_PER_PAGE",
        "OIDCFED_PROVIDER_HISTORY_PER_PAGE",
    ] {
        let length = settings("spid", &[(name, "1")]).history_per_page;
        let world = World::builder()
            .server(move |server| server.history_per_page = length)
            .start();
        let issuer = world.issuer("spid").await;
        let mut browser = world.browser();
        for _ in 0..2 {
            world
                .code_with(&mut browser, world.rp(), &issuer, &LoginOptions::default())
                .await;
        }
        let page = world.history(&mut browser, "spid").await;
        assert_eq!(page.accesses().len(), 1, "{name}");
        assert!(page.body.contains("rel=\"next\""), "{name}");
    }
}

#[actix_web::test]
async fn attributes_take_a_claim_from_another_attribute_of_the_registry() {
    let map = json!({"email": "e_delivery_service", "given_name": ["nickname", "given_name"]});
    for (profile, names) in [
        (
            "spid",
            [
                "VARCO_ISSUER_ATTRIBUTES",
                "OIDCFED_PROVIDER_ATTRIBUTES_MAP",
                "OIDCFED_PROVIDER_ATTRIBUTES_SPID_MAP",
            ],
        ),
        (
            "cie",
            [
                "VARCO_ISSUER_ATTRIBUTES",
                "OIDCFED_PROVIDER_ATTRIBUTES_MAP",
                "OIDCFED_PROVIDER_ATTRIBUTES_CIE_MAP",
            ],
        ),
    ] {
        for (name, world) in worlds(profile, names, &map.to_string(), |issuer, from| {
            issuer.attributes = from.attributes.clone();
        }) {
            let issuer = world.issuer(profile).await;
            let tokens = world
                .login(world.rp(), &issuer, &LoginOptions::default())
                .await;
            let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
            let claims = world
                .rp()
                .open_userinfo(
                    &issuer.metadata,
                    &answer.body,
                    tokens.id_token["sub"].as_str().unwrap(),
                )
                .unwrap();
            assert_eq!(claims["email"], "ada.rossi@pec.example.it", "{name}");
            assert_eq!(claims["given_name"], "Ada", "{name}");
            // The map is the whole list of what is released.
            assert!(!claims.contains_key("family_name"), "{name}: {claims:?}");
        }
    }
}

/// SPID/CIE AZ-9.
#[actix_web::test]
async fn id_token_claims_are_what_may_be_asked_for_the_id_token() {
    for (name, world) in worlds(
        "cie",
        [
            "VARCO_ISSUER_ID_TOKEN_CLAIMS",
            "OIDCFED_PROVIDER_PROFILES_ID_TOKEN_CLAIMS",
        ],
        "[\"given_name\"]",
        |issuer, from| issuer.id_token_claims = from.id_token_claims.clone(),
    ) {
        let issuer = world.issuer("cie").await;
        let options = LoginOptions {
            id_token_claims: vec!["given_name".to_owned(), "family_name".to_owned()],
            ..LoginOptions::default()
        };
        let tokens = world.login(world.rp(), &issuer, &options).await;
        assert_eq!(
            tokens.id_token["given_name"], "Ada",
            "SPID/CIE AZ-9, {name}"
        );
        assert!(
            !tokens.id_token.contains_key("family_name"),
            "SPID/CIE AZ-9, {name}"
        );
    }
}

#[test]
fn the_message_schemas_belong_to_the_profile_and_the_django_variable_says_so() {
    let settings = settings("spid", &[("OIDCFED_PROVIDER_PROFILES", "{}")]);
    let warned = settings
        .warnings
        .iter()
        .any(|text| text.contains("OIDCFED_PROVIDER_PROFILES") && text.contains("/schemas/"));
    assert!(warned, "{:?}", settings.warnings);
}

#[actix_web::test]
async fn the_message_schemas_are_published() {
    let world = World::start();
    let mut browser = world.browser();
    for profile in ["spid", "cie"] {
        let index = browser
            .get(&world.url(&format!("/{profile}/schemas/")))
            .await;
        assert_eq!(index.status, 200, "{}", index.body);
        let name = format!("/{profile}/schemas/authorization-request.json");
        let schema = browser.get(&world.url(&name)).await;
        assert_eq!(schema.status, 200, "{}", schema.body);
        assert!(schema.json()["properties"]["request"].is_object());
    }
}

#[actix_web::test]
async fn who_runs_the_issuer_is_published_and_shown() {
    let world = World::builder()
        .issuers(|issuer| {
            issuer.organization_name = Some("Ente di Esempio".to_owned());
            issuer.homepage_uri = Some("https://www.example.it/".to_owned());
            issuer.policy_uri = Some("https://www.example.it/privacy".to_owned());
            issuer.logo_uri = Some("https://www.example.it/logo.svg".to_owned());
            issuer.contacts = vec!["ente@pec.example.it".to_owned()];
        })
        .start();
    let mut browser = world.browser();
    let page = browser.get(&world.url("/cie/login")).await;
    assert!(page.text().contains("Ente di Esempio"));
    assert_eq!(page.links("https://www.example.it/privacy").len(), 1);
    browser
        .headers
        .push(("accept", "application/json".to_owned()));
    let statement = browser
        .get(&world.url("/cie/.well-known/openid-federation"))
        .await
        .json();
    let entity = &statement["metadata"]["federation_entity"];
    assert_eq!(
        entity["organization_name"], "Ente di Esempio",
        "SPID/CIE MD-2: {statement}"
    );
    assert_eq!(entity["homepage_uri"], "https://www.example.it/");
    assert_eq!(entity["policy_uri"], "https://www.example.it/privacy");
    assert_eq!(entity["logo_uri"], "https://www.example.it/logo.svg");
    assert_eq!(entity["contacts"], json!(["ente@pec.example.it"]));
}

#[actix_web::test]
async fn override_dir_replaces_templates_and_static_files() {
    let theme = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(theme.path().join("static/brand")).unwrap();
    std::fs::create_dir_all(theme.path().join("templates")).unwrap();
    std::fs::write(theme.path().join("static/brand/own.svg"), "<svg/>").unwrap();
    let template = "{% extends \"base.html\" %}{% block title %}x{% endblock title %}\
        {% block content %}<h1>Arrivederci</h1>{% endblock content %}";
    std::fs::write(theme.path().join("templates/logged_out.html"), template).unwrap();
    let folder = theme.path().to_owned();
    let world = World::builder()
        .server(move |settings| {
            settings.override_dir = Some(folder);
            for issuer in &mut settings.issuers {
                issuer.branding.logo = Some("brand/own.svg".to_owned());
            }
        })
        .start();
    let mut browser = world.browser();
    let page = world.enter(&mut browser, "spid", ("ada", "ada-demo")).await;
    assert!(page.body.contains("src=\"/static/brand/own.svg?v="));
    let file = browser.get(&world.url("/static/brand/own.svg")).await;
    assert_eq!((file.status, file.body.as_str()), (200, "<svg/>"));
    let bye = browser.submit(&page, &page.form("/logout")).await;
    assert!(bye.text().contains("Arrivederci"));
    for path in [
        "/static/../varco.toml",
        "/static/%2e%2e/varco.toml",
        "/static/none.css",
    ] {
        assert_eq!(browser.get(&world.url(path)).await.status, 404, "{path}");
    }
}

#[test]
fn settings_without_an_effect_yet_or_against_each_other_are_warned_of() {
    let warnings = settings(
        "spid",
        &[
            ("VARCO_METRICS_LISTEN", "127.0.0.1:9090"),
            ("VARCO_PUBLIC_URL", "https://elsewhere.example.it"),
        ],
    )
    .warnings;
    for part in [
        "metrics_listen: this version has no metrics",
        "public_url: issuer",
    ] {
        assert!(
            warnings.iter().any(|text| text.contains(part)),
            "{part}: {warnings:?}"
        );
    }
    let quiet = settings("spid", &[("VARCO_PUBLIC_URL", "http://127.0.0.1:1")]).warnings;
    assert!(
        !quiet.iter().any(|text| text.contains("public_url")),
        "{quiet:?}"
    );
}

/// Settings `issuer.password_levels` (SPID/CIE AZ-8) and `issuer.lifetimes`.
#[actix_web::test]
async fn levels_of_the_password_and_lifetimes_of_tokens_are_configuration() {
    let world = World::builder()
        .issuers(|issuer| {
            issuer.password_levels = vec![L1.to_owned()];
            issuer.second_factors.clear();
            issuer.lifetimes.access_token = 60;
            issuer.lifetimes.id_token = 70;
            issuer.lifetimes.refresh_token = 80;
            issuer.lifetimes.consent = 100;
        })
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let rp = world.rp();
        let too_high = rp
            .authorization_request(&issuer.metadata, &LoginOptions::at_level(2))
            .unwrap();
        let answer = world.browser().get(&too_high.url).await;
        assert_eq!(
            answer.redirected("error").as_deref(),
            Some("access_denied"),
            "SPID/CIE AZ-8 ({profile}): {}",
            answer.body
        );
        let now = varco::clock::Clock::now(world.clock.as_ref());
        assert!(now >= START);
        let options = LoginOptions::at_level(1).with_offline_access();
        let tokens = world.login(rp, &issuer, &options).await;
        assert_eq!(tokens.answer.expires_in, Some(60), "{profile}");
        assert_eq!(tokens.id_token["exp"], json!(now.0 + 70), "{profile}");
        let refresh_token = tokens.answer.refresh_token.unwrap();
        let claims = varco::demo::relying_party::unverified_claims(&refresh_token).unwrap();
        assert_eq!(claims["exp"], json!(now.0 + 80), "{profile}");
        // The end of consent is the end of every token that came of it.
        world.clock.advance_seconds(70);
        let again = world.refresh(rp, &issuer, &refresh_token).await;
        let again = again.json()["refresh_token"].as_str().unwrap().to_owned();
        let claims = varco::demo::relying_party::unverified_claims(&again).unwrap();
        assert_eq!(
            claims["exp"],
            json!(now.0 + 100),
            "SPID/CIE TK-7 ({profile})"
        );
    }
}
