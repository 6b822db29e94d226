//! SPID/CIE TM-2: a mark that is revoked after the registration.

use crate::harness::{CONFIGURATION, HERE, Host, World};
use varco::demo::LoginOptions;
use varco::model::ClientId;
use varco::provider::{ClientError, Discovery, Provider, Renewal};

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

    let mark_type = world.federation.relying_party_mark_type();
    let anchor = world.federation.trust_anchor();
    anchor.revoke_mark(&mark_type, rp.entity_id());
    host.fail(&format!("/rp/{CONFIGURATION}"), 500);
    let outcome = op.renew_due(&found[0]).await;
    assert!(matches!(outcome, Renewal::Failed(_)), "{outcome:?}");
    let kept = op.find_client(&id, Discovery::Never).await;
    assert!(
        kept.is_ok(),
        "SPID/CIE FE-4: what cannot be reached changes nothing"
    );

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
