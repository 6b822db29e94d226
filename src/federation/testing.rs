//! A federation in memory, for tests: entities by name, documents by address, every call recorded.

use super::entity_id::EntityId;
use super::fetch::{Fetch, FetchError, FetchFact, Fetched, Fetching, Lane, Source};
use super::resolver::{ResolutionLimits, Resolver, TrustAnchor, TrustSettings};
use super::trust_mark::TrustMarkStatus;
use crate::clock::{ManualClock, UtcTime};
use crate::jose::{KeyKind, KeySet, PrivateKey, SignHeader, SignatureAlgorithm, sign};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock, Mutex};
use tokio::sync::Semaphore;

/// Where the requests of most tests come from.
pub(super) const HERE: Source = Source::of(IpAddr::V4(Ipv4Addr::LOCALHOST));
pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const TA: &str = "https://ta.example.it";
pub(super) const SA: &str = "https://sa.example.it";
pub(super) const RP: &str = "https://rp.example.it/";
pub(super) const OP: &str = "https://op.example.it/";
pub(super) const MARK: &str = "https://ta.example.it/openid_relying_party/public/";

static KEYS: LazyLock<Mutex<HashMap<String, PrivateKey>>> = LazyLock::new(Mutex::default);

/// The key of a name; made once a run.
pub(super) fn key(name: &str) -> PrivateKey {
    let mut keys = KEYS.lock().unwrap();
    let make = || PrivateKey::generate(KeyKind::P256).unwrap();
    keys.entry(name.to_owned()).or_insert_with(make).clone()
}

pub(super) fn key_set(name: &str) -> KeySet {
    KeySet::from_keys(vec![key(name).public()])
}

pub(super) fn jwks(name: &str) -> Value {
    key_set(name).to_json()
}

pub(super) fn id(text: &str) -> EntityId {
    EntityId::parse(text, true).unwrap()
}

pub(super) fn signed(typ: &str, claims: &Value, key: &PrivateKey) -> String {
    signed_as(Some(typ), claims, key)
}

/// Without `typ`.
pub(super) fn untyped(claims: &Value, key: &PrivateKey) -> String {
    signed_as(None, claims, key)
}

fn signed_as(typ: Option<&str>, claims: &Value, key: &PrivateKey) -> String {
    let header = SignHeader {
        alg: SignatureAlgorithm::Es256,
        typ,
        cty: None,
        kid: key.kid(),
        extra: None,
    };
    sign(&header, claims, key).unwrap()
}

#[derive(Clone)]
pub(super) enum Page {
    Body(Vec<u8>),
    Fails(FetchFact),
    Stalls,
    /// Answers once the semaphore has a permit.
    Gated(Arc<Semaphore>, Vec<u8>),
}

#[derive(Default)]
pub(super) struct MapFetch {
    pages: Mutex<HashMap<String, Page>>,
    calls: Mutex<Vec<(Lane, String)>>,
}

impl MapFetch {
    pub(super) fn put(&self, url: &str, page: Page) {
        self.pages.lock().unwrap().insert(url.to_owned(), page);
    }

    pub(super) fn urls(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(_, url)| url.clone()).collect()
    }

    pub(super) fn lanes(&self) -> Vec<Lane> {
        let calls = self.calls.lock().unwrap();
        calls.iter().map(|(lane, _)| *lane).collect()
    }

    pub(super) fn forget_calls(&self) {
        self.calls.lock().unwrap().clear();
    }

    fn answer<'a>(&'a self, lane: Lane, url: &'a str) -> Fetching<'a> {
        self.calls.lock().unwrap().push((lane, url.to_owned()));
        let page = self.pages.lock().unwrap().get(url).cloned();
        let fails = |fact| FetchError {
            url: url.to_owned(),
            fact,
        };
        Box::pin(async move {
            let body = match page {
                None => return Err(fails(FetchFact::Status { code: 404 })),
                Some(Page::Fails(fact)) => return Err(fails(fact)),
                Some(Page::Stalls) => std::future::pending().await,
                Some(Page::Body(body)) => body,
                Some(Page::Gated(gate, body)) => {
                    gate.acquire().await.unwrap().forget();
                    body
                }
            };
            Ok(Fetched {
                status: 200,
                content_type: Some("application/entity-statement+jwt".into()),
                body,
                final_url: url.to_owned(),
                elapsed_ms: 1,
            })
        })
    }
}

impl Fetch for MapFetch {
    fn get_in<'a>(&'a self, lane: Lane, url: &'a str, _accept: &'a str) -> Fetching<'a> {
        self.answer(lane, url)
    }

    fn post_form<'a>(
        &'a self,
        url: &'a str,
        fields: &'a [(String, String)],
        _accept: &'a str,
    ) -> Fetching<'a> {
        assert!(fields.iter().any(|(name, _)| name == "trust_mark"));
        self.answer(Lane::Configured, url)
    }
}

/// Anchor, intermediate and relying party, as documents that a test bends.
pub(super) struct World {
    pub(super) fetch: Arc<MapFetch>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) settings: TrustSettings,
    pub(super) limits: ResolutionLimits,
}

