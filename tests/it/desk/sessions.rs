//! Finding and ending what relying parties hold.

use super::PASSWORD;
use crate::harness::{Answer, Browser, Issuer, Tokens, World};
use varco::demo::LoginOptions;
use varco::demo::relying_party::unverified_claims;
use varco::model::Role;

pub async fn offline_login(
    world: &World,
    browser: &mut Browser,
    issuer: &Issuer,
) -> (String, Tokens) {
    let options = LoginOptions {
        prompt: "consent".to_owned(),
        ..LoginOptions::default().with_offline_access()
    };
    let (prepared, code) = world.code_with(browser, world.rp(), issuer, &options).await;
    let tokens = world.redeem(world.rp(), issuer, prepared, &code).await;
    (code, tokens)
}

pub fn jti(token: &str) -> String {
    unverified_claims(token).unwrap()["jti"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub async fn find(world: &World, desk: &mut Browser, sought: &str) -> Answer {
    let page = desk.get(&world.url("/admin/sessions")).await;
    let form = page.form("/admin/sessions").with("sought", sought);
    desk.submit(&page, &form).await
}

/// Presses the button of a confirmation page; the page that tells what was done.
async fn revoke(world: &World, desk: &mut Browser, what: &str, id: &str) -> Answer {
    let page = desk
        .get(&world.url(&format!("/admin/sessions/revoke?what={what}&id={id}")))
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
    let form = page
        .form("/admin/sessions/revoke")
        .with("reason", "asked for by the person");
    let answer = desk.submit(&page, &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    desk.get(&world.url(&answer.leads_to())).await
}

fn grant_of(address: &str) -> String {
    address
        .split("id=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned()
}

#[actix_web::test]
async fn a_grant_is_found_by_whatever_of_it_somebody_has() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    let (code, tokens) = offline_login(&world, &mut browser, &issuer).await;
    let access = &tokens.answer.access_token;
    let refresh = tokens.answer.refresh_token.as_deref().unwrap();
    let mut desk = world.desk().await;
    let by_code = find(&world, &mut desk, &code).await.leads_to();
    let grant = grant_of(&by_code);
    let tree = desk.get(&world.url(&by_code)).await;
    assert_eq!(tree.status, 200, "{}", tree.body);
    for shown in [jti(access), jti(refresh), "SHA-256".to_owned()] {
        assert!(tree.text().contains(&shown), "{shown}: {}", tree.text());
    }
    // A code opens a login: no address, and no page that was not asked for it, has it.
    assert!(!by_code.contains(&code) && !tree.body.contains(&code));
    for sought in [
        access.as_str(),
        refresh,
        &jti(access),
        &jti(refresh),
        &grant,
    ] {
        let to = find(&world, &mut desk, sought).await.leads_to();
        assert_eq!(grant_of(&to), grant, "{sought}");
        assert!(!to.contains(access.as_str()) && !to.contains(refresh));
    }
    let subject = tokens.id_token["sub"].as_str().unwrap();
    for list in [subject, world.rp().entity_id()] {
        let to = find(&world, &mut desk, list).await.leads_to();
        let page = desk.get(&world.url(&to)).await;
        assert!(page.body.contains(&format!("id={grant}")), "{list}: {to}");
    }
    // The session, by the link that the tree has.
    let session = tree.body.split("session=").nth(1).unwrap();
    let session = session.split('"').next().unwrap();
    let to = find(&world, &mut desk, session).await.leads_to();
    let page = desk.get(&world.url(&to)).await;
    assert!(page.body.contains(&format!("id={grant}")), "{}", page.body);
    let nothing = find(&world, &mut desk, "<no\0thing>").await;
    assert_eq!(nothing.status, 422);
    assert!(nothing.text().contains("Non è stato trovato nulla"));
}

#[actix_web::test]
async fn revoking_a_refresh_token_ends_what_came_of_it_and_the_trail_tells() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut browser = world.browser();
    let (_, first) = offline_login(&world, &mut browser, &issuer).await;
    let old = first.answer.refresh_token.as_deref().unwrap();
    let renewed = world.refresh(world.rp(), &issuer, old).await.granted();
    let access = renewed["access_token"].as_str().unwrap();
    assert!(world.is_active(world.rp(), &issuer, access).await);
    let mut desk = world.desk().await;
    // The token that was exchanged: its offspring ends, and so the grant, of which nothing is left.
    let told = revoke(&world, &mut desk, "token", &jti(old)).await;
    for line in [
        "Token di accesso revocati: 1",
        "Token di rinnovo revocati: 1",
        "Consensi revocati: 1",
    ] {
        assert!(told.text().contains(line), "{line}: {}", told.text());
    }
    assert!(!world.is_active(world.rp(), &issuer, access).await);
    let refresh = renewed["refresh_token"].as_str().unwrap();
    world
        .refresh(world.rp(), &issuer, refresh)
        .await
        .is_refused(400, "invalid_grant", "revoked");
    let to = find(&world, &mut desk, access).await.leads_to();
    let subject = format!("/admin/trail?subject=grant+{}", grant_of(&to));
    let trail = desk.get(&world.url(&subject)).await;
    assert!(trail.text().contains("token.revoke"), "{}", trail.text());
    assert!(trail.text().contains("asked for by the person"));
    // Once more: nothing is left, which is said, and not told in the trail.
    let again = format!("/admin/sessions/revoke?what=token&id={}", jti(old));
    let page = desk.get(&world.url(&again)).await;
    let form = page.form("/admin/sessions/revoke").with("reason", "again");
    let answer = desk.submit(&page, &form).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("value=\"again\""));
    let trail = desk.get(&world.url(&subject)).await;
    assert_eq!(trail.text().matches("token.revoke").count(), 1);
}

#[actix_web::test]
async fn revoking_an_access_token_leaves_its_siblings() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    let (_, tokens) = offline_login(&world, &mut browser, &issuer).await;
    let (access, refresh) = (
        tokens.answer.access_token.as_str(),
        tokens.answer.refresh_token.as_deref().unwrap(),
    );
    let mut desk = world.desk().await;
    let told = revoke(&world, &mut desk, "token", &jti(access)).await;
    assert!(told.text().contains("Token di accesso revocati: 1"));
    assert!(!told.text().contains("Consensi revocati"));
    world
        .userinfo(&issuer, access)
        .await
        .is_refused(401, "invalid_token", "revoked");
    assert!(world.is_active(world.rp(), &issuer, refresh).await);
}

