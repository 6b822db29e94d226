//! Commands beside a running server.

use super::member::{CREDENTIALS, Member, USER};
use super::process::{varco, write};
use crate::harness::Browser;

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

async fn enter(login: &str) -> u16 {
    let mut browser = Browser::new();
    let page = browser.get(login).await;
    let form = page
        .form("/login")
        .with("username", CREDENTIALS.0)
        .with("password", CREDENTIALS.1);
    browser.submit(&page, &form).await.status
}
