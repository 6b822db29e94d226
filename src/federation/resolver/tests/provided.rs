use super::*;

/// Subject, statements upwards, anchor; and a relying party that cannot be reached.
fn chain(world: &World) -> Vec<String> {
    let chain = vec![
        world.relying_party(&[SA], nothing),
        world.statement(SA, RP, nothing),
        world.statement(TA, SA, nothing),
        world.configuration(TA, nothing),
    ];
    world.fetch.put(
        &id(RP).configuration_url(),
        Page::Fails(FetchFact::Dns("gone".into())),
    );
    chain
}

async fn provided(world: &World, chain: &[String]) -> Outcome {
    world
        .resolver()
        .resolve_provided(&world.settings, &id(RP), HERE, chain)
        .await
}

#[tokio::test]
async fn a_chain_that_holds_needs_nothing_that_the_relying_party_names() {
    // SPID/CIE FE-5
    let world = World::aggregated();
    let chain = chain(&world);
    let resolved = world
        .resolver()
        .resolve(&world.settings, &id(RP), HERE, Some(&chain))
        .await
        .unwrap();
    assert_eq!(resolved.chain, chain);
    assert_eq!(world.fetch.urls(), [id(TA).configuration_url()]);
    // The anchor's own entity configuration may be left out.
    assert!(provided(&world, &chain[..3]).await.is_ok());
}

#[tokio::test]
async fn a_chain_that_does_not_hold_is_refused_by_its_link_and_fetching_is_tried() {
    // SPID/CIE FE-5
    let world = World::aggregated();
    let good = chain(&world);
    let forged = signed(
        "entity-statement+jwt",
        &Value::Object(World::claims(TA, SA)),
        &key("forger"),
    );
    let other = world.statement(SA, "https://other.example.it", nothing);
    let expired = world.statement(SA, RP, |claims| {
        claims.insert("exp".into(), json!(NOW - 100));
    });
    for (bad, fact) in [
        (
            vec![good[0].clone(), good[1].clone(), forged, good[3].clone()],
            "no key with kid",
        ),
        (
            vec![good[0].clone(), other, good[2].clone()],
            "is about https://other.example.it",
        ),
        (vec![good[0].clone(), expired, good[2].clone()], "claim exp"),
        (
            vec![good[0].clone(), good[1].clone()],
            "no usable trust anchor",
        ),
        (
            vec![good[0].clone(), good[2].clone()],
            "is about https://sa.example.it",
        ),
        (vec![good[1].clone(), good[2].clone()], "no key with kid"),
        (
            vec![good[0].clone(), good[3].clone()],
            "is about https://ta.example.it",
        ),
        (vec![good[0].clone(), "x".to_owned()], "parts"),
        (vec![good[0].clone()], "has 1 statements"),
        (vec![good[0].clone(); 50], "has 50 statements"),
    ] {
        let error = provided(&world, &bad).await.unwrap_err();
        assert!(error.to_string().contains(fact), "{fact}: {error}");
        assert_eq!(error.code(), TrustErrorCode::InvalidClient);
    }
    let bad = [good[0].clone(), "x".to_owned()];
    let both = world
        .resolver()
        .resolve(&world.settings, &id(RP), HERE, Some(&bad))
        .await
        .unwrap_err();
    assert!(
        both.description().contains("header trust_chain: "),
        "{both}"
    );
    assert!(both.description().contains("does not resolve"), "{both}");
    world.relying_party(&[SA], nothing);
    world.statement(SA, RP, nothing);
    assert!(
        world
            .resolver()
            .resolve(&world.settings, &id(RP), HERE, Some(&bad))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn the_trust_marks_of_a_provided_chain_are_checked_too() {
    // SPID/CIE FE-1, FE-5
    let world = World::aggregated();
    let mut chain = chain(&world);
    chain[0] = world.relying_party(&[SA], |claims| {
        claims.remove("trust_marks");
    });
    let error = provided(&world, &chain).await.unwrap_err();
    assert_eq!(error.code(), TrustErrorCode::UnauthorizedClient);
}
