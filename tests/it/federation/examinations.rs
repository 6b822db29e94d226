//! "Why was this RP refused?", asked of the provider: the verdict is the one that logins get.

use crate::harness::{Host, World};
use serde_json::json;
use varco::demo::LoginOptions;
use varco::federation::Recheck;
use varco::model::ClientId;
use varco::profile::conformance::{Row, Verdict};
use varco::provider::{ClientError, Examination};

impl World {
    async fn examined(&self, profile: &str, id: &str, recheck: Recheck) -> Examination {
        let client_id = ClientId::new(id);
        let examined = self.provider(profile).examine(&client_id, recheck);
        examined.await.unwrap()
    }
}

fn refusing(examination: &Examination) -> Vec<&Row> {
    let refuses = |row: &&Row| row.refuses_logins && row.verdict == Verdict::Fail;
    examination.report.iter().filter(refuses).collect()
}

#[actix_web::test]
async fn a_known_rp_is_told_with_its_row_and_a_fresh_look_renews_it() {
    let world = World::start();
    let id = world.rp().entity_id().to_string();
    let first = world.examined("spid", &id, Recheck::Cached).await;
    assert!(first.known.is_none() && first.refusal.is_none());
    assert!(refusing(&first).is_empty() && !first.report.is_empty());
    assert!(first.evaluation.paths.iter().any(|path| path.chosen));

    let issuer = world.issuer("spid").await;
    let prepared = world.request_of(world.rp(), &issuer, &LoginOptions::default());
    world.accepted(&prepared).await;
    let cached = world.examined("spid", &id, Recheck::Cached).await;
    let known = cached.known.unwrap();
    assert!(known.enabled && known.origin == "federation" && cached.refusal.is_none());
    assert_eq!(known.expires_at, cached.expires_at);
    assert!(
        cached.evaluation.fetches.is_empty(),
        "the next login asks nobody"
    );
    assert_eq!(cached.report.len(), first.report.len());

    world.clock.advance_seconds(60);
    let fresh = world.examined("spid", &id, Recheck::Fresh).await;
    let renewed = fresh.known.and_then(|row| row.resolved_at);
    let before = known.resolved_at.unwrap();
    assert_eq!(renewed, Some(before.plus_seconds(60)));
}

#[actix_web::test]
async fn a_chain_that_breaks_is_told_although_logins_go_on_until_the_old_one_ends() {
    // SPID/CIE FE-4
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let issuer = world.issuer("spid").await;
    let request = world.request_of(&rp, &issuer, &LoginOptions::default());
    world.accepted(&request).await;
    let bare = world.stranger(&host, "/rp/").with_trust_marks(Vec::new());
    host.publish("/rp/", &bare.entity_configuration().unwrap());
    let id = rp.entity_id().to_string();
    let fresh = world.examined("spid", &id, Recheck::Fresh).await;
    assert!(fresh.refusal.is_none());
    assert!(matches!(fresh.renewal_refusal, Some(ClientError::Trust(_))));
    let known = fresh.known.unwrap();
    let cached = world.examined("spid", &id, Recheck::Cached).await;
    assert!(cached.refusal.is_none() && cached.known.as_ref() == Some(&known));
    let end = known.expires_at.unwrap();
    let now = world.provider("spid").now();
    world.clock.advance_seconds(end.seconds_since(now) + 3600);
    let ended = world.examined("spid", &id, Recheck::Cached).await;
    assert!(
        matches!(ended.refusal, Some(ClientError::Ended(_))),
        "{:?}",
        ended.refusal
    );
}

#[actix_web::test]
async fn refused_metadata_is_told_with_the_rule_and_a_fresh_look_mends_it() {
    // SPID/CIE FE-10
    let world = World::start();
    let host = Host::start();
    let bad = world
        .stranger(&host, "/rp/")
        .with_metadata("redirect_uris", json!([]));
    host.publish("/rp/", &bad.entity_configuration().unwrap());
    let issuer = world.issuer("cie").await;
    let request = world.request_of(&bad, &issuer, &LoginOptions::default());
    let word = "redirect_uris";
    world.shown(&request, "unauthorized_client", word).await;
    let id = bad.entity_id().to_string();

    let remembered = world.examined("cie", &id, Recheck::Cached).await;
    let window = remembered.evaluation.remembered.unwrap();
    assert_eq!(window.until.seconds_since(window.since), 30);
    assert!(remembered.refusal.unwrap().to_string().contains(word));

    let fresh = world.examined("cie", &id, Recheck::Fresh).await;
    let broken = refusing(&fresh);
    assert!(broken.iter().any(|row| row.place.ends_with(word)));
    assert!(fresh.evaluation.final_metadata.is_some());

    let good = world.stranger(&host, "/rp/");
    host.publish("/rp/", &good.entity_configuration().unwrap());
    let mended = world.examined("cie", &id, Recheck::Fresh).await;
    assert!(mended.refusal.is_none(), "{:?}", mended.refusal);
    let request = world.request_of(&good, &issuer, &LoginOptions::default());
    world.accepted(&request).await;
}

#[actix_web::test]
async fn names_that_no_federation_vouches_for_are_told_apart() {
    let world = World::start();
    for (profile, id, code) in [
        ("spid", "no entity", "not a plain URL"),
        ("oidc", "nobody", "not known"),
    ] {
        for recheck in [Recheck::Cached, Recheck::Fresh] {
            let examined = world.examined(profile, id, recheck).await;
            let refusal = examined.refusal.unwrap().to_string();
            assert!(refusal.contains(code), "{refusal}");
            assert!(examined.report.is_empty() && examined.known.is_none());
            assert!(examined.evaluation.fetches.is_empty());
        }
    }
}

#[actix_web::test]
async fn no_more_than_four_are_examined_at_a_time() {
    let world = World::start();
    let client_id = ClientId::new(world.rp().entity_id().to_string());
    let provider = world.provider("spid");
    let looks = (0..6).map(|_| provider.examine(&client_id, Recheck::Fresh));
    let done = futures_util::future::join_all(looks).await;
    assert_eq!(done.iter().filter(|look| look.is_ok()).count(), 4);
    let refused = done.into_iter().find_map(Result::err).unwrap();
    assert!(refused.to_string().contains("try again"), "{refused}");
    let again = provider.examine(&client_id, Recheck::Cached).await;
    assert!(again.is_ok());
}
