//! What is written down of trust marks, and of what comes from caches.

use super::evaluation::{broken, explained, last, statement};
use super::*;
use crate::federation::evaluation::{Evaluation, FetchOutcome, FetchRecord, MarkRecord};

async fn only_mark(world: &World) -> MarkRecord {
    let mut evaluation = explained(world).await.evaluation;
    assert_eq!(evaluation.trust_marks.len(), 1);
    evaluation.trust_marks.remove(0)
}

fn with_mark(mark: Value) -> World {
    let world = World::new();
    world.relying_party(&[TA], |claims| {
        claims.insert("trust_marks".into(), json!([mark]));
    });
    world
}

#[tokio::test]
async fn a_refused_mark_is_told_with_the_check_that_it_failed() {
    let expired = mark(TA, RP, |claims| {
        claims.insert("exp".into(), json!(NOW - 100));
    });
    let forged = {
        let mut claims = World::claims(TA, RP);
        claims.insert("trust_mark_type".into(), MARK.into());
        let jwt = signed("trust-mark+jwt", &Value::Object(claims), &key("thief"));
        json!({"trust_mark_type": MARK, "trust_mark": jwt})
    };
    for (wrapper, check) in [
        (mark(TA, SA, nothing), "sub"),
        (mark(SA, RP, nothing), "listed issuer"),
        (expired, "time"),
        (forged, "key"),
    ] {
        let record = only_mark(&with_mark(wrapper)).await;
        assert_eq!(last(&record.verdicts), (check, false), "{record:?}");
        assert_eq!(record.anchor.as_deref(), Some(TA));
        assert!(record.required && record.claims["iss"].is_string());
    }
    let unreadable = json!({"trust_mark_type": MARK, "trust_mark": "x"});
    let record = only_mark(&with_mark(unreadable)).await;
    assert_eq!(last(&record.verdicts), ("form", false));
    assert_eq!((record.anchor, record.claims), (None, Value::Null));
    let other_type = mark(TA, RP, |claims| {
        claims.insert("trust_mark_type".into(), json!("https://other.example.it"));
    });
    let record = only_mark(&with_mark(other_type)).await;
    assert!(!record.required && record.anchor.is_none());
}

#[tokio::test]
async fn owners_issuers_keys_and_status_are_told_where_they_decide() {
    let world = with_mark(mark(SA, RP, nothing));
    let anchor = |with_owner: bool| {
        world.configuration(TA, |claims| {
            claims.insert("trust_mark_issuers".into(), json!({MARK: [SA]}));
            if with_owner {
                let owner = json!({"sub": "https://owner.example.it", "jwks": jwks("owner")});
                claims.insert("trust_mark_owners".into(), json!({MARK: owner}));
            }
        });
    };
    anchor(false);
    let record = only_mark(&world).await;
    assert_eq!(last(&record.verdicts), ("issuer keys", false));
    world.statement(TA, SA, nothing);
    let record = only_mark(&world).await;
    assert_eq!(broken(&record.verdicts), []);
    anchor(true);
    let record = only_mark(&world).await;
    assert_eq!(last(&record.verdicts), ("delegation", false));

    let mut world = with_mark(mark(TA, RP, nothing));
    world.settings.trust_mark_status = TrustMarkStatus::Dynamic;
    let answer = |active: bool| {
        let body = json!({"active": active}).to_string().into_bytes();
        let url = format!("{TA}/status");
        world.fetch.put(&url, Page::Body(body));
    };
    answer(false);
    let record = only_mark(&world).await;
    let says = "its issuer says that it is not active";
    assert_eq!(broken(&record.verdicts), [("status", says)]);
    answer(true);
    let record = only_mark(&world).await;
    assert_eq!(last(&record.verdicts), ("status", true));
}

fn cached(evaluation: &Evaluation) -> Vec<(&str, bool)> {
    let cached = |outcome: &FetchOutcome| matches!(outcome, FetchOutcome::Cached { since } if *since == UtcTime(NOW));
    let fetches = evaluation.fetches.iter();
    fetches
        .map(|fetch| (fetch.what.as_str(), cached(&fetch.outcome)))
        .collect()
}

#[tokio::test]
async fn what_comes_from_a_cache_says_since_when_and_a_fresh_look_passes_every_cache() {
    let mut world = with_mark(mark(SA, RP, nothing));
    world.settings.trust_mark_status = TrustMarkStatus::Dynamic;
    world.configuration(TA, |claims| {
        claims.insert("trust_mark_issuers".into(), json!({MARK: [SA]}));
    });
    world.configuration(SA, nothing);
    world.statement(TA, SA, nothing);
    let status = |active: bool| {
        let body = json!({"active": active}).to_string().into_bytes();
        let url = format!("{SA}/status");
        world.fetch.put(&url, Page::Body(body));
    };
    status(true);
    let resolver = world.resolver();
    let look = async |recheck| resolver.explain(&world.settings, &id(RP), recheck).await;
    let anchor = format!("entity configuration of {TA}");
    let keys = format!("keys of the mark issuer {SA}");
    let active = format!("status of a trust mark of {SA}");
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_ok()
    );
    world.clock.advance_seconds(100);
    status(false);

    let as_the_next_login = look(Recheck::Cached).await;
    assert!(as_the_next_login.outcome.is_ok());
    let told = cached(&as_the_next_login.evaluation);
    for what in [&anchor, &keys, &active] {
        assert!(told.contains(&(what, true)), "{what}: {told:?}");
    }
    let anchors = statement(&as_the_next_login.evaluation, TA, TA);
    assert_eq!(anchors.claims["iss"], TA);

    let fresh = look(Recheck::Fresh).await;
    assert!(fresh.outcome.is_err());
    assert!(cached(&fresh.evaluation).iter().all(|(_, cached)| !cached));
    // What the fresh look learnt is what the next login is told, from memory.
    world.fetch.forget_calls();
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_err()
    );
    assert!(world.fetch.urls().is_empty());

    let remembered = look(Recheck::Cached).await;
    let since = remembered.evaluation.remembered.unwrap();
    assert_eq!(since.since, UtcTime(NOW + 100));
    assert_eq!(since.until, UtcTime(NOW + 130));
    assert_eq!(remembered.outcome.unwrap_err(), fresh.outcome.unwrap_err());
    assert!(remembered.evaluation.fetches.is_empty() && world.fetch.urls().is_empty());

    status(true);
    assert!(look(Recheck::Fresh).await.outcome.is_ok());
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_fresh_look_at_what_is_down_takes_nothing_from_logins() {
    let world = with_mark(mark(SA, RP, nothing));
    world.configuration(TA, |claims| {
        claims.insert("trust_mark_issuers".into(), json!({MARK: [SA]}));
    });
    world.statement(TA, SA, nothing);
    let resolver = world.resolver();
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_ok()
    );
    for url in [id(TA).configuration_url(), statement_url(TA, SA)] {
        world
            .fetch
            .put(&url, Page::Fails(FetchFact::Status { code: 503 }));
    }
    let look = resolver
        .explain(&world.settings, &id(RP), Recheck::Fresh)
        .await;
    assert!(look.outcome.is_err());
    let failed = |f: &&FetchRecord| matches!(f.outcome, FetchOutcome::Failed { .. });
    assert_eq!(look.evaluation.fetches.iter().filter(failed).count(), 2);
    world.clock.advance_seconds(31);
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_ok()
    );
}
