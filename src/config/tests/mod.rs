use super::environment::varco_variables;
use super::schema::{Key, Kind, Section};
use super::*;
use crate::model::{Method, UserinfoContentType};
use std::path::PathBuf;

mod card;
mod desk;
mod environment;
mod external;
mod mail;

const PRODUCTION: &str = r#"
[[issuer]]
id = "https://login.example.it/spid/"
pairwise_salt = "zLhUyYd0uPfjGWBaT7m3QeKx"
[[issuer.trust_anchor]]
id = "https://registry.example.it"
jwks = '{"keys": [{"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ", "kid": "1"}]}'
"#;

fn load_text(text: &str) -> Result<ServerSettings, ConfigError> {
    parse(text, Path::new("/etc/varco"), &Environment::default())
}

fn problems_of(text: &str) -> Vec<String> {
    load_text(text)
        .unwrap_err()
        .problems
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn assert_problem(text: &str, key: &str, says: &str) {
    let problems = problems_of(text);
    assert!(
        problems
            .iter()
            .any(|problem| problem.starts_with(key) && problem.contains(says)),
        "no problem of {key} with {says:?} in {problems:#?}"
    );
}

#[test]
fn an_absent_key_has_the_default_of_the_interface() {
    let settings = load_text(PRODUCTION).unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(
        settings.database_url.expose(),
        "sqlite:///etc/varco/varco.db"
    );
    assert_eq!(settings.key_file, PathBuf::from("/etc/varco/varco.key"));
    assert_eq!(settings.history_per_page, 50);
    assert_eq!(settings.history_retention_days, 730);
    assert_eq!(settings.throttle.per_address_per_minute, 60);
    assert_eq!(settings.throttle.per_account_per_minute, 5);
    assert!(settings.tls.is_none() && settings.metrics_listen.is_none());
    let issuer = &settings.issuers[0];
    assert_eq!(issuer.profile, ProfileName::Spid);
    assert_eq!(issuer.max_refresh, 1);
    assert_eq!(issuer.auth_code_max_age, 10);
    assert_eq!(issuer.default_acr, "https://www.spid.gov.it/SpidL2");
    assert_eq!(issuer.refresh_acr, "https://www.spid.gov.it/SpidL1");
    assert_eq!(issuer.password_levels, ["https://www.spid.gov.it/SpidL1"]);
    assert!(issuer.acr_values_required);
    assert_eq!(issuer.lifetimes.interaction, 1800);
    assert_eq!(issuer.lifetimes.refresh_token, 2_592_000);
    assert_eq!(issuer.rp_tolerance.clock_leeway_seconds, 30);
    assert_eq!(issuer.slug(), "spid");
    assert!(issuer.attributes.is_none() && issuer.id_token_claims.is_none());
}

#[test]
fn an_issuer_of_plain_openid_connect_is_in_a_federation_when_it_names_an_anchor() {
    let with = |more: &str| {
        format!(
            "[[issuer]]\nid = \"https://login.example.it/oidc\"\nprofile = \"oidc\"\npairwise_salt = \"0123456789abcdef\"\n{more}"
        )
    };
    let hints = "authority_hints = [\"https://registry.example.it\"]\n";
    let anchor = "[[issuer.trust_anchor]]\nid = \"https://registry.example.it\"\njwks = '{\"keys\": [{\"kty\": \"EC\"}]}'\n";
    assert!(!load_text(&with("")).unwrap().issuers[0].is_member());
    let member = load_text(&with(&format!("{hints}{anchor}"))).unwrap();
    assert!(member.issuers[0].is_member());
    assert_problem(
        &with(hints),
        "issuer[0].trust_anchor",
        "authority_hints say that the issuer is in a federation",
    );
    assert!(load_text(PRODUCTION).unwrap().issuers[0].is_member());
}

#[test]
fn every_problem_is_reported_at_once_with_key_found_and_expected() {
    let text = r#"
lisen = "127.0.0.1:1"
history_per_page = 0
trusted_proxies = ["10.0.0.0/8", "everybody"]
[throttle]
per_account = 3
[[issuer]]
id = "http://login.example.it/spid/"
profile = "saml"
[issuer.lifetimes]
refresh_token = 2592001
"#;
    let problems = problems_of(text);
    assert_eq!(problems.len(), 8, "{problems:#?}");
    assert_problem(text, "lisen", "did you mean `listen`?");
    assert_problem(text, "history_per_page", "found 0; expected a whole number");
    assert_problem(text, "trusted_proxies[1]", "found \"everybody\"");
    assert_problem(text, "throttle.per_account", "per_account_per_minute");
    assert_problem(text, "issuer[0].profile", "one of spid, cie, oidc");
    assert_problem(text, "issuer[0].id", "an https URL");
    assert_problem(text, "issuer[0].pairwise_salt", "openssl rand");
    assert_problem(
        text,
        "issuer[0].lifetimes.refresh_token",
        "from 10 to 2592000",
    );
}

#[test]
fn two_issuers_at_one_address_refuse_to_start() {
    let second = "\n[[issuer]]\nid = \"https://login.example.it:443/spid\"\nprofile = \"oidc\"\n";
    let text = format!("development = true\n{PRODUCTION}{second}");
    let problems = problems_of(&text.replace(":443", ""));
    assert!(
        problems[0].contains("one address serves one issuer"),
        "{problems:?}"
    );
    assert_problem(&text, "issuer[1].id", "the usual spelling");
}

#[test]
fn an_issuer_identifier_is_a_plain_https_url() {
    for (id, says) in [
        ("https://login.example.it/spid?x=1", "query"),
        ("https://login.example.it/spid#x", "fragment"),
        ("https://me@login.example.it/", "without them"),
        ("https://LOGIN.example.it/", "https://login.example.it/"),
        ("https://login.example.it/a/../b", "usual spelling"),
        ("ftp://login.example.it", "https URL"),
        ("login", "https URL"),
    ] {
        let text = PRODUCTION.replace("https://login.example.it/spid/", id);
        assert_problem(&text, "issuer[0].id", says);
    }
    for id in ["https://login.example.it", "https://login.example.it/a_b"] {
        let settings =
            load_text(&PRODUCTION.replace("https://login.example.it/spid/", id)).unwrap();
        assert_eq!(settings.issuers[0].id, id);
    }
}

#[test]
fn http_is_for_loopback_issuers_in_development() {
    let issuer = |id: &str| format!("development = true\n[[issuer]]\nid = \"{id}\"\n");
    for id in [
        "http://127.0.0.1:8000/spid/",
        "http://localhost:8000",
        "http://[::1]/x",
    ] {
        let settings = load_text(&issuer(id)).unwrap();
        assert!(
            settings
                .warnings
                .iter()
                .any(|text| text.contains("development"))
        );
    }
    assert_problem(
        &issuer("http://login.example.it"),
        "issuer[0].id",
        "loopback",
    );
}

#[test]
fn production_needs_a_salt_of_its_own_and_pinned_anchor_keys() {
    for salt in ["CHANGEME", "development-only"] {
        let text = PRODUCTION.replace("zLhUyYd0uPfjGWBaT7m3QeKx", salt);
        assert_problem(&text, "issuer[0].pairwise_salt", "everybody knows");
        assert!(!problems_of(&text).concat().contains(salt));
    }
    let unpinned = PRODUCTION
        .lines()
        .filter(|line| !line.starts_with("jwks"))
        .collect::<Vec<_>>()
        .join("\n");
    assert_problem(
        &unpinned,
        "issuer[0].trust_anchor[0].jwks_file",
        "no pinned keys",
    );
    assert!(load_text(&format!("development = true\n{unpinned}")).is_ok());
}

#[test]
fn pinned_keys_are_public_keys() {
    for (jwks, says) in [
        ("{}", "no member"),
        (r#"{"keys": []}"#, "no keys"),
        (r#"{"keys": [{"kid": "1"}]}"#, "without kty"),
        (
            r#"{"keys": [{"kty": "RSA", "d": "secret"}]}"#,
            "private key",
        ),
    ] {
        let line = format!("jwks = '{jwks}'");
        let text = PRODUCTION
            .lines()
            .map(|old| if old.starts_with("jwks") { &line } else { old })
            .collect::<Vec<_>>()
            .join("\n");
        assert_problem(&text, "issuer[0].trust_anchor[0].jwks", says);
    }
}

#[test]
fn files_are_found_relative_to_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let jwks = r#"{"keys": [{"kty": "EC", "kid": "1"}]}"#;
    std::fs::write(folder.path().join("ta.json"), jwks).unwrap();
    std::fs::create_dir(folder.path().join("marks")).unwrap();
    std::fs::write(folder.path().join("marks/b.jwt"), "aa.bb.cc\n").unwrap();
    std::fs::write(folder.path().join("marks/a.jwt"), "dd.ee.ff").unwrap();
    std::fs::write(folder.path().join("marks/.hidden"), "no mark").unwrap();
    let text = r#"
[tls]
certificate_file = "c.pem"
key_file = "/k.pem"
[[issuer]]
id = "https://login.example.it"
pairwise_salt = "zLhUyYd0uPfjGWBaT7m3QeKx"
trust_marks = ["aa.bb.cc"]
trust_marks_dir = "marks"
[[issuer.trust_anchor]]
id = "https://registry.example.it"
jwks_file = "ta.json"
"#;
    let file = folder.path().join("varco.toml");
    std::fs::write(&file, text).unwrap();
    let settings = load(&file, &Environment::default()).unwrap();
    let tls = settings.tls.unwrap();
    assert_eq!(tls.certificate_file, folder.path().join("c.pem"));
    assert_eq!(tls.key_file, PathBuf::from("/k.pem"));
    assert_eq!(settings.issuers[0].trust_marks, ["aa.bb.cc", "dd.ee.ff"]);
    assert_eq!(settings.issuers[0].slug(), "login-example-it");
    assert!(settings.issuers[0].trust_anchors[0].jwks.is_some());
    let absent = load(&folder.path().join("no.toml"), &Environment::default()).unwrap_err();
    assert!(absent.to_string().contains("varco config example"));
}

#[test]
fn slugs_differ_even_where_paths_do_not() {
    let text = r#"
development = true
[[issuer]]
id = "https://a.example.it/op"
[[issuer]]
id = "https://b.example.it/op"
[[issuer]]
id = "https://a.example.it/Admin"
[[issuer]]
id = "https://a.example.it/lang"
"#;
    let settings = load_text(text).unwrap();
    let slugs: Vec<&str> = settings.issuers.iter().map(IssuerSettings::slug).collect();
    assert!(slugs[0].starts_with("op-") && slugs[1].starts_with("op-"));
    assert_ne!(slugs[0], slugs[1]);
    assert_ne!(slugs[2], "admin", "the desk's cookie has that name");
    assert_ne!(slugs[3], "lang", "the language's cookie has that name");
}

#[test]
fn a_tolerance_of_one_rp_joins_the_issuers() {
    let text = format!(
        "{PRODUCTION}\n[issuer.rp_tolerance]\nclock_leeway_seconds = 60\n[[issuer.rp]]\nid = \"https://rp.example.it\"\nuserinfo_content_type = \"application/jose\"\n"
    );
    let issuer = &load_text(&text).unwrap().issuers[0];
    let special = issuer.tolerance_for("https://rp.example.it");
    assert_eq!(special.clock_leeway_seconds, 60);
    assert_eq!(special.userinfo_content_type, UserinfoContentType::Jose);
    assert_eq!(
        issuer.tolerance_for("https://other.example.it"),
        issuer.rp_tolerance
    );
}

#[test]
fn second_factors_are_known_ones_each_once_and_recovery_codes_never_alone() {
    let with = |keys: &str| PRODUCTION.replace("pairwise_salt", &format!("{keys}\npairwise_salt"));
    let issuer = load_text(PRODUCTION).unwrap().issuers.remove(0);
    assert_eq!(issuer.second_factors, [Method::Totp, Method::Recovery]);
    assert_eq!(
        issuer.second_factor_levels,
        ["https://www.spid.gov.it/SpidL2"]
    );
    assert_eq!(issuer.enrolment, Enrolment::Operator, "the safe default");
    let text = with("second_factors = []\nenrolment = \"password\"");
    let issuer = load_text(&text).unwrap().issuers.remove(0);
    assert!(issuer.second_factors.is_empty());
    assert_eq!(issuer.enrolment, Enrolment::Password);
    let wrong = with(
        "second_factors = [\"totp\", \"sms\", \"totp\"]\nsecond_factor_levels = [\"high\"]\nenrolment = \"all\"",
    );
    let problems = problems_of(&wrong);
    assert_eq!(problems.len(), 4, "{problems:?}");
    let alone = problems_of(&with("second_factors = [\"recovery\"]"));
    assert!(alone.concat().contains("such as totp"), "{alone:?}");
}

#[test]
fn claims_count_under_all_their_names() {
    let text = PRODUCTION.replace(
        "pairwise_salt",
        "id_token_claims = [\"https://attributes.eid.gov.it/fiscal_number\"]\nattributes = { familyName = \"surname\", email = [\"mail\", \"email\"] }\nattribute_names = { \"https://attributes.spid.gov.it/ivaCode\" = { it = \"Partita IVA\" } }\npairwise_salt",
    );
    let issuer = &load_text(&text).unwrap().issuers[0];
    assert_eq!(issuer.id_token_claims, Some(vec!["fiscal_number".into()]));
    let attributes = issuer.attributes.clone().unwrap();
    assert_eq!(attributes["family_name"], ["surname"]);
    assert_eq!(attributes["email"], ["mail", "email"]);
    assert_eq!(issuer.attribute_names["vat_number"]["it"], "Partita IVA");
}

#[test]
fn a_syntax_error_names_the_line_and_does_not_quote_it() {
    let problem = problems_of("listen = \"127.0.0.1:1\"\npairwise_salt = \"geheim").concat();
    assert!(problem.starts_with("line 2"), "{problem}");
    assert!(!problem.contains("geheim"));
}

/// Every key of a section that a single variable sets, and a value other than the default.
fn other_values(section: &'static Section, path: &str, out: &mut Vec<(String, String)>) {
    for key in section.keys {
        let path = read::join(path, key.name);
        match key.kind {
            Kind::Section(inner) | Kind::OptionalSection(inner) => {
                other_values(inner, &path, out);
            }
            Kind::Sections(inner) if path == "issuer" => other_values(inner, &path, out),
            _ => out.push((path.clone(), other_value(key, &path))),
        }
    }
}

fn other_value(key: &Key, path: &str) -> String {
    let text = match key.kind {
        Kind::Boolean if key.default == Some("true") => "false",
        Kind::Boolean => "true",
        Kind::Integer { most: 600, .. } => "61",
        Kind::Integer { .. } => "601",
        Kind::OneOf(choices) => choices.last().unwrap(),
        Kind::WebAddress => "https://other.example.it",
        Kind::Colour => "#123456",
        Kind::SocketAddress => "127.0.0.2:2",
        Kind::Networks => "[\"10.0.0.0/8\"]",
        Kind::Texts if path.ends_with("trust_marks") => "[\"aa.bb.cc\"]",
        Kind::Texts => "[\"other\"]",
        Kind::WebAddresses => "[\"https://other.example.it\"]",
        Kind::Level => "SpidL3",
        Kind::Levels => "[\"SpidL1\", \"SpidL3\"]",
        Kind::Choices(choices) if choices.contains(&"hwk") => "[\"hwk\"]",
        Kind::Choices(_) => "[\"totp\"]",
        Kind::Path if path.ends_with("method.jwks_file") => "other-jwks.json",
        Kind::Claims => "[\"email\"]",
        Kind::ClaimMap => "{\"email\": \"mail\"}",
        Kind::Labels => "{\"email\": \"Mail\"}",
        Kind::Secret if path == "database_url" => "postgres://me@host/db",
        Kind::Secret if path == "mail.smtp_url" => "smtp://mail.example.it",
        Kind::Text if path == "mail.from" => "other@example.it",
        Kind::Path if path.ends_with("trust_marks_dir") => "marks",
        Kind::Path if path.ends_with("ca_file") => "ca",
        Kind::Text if path.ends_with("certificate.header") => "X-Other",
        Kind::Sections(_) if path.ends_with(".rp") => "[{\"id\": \"x\"}]",
        Kind::Sections(_) => "[]",
        _ => "another text of some length",
    };
    text.to_owned()
}

#[test]
fn every_key_changes_the_settings_under_its_environment_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("marks")).unwrap();
    std::fs::write(folder.path().join("marks/mark"), "aa.bb.cc").unwrap();
    external::write_keys(folder.path());
    card::write_authorities(folder.path(), "ca");
    let settings = |pairs: Vec<(String, String)>| {
        let environment: Environment = pairs.into_iter().collect();
        let settings = parse(PRODUCTION, folder.path(), &environment);
        let settings = settings.unwrap_or_else(|error| panic!("{error}"));
        let secrets: String = settings
            .issuers
            .iter()
            .map(|issuer| issuer.pairwise_salt.expose().clone())
            .chain([settings.database_url.expose().clone()])
            .collect();
        format!("{settings:?}{secrets}")
    };
    let before = settings(Vec::new());
    let names = varco_variables();
    let mut keys = Vec::new();
    other_values(&tables::SERVER, "", &mut keys);
    assert!(keys.len() > 50, "{}", keys.len());
    for (path, value) in keys {
        let (_, name, _) = names.iter().find(|(known, ..)| *known == path).unwrap();
        let mut pairs = vec![(name.clone(), value)];
        if path.starts_with("tls.") {
            // Neither of the two is anything without the other.
            let both = ["VARCO_TLS_CERTIFICATE_FILE", "VARCO_TLS_KEY_FILE"];
            pairs.extend(both.map(|name| (name.to_owned(), "other".to_owned())));
        }
        if path.starts_with("issuer.external_method.") {
            pairs.splice(..0, external::needed());
        }
        if path.starts_with("issuer.client_certificate.") {
            pairs.insert(0, card::needed());
        }
        if path.starts_with("mail.") {
            let all = [
                ("SMTP_URL", "smtp://a"),
                ("FROM", "a@b"),
                ("USERNAME", "u"),
                ("PASSWORD", "p"),
            ];
            pairs.splice(
                ..0,
                all.map(|(key, value)| (format!("VARCO_MAIL_{key}"), value.into())),
            );
        }
        assert_ne!(settings(pairs), before, "{name} changes nothing");
    }
}

