use super::*;
use crate::demo::statement::{STATEMENT_TYP, STATUS_TYP, TRUST_MARK_TYP};
use crate::demo::superior::NoStatement;
use crate::federation::metadata_policy::MetadataPolicy;

fn about(superior: &Superior, subject: &str) -> Map<String, Value> {
    let statement = superior.statement_about(subject, None).unwrap().unwrap();
    verified(&statement, &superior.jwks(), STATEMENT_TYP)
}

fn policy_of(statement: &Map<String, Value>) -> MetadataPolicy {
    let policy = statement["metadata_policy"].as_object().unwrap();
    MetadataPolicy::parse(policy, &[]).unwrap()
}

#[test]
fn each_link_from_the_anchor_to_the_relying_parties_attests_the_keys_of_the_next() {
    // SPID/CIE FE-2
    let world = world();
    let federation = &world.federation;
    let anchor = federation.trust_anchor();
    let own = verified(
        &anchor.entity_configuration().unwrap(),
        &federation.jwks(),
        STATEMENT_TYP,
    );
    assert_eq!(own["iss"], own["sub"]);
    assert!(!own.contains_key("authority_hints"));
    assert_eq!(own["constraints"]["max_path_length"], 1);

    let intermediate = federation.intermediate();
    let statement = about(anchor, intermediate.entity_id());
    let own = intermediate.entity_configuration().unwrap();
    let own = verified(&own, &statement["jwks"], STATEMENT_TYP);
    assert_eq!(own["authority_hints"], json!([anchor.entity_id()]));

    for (superior, relying_party) in [
        (anchor, federation.relying_party()),
        (intermediate, federation.aggregated_relying_party()),
    ] {
        let statement = about(superior, relying_party.entity_id());
        let own = relying_party.entity_configuration().unwrap();
        let own = verified(&own, &statement["jwks"], STATEMENT_TYP);
        assert_eq!(own["authority_hints"], json!([superior.entity_id()]));
        let marks = own["trust_marks"].as_array().unwrap();
        let mark = marks[0]["trust_mark"].as_str().unwrap();
        let mark = verified(mark, &federation.jwks(), TRUST_MARK_TYP);
        assert_eq!(mark["sub"], relying_party.entity_id());
        assert_eq!(
            mark["trust_mark_type"],
            federation.relying_party_mark_type()
        );
        assert_eq!(marks[0]["trust_mark_type"], mark["trust_mark_type"]);
    }
}

#[test]
fn the_policies_merge_and_the_relying_parties_obey_them() {
    // SPID/CIE FE-3
    let world = world();
    let federation = &world.federation;
    let (anchor, intermediate) = (federation.trust_anchor(), federation.intermediate());
    let aggregated = federation.aggregated_relying_party();
    let mut merged = policy_of(&about(anchor, intermediate.entity_id()));
    merged = merged
        .merge(&policy_of(&about(intermediate, aggregated.entity_id())))
        .unwrap();
    let direct = policy_of(&about(anchor, federation.relying_party().entity_id()));
    for (policy, relying_party) in [(merged, aggregated), (direct, federation.relying_party())] {
        let own = relying_party.entity_configuration().unwrap();
        let own = relying_party::unverified_claims(&own).unwrap();
        let before = own["metadata"].as_object().unwrap();
        let applied = policy.apply(before).unwrap();
        let after = &applied["openid_relying_party"];
        assert_eq!(after["jwks"], before["openid_relying_party"]["jwks"]);
        assert!(after["contacts"].as_array().unwrap().len() > 1, "{after}");
    }
}

