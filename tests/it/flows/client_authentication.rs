//! `private_key_jwt` at every endpoint that RPs call (SPID/CIE TK-1).

use crate::harness::{ASSERTION_TYPE, Issuer, World, replaced, with_assertion};
use serde_json::{Value, json};
use varco::demo::{LoginOptions, RelyingParty};
use varco::model::RpToleranceOverride;

const PROFILES: [&str; 2] = ["spid", "cie"];

/// Endpoints with the parameters of a request that changes nothing.
fn endpoints(issuer: &Issuer) -> [(&str, Vec<(&'static str, &'static str)>); 3] {
    let metadata = &issuer.metadata;
    [
        (
            &metadata.token_endpoint,
            vec![
                ("grant_type", "authorization_code"),
                ("code", "unknown"),
                (
                    "code_verifier",
                    "0123456789012345678901234567890123456789012",
                ),
            ],
        ),
        (&metadata.introspection_endpoint, vec![("token", "unknown")]),
        (&metadata.revocation_endpoint, vec![("token", "unknown")]),
    ]
}

/// Sends the assertion everywhere with `jti` made new; whether it was accepted, or the description of the refusal.
async fn judge(
    world: &World,
    issuer: &Issuer,
    rp: &RelyingParty,
    claims: &Value,
) -> Vec<Result<(), String>> {
    let mut judgements = Vec::new();
    for (url, fields) in endpoints(issuer) {
        let mut claims = claims.clone();
        if claims.get("jti").is_some_and(Value::is_string) {
            claims["jti"] = json!(varco::random::uuid4());
        }
        let assertion = rp.sign_protocol_token(&claims).unwrap();
        let answer = world
            .post(url, &with_assertion(rp, &assertion, &fields))
            .await;
        judgements.push(match answer.status {
            401 => {
                answer.is_refused(401, "invalid_client", "client_assertion");
                Err(answer.description())
            }
            _ => Ok(()),
        });
    }
    judgements
}

async fn known_world() -> World {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for rp in [world.rp(), world.federation.aggregated_relying_party()] {
            world.login(rp, &issuer, &LoginOptions::default()).await;
        }
    }
    world
}

/// SPID/CIE TK-1: string or array; the called endpoint, the token endpoint or the issuer.
#[actix_web::test]
async fn an_assertion_is_for_the_endpoint_the_token_endpoint_or_the_issuer() {
    let world = known_world().await;
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let metadata = &issuer.metadata;
        let endpoints = [
            &metadata.token_endpoint,
            &metadata.introspection_endpoint,
            &metadata.revocation_endpoint,
        ];
        for audience in [
            json!(metadata.token_endpoint),
            json!([metadata.token_endpoint]),
            json!(metadata.issuer),
            json!(["https://elsewhere.example/", metadata.issuer]),
        ] {
            let mut claims = world.assertion_claims(world.rp(), "");
            claims["aud"] = audience.clone();
            for judgement in judge(&world, &issuer, world.rp(), &claims).await {
                assert_eq!(judgement, Ok(()), "SPID/CIE TK-1: aud {audience}");
            }
        }
        // An endpoint's own address counts there only.
        for (index, endpoint) in endpoints.iter().enumerate().skip(1) {
            let claims = world.assertion_claims(world.rp(), endpoint);
            let judgements = judge(&world, &issuer, world.rp(), &claims).await;
            for (place, judgement) in judgements.into_iter().enumerate() {
                assert_eq!(
                    judgement.is_ok(),
                    place == index,
                    "SPID/CIE TK-1: {endpoint}"
                );
            }
        }
        let other = if profile == "spid" { "cie" } else { "spid" };
        for audience in [
            json!("https://elsewhere.example/token"),
            json!([]),
            json!(format!("{}/{other}/token", world.base)),
            json!(format!("{}/{other}/", world.base)),
            json!(format!("{}more", metadata.token_endpoint)),
            json!(metadata.userinfo_endpoint),
            json!(7),
            json!([7]),
            json!({"https://elsewhere.example/": 1}),
        ] {
            let mut claims = world.assertion_claims(world.rp(), "");
            claims["aud"] = audience.clone();
            for judgement in judge(&world, &issuer, world.rp(), &claims).await {
                let description = judgement.unwrap_err();
                assert!(description.contains("aud"), "{audience}: {description}");
            }
        }
    }
}

