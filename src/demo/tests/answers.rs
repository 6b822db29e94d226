use super::played_provider::{ACCESS_TOKEN, SUBJECT, with_keys};
use super::*;
use crate::demo::relying_party::{AuthorizationAnswer, IdTokenExpectation, TokenAnswer};
use crate::jose::JoseError;

const NONCE: &str = "n-0123456789012345678901234567890123456789";

fn checked(world: &World, token: &str, asked: &[&str]) -> Result<Map<String, Value>, DemoError> {
    let acr_values: Vec<String> = asked.iter().map(|level| (*level).to_owned()).collect();
    let expected = IdTokenExpectation {
        nonce: Some(NONCE),
        access_token: ACCESS_TOKEN,
        acr_values: &acr_values,
    };
    let relying_party = world.federation.relying_party();
    relying_party.verify_id_token(&world.metadata(), token, &expected)
}

fn with(world: &World, changes: &Value) -> Result<Map<String, Value>, DemoError> {
    let relying_party = world.federation.relying_party();
    let token = world.provider.id_token(relying_party, NONCE, changes);
    checked(world, &token, &[policy::LEVELS[1]])
}

#[test]
fn an_id_token_that_is_right_gives_its_claims() {
    let world = world();
    assert_eq!(with(&world, &json!({})).unwrap()["sub"], SUBJECT);
    assert!(
        with(&world, &json!({"acr": policy::LEVELS[2]})).is_ok(),
        "a higher level"
    );
    let relying_party = world.federation.relying_party();
    let token = world
        .provider
        .id_token(relying_party, NONCE, &json!({"acr": policy::LEVELS[0]}));
    assert!(checked(&world, &token, &[policy::LEVELS[1], policy::LEVELS[0]]).is_ok());
    assert!(checked(&world, &token, &[]).is_ok());
}

#[test]
fn an_id_token_with_any_wrong_claim_is_refused_and_the_claim_is_named() {
    // SPID/CIE TK-5
    let world = world();
    let now = START.0;
    for (changes, claim) in [
        (json!({"nonce": "another"}), "nonce"),
        (json!({"nonce": null}), "nonce"),
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), "at_hash"),
        (json!({"at_hash": null}), "at_hash"),
        (json!({"acr": policy::LEVELS[0]}), "acr"),
        (json!({"acr": "https://www.spid.gov.it/SpidL9"}), "acr"),
        (json!({"acr": null}), "acr"),
        (json!({"iss": "https://other.example.it/"}), "iss"),
        (json!({"aud": "https://other.example.it/"}), "aud"),
        (json!({"sub": null}), "sub"),
        (json!({"exp": now - 31}), "exp"),
        (json!({"exp": null}), "exp"),
        (json!({"iat": now + 31}), "iat"),
        (json!({"nbf": now + 31}), "nbf"),
    ] {
        let error = with(&world, &changes).unwrap_err().to_string();
        assert!(error.starts_with("id_token: "), "{changes}: {error}");
        assert!(error.contains(claim), "{changes}: {error}");
    }
}

#[test]
fn an_id_token_of_another_algorithm_or_key_is_refused() {
    let world = world();
    let relying_party = world.federation.relying_party();
    let claims = json!({"iss": world.provider.issuer, "aud": relying_party.entity_id()});
    let other_algorithm = world
        .provider
        .signed("JWT", &claims, &world.provider.ec_key);
    let refusal = checked(&world, &other_algorithm, &[]).unwrap_err();
    assert!(
        refusal
            .to_string()
            .contains("algorithm ES256 is not accepted"),
        "{refusal}"
    );
    let token = world.provider.id_token(relying_party, NONCE, &json!({}));
    let foreign = with_keys(
        &world.metadata(),
        KeySet::from_json(&json!({"keys": []})).unwrap(),
    );
    let expected = IdTokenExpectation {
        nonce: Some(NONCE),
        access_token: ACCESS_TOKEN,
        acr_values: &[],
    };
    assert!(matches!(
        relying_party.verify_id_token(&foreign, &token, &expected),
        Err(DemoError::Token {
            source: JoseError::UnknownKey { .. },
            ..
        })
    ));
    for hostile in ["", "a.b.c", "....", "eyJhbGciOiJub25lIn0.e30."] {
        assert!(checked(&world, hostile, &[]).is_err(), "{hostile}");
    }
}

