//! SPID/CIE FE-4: what is known is kept with the smallest `exp` of its chain, renewed, and found again.

use crate::harness::{CONFIGURATION, HERE, Host, World};
use futures_util::StreamExt;
use serde_json::json;
use std::sync::Arc;
use varco::clock::{Clock, UtcTime};
use varco::config::TrustMarkStatus;
use varco::demo::{LoginOptions, RelyingPartyKeys};
use varco::jose::{KeyKind, PrivateKey};
use varco::model::ClientId;
use varco::model::RpToleranceOverride;
use varco::provider::{ClientError, Discovery, KnownClient, Provider, Round, Task, renew_all};
use varco::store::{self, client};

const HOUR: i64 = 3600;

fn expiry(known: &KnownClient) -> UtcTime {
    known.party.origin.trust().unwrap().expires_at
}

#[actix_web::test]
async fn a_known_rp_is_not_fetched_again_until_its_chain_ends() {
    // SPID/CIE FE-1, FE-4
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    let anchor = world.federation.trust_anchor();
    let smallest = world.clock.now().plus_seconds(2 * HOUR);
    // The statement about it ends before everything else in the chain.
    anchor.change(rp.entity_id(), |subordinate| {
        subordinate.extra.insert("exp".to_owned(), json!(smallest));
    });
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let path = format!("/rp/{CONFIGURATION}");
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let request = || world.request_of(&rp, &issuer, &LoginOptions::default());
        host.forget_requests();
        world.accepted(&request()).await;
        assert_eq!(host.requests(), [path.as_str()], "SPID/CIE FE-1");
        let id = ClientId::new(rp.entity_id());
        let known = world
            .provider(profile)
            .find_client(&id, Discovery::Never)
            .await
            .unwrap();
        assert_eq!(expiry(&known), smallest, "SPID/CIE FE-4");
        world.accepted(&request()).await;
        world.login(&rp, &issuer, &LoginOptions::default()).await;
        assert_eq!(host.requests().len(), 1, "SPID/CIE FE-4: from the database");
    }
    // After its end it is resolved again, with all that was changed meanwhile.
    world.clock.advance_seconds(2 * HOUR + 31);
    anchor.change(rp.entity_id(), |subordinate| subordinate.extra.clear());
    let rp = rp.with_metadata("client_name#it", "Rinnovato");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        host.forget_requests();
        world
            .accepted(&world.request_of(&rp, &issuer, &LoginOptions::default()))
            .await;
        assert_eq!(host.requests(), [path.as_str()], "SPID/CIE FE-4");
        let id = ClientId::new(rp.entity_id());
        let known = world
            .provider(profile)
            .find_client(&id, Discovery::Never)
            .await
            .unwrap();
        assert_eq!(known.name("it"), "Rinnovato");
        assert!(expiry(&known) > world.clock.now().plus_seconds(24 * HOUR));
    }
}

#[actix_web::test]
async fn a_renewal_that_fails_keeps_the_old_chain_until_its_end_and_is_then_the_reason() {
    // SPID/CIE FE-4
    let world = static_world();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let issuer = world.issuer("spid").await;
    let op = world.provider("spid");
    let id = ClientId::new(rp.entity_id());
    let request = || world.request_of(&rp, &issuer, &LoginOptions::default());
    let round = async || renew_all(std::slice::from_ref(op)).await;
    world.accepted(&request()).await;
    let first = expiry(&op.find_client(&id, Discovery::Never).await.unwrap());
    assert_eq!(round().await, Round::default(), "nothing is due yet");

    // A quarter of an hour before its end every chain is due.
    world.clock.advance_seconds(48 * HOUR - 900);
    host.fail(&format!("/rp/{CONFIGURATION}"), 500);
    let failed = Round {
        failed: 1,
        ..Round::default()
    };
    assert_eq!(round().await, failed);
    assert_eq!(round().await, Round::default(), "it is left alone");
    world.accepted(&request()).await;
    let kept = expiry(&op.find_client(&id, Discovery::Never).await.unwrap());
    assert_eq!(kept, first, "a failed renewal keeps the old chain");

    // It recovers, and is renewed without a login.
    world.clock.advance_seconds(300);
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let renewed = Round {
        renewed: 1,
        ..Round::default()
    };
    assert_eq!(round().await, renewed);
    let second = expiry(&op.find_client(&id, Discovery::Never).await.unwrap());
    assert!(second > first, "a renewal moves the end");

    // It does not: after its end it is refused with the reason, by a node that was not there, too.
    world.clock.advance_seconds(48 * HOUR - 900);
    let since = format!("since {}", world.clock.now().to_rfc3339());
    host.fail(&format!("/rp/{CONFIGURATION}"), 500);
    assert_eq!(round().await, failed);
    world.clock.advance_seconds(HOUR);
    for fact in ["its trust chain ended at", &since, "HTTP status 500"] {
        world
            .shown(&request(), "temporarily_unavailable", fact)
            .await;
    }
    let node = Provider::open(op.shared.clone(), op.settings.clone()).unwrap();
    let error = node.find_client(&id, Discovery::Never).await.unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, ClientError::Ended(_)), "{said}");
    assert!(
        said.contains(&since) && said.contains("HTTP status 500"),
        "{said}"
    );
    assert_eq!(error.code().as_str(), "invalid_client");
    // What has ended is not resolved in the background, but when it comes again.
    assert_eq!(round().await, Round::default());
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    world.clock.advance_seconds(31);
    world.accepted(&request()).await;
}

