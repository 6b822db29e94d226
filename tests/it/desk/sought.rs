//! What somebody pastes into the search of sessions, by mistake or not: a clear answer, never an error of ours.

use super::sessions::find;
use crate::harness::{World, signed};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use varco::jose::{KeyKind, PrivateKey};

fn part(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

/// Nothing that anybody here issued.
fn hostile() -> Vec<(&'static str, String)> {
    let key = PrivateKey::generate(KeyKind::P256).unwrap();
    let foreign = json!({ "iss": "https://other.example", "jti": "x", "exp": i64::MAX });
    let huge_header = json!({ "alg": "ES256", "x": "y".repeat(12_000) }).to_string();
    let deep = format!("{}{}", "[".repeat(6_000), "]".repeat(6_000));
    vec![
        ("a foreign token", signed(Some("at+jwt"), &foreign, &key)),
        (
            "a huge header",
            format!("{}.{}.AAAA", part(&huge_header), part("{\"jti\":\"x\"}")),
        ),
        (
            "a deep header",
            format!("{}.{}.AAAA", part(&deep), part("{\"jti\":\"x\"}")),
        ),
        (
            "claims that are none",
            format!("{}.{}.AAAA", part("{\"alg\":\"none\"}"), part("[1,2]")),
        ),
        (
            "a jti of another kind",
            format!("{}.{}.AAAA", part("{}"), part("{\"jti\":{\"a\":1}}")),
        ),
        (
            "a jti with a NUL",
            format!(
                "{}.{}.AAAA",
                part("{\"alg\":\"RS256\"}"),
                part("{\"jti\":\"\\u0000\"}")
            ),
        ),
        ("NULs", "\0".repeat(100)),
        ("a NUL inside", "ab\0cd".to_owned()),
        ("dots", ".".repeat(5_000)),
        ("statements", "'; DROP TABLE token; --".to_owned()),
        ("a condition", "x' OR '1'='1".to_owned()),
        ("patterns", "%_%".to_owned()),
        ("backslashes", "\\x00\\'".to_owned()),
        ("no letters at all", "\u{202e}\u{feff}\u{1f512}".to_owned()),
        ("surrogates in escapes", "\\ud800".to_owned()),
        ("more than anybody is looked for by", "x".repeat(100_000)),
    ]
}

#[actix_web::test]
async fn whatever_is_pasted_into_the_search_finds_nothing_and_says_so() {
    for (world, _schema) in World::on_each_database() {
        let world = world.start();
        let mut desk = world.desk().await;
        for (what, text) in hostile() {
            let answer = find(&world, &mut desk, &text).await;
            assert_eq!(answer.status, 422, "{what}: {}", answer.body);
            assert!(
                answer.text().contains("Non è stato trovato nulla"),
                "{what}: {}",
                answer.text()
            );
        }
    }
}

#[actix_web::test]
async fn ten_megabytes_are_refused_before_they_are_read() {
    let world = World::start();
    let mut desk = world.desk().await;
    let answer = find(&world, &mut desk, &"x".repeat(10 << 20)).await;
    assert_eq!(answer.status, 413, "{}", answer.body);
    // The desk goes on.
    let page = desk.get(&world.url("/admin/sessions")).await;
    assert_eq!(page.status, 200);
}

#[actix_web::test]
async fn the_command_that_searches_answers_the_same() {
    let world = World::start();
    for (what, text) in hostile() {
        let said = world.command_reading(&["session", "find", "-"], &text);
        assert_eq!(said.status, 1, "{what}: {}", said.err);
        assert!(
            said.err.contains("nothing was found"),
            "{what}: {}",
            said.err
        );
        assert!(said.out.is_empty(), "{what}");
    }
    let much = "x".repeat(10 << 20);
    world
        .command_reading(&["session", "find", "-"], &much)
        .refused(1, "nothing was found");
}