#[test]
fn the_protocol_keys_and_the_federation_keys_differ() {
    // SPID/CIE AL-6
    let world = world();
    for relying_party in [
        world.federation.relying_party(),
        world.federation.aggregated_relying_party(),
    ] {
        let keys = relying_party.keys();
        let kids = [
            keys.federation.kid(),
            keys.signing.kid(),
            keys.encryption.kid(),
        ];
        assert!(kids[0] != kids[1] && kids[1] != kids[2] && kids[0] != kids[2]);
        let published = relying_party.protocol_metadata()["jwks"].to_string();
        assert!(!published.contains(kids[0]));
        assert!(!published.contains("\"d\""));
    }
}

#[test]
fn a_superior_speaks_only_of_those_below_it() {
    let world = world();
    let anchor = world.federation.trust_anchor();
    let ask = |subject: &str, issuer| anchor.statement_about(subject, issuer).unwrap();
    let relying_party = world.federation.relying_party().entity_id();
    assert!(ask(relying_party, Some(anchor.entity_id())).is_ok());
    assert_eq!(
        ask(relying_party, Some("https://x/")),
        Err(NoStatement::InvalidRequest)
    );
    assert_eq!(
        ask(anchor.entity_id(), None),
        Err(NoStatement::InvalidRequest)
    );
    assert_eq!(ask("https://x/", None), Err(NoStatement::NotFound));
    let aggregated = world.federation.aggregated_relying_party().entity_id();
    assert_eq!(ask(aggregated, None), Err(NoStatement::NotFound));
    anchor.expel(relying_party);
    assert_eq!(ask(relying_party, None), Err(NoStatement::NotFound));
    assert_eq!(
        anchor.list(&ListFilter {
            entity_types: vec!["openid_provider".to_owned()],
            ..ListFilter::default()
        }),
        [format!("{BASE}/spid/")]
    );
    assert_eq!(anchor.list(&ListFilter::default()).len(), 2);
}

#[test]
fn the_status_of_a_trust_mark_follows_revocation_and_time() {
    // SPID/CIE TM-2
    let world = world();
    let anchor = world.federation.trust_anchor();
    let mark_type = world.federation.relying_party_mark_type();
    let mark = anchor
        .trust_mark(&mark_type, "https://rp.example.it/", "RP")
        .unwrap();
    assert_eq!(anchor.mark_status(&mark), Some(MarkStatus::Active));
    let response = anchor.mark_status_response(&mark).unwrap().unwrap();
    assert_eq!(header(&response)["typ"], STATUS_TYP);
    let response = relying_party::unverified_claims(&response).unwrap();
    assert_eq!(response["trust_mark"], mark.as_str());
    assert_eq!(response["status"], "active");
    anchor.revoke_mark(&mark_type, "https://rp.example.it/");
    assert_eq!(anchor.mark_status(&mark), Some(MarkStatus::Revoked));
    assert_eq!(anchor.mark_status("not.a.mark"), Some(MarkStatus::Invalid));
    let foreign = world.federation.intermediate();
    let foreign = foreign
        .trust_mark(&mark_type, "https://rp.example.it/", "RP")
        .unwrap();
    assert_eq!(anchor.mark_status(&foreign), None, "another issuer's");
    let short = json!({"exp": START.0 + 10});
    let short = anchor.trust_mark_with(&mark_type, "https://b/", short.as_object().unwrap());
    let short = short.unwrap();
    assert_eq!(anchor.mark_status(&short), Some(MarkStatus::Active));
    world.clock.advance_seconds(10);
    assert_eq!(anchor.mark_status(&short), Some(MarkStatus::Expired));
}

#[tokio::test]
async fn a_provider_is_learned_through_the_anchor_and_its_policy() {
    let world = world();
    let issuer = &world.provider.issuer;
    let discovered = world.federation.discover(issuer).await.unwrap();
    assert_eq!(
        discovered.provider.token_endpoint,
        format!("{BASE}/spid/token")
    );
    let algorithms = &discovered.metadata["id_token_signing_alg_values_supported"];
    assert_eq!(
        algorithms,
        &json!(["RS256"]),
        "RS384 is not of the federation"
    );
}

