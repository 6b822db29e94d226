//! SPID/CIE FE-4: what is known is kept with the smallest `exp` of its chain, renewed, and found again.

use crate::harness::{CONFIGURATION, HERE, Host, World};
use serde_json::json;
use varco::clock::{Clock, UtcTime};
use varco::demo::{LoginOptions, RelyingPartyKeys};
use varco::jose::{KeyKind, PrivateKey};
use varco::model::{ClientId, Origin};
use varco::provider::{ClientError, Discovery, KnownClient, Provider};
use varco::store::client;

const HOUR: i64 = 3600;

fn expiry(known: &KnownClient) -> UtcTime {
    match &known.party.origin {
        Origin::Federation(trust) => trust.expires_at,
        Origin::Registered => panic!("not from the federation"),
    }
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
async fn a_renewal_that_fails_keeps_the_old_chain_until_its_end() {
    // SPID/CIE FE-4
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let issuer = world.issuer("spid").await;
    let op = world.provider("spid");
    let id = ClientId::new(rp.entity_id());
    let request = || world.request_of(&rp, &issuer, &LoginOptions::default());
    world.accepted(&request()).await;
    let first = expiry(&op.find_client(&id, Discovery::Never).await.unwrap());

    world.clock.advance_seconds(40 * HOUR);
    let now = world.clock.now();
    let due = now.plus_seconds(9 * HOUR);
    let of = op.issuer.clone();
    let found = op
        .shared
        .store
        .read(move |connection| client::expiring_before(connection, &of, now, due, 10))
        .await
        .unwrap();
    assert_eq!(found.len(), 1, "SPID/CIE FE-4: the renewal finds it");

    host.fail(&format!("/rp/{CONFIGURATION}"), 500);
    let error = op.renew(&id).await.unwrap_err();
    assert!(error.to_string().contains("HTTP status 500"), "{error}");
    world.accepted(&request()).await;
    let kept = expiry(&op.find_client(&id, Discovery::Never).await.unwrap());
    assert_eq!(
        kept, first,
        "SPID/CIE FE-4: a failed renewal keeps the old chain"
    );

    host.publish("/rp/", &rp.entity_configuration().unwrap());
    op.renew(&id).await.unwrap();
    let renewed = expiry(&op.find_client(&id, Discovery::Never).await.unwrap());
    assert!(renewed > first, "SPID/CIE FE-4: a renewal moves the end");

    host.fail(&format!("/rp/{CONFIGURATION}"), 500);
    world.clock.advance_seconds(49 * HOUR);
    world
        .shown(&request(), "temporarily_unavailable", "HTTP status 500")
        .await;
}

#[actix_web::test]
async fn a_required_mark_that_ends_ends_the_registration() {
    // SPID/CIE FE-1, FE-4
    let world = World::start();
    let host = Host::start();
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
