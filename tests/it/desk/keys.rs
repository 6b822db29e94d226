//! Keys: what is published, a rotation that waits, one that does not, and what may not be done.

use super::PASSWORD;
use crate::harness::{Browser, Issuer, World, header_of};
use varco::clock::Clock as _;
use varco::demo::LoginOptions;
use varco::model::Role;

fn address(world: &World, page: &str, rest: &str) -> String {
    let issuer = world.provider("cie").issuer.clone();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("issuer", issuer.as_str())
        .finish();
    world.url(&format!("/admin/keys/{page}?{query}&{rest}"))
}

/// The key that signs id_tokens now.
async fn signer(world: &World, issuer: &Issuer) -> String {
    let tokens = world
        .login(world.rp(), issuer, &LoginOptions::default())
        .await;
    let token = tokens.answer.id_token.unwrap();
    header_of(&token)["kid"].as_str().unwrap().to_owned()
}

/// As the background poll does.
fn reload(world: &World) {
    world.provider("cie").reload_keys().unwrap();
}

async fn send(world: &World, desk: &mut Browser, url: &str, fields: &[(&str, &str)]) -> u16 {
    let page = desk.get(url).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let mut form = page.form("/admin/keys/");
    form.fields.retain(|(name, _)| name == "csrf_token");
    for (name, value) in fields {
        form = form.with(name, value);
    }
    let answer = desk.submit(&page, &form).await;
    reload(world);
    answer.status
}

#[actix_web::test]
async fn a_rotation_is_scheduled_and_the_new_keys_are_published_long_before_they_sign() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut desk = world.desk().await;
    let old = signer(&world, &issuer).await;
    let url = address(&world, "rotate", "ring=protocol");
    // A slip is no plan: neither what is over nor what nobody will live to see.
    for day in ["2000-01-01", "9999-12-31"] {
        let slip = [("when", "at"), ("day", day), ("hour", "00:00")];
        assert_eq!(send(&world, &mut desk, &url, &slip).await, 422, "{day}");
    }
    let soonest = [("when", "soonest")];
    assert_eq!(send(&world, &mut desk, &url, &soonest).await, 303);
    // As soon as possible is no way around the publication.
    assert_eq!(signer(&world, &issuer).await, old);
    let list = desk.get(&world.url("/admin/keys")).await;
    assert!(list.text().contains("pronta"), "{}", list.text());
    assert!(!list.body.contains("PRIVATE KEY") && !list.body.contains("\"d\""));
    world.clock.advance_seconds(
        world
            .provider("cie")
            .settings
            .lifetimes
            .entity_configuration,
    );
    reload(&world);
    let new = signer(&world, &world.issuer("cie").await).await;
    assert_ne!(new, old);
    let mut desk = world.desk().await;
    let documents = desk.get(&address(&world, "documents", "")).await;
    for shown in [&new, &old] {
        assert!(documents.body.contains(shown.as_str()), "{shown}");
    }
    let trail = desk
        .get(&world.url("/admin/trail?action=keys.rotate"))
        .await;
    assert!(trail.text().contains("olga") && trail.body.contains(&new));
}

#[actix_web::test]
async fn an_emergency_needs_a_tick_and_a_reason() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut desk = world.desk().await;
    let old = signer(&world, &issuer).await;
    let url = address(&world, "emergency", "ring=protocol");
    let reason = ("reason", "the key file was on a stolen laptop");
    assert_eq!(send(&world, &mut desk, &url, &[reason]).await, 422);
    assert_eq!(send(&world, &mut desk, &url, &[("sure", "yes")]).await, 409);
    assert_eq!(signer(&world, &issuer).await, old);
    let both = [reason, ("sure", "yes")];
    assert_eq!(send(&world, &mut desk, &url, &both).await, 303);
    let new = signer(&world, &world.issuer("cie").await).await;
    assert_ne!(new, old);
    let trail = desk
        .get(&world.url("/admin/trail?action=keys.rotate"))
        .await;
    assert!(trail.text().contains("stolen laptop"), "{}", trail.text());
}

