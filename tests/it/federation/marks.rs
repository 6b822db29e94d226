//! SPID/CIE FE-1, TM-1, TM-2: the trust marks decide before anything else is asked.

use crate::harness::{CONFIGURATION, Host, World, claims_of, public_keys, signed};
use serde_json::{Map, Value, json};
use varco::config::TrustMarkStatus;
use varco::demo::{LoginOptions, RelyingParty};

const MARK_TYP: Option<&str> = Some("trust-mark+jwt");

/// A mark of the anchor with these members changed; `null` removes one.
fn mark(world: &World, subject: &str, changes: Value) -> String {
    let anchor = world.federation.trust_anchor();
    let mark_type = world.federation.relying_party_mark_type();
    let changes = changes.as_object().unwrap();
    anchor
        .trust_mark_with(&mark_type, subject, changes)
        .unwrap()
}

fn wrapped(world: &World, mark: &str) -> Value {
    json!([{"id": world.federation.relying_party_mark_type(), "trust_mark": mark}])
}

/// Publishes the RP with these marks; its only superior is at the same host, where every request would be seen.
fn publish(host: &Host, path: &str, rp: RelyingParty, marks: Value) -> RelyingParty {
    let superior = host.url("/superior/");
    let rp = rp
        .with_statement_claim("trust_marks", marks)
        .with_superior(&superior);
    host.publish(path, &rp.entity_configuration().unwrap());
    rp
}

type Case = (&'static str, fn(&World, &str) -> Value, &'static str);

const REFUSED: [Case; 10] = [
    ("none", |_, _| json!([]), "trust_marks has none of"),
    (
        "not-wanted",
        |world, subject| {
            let other = json!({"trust_mark_type": "https://other.example.it/", "id": "https://other.example.it/"});
            json!([{"trust_mark": mark(world, subject, other)}])
        },
        "trust_marks has none of",
    ),
    (
        "unlisted-issuer",
        |world, subject| {
            let mark_type = world.federation.relying_party_mark_type();
            let intermediate = world.federation.intermediate();
            let mark = intermediate.trust_mark_with(&mark_type, subject, &Map::new());
            wrapped(world, &mark.unwrap())
        },
        "does not list its issuer",
    ),
    (
        "forged",
        |world, subject| {
            let claims = claims_of(&mark(world, subject, json!({})));
            let key = world.federation.intermediate().key();
            wrapped(world, &signed(MARK_TYP, &Value::Object(claims), key))
        },
        "no key with kid",
    ),
    (
        "tampered",
        |world, subject| {
            let honest = mark(world, "https://honest.example.it/", json!({}));
            let other = mark(world, subject, json!({}));
            let mut parts: Vec<&str> = honest.split('.').collect();
            parts[1] = other.split('.').nth(1).unwrap();
            wrapped(world, &parts.join("."))
        },
        "the signature does not match",
    ),
    (
        "expired",
        |world, subject| {
            let exp = varco::clock::Clock::now(&*world.clock).0 - 31;
            wrapped(world, &mark(world, subject, json!({"exp": exp})))
        },
        "claim exp",
    ),
    (
        "anothers",
        |world, _| wrapped(world, &mark(world, world.rp().entity_id(), json!({}))),
        "claim sub is",
    ),
    (
        "no-iat",
        |world, subject| wrapped(world, &mark(world, subject, json!({"iat": null}))),
        "claim iat is missing",
    ),
    (
        "two-types",
        |world, subject| {
            let changes = json!({"id": "https://other.example.it/"});
            wrapped(world, &mark(world, subject, changes))
        },
        "differs from",
    ),
    (
        "revoked",
        |world, subject| {
            let mark = mark(world, subject, json!({}));
            let mark_type = world.federation.relying_party_mark_type();
            let anchor = world.federation.trust_anchor();
            anchor.revoke_mark(&mark_type, subject);
            wrapped(world, &mark)
        },
        "its status is revoked",
    ),
];

#[actix_web::test]
async fn an_rp_without_a_valid_mark_is_refused_and_nothing_more_that_it_names_is_fetched() {
    // SPID/CIE FE-1, TM-1, TM-2: `revoked` is known from the status endpoint only.
    let world = World::start();
    let host = Host::start();
    for (name, marks, fact) in REFUSED {
        let path = format!("/{name}/");
        let rp = world.stranger(&host, &path);
        let marks = marks(&world, rp.entity_id());
        let rp = publish(&host, &path, rp, marks);
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
            host.forget_requests();
            world.shown(&prepared, "unauthorized_client", fact).await;
            assert_eq!(
                host.requests(),
                [format!("{path}{CONFIGURATION}")],
                "SPID/CIE FE-1: {name}"
            );
        }
    }
}

