//! What trust anchor and intermediate of the demonstration tell of their trust marks (OIDC Federation §8.4 to §8.6).

use super::demo_endpoints::*;
use crate::harness::{Answer, Browser, World, claims_of};
use serde_json::{Value, json};

async fn status_of(world: &World, mark: &str) -> Answer {
    let fields = [("trust_mark".to_owned(), mark.to_owned())];
    let url = world.url("/ta/trust_mark_status");
    Browser::new().post(&url, &fields).await
}

#[actix_web::test]
async fn the_status_of_a_trust_mark_is_told() {
    // OIDC Federation §8.4; SPID/CIE TM-2
    let world = World::start();
    let anchor = world.federation.trust_anchor();
    let (mark_type, subject) = (
        world.federation.relying_party_mark_type(),
        "https://rp.example.it/",
    );
    let changed = |changes: Value| {
        let changes = changes.as_object().unwrap();
        anchor
            .trust_mark_with(&mark_type, subject, changes)
            .unwrap()
    };
    let now = varco::clock::Clock::now(&*world.clock).0;
    let expired = changed(json!({"exp": now}));
    let good = changed(json!({}));
    let older = changed(json!({"trust_mark_type": null, "id": null, "trust_mark_id": mark_type}));
    let tampered = format!("{}AAAA", &good[..good.len() - 4]);
    for (mark, status) in [
        (&good, "active"),
        (&older, "active"),
        (&expired, "expired"),
        (&tampered, "invalid"),
        (&"not a mark".to_owned(), "invalid"),
    ] {
        let answer = status_of(&world, mark).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let kind = "application/trust-mark-status-response+jwt";
        assert_eq!(answer.header("content-type"), kind);
        let claims = claims_of(&answer.body);
        assert_eq!(claims["iss"], world.url("/ta/"));
        assert_eq!(
            (&claims["status"], &claims["trust_mark"]),
            (&json!(status), &json!(mark))
        );
    }
    anchor.revoke_mark(&mark_type, subject);
    let answer = status_of(&world, &good).await;
    assert_eq!(claims_of(&answer.body)["status"], "revoked");

    let foreign = world
        .federation
        .intermediate()
        .trust_mark(&mark_type, subject, "RP");
    refused(
        &status_of(&world, &foreign.unwrap()).await,
        404,
        "not_found",
        "trust mark",
    );
    refused(
        &status_of(&world, "").await,
        400,
        "invalid_request",
        "trust_mark is empty",
    );
    let url = world.url("/ta/trust_mark_status");
    refused(
        &Browser::new().post(&url, &[]).await,
        400,
        "invalid_request",
        "trust_mark is missing",
    );
}

#[actix_web::test]
async fn marks_and_their_holders_are_told() {
    // OIDC Federation §8.5, §8.6
    let world = World::start();
    let mark_type = world.federation.relying_party_mark_type();
    let rp = world.url("/rp/");
    let holders = ask(
        &world,
        "/ta/trust_mark_list",
        &[("trust_mark_type", &mark_type)],
    )
    .await;
    assert_eq!(listed(&holders), [world.url("/rp-aggregated/"), rp.clone()]);
    let of = |sub| [("trust_mark_type", &*mark_type), ("sub", sub)];
    let one = ask(&world, "/ta/trust_mark_list", &of(&rp)).await;
    assert_eq!(listed(&one), std::slice::from_ref(&rp));
    let none = ask(&world, "/ta/trust_mark_list", &of("https://x/")).await;
    assert!(listed(&none).is_empty());
    let unknown = [("trust_mark_type", "https://x/")];
    assert!(listed(&ask(&world, "/ta/trust_mark_list", &unknown).await).is_empty());
    let answer = get(&world, "/ta/trust_mark_list").await;
    refused(
        &answer,
        400,
        "invalid_request",
        "trust_mark_type is missing",
    );

    let mark = ask(&world, "/ta/trust_mark", &of(&rp)).await;
    assert_eq!(mark.status, 200, "{}", mark.body);
    assert_eq!(mark.header("content-type"), "application/trust-mark+jwt");
    assert_eq!(claims_of(&mark.body)["sub"], rp);
    let status = status_of(&world, &mark.body).await;
    assert_eq!(claims_of(&status.body)["status"], "active");
    world.clock.advance_seconds(340 * 24 * 3600);
    let renewed = ask(&world, "/ta/trust_mark", &of(&rp)).await;
    assert_ne!(renewed.body, mark.body, "it would have ended soon");
    let answer = ask(&world, "/ta/trust_mark", &of("https://x/")).await;
    refused(&answer, 404, "not_found", "trust mark");
    world.federation.trust_anchor().revoke_mark(&mark_type, &rp);
    refused(
        &ask(&world, "/ta/trust_mark", &of(&rp)).await,
        404,
        "not_found",
        "trust mark",
    );
    for missing in [[("sub", &*rp)], [("trust_mark_type", &*mark_type)]] {
        let answer = ask(&world, "/ta/trust_mark", &missing).await;
        refused(&answer, 400, "invalid_request", "is missing");
    }
    for path in [
        "/sa/trust_mark",
        "/sa/trust_mark_list",
        "/rp/list",
        "/rp/resolve",
    ] {
        assert_eq!(get(&world, path).await.status, 404, "{path}");
    }
}
