//! `kill -9` at any moment: what an RP or a citizen was told has happened.

use super::member::on_each_database;
use crate::harness::Browser;

/// SPID/CIE TK-2 and RV-1 hold across a crash.
#[actix_web::test]
async fn what_was_answered_before_a_kill_holds_after_it() {
    for member in on_each_database() {
        let (server, provider) = member.serve().await;
        let mut browser = Browser::new();
        let kept = member.tokens(&mut browser, &provider).await;
        let revoked = member.tokens(&mut browser, &provider).await;
        let (prepared, code) = member.code(&mut browser, &provider).await;
        let spent = member.present(&provider, &prepared, &code).await;
        assert_eq!(spent.status, 200, "{}", spent.body);
        let form = member
            .rp()
            .revocation_request(&provider, revoked.refresh_token.as_deref().unwrap())
            .unwrap();
        let answer = browser.post(&provider.revocation_endpoint, &form).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        server.kill();

        let server = member.restart();
        let cookies = browser.cookies;
        // Its connections died with the server.
        let mut browser = Browser::new();
        browser.cookies = cookies;
        let again = member.present(&provider, &prepared, &code).await;
        assert_eq!(
            (again.status, again.error().as_str()),
            (400, "invalid_grant"),
            "SPID/CIE TK-2: {}",
            again.body
        );
        for token in [
            &revoked.access_token,
            revoked.refresh_token.as_ref().unwrap(),
        ] {
            assert!(!member.is_active(&provider, token).await, "SPID/CIE RV-1");
        }
        let userinfo = member.userinfo(&provider, &kept.access_token).await;
        assert_eq!(userinfo.status, 200, "{}", userinfo.body);
        let form = member
            .rp()
            .refresh_request(&provider, kept.refresh_token.as_deref().unwrap())
            .unwrap();
        let refreshed = browser.post(&provider.token_endpoint, &form).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.body);
        let history = browser.get(&server.url("/spid/history")).await;
        assert_eq!(history.accesses().len(), 3, "the session survives");
        let (_, code) = member.code(&mut browser, &provider).await;
        assert!(!code.is_empty());
    }
}