pub(super) fn nothing(_: &mut Map<String, Value>) {}

impl World {
    /// The relying party stands directly below the anchor and has its mark.
    pub(super) fn new() -> Self {
        let world = Self {
            fetch: Arc::default(),
            clock: Arc::new(ManualClock::starting_at(UtcTime(NOW))),
            settings: TrustSettings {
                issuer_entity_id: id(OP),
                anchors: vec![TrustAnchor {
                    id: id(TA),
                    pinned_keys: Some(key_set(TA)),
                }],
                required_trust_marks: vec![MARK.to_owned()],
                trust_mark_status: TrustMarkStatus::Static,
                leeway_seconds: 30,
                subject_leeway_seconds: 30,
                development: false,
                entity_type: "openid_relying_party".into(),
            },
            limits: ResolutionLimits::default(),
        };
        world.configuration(TA, nothing);
        world.relying_party(&[TA], nothing);
        world.statement(TA, RP, nothing);
        world
    }

    /// The relying party stands below the intermediate.
    pub(super) fn aggregated() -> Self {
        let world = Self::new();
        world.relying_party(&[SA], nothing);
        world.configuration(SA, |claims| {
            claims.insert("authority_hints".into(), json!([TA]));
        });
        world.statement(TA, SA, nothing);
        world.statement(SA, RP, nothing);
        world
    }

    pub(super) fn resolver(&self) -> Resolver {
        let fetch: Arc<dyn Fetch> = self.fetch.clone();
        Resolver::new(fetch, self.clock.clone(), self.limits.clone())
    }

    pub(super) fn claims(issuer: &str, subject: &str) -> Map<String, Value> {
        let claims = json!({"iss": issuer, "sub": subject, "iat": NOW - 10, "exp": NOW + 3600, "jwks": jwks(subject)});
        claims.as_object().unwrap().clone()
    }

    pub(super) fn configuration_claims(entity: &str) -> Map<String, Value> {
        let mut claims = Self::claims(entity, entity);
        let endpoints = json!({
            "federation_fetch_endpoint": format!("{entity}/fetch"),
            "federation_trust_mark_status_endpoint": format!("{entity}/status"),
        });
        claims.insert("metadata".into(), json!({"federation_entity": endpoints}));
        claims
    }

    /// Publishes an entity configuration signed with the entity's key.
    pub(super) fn configuration(
        &self,
        entity: &str,
        bend: impl FnOnce(&mut Map<String, Value>),
    ) -> String {
        let mut claims = Self::configuration_claims(entity);
        bend(&mut claims);
        let jws = signed("entity-statement+jwt", &Value::Object(claims), &key(entity));
        self.publish(entity, &jws);
        jws
    }

    pub(super) fn publish(&self, entity: &str, jws: &str) {
        let url = id(entity).configuration_url();
        self.fetch.put(&url, Page::Body(jws.as_bytes().to_vec()));
    }

    pub(super) fn relying_party(
        &self,
        hints: &[&str],
        bend: impl FnOnce(&mut Map<String, Value>),
    ) -> String {
        self.configuration(RP, |claims| {
            claims.insert("authority_hints".into(), json!(hints));
            claims.insert("trust_marks".into(), json!([mark(TA, RP, nothing)]));
            let metadata = json!({
                "redirect_uris": ["https://rp.example.it/callback"],
                "grant_types": ["authorization_code", "refresh_token"],
                "jwks": jwks("rp protocol"),
            });
            claims.insert("metadata".into(), json!({"openid_relying_party": metadata}));
            bend(claims);
        })
    }

    /// Publishes what a superior says of a subordinate.
    pub(super) fn statement(
        &self,
        superior: &str,
        subject: &str,
        bend: impl FnOnce(&mut Map<String, Value>),
    ) -> String {
        let mut claims = Self::claims(superior, subject);
        bend(&mut claims);
        let jws = signed(
            "entity-statement+jwt",
            &Value::Object(claims),
            &key(superior),
        );
        self.fetch.put(
            &statement_url(superior, subject),
            Page::Body(jws.clone().into_bytes()),
        );
        jws
    }
}

pub(super) fn statement_url(superior: &str, subject: &str) -> String {
    let mut url = url::Url::parse(&format!("{superior}/fetch")).unwrap();
    url.query_pairs_mut().append_pair("sub", subject);
    url.to_string()
}

/// A wrapped trust mark of type [`MARK`].
pub(super) fn mark(
    issuer: &str,
    subject: &str,
    bend: impl FnOnce(&mut Map<String, Value>),
) -> Value {
    let mut claims = World::claims(issuer, subject);
    claims.remove("jwks");
    claims.insert("trust_mark_type".into(), MARK.into());
    bend(&mut claims);
    let mark_type = claims.get("trust_mark_type").or(claims.get("id")).cloned();
    let jwt = signed("trust-mark+jwt", &Value::Object(claims), &key(issuer));
    json!({"trust_mark_type": mark_type, "trust_mark": jwt})
}