/// SPID/CIE TK-1: every claim is mandatory and has its type; the refusal names it.
#[actix_web::test]
async fn an_assertion_without_one_of_its_claims_is_refused_by_name() {
    let world = known_world().await;
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let right = world.assertion_claims(world.rp(), &issuer.metadata.issuer);
        for name in ["iss", "sub", "aud", "iat", "exp", "jti"] {
            for wrong in [
                None,
                Some(Value::Null),
                Some(json!("")),
                Some(json!(true)),
                Some(json!({})),
            ] {
                let mut claims = right.clone();
                match &wrong {
                    None => drop(claims.as_object_mut().unwrap().remove(name)),
                    Some(value) => claims[name] = value.clone(),
                }
                if name != "jti" {
                    claims["jti"] = json!(varco::random::uuid4());
                }
                let assertion = world.rp().sign_protocol_token(&claims).unwrap();
                for (url, fields) in endpoints(&issuer) {
                    world
                        .post(url, &with_assertion(world.rp(), &assertion, &fields))
                        .await
                        .is_refused(401, "invalid_client", &format!("client_assertion: {name}"));
                }
            }
        }
    }
}

/// SPID/CIE TK-1: `iss == sub == client_id`.
#[actix_web::test]
async fn an_assertion_speaks_for_its_own_rp_only() {
    let world = known_world().await;
    let other = world.federation.aggregated_relying_party();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let right = world.assertion_claims(world.rp(), &issuer.metadata.issuer);
        for (iss, sub) in [
            (other.entity_id(), world.rp().entity_id()),
            (world.rp().entity_id(), other.entity_id()),
            (other.entity_id(), other.entity_id()),
        ] {
            let mut claims = right.clone();
            claims["iss"] = json!(iss);
            claims["sub"] = json!(sub);
            for judgement in judge(&world, &issuer, world.rp(), &claims).await {
                let description = judgement.unwrap_err();
                assert!(
                    description.contains("iss, sub and the parameter client_id"),
                    "SPID/CIE TK-1: {description}"
                );
            }
        }
        // Signed by another RP's key: with that key's kid, with the victim's, without any.
        let claims = world.assertion_claims(world.rp(), &issuer.metadata.issuer);
        let foreign = other.sign_protocol_token(&claims).unwrap();
        let (url, fields) = &endpoints(&issuer)[0];
        world
            .post(url, &with_assertion(world.rp(), &foreign, fields))
            .await
            .is_refused(401, "invalid_client", "client_assertion: no key with kid");
        // A stranger is refused, and nobody asks its host.
        let stranger = world
            .federation
            .further_relying_party("rp-stranger", world.rp().keys().clone())
            .unwrap();
        let stranger = world.federation.admit("rp-stranger", stranger);
        let claims = world.assertion_claims(&stranger, &issuer.metadata.issuer);
        let assertion = stranger.sign_protocol_token(&claims).unwrap();
        world
            .post(url, &with_assertion(&stranger, &assertion, fields))
            .await
            .is_refused(401, "invalid_client", "client_id");
    }
}

/// SPID/CIE TK-1, FE-12: 30 seconds of leeway either way.
#[actix_web::test]
async fn an_assertion_counts_from_iat_to_exp_with_the_leeway() {
    let world = known_world().await;
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let right = world.assertion_claims(world.rp(), &issuer.metadata.issuer);
        let now = right["iat"].as_i64().unwrap();
        for (iat, exp, refused) in [
            (now - 100, now - 29, None),
            (now - 100, now - 31, Some("exp")),
            (now + 30, now + 90, None),
            (now + 31, now + 90, Some("iat")),
            (now, now + 86_400, None),
            (now, now + 86_401, Some("exp")),
            (now, i64::MAX, Some("exp")),
            (i64::MAX, i64::MAX, Some("iat")),
            (now, i64::MIN, Some("exp")),
        ] {
            let mut claims = right.clone();
            claims["iat"] = json!(iat);
            claims["exp"] = json!(exp);
            for judgement in judge(&world, &issuer, world.rp(), &claims).await {
                match (refused, judgement) {
                    (None, judgement) => assert_eq!(judgement, Ok(()), "{iat} {exp}"),
                    (Some(name), Err(says)) => assert!(
                        says.contains(name) || says.contains("iat"),
                        "SPID/CIE TK-1: {says}"
                    ),
                    (Some(_), Ok(())) => panic!("SPID/CIE TK-1: accepted {iat} {exp}"),
                }
            }
        }
        let mut claims = right.clone();
        claims["nbf"] = json!(now + 31);
        for judgement in judge(&world, &issuer, world.rp(), &claims).await {
            assert!(judgement.unwrap_err().contains("nbf"));
        }
    }
}

