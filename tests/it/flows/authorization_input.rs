//! Bad input at `/authorization`: too large, too many, too deep, twice, or no text at all (SPID/CIE AZ-1, AZ-4).

use crate::harness::{Answer, World, assert_shown};
use serde_json::{Value, json};
use varco::demo::LoginOptions;

fn form(fields: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

async fn post(world: &World, url: &str, body: String) -> Answer {
    let kind = "application/x-www-form-urlencoded";
    world.browser().post_text(url, kind, body).await
}

#[actix_web::test]
async fn a_body_that_is_too_large_is_refused_with_413() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let url = issuer.metadata.authorization_endpoint.as_str();
        let answer = post(&world, url, format!("request={}", "a".repeat(400 * 1024))).await;
        assert_eq!(answer.status, 413, "{}", answer.body);
        assert!(answer.body.contains("the request body is too large"));
        assert_eq!(answer.location(), None);
        let mut program = world.browser();
        program
            .headers
            .push(("accept", "application/json".to_owned()));
        let body = format!("request={}", "a".repeat(400 * 1024));
        let kind = "application/x-www-form-urlencoded";
        let answer = program.post_text(url, kind, body).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (413, "invalid_request")
        );
    }
}

/// A request object may be large (a trust chain in its header), but not without bound.
#[actix_web::test]
async fn a_large_request_object_works_by_post_and_a_huge_one_is_refused() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let padded = |bytes: usize| {
            let options = LoginOptions::default().with_claim("padding", "a".repeat(bytes));
            world.request(&issuer, &options)
        };
        let large = padded(120 * 1024);
        let mut browser = world.browser();
        let answer = browser.post(&large.endpoint, &large.fields).await;
        let page = browser.follow(answer, &world.base).await;
        assert!(page.body.contains("name=\"password\""), "{}", page.body);

        let huge = padded(200 * 1024);
        let answer = world.browser().post(&huge.endpoint, &huge.fields).await;
        assert_shown(
            &answer,
            "invalid_request_object",
            "exceed the limit of 262144 bytes",
        );
    }
}

/// An address that no server reads is refused, not half read.
#[actix_web::test]
async fn a_query_that_is_too_long_is_refused_and_the_server_goes_on() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let url = &issuer.metadata.authorization_endpoint;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        // The client itself refuses addresses above 64 KiB; below that they arrive.
        let long = format!("{url}?request={}", "a".repeat(60 * 1024));
        let answer = client.get(long).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400);
        let prepared = world.request(&issuer, &LoginOptions::default());
        world.accepted(&prepared).await;
    }
}

/// RFC 6749 §3.1: no parameter twice.
#[actix_web::test]
async fn a_repeated_parameter_is_refused_by_name() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        for name in ["request", "scope", "client_id", "x"] {
            let url = format!("{}&{name}=1&{name}=2", prepared.url);
            let page = world.browser().get(&url).await;
            let fact = format!("parameter {name} is repeated");
            assert_shown(&page, "invalid_request", &fact);
            let body = format!("{}&{name}=1&{name}=2", form(&prepared.fields));
            let page = post(&world, &prepared.endpoint, body).await;
            assert_shown(&page, "invalid_request", &fact);
        }
        // A hostile name stays text.
        let url = format!("{}&%3Cscript%3E%0d%0a=1&%3Cscript%3E%0d%0a=2", prepared.url);
        let mut program = world.browser();
        program
            .headers
            .push(("accept", "application/json".to_owned()));
        let answer = program.get(&url).await;
        assert_eq!(answer.status, 400);
        assert!(
            answer
                .description()
                .bytes()
                .all(|b| (b' '..=b'~').contains(&b)),
            "{:?}",
            answer.description()
        );
        let page = world.browser().get(&url).await;
        assert!(!page.body.contains("<script>"), "{}", page.body);
        world.accepted(&prepared).await;
    }
}

#[actix_web::test]
async fn more_than_64_parameters_are_refused() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let more = |count: usize| {
            let more: String = (0..count).map(|n| format!("&x{n}=1")).collect();
            format!("{}{more}", form(&prepared.fields))
        };
        let own = prepared.fields.len();
        let answer = post(&world, &prepared.endpoint, more(65 - own)).await;
        assert_shown(&answer, "invalid_request", "too many parameters");
        let answer = post(&world, &prepared.endpoint, more(64 - own)).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }
}

#[actix_web::test]
async fn bytes_that_are_no_text_and_bodies_that_are_no_form_are_refused() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        for broken in ["%ff", "%c3%28", "%ed%a0%80", "%c0%af"] {
            let url = format!("{}&x={broken}", prepared.url);
            let page = world.browser().get(&url).await;
            assert_shown(&page, "invalid_request", "not UTF-8");
            let body = format!("{}&x={broken}", form(&prepared.fields));
            let page = post(&world, &prepared.endpoint, body).await;
            assert_shown(&page, "invalid_request", "not UTF-8");
        }
        for kind in [
            "application/json",
            "multipart/form-data; boundary=x",
            "text/plain",
        ] {
            let body = form(&prepared.fields);
            let answer = world
                .browser()
                .post_text(&prepared.endpoint, kind, body)
                .await;
            assert_eq!(answer.status, 415, "{kind}: {}", answer.body);
            assert!(answer.body.contains("content type must be"));
        }
        world.accepted(&prepared).await;
    }
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }))
}

/// SPID/CIE AZ-4: depth is bounded before anything is done with the claims.
#[actix_web::test]
async fn deep_json_in_claims_is_refused_without_harm() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for depth in [40, 120] {
            let claims = json!({"userinfo": {"email": {"value": nested(depth)}}});
            let options = LoginOptions::default().with_claim("claims", claims);
            let prepared = world.request(&issuer, &options);
            let answer = world
                .browser()
                .post(&prepared.endpoint, &prepared.fields)
                .await;
            assert_shown(&answer, "invalid_request_object", "nested deeper than");
        }
        let many: serde_json::Map<String, Value> =
            (0..101).map(|n| (format!("c{n}"), Value::Null)).collect();
        let options = LoginOptions::default().with_claim("claims", json!({"userinfo": many}));
        let prepared = world.request(&issuer, &options);
        world
            .told(&prepared, "invalid_request", "claims: more than 100 claims")
            .await;
    }
}

/// RFC 7515 §4, RFC 8259: a member twice means two things.
#[actix_web::test]
async fn duplicate_members_and_broken_json_in_the_request_object_are_refused() {
    use data_encoding::BASE64URL_NOPAD;
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let right = world.request(&issuer, &LoginOptions::default());
        let header = right.request_object.split('.').next().unwrap();
        for (payload, fact) in [
            (
                &b"{\"client_id\":\"a\",\"client_id\":\"b\"}"[..],
                "duplicate JSON member client_id",
            ),
            (b"[]", "malformed JSON"),
            (b"\"x\"", "malformed JSON"),
            (b"", "malformed JSON"),
            (b"{\"client_id\":\"\xff\"}", "malformed JSON"),
            (b"{} {}", "malformed JSON"),
        ] {
            let payload = BASE64URL_NOPAD.encode(payload);
            let token = format!("{header}.{payload}.AAAA");
            let options = LoginOptions::default().with_parameter("request", &token);
            let prepared = world.request(&issuer, &options);
            world.shown(&prepared, "invalid_request_object", fact).await;
        }
    }
}