/// Mark issuers are not asked, so that chains alone say when they are renewed.
fn static_world() -> World {
    World::builder()
        .issuers(|settings| settings.trust_mark_status = TrustMarkStatus::Static)
        .start()
}

#[actix_web::test]
async fn of_two_nodes_one_renews_and_the_other_takes_over_when_it_is_gone() {
    // SPID/CIE FE-4
    let world = static_world();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let issuer = world.issuer("spid").await;
    let request = || world.request_of(&rp, &issuer, &LoginOptions::default());
    world.accepted(&request()).await;
    let settings = world.app.shared.server.clone();
    let other = varco::launch::open(settings, false, world.clock.clone()).unwrap();
    world.clock.advance_seconds(48 * HOUR - 900);
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    host.forget_requests();
    let tasks = [Task::new("renewal"), Task::new("renewal")];
    assert!(tasks[0].is_ours(&world.app.shared).await);
    assert!(!tasks[1].is_ours(&other.shared).await);
    assert_eq!(renew_all(&world.app.providers).await.renewed, 1);
    assert_eq!(host.requests().len(), 1);
    // The first node is gone; what it did is done.
    world.clock.advance_seconds(180);
    assert!(tasks[1].is_ours(&other.shared).await);
    assert!(!tasks[0].is_ours(&world.app.shared).await);
    assert_eq!(renew_all(&other.providers).await, Round::default());
    assert_eq!(host.requests().len(), 1, "once, whichever node");
    let op = other
        .providers
        .iter()
        .find(|op| op.issuer.as_str() == issuer.metadata.issuer);
    let id = ClientId::new(rp.entity_id());
    let known = op
        .unwrap()
        .find_client(&id, Discovery::Never)
        .await
        .unwrap();
    let end = world.clock.now().plus_seconds(48 * HOUR - 180);
    assert_eq!(expiry(&known), end, "renewed for all nodes");
}

#[actix_web::test]
async fn ten_thousand_rps_of_one_moment_come_due_over_a_day() {
    // SPID/CIE FE-4
    let world = static_world();
    let issuer = world.issuer("spid").await;
    world
        .accepted(&world.request_of(world.rp(), &issuer, &LoginOptions::default()))
        .await;
    let op = world.provider("spid");
    let id = ClientId::new(world.rp().entity_id());
    let known = op.find_client(&id, Discovery::Never).await.unwrap();
    let adoptions = (0..10_000).map(|number| {
        let mut party = known.party.clone();
        party.client_id = ClientId::new(format!("https://rp-{number}.example.it/"));
        let (keys, tolerance) = (known.keys.clone(), known.tolerance);
        async move {
            let known = KnownClient {
                party,
                keys,
                tolerance,
            };
            op.adopt(&Arc::new(known)).await.unwrap();
        }
    });
    futures_util::stream::iter(adoptions)
        .for_each_concurrent(100, |adoption| adoption)
        .await;
    let (begin, mut before) = (world.clock.now(), 0);
    for hour in 0..48 {
        let (of, now) = (op.issuer.clone(), begin.plus_seconds(hour * HOUR));
        let due = op.shared.store.read(move |connection| {
            store::renewal::search_due(connection, &of, now, false, 20_000)
        });
        let due = due.await.unwrap();
        assert!(due.iter().all(|due| due.expires_at == expiry(&known)));
        let fresh = due.len() - before;
        // 10,000 over 24 hours are 417 an hour, 7 a minute.
        assert!(fresh <= 500 && (fresh == 0 || hour > 24), "{hour}: {fresh}");
        before = due.len();
    }
    assert!(before > 9_000, "{before}");
}

