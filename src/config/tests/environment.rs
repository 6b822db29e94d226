use super::*;

fn with_environment<const N: usize>(pairs: [(&str, &str); N]) -> ServerSettings {
    parse(
        PRODUCTION,
        Path::new("/etc/varco"),
        &Environment::from(pairs),
    )
    .unwrap()
}

#[test]
fn the_environment_wins_over_the_file() {
    let settings = with_environment([
        ("VARCO_LISTEN", "0.0.0.0:80"),
        ("VARCO_DEVELOPMENT", "true"),
        ("VARCO_TRUSTED_PROXIES", "[\"10.0.0.0/8\", \"192.0.2.1\"]"),
        ("VARCO_THROTTLE_PER_ADDRESS_PER_MINUTE", "0"),
        ("VARCO_ISSUER_PROFILE", "cie"),
        ("VARCO_ISSUER_LIFETIMES_SESSION", "600"),
        ("VARCO_ISSUER_PAIRWISE_SALT", "12345678901234567890"),
        ("VARCO_ISSUER_DEFAULT_ACR", "null"),
        ("VARCO_KEY", "the key"),
        ("VARCO_SERVICE_HOST", "set by Kubernetes"),
    ]);
    assert_eq!(settings.listen.to_string(), "0.0.0.0:80");
    assert_eq!(settings.trusted_proxies.len(), 2);
    assert_eq!(settings.throttle.per_address_per_minute, 0);
    assert_eq!(settings.issuers[0].profile, ProfileName::Cie);
    assert_eq!(settings.issuers[0].lifetimes.session, 600);
    assert_eq!(
        settings.issuers[0].pairwise_salt.expose(),
        "12345678901234567890"
    );
    assert_eq!(settings.key.unwrap().expose(), "the key");
}

#[test]
fn an_issuer_may_come_from_the_environment_alone() {
    let environment = Environment::from([
        ("VARCO_ISSUER_ID", "https://login.example.it"),
        ("VARCO_ISSUER_PROFILE", "oidc"),
        ("VARCO_ISSUER_PAIRWISE_SALT", "zLhUyYd0uPfjGWBaT7m3QeKx"),
    ]);
    let settings = load(Path::new("/nowhere/varco.toml"), &environment).unwrap();
    assert_eq!(settings.issuers[0].profile, ProfileName::Oidc);
}

