//! The registered claims and the header `typ`.

use super::*;

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = good_claims();
    change(&mut claims);
    claims
}

fn without(name: &str) -> Value {
    with(|claims| {
        claims.as_object_mut().unwrap().remove(name);
    })
}

fn outcome(claims: &Value, expected: &Expectations<'_>) -> Result<Verified<Value>, JoseError> {
    verify_token(
        &sign_claims(claims, &KEYS.p256),
        &public_set(&[&KEYS.p256]),
        expected,
    )
}

fn refusal(claims: &Value) -> JoseError {
    outcome(claims, &expectations()).unwrap_err()
}

#[test]
fn missing_claims_are_named() {
    for name in ["iss", "sub", "aud", "iat", "exp"] {
        assert_eq!(
            refusal(&without(name)).to_string(),
            format!("claim {name} is missing")
        );
    }
    assert_eq!(
        expectations().describe(&JoseError::MissingClaim("exp")),
        "client_assertion: claim exp is missing"
    );
}

#[test]
fn other_parties_are_refused() {
    assert_eq!(
        refusal(&with(|claims| claims["iss"] = json!("https://evil.example"))).to_string(),
        "claim iss is https://evil.example, expected https://rp.example"
    );
    assert!(matches!(
        refusal(&with(|claims| claims["sub"] = json!("x"))),
        JoseError::WrongSubject { .. }
    ));
    for iss in [json!(null), json!(1), json!(["https://rp.example"])] {
        assert!(matches!(
            refusal(&with(|claims| claims["iss"] = iss)),
            JoseError::MalformedClaim { name: "iss", .. }
        ));
    }
}

#[test]
fn the_audience_is_a_string_or_a_list_that_contains_one_of_ours() {
    for aud in [
        json!("https://op.example/token"),
        json!(["x", "https://op.example/token"]),
    ] {
        assert!(outcome(&with(|claims| claims["aud"] = aud), &expectations()).is_ok());
    }
    for aud in [
        json!("https://op.example"),
        json!([]),
        json!(["https://op.example/token/"]),
    ] {
        assert!(matches!(
            refusal(&with(|claims| claims["aud"] = aud)),
            JoseError::WrongAudience { .. }
        ));
    }
    for aud in [
        json!(1),
        json!({"a": 1}),
        json!(["https://op.example/token", 1]),
    ] {
        assert!(matches!(
            refusal(&with(|claims| claims["aud"] = aud)),
            JoseError::MalformedClaim { name: "aud", .. }
        ));
    }
}

#[test]
fn expiry_counts_from_its_second_on_with_leeway() {
    let at = |seconds: i64| with(|claims| claims["exp"] = json!(NOW.0 + seconds));
    assert!(outcome(&at(-4), &expectations()).is_ok());
    assert_eq!(
        refusal(&at(-5)),
        JoseError::Expired {
            at: NOW.plus_seconds(-5),
            now: NOW
        }
    );
    assert_eq!(
        refusal(&at(291)),
        JoseError::LifetimeTooLong {
            limit: 300,
            seconds: 301
        }
    );
}

#[test]
fn times_in_the_future_are_refused_beyond_the_leeway() {
    assert!(
        outcome(
            &with(|claims| claims["iat"] = json!(NOW.0 + 5)),
            &expectations()
        )
        .is_ok()
    );
    assert!(matches!(
        refusal(&with(|claims| claims["iat"] = json!(NOW.0 + 6))),
        JoseError::IssuedInFuture { .. }
    ));
    assert!(
        outcome(
            &with(|claims| claims["nbf"] = json!(NOW.0 + 5)),
            &expectations()
        )
        .is_ok()
    );
    assert!(matches!(
        refusal(&with(|claims| claims["nbf"] = json!(NOW.0 + 6))),
        JoseError::NotYetValid { .. }
    ));
}

#[test]
fn extreme_times_neither_panic_nor_pass() {
    let extremes = [
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(-1e300),
        json!(9.3e18),
        json!(-0.0),
    ];
    for value in &extremes {
        for name in ["exp", "iat", "nbf"] {
            for max_lifetime_seconds in [Some(300), Some(i64::MAX), None] {
                for leeway_seconds in [0, i64::MAX] {
                    let expected = Expectations {
                        max_lifetime_seconds,
                        leeway_seconds,
                        ..expectations()
                    };
                    let _ = outcome(&with(|claims| claims[name] = value.clone()), &expected);
                }
            }
        }
        assert!(
            outcome(
                &with(|claims| claims["exp"] = value.clone()),
                &expectations()
            )
            .is_err(),
            "{value}"
        );
    }
}

