//! When a request object counts, and that it counts once (SPID/CIE AZ-5).

use crate::harness::{Browser, Issuer, World, assert_told};
use data_encoding::BASE64URL_NOPAD;
use openssl::bn::BigNum;
use openssl::ec::EcGroup;
use openssl::nid::Nid;
use serde_json::json;
use varco::demo::relying_party::unverified_claims;
use varco::demo::{LoginOptions, PreparedRequest};

const REPLAYED: &str = "request object: it was used before";

/// A request object that outlives every interaction.
fn long_lived() -> LoginOptions {
    LoginOptions {
        lifetime_seconds: 48 * 3600,
        ..LoginOptions::default()
    }
}

async fn is_a_replay(browser: &mut Browser, prepared: &PreparedRequest) {
    let before = browser.cookies.clone();
    let answer = browser.get(&prepared.url).await;
    assert_told(&answer, prepared, "invalid_request_object", REPLAYED);
    assert_eq!(browser.cookies, before, "a replay starts nothing");
}

/// SPID/CIE AZ-5: times, with the leeway of 30 s.
#[actix_web::test]
async fn expired_and_future_request_objects_are_refused_to_the_second() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let now = world.now();
        let dated = |name: &str, time: i64| {
            let options = LoginOptions::default().with_claim(name, time);
            world.request(&issuer, &options)
        };
        world.accepted(&dated("exp", now - 29)).await;
        let error = "invalid_request_object";
        for time in [now - 30, now - 31, now - 86_400, 0, -1, i64::MIN] {
            let prepared = dated("exp", time);
            let fact = format!("claim exp {time} has passed");
            world.told(&prepared, error, &fact).await;
        }
        world.accepted(&dated("iat", now + 30)).await;
        for time in [now + 31, now + 86_400, i64::MAX] {
            let prepared = dated("iat", time);
            let fact = format!("claim iat {time} is in the future");
            world.told(&prepared, error, &fact).await;
        }
        // Far beyond every calendar: harmless, and never a 5xx.
        world.accepted(&dated("exp", i64::MAX)).await;
        for exp in [json!(u64::MAX), json!(1e300)] {
            let options = LoginOptions::default().with_claim("exp", exp);
            world.accepted(&world.request(&issuer, &options)).await;
        }
        world.accepted(&dated("iat", i64::MIN)).await;
        let prepared = dated("nbf", now + 3600);
        world.told(&prepared, error, "claim nbf").await;
        // The request was right when it was made; the user came back to it too late.
        let stale = world.request(&issuer, &LoginOptions::default());
        world.clock.advance_seconds(330);
        world.told(&stale, error, "claim exp").await;
    }
}

/// SPID/CIE FE-12, AZ-5: one kit writes local time as UTC, two hours ahead.
#[actix_web::test]
async fn the_leeway_of_an_rp_with_a_wrong_clock_is_configurable() {
    let world = World::builder()
        .issuers(|issuer| issuer.rp_tolerance.clock_leeway_seconds = 7_200)
        .start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let ahead = |seconds: i64| {
            let options = LoginOptions::default()
                .with_claim("iat", world.now() + seconds)
                .with_claim("exp", world.now() + seconds + 300);
            world.request(&issuer, &options)
        };
        world.accepted(&ahead(7_200)).await;
        world
            .told(&ahead(7_201), "invalid_request_object", "claim iat")
            .await;
    }
}

/// SPID/CIE AZ-5, AZ-4: for whom and by whom.
#[actix_web::test]
async fn a_request_object_for_another_provider_or_of_another_issuer_is_refused() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let error = "invalid_request_object";
        let own = issuer.metadata.issuer.clone();
        for audience in [
            "https://other.example.it".to_owned(),
            own.trim_end_matches('/').to_owned(),
            own.to_uppercase(),
            format!("{own}authorization"),
            format!("{own} "),
            world.url("/oidc/"),
        ] {
            let options = LoginOptions::default().with_claim("aud", audience.as_str());
            let prepared = world.request(&issuer, &options);
            world.told(&prepared, error, "claim aud is").await;
        }
        // The request for the other federation, sent here.
        let other = world
            .issuer(if profile == "spid" { "cie" } else { "spid" })
            .await;
        let meant_for_other = world.request(&other, &LoginOptions::default());
        let options =
            LoginOptions::default().with_parameter("request", &meant_for_other.request_object);
        let prepared = PreparedRequest {
            request_object: meant_for_other.request_object.clone(),
            ..world.request(&issuer, &options)
        };
        world.told(&prepared, error, "claim aud is").await;

        let aggregated = world.federation.aggregated_relying_party().entity_id();
        for iss in [aggregated, "https://attacker.example/", "x"] {
            let options = LoginOptions::default().with_claim("iss", iss);
            let prepared = world.request(&issuer, &options);
            world.told(&prepared, error, "claim iss is").await;
        }
        // The other way round, the named RP's keys do not verify it: nobody is told.
        let options = LoginOptions::default().with_claim("client_id", aggregated);
        let prepared = world.request(&issuer, &options);
        world.shown(&prepared, error, "no key with kid").await;
    }
}

async fn interaction_of(browser: &mut Browser, prepared: &PreparedRequest) -> String {
    let answer = browser.get(&prepared.url).await;
    answer
        .redirected("interaction")
        .unwrap_or_else(|| panic!("{:?} {}", answer.location(), answer.body))
}

