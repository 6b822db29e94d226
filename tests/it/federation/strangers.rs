//! What strangers cost others: one resolution for many, thirty seconds of memory, and no delay.

use crate::harness::{CONFIGURATION, HERE, Host, World};
use std::sync::Arc;
use std::time::Duration;
use varco::demo::LoginOptions;
use varco::federation::{FetchLimits, HttpFetcher, ResolutionLimits, Source};
use varco::model::ClientId;

#[actix_web::test]
async fn concurrent_first_logins_of_one_rp_resolve_once() {
    // SPID/CIE FE-1: issue "Trust resolution"
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        host.forget_requests();
        let requests: Vec<_> = (0..12)
            .map(|_| world.request_of(&rp, &issuer, &LoginOptions::default()))
            .collect();
        let logins = requests.iter().map(|prepared| world.accepted(prepared));
        futures_util::future::join_all(logins).await;
        assert_eq!(
            host.requests(),
            [format!("/rp/{CONFIGURATION}")],
            "{profile}: one fetch for twelve logins"
        );
    }
}

#[actix_web::test]
async fn a_failure_is_remembered_for_thirty_seconds() {
    // SPID/CIE FE-6
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    let path = format!("/rp/{CONFIGURATION}");
    host.fail(&path, 500);
    let issuer = world.issuer("spid").await;
    let request = || world.request_of(&rp, &issuer, &LoginOptions::default());
    let (error, fact) = ("temporarily_unavailable", "HTTP status 500");
    world.shown(&request(), error, fact).await;
    assert_eq!(host.requests().len(), 1);
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    world.clock.advance_seconds(29);
    world.shown(&request(), error, fact).await;
    assert_eq!(host.requests().len(), 1, "remembered");
    world.clock.advance_seconds(1);
    world.accepted(&request()).await;
    assert_eq!(host.requests().len(), 2, "asked again");
}

#[actix_web::test]
async fn refused_metadata_is_remembered_for_thirty_seconds() {
    // SPID/CIE FE-10
    let world = World::start();
    let host = Host::start();
    let bad = world
        .stranger(&host, "/rp/")
        .with_metadata("redirect_uris", serde_json::json!([]));
    host.publish("/rp/", &bad.entity_configuration().unwrap());
    let issuer = world.issuer("cie").await;
    let options = LoginOptions::default();
    let request = || world.request_of(&bad, &issuer, &options);
    world
        .shown(&request(), "unauthorized_client", "redirect_uris")
        .await;
    assert_eq!(host.requests().len(), 1, "the second of two was remembered");
    let good = world.stranger(&host, "/rp/");
    host.publish("/rp/", &good.entity_configuration().unwrap());
    world.clock.advance_seconds(30);
    let prepared = world.request_of(&good, &issuer, &options);
    world.accepted(&prepared).await;
}

#[actix_web::test]
async fn nobody_waits_for_a_registration_on_behalf_of_another_source() {
    // The first one hangs until the test ends it; were the second to wait with it, nothing more would arrive.
    const FOREVER: Duration = Duration::from_secs(86_400);
    let world = World::start();
    let mut host = Host::start();
    let fetch = FetchLimits {
        per_fetch: FOREVER,
        ..FetchLimits::default()
    };
    let limits = ResolutionLimits {
        total: FOREVER,
        ..ResolutionLimits::default()
    };
    let fetcher = HttpFetcher::new(fetch, true, None).unwrap();
    let node = world.node_with(Arc::new(fetcher), limits);
    let (op, rp) = (node.provider("spid"), world.stranger(&host, "/rp/"));
    let id = ClientId::new(rp.entity_id());
    host.hold(&format!("/rp/{CONFIGURATION}"));
    let elsewhere = Source::of("192.0.2.1".parse().unwrap());
    let first = op.discover(&id, HERE);
    let then = async {
        host.next_request().await;
        host.publish("/rp/", &rp.entity_configuration().unwrap());
        op.discover(&id, elsewhere).await
    };
    tokio::select! {
        first = first => panic!("{first:?}"),
        second = then => assert!(second.is_ok(), "{second:?}"),
    }
}

#[actix_web::test]
async fn an_rp_that_does_not_answer_delays_nobody_else() {
    // Nothing is released before the honest logins are complete, one of an RP that has to be resolved first.
    let world = World::start();
    let mut tar_pit = Host::start();
    let issuer = world.issuer("spid").await;
    let mut pending = Vec::new();
    for name in ["/one/", "/two/", "/three/"] {
        let rp = world.stranger(&tar_pit, name);
        tar_pit.hold(&format!("{name}{CONFIGURATION}"));
        let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
        let mut browser = world.browser();
        browser
            .headers
            .push(("accept", "application/json".to_owned()));
        let stuck = async move { browser.get(&prepared.url).await };
        pending.push(actix_web::rt::spawn(stuck));
        tar_pit.next_request().await;
    }
    world
        .login(world.rp(), &issuer, &LoginOptions::default())
        .await;
    let aggregated = world.federation.aggregated_relying_party();
    world
        .login(aggregated, &issuer, &LoginOptions::default())
        .await;
    tar_pit.release();
    for stuck in pending {
        let answer = stuck.await.unwrap();
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert_eq!(answer.error(), "temporarily_unavailable", "SPID/CIE FE-6");
    }
}
