//! SPID/CIE TM-2: a mark that is revoked after the registration.

use crate::harness::{CONFIGURATION, HERE, Host, World};
use varco::demo::LoginOptions;
use varco::model::ClientId;
use varco::provider::{ClientError, Discovery, Provider, Renewal, Round, renew_all};

#[actix_web::test]
async fn a_mark_that_is_revoked_later_ends_the_registration() {
    // SPID/CIE TM-2, FE-4
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let issuer = world.issuer("spid").await;
    let op = world.provider("spid");
    let id = ClientId::new(rp.entity_id());
    let request = || world.request_of(&rp, &issuer, &LoginOptions::default());
    world.accepted(&request()).await;
    let due = async || op.due().await.unwrap();
    assert!(due().await.is_empty(), "its mark was active a moment ago");
    world.clock.advance_seconds(3600);
    let found = due().await;
    assert_eq!(found.len(), 1, "SPID/CIE TM-2: looked at again");

    host.fail(&format!("/rp/{CONFIGURATION}"), 500);
    let outcome = op.renew_due(&found[0]).await;
    assert!(matches!(outcome, Renewal::Failed(_)), "{outcome:?}");
    let kept = op.find_client(&id, Discovery::Never).await;
    assert!(
        kept.is_ok(),
        "SPID/CIE FE-4: what cannot be reached changes nothing"
    );

    // The answer of the mark issuer counts for a while.
    world.clock.advance_seconds(300);
    let mark_type = world.federation.relying_party_mark_type();
    let anchor = world.federation.trust_anchor();
    anchor.revoke_mark(&mark_type, rp.entity_id());
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let outcome = op.renew_due(&found[0]).await;
    let Renewal::Withdrawn(error) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(error.to_string().contains("revoked"), "{error}");
    assert!(due().await.is_empty());
    // Another node, which has nothing in memory.
    let node = Provider::open(op.shared.clone(), op.settings.clone()).unwrap();
    let error = node.find_client(&id, Discovery::Never).await.unwrap_err();
    assert!(matches!(error, ClientError::Unknown), "{error}");
    let error = node
        .find_client(&id, Discovery::Allowed(HERE))
        .await
        .unwrap_err();
    assert_eq!(error.code().as_str(), "unauthorized_client", "{error}");
}

#[actix_web::test]
async fn an_rp_that_does_not_answer_cannot_evade_the_check_of_its_marks() {
    // SPID/CIE TM-2
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let issuer = world.issuer("spid").await;
    let op = world.provider("spid");
    let id = ClientId::new(rp.entity_id());
    let request = world.request_of(&rp, &issuer, &LoginOptions::default());
    world.accepted(&request).await;
    host.fail(&format!("/rp/{CONFIGURATION}"), 503);
    let round = async || renew_all(std::slice::from_ref(op)).await;
    let failed = Round {
        failed: 1,
        ..Round::default()
    };
    // Until it is left alone for more than two hours.
    for pause in [3600, 300, 600, 1200, 2400, 4800] {
        world.clock.advance_seconds(pause);
        assert_eq!(round().await, failed, "{pause}");
    }
    assert_eq!(round().await, Round::default(), "nothing is due");
    world.clock.advance_seconds(3600);
    let asked = Round {
        rechecked: 1,
        ..Round::default()
    };
    host.forget_requests();
    assert_eq!(round().await, asked);
    assert!(host.requests().is_empty(), "it has to wait");
    assert!(op.find_client(&id, Discovery::Never).await.is_ok());

    let mark_type = world.federation.relying_party_mark_type();
    let anchor = world.federation.trust_anchor();
    anchor.revoke_mark(&mark_type, rp.entity_id());
    assert_eq!(round().await, Round::default());
    world.clock.advance_seconds(3600);
    let withdrawn = Round {
        withdrawn: 1,
        ..Round::default()
    };
    assert_eq!(round().await, withdrawn);
    assert!(op.due().await.unwrap().is_empty());
    let node = Provider::open(op.shared.clone(), op.settings.clone()).unwrap();
    let error = node.find_client(&id, Discovery::Never).await.unwrap_err();
    assert!(matches!(error, ClientError::Unknown), "{error}");
}
