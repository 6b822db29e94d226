//! `[issuer.external_method]`, and the e-mail among the second factors.

use super::*;
use crate::model::Method;

const KEYS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256", "x": "1", "y": "2"}]}"#;

/// The files that the tests name.
pub(super) fn write_keys(folder: &Path) {
    for (name, spaces) in [("app-jwks.json", ""), ("other-jwks.json", " ")] {
        let keys = KEYS.replace("\"1\"", &format!("\"1{spaces}\""));
        std::fs::write(folder.join(name), keys).unwrap();
    }
}

/// What has to be there beside any key of it.
pub(super) fn needed() -> Vec<(String, String)> {
    [
        ("NAME", "app"),
        ("URL", "https://app.example.it/"),
        ("JWKS_FILE", "app-jwks.json"),
    ]
    .map(|(key, value)| {
        let key = format!("VARCO_ISSUER_EXTERNAL_METHOD_{key}");
        (key, value.to_owned())
    })
    .into()
}

fn load_with(lines: &str) -> Result<ServerSettings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    write_keys(folder.path());
    let private = r#"{"keys": [{"kty": "EC", "crv": "P-256", "d": "3"}]}"#;
    std::fs::write(folder.path().join("private.json"), private).unwrap();
    std::fs::write(folder.path().join("text.json"), "no JSON").unwrap();
    let text = format!("{PRODUCTION}\n[issuer.external_method]\n{lines}\n");
    parse(&text, folder.path(), &Environment::default())
}

#[test]
fn an_external_method_is_a_second_factor_with_levels_of_its_own() {
    let lines = "name = { it = \"l'app\", en = \"the app\" }\nurl = \"https://app.example.it/a\"\njwks_file = \"app-jwks.json\"";
    let settings = load_with(lines).unwrap();
    let issuer = &settings.issuers[0];
    let method = issuer.external_method.as_ref().unwrap();
    assert_eq!(method.name["en"], "the app");
    assert_eq!(method.levels, ["https://www.spid.gov.it/SpidL2"]);
    assert_eq!(
        (method.timeout_seconds, method.amr.as_slice()),
        (180, &["mca"][..])
    );
    assert_eq!(
        issuer.second_factors,
        [Method::Totp, Method::Recovery, Method::External]
    );
    let none = load_text(PRODUCTION).unwrap();
    assert!(none.issuers[0].external_method.is_none());
    assert!(!none.issuers[0].second_factors.contains(&Method::External));
}

#[test]
fn everything_that_is_wrong_about_an_external_method_is_said_at_once() {
    let problems = |lines: &str| {
        let error = load_with(lines).unwrap_err().to_string();
        assert!(!error.contains("PRIVATE"));
        error
    };
    let all = problems("url = \"http://app.example.it/\"\nlevels = []\namr = [\"magic\"]");
    for key in ["name", "url", "jwks_file", "levels", "amr[0]"] {
        let path = format!("issuer[0].external_method.{key}:");
        assert!(all.contains(&path), "{key}: {all}");
    }
    for (file, found) in [
        ("private.json", "a secret or private key"),
        ("text.json", "no JSON"),
        ("none.json", "No such file"),
    ] {
        let lines = format!("name = \"a\"\nurl = \"https://a.example/\"\njwks_file = \"{file}\"");
        assert!(problems(&lines).contains(found), "{file}");
    }
    let secret =
        "name = \"a\"\nurl = \"https://me:secret@a.example/\"\njwks_file = \"app-jwks.json\"";
    assert!(!problems(secret).contains("secret@"));
}

#[test]
fn codes_by_e_mail_need_a_mail_server() {
    let text = PRODUCTION.replacen(
        "[[issuer]]",
        "[[issuer]]\nsecond_factors = [\"totp\", \"email\"]",
        1,
    );
    let problems = problems_of(&text);
    assert!(
        problems[0].starts_with("issuer[0].second_factors: found email, without a [mail] table"),
        "{problems:?}"
    );
    let mail = "[mail]\nsmtp_url = \"smtps://mail.example.it\"\nfrom = \"a@example.it\"";
    let settings = load_text(&format!("{text}\n{mail}\n")).unwrap();
    let factors = &settings.issuers[0].second_factors;
    assert_eq!(*factors, [Method::Totp, Method::EmailCode]);
}
