//! `varco config check` and what `varco serve` refuses.

use super::process::{Said, varco, write};

const PRODUCTION: &str = r#"
listen = "127.0.0.1:0"
[[issuer]]
id = "https://login.example.it/spid/"
pairwise_salt = "kP8sX0yq2mZr7cVw"
[[issuer.trust_anchor]]
id = "https://registry.example.it"
jwks = '{"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}'
"#;

fn check(text: &str, arguments: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "varco.toml", text);
    let said = varco(folder.path(), arguments);
    // A configuration is only read: nothing is made of it.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    said
}

#[test]
fn a_production_configuration_is_valid_and_the_example_says_what_must_be_decided() {
    let said = check(PRODUCTION, &["config", "check"]);
    assert!(said.done().contains("https://login.example.it/spid/"));
    let example = check("", &["config", "example"]).done();
    let said = check(&example, &["config", "check"]);
    assert_eq!(said.status, 1);
    assert!(said.err.contains("issuer[0].pairwise_salt"), "{}", said.err);
}

#[test]
fn every_problem_is_reported_at_once_and_serve_refuses_the_same() {
    let text = PRODUCTION
        .replace("jwks =", "# jwks =")
        .replace("kP8sX0yq2mZr7cVw", "CHANGEME")
        .replace(
            "[[issuer]]",
            "histori_per_page = 1\nthrottle = 3\n[[issuer]]",
        );
    let text = format!(
        "{text}\n[[issuer]]\nid = \"https://login.example.it/spid\"\npairwise_salt = \"kP8sX0yq2mZr7cVw\"\n\
         [[issuer]]\nid = \"http://127.0.0.1/cie\"\nprofile = \"cie\"\npairwise_salt = \"kP8sX0yq2mZr7cVw\"\n"
    );
    let expected = [
        ("histori_per_page", "did you mean `history_per_page`?"),
        ("throttle", ""),
        ("issuer[0].pairwise_salt", "a salt that everybody knows"),
        ("issuer[0].trust_anchor[0].jwks_file", "no pinned keys"),
        ("issuer[1].id", "one address serves one issuer"),
        ("issuer[2].id", "an https URL"),
    ];
    for command in [&["config", "check"][..], &["serve"][..]] {
        let said = check(&text, command);
        assert_eq!(said.status, 1, "{command:?}");
        for (key, words) in expected {
            let named = said
                .err
                .lines()
                .any(|line| line.contains(key) && line.contains(words));
            assert!(named, "{command:?}: {key}, {words} in\n{}", said.err);
        }
        assert!(!said.err.contains("CHANGEME"), "a salt is never shown");
    }
    let said = check(&text, &["--json", "config", "check"]);
    assert_eq!(said.status, 1);
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["valid"], false);
    for (key, _) in expected {
        let problems = json["problems"].as_array().unwrap();
        assert!(
            problems.iter().any(|problem| problem["key"] == key),
            "{key} in {json}"
        );
    }
}

#[test]
fn serve_says_what_to_do_when_the_keys_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "varco.toml", PRODUCTION);
    let said = varco(folder.path(), &["serve"]);
    assert_eq!(said.status, 1);
    assert!(said.err.contains("varco keys init"), "{}", said.err);
}

#[test]
fn a_command_used_wrongly_exits_with_two() {
    for arguments in [&["no-such-command"][..], &["keys", "rotate"][..]] {
        let said = check(PRODUCTION, arguments);
        assert_eq!(said.status, 2, "{arguments:?}");
        assert!(said.err.contains("Usage"), "{}", said.err);
    }
}
