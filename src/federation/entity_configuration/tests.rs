//! Our own documents, read back as others read them.

use super::*;
use crate::federation::entity_statement::{EntityStatement, Moment};
use crate::federation::historical_keys::{HistoricalKey, historical_keys};
use crate::federation::resolve_response::{ResolveResponseInput, resolve_response};
use crate::federation::testing::{MARK, NOW, OP, RP, SA, TA, id, jwks, key, key_set};
use crate::federation::trust_mark::{Candidate, Standing, ValidMark, read_status_answer};
use crate::jose::{KeyKind, Unverified};

const VALIDITY: Validity = Validity {
    issued_at: UtcTime(NOW),
    lifetime_seconds: 3600,
};
const MOMENT: Moment = Moment {
    now: UtcTime(NOW),
    leeway_seconds: 0,
    subject_leeway_seconds: 0,
};

fn read(jws: &str) -> (String, Map<String, Value>) {
    let unverified = Unverified::parse(jws, 100_000).unwrap();
    let typ = unverified.header().typ.clone().unwrap();
    (typ, unverified.unverified_claims().unwrap())
}

fn listed(name: &str) -> Vec<Value> {
    public_jwks([&key(name)])
}

#[test]
fn our_entity_configuration_says_what_the_rules_ask_for() {
    // SPID/CIE MD-1, MD-4
    let metadata = json!({"federation_entity": {"organization_name": "OP"}, "openid_provider": {"issuer": OP}});
    let input = EntityConfigurationInput {
        entity_id: &id(OP),
        jwks: &listed(OP),
        authority_hints: &[TA.to_owned()],
        trust_marks: &[(MARK.to_owned(), "jwt".to_owned())],
        metadata: metadata.as_object().unwrap(),
        extra: None,
    };
    let jws = entity_configuration(&input, VALIDITY, SigningKey::new(&key(OP))).unwrap();
    let (typ, claims) = read(&jws);
    assert_eq!(typ, "entity-statement+jwt");
    let names: Vec<&String> = claims.keys().collect();
    assert_eq!(
        names,
        [
            "iss",
            "sub",
            "iat",
            "exp",
            "jwks",
            "authority_hints",
            "trust_marks",
            "metadata"
        ]
    );
    assert_eq!(claims["exp"], NOW + 3600);
    let read = EntityStatement::verify_configuration(&jws, &id(OP), None, MOMENT).unwrap();
    assert_eq!(read.kid.as_deref(), Some(key(OP).kid()));
    assert!(EntityStatement::verify_configuration(&jws, &id(RP), None, MOMENT).is_err());
}

#[test]
fn an_anchors_configuration_has_issuers_and_no_hints() {
    let extra = json!({"trust_mark_issuers": {MARK: [TA]}, "constraints": {"max_path_length": 1}});
    let input = EntityConfigurationInput {
        entity_id: &id(TA),
        jwks: &listed(TA),
        authority_hints: &[],
        trust_marks: &[],
        metadata: &Map::new(),
        extra: extra.as_object(),
    };
    let jws = entity_configuration(&input, VALIDITY, SigningKey::new(&key(TA))).unwrap();
    let read =
        EntityStatement::verify_configuration(&jws, &id(TA), Some(&key_set(TA)), MOMENT).unwrap();
    assert!(read.authority_hints.is_empty());
    assert_eq!(read.constraints.max_path_length, Some(1));
    assert_eq!(read.trust_mark_issuers[MARK], json!([TA]));
}

#[test]
fn every_algorithm_of_the_federation_signs_statements_that_are_accepted() {
    // SPID/CIE AL-1, MD-4
    let rsa = PrivateKey::generate(KeyKind::Rsa(2048)).unwrap();
    let p521 = PrivateKey::generate(KeyKind::P521).unwrap();
    let all = [
        (&rsa, SignatureAlgorithm::Rs256),
        (&rsa, SignatureAlgorithm::Rs512),
        (&rsa, SignatureAlgorithm::Ps256),
        (&rsa, SignatureAlgorithm::Ps512),
        (&key(RP), SignatureAlgorithm::Es256),
        (&p521, SignatureAlgorithm::Es512),
    ];
    for (key, algorithm) in all {
        let input = EntityConfigurationInput {
            entity_id: &id(RP),
            jwks: &public_jwks([key]),
            authority_hints: &[],
            trust_marks: &[],
            metadata: &Map::new(),
            extra: None,
        };
        let jws = entity_configuration(&input, VALIDITY, SigningKey { key, algorithm }).unwrap();
        let read = EntityStatement::verify_configuration(&jws, &id(RP), None, MOMENT);
        assert!(read.is_ok(), "{algorithm}: {read:?}");
    }
}

