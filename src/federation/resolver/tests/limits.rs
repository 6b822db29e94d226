use super::*;
use std::time::Duration;
use tokio::sync::Semaphore;

fn entity(number: usize) -> String {
    format!("https://e{number}.example.it")
}

#[tokio::test]
async fn twenty_authority_hints_are_followed_and_twenty_one_are_not() {
    // SPID/CIE FE-2
    let world = World::new();
    let hints: Vec<String> = (0..19).map(entity).chain([TA.to_owned()]).collect();
    let hints: Vec<&str> = hints.iter().map(String::as_str).collect();
    world.relying_party(&hints, nothing);
    assert!(resolve(&world).await.is_ok());
    let many: Vec<&str> = [SA].into_iter().chain(hints).collect();
    world.relying_party(&many, nothing);
    world.fetch.forget_calls();
    let error = refusal(&world).await;
    assert!(
        error
            .description()
            .contains("21 authority_hints, at most 20"),
        "{error}"
    );
    assert_eq!(world.fetch.urls().len(), 2);
}

#[tokio::test]
async fn a_resolution_never_makes_more_than_thirty_fetches() {
    // SPID/CIE FE-2
    let world = World::new();
    let all: Vec<String> = (0..16).map(entity).collect();
    let hints: Vec<&str> = all.iter().map(String::as_str).collect();
    world.relying_party(&hints, nothing);
    for superior in &all {
        world.configuration(superior, |claims| {
            claims.insert(
                "authority_hints".into(),
                json!(["https://nowhere.example.it"]),
            );
        });
        world.statement(superior, RP, nothing);
    }
    let error = refusal(&world).await;
    assert!(error.reason().contains("more than 30 fetches"), "{error}");
    // The anchor's own configuration, cached for all, is beside the thirty.
    assert!(world.fetch.urls().len() <= 31);
}

#[tokio::test]
async fn chains_end_at_the_limit_of_depth() {
    // SPID/CIE FE-2
    let mut world = World::new();
    world.limits.depth = 2;
    for (intermediates, accepted) in [(2, true), (3, false)] {
        let names: Vec<String> = (0..intermediates)
            .map(entity)
            .chain([TA.to_owned()])
            .collect();
        world.relying_party(&[&names[0]], nothing);
        world.statement(&names[0], RP, nothing);
        for pair in names.windows(2) {
            world.configuration(&pair[0], |claims| {
                claims.insert("authority_hints".into(), json!([pair[1]]));
            });
            world.statement(&pair[1], &pair[0], nothing);
        }
        assert_eq!(resolve(&world).await.is_ok(), accepted, "{intermediates}");
    }
}

#[tokio::test]
async fn statements_beyond_256_kib_are_refused() {
    // SPID/CIE FE-2
    let world = World::new();
    world.relying_party(&[TA], |claims| {
        claims.insert("noise".into(), json!("x".repeat(256 * 1024)));
    });
    let error = refusal(&world).await;
    assert!(
        error.description().contains("larger than 262144 bytes"),
        "{error}"
    );
    assert_eq!(error.code(), TrustErrorCode::InvalidClient);
}

#[tokio::test]
async fn fifty_first_logins_of_one_relying_party_resolve_once() {
    // SPID/CIE FE-4
    let world = World::new();
    let gate = Arc::new(Semaphore::new(0));
    let jws = world.relying_party(&[TA], nothing);
    let url = id(RP).configuration_url();
    world
        .fetch
        .put(&url, Page::Gated(Arc::clone(&gate), jws.into_bytes()));
    let resolver = world.resolver();
    let rp = id(RP);
    let logins = (0..50).map(|_| resolver.resolve(&world.settings, &rp, HERE, None));
    let logins = futures_util::future::join_all(logins);
    let (outcomes, ()) = tokio::join!(logins, async {
        tokio::task::yield_now().await;
        gate.add_permits(1);
    });
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(world.fetch.urls().len(), 3);
}

#[tokio::test]
async fn a_failure_is_remembered_for_thirty_seconds() {
    // SPID/CIE FE-6
    let world = World::new();
    world.fetch.put(
        &id(RP).configuration_url(),
        Page::Fails(FetchFact::Dns("gone".into())),
    );
    let resolver = world.resolver();
    let first = resolver
        .resolve(&world.settings, &id(RP), HERE, None)
        .await
        .unwrap_err();
    assert_eq!(first.code(), TrustErrorCode::TemporarilyUnavailable);
    world.relying_party(&[TA], nothing);
    world.clock.advance_seconds(29);
    assert_eq!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .unwrap_err(),
        first
    );
    assert_eq!(world.fetch.urls().len(), 1);
    world.clock.advance_seconds(1);
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_relying_party_that_hangs_is_given_up() {
    // SPID/CIE FE-2
    let mut world = World::new();
    world.limits.total = Duration::from_millis(20);
    world.fetch.put(&id(RP).configuration_url(), Page::Stalls);
    let error = refusal(&world).await;
    assert!(matches!(error, TrustError::TimedOut { .. }), "{error:?}");
    assert_eq!(error.code(), TrustErrorCode::TemporarilyUnavailable);
}

