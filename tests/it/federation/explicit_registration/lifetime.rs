//! The end of a registration, its renewal, and what the operator decided.

use super::{CHAIN, STATEMENT, chain_of, secret_of};
use crate::harness::{World, assert_shown};
use serde_json::{Map, Value, json};
use varco::clock::Clock as _;
use varco::demo::RelyingParty;
use varco::model::{ClientId, Origin};
use varco::store::{StoreError, client, renewal};

const HOUR: i64 = 3600;

impl World {
    fn change_row(&self, rp: &RelyingParty, change: impl FnOnce(&mut Origin) + Send + 'static) {
        let op = self.provider("oidc");
        let (issuer, id) = (op.issuer.clone(), ClientId::new(rp.entity_id()));
        self.app
            .shared
            .store
            .write_blocking(move |connection| -> Result<(), StoreError> {
                let mut party = client::find(connection, &issuer, &id)?.unwrap();
                change(&mut party.origin);
                client::upsert(connection, &party).map(|_| ())
            })
            .unwrap();
    }
}

/// §12.2.6: bounded by the chain, to the second, at both endpoints, and renewed by registering again.
#[actix_web::test]
async fn after_its_end_a_registration_does_not_count_until_the_rp_registers_again() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let rp = world.plain_rp("rp-explicit");
        let end = world.now() + HOUR;
        let anchor = world.federation.trust_anchor();
        anchor.change(rp.entity_id(), |subordinate| {
            subordinate.extra = Map::from_iter([("exp".to_owned(), json!(end))]);
        });
        let answer = world.ask_to_register(&rp).await;
        let claims = world.registered(&rp, &answer);
        assert_eq!(claims["exp"], end, "the superior's statement ends first");
        let first = secret_of(&claims["metadata"]["openid_relying_party"]);
        world.clock.advance_seconds(HOUR - 1);
        let code = world.plain_code(&rp).await;

        world.clock.advance_seconds(1);
        let says = "the registration of this client expired on 2026-01-15T10:00:00Z";
        world
            .token_with_secret(&rp, &code, &first)
            .await
            .is_refused(401, "invalid_client", says);
        let page = world.browser().get(&world.plain_request(&rp)).await;
        assert_shown(&page, "invalid_client", says);
        // Nothing renews it but the RP itself.
        let issuer = world.provider("oidc").issuer.clone();
        let before = world.clock.now().plus_seconds(-1);
        let due =
            world.app.shared.store.read_blocking(|connection| {
                renewal::search_due(connection, &issuer, before, true, 10)
            });
        assert!(due.unwrap().is_empty());

        anchor.change(rp.entity_id(), |subordinate| subordinate.extra.clear());
        let second = secret_of(&world.register_rp(&rp).await);
        let code = world.plain_code(&rp).await;
        world.token_with_secret(&rp, &code, &second).await.granted();
    }
}

#[actix_web::test]
async fn registering_again_replaces_metadata_and_secret_at_once() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let first = secret_of(&world.register_rp(&rp).await);
    let code = world.plain_code(&rp).await;
    let changed = rp.clone().with_metadata("client_name", "Another name");
    let registered = world.register_rp(&changed).await;
    assert_eq!(registered["client_name"], "Another name");
    let second = secret_of(&registered);
    assert_ne!(first, second);
    let with_first = world.token_with_secret(&rp, &code, &first).await;
    with_first.is_refused(401, "invalid_client", "the client secret is wrong");
    // A code of the time before is not lost (§12.2.2, step 7).
    world.token_with_secret(&rp, &code, &second).await.granted();
}

/// The answer holds a secret: a request that somebody kept must not bring another one.
#[actix_web::test]
async fn a_request_works_once_and_not_after_a_later_one() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let rp = world.plain_rp("rp-explicit");
        let kept = rp.registration_request(&world.op()).unwrap();
        let unused = rp.registration_request(&world.op()).unwrap();
        let answer = world.post_registration(STATEMENT, kept.clone()).await;
        world.registered(&rp, &answer);
        let again = world.post_registration(STATEMENT, kept.clone()).await;
        again.is_refused(400, "invalid_request", "used before");
        let mut chain = chain_of(&world, &rp);
        chain[0] = kept.clone();
        let in_a_chain = world
            .post_registration(CHAIN, json!(chain).to_string())
            .await;
        in_a_chain.is_refused(400, "invalid_request", "used before");

        world.clock.advance_seconds(1);
        let secret = secret_of(&world.register_rp(&rp).await);
        let older = world.post_registration(STATEMENT, unused).await;
        older.is_refused(400, "invalid_request", "a later registration request");
        world.clock.advance_seconds(3 * 24 * HOUR);
        let expired = world.post_registration(STATEMENT, kept).await;
        expired.is_refused(400, "invalid_request", "iat must be");
        world.clock.advance_seconds(-3 * 24 * HOUR);
        let code = world.plain_code(&rp).await;
        world.token_with_secret(&rp, &code, &secret).await.granted();
    }
}

#[actix_web::test]
async fn what_the_operator_switched_off_or_registered_stays_so() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    world.register_rp(&rp).await;
    world.switch_rp("oidc", &rp, false);
    let answer = world.ask_to_register(&rp).await;
    answer.is_refused(401, "invalid_client", "disabled by the operator");
    world.switch_rp("oidc", &rp, true);
    world.register_rp(&rp).await;

    world.change_row(&rp, |origin| *origin = Origin::Registered);
    let answer = world.ask_to_register(&rp).await;
    answer.is_refused(401, "invalid_client", "registered by the operator");
}

/// An RP that registered where its keys are may change them; one that registered the keys themselves may not.
#[actix_web::test]
async fn new_keys_behind_a_registered_jwks_uri_are_found() {
    use crate::harness::{Host, public_keys, with_assertion};
    let world = World::start();
    let host = Host::start();
    let rp = world.plain_rp("rp-explicit");
    let other = world.federation.aggregated_relying_party().keys().clone();
    let own = rp.keys().signing.clone();
    host.put(
        "/jwks",
        "application/json",
        &public_keys(&[&other.signing]).to_string(),
    );
    let rp = rp
        .with_metadata("token_endpoint_auth_method", "private_key_jwt")
        .with_metadata("jwks", Value::Null)
        .with_metadata("jwks_uri", host.url("/jwks"));
    let registered = world.register_rp(&rp).await;
    assert_eq!(registered["jwks_uri"], host.url("/jwks"));
    assert!(registered.get("jwks").is_none());
    host.put(
        "/jwks",
        "application/json",
        &public_keys(&[&own]).to_string(),
    );
    host.forget_requests();
    for fetches in [1, 1] {
        let code = world.plain_code(&rp).await;
        let claims = world.assertion_claims(&rp, &format!("{}token", world.op()));
        let assertion = rp.sign_protocol_token(&claims).unwrap();
        let fields = with_assertion(&rp, &assertion, &[]);
        world.plain_token(&rp, &code, &[], &fields).await.granted();
        assert_eq!(host.requests().len(), fetches);
    }
}