#[actix_web::test]
async fn a_rotation_that_is_planned_is_replaced_by_another_and_both_dates_are_told() {
    let world = World::start();
    let issuer = world.provider("cie").issuer.to_string();
    let mut desk = world.desk().await;
    let at = |days: i64| {
        let then = world.clock.now().plus_seconds(days * 86_400).to_rfc3339();
        then.split('T').next().unwrap().to_owned()
    };
    let (first, second) = (at(100), at(200));
    let url = address(&world, "rotate", "ring=protocol");
    for day in [&first, &second] {
        let fields = [("when", "at"), ("day", day.as_str()), ("hour", "12:00")];
        assert_eq!(send(&world, &mut desk, &url, &fields).await, 303);
    }
    let page = desk.get(&url).await;
    assert!(page.text().contains("già prevista"), "{}", page.text());
    let subject = format!("keys {issuer}");
    let told = world.command(&["operator", "trail", "--subject", &subject]);
    let entries = told.done()["entries"].clone();
    assert!(entries[1]["before"].is_null());
    let day_of = |entry: &serde_json::Value| {
        let keys = entry["keys"].as_array().unwrap();
        let times: Vec<&str> = keys.iter().filter_map(|key| key["at"].as_str()).collect();
        assert!(!times.is_empty());
        times
            .iter()
            .map(|at| at.split('T').next().unwrap().to_owned())
            .collect::<Vec<String>>()
    };
    assert!(day_of(&entries[0]["before"]).contains(&first));
    assert!(day_of(&entries[0]["after"]).contains(&second));
    // The command says the same, and refuses the same.
    let rotate = |at: &str| world.command(&["keys", "rotate", "--issuer", &issuer, "--at", at]);
    rotate("2000-01-01T00:00:00Z").refused(2, "is over");
    rotate("9999-12-31T00:00:00Z").refused(2, "400 days");
    let third = rotate(&format!("{}T12:00:00Z", at(300))).done();
    let planned = third["keys"].as_array().unwrap().iter();
    let before: Vec<&str> = planned
        .filter_map(|key| key["planned_before"].as_str())
        .collect();
    assert!(
        before.iter().any(|at| at.starts_with(&second)),
        "{before:?}"
    );
}

#[actix_web::test]
async fn the_last_key_is_not_retired_and_what_is_no_time_is_refused() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let mut desk = world.desk().await;
    let old = signer(&world, &issuer).await;
    let retire = address(&world, "retire", &format!("kid={old}"));
    assert_eq!(send(&world, &mut desk, &retire, &[]).await, 409);
    let url = address(&world, "rotate", "ring=protocol");
    for (day, hour) in [("soon", ""), ("", ""), ("2026-12-01", "25:00")] {
        let fields = [("when", "at"), ("day", day), ("hour", hour)];
        assert_eq!(send(&world, &mut desk, &url, &fields).await, 422);
    }
    for nothing in [
        "rotate?ring=protocol",
        "retire?kid=x",
        "documents",
        "emergency",
    ] {
        let url = world.url(&format!("/admin/keys/{nothing}"));
        assert_eq!(desk.get(&url).await.status, 404, "{nothing}");
    }
    let url = address(&world, "retire", "kid=nothing");
    assert_eq!(desk.get(&url).await.status, 404);
}

#[actix_web::test]
async fn a_viewer_sees_keys_and_changes_none() {
    let world = World::start();
    world.add_operator("vera", Role::Viewer);
    let mut vera = world.desk_as("vera", PASSWORD).await;
    let list = vera.get(&world.url("/admin/keys")).await;
    assert_eq!(list.status, 200);
    assert!(!list.body.contains("/admin/keys/rotate") && !list.body.contains("keys/retire"));
    let url = address(&world, "emergency", "ring=protocol");
    assert_eq!(vera.get(&url).await.status, 403);
}
