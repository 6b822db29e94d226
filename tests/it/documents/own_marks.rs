//! Our own trust marks come anew from their issuer (OIDC Federation §8.6).

use crate::harness::{World, claims_of};
use serde_json::Value;
use varco::clock::Clock;
use varco::provider::{MarkKeeper, Provider};
use varco::store::own_trust_mark;

const DAY: i64 = 86_400;

/// The marks that an issuer publishes: `(type, JWT)`.
async fn published(world: &World, profile: &str) -> Vec<(String, String)> {
    let url = world.url(&format!("/{profile}/.well-known/openid-federation"));
    let answer = world.browser().get(&url).await;
    let claims = claims_of(&answer.body);
    let marks = claims.get("trust_marks").and_then(Value::as_array).cloned();
    let text = |mark: &Value, name: &str| mark[name].as_str().unwrap().to_owned();
    marks
        .unwrap_or_default()
        .iter()
        .map(|mark| (text(mark, "trust_mark_type"), text(mark, "trust_mark")))
        .collect()
}

fn end_of(jwt: &str) -> i64 {
    claims_of(jwt)["exp"].as_i64().unwrap()
}

#[actix_web::test]
async fn a_mark_about_to_end_is_renewed_and_published_by_every_node() {
    // OIDC Federation §8.6, SPID/CIE MD-1
    let world = World::start();
    let settings = world.app.shared.server.clone();
    let other = varco::launch::open(settings, false, world.clock.clone()).unwrap();
    let before = published(&world, "spid").await;
    assert_eq!(before.len(), 1);
    let mut keeper = MarkKeeper::default();
    world.clock.advance_seconds(300 * DAY);
    assert_eq!(
        keeper.turn(&world.app.providers).await,
        0,
        "months are left"
    );
    world.clock.advance_seconds(58 * DAY);
    assert_eq!(keeper.turn(&world.app.providers).await, 3, "every member");
    let after = published(&world, "spid").await;
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].0, before[0].0);
    assert_eq!(end_of(&after[0].1), world.clock.now().0 + 365 * DAY);
    assert_eq!(
        keeper.turn(&world.app.providers).await,
        0,
        "it is good again"
    );

    // Another node notices the change, and a restart keeps it.
    let id = &world.provider("spid").issuer;
    let op = other.providers.iter().find(|op| op.issuer == *id).unwrap();
    let jwts = |op: &Provider| -> Vec<String> {
        let marks = op.own_trust_marks().into_iter();
        marks.map(|mark| mark.jwt).collect()
    };
    assert_eq!(jwts(op), [before[0].1.clone()]);
    let version = other
        .shared
        .store
        .read(own_trust_mark::version)
        .await
        .unwrap();
    assert!(op.refresh_own_marks(version).await.unwrap());
    assert!(!op.refresh_own_marks(version).await.unwrap());
    assert_eq!(jwts(op), [after[0].1.clone()]);
    let restarted = Provider::open(op.shared.clone(), op.settings.clone()).unwrap();
    assert_eq!(jwts(&restarted), [after[0].1.clone()]);
    // The other node does not ask too.
    world.clock.advance_seconds(330 * DAY);
    world.clock.advance_seconds(28 * DAY);
    assert_eq!(keeper.turn(&world.app.providers).await, 3);
    let mut second = MarkKeeper::default();
    assert_eq!(second.turn(&other.providers).await, 0, "not its turn");
}

#[actix_web::test]
async fn a_mark_that_cannot_be_renewed_is_published_to_its_end_and_no_longer() {
    // SPID/CIE MD-1
    let world = World::start();
    let mark_type = world.federation.provider_mark_type();
    let anchor = world.federation.trust_anchor();
    let id = world.provider("cie").issuer.clone();
    anchor.revoke_mark(&mark_type, id.as_str());
    let mut keeper = MarkKeeper::default();
    let before = published(&world, "cie").await;
    world.clock.advance_seconds(360 * DAY);
    assert_eq!(keeper.turn(&world.app.providers).await, 2, "not CIE's");
    assert_eq!(published(&world, "cie").await, before, "until its end");
    // What it failed at is left alone for a while, then tried again.
    anchor.trust_mark(&mark_type, id.as_str(), "CIE").unwrap();
    assert_eq!(keeper.turn(&world.app.providers).await, 0);
    anchor.revoke_mark(&mark_type, id.as_str());
    world.clock.advance_seconds(5 * DAY + 1);
    assert_eq!(keeper.turn(&world.app.providers).await, 0);
    assert!(published(&world, "cie").await.is_empty(), "it has ended");
    assert_eq!(published(&world, "spid").await.len(), 1);
    anchor.trust_mark(&mark_type, id.as_str(), "CIE").unwrap();
    world.clock.advance_seconds(DAY);
    assert_eq!(keeper.turn(&world.app.providers).await, 1, "it recovers");
    let after = published(&world, "cie").await;
    assert!(end_of(&after[0].1) > end_of(&before[0].1));
}

#[actix_web::test]
async fn a_mark_that_its_issuer_revoked_is_asked_for_anew() {
    // SPID/CIE TM-2
    let world = World::start();
    let mark_type = world.federation.provider_mark_type();
    let anchor = world.federation.trust_anchor();
    let id = world.provider("spid").issuer.clone();
    let before = published(&world, "spid").await;
    let mut keeper = MarkKeeper::default();
    world.clock.advance_seconds(181);
    assert_eq!(keeper.turn(&world.app.providers).await, 0);
    anchor.revoke_mark(&mark_type, id.as_str());
    world.clock.advance_seconds(3600);
    assert_eq!(
        keeper.turn(&world.app.providers).await,
        0,
        "there is no new one"
    );
    assert_eq!(published(&world, "spid").await, before);
}

#[actix_web::test]
async fn a_type_without_a_configured_mark_is_asked_for() {
    // OIDC Federation §8.6
    let unknown = "https://registry.example.it/unknown/";
    let world = World::builder()
        .issuers(move |settings| {
            if let Some(mark) = settings.trust_marks.pop() {
                let known = claims_of(&mark)["trust_mark_type"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                settings.trust_mark_types = vec![unknown.to_owned(), known];
            }
        })
        .start();
    let mark_type = world.federation.provider_mark_type();
    // Whether the world's own background task or this one was faster.
    world.clock.advance_seconds(181);
    MarkKeeper::default().turn(&world.app.providers).await;
    for profile in ["spid", "cie"] {
        let marks = published(&world, profile).await;
        let types: Vec<&String> = marks.iter().map(|(mark_type, _)| mark_type).collect();
        assert_eq!(types, [&mark_type]);
        let issuer = world.provider(profile).issuer.as_str();
        assert_eq!(claims_of(&marks[0].1)["sub"], issuer);
    }
}
