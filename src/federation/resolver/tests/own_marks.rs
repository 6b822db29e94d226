use super::*;

const ISSUER: &str = "https://marks.example.it";

/// The address at which `issuer` is asked for our mark.
fn mark_url(issuer: &str) -> String {
    let mut url = url::Url::parse(&format!("{issuer}/mark")).unwrap();
    url.query_pairs_mut()
        .append_pair("trust_mark_type", MARK)
        .append_pair("sub", OP);
    url.to_string()
}

fn offers_marks(claims: &mut Map<String, Value>, issuer: &str) {
    let endpoint = json!(format!("{issuer}/mark"));
    claims["metadata"]["federation_entity"]["federation_trust_mark_endpoint"] = endpoint;
}

/// The anchor lists the issuer, which issues marks on request.
fn listed() -> World {
    let world = World::new();
    world.configuration(TA, |claims| {
        claims.insert("trust_mark_issuers".into(), json!({MARK: [ISSUER]}));
    });
    world.statement(TA, ISSUER, nothing);
    world.configuration(ISSUER, |claims| offers_marks(claims, ISSUER));
    world
}

fn issue(world: &World, issuer: &str, bend: impl FnOnce(&mut Map<String, Value>)) -> String {
    let wrapped = mark(issuer, OP, bend);
    let jwt = wrapped["trust_mark"].as_str().unwrap().to_owned();
    let body = format!("{jwt}\n").into_bytes();
    world.fetch.put(&mark_url(issuer), Page::Body(body));
    jwt
}

async fn request(world: &World, issuer: Option<&str>) -> Result<ValidMark, String> {
    let resolver = world.resolver();
    resolver
        .request_own_mark(&world.settings, MARK, issuer)
        .await
}

#[tokio::test]
async fn a_listed_issuer_is_asked_at_its_verified_trust_mark_endpoint() {
    // OIDC Federation §8.6
    let world = listed();
    let jwt = issue(&world, ISSUER, nothing);
    for issuer in [None, Some(ISSUER)] {
        world.fetch.forget_calls();
        let got = request(&world, issuer).await.unwrap();
        assert_eq!((got.jwt.as_str(), got.issuer.as_str()), (&*jwt, ISSUER));
        assert_eq!(
            world.fetch.urls(),
            [
                id(TA).configuration_url(),
                statement_url(TA, ISSUER),
                id(ISSUER).configuration_url(),
                mark_url(ISSUER),
            ]
        );
        assert_eq!(world.fetch.lanes(), [Lane::Configured; 4]);
    }
    // The anchor itself issues too, when those that it lists do not.
    world.fetch.put(
        &mark_url(ISSUER),
        Page::Fails(FetchFact::Status { code: 404 }),
    );
    world.configuration(TA, |claims| {
        claims.insert("trust_mark_issuers".into(), json!({MARK: [ISSUER]}));
        offers_marks(claims, TA);
    });
    issue(&world, TA, nothing);
    assert_eq!(request(&world, None).await.unwrap().issuer, TA);
    let error = request(&world, Some(ISSUER)).await.unwrap_err();
    assert!(error.contains("404"), "{error}");
}

#[tokio::test]
async fn a_mark_that_relying_parties_would_refuse_is_refused_by_us() {
    // OIDC Federation §7.3
    type Bend = fn(&mut Map<String, Value>);
    let cases: [(&str, Bend); 5] = [
        ("claim sub", |claims| {
            claims.insert("sub".into(), json!(RP));
        }),
        ("claim exp", |claims| {
            claims.insert("exp".into(), json!(NOW - 31));
        }),
        ("claim iat is missing", |claims| {
            claims.remove("iat");
        }),
        ("is issued by", |claims| {
            claims.insert("iss".into(), json!(TA));
        }),
        ("the mark itself is of type", |claims| {
            claims.insert("trust_mark_type".into(), json!("https://x.example.it/"));
        }),
    ];
    for (fact, bend) in cases {
        let world = listed();
        issue(&world, ISSUER, bend);
        let error = request(&world, Some(ISSUER)).await.unwrap_err();
        assert!(error.contains(fact), "{fact}: {error}");
    }
    let world = listed();
    for body in [b"".to_vec(), b"{}".to_vec(), b"\xff.a.b".to_vec()] {
        world.fetch.put(&mark_url(ISSUER), Page::Body(body));
        assert!(request(&world, Some(ISSUER)).await.is_err());
    }
    let claims = json!({"iss": ISSUER, "sub": OP, "iat": NOW, "trust_mark_type": MARK});
    let forged = signed("trust-mark+jwt", &claims, &key("forger")).into_bytes();
    world.fetch.put(&mark_url(ISSUER), Page::Body(forged));
    let error = request(&world, Some(ISSUER)).await.unwrap_err();
    assert!(error.contains("no key with kid"), "{error}");
}

#[tokio::test]
async fn whom_no_anchor_lists_is_not_asked_and_its_own_word_about_its_endpoint_counts_only_signed()
{
    // SPID/CIE FE-1
    let world = listed();
    world.fetch.forget_calls();
    let error = request(&world, Some("https://unlisted.example.it")).await;
    assert!(error.unwrap_err().contains("does not list"));
    assert_eq!(world.fetch.urls(), [id(TA).configuration_url()]);
    // Its entity configuration is signed with a key that the anchor does not attest.
    let mut claims = World::configuration_claims(ISSUER);
    offers_marks(&mut claims, "https://attacker.example.it");
    let claims = Value::Object(claims);
    let forged = signed("entity-statement+jwt", &claims, &key("forger"));
    world.publish(ISSUER, &forged);
    world.fetch.forget_calls();
    assert!(request(&world, Some(ISSUER)).await.is_err());
    let urls = world.fetch.urls();
    assert!(urls.iter().all(|url| !url.contains("attacker")), "{urls:?}");
    // And without an endpoint the reason says so.
    world.configuration(ISSUER, nothing);
    let error = request(&world, Some(ISSUER)).await.unwrap_err();
    assert!(
        error.contains("has no federation_trust_mark_endpoint"),
        "{error}"
    );
}

#[tokio::test]
async fn a_mark_of_ours_is_judged_as_a_relying_party_would_with_its_status() {
    // SPID/CIE TM-2
    let world = listed();
    let jwt = issue(&world, ISSUER, nothing);
    let check = |jwt: String| {
        let (resolver, settings) = (world.resolver(), &world.settings);
        async move { resolver.check_own_mark(settings, &jwt).await }
    };
    let url = format!("{ISSUER}/status");
    let fault = check(jwt.clone()).await.unwrap_err();
    assert!(!fault.temporary, "404: {fault}");
    world
        .fetch
        .put(&url, Page::Fails(FetchFact::Status { code: 503 }));
    let fault = check(jwt.clone()).await.unwrap_err();
    assert!(fault.temporary, "{fault}");
    world.fetch.put(&url, Page::Body(b"<html>".to_vec()));
    let fault = check(jwt.clone()).await.unwrap_err();
    assert!(
        fault.temporary,
        "a maintenance page revokes nothing: {fault}"
    );
    for (status, holds) in [("active", true), ("expired", false), ("revoked", false)] {
        let claims = json!({"iss": ISSUER, "iat": NOW, "trust_mark": jwt, "status": status});
        let answer = signed("trust-mark-status-response+jwt", &claims, &key(ISSUER));
        world.fetch.put(&url, Page::Body(answer.into_bytes()));
        let outcome = check(jwt.clone()).await;
        assert_eq!(outcome.is_ok(), holds, "{status}");
    }
}
