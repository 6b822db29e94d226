//! The keys of an RP that an operator registered with their address (OIDC Registration §2, `jwks_uri`): fetched, kept for all
//! nodes, followed when the RP changes them, and no longer believed when nobody could ask for a day.

use crate::harness::registered_client::Client;
use crate::harness::{ASSERTION_TYPE, Answer, Host, World, public_keys, signed};
use serde_json::json;
use varco::clock::Clock as _;
use varco::jose::{KeyKind, PrivateKey};
use varco::model::ClientId;
use varco::provider::{Discovery, follow_changes, renew_all};
use varco::store::renewal;

/// An RP of the oidc profile that publishes its keys on a host of its own.
pub struct Party {
    pub host: Host,
    pub client: Client,
}

pub fn key() -> PrivateKey {
    PrivateKey::generate(KeyKind::P256).unwrap()
}

impl Party {
    /// Registered with this address; the round of renewals that would ask there first is left out, so that every request is
    /// one of the test's.
    pub fn at(world: &World, host: Host, url: &str) -> Self {
        let client = world.register("private_key_jwt", &["--jwks-uri", url]);
        let issuer = world.provider("oidc").issuer.clone();
        let id = ClientId::new(client.id.as_str());
        let store = &world.app.shared.store;
        store
            .write_blocking(move |tx| renewal::delete(tx, &issuer, &id))
            .unwrap();
        host.forget_requests();
        Self { host, client }
    }

    /// Registered with `/keys` of a host of its own.
    pub fn new(world: &World) -> Self {
        let host = Host::start();
        let url = host.url("/keys");
        Self::at(world, host, &url)
    }

    pub fn publish(&self, keys: &[&PrivateKey]) {
        let keys = public_keys(keys).to_string();
        self.host.put("/keys", "application/json", &keys);
    }

    /// A client assertion that `key` signs.
    pub fn assertion(&self, world: &World, key: &PrivateKey) -> String {
        let now = world.clock.now().0;
        let claims = json!({
            "iss": self.client.id,
            "sub": self.client.id,
            "aud": format!("{}token", world.oidc()),
            "iat": now,
            "exp": now + 60,
            "jti": varco::random::uuid4(),
        });
        signed(None, &claims, key)
    }

    /// Redeems a new code.
    pub async fn token(&self, world: &World, key: &PrivateKey) -> Answer {
        let code = world.oidc_code(&self.client, &[]).await;
        let assertion = self.assertion(world, key);
        let fields = [
            ("client_id", self.client.id.as_str()),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        world.oidc_token(&[], &code, &fields).await
    }

    async fn accepts(&self, world: &World, key: &PrivateKey) {
        let answer = self.token(world, key).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    fn asked(&self) -> usize {
        self.host.requests().len()
    }
}

async fn renew(world: &World) -> varco::provider::Round {
    renew_all(&world.app.providers).await
}

#[actix_web::test]
async fn keys_are_fetched_once_and_a_new_one_is_followed_at_once() {
    let world = World::start();
    let party = Party::new(&world);
    let (old, new) = (key(), key());
    party.publish(&[&old]);
    party.accepts(&world, &old).await;
    party.accepts(&world, &old).await;
    assert_eq!(party.asked(), 1);

    party.publish(&[&new]);
    world.clock.advance_seconds(5);
    party.accepts(&world, &new).await;
    assert_eq!(party.asked(), 2);
    // The old one went with it; and whoever has it makes nobody fetch at will.
    for _ in 0..3 {
        party
            .token(&world, &old)
            .await
            .is_refused(401, "invalid_client", "no key with kid");
    }
    assert_eq!(party.asked(), 2);
}

#[actix_web::test]
async fn what_one_node_found_the_others_have_without_asking() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        let op = world.provider("oidc");
        let node = world.another_node();
        // At the desk: the command's configuration names another database than this world's.
        let host = Host::start();
        let url = host.url("/keys");
        let form = [
            ("auth_method", "private_key_jwt"),
            ("jwks_uri", url.as_str()),
        ];
        let mut olga = world.desk().await;
        let added = crate::desk::rps_forms::add(&world, &mut olga, &form).await;
        assert_eq!(added.status, 303, "{}", added.body);
        let client = Client {
            id: "shop".to_owned(),
            secret: String::new(),
        };
        let party = Party { host, client };
        let key = key();
        party.publish(&[&key]);
        follow_changes(&node.app.shared, &node.app.providers)
            .await
            .unwrap();
        let id = ClientId::new(party.client.id.as_str());
        let there = node.provider("oidc");
        // So that it is in memory there.
        there.find_client(&id, Discovery::Never).await.unwrap();
        op.renew(&id).await.unwrap();
        party.host.forget_requests();
        follow_changes(&node.app.shared, &node.app.providers)
            .await
            .unwrap();
        let known = there.find_client(&id, Discovery::Never).await.unwrap();
        assert_eq!(known.keys.keys().len(), 1);
        assert_eq!(party.asked(), 0);
    }
}

