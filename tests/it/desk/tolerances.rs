//! SPID/CIE FE-12: what an operator tolerates of one RP, obeyed by every node at once.

use super::PASSWORD;
use super::rps::about;
use crate::harness::{Answer, Browser, Host, World};
use varco::clock::Clock as _;
use varco::demo::LoginOptions;
use varco::model::{ClientId, Role};
use varco::provider::{Discovery, follow_changes};

const HOUR: i64 = 3600;

async fn form(world: &World, browser: &mut Browser, id: &str) -> Answer {
    let page = browser
        .get(&world.url(&about("tolerate", "spid", id, &[])))
        .await;
    assert_eq!(page.status, 200, "{}", page.body);
    page
}

async fn send(browser: &mut Browser, page: &Answer, texts: [&str; 3]) -> Answer {
    let [clock, exp, kind] = texts;
    let form = page
        .form("/admin/rps/tolerate")
        .with("clock_leeway_seconds", clock)
        .with("missing_exp", exp)
        .with("userinfo_content_type", kind);
    browser.submit(page, &form).await
}

#[actix_web::test]
async fn what_is_tolerated_of_one_rp_counts_at_every_node_and_survives_renewals() {
    let world = World::start();
    let host = Host::start();
    let rp = super::rps::known_rp(&world, &host).await;
    let id = ClientId::new(rp.entity_id());
    let node = world.another_node();
    let leeway = async || {
        follow_changes(&node.app.shared, &node.app.providers)
            .await
            .unwrap();
        let there = node.provider("spid");
        let known = there.find_client(&id, Discovery::Never).await.unwrap();
        known.tolerance.clock_leeway_seconds
    };
    assert_eq!(leeway().await, 30);
    let issuer = world.issuer("spid").await;
    let early = LoginOptions::default()
        .with_claim("iat", world.clock.now().0 + HOUR)
        .with_claim("exp", world.clock.now().0 + HOUR + 300);
    let refused = world.request_of(&rp, &issuer, &early);
    world.told(&refused, "invalid_request_object", "iat").await;
    let without = LoginOptions::default().without_claim("exp");

    let mut olga = world.desk().await;
    let page = form(&world, &mut olga, rp.entity_id()).await;
    assert!(page.text().contains("Indebolisce"), "{}", page.text());
    let saved = send(&mut olga, &page, ["7200", "true", "application/jose"]).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let shown = olga.get(&world.url(&saved.leads_to())).await;
    assert!(
        shown.text().contains("entro due secondi"),
        "{}",
        shown.text()
    );
    assert!(
        shown.text().contains("7200 impostato qui"),
        "{}",
        shown.text()
    );
    assert_eq!(leeway().await, 7200);
    world
        .accepted(&world.request_of(&rp, &issuer, &early))
        .await;
    world
        .accepted(&world.request_of(&rp, &issuer, &without))
        .await;
    let tokens = world.login(&rp, &issuer, &LoginOptions::default()).await;
    let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
    assert_eq!(answer.header("content-type"), "application/jose");
    // Of this RP alone.
    let other = world.request(&issuer, &without);
    world.told(&other, "invalid_request_object", "exp").await;

    // The chain is resolved anew, by a statement whose clock is as far ahead.
    world.clock.advance_seconds(HOUR);
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    world.clock.advance_seconds(-HOUR);
    let op = world.provider("spid");
    op.renew(&id).await.unwrap();
    let known = op.find_client(&id, Discovery::Never).await.unwrap();
    assert_eq!(known.tolerance.clock_leeway_seconds, 7200);

    // Taken back, and obeyed as fast.
    let page = form(&world, &mut olga, rp.entity_id()).await;
    assert_eq!(send(&mut olga, &page, ["", "", ""]).await.status, 303);
    assert_eq!(leeway().await, 30);
    let again = world.request_of(&rp, &issuer, &without);
    world.told(&again, "invalid_request_object", "exp").await;
    let subject = format!("rp {id} at {}", op.issuer);
    let trail = world.command(&["operator", "trail", "--subject", &subject]);
    let trail = trail.done();
    let told = trail["entries"].as_array().unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1]["action"], "rp.tolerate");
    assert_eq!(told[1]["after"]["clock_leeway_seconds"], 7200);
    assert_eq!(told[0]["before"]["missing_exp"], true);
}

#[actix_web::test]
async fn tolerances_are_bounded_and_what_was_typed_is_kept() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let id = world.rp().entity_id();
    let mut olga = world.desk().await;
    let page = form(&world, &mut olga, id).await;
    for (texts, says) in [
        (["14401", "", ""], "da 0 a 14400"),
        (["-1", "", ""], "da 0 a 14400"),
        (["due ore", "", ""], "da 0 a 14400"),
        (["", "perhaps", ""], "scelga una delle voci"),
        (["", "", "text/html"], "scelga una delle voci"),
    ] {
        let wrong = send(&mut olga, &page, texts).await;
        assert_eq!(wrong.status, 422, "{texts:?}");
        assert!(wrong.text().contains(says), "{texts:?}: {}", wrong.text());
        let typed = format!("value=\"{}\"", texts[0]);
        assert!(wrong.body.contains(&typed), "{texts:?}");
    }
    world.add_operator("vera", Role::Viewer);
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let url = world.url(&about("tolerate", "spid", id, &[]));
    assert_eq!(vera.get(&url).await.status, 403);
    let one = vera.get(&world.url(&about("one", "spid", id, &[]))).await;
    assert!(one.text().contains("come da configurazione"));
    assert!(!one.body.contains("/admin/rps/tolerate"));
}

#[actix_web::test]
async fn of_two_operators_the_second_is_told_what_was_changed_by_whom_and_when() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let id = world.rp().entity_id();
    world.add_operator("vera", Role::Operator);
    let mut olga = world.desk().await;
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let (hers, his) = (
        form(&world, &mut olga, id).await,
        form(&world, &mut vera, id).await,
    );
    let saved = send(&mut olga, &hers, ["3600", "true", ""]).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let told = send(&mut vera, &his, ["7200", "", ""]).await;
    assert_eq!(told.status, 409, "{}", told.body);
    let text = told.text();
    assert!(text.contains("3600 (modificato da olga, 15"), "{text}");
    assert!(
        told.body.contains("value=\"7200\""),
        "what was typed is kept"
    );
    // What only the other changed is taken over.
    assert!(told.body.contains("<option value=\"true\" selected>"));
    let saved = send(&mut vera, &told, ["7200", "true", ""]).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    // A base that was made up is no way past this.
    let page = form(&world, &mut olga, id).await;
    let mut forged = page.form("/admin/rps/tolerate");
    forged.fields.retain(|(name, _)| name != "base");
    let forged = forged
        .with("base", "{\"clock_leeway_seconds\": 1}")
        .with("clock_leeway_seconds", "60");
    assert_eq!(olga.submit(&page, &forged).await.status, 409);
}