#[test]
fn statements_marks_and_status_answers_are_read_back() {
    // SPID/CIE FE-2, TM-1, TM-2
    let signing = key(TA);
    let signing = SigningKey::new(&signing);
    let extra = json!({"metadata_policy": {"openid_relying_party": {}}});
    let (ta, rp) = (id(TA), id(RP));
    let statement = subordinate_statement(
        (&ta, &rp),
        &listed(RP),
        extra.as_object().unwrap(),
        VALIDITY,
        signing,
    )
    .unwrap();
    let read = EntityStatement::verify_subordinate(&statement, (TA, RP), &key_set(TA), MOMENT);
    assert!(read.unwrap().keys.find(key(RP).kid()).is_some());
    let jwt = trust_mark((&ta, &rp), MARK, &Map::new(), VALIDITY, signing).unwrap();
    let wrapper = trust_mark_list(&[(MARK.to_owned(), jwt.clone())]);
    let mark = Candidate::read(&wrapper[0]).unwrap();
    let valid = mark.verify(&rp, &key_set(TA), None, MOMENT).unwrap();
    assert_eq!(valid.expires_at, Some(UtcTime(NOW + 3600)));
    for (status, active) in [("active", true), ("revoked", false)] {
        let answer = trust_mark_status_response(&ta, &jwt, status, UtcTime(NOW), signing).unwrap();
        let said = read_status_answer(answer.as_bytes(), &mark, &key_set(TA), MOMENT);
        assert_eq!(said.unwrap() == Standing::Active, active);
    }
}

#[test]
fn a_resolve_answer_has_chain_metadata_and_living_marks_only() {
    // SPID/CIE FE-8
    let mark = |jwt: &str, expires_at| ValidMark {
        mark_type: MARK.to_owned(),
        issuer: TA.to_owned(),
        jwt: jwt.to_owned(),
        expires_at: Some(UtcTime(expires_at)),
    };
    let metadata = json!({"openid_relying_party": {}});
    for (draft_typ, expected) in [
        (false, "resolve-response+jwt"),
        (true, "entity-statement+jwt"),
    ] {
        let input = ResolveResponseInput {
            issuer: &id(OP),
            subject: &id(RP),
            metadata: metadata.as_object().unwrap(),
            trust_marks: &[mark("alive", NOW + 1), mark("dead", NOW)],
            chain: &["a".to_owned(), "b".to_owned()],
            expires_at: UtcTime(NOW + 60),
            draft_typ,
        };
        let jws = resolve_response(&input, UtcTime(NOW), SigningKey::new(&key(OP))).unwrap();
        let (typ, claims) = read(&jws);
        assert_eq!(typ, expected);
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!(OP), &json!(RP)));
        assert_eq!(
            (&claims["iat"], &claims["exp"]),
            (&json!(NOW), &json!(NOW + 60))
        );
        assert_eq!(claims["trust_chain"], json!(["a", "b"]));
        let marks = claims["trust_marks"].as_array().unwrap();
        assert_eq!(marks.len(), 1);
        assert_eq!(marks[0]["trust_mark"], "alive");
    }
}

#[test]
fn historical_keys_and_signed_key_sets_are_key_sets() {
    // SPID/CIE FE-9, FE-11
    let past = HistoricalKey {
        jwk: jwks(SA)["keys"][0].clone(),
        issued_at: Some(UtcTime(NOW - 500)),
        expires_at: UtcTime(NOW - 5),
        revoked: Some((UtcTime(NOW - 6), "superseded".to_owned())),
    };
    let jws = historical_keys(&id(OP), &[past], UtcTime(NOW), SigningKey::new(&key(OP))).unwrap();
    let (typ, claims) = read(&jws);
    assert_eq!((typ.as_str(), &claims["iss"]), ("jwk-set+jwt", &json!(OP)));
    let listed_key = &claims["keys"][0];
    assert_eq!(listed_key["exp"], NOW - 5);
    assert_eq!(
        listed_key["revoked"],
        json!({"revoked_at": NOW - 6, "reason": "superseded"})
    );
    let jws = signed_jwks(
        &id(OP),
        &listed("protocol"),
        VALIDITY,
        SigningKey::new(&key(OP)),
    )
    .unwrap();
    let (typ, claims) = read(&jws);
    assert_eq!((typ.as_str(), &claims["sub"]), ("jwk-set+jwt", &json!(OP)));
    assert_eq!(claims["keys"][0]["kid"], key("protocol").kid());
}
