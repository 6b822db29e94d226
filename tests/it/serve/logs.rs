//! The log: one line an event, with the request's reference, and nothing that is personal or secret.

use super::member::{CREDENTIALS, Member};
use crate::harness::Browser;
use varco::demo::relying_party::TokenAnswer;

#[actix_web::test]
async fn a_whole_login_leaves_its_references_and_no_secret_in_the_log() {
    for level in ["", "varco=trace"] {
        let member = Member::new(None);
        // Without the variable it logs what an operator sees by default.
        let variables = [("RUST_LOG", level)];
        let variables = if level.is_empty() {
            &[]
        } else {
            &variables[..]
        };
        let (server, provider) = member.serve_with(variables).await;
        let mut secrets: Vec<String> = Vec::new();
        let mut references = Vec::new();

        // A login that fails at first.
        let mut browser = Browser::new();
        let page = browser.get(&server.url("/spid/login")).await;
        let wrong = page
            .form("/login")
            .with("username", CREDENTIALS.0)
            .with("password", "falsch-3k-wort");
        let refused = browser.submit(&page, &wrong).await;
        references.push(refused.header("x-request-id").to_owned());
        secrets.push("falsch-3k-wort".to_owned());

        let (prepared, code) = member.code(&mut browser, &provider).await;
        let answer = member.present(&provider, &prepared, &code).await;
        references.push(answer.header("x-request-id").to_owned());
        let tokens = TokenAnswer::parse(answer.body.as_bytes()).unwrap();
        let userinfo = member.userinfo(&provider, &tokens.access_token).await;
        references.push(userinfo.header("x-request-id").to_owned());
        // Mistakes say more than successes.
        let again = member.present(&provider, &prepared, &code).await;
        references.push(again.header("x-request-id").to_owned());
        let forged = format!("{}x", tokens.access_token);
        member.userinfo(&provider, &forged).await;
        member
            .is_active(&provider, tokens.refresh_token.as_deref().unwrap())
            .await;
        let history = browser.get(&server.url("/spid/history")).await;
        browser.submit(&history, &history.form("/logout")).await;

        for (name, value) in prepared.fields.iter().filter(|(name, _)| name == "request") {
            assert!(!value.is_empty(), "{name}");
            secrets.push(value.clone());
        }
        secrets.extend(
            browser
                .cookies
                .values()
                .filter(|value| value.len() > 8)
                .cloned(),
        );
        secrets.extend([
            code,
            prepared.code_verifier,
            prepared.nonce,
            tokens.access_token,
            tokens.refresh_token.unwrap(),
            tokens.id_token.unwrap(),
            userinfo.body,
        ]);
        secrets.extend(
            [
                CREDENTIALS.0,
                CREDENTIALS.1,
                "Wolframina",
                "Quarzhofer",
                "QRZWFR80A41A952K",
                "wolframina",
            ]
            .map(str::to_owned),
        );

        server.signal("TERM");
        let (status, lines) = server.ended();
        assert_eq!(status, Some(0));
        let whole = lines.join("\n");
        for secret in &secrets {
            assert!(
                !whole.contains(secret),
                "{level}: {secret} is in the log:\n{whole}"
            );
        }
        for reference in &references {
            let known = lines
                .iter()
                .any(|line| line.contains(&format!("request={reference}")));
            assert!(known, "{level}: no line of {reference} in\n{whole}");
        }
        for line in &lines {
            assert!(line.contains("event="), "one event a line: {line}");
        }
        for event in [
            "authorization.started",
            "login.failed",
            "login.succeeded",
            "consent.given",
        ] {
            let count = lines
                .iter()
                .filter(|line| line.contains(&format!("event={event} ")))
                .count();
            assert_eq!(count, 1, "{event} in\n{whole}");
        }
    }
}
