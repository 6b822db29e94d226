//! SPID/CIE FE-9: an RP that changes its keys is followed at once, and forged requests make nobody fetch at will.

use crate::harness::{CONFIGURATION, Host, Issuer, World};
use varco::demo::{LoginOptions, PreparedRequest, RelyingParty, RelyingPartyKeys};
use varco::jose::{KeyKind, KeyUse, PrivateKey};

/// An RP on a host of its own, and the same RP with another key.
struct Party {
    host: Host,
    path: String,
    rp: RelyingParty,
}

fn with_new_key(world: &World, party: &Party) -> RelyingParty {
    let keys = RelyingPartyKeys {
        signing: PrivateKey::generate(KeyKind::Rsa(2048)).unwrap(),
        ..party.rp.keys().clone()
    };
    world.stranger_with(&party.host, &party.path, keys)
}

/// Published, and known to the issuer.
async fn known(world: &World, issuer: &Issuer, path: &str) -> Party {
    let host = Host::start();
    let rp = world.stranger(&host, path);
    host.publish(path, &rp.entity_configuration().unwrap());
    world.accepted(&request(world, issuer, &rp)).await;
    host.forget_requests();
    let path = path.to_owned();
    Party { host, path, rp }
}

fn request(world: &World, issuer: &Issuer, rp: &RelyingParty) -> PreparedRequest {
    world.request_of(rp, issuer, &LoginOptions::default())
}

async fn forged(world: &World, issuer: &Issuer, by: &RelyingParty) {
    let answer = world.browser().get(&request(world, issuer, by).url).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("no key with kid"), "{}", answer.body);
}

#[actix_web::test]
async fn all_who_come_with_a_new_key_at_once_share_one_look_up() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let party = known(&world, &issuer, "/rp/").await;
    let rotated = with_new_key(&world, &party);
    party
        .host
        .publish("/rp/", &rotated.entity_configuration().unwrap());
    let requests: Vec<_> = (0..8).map(|_| request(&world, &issuer, &rotated)).collect();
    let logins = requests.iter().map(|prepared| world.accepted(prepared));
    futures_util::future::join_all(logins).await;
    assert_eq!(party.host.requests(), [format!("/rp/{CONFIGURATION}")]);
}

#[actix_web::test]
async fn one_forged_request_delays_a_change_of_keys_by_five_seconds_and_many_by_a_minute() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let party = known(&world, &issuer, "/rp/").await;
    let (attacker, rotated) = (with_new_key(&world, &party), with_new_key(&world, &party));
    for _ in 0..3 {
        forged(&world, &issuer, &attacker).await;
    }
    assert_eq!(party.host.requests().len(), 1, "one look-up, whoever asks");
    party
        .host
        .publish("/rp/", &rotated.entity_configuration().unwrap());
    world.accepted(&request(&world, &issuer, &party.rp)).await;
    forged(&world, &issuer, &rotated).await;
    assert_eq!(party.host.requests().len(), 1, "the pause");
    world.clock.advance_seconds(5);
    world.accepted(&request(&world, &issuer, &rotated)).await;
    assert_eq!(party.host.requests().len(), 2);

    // Forging without end: once a minute, and a change of keys is found then.
    let last = with_new_key(&world, &party);
    for _ in 0..40 {
        world.clock.advance_seconds(5);
        forged(&world, &issuer, &attacker).await;
    }
    let asked = party.host.requests().len() - 2;
    assert!((4..=7).contains(&asked), "5, 10, 20, 40, 60, 60 s: {asked}");
    party
        .host
        .publish("/rp/", &last.entity_configuration().unwrap());
    world.clock.advance_seconds(60);
    world.accepted(&request(&world, &issuer, &last)).await;
}

#[actix_web::test]
async fn whoever_forges_requests_of_all_rps_spends_their_own_share() {
    let world = World::start();
    let issuer = world.issuer("spid").await;
    let mut looked_up = 0;
    for number in 0..6 {
        let party = known(&world, &issuer, &format!("/rp{number}/")).await;
        let attacker = with_new_key(&world, &party);
        forged(&world, &issuer, &attacker).await;
        looked_up += party.host.requests().len();
    }
    assert_eq!(looked_up, 4, "of one source");
}

#[actix_web::test]
async fn a_client_assertion_with_a_new_key_is_followed_too() {
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let party = known(&world, &issuer, "/rp/").await;
    let options = LoginOptions::default();
    let (prepared, code) = world.code(&party.rp, &issuer, &options).await;
    let rotated = with_new_key(&world, &party);
    party
        .host
        .publish("/rp/", &rotated.entity_configuration().unwrap());
    let answer = world.redeem_raw(&rotated, &issuer, &prepared, &code).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(party.host.requests(), [format!("/rp/{CONFIGURATION}")]);
}

#[actix_web::test]
async fn keys_at_an_address_of_their_own_cost_one_fetch_and_then_the_chain() {
    let world = World::start();
    let host = Host::start();
    let issuer = world.issuer("spid").await;
    let rp = world.stranger(&host, "/rp/");
    let address = host.url("/rp/keys");
    let by_address = |rp: RelyingParty| {
        rp.with_metadata("jwks", serde_json::Value::Null)
            .with_metadata("jwks_uri", address.clone())
    };
    let publish = |rp: &RelyingParty| {
        let keys = serde_json::json!({"keys": [
            rp.keys().signing.public_jwk(KeyUse::Signature, None),
            rp.keys().encryption.public_jwk(KeyUse::Encryption, None),
        ]});
        host.put("/rp/keys", "application/json", &keys.to_string());
    };
    let rp = by_address(rp);
    publish(&rp);
    host.publish("/rp/", &rp.entity_configuration().unwrap());
    world.accepted(&request(&world, &issuer, &rp)).await;
    host.forget_requests();
    let party = Party {
        host: Host::start(),
        path: "/rp/".to_owned(),
        rp,
    };
    let another = |world: &World| {
        let keys = RelyingPartyKeys {
            signing: PrivateKey::generate(KeyKind::Rsa(2048)).unwrap(),
            ..party.rp.keys().clone()
        };
        world.stranger_with(&host, "/rp/", keys)
    };
    let rotated = by_address(another(&world));
    publish(&rotated);
    world.accepted(&request(&world, &issuer, &rotated)).await;
    assert_eq!(host.requests(), ["/rp/keys"], "nothing else is asked");
    // It moves its keys into its metadata: the address has nothing new, the chain has.
    let moved = another(&world);
    host.publish("/rp/", &moved.entity_configuration().unwrap());
    host.forget_requests();
    world.clock.advance_seconds(5);
    forged(&world, &issuer, &moved).await;
    assert_eq!(host.requests(), ["/rp/keys"]);
    world.clock.advance_seconds(5);
    world.accepted(&request(&world, &issuer, &moved)).await;
    assert_eq!(host.requests()[1], format!("/rp/{CONFIGURATION}"));
}