#[actix_web::test]
async fn a_mark_without_a_signature_or_with_a_forbidden_algorithm_is_none() {
    // SPID/CIE AL-4
    let world = World::start();
    let host = Host::start();
    let issuer = world.issuer("spid").await;
    for algorithm in ["none", "HS256", "HS512"] {
        let path = format!("/{}/", algorithm.to_ascii_lowercase());
        let rp = world.stranger(&host, &path);
        let honest = mark(&world, rp.entity_id(), json!({}));
        let header = json!({"alg": algorithm, "typ": "trust-mark+jwt"}).to_string();
        let header = data_encoding::BASE64URL_NOPAD.encode(header.as_bytes());
        let mut parts: Vec<&str> = honest.split('.').collect();
        parts[0] = &header;
        if algorithm == "none" {
            parts[2] = "";
        }
        let marks = wrapped(&world, &parts.join("."));
        let rp = publish(&host, &path, rp, marks);
        let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
        world
            .shown(&prepared, "unauthorized_client", algorithm)
            .await;
        assert_eq!(host.requests().len(), 1);
        host.forget_requests();
    }
}

#[actix_web::test]
async fn marks_in_historic_spellings_are_read() {
    // SPID/CIE TM-1; static, because the demonstration's status endpoint reads the final spelling only.
    let world = World::builder()
        .issuers(|settings| settings.trust_mark_status = TrustMarkStatus::Static)
        .start();
    let host = Host::start();
    let mark_type = world.federation.relying_party_mark_type();
    let anchor = world.federation.trust_anchor();
    let cases: [(&str, Value, &[&str], Option<&str>); 6] = [
        ("final", json!({"id": null}), &["trust_mark_type"], MARK_TYP),
        (
            "draft-id",
            json!({"trust_mark_type": null}),
            &["id"],
            Some("JWT"),
        ),
        (
            "draft-trust-mark-id",
            json!({"trust_mark_type": null, "id": null, "trust_mark_id": mark_type}),
            &["trust_mark_id"],
            None,
        ),
        (
            "all-at-once",
            json!({"trust_mark_id": mark_type}),
            &["trust_mark_type", "trust_mark_id", "id"],
            MARK_TYP,
        ),
        ("no-wrapper-type-no-exp", json!({"exp": null}), &[], None),
        (
            "rich",
            json!({"organization_type": "public", "id_code": {"ipa_code": "x"}, "organization_name#it": "x",
                   "email": "a@example.it", "ref": "https://x", "logo_uri": "https://x"}),
            &["id"],
            MARK_TYP,
        ),
    ];
    for (name, changes, wrapper, typ) in cases {
        let path = format!("/{name}/");
        let rp = world.stranger(&host, &path);
        let claims = claims_of(&mark(&world, rp.entity_id(), changes));
        let mark = signed(typ, &Value::Object(claims), anchor.key());
        let mut element: Map<String, Value> = wrapper
            .iter()
            .map(|name| ((*name).to_owned(), json!(mark_type)))
            .collect();
        element.insert("trust_mark".to_owned(), json!(mark));
        // Noise beside a good mark does not matter.
        let marks = json!([{"noise": true}, element]);
        let rp = rp.with_statement_claim("trust_marks", marks);
        host.publish(&path, &rp.entity_configuration().unwrap());
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
            world.accepted(&prepared).await;
        }
    }
}

#[actix_web::test]
async fn an_issuer_that_the_anchor_lists_may_issue_marks_and_an_empty_list_means_nobody() {
    // SPID/CIE FE-1
    for (listed, accepted) in [(true, true), (false, false)] {
        let world = World::builder()
            .issuers(|settings| settings.trust_mark_status = TrustMarkStatus::Static)
            .start();
        let host = Host::start();
        let mark_type = world.federation.relying_party_mark_type();
        let intermediate = world.federation.intermediate();
        let issuers = match listed {
            true => json!([intermediate.entity_id()]),
            false => json!([]),
        };
        let list = json!({ mark_type.clone(): issuers });
        world.change_anchor(|claims| {
            claims.insert("trust_mark_issuers".to_owned(), list);
        });
        let rp = world.stranger(&host, "/rp/");
        let mark = intermediate.trust_mark_with(&mark_type, rp.entity_id(), &Map::new());
        let rp = rp.with_trust_marks(vec![(mark_type, mark.unwrap())]);
        host.publish("/rp/", &rp.entity_configuration().unwrap());
        for profile in ["spid", "cie"] {
            let issuer = world.issuer(profile).await;
            let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
            if accepted {
                world.accepted(&prepared).await;
            } else {
                let fact = "does not list its issuer";
                world.shown(&prepared, "unauthorized_client", fact).await;
            }
        }
    }
}