#[test]
fn the_example_is_the_golden_file_and_lacks_only_what_must_be_decided() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/varco.example.toml");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::write(&golden, example()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&golden).unwrap(),
        example(),
        "run the tests with UPDATE_GOLDEN=1 and look at the difference"
    );
    let problems = problems_of(&example());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("issuer[0].pairwise_salt"));
}

#[test]
fn the_example_with_all_its_comments_opened_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("trust-marks")).unwrap();
    card::write_authorities(folder.path(), "card-authorities.pem");
    card::write_authorities(folder.path(), "mail-ca.pem");
    external::write_keys(folder.path());
    let opened: String = example()
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .filter(|line| {
            (line.starts_with('[') && line.ends_with(']'))
                || line.split_once(" = ").is_some_and(|(key, _)| {
                    !key.is_empty()
                        && key
                            .bytes()
                            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
                })
        })
        .filter(|line| *line != "jwks_file = \"ta-jwks.json\"")
        .map(|line| format!("{line}\n"))
        .collect();
    let error = parse(&opened, folder.path(), &Environment::default()).unwrap_err();
    // The two places where the example must not be used as it is.
    let keys: Vec<&str> = error
        .problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(
        keys,
        ["issuer[0].pairwise_salt", "issuer[0].trust_anchor[0].jwks"],
        "{error}"
    );
}

#[test]
fn the_headers_of_proxies_are_of_one_kind() {
    let settings = load_text(PRODUCTION).unwrap();
    assert_eq!(settings.forwarded_header, ForwardedHeader::XForwarded);
    let settings = load_text(&format!("forwarded_header = \"forwarded\"\n{PRODUCTION}")).unwrap();
    assert_eq!(settings.forwarded_header, ForwardedHeader::Forwarded);
}
