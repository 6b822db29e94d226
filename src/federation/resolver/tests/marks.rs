use super::*;
use crate::federation::trust_mark::TrustMarkStatus;

const ISSUER: &str = "https://marks.example.it";
const OWNER: &str = "https://owner.example.it";

fn with_marks(world: &World, marks: Value) {
    world.relying_party(&[TA], |claims| {
        claims.insert("trust_marks".into(), marks);
    });
}

fn list_issuer(world: &World, issuers: Value) {
    world.configuration(TA, |claims| {
        claims.insert("trust_mark_issuers".into(), json!({MARK: issuers}));
    });
}

async fn mark_refusal(world: &World) -> TrustError {
    let error = refusal(world).await;
    assert!(matches!(error, TrustError::TrustMark { .. }), "{error:?}");
    error
}

#[tokio::test]
async fn without_a_mark_of_a_required_type_nobody_else_is_asked() {
    // SPID/CIE FE-1
    let world = World::new();
    let other = mark(TA, RP, |claims| {
        claims.insert(
            "trust_mark_type".into(),
            json!("https://other.example.it/mark"),
        );
    });
    for marks in [
        json!([]),
        json!(null),
        json!([other]),
        json!(["text"]),
        json!([{"trust_mark": "x.y"}]),
    ] {
        with_marks(&world, marks);
        world.fetch.forget_calls();
        let error = mark_refusal(&world).await;
        assert_eq!(error.code(), TrustErrorCode::UnauthorizedClient);
        assert_eq!(world.fetch.urls(), [id(RP).configuration_url()]);
    }
}

#[tokio::test]
async fn a_mark_that_does_not_hold_ends_the_resolution() {
    // SPID/CIE FE-1, TM-1
    let forged = {
        let claims = json!({"iss": TA, "sub": RP, "iat": NOW, "trust_mark_type": MARK});
        json!({"trust_mark_type": MARK, "trust_mark": signed("trust-mark+jwt", &claims, &key("forger"))})
    };
    let unsigned = {
        let part = |json: Value| data_encoding::BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let claims = json!({"iss": TA, "sub": RP, "iat": NOW, "trust_mark_type": MARK});
        let jwt = format!("{}.{}.", part(json!({"alg": "none"})), part(claims));
        json!({"trust_mark_type": MARK, "trust_mark": jwt})
    };
    let expired = mark(TA, RP, |claims| {
        claims.insert("exp".into(), json!(NOW - 31));
    });
    let ageless = mark(TA, RP, |claims| {
        claims.remove("iat");
    });
    let mut relabelled = mark(TA, RP, nothing);
    relabelled["trust_mark_type"] = json!("https://another.example.it");
    let two_types = mark(TA, RP, |claims| {
        claims.insert("id".into(), json!("https://another.example.it"));
    });
    for (bad, fact) in [
        (forged, "no key with kid"),
        (unsigned, "algorithm none is not supported"),
        (expired, "claim exp"),
        (ageless, "claim iat is missing"),
        (mark(TA, "https://other.example.it", nothing), "claim sub"),
        (
            mark("https://unlisted.example.it", RP, nothing),
            "does not list its issuer",
        ),
        (relabelled, "the mark itself is of type"),
        (two_types, "differs from"),
    ] {
        let world = World::new();
        with_marks(&world, json!([bad]));
        let error = mark_refusal(&world).await;
        assert!(error.to_string().contains(fact), "{fact}: {error}");
        let allowed = [id(RP).configuration_url(), id(TA).configuration_url()];
        assert!(
            world.fetch.urls().iter().all(|url| allowed.contains(url)),
            "{fact}"
        );
    }
}

#[tokio::test]
async fn a_mark_of_a_listed_issuer_is_verified_with_the_keys_the_anchor_attests() {
    // SPID/CIE FE-1
    let world = World::new();
    with_marks(&world, json!([mark(ISSUER, RP, nothing)]));
    list_issuer(&world, json!([]));
    assert!(
        mark_refusal(&world)
            .await
            .to_string()
            .contains("does not list its issuer")
    );
    list_issuer(&world, json!([ISSUER]));
    let error = mark_refusal(&world).await;
    assert_eq!(error.code(), TrustErrorCode::TemporarilyUnavailable);
    world.statement(TA, ISSUER, nothing);
    let resolved = resolve(&world).await.unwrap();
    assert_eq!(resolved.trust_marks[0].issuer, ISSUER);
    // What the issuer says of itself counts for nothing.
    assert!(!world.fetch.urls().contains(&id(ISSUER).configuration_url()));
    world.statement(TA, ISSUER, |claims| {
        claims.insert("jwks".into(), jwks("another key"));
    });
    mark_refusal(&world).await;
}

