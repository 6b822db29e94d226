//! What a stranger may serve to hurt: refused with the reason, and nobody else notices.

use crate::harness::{CONFIGURATION, Host, World, claims_of, signed};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use varco::demo::{LoginOptions, RelyingParty, RelyingPartyKeys};
use varco::jose::{KeyKind, PrivateKey};
use varco::model::ClientId;
use varco::provider::{Discovery, KnownClient};

const STATEMENT: Option<&str> = Some("entity-statement+jwt");
const MEBIBYTES_10: usize = 10 * 1024 * 1024;

/// What is served as a relying party's entity configuration.
enum Served {
    Message(Vec<u8>),
    Redirect(String),
    Text(&'static str, String),
    Claims(fn(&mut Map<String, Value>)),
}

/// A JWS of this header and payload, with the signature of nothing.
fn unsigned(header: &str, payload: &str) -> Served {
    let part = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let token = format!("{}.{}.AAAA", part(header), part(payload));
    Served::Text("application/entity-statement+jwt", token)
}

fn message(headers: &str, body: &[u8]) -> Served {
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n");
    Served::Message([head.as_bytes(), body].concat())
}

/// The deepest JSON, and the same inside an object.
fn deep(levels: usize) -> String {
    let (open, close) = ("[".repeat(levels), "]".repeat(levels));
    format!("{{\"iss\":{open}{close}}}")
}

/// Answers of the HTTP layer: limits, encodings, redirects.
fn transport_attacks() -> Vec<(&'static str, Served, &'static str)> {
    let ten = vec![b'x'; MEBIBYTES_10];
    let announced = format!("Content-Length: {MEBIBYTES_10}\r\n");
    let mut cases = vec![
        ("ten-mebibytes", message(&announced, &ten), "larger than"),
        ("endless", message("", &ten), "larger than 262144 bytes"),
        (
            "private-redirect",
            Served::Redirect("http://10.0.0.1/latest".to_owned()),
            "redirected to another host",
        ),
        (
            "metadata-redirect",
            Served::Redirect("http://169.254.169.254/latest".to_owned()),
            "redirected to another host",
        ),
        (
            "file-redirect",
            Served::Redirect("file:///etc/passwd".to_owned()),
            "redirected to another host",
        ),
        (
            "image",
            Served::Text("image/png", "\u{89}PNG".to_owned()),
            "content type image/png",
        ),
    ];
    for (name, header) in [
        ("gzip", "Content-Encoding: gzip\r\n"),
        ("br", "Content-Encoding: br\r\n"),
        ("deflate", "Content-Encoding: deflate\r\n"),
    ] {
        let bomb = vec![0; 100 * 1024];
        cases.push((name, message(header, &bomb), "Content-Encoding"));
    }
    cases
}

/// Documents that no two readers read alike, or that are only there to be read.
fn document_attacks() -> Vec<(&'static str, Served, &'static str)> {
    const HEADER: &str = r#"{"alg":"ES256","kid":"x"}"#;
    let claims = |rest: &str| format!(r#"{{"iss":"https://x.it","sub":"https://x.it"{rest}}}"#);
    let keys = r#","jwks":{"keys":[{"kty":"EC","kty":"RSA"}]}"#;
    let nested = r#","metadata":{"openid_relying_party":{"scope":"openid","scope":"email"}}"#;
    vec![
        (
            "deep",
            unsigned(HEADER, &deep(5_000)),
            "deeper than 32 levels",
        ),
        (
            "deep-header",
            unsigned(&deep(5_000), "{}"),
            "deeper than 32 levels",
        ),
        (
            "twice",
            unsigned(HEADER, &claims(r#","iss":"https://y.it""#)),
            "duplicate JSON member iss",
        ),
        (
            "twice-in-header",
            unsigned(r#"{"alg":"ES256","alg":"none"}"#, "{}"),
            "duplicate JSON member alg",
        ),
        (
            "twice-nested",
            unsigned(HEADER, &claims(nested)),
            "duplicate JSON member scope",
        ),
        (
            "twice-in-keys",
            unsigned(HEADER, &claims(keys)),
            "duplicate JSON member kty",
        ),
        (
            "zip",
            unsigned(r#"{"alg":"ES256","zip":"DEF"}"#, "{}"),
            "zip",
        ),
        (
            "crit-header",
            unsigned(r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, "{}"),
            "crit",
        ),
        (
            "no-text",
            Served::Message(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00.".to_vec()),
            "entity configuration of",
        ),
    ]
}

/// Statements that are signed as they should be.
fn signed_attacks() -> Vec<(&'static str, Served, &'static str)> {
    vec![
        (
            "thousand-keys",
            Served::Claims(|claims| {
                let junk = json!({"kty": "oct", "k": "AAAA"});
                let own = claims["jwks"]["keys"][0].clone();
                let mut keys = vec![junk; 1_000];
                keys.push(own);
                claims["jwks"]["keys"] = keys.into();
            }),
            "no key with kid",
        ),
        (
            "thousand-marks",
            Served::Claims(|claims| {
                let junk = json!({"trust_mark_type": "x", "trust_mark": "a.b.c"});
                let own = claims["trust_marks"][0].clone();
                let mut marks = vec![junk; 1_000];
                marks.push(own);
                claims["trust_marks"] = marks.into();
            }),
            "no valid trust mark",
        ),
        (
            "thousand-hints",
            Served::Claims(|claims| {
                let hints = (0..1_000).map(|n| format!("https://hint-{n}.example.it"));
                claims["authority_hints"] = hints.collect::<Vec<_>>().into();
            }),
            "1000 authority_hints, at most 20",
        ),
        (
            "policy-of-its-own",
            Served::Claims(|claims| {
                let policy = json!({"openid_relying_party": {"scope": {"value": "openid"}}});
                claims.insert("metadata_policy".to_owned(), policy);
            }),
            "metadata_policy may only be in a subordinate statement",
        ),
        (
            "endless-time",
            Served::Claims(|claims| {
                claims.insert("exp".to_owned(), json!("9999999999"));
            }),
            "claim exp",
        ),
        (
            "before-time",
            Served::Claims(|claims| {
                claims.insert("exp".to_owned(), json!(-1e300));
            }),
            "claim exp",
        ),
        (
            "from-the-future",
            Served::Claims(|claims| {
                claims.insert("iat".to_owned(), json!(u64::MAX));
            }),
            "claim iat",
        ),
    ]
}

fn serve(host: &Host, path: &str, rp: &RelyingParty, served: Served) {
    let configuration = format!("{path}{CONFIGURATION}");
    match served {
        Served::Message(message) => host.answer_raw(&configuration, message),
        Served::Redirect(to) => host.redirect(&configuration, &to),
        Served::Text(kind, text) => host.put(&configuration, kind, &text),
        Served::Claims(change) => {
            let mut claims = claims_of(&rp.entity_configuration().unwrap());
            change(&mut claims);
            let key: &PrivateKey = &rp.keys().federation;
            host.publish(path, &signed(STATEMENT, &Value::Object(claims), key));
        }
    }
}

async fn known(world: &World, rp: &RelyingParty) -> Arc<KnownClient> {
    let id = ClientId::new(rp.entity_id());
    let found = world
        .provider("spid")
        .find_client(&id, Discovery::Never)
        .await;
    found.unwrap()
}

#[actix_web::test]
async fn hostile_answers_are_refused_with_the_reason_and_nobody_else_notices() {
    // SPID/CIE FE-2, FE-6
    let world = World::start();
    let host = Host::start();
    let issuer = world.issuer("spid").await;
    let options = LoginOptions::default();
    world.login(world.rp(), &issuer, &options).await;
    let before = known(&world, world.rp()).await;
    let attacks = [transport_attacks(), document_attacks(), signed_attacks()];
    for (name, served, fact) in attacks.into_iter().flatten() {
        let path = format!("/{name}/");
        let rp = world.stranger(&host, &path);
        serve(&host, &path, &rp, served);
        let error = match fact {
            "no valid trust mark" => "unauthorized_client",
            _ => "invalid_client",
        };
        let prepared = world.request_of(&rp, &issuer, &options);
        world.shown(&prepared, error, fact).await;
    }
    world.login(world.rp(), &issuer, &options).await;
    let after = known(&world, world.rp()).await;
    assert_eq!(format!("{:?}", before.party), format!("{:?}", after.party));
}

#[actix_web::test]
async fn what_one_relying_party_serves_in_the_name_of_another_changes_nothing() {
    // SPID/CIE FE-2: swapped keys, statements for others
    let world = World::start();
    let host = Host::start();
    let issuer = world.issuer("spid").await;
    let options = LoginOptions::default();
    world.login(world.rp(), &issuer, &options).await;
    let before = known(&world, world.rp()).await;
    let victim = world.stranger(&host, "/victim/");
    let keys = RelyingPartyKeys {
        federation: PrivateKey::generate(KeyKind::P256).unwrap(),
        ..victim.keys().clone()
    };
    let thief = world.stranger_with(&host, "/thief/", keys);
    host.publish("/victim/", &victim.entity_configuration().unwrap());
    // Another's whole configuration, then its own name with another's keys, then another's name with its own keys.
    let own = claims_of(&thief.entity_configuration().unwrap());
    let others = claims_of(&victim.entity_configuration().unwrap());
    let mixed = |claims: &Map<String, Value>, name: &str, from: &Map<String, Value>| {
        let mut claims = claims.clone();
        claims.insert(name.to_owned(), from[name].clone());
        signed(STATEMENT, &Value::Object(claims), &thief.keys().federation)
    };
    for (served, fact) in [
        (victim.entity_configuration().unwrap(), "claim iss"),
        (mixed(&own, "jwks", &others), "no key with kid"),
        (mixed(&own, "sub", &others), "claim sub"),
        (mixed(&own, "iss", &others), "claim iss"),
        (mixed(&others, "jwks", &own), "claim iss"),
    ] {
        host.publish("/thief/", &served);
        let prepared = world.request_of(&thief, &issuer, &options);
        world.shown(&prepared, "invalid_client", fact).await;
        // A failure is remembered for thirty seconds.
        world.clock.advance_seconds(31);
    }
    let prepared = world.request_of(&victim, &issuer, &options);
    world.accepted(&prepared).await;
    let after = known(&world, world.rp()).await;
    assert_eq!(format!("{:?}", before.party), format!("{:?}", after.party));
}
