//! Registering, and logging in with what was registered.

use super::{CHAIN, STATEMENT, chain_of, secret_of, superiors_of, with_header};
use crate::harness::{Host, World, claims_of, header_of, with_assertion};
use serde_json::{Map, Value, json};
use varco::clock::Clock as _;

/// §12.2.1 to §12.2.3, with a client secret, on each database.
#[actix_web::test]
async fn an_rp_registers_with_its_entity_configuration_and_logs_in_with_its_secret() {
    for (builder, _schema) in World::on_each_database() {
        let world = builder.start();
        let rp = world.plain_rp("rp-explicit");
        let request = rp.registration_request(&world.op()).unwrap();
        let answer = world.post_registration(STATEMENT, request.clone()).await;
        let claims = world.registered(&rp, &answer);
        assert_eq!(
            header_of(&answer.body)["typ"],
            "explicit-registration-response+jwt"
        );
        assert_eq!(claims["iat"], world.now());
        assert_eq!(claims["exp"], claims_of(&request)["exp"], "the chain's end");
        assert_eq!(claims["jwks"], claims_of(&request)["jwks"], "verbatim");
        let types: Vec<&String> = claims["metadata"].as_object().unwrap().keys().collect();
        assert_eq!(types, ["federation_entity", "openid_relying_party"]);

        let registered = &claims["metadata"]["openid_relying_party"];
        assert_eq!(registered["client_id"], rp.entity_id());
        assert_eq!(registered["client_id_issued_at"], world.now());
        assert_eq!(registered["client_secret_expires_at"], claims["exp"]);
        let code = world.plain_code(&rp).await;
        let wrong = world.token_with_secret(&rp, &code, "wrong").await;
        wrong.is_refused(401, "invalid_client", "the client secret is wrong");
        let secret = secret_of(registered);
        let token = world.token_with_secret(&rp, &code, &secret).await.granted();
        assert_eq!(
            claims_of(token["id_token"].as_str().unwrap())["aud"],
            rp.entity_id()
        );
        assert_eq!(world.plain_userinfo(&token).await["given_name"], "Ada");
    }
}

#[actix_web::test]
async fn an_rp_registers_with_a_key_and_logs_in_with_client_assertions() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let rp = rp.with_metadata("token_endpoint_auth_method", "private_key_jwt");
    let registered = world.register_rp(&rp).await;
    assert_eq!(registered["token_endpoint_auth_method"], "private_key_jwt");
    assert!(registered.get("client_secret").is_none());
    let code = world.plain_code(&rp).await;
    let claims = world.assertion_claims(&rp, &format!("{}token", world.op()));
    let assertion = rp.sign_protocol_token(&claims).unwrap();
    let fields = with_assertion(&rp, &assertion, &[]);
    let token = world.plain_token(&rp, &code, &[], &fields).await.granted();
    assert_eq!(world.plain_userinfo(&token).await["given_name"], "Ada");
}

/// §12.2.2, steps 4 and 5: a chain that comes along needs no fetch from the RP's host, which here has none to offer.
#[actix_web::test]
async fn a_chain_in_the_body_or_in_the_header_needs_no_fetch() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let chain = chain_of(&world, &rp);
    let answer = world
        .post_registration(CHAIN, json!(chain).to_string())
        .await;
    world.registered(&rp, &answer);

    let request = rp.registration_request(&world.op()).unwrap();
    // In the header's chain the RP's place is taken by the request.
    let published = rp.entity_configuration().unwrap();
    let header = [vec![published], superiors_of(&world, rp.entity_id())].concat();
    let request = with_header(&rp, &request, &json!({"trust_chain": header}));
    let answer = world.post_registration(STATEMENT, request).await;
    world.registered(&rp, &answer);
}

/// An RP behind an intermediate on another host: only the superiors are asked, never the RP.
#[actix_web::test]
async fn without_a_chain_the_superiors_are_asked_and_not_the_rp() {
    let world = World::start();
    let host = Host::start();
    let rp = world.stranger(&host, "/rp/");
    let rp = rp.with_metadata("token_endpoint_auth_method", "private_key_jwt");
    world.register_rp(&rp).await;
    assert!(host.requests().is_empty(), "{:?}", host.requests());
    let aggregated = world.federation.aggregated_relying_party();
    let answer = world.ask_to_register(aggregated).await;
    let claims = world.registered(aggregated, &answer);
    let intermediate = world.federation.intermediate().entity_id();
    assert_eq!(claims["authority_hints"], json!([intermediate]));
}

