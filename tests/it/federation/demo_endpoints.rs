//! What trust anchor and intermediate of the demonstration answer (OIDC Federation §8.1 to §8.9), read as somebody else's
//! software would.

use crate::harness::{Answer, Browser, Host, World, claims_of, header_of};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) async fn get(world: &World, address: &str) -> Answer {
    Browser::new().get(&world.url(address)).await
}

/// A query with these parameters, escaped.
pub(super) fn query(path: &str, parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    format!("{path}?{query}")
}

pub(super) async fn ask(world: &World, path: &str, parameters: &[(&str, &str)]) -> Answer {
    get(world, &query(path, parameters)).await
}

#[track_caller]
pub(super) fn refused(answer: &Answer, status: u16, code: &str, says: &str) {
    assert_eq!(answer.status, status, "{} {}", answer.url, answer.body);
    assert_eq!(answer.error(), code, "{}", answer.url);
    assert!(answer.description().contains(says), "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[track_caller]
pub(super) fn listed(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{} {}", answer.url, answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    serde_json::from_value(answer.json()).unwrap()
}

#[actix_web::test]
async fn every_endpoint_is_advertised_by_its_final_name_and_answers_there() {
    let world = World::start();
    for (entity, expected) in [
        (
            "ta",
            &[
                "federation_fetch_endpoint",
                "federation_list_endpoint",
                "federation_resolve_endpoint",
                "federation_trust_mark_status_endpoint",
                "federation_trust_mark_list_endpoint",
                "federation_trust_mark_endpoint",
            ][..],
        ),
        (
            "sa",
            &[
                "federation_fetch_endpoint",
                "federation_list_endpoint",
                "federation_resolve_endpoint",
            ][..],
        ),
    ] {
        let own = get(&world, &format!("/{entity}/.well-known/openid-federation")).await;
        assert_eq!(
            own.header("content-type"),
            "application/entity-statement+jwt"
        );
        let claims = claims_of(&own.body);
        let metadata = claims["metadata"]["federation_entity"].as_object().unwrap();
        let endpoints: BTreeMap<&String, &str> = metadata
            .iter()
            .filter(|(name, _)| name.ends_with("_endpoint"))
            .map(|(name, url)| (name, url.as_str().unwrap()))
            .collect();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(endpoints.keys().copied().collect::<Vec<_>>(), expected);
        for (name, url) in endpoints {
            let (allowed, refused) = match name.contains("status") {
                true => ("POST", [reqwest::Method::GET, reqwest::Method::DELETE]),
                false => ("GET, HEAD", [reqwest::Method::POST, reqwest::Method::PUT]),
            };
            for method in refused {
                let answer = Browser::client().request(method, url).send().await.unwrap();
                assert_eq!(answer.status().as_u16(), 405, "{name}");
                assert_eq!(answer.headers()["allow"], allowed, "{name}");
            }
        }
    }
    let head = Browser::client().head(world.url("/ta/list")).send().await;
    let head = head.unwrap();
    assert_eq!(head.status().as_u16(), 200);
    assert_eq!(head.headers()["content-type"], "application/json");
    assert!(head.bytes().await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_statement_is_fetched_by_sub_alone() {
    // OIDC Federation §8.1
    let world = World::start();
    let rp = world.rp().entity_id().to_owned();
    let answer = ask(&world, "/ta/fetch", &[("sub", &rp)]).await;
    assert_eq!(
        answer.header("content-type"),
        "application/entity-statement+jwt"
    );
    assert_eq!(header_of(&answer.body)["typ"], "entity-statement+jwt");
    let claims = claims_of(&answer.body);
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!(world.url("/ta/")), &json!(rp))
    );
    let own = world.url("/ta/");
    for (parameters, status, code, says) in [
        (&[][..], 400, "invalid_request", "sub is missing"),
        (&[("sub", "")][..], 400, "invalid_request", "sub is empty"),
        (
            &[("sub", &*rp), ("sub", &*rp)][..],
            400,
            "invalid_request",
            "sub is repeated",
        ),
        (
            &[("sub", &*own)][..],
            400,
            "invalid_request",
            "this entity itself",
        ),
        (
            &[("sub", "https://x.example.it/")][..],
            404,
            "not_found",
            "no entity",
        ),
        (
            &[("sub", "\u{0}\u{fffd}")][..],
            404,
            "not_found",
            "no entity",
        ),
    ] {
        refused(
            &ask(&world, "/ta/fetch", parameters).await,
            status,
            code,
            says,
        );
    }
    let aggregated = world.url("/rp-aggregated/");
    refused(
        &ask(&world, "/ta/fetch", &[("sub", &aggregated)]).await,
        404,
        "not_found",
        "",
    );
    let below = ask(&world, "/sa/fetch", &[("sub", &aggregated)]).await;
    assert_eq!(below.status, 200, "{}", below.body);
}

#[actix_web::test]
async fn the_list_is_filtered_as_asked() {
    // OIDC Federation §8.2
    let world = World::start();
    let urls =
        |paths: &[&str]| -> Vec<String> { paths.iter().map(|path| world.url(path)).collect() };
    let public = world.federation.relying_party_mark_type();
    let provider = world.federation.provider_mark_type();
    for (parameters, expected) in [
        (&[][..], &["/cie/", "/oidc/", "/rp/", "/sa/", "/spid/"][..]),
        (&[("entity_type", "openid_relying_party")], &["/rp/"]),
        (
            &[("entity_type", "openid_provider")],
            &["/cie/", "/oidc/", "/spid/"],
        ),
        (
            &[
                ("entity_type", "openid_provider"),
                ("entity_type", "federation_entity"),
            ],
            &["/cie/", "/oidc/", "/sa/", "/spid/"],
        ),
        (&[("entity_type", "openid_wallet_provider")], &[]),
        (
            &[("trust_marked", "true")],
            &["/cie/", "/oidc/", "/rp/", "/sa/", "/spid/"],
        ),
        (
            &[("trust_marked", "false")],
            &["/cie/", "/oidc/", "/rp/", "/sa/", "/spid/"],
        ),
        (&[("trust_mark_type", &*public)], &["/rp/"]),
        (&[("trust_mark_type", "https://unknown.example.it/")], &[]),
        (&[("intermediate", "true")], &["/sa/"]),
        (
            &[("intermediate", "false")],
            &["/cie/", "/oidc/", "/rp/", "/sa/", "/spid/"],
        ),
        (
            &[
                ("trust_mark_type", &*provider),
                ("entity_type", "openid_relying_party"),
            ],
            &[],
        ),
        // Others may have parameters of their own.
        (
            &[("limit", "1")],
            &["/cie/", "/oidc/", "/rp/", "/sa/", "/spid/"],
        ),
    ] {
        let answer = ask(&world, "/ta/list", parameters).await;
        assert_eq!(listed(&answer), urls(expected), "{parameters:?}");
    }
    let anchor = world.federation.trust_anchor();
    anchor.revoke_mark(&public, &world.url("/rp/"));
    let marked = ask(&world, "/ta/list", &[("trust_marked", "true")]).await;
    assert_eq!(
        listed(&marked),
        urls(&["/cie/", "/oidc/", "/sa/", "/spid/"])
    );
    for (parameter, value) in [
        ("trust_marked", "yes"),
        ("intermediate", ""),
        ("entity_type", ""),
        ("trust_mark_type", ""),
    ] {
        let answer = ask(&world, "/ta/list", &[(parameter, value)]).await;
        refused(&answer, 400, "invalid_request", parameter);
    }
    let twice = [("intermediate", "true"), ("intermediate", "true")];
    refused(
        &ask(&world, "/ta/list", &twice).await,
        400,
        "invalid_request",
        "repeated",
    );

    let answer = ask(
        &world,
        "/sa/list",
        &[("entity_type", "openid_relying_party")],
    )
    .await;
    assert_eq!(listed(&answer), urls(&["/rp-aggregated/"]));
    for parameter in [("trust_marked", "true"), ("trust_mark_type", &*public)] {
        // The intermediate issues no marks.
        let answer = ask(&world, "/sa/list", &[parameter]).await;
        refused(&answer, 400, "unsupported_parameter", parameter.0);
    }
}

#[actix_web::test]
async fn entities_are_resolved_by_anchor_and_intermediate() {
    // OIDC Federation §8.3; SPID/CIE FE-8
    let world = World::start();
    let anchor = world.url("/ta/");
    let public = world.federation.relying_party_mark_type();
    for (superior, subject, entity_type, length) in [
        ("ta", "/rp/", "openid_relying_party", 3),
        ("ta", "/rp-aggregated/", "openid_relying_party", 4),
        ("sa", "/rp-aggregated/", "openid_relying_party", 4),
        ("ta", "/spid/", "openid_provider", 3),
        ("ta", "/sa/", "federation_entity", 3),
    ] {
        let sub = world.url(subject);
        let parameters = [
            ("sub", &*sub),
            ("trust_anchor", "https://x/"),
            ("trust_anchor", &anchor),
        ];
        let answer = ask(&world, &format!("/{superior}/resolve"), &parameters).await;
        assert_eq!(answer.status, 200, "{superior} {subject} {}", answer.body);
        assert_eq!(
            answer.header("content-type"),
            "application/resolve-response+jwt"
        );
        assert_eq!(header_of(&answer.body)["typ"], "resolve-response+jwt");
        let claims = claims_of(&answer.body);
        assert_eq!(claims["iss"], world.url(&format!("/{superior}/")));
        assert_eq!(claims["sub"], sub);
        assert_eq!(claims["trust_chain"].as_array().unwrap().len(), length);
        let metadata = claims["metadata"].as_object().unwrap();
        assert!(metadata.contains_key(entity_type), "{metadata:?}");
        assert_eq!(
            claims["trust_marks"].as_array().unwrap().len(),
            1,
            "{subject}"
        );
        if entity_type == "openid_relying_party" {
            let contacts = metadata[entity_type]["contacts"].as_array().unwrap();
            let added = json!("federazione@pec.example.it");
            assert!(contacts.contains(&added), "the policies are applied");
            assert_eq!(claims["trust_marks"][0]["trust_mark_type"], public);
        }
    }

    let rp = world.url("/rp/");
    let of = |entity_type| {
        [
            ("sub", &*rp),
            ("trust_anchor", &*anchor),
            ("entity_type", entity_type),
        ]
    };
    let answer = ask(&world, "/ta/resolve", &of("openid_relying_party")).await;
    let metadata = claims_of(&answer.body)["metadata"].clone();
    let kinds: Vec<&String> = metadata.as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["openid_relying_party"]);
    let answer = ask(&world, "/ta/resolve", &of("openid_provider")).await;
    assert_eq!(claims_of(&answer.body)["metadata"], json!({}));

    // What is valid no longer is not told.
    world.federation.trust_anchor().revoke_mark(&public, &rp);
    let answer = ask(&world, "/ta/resolve", &of("openid_relying_party")).await;
    assert_eq!(claims_of(&answer.body)["trust_marks"], json!([]));
}

#[actix_web::test]
async fn what_cannot_be_resolved_is_refused_with_its_code() {
    let world = World::start();
    let anchor = world.url("/ta/");
    let (rp, sa) = (world.url("/rp/"), world.url("/sa/"));
    for (superior, parameters, status, code) in [
        (
            "ta",
            &[("trust_anchor", &*anchor)][..],
            400,
            "invalid_request",
        ),
        ("ta", &[("sub", &*rp)][..], 400, "invalid_request"),
        (
            "ta",
            &[("sub", &*rp), ("trust_anchor", "")][..],
            400,
            "invalid_request",
        ),
        (
            "ta",
            &[("sub", &*rp), ("trust_anchor", "https://x/")][..],
            404,
            "invalid_trust_anchor",
        ),
        (
            "sa",
            &[("sub", &*rp), ("trust_anchor", &*sa)][..],
            404,
            "invalid_trust_anchor",
        ),
        (
            "sa",
            &[("sub", &*rp), ("trust_anchor", &*anchor)][..],
            404,
            "not_found",
        ),
        (
            "ta",
            &[("sub", "https://x/"), ("trust_anchor", &*anchor)][..],
            404,
            "not_found",
        ),
    ] {
        let answer = ask(&world, &format!("/{superior}/resolve"), parameters).await;
        refused(&answer, status, code, "");
    }

    let host = Host::start();
    let stranger = world.stranger(&host, "/rp/");
    let subject = stranger.entity_id().to_owned();
    let parameters = [("sub", &*subject), ("trust_anchor", &*anchor)];
    let resolve = async |world: &World| ask(world, "/ta/resolve", &parameters).await;
    refused(
        &resolve(&world).await,
        503,
        "temporarily_unavailable",
        "404",
    );
    host.publish("/rp/", &stranger.entity_configuration().unwrap());
    assert_eq!(resolve(&world).await.status, 200, "nothing is remembered");
    let wrong = stranger.clone().with_metadata("response_types", json!([]));
    let wrong = wrong.with_metadata("token_endpoint_auth_method", "client_secret_basic");
    host.publish("/rp/", &wrong.entity_configuration().unwrap());
    refused(
        &resolve(&world).await,
        400,
        "invalid_metadata",
        "token_endpoint_auth_method",
    );
    let elsewhere = stranger
        .clone()
        .with_superior("https://elsewhere.example.it/");
    host.publish("/rp/", &elsewhere.entity_configuration().unwrap());
    // The demonstration asks this machine only.
    let answer = resolve(&world).await;
    assert!([400, 503].contains(&answer.status), "{}", answer.body);
    host.publish("/rp/", "no.statement.at all");
    refused(&resolve(&world).await, 400, "invalid_trust_chain", "");
    world.federation.trust_anchor().expel(&subject);
    refused(&resolve(&world).await, 404, "not_found", "");
}
