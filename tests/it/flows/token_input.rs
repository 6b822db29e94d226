//! Whatever arrives is refused as the caller's mistake; only a database that is away is ours (SPID/CIE TK-8).

use crate::harness::{Answer, Issuer, World, with_assertion};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use varco::demo::LoginOptions;

const PROFILES: [&str; 2] = ["spid", "cie"];
const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

/// Assertions that no RP makes.
fn assertions() -> Vec<String> {
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let encoded = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let jwt = |header: &str, claims: &str| format!("{}.{}.AAAA", encoded(header), encoded(claims));
    let claims = r#"{"iss":"x","sub":"x","aud":"x","iat":1,"exp":9223372036854775807,"jti":"x"}"#;
    vec![
        String::new(),
        "x".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        "a.b.c.d.e".to_owned(),
        "e30.e30.e30".to_owned(),
        jwt("7", claims),
        jwt("[]", claims),
        jwt(r#"{"alg":7}"#, claims),
        jwt(r#"{"alg":"RS256","alg":"none"}"#, claims),
        jwt(r#"{"alg":"RS256","kid":7}"#, claims),
        jwt(r#"{"alg":"RS256"}"#, "{"),
        jwt(r#"{"alg":"RS256"}"#, &deep),
        jwt(&deep, claims),
        jwt(r#"{"alg":"RS256"}"#, claims),
        jwt(
            r#"{"alg":"RS256"}"#,
            &claims.replace("9223372036854775807", "1e400"),
        ),
        jwt(
            r#"{"alg":"RS256"}"#,
            &claims.replace("\"x\"", "\"\\u0000\""),
        ),
        jwt(
            r#"{"alg":"RS256"}"#,
            &claims.replace("\"x\"", "\"\\ud83d\""),
        ),
        jwt(r#"{"alg":"RS256"}"#, &format!("{}x", claims.repeat(600))),
        "%00".to_owned(),
        "%FF%FE".to_owned(),
        "è\u{202e}".to_owned(),
    ]
}

/// Bodies that no request is.
fn bodies() -> Vec<Vec<u8>> {
    let many: Vec<String> = (0..65).map(|number| format!("p{number}=1")).collect();
    let mut bodies: Vec<Vec<u8>> = [
        "",
        "=",
        "&&&&",
        "%",
        "%f",
        "=%00",
        "\u{0}",
        "grant_type",
        "grant_type=%00",
        "grant_type=authorization_code",
        "grant_type=refresh_token",
        "grant_type=authorization_code&grant_type=refresh_token",
        "grant_type[]=authorization_code",
        "%C3%A8%22%0D%0A=1&%C3%A8%22%0D%0A=2",
        r#"{"grant_type":"authorization_code"}"#,
        "<xml/>",
        "token=x&token=y",
        "token=%00&client_id=%00",
        "client_id=https%3A%2F%2Fx.example%2F&client_secret=x",
    ]
    .map(|body| body.as_bytes().to_vec())
    .to_vec();
    bodies.push(b"\xff\xfe=\xff".to_vec());
    bodies.push(b"a=%ff&b=%c3%28".to_vec());
    bodies.push(many.join("&").into_bytes());
    bodies.push(format!("{}=1", "n".repeat(100_000)).into_bytes());
    bodies.push(format!("client_assertion={}", "x".repeat(200_000)).into_bytes());
    for assertion in assertions() {
        for grant in [
            "authorization_code&code=x&code_verifier=x",
            "refresh_token&refresh_token=x",
        ] {
            bodies.push(
                format!(
                    "grant_type={grant}&token=x&client_id=x&client_assertion_type={}&client_assertion={assertion}",
                    crate::harness::ASSERTION_TYPE
                )
                .into_bytes(),
            );
        }
    }
    bodies
}

#[track_caller]
fn assert_callers_mistake(answer: &Answer, what: &str) {
    assert!(
        (400..500).contains(&answer.status),
        "{what}: {}",
        answer.status
    );
    assert_eq!(
        answer.header("content-type"),
        "application/json",
        "SPID/CIE TK-8: {what}"
    );
    let (error, description) = (answer.error(), answer.description());
    let statuses: &[u16] = match error.as_str() {
        "invalid_client" | "invalid_token" => &[401],
        "invalid_request" => &[400, 405, 408, 413, 415],
        "invalid_grant" | "unsupported_grant_type" => &[400],
        other => panic!("SPID/CIE TK-8: {what}: {other}"),
    };
    assert!(
        statuses.contains(&answer.status),
        "SPID/CIE TK-8: {what}: {error} {}",
        answer.status
    );
    assert!(!description.is_empty(), "{what}");
    assert!(
        description
            .bytes()
            .all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\'),
        "RFC 6749 §5.2: {what}: {description:?}"
    );
    assert!(description.len() < 600, "{what}: {description}");
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned()
}

/// SPID/CIE TK-8: JSON always, never a 5xx.
#[actix_web::test]
async fn no_malformed_body_is_answered_but_as_a_mistake_of_the_caller() {
    let world = World::start();
    let bodies = bodies();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let metadata = &issuer.metadata;
        for endpoint in [
            &metadata.token_endpoint,
            &metadata.introspection_endpoint,
            &metadata.revocation_endpoint,
        ] {
            for body in &bodies {
                let answer = world.send("POST", endpoint, &FORM, body.clone()).await;
                assert_callers_mistake(&answer, &format!("{endpoint} {}", shown(body)));
            }
            let huge = "x".repeat(400 * 1024);
            let answer = world.send("POST", endpoint, &FORM, huge).await;
            answer.is_refused(413, "invalid_request", "too large");
        }
    }
}

/// SPID/CIE UI-1, TK-8.
#[actix_web::test]
async fn no_malformed_authorization_header_is_answered_but_as_a_mistake_of_the_caller() {
    let world = World::start();
    let long = format!("Bearer {}", "x".repeat(7000));
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let url = &issuer.metadata.userinfo_endpoint;
        for value in [
            "",
            " ",
            "Bearer",
            "Bearer  ",
            "Bearer a b",
            "Bearer a.b.c",
            "Bearer ..",
            "Bearer e30.e30.",
            "Bearer eyJhbGciOiJub25lIn0.e30.",
            "Bearer \"x\"",
            "Digest username=\"x\"",
            "Bearer,Bearer",
            &long,
        ] {
            let answer = world
                .send("GET", url, &[("authorization", value)], "")
                .await;
            assert_callers_mistake(&answer, value);
            assert_eq!(answer.status, 401, "SPID/CIE UI-1: {value}");
            let challenge = answer.header("www-authenticate");
            assert!(
                challenge.starts_with("Bearer error=\"invalid_token\""),
                "SPID/CIE UI-1"
            );
        }
        let twice = [("authorization", "Bearer x"), ("authorization", "Bearer y")];
        let answer = world.send("GET", url, &twice, "").await;
        assert_callers_mistake(&answer, "two headers");
    }
}

/// Parameters of an authenticated RP that no honest one sends.
#[actix_web::test]
async fn an_authenticated_rp_cannot_break_anything_either() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        world
            .login(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let url = &issuer.metadata.token_endpoint;
        let long = "x".repeat(5000);
        for value in [
            "\u{0}",
            "è",
            "'; DROP TABLE token; --",
            "\u{202e}",
            &long,
            "a.b.c",
            " ",
        ] {
            for (grant, name) in [
                ("authorization_code", "code"),
                ("authorization_code", "redirect_uri"),
                ("authorization_code", "code_verifier"),
                ("refresh_token", "refresh_token"),
                ("refresh_token", "scope"),
            ] {
                let mut fields = world.rp().authenticated_form(url, &[]).unwrap();
                fields.push(("grant_type".to_owned(), grant.to_owned()));
                let verifier = "0123456789012345678901234567890123456789012";
                for (other, default) in [("code", "x"), ("code_verifier", verifier)] {
                    if grant == "authorization_code" && other != name {
                        fields.push((other.to_owned(), default.to_owned()));
                    }
                }
                fields.push((name.to_owned(), value.to_owned()));
                let answer = world.post(url, &fields).await;
                assert_callers_mistake(&answer, &format!("{name}={}", shown(value.as_bytes())));
            }
            // An assertion's jti is any text.
            let mut claims = world.assertion_claims(world.rp(), url);
            claims["jti"] = json!(value);
            let token = world.rp().sign_protocol_token(&claims).unwrap();
            let form = with_assertion(world.rp(), &token, &[("token", "x")]);
            let answer = world
                .post(&issuer.metadata.introspection_endpoint, &form)
                .await;
            if answer.status != 200 {
                assert_callers_mistake(&answer, "jti");
            }
        }
        for (name, value) in [
            ("iat", json!(1.5e300)),
            ("iat", json!(-1)),
            ("exp", json!("9999999999")),
            ("exp", json!([1])),
            ("nbf", json!(i64::MAX)),
            ("nbf", json!("x")),
            ("aud", json!([[]])),
            ("aud", Value::Null),
            ("iss", json!(["x"])),
            ("sub", json!(1)),
            ("jti", json!(1)),
        ] {
            let mut claims = world.assertion_claims(world.rp(), url);
            claims[name] = value.clone();
            let token = world.rp().sign_protocol_token(&claims).unwrap();
            let form = with_assertion(world.rp(), &token, &[("token", "x")]);
            let answer = world
                .post(&issuer.metadata.introspection_endpoint, &form)
                .await;
            assert_callers_mistake(&answer, &format!("{name}: {value}"));
            // An `iat` long ago is a lifetime that is too long.
            let description = answer.description();
            let named = [name, "exp"].iter().any(|name| description.contains(name));
            assert!(named, "{name}: {description}");
        }
    }
}

/// SPID/CIE TK-8: 503 with `Retry-After`, and what was asked then was not done.
#[actix_web::test]
async fn an_outage_of_the_database_is_503_and_spends_nothing() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let tokens = world.offline_login(world.rp(), &issuer).await;
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        let form = world
            .rp()
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        let refresh_token = tokens.answer.refresh_token.as_deref().unwrap();
        world.database_goes_away();
        let url = &issuer.metadata.token_endpoint;
        for answer in [
            world.post(url, &form).await,
            world.refresh(world.rp(), &issuer, refresh_token).await,
            world.revoke(world.rp(), &issuer, refresh_token).await,
            introspection(&world, &issuer, refresh_token).await,
            world.userinfo(&issuer, &tokens.answer.access_token).await,
        ] {
            answer.is_refused(503, "temporarily_unavailable", "database");
            assert_eq!(
                answer.header("retry-after"),
                "5",
                "SPID/CIE TK-8: {}",
                answer.url
            );
        }
        world.database_comes_back();
        // The same form: neither the code nor the assertion is spent.
        world.post(url, &form).await.granted();
        assert!(
            world.is_active(world.rp(), &issuer, refresh_token).await,
            "SPID/CIE RV-1"
        );
        let answer = world.userinfo(&issuer, &tokens.answer.access_token).await;
        assert_eq!(answer.status, 200);
        world
            .refresh(world.rp(), &issuer, refresh_token)
            .await
            .granted();
    }
}

async fn introspection(world: &World, issuer: &Issuer, token: &str) -> Answer {
    let fields = world
        .rp()
        .introspection_request(&issuer.metadata, token)
        .unwrap();
    world
        .post(&issuer.metadata.introspection_endpoint, &fields)
        .await
}