/// SPID/CIE FE-12: one kit writes local time as UTC.
#[actix_web::test]
async fn a_clock_two_hours_ahead_is_tolerated_of_the_rp_that_has_it() {
    let world = World::builder()
        .issuers(|settings| {
            let host = settings
                .id
                .splitn(4, '/')
                .take(3)
                .collect::<Vec<_>>()
                .join("/");
            settings.rp_tolerances.insert(
                format!("{host}/rp-aggregated/"),
                RpToleranceOverride {
                    clock_leeway_seconds: Some(7200),
                    ..RpToleranceOverride::default()
                },
            );
        })
        .start();
    let ahead = world.federation.aggregated_relying_party();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for (rp, tolerated) in [(ahead, true), (world.rp(), false)] {
            world.login(rp, &issuer, &LoginOptions::default()).await;
            let mut claims = world.assertion_claims(rp, &issuer.metadata.issuer);
            for name in ["iat", "exp"] {
                claims[name] = json!(claims[name].as_i64().unwrap() + 7200);
            }
            for judgement in judge(&world, &issuer, rp, &claims).await {
                assert_eq!(
                    judgement.is_ok(),
                    tolerated,
                    "SPID/CIE FE-12: {judgement:?}"
                );
            }
        }
    }
}

/// SPID/CIE TK-1: a `jti` counts once, at whichever endpoint, whatever came of the first use.
#[actix_web::test]
async fn an_assertion_is_used_once() {
    let world = known_world().await;
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let all = endpoints(&issuer);
        for (first, first_fields) in &all {
            let claims = world.assertion_claims(world.rp(), &issuer.metadata.issuer);
            let assertion = world.rp().sign_protocol_token(&claims).unwrap();
            let answer = world
                .post(first, &with_assertion(world.rp(), &assertion, first_fields))
                .await;
            assert_ne!(answer.status, 401, "{}", answer.body);
            for (second, fields) in &all {
                world
                    .post(second, &with_assertion(world.rp(), &assertion, fields))
                    .await
                    .is_refused(401, "invalid_client", "jti was used before");
            }
            // The identifier counts, not the token.
            let mut again = claims.clone();
            again["exp"] = json!(claims["exp"].as_i64().unwrap() + 1);
            let assertion = world.rp().sign_protocol_token(&again).unwrap();
            world
                .post(first, &with_assertion(world.rp(), &assertion, first_fields))
                .await
                .is_refused(401, "invalid_client", "jti was used before");
            // It is the RP's own: another may use the same.
            let other = world.federation.aggregated_relying_party();
            let mut theirs = claims.clone();
            theirs["iss"] = json!(other.entity_id());
            theirs["sub"] = json!(other.entity_id());
            let assertion = other.sign_protocol_token(&theirs).unwrap();
            let answer = world
                .post(first, &with_assertion(other, &assertion, first_fields))
                .await;
            assert_ne!(answer.status, 401, "{}", answer.body);
        }
    }
}

/// SPID/CIE TK-1: of many presentations at the same time one counts.
#[actix_web::test]
async fn an_assertion_is_used_once_under_contention() {
    let world = known_world().await;
    let issuer = world.issuer("spid").await;
    let (url, fields) = &endpoints(&issuer)[1];
    let claims = world.assertion_claims(world.rp(), url);
    let assertion = world.rp().sign_protocol_token(&claims).unwrap();
    let form = with_assertion(world.rp(), &assertion, fields);
    let answers = futures_util::future::join_all((0..20).map(|_| world.post(url, &form))).await;
    let accepted = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(accepted, 1, "SPID/CIE TK-1");
}

