//! The citizen takes an RP's access back (SPID/CIE AZ-10: at any time, on the history page).

use crate::harness::World;
use varco::demo::LoginOptions;

fn query(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

#[actix_web::test]
async fn revoking_an_rp_kills_its_tokens_at_once_and_stays_visible() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let (rp, other) = (world.rp(), world.federation.aggregated_relying_party());
            let offline = LoginOptions::default().with_offline_access();
            let mut browser = world.browser();
            let tokens = world.tokens_of(&mut browser, rp, &issuer, &offline).await;
            let others = world
                .tokens_of(&mut browser, other, &issuer, &offline)
                .await;
            // A login on another device, and one whose code the RP has not redeemed yet.
            let device = world.login(rp, &issuer, &offline).await.answer;
            let (prepared, code) = world.code_with(&mut browser, rp, &issuer, &offline).await;

            let history = world.history(&mut browser, profile).await;
            assert_eq!(history.accesses().len(), 4);
            let form = history.form("/history/revoke");
            assert!(form.fields.iter().any(|(name, _)| name == "rp"));
            let address = format!("/{profile}/history/revoke?rp={}", query(rp.entity_id()));
            let confirm = browser.get(&world.url(&address)).await;
            assert_eq!(confirm.status, 200);
            assert!(
                confirm
                    .text()
                    .contains("Sta per revocare l’autorizzazione di")
            );
            // Asking changes nothing; neither does a form from elsewhere.
            let forged = vec![("rp".to_owned(), rp.entity_id().to_owned())];
            let refused = browser
                .post(&world.url(&format!("/{profile}/history/revoke")), &forged)
                .await;
            assert_eq!(refused.status, 400);
            assert!(
                refused
                    .text()
                    .contains("Il modulo inviato non è più valido")
            );
            assert!(world.is_active(rp, &issuer, &tokens.access_token).await);

            let done = browser
                .submit(&confirm, &confirm.form("/history/revoke"))
                .await;
            assert_eq!(done.status, 303, "{}", done.body);
            let page = browser.follow(done, &world.base).await;
            assert!(page.text().contains("è stata revocata"), "{}", page.text());
            let rows = page.accesses();
            assert_eq!(rows.len(), 4, "what happened stays");
            let (revoked, kept): (Vec<_>, Vec<_>) =
                rows.iter().partition(|row| row.contains(rp.entity_id()));
            assert!(
                revoked
                    .iter()
                    .all(|row| row.contains("Revocata il 15 gennaio 2026"))
            );
            assert!(kept.iter().all(|row| row.contains("Attiva")));

            for dead in [&tokens, &device] {
                let userinfo = world.userinfo(&issuer, &dead.access_token).await;
                assert_eq!(userinfo.status, 401, "{profile}: {}", userinfo.body);
                assert_eq!(userinfo.error(), "invalid_token");
                let refresh_token = dead.refresh_token.as_deref().unwrap();
                let again = world.refresh(rp, &issuer, refresh_token).await;
                assert_eq!(
                    (again.status, again.error().as_str()),
                    (400, "invalid_grant")
                );
                for token in [dead.access_token.as_str(), refresh_token] {
                    assert!(!world.is_active(rp, &issuer, token).await, "{profile}");
                }
            }
            let late = rp
                .token_request(&issuer.metadata, &prepared, &code)
                .unwrap();
            let late = world.post(&issuer.metadata.token_endpoint, &late).await;
            assert_eq!((late.status, late.error().as_str()), (400, "invalid_grant"));
            // The other RP noticed nothing.
            let userinfo = world.userinfo(&issuer, &others.access_token).await;
            assert_eq!(userinfo.status, 200);
            let again = world
                .refresh(other, &issuer, others.refresh_token.as_deref().unwrap())
                .await;
            assert_eq!(again.status, 200, "{}", again.body);
            // Twice is no error, and changes nothing.
            let twice = browser
                .submit(&confirm, &confirm.form("/history/revoke"))
                .await;
            assert_eq!(twice.status, 303);
            // The RP may come back with a new consent.
            let anew = world.tokens_of(&mut browser, rp, &issuer, &offline).await;
            assert_eq!(
                world.userinfo(&issuer, &anew.access_token).await.status,
                200
            );
        }
    }
}

#[actix_web::test]
async fn nobody_revokes_the_access_that_another_gave() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let rp = world.rp();
    let hers = world.login(rp, &issuer, &LoginOptions::default()).await;
    let mut his = world.browser();
    let page = world.enter(&mut his, "spid", ("bruno", "bruno-demo")).await;
    let address = format!("/spid/history/revoke?rp={}", query(rp.entity_id()));
    let asked = his.get(&world.url(&address)).await;
    assert_eq!(asked.status, 404, "an RP that he never used");
    assert!(!asked.text().contains("Comune di Esempio"));
    let logout = page.form("/logout");
    let own_token = logout.with("rp", rp.entity_id()).fields;
    let refused = his
        .post(&world.url("/spid/history/revoke"), &own_token)
        .await;
    assert_eq!(refused.status, 404);
    let none = his.get(&world.url("/spid/history/revoke")).await;
    assert_eq!(none.status, 404);
    // Her token in his form does not count either, nor hers of another issuer.
    assert!(
        world
            .is_active(rp, &issuer, &hers.answer.access_token)
            .await
    );
    let mut at_cie = world.browser();
    let page = world.enter(&mut at_cie, "cie", ("ada", "ada-demo")).await;
    let form = page.form("/logout").with("rp", rp.entity_id()).fields;
    let refused = at_cie.post(&world.url("/cie/history/revoke"), &form).await;
    assert_eq!(refused.status, 404, "accesses of another issuer");
    assert!(
        world
            .is_active(rp, &issuer, &hers.answer.access_token)
            .await
    );
    let stranger = world
        .browser()
        .post(&world.url("/spid/history/revoke"), &own_token)
        .await;
    assert_eq!(stranger.status, 303);
    assert!(
        world
            .is_active(rp, &issuer, &hers.answer.access_token)
            .await
    );
}

/// SPID/CIE AZ-10: the consent page of CIE has a switch; the login succeeds without it.
#[actix_web::test]
async fn a_citizen_may_refuse_offline_access_alone_where_the_profile_lets_her() {
    let world = World::start();
    let options = LoginOptions::default().with_offline_access();
    for (profile, has_switch) in [("spid", false), ("cie", true)] {
        let issuer = world.issuer(profile).await;
        let rp = world.rp();
        let mut browser = world.browser();
        let prepared = rp
            .authorization_request(&issuer.metadata, &options)
            .unwrap();
        let page = world.authorize(&mut browser, &prepared).await;
        let consent = world
            .type_password(&mut browser, &page, ("ada", "ada-demo"))
            .await;
        let switch = "name=\"offline_access\" value=\"1\" checked";
        assert_eq!(
            consent.body.contains(switch),
            has_switch,
            "SPID/CIE AZ-10 ({profile})"
        );
        assert!(
            consent
                .text()
                .contains("Può revocare questa autorizzazione in ogni momento")
                || has_switch,
            "notices say how"
        );
        let form = consent.form("/consent").with("decision", "allow");
        let answer = browser.submit(&consent, &form).await;
        let code = answer.redirected("code").unwrap();
        let tokens = world.redeem(rp, &issuer, prepared, &code).await.answer;
        assert_eq!(
            tokens.refresh_token.is_some(),
            !has_switch,
            "SPID/CIE AZ-10 ({profile})"
        );
    }
}
