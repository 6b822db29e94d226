//! Documents that others parse, as files in `tests/golden`: `UPDATE_GOLDEN=1` writes them anew; then look at the difference.
//!
//! What differs from run to run (keys, random identifiers, addresses, signatures) is masked; times are not, because the
//! worlds' clock stands still.

use crate::harness::{World, claims_of, header_of, keep_log, logged_after};
use serde_json::{Value, json};
use std::path::PathBuf;
use varco::demo::LoginOptions;

/// Members whose values are random or key material, wherever they stand.
const RANDOM: [&str; 9] = [
    "kid",
    "n",
    "x",
    "y",
    "jti",
    "nonce",
    "at_hash",
    "trust_mark",
    "sid",
];

fn masked(world: &World, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(&world.base, "{base}")),
        Value::Array(items) => items.into_iter().map(|item| masked(world, item)).collect(),
        Value::Object(mut members) => {
            if let Some(Value::Array(keys)) = members.get_mut("keys") {
                // Keys made in one second are in the order of their random names.
                keys.sort_by_key(|key| ["kty", "crv", "use"].map(|name| key[name].to_string()));
            }
            let mask = |(name, value): (String, Value)| {
                let pairwise =
                    name == "sub" && value.as_str().is_some_and(|sub| !sub.contains(':'));
                let value = match pairwise || RANDOM.contains(&name.as_str()) {
                    true => json!(format!("<{name}>")),
                    false => masked(world, value),
                };
                (name, value)
            };
            Value::Object(members.into_iter().map(mask).collect())
        }
        other => other,
    }
}

fn assert_golden(name: &str, text: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        text, kept,
        "tests/golden/{name}: run the tests with UPDATE_GOLDEN=1 and look at the difference"
    );
}

fn assert_golden_json(world: &World, name: &str, value: Value) {
    let mut text = serde_json::to_string_pretty(&masked(world, value)).unwrap();
    text.push('\n');
    assert_golden(name, &text);
}

fn token(text: &str) -> Value {
    json!({"header": header_of(text), "claims": claims_of(text)})
}

#[actix_web::test]
async fn the_published_documents_are_as_they_were() {
    // SPID/CIE MD-1, MD-3, MD-5
    let world = World::start();
    for (profile, name) in [("spid", "spid"), ("cie", "cie"), ("oidc", "oidc-member")] {
        assert_golden_discovery(&world, profile, name).await;
    }
    for profile in ["spid", "cie", "oidc"] {
        let url = world.url(&format!("/{profile}/.well-known/openid-federation"));
        let document = world.browser().get(&url).await.body;
        let mut whole = token(&document);
        // As discovery, which has a file of its own.
        whole["claims"]["metadata"]["openid_provider"] = json!("as in discovery");
        assert_golden_json(
            &world,
            &format!("{profile}-entity-configuration.json"),
            whole,
        );
    }
}

#[actix_web::test]
async fn an_issuer_without_trust_anchor_says_nothing_of_federations() {
    let world = World::builder()
        .issuers(|settings| {
            if settings.id.ends_with("/oidc/") {
                settings.trust_anchors.clear();
            }
        })
        .start();
    assert_golden_discovery(&world, "oidc", "oidc").await;
}

async fn assert_golden_discovery(world: &World, profile: &str, name: &str) {
    let url = world.url(&format!("/{profile}/.well-known/openid-configuration"));
    let discovery = world.browser().get(&url).await.json();
    assert_golden_json(world, &format!("{name}-discovery.json"), discovery);
}

#[actix_web::test]
async fn the_tokens_of_a_login_are_as_they_were() {
    // SPID/CIE TK-4, TK-5, TK-6, UI-2
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default().with_offline_access();
        let tokens = world.login(world.rp(), &issuer, &options).await;
        let answer = &tokens.answer;
        let userinfo = world.userinfo(&issuer, &answer.access_token).await;
        let subject = tokens.id_token["sub"].as_str().unwrap();
        let claims = world
            .rp()
            .open_userinfo(&issuer.metadata, &userinfo.body, subject)
            .unwrap();
        let whole = json!({
            "id_token": token(answer.id_token.as_deref().unwrap()),
            "access_token": token(&answer.access_token),
            "refresh_token": token(answer.refresh_token.as_deref().unwrap()),
            "userinfo": {"header": header_of(&userinfo.body), "claims": claims},
        });
        let mut whole = masked(&world, whole);
        // Encryption has an ephemeral key where the RP's key is a curve.
        whole["userinfo"]["header"]["epk"] = Value::Null;
        assert_golden_json(&world, &format!("{profile}-tokens.json"), whole);
    }
}

#[actix_web::test]
async fn the_log_of_a_login_is_as_it_was_and_has_no_personal_data() {
    let before = keep_log();
    let world = World::start();
    let issuer = world.issuer("cie").await;
    let options = LoginOptions::default().with_offline_access();
    let tokens = world.login(world.rp(), &issuer, &options).await;
    world.userinfo(&issuer, &tokens.answer.access_token).await;
    let refused = LoginOptions::default().without_claim("nonce");
    let prepared = world.request(&issuer, &refused);
    world.told(&prepared, "invalid_request", "nonce").await;
    let lines: Vec<String> = logged_after(before, &[&world.base])
        .iter()
        .map(|line| without_random(&line.replace(&world.base, "{base}")))
        .collect();
    let text = lines.join("\n") + "\n";
    for personal in ["Ada", "Rossi", "TINIT", "ada-demo", "@"] {
        assert!(!text.contains(personal), "{personal}: {text}");
    }
    assert_golden("log-of-a-login.txt", &text);
}

/// The values of `request`, `ms` and the like are different every time.
fn without_random(line: &str) -> String {
    let fields = line.split(' ').map(|field| match field.split_once('=') {
        Some((name @ ("request" | "ms" | "interaction" | "grant"), _)) => {
            format!("{name}=<{name}>")
        }
        _ => field.to_owned(),
    });
    fields.collect::<Vec<_>>().join(" ")
}