#[tokio::test]
async fn an_issuers_keys_are_fetched_once_for_many_relying_parties() {
    // SPID/CIE FE-1
    let world = World::new();
    list_issuer(&world, json!([ISSUER]));
    world.statement(TA, ISSUER, nothing);
    with_marks(&world, json!([mark(ISSUER, RP, nothing)]));
    let resolver = world.resolver();
    for _ in 0..3 {
        assert!(
            resolver
                .resolve(&world.settings, &id(RP), HERE, None)
                .await
                .is_ok()
        );
    }
    let asked = world
        .fetch
        .urls()
        .iter()
        .filter(|url| **url == statement_url(TA, ISSUER))
        .count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn older_names_of_type_and_list_are_understood() {
    // SPID/CIE TM-1
    for name in ["trust_mark_type", "trust_mark_id", "id"] {
        let world = World::new();
        let older = mark(ISSUER, RP, |claims| {
            claims.remove("trust_mark_type");
            claims.insert(name.into(), json!(MARK));
        });
        let jwt = older["trust_mark"].clone();
        with_marks(&world, json!([{name: MARK, "trust_mark": jwt}]));
        world.configuration(TA, |claims| {
            claims.insert("trust_marks_issuers".into(), json!({MARK: [ISSUER]}));
        });
        world.statement(TA, ISSUER, nothing);
        assert!(resolve(&world).await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn one_valid_mark_of_any_required_type_suffices() {
    // SPID/CIE FE-1
    let mut world = World::new();
    world
        .settings
        .required_trust_marks
        .insert(0, "https://ta.example.it/private/".into());
    let bad = mark(TA, "https://other.example.it", nothing);
    with_marks(&world, json!([bad, mark(TA, RP, nothing)]));
    assert_eq!(resolve(&world).await.unwrap().trust_marks.len(), 1);
    world.settings.required_trust_marks.clear();
    with_marks(&world, json!([]));
    assert!(resolve(&world).await.is_ok());
}

/// A delegation of [`OWNER`] to [`ISSUER`] with changed claims; null removes.
fn delegation(signer: &str, typ: Option<&str>, changes: Value) -> String {
    let mut claims =
        json!({"iss": OWNER, "sub": ISSUER, "iat": NOW, "exp": NOW, "trust_mark_type": MARK});
    let members = claims.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    typ.map_or_else(
        || untyped(&claims, &key(signer)),
        |typ| signed(typ, &claims, &key(signer)),
    )
}

#[tokio::test]
async fn a_type_with_an_owner_needs_the_owners_delegation() {
    // SPID/CIE TM-1
    let owner = OWNER;
    let world = World::new();
    world.statement(TA, ISSUER, nothing);
    world.configuration(TA, |claims| {
        claims.insert("trust_mark_issuers".into(), json!({MARK: [ISSUER]}));
        claims.insert(
            "trust_mark_owners".into(),
            json!({MARK: {"sub": owner, "jwks": jwks(owner)}}),
        );
    });
    let typ = Some("trust-mark-delegation+jwt");
    let other = "https://x.example.it/mark";
    for (case, delegation, accepted) in [
        ("none", None, false),
        ("good", Some(delegation(owner, typ, json!({}))), true),
        (
            "without exp",
            Some(delegation(owner, typ, json!({"exp": null}))),
            true,
        ),
        (
            "older name",
            Some(delegation(
                owner,
                typ,
                json!({"trust_mark_type": null, "id": MARK}),
            )),
            true,
        ),
        ("forged", Some(delegation("forger", typ, json!({}))), false),
        (
            "by the issuer itself",
            Some(delegation(ISSUER, typ, json!({"iss": ISSUER}))),
            false,
        ),
        (
            "for another issuer",
            Some(delegation(owner, typ, json!({"sub": other}))),
            false,
        ),
        (
            "for another type",
            Some(delegation(owner, typ, json!({"trust_mark_type": other}))),
            false,
        ),
        (
            "for no type",
            Some(delegation(owner, typ, json!({"trust_mark_type": null}))),
            false,
        ),
        (
            "ended",
            Some(delegation(owner, typ, json!({"exp": NOW - 31}))),
            false,
        ),
        (
            "without iat",
            Some(delegation(owner, typ, json!({"iat": null}))),
            false,
        ),
        (
            "from the future",
            Some(delegation(owner, typ, json!({"iat": NOW + 31}))),
            false,
        ),
        ("untyped", Some(delegation(owner, None, json!({}))), false),
        (
            "of another typ",
            Some(delegation(owner, Some("trust-mark+jwt"), json!({}))),
            false,
        ),
    ] {
        let delegated = mark(ISSUER, RP, |claims| {
            claims.extend(delegation.map(|d| ("delegation".to_owned(), json!(d))));
        });
        with_marks(&world, json!([delegated]));
        let outcome = resolve(&world).await;
        assert_eq!(outcome.is_ok(), accepted, "{case}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_owner_needs_no_delegation_and_an_unreadable_owner_stops_its_type() {
    // SPID/CIE TM-1, OIDC Federation §7.2
    let world = World::new();
    world.statement(TA, ISSUER, nothing);
    let own = |owners: Value| {
        world.configuration(TA, |claims| {
            claims.insert("trust_mark_issuers".into(), json!({MARK: [ISSUER]}));
            claims.insert("trust_mark_owners".into(), owners);
        });
    };
    with_marks(&world, json!([mark(ISSUER, RP, nothing)]));
    own(json!({MARK: {"sub": ISSUER, "jwks": jwks(ISSUER)}}));
    assert!(resolve(&world).await.is_ok());
    for unreadable in [
        json!("text"),
        json!({"sub": ISSUER}),
        json!({"sub": ISSUER, "jwks": 1}),
    ] {
        own(json!({MARK: unreadable}));
        let error = mark_refusal(&world).await.to_string();
        assert!(error.contains("trust_mark_owners"), "{error}");
    }
    // Of a type that has no owner, a delegation is not read; it makes nobody an issuer.
    own(json!({"https://x.example.it/mark": {"sub": ISSUER, "jwks": jwks(ISSUER)}}));
    let delegated = |issuer: &str| {
        mark(issuer, RP, |claims| {
            claims.insert("delegation".into(), json!("not.read.at-all"));
        })
    };
    with_marks(&world, json!([delegated(ISSUER)]));
    assert!(resolve(&world).await.is_ok());
    with_marks(&world, json!([delegated("https://unlisted.example.it")]));
    let error = mark_refusal(&world).await.to_string();
    assert!(error.contains("does not list its issuer"), "{error}");
}

#[tokio::test]
async fn a_new_key_of_a_mark_issuer_is_found_and_foreign_kids_cost_one_fetch_in_a_while() {
    // SPID/CIE FE-1
    let world = World::new();
    list_issuer(&world, json!([ISSUER]));
    world.statement(TA, ISSUER, nothing);
    with_marks(&world, json!([mark(ISSUER, RP, nothing)]));
    let resolver = world.resolver();
    let rp = id(RP);
    let resolve = || resolver.renew(&world.settings, &rp);
    assert!(resolve().await.is_ok());
    let claims = json!({"iss": ISSUER, "sub": RP, "iat": NOW, "trust_mark_type": MARK});
    let rotated = signed("trust-mark+jwt", &claims, &key("rotated"));
    with_marks(
        &world,
        json!([{"trust_mark_type": MARK, "trust_mark": rotated}]),
    );
    world.statement(TA, ISSUER, |claims| {
        claims.insert("jwks".into(), jwks("rotated"));
    });
    let asked = || {
        let urls = world.fetch.urls();
        let of_issuer = urls.iter().filter(|url| **url == statement_url(TA, ISSUER));
        of_issuer.count()
    };
    world.fetch.forget_calls();
    let error = resolve().await.unwrap_err().to_string();
    assert!(error.contains("no key with kid"), "{error}");
    assert_eq!(asked(), 0, "fetched a moment ago");
    world.clock.advance_seconds(30);
    assert!(resolve().await.is_ok());
    let forged = signed("trust-mark+jwt", &claims, &key("forger"));
    with_marks(
        &world,
        json!([{"trust_mark_type": MARK, "trust_mark": forged}]),
    );
    for _ in 0..3 {
        assert!(resolve().await.is_err());
    }
    assert_eq!(asked(), 1);
    let unreachable = Page::Fails(FetchFact::Dns("gone".into()));
    world.fetch.put(&statement_url(TA, ISSUER), unreachable);
    for pause in [29, 1, 0, 29] {
        world.clock.advance_seconds(pause);
        assert!(resolve().await.is_err());
    }
    assert_eq!(asked(), 2, "an anchor out of reach is left in peace too");
}

#[tokio::test]
async fn only_the_word_of_its_issuer_makes_a_mark_inactive() {
    // SPID/CIE TM-2
    let mut world = World::new();
    world.settings.trust_mark_status = TrustMarkStatus::Dynamic;
    let url = format!("{TA}/status");
    let wrapped = mark(TA, RP, nothing);
    with_marks(&world, json!([wrapped]));
    let answer = |claims: Value, signer: &str| {
        signed("trust-mark-status-response+jwt", &claims, &key(signer)).into_bytes()
    };
    let claims = |status: &str, jwt: &Value| json!({"iss": TA, "iat": NOW, "trust_mark": jwt, "status": status});
    let own = &wrapped["trust_mark"];
    let without = |name: &str| {
        let mut claims = claims("revoked", own);
        claims.as_object_mut().unwrap().remove(name);
        answer(claims, TA)
    };
    let mut early = claims("revoked", own);
    early["iat"] = json!(NOW + 31);
    let (active, inactive) = (None, Some(TrustErrorCode::UnauthorizedClient));
    // What is not understood, or not verified, says nothing about the mark: neither that it holds nor that it does not.
    let nothing_said = Some(TrustErrorCode::TemporarilyUnavailable);
    for (case, body, expected) in [
        ("active", answer(claims("active", own), TA), active),
        ("revoked", answer(claims("revoked", own), TA), inactive),
        ("invalid", answer(claims("invalid", own), TA), inactive),
        (
            "forged",
            answer(claims("revoked", own), "forger"),
            nothing_said,
        ),
        (
            "another mark",
            answer(claims("revoked", &json!("another")), TA),
            nothing_said,
        ),
        ("no iat", without("iat"), nothing_said),
        ("no status", without("status"), nothing_said),
        ("early", answer(early, TA), nothing_said),
        (
            "typ",
            signed("trust-mark+jwt", &claims("revoked", own), &key(TA)).into_bytes(),
            nothing_said,
        ),
        ("older", br#"{"active": true}"#.to_vec(), active),
        ("older, not", br#"{"active": false}"#.to_vec(), inactive),
        ("a text", br#"{"active": "false"}"#.to_vec(), nothing_said),
        (
            "an error",
            br#"{"error": "server_error"}"#.to_vec(),
            nothing_said,
        ),
        ("HTML", b"<html>maintenance</html>".to_vec(), nothing_said),
        ("empty", Vec::new(), nothing_said),
        ("no text", b"\xff".to_vec(), nothing_said),
    ] {
        world.fetch.put(&url, Page::Body(body));
        let code = resolve(&world).await.err().map(|error| error.code());
        assert_eq!(code, expected, "{case}");
    }
    for (code, wire) in [
        (500, TrustErrorCode::TemporarilyUnavailable),
        (404, TrustErrorCode::UnauthorizedClient),
    ] {
        world
            .fetch
            .put(&url, Page::Fails(FetchFact::Status { code }));
        assert_eq!(mark_refusal(&world).await.code(), wire, "{code}");
    }
}

#[tokio::test]
async fn the_status_endpoint_is_asked_once_in_a_while_when_configured() {
    // SPID/CIE TM-2
    let mut world = World::new();
    world.settings.trust_mark_status = TrustMarkStatus::Dynamic;
    let url = format!("{TA}/status");
    with_marks(&world, json!([mark(TA, RP, nothing)]));
    world
        .fetch
        .put(&url, Page::Body(br#"{"active": true}"#.to_vec()));
    let resolver = world.resolver();
    world.fetch.forget_calls();
    for seconds in [0, 299, 1] {
        world.clock.advance_seconds(seconds);
        assert!(
            resolver
                .resolve(&world.settings, &id(RP), HERE, None)
                .await
                .is_ok()
        );
    }
    assert_eq!(
        world
            .fetch
            .urls()
            .iter()
            .filter(|asked| **asked == url)
            .count(),
        2
    );
}