#[test]
fn a_wrong_variable_is_named_in_the_problem() {
    let environment = Environment::from([
        ("VARCO_LISTEN", "everywhere"),
        ("VARCO_LISTENN", "127.0.0.1:1"),
        ("VARCO_ISSUER_CONTACTS", "me@example.it"),
    ]);
    let error = parse(PRODUCTION, Path::new("."), &environment).unwrap_err();
    let text = error.to_string();
    for part in [
        "listen (from VARCO_LISTEN): found \"everywhere\"",
        "VARCO_LISTENN: found an unknown environment variable; expected a known name; did you mean VARCO_LISTEN?",
        "VARCO_ISSUER_CONTACTS: found text that is no JSON",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn variables_for_one_issuer_are_refused_with_several() {
    let text = format!(
        "{PRODUCTION}\n[[issuer]]\nid = \"https://login.example.it/cie\"\nprofile = \"cie\"\npairwise_salt = \"zLhUyYd0uPfjGWBaT7m3QeKx\"\n"
    );
    assert!(load_text(&text).is_ok());
    for (name, value, key) in [
        ("OIDCFED_PROVIDER_SALT", "x", "`pairwise_salt`"),
        ("OIDCFED_PROVIDER_ATTRIBUTES_CIE_MAP", "{}", "`attributes`"),
        (
            "OIDCFED_PROVIDER_MAX_CONSENT_TIMEFRAME",
            "60",
            "`lifetimes.interaction`",
        ),
        ("VARCO_ISSUER_PROFILE", "oidc", "`profile`"),
    ] {
        let environment = Environment::from([(name, value)]);
        let error = parse(&text, Path::new("."), &environment).unwrap_err();
        assert_eq!(error.problems.len(), 1, "{error}");
        assert_eq!(error.problems[0].key, name);
        assert!(error.problems[0].expected.contains(key), "{error}");
    }
    let shared = Environment::from([("OIDCFED_PROVIDER_HISTORY_PER_PAGE", "20")]);
    let settings = parse(&text, Path::new("."), &shared).unwrap();
    assert_eq!(settings.history_per_page, 20);
}

#[test]
fn every_name_of_the_django_provider_sets_its_key() {
    let settings = with_environment([
        ("OIDCFED_DEFAULT_PROVIDER_PROFILE", "\"cie\""),
        (
            "OIDCFED_PROVIDER_PROFILES_MEDIA",
            r##"{"spid": {"logo": "no"}, "cie": {"logo": "cie.svg", "name": "N", "primary_colour": "#000000"}}"##,
        ),
        ("OIDCFED_PROVIDER_PROFILES", "{}"),
        ("OIDCFED_PROVIDER_MAX_REFRESH", "3"),
        ("OIDCFED_PROVIDER_ATTRIBUTES_SPID_MAP", r#"{"email": "no"}"#),
        (
            "OIDCFED_PROVIDER_ATTRIBUTES_CIE_MAP",
            r#"{"https://attributes.eid.gov.it/fiscal_number": ["tin"]}"#,
        ),
        (
            "OIDCFED_PROVIDER_PROFILES_ID_TOKEN_CLAIMS",
            r#"{"spid": {}, "cie": {"family_name": {}, "email": null}}"#,
        ),
        ("OIDCFED_PROVIDER_SALT", "a salt of twenty bytes"),
        ("OIDCFED_PROVIDER_HISTORY_PER_PAGE", "20"),
        ("OIDCFED_PROVIDER_AUTH_CODE_MAX_AGE", "30"),
        ("OIDCFED_PROVIDER_MAX_CONSENT_TIMEFRAME", "3600"),
        ("OIDCFED_PROVIDER_ACR_4_REFRESH", "SpidL2"),
        (
            "OIDCFED_PROVIDER_PROFILES_DEFAULT_ACR",
            r#"{"spid": "https://www.spid.gov.it/SpidL1", "cie": "https://www.spid.gov.it/SpidL3"}"#,
        ),
        (
            "OIDCFED_ATTRNAME_I18N",
            r#"{"https://attributes.spid.gov.it/name": "Vorname"}"#,
        ),
        ("OIDCFED_TRUST_ANCHORS", "[]"),
    ]);
    assert_eq!(settings.history_per_page, 20);
    let issuer = &settings.issuers[0];
    assert_eq!(issuer.profile, ProfileName::Cie);
    assert_eq!(issuer.branding.logo.as_deref(), Some("cie.svg"));
    assert_eq!(issuer.max_refresh, 3);
    assert_eq!(issuer.attributes.clone().unwrap()["fiscal_number"], ["tin"]);
    assert_eq!(
        issuer.id_token_claims.clone().unwrap(),
        ["family_name", "email"]
    );
    assert_eq!(issuer.pairwise_salt.expose(), "a salt of twenty bytes");
    assert_eq!(issuer.auth_code_max_age, 30);
    assert_eq!(issuer.lifetimes.interaction, 3600);
    assert_eq!(issuer.refresh_acr, "https://www.spid.gov.it/SpidL2");
    assert_eq!(issuer.default_acr, "https://www.spid.gov.it/SpidL3");
    assert_eq!(issuer.attribute_names["given_name"][""], "Vorname");
    for ignored in ["OIDCFED_PROVIDER_PROFILES:", "OIDCFED_TRUST_ANCHORS:"] {
        assert!(
            settings
                .warnings
                .iter()
                .any(|warning| warning.starts_with(ignored))
        );
    }
    let map = with_environment([(
        "OIDCFED_PROVIDER_ATTRIBUTES_MAP",
        r#"{"spid": {"email": "mail"}}"#,
    )]);
    assert_eq!(
        map.issuers[0].attributes.clone().unwrap()["email"],
        ["mail"]
    );
}

#[test]
fn our_name_wins_over_the_django_providers() {
    let settings = with_environment([
        ("OIDCFED_PROVIDER_MAX_REFRESH", "3"),
        ("VARCO_ISSUER_MAX_REFRESH", "4"),
    ]);
    assert_eq!(settings.issuers[0].max_refresh, 4);
}

#[test]
fn no_two_keys_share_an_environment_name() {
    let mut names: Vec<String> = varco_variables()
        .into_iter()
        .map(|(_, name, _)| name)
        .collect();
    names.push("VARCO_KEY".to_owned());
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}