/// SPID/CIE TK-1: RFC 7523's type, and the official text's misspelling.
#[actix_web::test]
async fn the_assertion_type_is_that_of_rfc_7523_or_its_misspelling() {
    let world = known_world().await;
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for (url, fields) in endpoints(&issuer) {
            let form = || world.rp().authenticated_form(url, &fields).unwrap();
            let misspelt = "urn:ietf:params:oauth:clientassertion-type:jwt-bearer";
            for accepted in [ASSERTION_TYPE, misspelt] {
                let fields = replaced(form(), "client_assertion_type", accepted);
                let answer = world.post(url, &fields).await;
                assert_ne!(
                    answer.status, 401,
                    "SPID/CIE TK-1: {accepted}: {}",
                    answer.body
                );
            }
            for wrong in [
                "",
                "jwt-bearer",
                "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
            ] {
                let fields = replaced(form(), "client_assertion_type", wrong);
                world.post(url, &fields).await.is_refused(
                    401,
                    "invalid_client",
                    "client_assertion_type",
                );
            }
        }
    }
}

/// SPID/CIE TK-1: `private_key_jwt` only.
#[actix_web::test]
async fn no_other_method_authenticates_an_rp_of_the_federations() {
    let world = known_world().await;
    let basic = format!("Basic {}", data_encoding::BASE64.encode(b"client:secret"));
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("authorization", basic.as_str()),
    ];
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        for (url, fields) in endpoints(&issuer) {
            let encode = |extra: &[(String, String)]| {
                url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(&fields)
                    .extend_pairs(extra)
                    .finish()
            };
            let id = ("client_id".to_owned(), world.rp().entity_id().to_owned());
            let secret = ("client_secret".to_owned(), "secret".to_owned());
            for (headers, extra) in [
                (&form[..1], vec![]),
                (&form[..1], vec![id.clone()]),
                (&form[..1], vec![id.clone(), secret.clone()]),
                (&form[..], vec![id.clone()]),
            ] {
                world
                    .send("POST", url, headers, encode(&extra))
                    .await
                    .is_refused(401, "invalid_client", "private_key_jwt");
            }
            // RFC 6749 §2.3: not two at once.
            let assertion = world.rp().authenticated_form(url, &[]).unwrap();
            let mut both = assertion.clone();
            both.push(secret);
            world
                .send("POST", url, &form[..1], encode(&both))
                .await
                .is_refused(400, "invalid_request", "more than one");
            world
                .send("POST", url, &form, encode(&assertion))
                .await
                .is_refused(400, "invalid_request", "more than one");
        }
    }
}

/// An RP that the operator switched off cannot authenticate, and gets no tokens for a code; it keeps the code.
#[actix_web::test]
async fn an_rp_that_is_switched_off_is_refused_everywhere() {
    let world = World::start();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let (prepared, code) = world
            .code(world.rp(), &issuer, &LoginOptions::default())
            .await;
        world.switch_rp(profile, world.rp(), false);
        let node = world.another_node();
        let form = world
            .rp()
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        world
            .post(&node.url(&issuer.metadata.token_endpoint), &form)
            .await
            .is_refused(401, "invalid_client", "disabled by the operator");
        for (url, fields) in endpoints(&issuer) {
            let form = world.rp().authenticated_form(url, &fields).unwrap();
            world.post(&node.url(url), &form).await.is_refused(
                401,
                "invalid_client",
                "disabled by the operator",
            );
        }
        world.switch_rp(profile, world.rp(), true);
        world.redeem(world.rp(), &issuer, prepared, &code).await;
    }
}

/// SPID/CIE TK-1, AZ-4: a request object may carry `sub` and `jti`, and lies in every browser's address bar.
#[actix_web::test]
async fn a_request_object_is_no_credential() {
    let world = World::start();
    let rp = world.rp();
    for profile in PROFILES {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default()
            .with_claim("sub", rp.entity_id())
            .with_claim("jti", varco::random::uuid4());
        let (prepared, code) = world.code(rp, &issuer, &options).await;
        let good = rp
            .token_request(&issuer.metadata, &prepared, &code)
            .unwrap();
        let stolen = replaced(good.clone(), "client_assertion", &prepared.request_object);
        let url = &issuer.metadata.token_endpoint;
        let answer = world.post(url, &stolen).await;
        answer.is_refused(401, "invalid_client", "response_type");
        let answer = world.post(url, &good).await;
        assert_eq!(answer.status, 200, "the code is not spent: {}", answer.body);
    }
}
