use super::*;
use crate::secret::sha256;
use data_encoding::BASE64URL_NOPAD;

fn claims(prepared: &PreparedRequest) -> Map<String, Value> {
    relying_party::unverified_claims(&prepared.request_object).unwrap()
}

fn jwks(relying_party: &RelyingParty) -> Value {
    relying_party.protocol_metadata()["jwks"].clone()
}

#[test]
fn the_request_object_carries_every_member_that_is_mandatory() {
    // SPID/CIE AZ-4
    let world = world();
    let prepared = world.request(&LoginOptions::at_level(3).with_offline_access());
    let relying_party = world.federation.relying_party();
    let claims = verified(&prepared.request_object, &jwks(relying_party), "JWT");
    let id = relying_party.entity_id();
    assert_eq!(claims["iss"], id);
    assert_eq!(claims["client_id"], id);
    assert_eq!(claims["aud"], json!([world.provider.issuer]));
    assert_eq!(claims["response_type"], "code");
    assert_eq!(claims["scope"], "openid offline_access");
    assert_eq!(claims["acr_values"], "https://www.spid.gov.it/SpidL3");
    assert_eq!(claims["prompt"], "consent login");
    assert_eq!(claims["redirect_uri"], format!("{BASE}/rp/callback"));
    assert_eq!(claims["state"], prepared.state.as_str());
    assert_eq!(claims["nonce"], prepared.nonce.as_str());
    assert!(prepared.state.len() >= 32 && prepared.nonce.len() >= 32);
    assert_eq!(claims["iat"], START.0);
    assert_eq!(claims["exp"], START.0 + 300);
    assert!(
        claims["claims"]["userinfo"]
            .as_object()
            .unwrap()
            .contains_key("given_name")
    );
    let challenge = BASE64URL_NOPAD.encode(&sha256(prepared.code_verifier.as_bytes()));
    assert_eq!(claims["code_challenge"], challenge);
    assert_eq!(claims["code_challenge_method"], "S256");
    let again = world.request(&LoginOptions::default());
    assert_ne!(super::requests::claims(&again)["jti"], claims["jti"]);
}

#[test]
fn the_parameters_outside_agree_with_those_inside() {
    // SPID/CIE AZ-3
    let world = world();
    let prepared = world.request(&LoginOptions::default());
    let inside = claims(&prepared);
    for name in [
        "client_id",
        "response_type",
        "scope",
        "code_challenge",
        "code_challenge_method",
    ] {
        let outside = prepared.fields.iter().find(|(found, _)| found == name);
        assert_eq!(inside[name], outside.unwrap().1.as_str(), "{name}");
    }
    let url = url::Url::parse(&prepared.url).unwrap();
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert_eq!(query, prepared.fields);
    assert!(
        prepared
            .url
            .starts_with(&format!("{BASE}/spid/authorization?"))
    );
}

#[test]
fn the_hooks_make_any_part_of_the_request_wrong_and_sign_it_all_the_same() {
    let world = world();
    let options = LoginOptions::default()
        .with_claim("aud", "https://other.example.it/")
        .with_claim("exp", 1)
        .without_claim("nonce")
        .with_header("typ", "entity-statement+jwt")
        .with_header("trust_chain", json!(["a"]))
        .with_parameter("scope", "openid profile")
        .with_parameter("request_uri", "https://rp.example.it/r")
        .without_parameter("client_id");
    let prepared = world.request(&options);
    let claims = claims(&prepared);
    assert_eq!(claims["aud"], "https://other.example.it/");
    assert_eq!(claims["exp"], 1);
    assert!(!claims.contains_key("nonce"));
    assert_eq!(
        header(&prepared.request_object)["trust_chain"],
        json!(["a"])
    );
    let outside = |name: &str| prepared.fields.iter().find(|(found, _)| found == name);
    assert_eq!(outside("scope").unwrap().1, "openid profile");
    assert!(outside("request_uri").is_some());
    assert!(outside("client_id").is_none());
}

#[test]
fn a_header_that_no_signer_would_write_is_signed_by_the_same_key() {
    let world = world();
    for relying_party in [
        world.federation.relying_party(),
        world.federation.aggregated_relying_party(),
    ] {
        let sent = |options: &LoginOptions| {
            let request = relying_party.authorization_request(&world.metadata(), options);
            request.unwrap().request_object
        };
        let token = sent(&LoginOptions::default().without_header("kid"));
        assert_eq!(header(&token)["kid"], Value::Null);
        let expectations = Expectations {
            kind: "request object",
            typ: TypRule::Any,
            algorithms: SignatureAlgorithm::ALL,
            kid_required: false,
            issuer: None,
            subject: None,
            audience: None,
            now: START,
            leeway_seconds: 0,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        };
        let keys = KeySet::from_json(&jwks(relying_party)).unwrap();
        let parsed = Unverified::parse(&token, 100_000).unwrap();
        assert!(parsed.verify::<Value>(&keys, &expectations).is_ok());
        let unsigned = sent(&LoginOptions::default().with_header("alg", "none"));
        assert!(unsigned.ends_with('.'));
        assert_eq!(header(&unsigned)["alg"], "none");
        let mac = sent(&LoginOptions::default().with_header("alg", "HS256"));
        assert_eq!(header(&mac)["alg"], "HS256");
        assert!(!mac.ends_with('.'));
    }
}

#[test]
fn a_relying_party_may_choose_another_algorithm_of_its_key() {
    let world = world();
    let prepared = world.request(&LoginOptions::default().with_header("alg", "PS512"));
    let relying_party = world.federation.relying_party();
    verified(&prepared.request_object, &jwks(relying_party), "JWT");
    assert_eq!(header(&prepared.request_object)["alg"], "PS512");
}

#[test]
fn every_form_authenticates_the_client_with_an_assertion_for_its_endpoint() {
    // SPID/CIE TK-1
    let world = world();
    let (relying_party, metadata) = (world.federation.relying_party(), world.metadata());
    let prepared = world.request(&LoginOptions::default());
    let forms = [
        (
            relying_party.token_request(&metadata, &prepared, "c"),
            "token",
        ),
        (relying_party.refresh_request(&metadata, "r"), "token"),
        (
            relying_party.introspection_request(&metadata, "t"),
            "introspection",
        ),
        (
            relying_party.revocation_request(&metadata, "t"),
            "revocation",
        ),
    ];
    let mut seen = Vec::new();
    for (form, endpoint) in forms {
        let form = form.unwrap();
        let value = |name: &str| {
            form.iter()
                .find(|(found, _)| found == name)
                .unwrap()
                .1
                .clone()
        };
        assert_eq!(
            value("client_assertion_type"),
            relying_party::ASSERTION_TYPE
        );
        let assertion = verified(&value("client_assertion"), &jwks(relying_party), "JWT");
        assert_eq!(assertion["iss"], relying_party.entity_id());
        assert_eq!(assertion["sub"], relying_party.entity_id());
        assert_eq!(assertion["aud"], json!([format!("{BASE}/spid/{endpoint}")]));
        assert!(!seen.contains(&assertion["jti"]));
        seen.push(assertion["jti"].clone());
    }
}