/// SPID/CIE AZ-5: the story of one request object, with `jti` and without.
#[actix_web::test]
async fn a_request_object_starts_one_interaction_of_one_browser_and_ends_with_it() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for options in [long_lived(), long_lived().without_claim("jti")] {
            let prepared = world.request(&issuer, &options);
            let mut browser = world.browser();
            let first = interaction_of(&mut browser, &prepared).await;
            let cookies = browser.cookies.clone();
            // Reload, or the bookmark of the RP's redirect: the same login goes on.
            assert_eq!(interaction_of(&mut browser, &prepared).await, first);
            assert_eq!(browser.cookies, cookies);
            let answer = browser.post(&prepared.endpoint, &prepared.fields).await;
            assert_eq!(answer.redirected("interaction").unwrap(), first);
            is_a_replay(&mut world.browser(), &prepared).await;

            // Once somebody is logged in as well.
            let page = world.authorize(&mut browser, &prepared).await;
            let consent = world
                .type_password(&mut browser, &page, crate::harness::ADA)
                .await;
            let again = world.authorize(&mut browser, &prepared).await;
            assert!(again.body.contains("name=\"decision\""), "{}", again.body);
            is_a_replay(&mut world.browser(), &prepared).await;

            let answer = world.allow(&mut browser, &consent).await;
            assert!(answer.redirected("code").is_some());
            is_a_replay(&mut browser, &prepared).await;
            is_a_replay(&mut world.browser(), &prepared).await;
            let answer = world
                .browser()
                .post(&prepared.endpoint, &prepared.fields)
                .await;
            assert_told(&answer, &prepared, "invalid_request_object", REPLAYED);
            // A day later, while `exp` still lies ahead.
            world.clock.advance_seconds(86_400);
            is_a_replay(&mut world.browser(), &prepared).await;
        }
    }
}

/// SPID/CIE AZ-5: after a refusal by the user, and after the interaction has ended by itself.
#[actix_web::test]
async fn a_request_object_of_a_denied_or_forgotten_login_is_a_replay() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let denied = world.request(&issuer, &long_lived());
        let (mut browser, page) = world.accepted(&denied).await;
        let form = page.form("/login").with("cancel", "1");
        let answer = browser.submit(&page, &form).await;
        assert_eq!(answer.redirected("error").unwrap(), "access_denied");
        is_a_replay(&mut browser, &denied).await;

        let forgotten = world.request(&issuer, &long_lived());
        let (mut browser, _) = world.accepted(&forgotten).await;
        world.clock.advance_seconds(1_801);
        is_a_replay(&mut browser, &forgotten).await;
    }
}

/// SPID/CIE AZ-5: `jti` is the RP's own; it is remembered per RP and per issuer, and a new object with an old one is
/// a replay.
#[actix_web::test]
async fn a_jti_counts_once_for_its_rp_and_issuer_only() {
    let world = World::start();
    let options = long_lived().with_claim("jti", "one and the same");
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        world.accepted(&world.request(&issuer, &options)).await;
        let aggregated = world.federation.aggregated_relying_party();
        let other = world.request_of(aggregated, &issuer, &options);
        world.accepted(&other).await;
        let second = world.request(&issuer, &options);
        is_a_replay(&mut world.browser(), &second).await;
    }
}

/// The other signature of the same content that ECDSA lets anybody compute: (r, n − s).
fn with_the_other_signature(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let (r, s) = signature.split_at(32);
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let mut context = openssl::bn::BigNumContext::new().unwrap();
    let mut order = BigNum::new().unwrap();
    group.order(&mut order, &mut context).unwrap();
    let mut other = BigNum::new().unwrap();
    other
        .checked_sub(&order, &BigNum::from_slice(s).unwrap())
        .unwrap();
    let mut twin = r.to_vec();
    twin.extend(other.to_vec_padded(32).unwrap());
    format!("{input}.{}", BASE64URL_NOPAD.encode(&twin))
}

/// SPID/CIE AZ-5: an object without `jti` is known by its content, not by bytes that a thief can change.
#[actix_web::test]
async fn another_signature_of_the_same_content_is_the_same_request_object() {
    let world = World::start();
    let rp = world.federation.aggregated_relying_party();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request_of(rp, &issuer, &long_lived().without_claim("jti"));
        world.accepted(&prepared).await;
        let twin = with_the_other_signature(&prepared.request_object);
        assert_ne!(twin, prepared.request_object);
        assert_eq!(
            unverified_claims(&twin),
            unverified_claims(&prepared.request_object)
        );
        let fields: Vec<(String, String)> = prepared
            .fields
            .iter()
            .map(|(name, value)| {
                let value = if name == "request" { &twin } else { value };
                (name.clone(), value.clone())
            })
            .collect();
        let mut url = url::Url::parse(&prepared.endpoint).unwrap();
        url.query_pairs_mut().extend_pairs(&fields);
        let answer = world.browser().get(url.as_str()).await;
        assert_told(&answer, &prepared, "invalid_request_object", REPLAYED);
    }
}

async fn started(world: &World, issuer: &Issuer, prepared: &PreparedRequest) -> bool {
    let answer = world.browser().get(&prepared.url).await;
    assert_eq!(answer.status, 303, "{} {}", issuer.profile, answer.body);
    answer.redirected("interaction").is_some()
}

/// SPID/CIE AZ-5: many browsers at once, one wins.
#[actix_web::test]
async fn of_many_browsers_with_one_request_object_exactly_one_starts() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &long_lived());
        let attempts = (0..8).map(|_| started(&world, &issuer, &prepared));
        let outcomes = futures_util::future::join_all(attempts).await;
        assert_eq!(outcomes.iter().filter(|won| **won).count(), 1);
    }
}