#[test]
fn userinfo_is_decrypted_and_verified_with_rsa_and_with_elliptic_curves() {
    // SPID/CIE UI-2
    let world = world();
    for relying_party in [
        world.federation.relying_party(),
        world.federation.aggregated_relying_party(),
    ] {
        let body = world.provider.userinfo(relying_party, &json!({}));
        let claims = relying_party
            .open_userinfo(&world.metadata(), &body, SUBJECT)
            .unwrap();
        assert_eq!(claims["given_name"], "Ada");
    }
}

#[test]
fn userinfo_for_another_person_or_relying_party_or_not_encrypted_is_refused() {
    let world = world();
    let (mine, other) = (
        world.federation.relying_party(),
        world.federation.aggregated_relying_party(),
    );
    let open = |body: &str| mine.open_userinfo(&world.metadata(), body, SUBJECT);
    let played = &world.provider;
    for (body, fact) in [
        (played.userinfo(mine, &json!({"sub": "another"})), "sub"),
        (played.userinfo(mine, &json!({"sub": null})), "sub"),
        (
            played.userinfo(mine, &json!({"aud": other.entity_id()})),
            "aud",
        ),
        (
            played.userinfo(mine, &json!({"iss": "https://x.example.it/"})),
            "iss",
        ),
        (played.userinfo_as(mine, &json!({}), None), "cty"),
        (played.userinfo(other, &json!({})), "decryption failed"),
        (played.id_token(mine, NONCE, &json!({})), "3 parts"),
        ("{}".to_owned(), "parts"),
    ] {
        let error = open(&body).unwrap_err().to_string();
        assert!(error.contains(fact), "{fact}: {error}");
    }
}

#[test]
fn an_authorization_answer_counts_only_with_the_state_and_issuer_of_the_request() {
    // SPID/CIE AZ-11
    let world = world();
    let prepared = world.request(&LoginOptions::default());
    let address = |state: &str, issuer: &str, rest: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("state", state)
            .append_pair("iss", issuer)
            .finish();
        AuthorizationAnswer::parse_address(&format!("{BASE}/rp/callback?{query}&{rest}"))
    };
    let issuer = world.provider.issuer.as_str();
    let right = address(&prepared.state, issuer, "code=c%201&code=2");
    assert_eq!(right.code(&prepared).unwrap(), "c 1");
    for (answer, fact) in [
        (address("other", issuer, "code=c"), "state"),
        (
            address(&prepared.state, "https://x.example.it/", "code=c"),
            "iss",
        ),
        (address(&prepared.state, issuer, ""), "code"),
        (AuthorizationAnswer::parse_address("http://x/"), "state"),
        (
            address(
                &prepared.state,
                issuer,
                "error=access_denied&error_description=no",
            ),
            "access_denied: no",
        ),
    ] {
        let error = answer.code(&prepared).unwrap_err().to_string();
        assert!(error.contains(fact), "{fact}: {error}");
    }
}

#[test]
fn a_token_answer_is_bearer_json_or_an_error() {
    assert!(TokenAnswer::parse(br#"{"access_token":"a","token_type":"bearer"}"#).is_ok());
    for body in [
        &br#"{"access_token":"a","token_type":"DPoP"}"#[..],
        br#"{"token_type":"Bearer"}"#,
        br#"{"error":"invalid_grant"}"#,
        b"<html>",
        b"[]",
    ] {
        assert!(TokenAnswer::parse(body).is_err());
    }
}