/// §12.2.2, step 6.
#[actix_web::test]
async fn the_chain_about_the_issuer_narrows_what_is_chosen() {
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    let rp = rp.with_metadata("scope", "openid profile email");
    let own = world
        .browser()
        .get(&format!("{}.well-known/openid-federation", world.op()))
        .await
        .body;
    let anchor = world.federation.trust_anchor();
    anchor.change(&world.op(), |subordinate| {
        let policy = json!({"scopes_supported": {"subset_of": ["openid", "profile"]}});
        subordinate.metadata_policy = Map::from_iter([("openid_provider".to_owned(), policy)]);
    });
    let chain = [
        vec![rp.entity_configuration().unwrap()],
        superiors_of(&world, rp.entity_id()),
    ]
    .concat();
    let peer = [vec![own], superiors_of(&world, &world.op())].concat();
    let request = || rp.registration_request(&world.op()).unwrap();
    let send = async |header: Value| {
        let request = with_header(&rp, &request(), &header);
        world.post_registration(STATEMENT, request).await
    };
    let answer = send(json!({"trust_chain": chain, "peer_trust_chain": peer})).await;
    let claims = world.registered(&rp, &answer);
    let registered = &claims["metadata"]["openid_relying_party"];
    assert_eq!(registered["scope"], "openid profile");
    anchor.change(&world.op(), |subordinate| {
        let policy = json!({"response_types_supported": {"value": ["id_token"]}});
        subordinate.metadata_policy = Map::from_iter([("openid_provider".to_owned(), policy)]);
    });
    let useless = [vec![peer[0].clone()], superiors_of(&world, &world.op())].concat();
    let answer = send(json!({"trust_chain": chain, "peer_trust_chain": useless})).await;
    let says = "response_types: code is not supported here";
    answer.is_refused(400, "invalid_client_metadata", says);

    send(json!({"peer_trust_chain": peer})).await.is_refused(
        400,
        "invalid_request",
        "peer_trust_chain",
    );
    send(json!({"trust_chain": chain, "peer_trust_chain": chain}))
        .await
        .is_refused(400, "invalid_trust_chain", "header peer_trust_chain");
    send(json!({"trust_chain": chain, "peer_trust_chain": "x"}))
        .await
        .is_refused(400, "invalid_request", "peer_trust_chain");
    let first = with_header(
        &rp,
        &request(),
        &json!({"trust_chain": chain, "peer_trust_chain": peer}),
    );
    let body = [vec![first], superiors_of(&world, rp.entity_id())].concat();
    world
        .post_registration(CHAIN, json!(body).to_string())
        .await
        .is_refused(400, "invalid_request", "peer_trust_chain");
}

/// `varco rp show` and `/resolve`: the operator sees the registration; others do not see the request, which is a
/// letter to this issuer.
#[actix_web::test]
async fn a_registration_is_shown_to_the_operator_only() {
    use varco::model::Origin;
    let world = World::start();
    let rp = world.plain_rp("rp-explicit");
    world.register_rp(&rp).await;
    let op = world.provider("oidc");
    let (issuer, id) = (
        op.issuer.clone(),
        varco::model::ClientId::new(rp.entity_id()),
    );
    let party = world
        .app
        .shared
        .store
        .read_blocking(|connection| varco::store::client::find(connection, &issuer, &id))
        .unwrap()
        .unwrap();
    assert!(matches!(party.origin, Origin::Explicit(_)));
    assert!(party.origin.trust().unwrap().expires_at > world.clock.now());
    let anchor = world.federation.trust_anchor().entity_id();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("sub", rp.entity_id()), ("trust_anchor", anchor)])
        .finish();
    let url = format!("{}resolve?{query}", world.op());
    assert_eq!(world.browser().get(&url).await.status, 404);
}

/// §5.1.3: what an RP has to know beforehand.
#[actix_web::test]
async fn the_issuer_says_where_and_how_rps_register() {
    let world = World::start();
    let url = format!("{}.well-known/openid-federation", world.op());
    let claims = claims_of(&world.browser().get(&url).await.body);
    let metadata = &claims["metadata"]["openid_provider"];
    assert_eq!(
        metadata["federation_registration_endpoint"],
        world.url("/oidc/registration")
    );
    assert_eq!(
        metadata["client_registration_types_supported"],
        json!(["explicit"])
    );
    for document in ["jwks.jose", ".well-known/openid-federation"] {
        let url = format!("{}{document}", world.op());
        assert_eq!(world.browser().get(&url).await.status, 200, "{document}");
    }
}
