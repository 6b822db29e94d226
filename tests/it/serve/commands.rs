//! Commands beside a running server.

use super::member::{CREDENTIALS, Member, USER};
use super::process::{Said, varco, write};
use crate::harness::Browser;
use std::path::Path;

#[actix_web::test]
async fn people_and_keys_change_under_a_running_issuer() {
    let member = Member::new(None);
    let folder = member.folder.path();
    let (server, provider) = member.serve().await;
    let mut browser = Browser::new();
    let tokens = member.tokens(&mut browser, &provider).await;

    // New keys: old tokens go on, new ones verify with what is published now.
    for ring in ["protocol", "federation"] {
        let arguments = [
            "keys",
            "rotate",
            "--issuer",
            &member.issuer,
            "--ring",
            ring,
            "--now",
            "--reason",
            "a key was copied",
        ];
        varco(folder, &arguments).done();
    }
    server.line("event=keys.reloaded");
    let userinfo = member.userinfo(&provider, &tokens.access_token).await;
    assert_eq!(userinfo.status, 200, "{}", userinfo.body);
    // Nothing that a command prints is a private key.
    let listed = varco(folder, &["--json", "keys", "list"]).done();
    assert!(!listed.contains("PRIVATE") && !listed.contains("\"d\""));

    // Who is switched off cannot log in, and her tokens stop.
    varco(folder, &["user", "disable", CREDENTIALS.0]).done();
    let userinfo = member.userinfo(&provider, &tokens.access_token).await;
    assert_eq!(userinfo.status, 401, "{}", userinfo.body);
    let history = browser.get(&server.url("/spid/history")).await;
    assert_eq!(history.status, 303, "her session is of no use");
    let refused = enter(&server.url("/spid/login")).await;
    assert_eq!(refused, 422);
    varco(folder, &["user", "enable", CREDENTIALS.0]).done();
    assert_eq!(enter(&server.url("/spid/login")).await, 303);

    // A second import updates; a wrong file changes nothing.
    write(
        folder,
        "wrong.jsonl",
        &format!("{USER}{{\"username\": \"\"}}\n"),
    );
    let wrong = folder.join("wrong.jsonl");
    let said = varco(folder, &["user", "import", wrong.to_str().unwrap()]);
    assert_eq!(said.status, 1, "{}", said.out);
    assert!(said.err.contains('2'), "the line is named: {}", said.err);
    assert!(!said.err.contains(CREDENTIALS.1));
    let exported = varco(folder, &["user", "export"]).done();
    assert!(exported.contains(CREDENTIALS.0) && !exported.contains("argon2"));
    varco(folder, &["purge"]).done();
    assert_eq!(enter(&server.url("/spid/login")).await, 303);
}

#[actix_web::test]
async fn an_rp_is_explained_without_a_running_server() {
    // SPID/CIE FE-1 to FE-10
    let member = Member::new(None);
    let folder = member.folder.path();
    let rp = member.federation.relying_party().entity_id().to_owned();
    let said = beside(folder, &["rp", "check", "--issuer", &member.issuer, &rp]).await;
    let said = said.done();
    assert!(said.starts_with("ACCEPTED"), "{said}");
    for part in [
        "Fetches",
        "Path (used)",
        "[anchor]",
        "[rp]",
        "Final metadata",
        "Conformance report",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("FAIL"), "{said}");

    let nobody = format!("{rp}nobody/");
    let arguments = ["rp", "check", "--issuer", &member.issuer, &nobody];
    let refused = beside(folder, &arguments).await;
    assert_eq!(refused.status, 1, "{}", refused.out);
    assert!(
        refused.out.starts_with("REFUSED") && refused.out.contains("404"),
        "{}",
        refused.out
    );
    assert!(refused.err.contains("refuses"), "{}", refused.err);

    let arguments = ["--json", "rp", "check", "--issuer", &member.issuer, &nobody];
    let document = beside(folder, &arguments).await;
    assert_eq!(document.status, 1, "{}", document.err);
    let document: serde_json::Value = serde_json::from_str(&document.out).unwrap();
    assert_eq!(document["accepted"], false);
    assert_eq!(document["client_id"], nobody.as_str());
    assert!(
        document["refusal"]["change"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert!(
        document["fetches"][0]["url"]
            .as_str()
            .is_some_and(|url| url.starts_with(&rp))
    );

    let elsewhere = varco(
        folder,
        &["rp", "check", "--issuer", "https://no.example", &rp],
    );
    assert_eq!(elsewhere.status, 2, "{}", elsewhere.err);
}

/// A command that asks this process, which goes on meanwhile.
async fn beside(folder: &Path, arguments: &[&str]) -> Said {
    let folder = folder.to_owned();
    let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        varco(&folder, &arguments)
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn enter(login: &str) -> u16 {
    let mut browser = Browser::new();
    let page = browser.get(login).await;
    let form = page
        .form("/login")
        .with("username", CREDENTIALS.0)
        .with("password", CREDENTIALS.1);
    browser.submit(&page, &form).await.status
}
