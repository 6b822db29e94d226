//! What one node writes, the others obey: the kill switch.

use crate::harness::{CONFIGURATION, HERE, Host, World};
use std::sync::Arc;
use varco::clock::Clock;
use varco::model::ClientId;
use varco::provider::{ClientError, Discovery, Provider, follow_changes};
use varco::web::App;

fn spid(app: &App) -> &Arc<Provider> {
    let mut providers = app.providers.iter();
    providers.find(|op| op.profile.name == "spid").unwrap()
}

#[actix_web::test]
async fn a_switched_off_rp_is_refused_by_every_node_after_its_next_poll() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        let host = Host::start();
        let rp = world.stranger(&host, "/rp/");
        host.publish("/rp/", &rp.entity_configuration().unwrap());
        let id = ClientId::new(rp.entity_id());
        // A process of its own, as far as the database can tell; nothing polls in its background.
        let clock: Arc<dyn Clock> = world.clock.clone();
        let other = varco::launch::open(world.app.shared.server.clone(), false, clock).unwrap();
        let (here, there) = (world.provider("spid"), spid(&other));
        here.find_client(&id, Discovery::Allowed(HERE))
            .await
            .unwrap();
        let found = async || there.find_client(&id, Discovery::Never).await;
        let first = found().await.unwrap();
        assert!(Arc::ptr_eq(&first, &found().await.unwrap()), "from memory");
        assert_eq!(there.client_statistics().queries, 1);
        // The poll of a node that starts: it does not know what was before.
        follow_changes(&other.shared, &other.providers)
            .await
            .unwrap();
        found().await.unwrap();

        world.switch_rp("spid", &rp, false);
        follow_changes(&other.shared, &other.providers)
            .await
            .unwrap();
        let error = found().await.unwrap_err();
        assert!(matches!(error, ClientError::Disabled), "{error}");
        follow_changes(&world.app.shared, &world.app.providers)
            .await
            .unwrap();
        let error = here.find_client(&id, Discovery::Never).await.unwrap_err();
        assert!(matches!(error, ClientError::Disabled), "{error}");

        world.switch_rp("spid", &rp, true);
        assert!(
            found().await.is_ok(),
            "what was not in memory is read at once"
        );
    }
}

#[actix_web::test]
async fn without_a_poll_memory_counts_for_two_seconds() {
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let id = ClientId::new(rp.entity_id());
    let op = world.provider("spid");
    // As commands are: nobody polls.
    let alone = Provider::open(op.shared.clone(), op.settings.clone()).unwrap();
    alone
        .find_client(&id, Discovery::Allowed(HERE))
        .await
        .unwrap();
    world.switch_rp("spid", &rp, false);
    world.clock.advance_seconds(2);
    let error = alone.find_client(&id, Discovery::Never).await.unwrap_err();
    assert!(matches!(error, ClientError::Disabled), "{error}");
}

#[actix_web::test]
async fn renewing_a_switched_off_rp_does_not_switch_it_on() {
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    let id = ClientId::new(rp.entity_id());
    let op = world.provider("spid");
    op.find_client(&id, Discovery::Allowed(HERE)).await.unwrap();
    world.switch_rp("spid", &rp, false);
    let path = format!("/rp/{CONFIGURATION}");
    host.forget_requests();
    let error = op.renew(&id).await.unwrap_err();
    assert!(matches!(error, ClientError::Disabled), "{error}");
    assert_eq!(host.requests(), [path]);
    for discovery in [
        Discovery::Never,
        Discovery::Renew(HERE),
        Discovery::Allowed(HERE),
    ] {
        let error = op.find_client(&id, discovery).await.unwrap_err();
        assert!(matches!(error, ClientError::Disabled), "{error}");
    }
}