#[tokio::test]
async fn a_provider_whose_keys_the_anchor_does_not_attest_is_refused_until_it_is_taken_in_again() {
    let world = world();
    let issuer = &world.provider.issuer;
    world
        .federation
        .attest_provider(issuer, world.federation.jwks());
    let error = world.federation.discover(issuer).await.unwrap_err();
    assert!(error.to_string().contains("no key with kid"), "{error}");
    world.federation.onboard(issuer).await.unwrap();
    assert!(world.federation.discover(issuer).await.is_ok());
}

#[test]
fn marks_of_older_drafts_are_judged_as_what_they_are() {
    // SPID/CIE TM-1, TM-2: other typ, kid absent, the type under its older names
    let world = world();
    let anchor = world.federation.trust_anchor();
    let (subject, wanted) = ("https://rp.example.it/", "https://ta.example.it/mark/");
    anchor.trust_mark(wanted, subject, "RP").unwrap();
    let signed = |typ: Option<&str>, names: Value| {
        let mut claims = json!({"iss": anchor.entity_id(), "sub": subject, "iat": START.0});
        let members = claims.as_object_mut().unwrap();
        members.extend(names.as_object().unwrap().clone());
        let header = crate::jose::SignHeader {
            alg: anchor.key().default_signature_algorithm(),
            typ,
            cty: None,
            kid: anchor.key().kid(),
            extra: None,
        };
        crate::jose::sign(&header, &claims, anchor.key()).unwrap()
    };
    let (active, invalid) = (Some(MarkStatus::Active), Some(MarkStatus::Invalid));
    for (typ, names, status) in [
        (
            Some("trust-mark+jwt"),
            json!({"trust_mark_type": wanted}),
            active,
        ),
        (Some("JWT"), json!({"trust_mark_id": wanted}), active),
        (None, json!({"id": wanted}), active),
        (None, json!({"id": wanted, "trust_mark_id": wanted}), active),
        (
            None,
            json!({"id": wanted, "trust_mark_type": "https://x/"}),
            invalid,
        ),
        (None, json!({"id": 1}), invalid),
        (None, json!({}), invalid),
        (Some("entity-statement+jwt"), json!({"id": wanted}), invalid),
        (None, json!({"id": "https://ta.example.it/never/"}), None),
    ] {
        assert_eq!(
            anchor.mark_status(&signed(typ, names.clone())),
            status,
            "{typ:?} {names}"
        );
    }
    anchor.revoke_mark(wanted, subject);
    let mark = signed(Some("JWT"), json!({"trust_mark_id": wanted}));
    assert_eq!(anchor.mark_status(&mark), Some(MarkStatus::Revoked));
    assert_eq!(anchor.current_mark(wanted, subject).unwrap(), None);
}

#[test]
fn a_mark_is_issued_anew_before_it_ends_and_not_earlier() {
    let world = world();
    let anchor = world.federation.trust_anchor();
    let (subject, wanted) = ("https://rp.example.it/", "https://ta.example.it/mark/");
    let first = anchor.trust_mark(wanted, subject, "RP").unwrap();
    let day = 24 * 3600;
    world.clock.advance_seconds(334 * day);
    assert_eq!(
        anchor.current_mark(wanted, subject).unwrap().unwrap(),
        first
    );
    world.clock.advance_seconds(day);
    let second = anchor.current_mark(wanted, subject).unwrap().unwrap();
    assert_ne!(second, first);
    let claims = relying_party::unverified_claims(&second).unwrap();
    assert_eq!(claims["iat"], START.0 + 335 * day);
    assert_eq!(claims["organization_name"], "RP", "the other members stay");
    assert_eq!(anchor.mark_status(&first), Some(MarkStatus::Active));
    world.clock.advance_seconds(366 * day);
    assert!(
        anchor.holders(wanted).is_empty(),
        "an expired mark counts no more"
    );
    assert_eq!(anchor.mark_status(&second), Some(MarkStatus::Expired));
}