/// Does something while a relying party hangs.
async fn while_one_hangs<T>(
    world: &World,
    resolver: &Resolver,
    work: impl Future<Output = T>,
) -> T {
    let dead = id("https://dead.example.it");
    world.fetch.put(&dead.configuration_url(), Page::Stalls);
    tokio::select! {
        biased;
        hung = resolver.resolve(&world.settings, &dead, HERE, None) => panic!("{hung:?}"),
        done = work => done,
    }
}

#[tokio::test]
async fn a_relying_party_that_hangs_holds_nobody_up() {
    // SPID/CIE FE-2
    let mut world = World::new();
    world.limits.concurrent = 2;
    let resolver = world.resolver();
    let rp = id(RP);
    let good = resolver.resolve(&world.settings, &rp, HERE, None);
    assert!(while_one_hangs(&world, &resolver, good).await.is_ok());
}

#[tokio::test]
async fn beyond_the_limit_strangers_wait_for_a_better_time_and_renewals_go_on() {
    // SPID/CIE FE-4, FE-6
    let mut world = World::new();
    world.limits.concurrent = 1;
    let resolver = world.resolver();
    let rp = id(RP);
    let both = async {
        let busy = resolver.resolve(&world.settings, &rp, HERE, None).await;
        (busy, resolver.renew(&world.settings, &rp).await)
    };
    let (busy, renewed) = while_one_hangs(&world, &resolver, both).await;
    assert_eq!(busy.unwrap_err(), TrustError::Busy);
    assert!(renewed.is_ok());
    // Being busy is no fact about the relying party, and who went away is no longer counted.
    assert!(
        resolver
            .resolve(&world.settings, &rp, HERE, None)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_source_that_has_its_share_is_told_so_and_others_go_on() {
    // SPID/CIE FE-6
    let mut world = World::new();
    world.limits.per_source = 1;
    world.limits.per_network = 1;
    let resolver = world.resolver();
    let (rp, elsewhere) = (id(RP), Source::of("192.0.2.1".parse().unwrap()));
    let both = async {
        let busy = resolver.resolve(&world.settings, &rp, HERE, None).await;
        let good = resolver.resolve(&world.settings, &rp, elsewhere, None);
        (busy, good.await)
    };
    let (busy, good) = while_one_hangs(&world, &resolver, both).await;
    assert_eq!(busy.unwrap_err(), TrustError::Busy);
    assert!(good.is_ok());
}

#[tokio::test]
async fn the_sources_of_one_network_share_what_it_has() {
    let mut world = World::new();
    world.limits.per_network = 2;
    let resolver = world.resolver();
    let running = &resolver.inner.running;
    let from = |address: &str| {
        let lane = Lane::Stranger(Source::of(address.parse().unwrap()));
        running.start(&world.limits, lane)
    };
    let held = [from("2001:db8:1:1::1"), from("2001:db8:1:2::1")];
    assert!(held.iter().all(Result::is_ok));
    assert!(from("2001:db8:1:3::1").is_err());
    assert!(from("2001:db8:2:1::1").is_ok());
    drop(held);
    assert!(from("2001:db8:1:3::1").is_ok());
}

#[tokio::test]
async fn whoever_brings_chains_takes_of_its_own_share_only() {
    // SPID/CIE FE-5: chains are public, anybody may send one.
    let mut world = World::new();
    world.limits.per_source = 1;
    let resolver = world.resolver();
    let chain = [
        world.relying_party(&[TA], nothing),
        world.statement(TA, RP, nothing),
    ];
    let (rp, url) = (id(RP), "https://rp.example.it/jwks");
    let keys = jwks("p").to_string().into_bytes();
    world.fetch.put(url, Page::Body(keys));
    let metadata = json!({"jwks_uri": url});
    let owner = KeyOwner {
        subject: &rp,
        metadata: metadata.as_object().unwrap(),
        federation_keys: &key_set(RP),
    };
    let keys = async |lane| resolver.fetch_rp_keys(&world.settings, lane, owner).await;
    let elsewhere = Source::of("192.0.2.1".parse().unwrap());
    let work = async {
        let provided = resolver.resolve_provided(&world.settings, &rp, HERE, &chain);
        assert_eq!(provided.await.unwrap_err(), TrustError::Busy);
        let busy = keys(Lane::Stranger(HERE)).await;
        assert_eq!(busy.unwrap_err(), TrustError::Busy);
        world.fetch.forget_calls();
        assert!(keys(Lane::Stranger(elsewhere)).await.is_ok());
        assert_eq!(world.fetch.lanes(), [Lane::Stranger(elsewhere)]);
        assert!(keys(Lane::Known).await.is_ok());
    };
    while_one_hangs(&world, &resolver, work).await;
    world.fetch.put(url, Page::Fails(FetchFact::Busy));
    let busy = keys(Lane::Stranger(HERE)).await.unwrap_err();
    assert_eq!(busy, TrustError::Busy, "no fact about the relying party");
}

#[tokio::test]
async fn who_ran_out_of_time_decides_nothing_for_others() {
    // SPID/CIE FE-6: the time may have gone by while its source waited for itself.
    let mut world = World::new();
    world.limits.total = Duration::from_millis(20);
    world.fetch.put(&id(RP).configuration_url(), Page::Stalls);
    let resolver = world.resolver();
    let (rp, elsewhere) = (id(RP), Source::of("192.0.2.1".parse().unwrap()));
    let slow = resolver.resolve(&world.settings, &rp, HERE, None).await;
    assert!(matches!(slow, Err(TrustError::TimedOut { .. })), "{slow:?}");
    world.relying_party(&[TA], nothing);
    let other = resolver.resolve(&world.settings, &rp, elsewhere, None);
    assert!(other.await.is_ok());
}

#[tokio::test]
async fn an_anchor_that_was_never_reached_is_asked_once_in_thirty_seconds_and_all_at_once() {
    // SPID/CIE FE-4
    let mut world = World::new();
    let down = id("https://down.example.it");
    let anchor = TrustAnchor {
        id: down.clone(),
        pinned_keys: Some(key_set("down")),
    };
    world.settings.anchors.insert(0, anchor);
    let url = down.configuration_url();
    let gate = Arc::new(Semaphore::new(0));
    let page = Page::Gated(Arc::clone(&gate), b"nothing".to_vec());
    world.fetch.put(&url, page);
    let resolver = world.resolver();
    let rp = id(RP);
    let (first, both) = tokio::join!(resolver.renew(&world.settings, &rp), async {
        tokio::task::yield_now().await;
        gate.add_permits(1);
        world.fetch.urls()
    });
    assert!(first.is_ok(), "{first:?}");
    assert!(both.contains(&id(TA).configuration_url()), "{both:?}");
    let asked = || {
        world
            .fetch
            .urls()
            .iter()
            .filter(|asked| **asked == url)
            .count()
    };
    assert!(resolver.renew(&world.settings, &rp).await.is_ok());
    assert_eq!(asked(), 1, "remembered");
    world.clock.advance_seconds(30);
    world
        .fetch
        .put(&url, Page::Fails(FetchFact::Dns("gone".into())));
    assert!(resolver.renew(&world.settings, &rp).await.is_ok());
    assert_eq!(asked(), 2);
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_pause_longer() {
    // SPID/CIE FE-6
    let world = World::new();
    let url = id(RP).configuration_url();
    world
        .fetch
        .put(&url, Page::Fails(FetchFact::Dns("gone".into())));
    let (resolver, rp) = (world.resolver(), id(RP));
    let resolve = || resolver.resolve(&world.settings, &rp, HERE, None);
    assert!(resolve().await.is_err());
    world.clock.advance_seconds(-1800);
    world.clock.advance_seconds(29);
    assert!(resolve().await.is_err());
    assert_eq!(world.fetch.urls().len(), 1, "remembered");
    world.clock.advance_seconds(1);
    assert!(resolve().await.is_err());
    assert_eq!(world.fetch.urls().len(), 2, "asked again");
}

#[tokio::test]
async fn an_anchor_that_is_down_stops_nobody_while_its_configuration_holds() {
    // SPID/CIE FE-4
    let world = World::new();
    let resolver = world.resolver();
    world.configuration(TA, |claims| {
        claims.insert("exp".into(), json!(NOW + 7000));
    });
    world.relying_party(&[TA], |claims| {
        claims.insert("exp".into(), json!(NOW + 9000));
        let lasting = mark(TA, RP, |mark| {
            mark.insert("exp".into(), json!(NOW + 9000));
        });
        claims.insert("trust_marks".into(), json!([lasting]));
    });
    world.statement(TA, RP, |claims| {
        claims.insert("exp".into(), json!(NOW + 9000));
    });
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_ok()
    );
    world.fetch.put(
        &id(TA).configuration_url(),
        Page::Fails(FetchFact::Status { code: 503 }),
    );
    world.clock.advance_seconds(3601);
    assert!(
        resolver
            .resolve(&world.settings, &id(RP), HERE, None)
            .await
            .is_ok()
    );
    world.clock.advance_seconds(3400);
    let error = resolver
        .resolve(&world.settings, &id(RP), HERE, None)
        .await
        .unwrap_err();
    assert!(matches!(error, TrustError::Anchor { .. }), "{error}");
}