#[actix_web::test]
async fn an_unused_code_is_revoked_before_anybody_redeems_it() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let (prepared, code) = world
        .code(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let mut desk = world.desk().await;
    let to = find(&world, &mut desk, &code).await.leads_to();
    let told = revoke(&world, &mut desk, "code", &grant_of(&to)).await;
    assert!(told.text().contains("Codici resi inutilizzabili: 1"));
    world
        .redeem_raw(world.rp(), &issuer, &prepared, &code)
        .await
        .is_refused(400, "invalid_grant", "");
}

#[actix_web::test]
async fn ending_a_session_spares_access_in_absence_unless_all_is_ended() {
    let world = World::start();
    for (what, survives) in [("session", true), ("all", false)] {
        let issuer = world.issuer("cie").await;
        let mut browser = world.browser();
        let (_, tokens) = offline_login(&world, &mut browser, &issuer).await;
        let (access, refresh) = (
            tokens.answer.access_token.as_str(),
            tokens.answer.refresh_token.as_deref().unwrap(),
        );
        let mut desk = world.desk().await;
        let to = find(&world, &mut desk, access).await.leads_to();
        let tree = desk.get(&world.url(&to)).await;
        let session = tree.body.split("?session=").nth(1).unwrap();
        let session = session.split('"').next().unwrap().to_owned();
        let told = revoke(&world, &mut desk, what, &session).await;
        assert!(
            told.text().contains("Sessioni terminate: 1"),
            "{}",
            told.text()
        );
        assert!(!world.is_active(world.rp(), &issuer, access).await);
        assert_eq!(
            world.is_active(world.rp(), &issuer, refresh).await,
            survives,
            "SPID/CIE AZ-10"
        );
        // The browser has to prove anew who is there.
        let prepared = world.request(&issuer, &LoginOptions::default());
        let page = world.authorize(&mut browser, &prepared).await;
        assert!(page.body.contains("name=\"password\""), "{}", page.body);
    }
}

#[actix_web::test]
async fn a_viewer_looks_and_ends_nothing() {
    let world = World::start();
    world.add_operator("vera", Role::Viewer);
    let issuer = world.issuer("spid").await;
    let mut browser = world.browser();
    let (code, tokens) = offline_login(&world, &mut browser, &issuer).await;
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let to = find(&world, &mut vera, &code).await.leads_to();
    let tree = vera.get(&world.url(&to)).await;
    assert_eq!(tree.status, 200);
    assert!(!tree.body.contains("/admin/sessions/revoke"));
    let url = format!("/admin/sessions/revoke?what=grant&id={}", grant_of(&to));
    assert_eq!(vera.get(&world.url(&url)).await.status, 403);
    // With the token of a form that the viewer has.
    let page = vera.get(&world.url("/admin/sessions")).await;
    let mut form = page.form("/admin/sessions");
    form.action = url;
    assert_eq!(vera.submit(&page, &form).await.status, 403);
    assert!(
        world
            .is_active(world.rp(), &issuer, &tokens.answer.access_token)
            .await
    );
}

#[actix_web::test]
async fn made_up_identifiers_find_nothing_and_break_nothing() {
    let world = World::start();
    let mut desk = world.desk().await;
    for hostile in ["%00", "x", "%27%20OR%201=1--", "%3Cscript%3E"] {
        for path in [
            "grant?id=",
            "revoke?what=grant&id=",
            "revoke?what=token&id=",
            "revoke?what=nothing&id=",
        ] {
            let url = world.url(&format!("/admin/sessions/{path}{hostile}"));
            let answer = desk.get(&url).await;
            assert_eq!(answer.status, 404, "{path}{hostile}");
        }
        for list in ["session", "subject", "account", "after"] {
            let url = world.url(&format!("/admin/sessions?{list}={hostile}"));
            let answer = desk.get(&url).await;
            assert_eq!(answer.status, 200, "{list}={hostile}");
            assert!(!answer.body.contains("<script>"));
        }
    }
}