#[actix_web::test]
async fn a_delegated_mark_needs_its_owners_word() {
    // SPID/CIE TM-1: `trust_mark_owners`
    let world = World::builder()
        .issuers(|settings| settings.trust_mark_status = TrustMarkStatus::Static)
        .start();
    let host = Host::start();
    let owner_key = varco::jose::PrivateKey::generate(varco::jose::KeyKind::P256).unwrap();
    let owner = "https://owner.example.it";
    let mark_type = world.federation.relying_party_mark_type();
    let anchor = world.federation.trust_anchor();
    let owners = json!({ mark_type.clone(): {"sub": owner, "jwks": public_keys(&[&owner_key])} });
    world.change_anchor(|claims| {
        claims.insert("trust_mark_owners".to_owned(), owners);
    });
    let now = varco::clock::Clock::now(&*world.clock).0;
    let word = |issuer: &str| {
        let claims = json!({"iss": owner, "sub": issuer, "trust_mark_type": mark_type, "iat": now});
        signed(Some("trust-mark-delegation+jwt"), &claims, &owner_key)
    };
    let cases = [
        ("without", None, Some("delegation")),
        (
            "for-another",
            Some(word("https://x.example.it")),
            Some("delegation"),
        ),
        ("with", Some(word(anchor.entity_id())), None),
    ];
    for (name, delegation, fact) in cases {
        let path = format!("/{name}/");
        let rp = world.stranger(&host, &path);
        let mark = mark(&world, rp.entity_id(), json!({ "delegation": delegation }));
        let rp = rp.with_trust_marks(vec![(mark_type.clone(), mark)]);
        host.publish(&path, &rp.entity_configuration().unwrap());
        let issuer = world.issuer("cie").await;
        let prepared = world.request_of(&rp, &issuer, &LoginOptions::default());
        match fact {
            Some(fact) => world.shown(&prepared, "unauthorized_client", fact).await,
            None => {
                world.accepted(&prepared).await;
            }
        }
    }
}

#[actix_web::test]
async fn with_static_validation_the_status_endpoint_is_not_asked() {
    // SPID/CIE TM-2
    let world = World::builder()
        .issuers(|settings| settings.trust_mark_status = TrustMarkStatus::Static)
        .start();
    let anchor = world.federation.trust_anchor();
    let mark_type = world.federation.relying_party_mark_type();
    anchor.revoke_mark(&mark_type, world.rp().entity_id());
    let issuer = world.issuer("spid").await;
    world
        .accepted(&world.request(&issuer, &LoginOptions::default()))
        .await;
}

#[actix_web::test]
async fn the_older_json_of_a_status_endpoint_counts_and_an_unreachable_one_is_temporary() {
    // SPID/CIE TM-2, FE-6
    let cases = [
        ("{\"active\": true}", 200, None),
        (
            "{\"active\": false}",
            200,
            Some(("unauthorized_client", "it is not active")),
        ),
        (
            "",
            500,
            Some(("temporarily_unavailable", "status endpoint")),
        ),
    ];
    for (body, status, refused) in cases {
        let world = World::start();
        let host = Host::start();
        if status == 200 {
            host.put("/status", "application/json", body);
        } else {
            host.fail("/status", status);
        }
        let endpoint = host.url("/status");
        world.change_anchor(|claims| {
            claims["metadata"]["federation_entity"]["federation_trust_mark_status_endpoint"] =
                json!(endpoint);
        });
        let issuer = world.issuer("cie").await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        match refused {
            Some((error, fact)) => world.shown(&prepared, error, fact).await,
            None => {
                world.accepted(&prepared).await;
            }
        }
        assert_eq!(host.requests(), ["/status"], "SPID/CIE TM-2: asked once");
    }
}
