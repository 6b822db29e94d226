//! Which verdict a fault deserves, profile by profile.

use super::*;

/// The report of a document whose keys were fetched from elsewhere.
fn with_fetched_keys(document: &Value, profile: &str) -> Vec<Row> {
    let mut examined = examined(document, Profile::find(profile).unwrap());
    let fetched = json!({ "keys": [sig(&SIGNING), enc(&ENCRYPTION)] });
    examined.facts.as_mut().unwrap().keys = KeySet::from_json(&fetched).unwrap();
    report(&examined)
}

fn verdict_of(document: &Value, profile: &str, name: &str) -> Verdict {
    let rows = report(&examined(document, Profile::find(profile).unwrap()));
    let row = rows.iter().find(|row| row.name == name);
    row.unwrap().verdict
}

#[test]
fn keys_are_asked_for_where_each_profile_wants_them() {
    // SPID/CIE FE-9, FE-10
    for (member, accepting) in [
        ("jwks_uri", &["oidc"][..]),
        ("signed_jwks_uri", &["spid", "oidc"]),
    ] {
        let mut document = good();
        merge(
            &mut document,
            &rp(json!({"jwks": null, member: "https://rp.example.it/jwks"})),
        );
        for profile in PROFILES {
            let rows = with_fetched_keys(&document, profile.name);
            let expected: &[&str] = match accepting.contains(&profile.name) {
                true => &[],
                false => &["relying_party.keys_place"],
            };
            assert_eq!(not_passed(&rows), expected, "{member}, {}", profile.name);
            assert_eq!(count(&rows, Verdict::Fail), expected.len());
        }
    }
}

#[test]
fn an_rp_of_plain_openid_connect_is_not_measured_by_the_italian_texts() {
    let mut document = good();
    merge(
        &mut document,
        &rp(json!({
            // RFC 8252 §7.3
            "redirect_uris": ["http://127.0.0.1:8123/cb", "http://[::1]/cb"],
            "token_endpoint_auth_method": null,
            "userinfo_signed_response_alg": null,
            "userinfo_encrypted_response_alg": null,
            "userinfo_encrypted_response_enc": null,
        })),
    );
    let federation = json!({"homepage_uri": null, "policy_uri": null, "logo_uri": null});
    merge(&mut document, &entity(federation));
    let oidc = Profile::find("oidc").unwrap();
    assert_eq!(not_passed(&report(&examined(&document, oidc))), [""; 0]);
    // What its registration endpoint would refuse.
    let automatic = json!({"client_registration_types": ["automatic"]});
    merge(&mut document, &rp(automatic));
    let method = json!({"token_endpoint_auth_method": "tls_client_auth"});
    merge(&mut document, &rp(method));
    assert_eq!(
        not_passed(&report(&examined(&document, oidc))),
        [
            "relying_party.client_registration_types",
            "relying_party.token_endpoint_auth_method"
        ]
    );
}

#[test]
fn a_key_for_other_providers_is_no_fault_and_one_that_lies_is() {
    let alg = |alg: &str| {
        let mut document = good();
        let key = with(&enc(&ENCRYPTION), &json!({"kid": null, "alg": alg}));
        merge(
            &mut document,
            &keys(&[sig(&SIGNING), enc(&ENCRYPTION), key]),
        );
        document
    };
    for profile in ["spid", "cie", "oidc"] {
        let of = |name: &str| verdict_of(&alg(name), profile, "keys.alg");
        assert_eq!(of("RSA-OAEP-512"), Verdict::Warning);
        assert_eq!(of("RSA-OAEP"), Verdict::Pass);
        assert_eq!(of("ECDH-ES"), Verdict::Fail);
        // SPID/CIE AL-4
        assert_eq!(of("RSA1_5"), Verdict::Fail);
        // An encryption key needs no name; a signing key does where a header names it (SPID/CIE AZ-2).
        let unnamed = alg("RSA-OAEP");
        assert_eq!(verdict_of(&unnamed, profile, "keys.kid"), Verdict::Warning);
    }
    let mut document = good();
    let unnamed = with(&sig(&SIGNING), &json!({"kid": null}));
    merge(&mut document, &keys(&[unnamed, enc(&ENCRYPTION)]));
    let of = |profile| verdict_of(&document, profile, "keys.kid");
    assert_eq!(of("cie"), Verdict::Fail);
    assert_eq!(of("oidc"), Verdict::Warning);
}

#[test]
fn a_weak_federation_key_fails_and_a_thin_presentation_does_not() {
    // SPID/CIE AL-5, MD-2
    let worst = |(name, changes): &Mutation| {
        let mut document = good();
        merge(&mut document, changes);
        verdict_of(&document, "spid", name)
    };
    for mutation in rows() {
        let expected = match mutation.0 {
            "federation_keys.size" => Verdict::Fail,
            name if name.starts_with("federation_entity.") => Verdict::Warning,
            _ => continue,
        };
        assert_eq!(worst(&mutation), expected, "{}", mutation.0);
    }
}

#[test]
fn what_refuses_logins_is_said_to() {
    let rows = report(&examined(&good(), Profile::find("cie").unwrap()));
    let refuse = |row: &&Row| row.refuses_logins && !row.name.starts_with("rule.");
    let names: Vec<&str> = rows
        .iter()
        .filter(refuse)
        .map(|row| row.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "statement.iss_sub",
            "statement.iat",
            "statement.exp",
            "trust_marks.required",
            "relying_party.shape"
        ]
    );
    let rules = rows.iter().filter(|row| row.name.starts_with("rule."));
    assert!(rules.clone().all(|row| row.refuses_logins));
    assert_eq!(
        rules.count(),
        Profile::find("cie").unwrap().metadata_rules.len()
    );
}

#[test]
fn a_mark_without_a_type_is_told_what_it_lacks() {
    let mut document = good();
    let untyped = mark(&json!({ "trust_mark_type": null }));
    merge(&mut document, &claims(json!({ "trust_marks": untyped })));
    let rows = report(&examined(&document, Profile::find("spid").unwrap()));
    let row = rows.iter().find(|row| row.name == "trust_marks.claims");
    assert_eq!(row.unwrap().found, format!("{MARK} has no trust_mark_type"));
}

#[test]
fn nothing_is_said_of_keys_that_nobody_could_read() {
    let mut document = good();
    let elsewhere = json!({"jwks": null, "signed_jwks_uri": "https://rp.example.it/jwks"});
    merge(&mut document, &rp(elsewhere));
    let mut examined = examined(&document, Profile::find("spid").unwrap());
    examined.keys_were_read = false;
    let rows = report(&examined);
    assert_eq!(not_passed(&rows), [""; 0]);
    let about_keys =
        |row: &&Row| row.name.starts_with("keys.") || row.name.starts_with("rule.jwks.");
    let judged = |row: &&Row| row.verdict != Verdict::NotApplicable;
    let judged: Vec<&Row> = rows.iter().filter(about_keys).filter(judged).collect();
    assert!(judged.is_empty(), "{judged:?}");
}
