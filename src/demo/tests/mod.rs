//! The demonstration against a provider that is played by the test.

mod answers;
mod network;
mod pages;
mod played_provider;
mod requests;
mod resolution;
mod statements;

use super::*;
use crate::clock::{ManualClock, UtcTime};
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, KeySet, SignatureAlgorithm, TypRule, Unverified,
};
use played_provider::PlayedProvider;

const BASE: &str = "http://127.0.0.1:8000";
const START: UtcTime = UtcTime(1_800_000_000);

struct World {
    clock: Arc<ManualClock>,
    provider: Arc<PlayedProvider>,
    federation: Arc<DemoFederation>,
}

fn world() -> World {
    let clock = Arc::new(ManualClock::starting_at(START));
    let provider = Arc::new(PlayedProvider::new(
        &format!("{BASE}/spid/"),
        Arc::clone(&clock),
    ));
    let federation = DemoFederation::new(
        BASE,
        DemoKeys::generate_fast().unwrap(),
        clock.clone(),
        provider.clone(),
    );
    let federation = Arc::new(federation.unwrap());
    federation.attest_provider(&provider.issuer, provider.federation_jwks());
    provider.join(&federation);
    World {
        clock,
        provider,
        federation,
    }
}

impl World {
    fn metadata(&self) -> ProviderMetadata {
        ProviderMetadata::from_json(self.provider.metadata().as_object().unwrap()).unwrap()
    }

    fn request(&self, options: &LoginOptions) -> PreparedRequest {
        let relying_party = self.federation.relying_party();
        relying_party
            .authorization_request(&self.metadata(), options)
            .unwrap()
    }
}

/// The claims of a token that these keys signed.
fn verified(token: &str, jwks: &Value, typ: &str) -> Map<String, Value> {
    let expectations = Expectations {
        kind: "test",
        typ: TypRule::Exactly(&[typ]),
        algorithms: SignatureAlgorithm::ALL,
        kid_required: true,
        issuer: None,
        subject: None,
        audience: None,
        now: START,
        leeway_seconds: 0,
        expiry: ExpiryRule::Required,
        issued_at: IssuedAtRule::Required,
        max_lifetime_seconds: None,
    };
    Unverified::parse(token, 256 * 1024)
        .unwrap()
        .verify(&KeySet::from_json(jwks).unwrap(), &expectations)
        .unwrap()
        .into_claims()
}

fn header(token: &str) -> Value {
    let encoded = token.split('.').next().unwrap();
    let json = data_encoding::BASE64URL_NOPAD
        .decode(encoded.as_bytes())
        .unwrap();
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn the_base_url_is_an_origin() {
    for url in ["http://127.0.0.1:8000/", "https://demo.example.it"] {
        assert!(origin(url).is_ok(), "{url}");
    }
    for url in [
        "",
        "127.0.0.1",
        "ftp://x/",
        "http://h/a",
        "http://u@h/",
        "http://h/?q",
        "http://h/#f",
    ] {
        assert!(origin(url).is_err(), "{url}");
    }
}

#[test]
fn on_loopback_the_relying_party_is_also_reached_under_the_other_name() {
    assert_eq!(
        redirect_uris(BASE, "rp"),
        [
            "http://127.0.0.1:8000/rp/callback",
            "http://localhost:8000/rp/callback"
        ]
    );
    assert_eq!(
        redirect_uris("http://127.0.0.1.example.it", "rp"),
        ["http://127.0.0.1.example.it/rp/callback"]
    );
    assert_eq!(
        origins("https://demo.example.it"),
        ["https://demo.example.it"]
    );
}

#[test]
fn logins_are_forgotten_after_two_hours_and_when_there_are_too_many() {
    let world = world();
    let attempts = web::Attempts::new(world.clock.clone());
    let metadata = world.metadata();
    let mut prepared = world.request(&LoginOptions::default());
    let mut begin = |state: &str| {
        prepared.state = state.to_owned();
        let prepared = prepared.clone();
        attempts.insert(web::Attempt::begun(
            "b",
            "rp",
            metadata.clone(),
            prepared,
            Vec::new(),
        ));
    };
    begin("first");
    assert!(attempts.find("first").is_some());
    world.clock.advance_seconds(7200);
    assert!(attempts.find("first").is_none());
    assert!(attempts.is_empty());
    for number in 0..10_001 {
        begin(&number.to_string());
    }
    assert_eq!(attempts.len(), 10_000);
    assert!(attempts.find("0").is_none());
    assert!(attempts.find("1").is_some());
}

#[test]
fn a_further_relying_party_publishes_what_it_is_told_to() {
    let world = world();
    let federation = &world.federation;
    let keys = federation.relying_party().keys().clone();
    let further = federation.further_relying_party("rp-odd", keys).unwrap();
    let further = further
        .with_metadata("userinfo_encrypted_response_alg", Value::Null)
        .with_metadata("grant_types", json!(["implicit"]))
        .with_statement_claim("exp", START.0 + 1);
    let further = federation.admit("rp-odd", further);
    assert!(federation.relying_party_at("rp-odd").is_some());
    let jwks = further.federation_jwks();
    let typ = statement::STATEMENT_TYP;
    let claims = verified(&further.entity_configuration().unwrap(), &jwks, typ);
    assert_eq!(claims["exp"], START.0 + 1);
    let metadata = &claims["metadata"]["openid_relying_party"];
    assert_eq!(metadata["grant_types"], json!(["implicit"]));
    assert!(metadata.get("userinfo_encrypted_response_alg").is_none());
    let anchor = federation.trust_anchor();
    let listed = anchor.list(&ListFilter::default());
    assert!(listed.contains(&format!("{BASE}/rp-odd/")));
}
