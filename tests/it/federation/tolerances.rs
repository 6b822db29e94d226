//! SPID/CIE FE-12: what is tolerated of single RPs, and what is said about it.

use crate::harness::{Host, World, keep_log, logged};
use varco::clock::Clock;
use varco::demo::{LoginOptions, RelyingParty};
use varco::model::{RpToleranceOverride, UserinfoContentType};

const TWO_HOURS: i64 = 7200;
const DAY: i64 = 86_400;

/// An RP whose clock runs `ahead` of the world's.
fn with_clock_ahead(world: &World, host: &Host, path: &str, ahead: i64) -> RelyingParty {
    let rp = world.stranger(host, path);
    world.clock.advance_seconds(ahead);
    host.publish(path, &rp.entity_configuration().unwrap());
    world.clock.advance_seconds(-ahead);
    rp
}

fn lines(rp: &RelyingParty, tolerance: &str) -> usize {
    let tolerance = format!("tolerance={tolerance} ");
    logged(&["event=tolerance.used", rp.entity_id(), &tolerance]).len()
}

#[actix_web::test]
async fn a_clock_two_hours_ahead_is_tolerated_where_it_is_said_and_logged_once_a_day() {
    // SPID/CIE FE-12, AZ-5
    keep_log();
    let host = Host::start();
    let id = host.url("/rp/");
    let tolerance = RpToleranceOverride {
        clock_leeway_seconds: Some(TWO_HOURS + 60),
        ..RpToleranceOverride::default()
    };
    let world = World::builder()
        .issuers(move |settings| {
            settings.rp_tolerances.insert(id.clone(), tolerance);
        })
        .start();
    let rp = with_clock_ahead(&world, &host, "/rp/", TWO_HOURS);
    let other = with_clock_ahead(&world, &host, "/other/", TWO_HOURS);
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let ahead = world.clock.now().plus_seconds(TWO_HOURS).0;
        let options = LoginOptions::default()
            .with_claim("iat", ahead)
            .with_claim("exp", ahead + 300);
        let prepared = world.request_of(&rp, &issuer, &options);
        world.accepted(&prepared).await;
        world
            .accepted(&world.request_of(&rp, &issuer, &options))
            .await;
        let refused = world.request_of(&other, &issuer, &options);
        world.shown(&refused, "invalid_client", "claim iat").await;
    }
    // Once for each of the two issuers, although statement and two requests needed it.
    assert_eq!(lines(&rp, "clock_leeway_seconds"), 2, "SPID/CIE FE-12");
    assert_eq!(lines(&other, "clock_leeway_seconds"), 0);
    let line = logged(&["event=tolerance.used", rp.entity_id()]).remove(0);
    assert!(line.contains("name=\"/rp/\""), "SPID/CIE FE-12: {line}");
    assert!(line.contains("clock by NTP"), "SPID/CIE FE-12: {line}");

    world.clock.advance_seconds(DAY);
    let issuer = world.issuer("spid").await;
    let ahead = world.clock.now().plus_seconds(TWO_HOURS).0;
    let options = LoginOptions::default()
        .with_claim("iat", ahead)
        .with_claim("exp", ahead + 300);
    world
        .accepted(&world.request_of(&rp, &issuer, &options))
        .await;
    assert_eq!(
        lines(&rp, "clock_leeway_seconds"),
        3,
        "SPID/CIE FE-12: next day"
    );
}

#[actix_web::test]
async fn a_client_assertion_of_such_a_clock_is_tolerated_as_well() {
    // SPID/CIE FE-12, TK-1
    keep_log();
    let world = World::builder()
        .issuers(|settings| settings.rp_tolerance.clock_leeway_seconds = TWO_HOURS)
        .start();
    let rp = world.rp();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let (prepared, code) = world.code(rp, &issuer, &LoginOptions::default()).await;
        world.clock.advance_seconds(3600);
        let fields = rp
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        world.clock.advance_seconds(-3600);
        let answer = world.post(&issuer.metadata.token_endpoint, &fields).await;
        assert_eq!(answer.status, 200, "SPID/CIE FE-12: {}", answer.body);
    }
    assert_eq!(lines(rp, "clock_leeway_seconds"), 2, "SPID/CIE FE-12");
}

#[actix_web::test]
async fn a_request_without_exp_counts_for_five_minutes_where_it_is_tolerated() {
    // SPID/CIE FE-12, AZ-4
    keep_log();
    let strict = World::start();
    let options = LoginOptions::default().without_claim("exp");
    for profile in ["spid", "cie"] {
        let issuer = strict.issuer(profile).await;
        let prepared = strict.request(&issuer, &options);
        strict
            .told(&prepared, "invalid_request_object", "exp")
            .await;
    }
    assert_eq!(lines(strict.rp(), "missing_exp"), 0);
    let world = World::builder()
        .issuers(|settings| settings.rp_tolerance.missing_exp = true)
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        world.accepted(&world.request(&issuer, &options)).await;
        let late = world.request(&issuer, &options);
        world.clock.advance_seconds(331);
        world.told(&late, "invalid_request_object", "exp").await;
    }
    assert_eq!(lines(world.rp(), "missing_exp"), 2, "SPID/CIE FE-12");
}

#[actix_web::test]
async fn userinfo_is_application_jose_where_one_rp_needs_it() {
    // SPID/CIE FE-12, UI-2
    keep_log();
    let host = Host::start();
    let id = host.url("/rp/");
    let world = World::builder()
        .issuers(move |settings| {
            let tolerance = RpToleranceOverride {
                userinfo_content_type: Some(UserinfoContentType::Jose),
                ..RpToleranceOverride::default()
            };
            settings.rp_tolerances.insert(id.clone(), tolerance);
        })
        .start();
    let rp = world.stranger(&host, "/rp/");
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for (rp, expected) in [(&rp, "application/jose"), (world.rp(), "application/jwt")] {
            let tokens = world.login(rp, &issuer, &LoginOptions::default()).await;
            let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
            assert_eq!(answer.header("content-type"), expected, "SPID/CIE UI-2");
            world.userinfo(&issuer, &tokens.answer.access_token).await;
        }
    }
    assert_eq!(lines(&rp, "userinfo_content_type"), 2, "SPID/CIE FE-12");
    assert_eq!(lines(world.rp(), "userinfo_content_type"), 0);
}