#[actix_web::test]
async fn a_key_that_the_rp_took_back_ends_within_the_hour() {
    let world = World::start();
    let party = Party::new(&world);
    let (stays, stolen) = (key(), key());
    party.publish(&[&stays, &stolen]);
    party.accepts(&world, &stolen).await;
    assert_eq!(party.asked(), 1);
    assert_eq!(renew(&world).await.renewed, 0, "it is not its time");
    party.publish(&[&stays]);
    world.clock.advance_seconds(3600);
    assert_eq!(renew(&world).await.renewed, 1);
    let refused = party.token(&world, &stolen).await;
    refused.is_refused(401, "invalid_client", "no key with kid");
    party.accepts(&world, &stays).await;
}

#[actix_web::test]
async fn keys_that_nobody_could_ask_for_count_a_day_and_no_longer() {
    let world = World::start();
    let party = Party::new(&world);
    let key = key();
    party.publish(&[&key]);
    party.accepts(&world, &key).await;
    party.host.fail("/keys", 500);
    world.clock.advance_seconds(23 * 3600);
    assert_eq!(renew(&world).await.failed, 1);
    party.accepts(&world, &key).await;
    world.clock.advance_seconds(3600);
    let refused = party.token(&world, &key).await;
    refused.is_refused(503, "temporarily_unavailable", "HTTP status 500");
    // The operator sees since when, and why.
    let mut olga = world.desk().await;
    let about = crate::desk::rps::about("one", "oidc", &party.client.id, &[]);
    let page = olga.get(&world.url(&about)).await;
    assert!(page.body.contains("HTTP status 500"), "{}", page.body);
    // The same keys, back again.
    party.publish(&[&key]);
    world.clock.advance_seconds(5);
    party.accepts(&world, &key).await;
}

#[actix_web::test]
async fn another_address_has_other_keys_and_a_form_that_lay_open_meanwhile_is_still_good() {
    let world = World::start();
    let party = Party::new(&world);
    let (here, there) = (key(), key());
    party.publish(&[&here]);
    let mut olga = world.desk().await;
    let about = crate::desk::rps::about("edit", "oidc", &party.client.id, &[]);
    let form = olga.get(&world.url(&about)).await;
    party.accepts(&world, &here).await;
    // What was fetched since is nobody's change.
    let sent = crate::desk::rps_forms::filled(&form, "/admin/rps/edit", &[("name", "Negozio")]);
    let saved = olga.submit(&form, &sent).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    party.accepts(&world, &here).await;
    assert_eq!(party.asked(), 1, "the keys stayed");

    let keys = public_keys(&[&there]).to_string();
    party.host.put("/moved", "application/json", &keys);
    let url = party.host.url("/moved");
    let words = [
        "rp",
        "edit",
        "--issuer",
        &world.oidc(),
        &party.client.id,
        "--jwks-uri",
        &url,
    ];
    world.command(&words).done();
    follow_changes(&world.app.shared, &world.app.providers)
        .await
        .unwrap();
    world.clock.advance_seconds(5);
    party.accepts(&world, &there).await;
    let refused = party.token(&world, &here).await;
    refused.is_refused(401, "invalid_client", "no key with kid");
}

#[actix_web::test]
async fn the_operator_asks_now_and_is_told_what_is_wrong_there() {
    let world = World::start();
    let party = Party::new(&world);
    party.host.fail("/keys", 404);
    let oidc = world.oidc();
    let refresh = ["rp", "refresh", "--issuer", &oidc, &party.client.id];
    let failed = world.command_asking(&refresh).await;
    assert!(failed.refused(1, "varco rp check").contains("404"));
    let check = ["rp", "check", "--issuer", &oidc, &party.client.id];
    let checked = world.command_asking(&check).await;
    let checked: serde_json::Value = serde_json::from_str(&checked.refused(1, "refuses")).unwrap();
    assert!(checked.to_string().contains("/keys"), "{checked}");
    let key = key();
    party.publish(&[&key]);
    let done = world.command_asking(&refresh).await.done();
    assert_eq!(done["accepted"], true);
    let asked = party.asked();
    follow_changes(&world.app.shared, &world.app.providers)
        .await
        .unwrap();
    party.accepts(&world, &key).await;
    assert_eq!(party.asked(), asked, "what the command found is for all");
}