#[actix_web::test]
async fn a_required_mark_that_ends_ends_the_registration() {
    // SPID/CIE FE-1, FE-4; what is tolerated of the RP's clock (FE-12) is not for the issuer of its mark.
    let host = Host::start();
    let id = host.url("/rp/");
    let tolerance = RpToleranceOverride {
        clock_leeway_seconds: Some(7200),
        ..RpToleranceOverride::default()
    };
    let world = World::builder()
        .issuers(move |settings| {
            settings.rp_tolerances.insert(id.clone(), tolerance);
        })
        .start();
    let rp = world.stranger(&host, "/rp/");
    let anchor = world.federation.trust_anchor();
    let mark_type = world.federation.relying_party_mark_type();
    let end = world.clock.now().plus_seconds(HOUR);
    let changes = json!({"exp": end});
    let mark = anchor.trust_mark_with(&mark_type, rp.entity_id(), changes.as_object().unwrap());
    let rp = rp.with_trust_marks(vec![(mark_type, mark.unwrap())]);
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let issuer = world.issuer("cie").await;
    let request = || world.request_of(&rp, &issuer, &LoginOptions::default());
    world.accepted(&request()).await;
    world.clock.advance_seconds(HOUR + 31);
    world
        .shown(&request(), "unauthorized_client", "claim exp")
        .await;
}

#[actix_web::test]
async fn an_rp_that_the_operator_disabled_is_refused_and_not_fetched() {
    // SPID/CIE FE-6
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let request = || world.request_of(&rp, &issuer, &LoginOptions::default());
        world.accepted(&request()).await;
        host.forget_requests();
        let op = world.provider(profile);
        let (of, id) = (op.issuer.clone(), ClientId::new(rp.entity_id()));
        let switched = id.clone();
        op.shared
            .store
            .write(move |tx| client::set_enabled(tx, &of, &switched, false))
            .await
            .unwrap();
        // Another node, which has nothing in memory yet.
        let node = Provider::open(op.shared.clone(), op.settings.clone()).unwrap();
        let error = node
            .find_client(&id, Discovery::Allowed(HERE))
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::Disabled), "{error}");
        // A renewal that was under way does not switch it on, neither here nor in memory.
        let error = node.renew(&id).await.unwrap_err();
        assert!(matches!(error, ClientError::Disabled), "{error}");
        let error = node
            .find_client(&id, Discovery::Allowed(HERE))
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::Disabled), "{error}");
        host.forget_requests();
        // The end of its chain does not switch it on again.
        world.clock.advance_seconds(49 * HOUR);
        host.publish("/rp/", &rp.entity_configuration().unwrap());
        world
            .shown(
                &request(),
                "unauthorized_client",
                "disabled by the operator",
            )
            .await;
        assert!(host.requests().is_empty(), "SPID/CIE FE-1");
    }
}

#[actix_web::test]
async fn a_new_key_of_a_known_rp_is_found_and_foreign_keys_cost_one_look_a_minute() {
    // SPID/CIE FE-4, FE-9
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let new_key = || PrivateKey::generate(KeyKind::Rsa(2048)).unwrap();
    let with_key = |signing: PrivateKey| {
        let keys = RelyingPartyKeys {
            signing,
            ..rp.keys().clone()
        };
        world.stranger_with(&host, "/rp/", keys)
    };
    let (rotated, attacker) = (with_key(new_key()), with_key(new_key()));
    for profile in ["spid", "cie"] {
        host.publish("/rp/", &rp.entity_configuration().unwrap());
        let issuer = world.issuer(profile).await;
        let request = |rp| world.request_of(rp, &issuer, &LoginOptions::default());
        world.accepted(&request(&rp)).await;
        host.publish("/rp/", &rotated.entity_configuration().unwrap());
        host.forget_requests();
        world.accepted(&request(&rotated)).await;
        assert_eq!(host.requests().len(), 1, "SPID/CIE FE-9: looked up");
        world.clock.advance_seconds(61);
        host.forget_requests();
        for _ in 0..3 {
            let forged = request(&attacker);
            world
                .shown(&forged, "invalid_request_object", "no key with kid")
                .await;
        }
        assert_eq!(host.requests().len(), 1, "once a minute, whoever asks");
        world.accepted(&request(&rotated)).await;
    }
}
