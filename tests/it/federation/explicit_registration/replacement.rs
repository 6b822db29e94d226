//! Who may take the place of whom, and what one RP may take of others.

use super::{CHAIN, STATEMENT, secret_of, superiors_of};
use crate::harness::{Answer, Host, World, keep_log, logged, public_keys};
use serde_json::{Map, Value, json};
use varco::clock::UtcTime;
use varco::demo::{EntityType, RelyingParty, Subordinate};
use varco::model::ClientId;
use varco::store::{DbConn, StoreError, client};

impl World {
    /// Posts a request of `rp` with its chain through the intermediate, which attests these keys for it.
    async fn register_below_the_intermediate(&self, rp: &RelyingParty, jwks: Value) -> Answer {
        let intermediate = self.federation.intermediate();
        let subordinate = Subordinate {
            entity_type: EntityType::RelyingParty,
            jwks,
            metadata_policy: Map::new(),
            constraints: None,
            extra: Map::new(),
        };
        intermediate.attest(rp.entity_id(), subordinate);
        let anchor = self.federation.trust_anchor();
        anchor.change(intermediate.entity_id(), |subordinate| {
            subordinate.metadata_policy.clear();
        });
        let rp = rp.clone().with_superior(intermediate.entity_id());
        let about = intermediate.statement_about(rp.entity_id(), None);
        let chain = [
            vec![
                rp.registration_request(&self.op()).unwrap(),
                about.unwrap().unwrap(),
            ],
            superiors_of(self, intermediate.entity_id()),
        ]
        .concat();
        self.post_registration(CHAIN, json!(chain).to_string())
            .await
    }
}

/// An intermediate that is broken into takes over nobody who is registered.
#[actix_web::test]
async fn another_superior_moves_a_registration_with_the_rps_key_only() {
    keep_log();
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let rp = world.plain_rp("rp-explicit");
        let keys = world.federation.aggregated_relying_party().keys().clone();
        let impostor = world.plain_rp_with("rp-explicit", keys.clone());
        let anchor = world.federation.trust_anchor();
        let secret = secret_of(&world.register_rp(&rp).await);
        let stolen = public_keys(&[&keys.federation]);
        let both = public_keys(&[&keys.federation, &rp.keys().federation]);
        for jwks in [stolen.clone(), both] {
            let answer = world.register_below_the_intermediate(&impostor, jwks).await;
            answer.is_refused(401, "invalid_client", "is registered through");
        }
        let code = world.plain_code(&rp).await;
        world.token_with_secret(&rp, &code, &secret).await.granted();

        // The RP itself moves as it likes, and that is written down.
        let answer = world
            .register_below_the_intermediate(&rp, rp.federation_jwks())
            .await;
        let intermediate = world.federation.intermediate().entity_id();
        world.registered(&rp.clone().with_superior(intermediate), &answer);
        let moved = [
            "event=registration.granted",
            &format!("superior={intermediate}"),
            "replaced=",
            &format!("old_superior={}", anchor.entity_id()),
        ];
        assert_eq!(logged(&moved).len(), 1, "{moved:?}");
    }
}

/// What has ended is nobody's.
#[actix_web::test]
async fn after_the_end_any_superior_may_register_the_rp() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let end = world.now() + 3600;
    let anchor = world.federation.trust_anchor();
    anchor.change(rp.entity_id(), |subordinate| {
        subordinate.extra = Map::from_iter([("exp".to_owned(), json!(end))]);
    });
    world.register_rp(&rp).await;
    world.clock.advance_seconds(3600);
    let keys = world.federation.aggregated_relying_party().keys().clone();
    let other = world.plain_rp_with("rp-explicit", keys);
    let answer = world
        .register_below_the_intermediate(&other, other.federation_jwks())
        .await;
    let intermediate = world.federation.intermediate().entity_id();
    world.registered(&other.with_superior(intermediate), &answer);
}

/// A slow host takes one place, from wherever its owner asks; a used request fetches nothing.
#[actix_web::test]
async fn one_application_of_an_rp_is_looked_into_at_a_time() {
    let world = World::start();
    let mut host = Host::start();
    let rp = world.plain_rp("rp-explicit");
    let slow = rp
        .clone()
        .with_metadata("token_endpoint_auth_method", "private_key_jwt")
        .with_metadata("jwks", Value::Null)
        .with_metadata("jwks_uri", host.url("/jwks"));
    host.hold("/jwks");
    let first = async {
        let answer = world.ask_to_register(&slow).await;
        answer.is_refused(400, "invalid_client_metadata", "jwks_uri");
    };
    let meanwhile = async {
        assert_eq!(host.next_request().await, "/jwks");
        let second = world.ask_to_register(&slow).await;
        second.is_refused(503, "temporarily_unavailable", "try again");
        let other = world.plain_rp("rp-other");
        world.register_rp(&other).await;
        host.release();
    };
    futures_util::join!(first, meanwhile);
    let own = public_keys(&[&rp.keys().signing]).to_string();
    host.put("/jwks", "application/json", &own);
    let request = slow.registration_request(&world.op()).unwrap();
    let answer = world.post_registration(STATEMENT, request.clone()).await;
    world.registered(&slow, &answer);
    host.forget_requests();
    let again = world.post_registration(STATEMENT, request).await;
    again.is_refused(400, "invalid_request", "used before");
    assert!(host.requests().is_empty(), "{:?}", host.requests());
}

/// Whoever comes second meets what the first wrote, on PostgreSQL's many connections too.
#[actix_web::test]
async fn registrations_of_one_rp_are_judged_one_after_the_other() {
    const WRITERS: usize = 12;
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let rp = world.plain_rp("rp-explicit");
        world.register_rp(&rp).await;
        let op = world.provider("oidc");
        let store = &op.shared.store;
        let (issuer, id) = (op.issuer.clone(), ClientId::new(rp.entity_id()));
        let found = store.read_blocking(|connection| client::find(connection, &issuer, &id));
        let mut party = found.unwrap().unwrap();
        party.client_id = ClientId::new("https://counted.example.it");
        party.updated_at = UtcTime(0);
        // Each reads what is there, and writes one more.
        let count = move |connection: &mut DbConn| -> Result<i64, StoreError> {
            let seen = client::insert_or_replace(connection, &party, |current| {
                Ok::<_, StoreError>(current.updated_at.0)
            })?;
            party.updated_at = UtcTime(seen.unwrap_or_default() + 1);
            client::upsert(connection, &party)?;
            Ok(party.updated_at.0)
        };
        let mut counted: Vec<i64> = std::thread::scope(|scope| {
            let start = |_| scope.spawn(|| store.write_blocking(count.clone()).unwrap());
            let writers: Vec<_> = (0..WRITERS).map(start).collect();
            writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect()
        });
        counted.sort_unstable();
        assert_eq!(counted, Vec::from_iter(1..=12));
    }
}