#[test]
fn fractional_times_are_rounded_down_and_text_is_refused() {
    let verified = outcome(
        &with(|claims| {
            claims["iat"] = json!(1_788_999_990.9);
            claims["exp"] = json!(1_789_000_060.9);
        }),
        &expectations(),
    )
    .unwrap();
    assert_eq!(verified.issued_at(), Some(UtcTime(1_788_999_990)));
    assert_eq!(verified.expires_at(), Some(UtcTime(1_789_000_060)));
    for value in [json!("1789000060"), json!(null), json!(true), json!([1])] {
        assert_eq!(
            refusal(&with(|claims| claims["exp"] = value)).to_string(),
            "claim exp is not a number of seconds"
        );
    }
}

#[test]
fn the_rules_for_missing_times_are_kept() {
    let expected = Expectations {
        expiry: ExpiryRule::OrIssuedPlus(30),
        ..expectations()
    };
    let verified = outcome(&without("exp"), &expected).unwrap();
    assert_eq!(verified.expires_at(), Some(NOW.plus_seconds(20)));
    let late = Expectations {
        now: NOW.plus_seconds(25),
        ..expected
    };
    assert!(matches!(
        outcome(&without("exp"), &late),
        Err(JoseError::Expired { .. })
    ));
    let neither = with(|claims| {
        let claims = claims.as_object_mut().unwrap();
        claims.remove("exp");
        claims.remove("iat");
    });
    let optional = Expectations {
        issued_at: IssuedAtRule::Optional,
        ..expected
    };
    assert_eq!(
        outcome(&neither, &optional).unwrap_err(),
        JoseError::MissingClaim("exp")
    );
    let endless = Expectations {
        expiry: ExpiryRule::Optional,
        max_lifetime_seconds: None,
        ..optional
    };
    assert_eq!(outcome(&neither, &endless).unwrap().expires_at(), None);
    let bounded = Expectations {
        max_lifetime_seconds: Some(1),
        ..endless
    };
    assert_eq!(
        outcome(&neither, &bounded).unwrap_err(),
        JoseError::MissingClaim("exp")
    );
}

#[test]
fn typ_is_compared_without_case_and_application_prefix() {
    let keys = public_set(&[&KEYS.p256]);
    let token = |typ: Option<&str>| {
        let header = SignHeader {
            alg: SignatureAlgorithm::Es256,
            typ,
            cty: None,
            kid: KEYS.p256.kid(),
            extra: None,
        };
        sign(&header, &good_claims(), &KEYS.p256).unwrap()
    };
    let check = |typ: Option<&str>, rule| {
        let expected = Expectations {
            typ: rule,
            ..expectations()
        };
        verify_token(&token(typ), &keys, &expected).map(|_| ())
    };
    let exactly = TypRule::Exactly(&["at+jwt"]);
    for typ in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/at+jwt",
    ] {
        assert_eq!(check(Some(typ), exactly), Ok(()), "{typ}");
    }
    for typ in [
        None,
        Some("JWT"),
        Some(""),
        Some("application/"),
        Some("text/at+jwt"),
        Some("è"),
    ] {
        assert!(
            matches!(check(typ, exactly), Err(JoseError::WrongType { .. })),
            "{typ:?}"
        );
    }
    assert_eq!(check(None, TypRule::AbsentOr(&["jwt"])), Ok(()));
    assert_eq!(check(Some("JWT"), TypRule::AbsentOr(&["jwt"])), Ok(()));
    assert!(check(Some("at+jwt"), TypRule::AbsentOr(&["jwt"])).is_err());
    assert_eq!(check(Some("anything"), TypRule::Any), Ok(()));
}

#[test]
fn claims_of_another_shape_are_an_error_after_the_signature_only() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Wanted {
        nonce: String,
    }
    let token = sign_claims(&good_claims(), &KEYS.p256);
    let parsed = Unverified::parse(&token, MAX_BYTES).unwrap();
    let with_key = parsed.verify::<Wanted>(&public_set(&[&KEYS.p256]), &expectations());
    assert!(matches!(with_key, Err(JoseError::MalformedJson(_))));
    let without_key = parsed.verify::<Wanted>(&KeySet::default(), &expectations());
    assert!(matches!(without_key, Err(JoseError::UnknownKey { .. })));
}
