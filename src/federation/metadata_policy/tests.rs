use super::*;
use serde_json::json;

const VECTORS: &str = "tests/vectors/metadata-policy-vectors.json";

#[derive(serde::Deserialize)]
struct Vector {
    n: u32,
    #[serde(rename = "TA")]
    superior: Map<String, Value>,
    #[serde(rename = "INT")]
    subordinate: Map<String, Value>,
    merged: Option<Map<String, Value>>,
    metadata: Map<String, Value>,
    resolved: Option<Map<String, Value>>,
    error: Option<String>,
}

fn typed(parameters: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("openid_relying_party".into(), parameters.clone().into());
    out
}

fn policy(parameters: Value) -> Result<MetadataPolicy, PolicyError> {
    MetadataPolicy::parse(&typed(parameters.as_object().unwrap()), &[])
}

fn apply(parameters: Value, metadata: Value) -> Result<Value, PolicyError> {
    let applied = policy(parameters)?.apply(&typed(metadata.as_object().unwrap()))?;
    Ok(applied["openid_relying_party"].clone())
}

/// Sorted arrays: the vectors state sets.
fn as_sets(value: &Value) -> Value {
    match value {
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(as_sets).collect();
            values.sort_by_key(Value::to_string);
            Value::Array(values)
        }
        Value::Object(members) => {
            let sorted: std::collections::BTreeMap<_, _> = members
                .iter()
                .map(|(k, v)| (k.clone(), as_sets(v)))
                .collect();
            Value::Object(sorted.into_iter().collect())
        }
        plain => plain.clone(),
    }
}

fn outcome(vector: &Vector) -> (Option<MetadataPolicy>, Result<Value, PolicyError>) {
    let merged = MetadataPolicy::parse(&typed(&vector.superior), &[]).and_then(|superior| {
        superior.merge(&MetadataPolicy::parse(&typed(&vector.subordinate), &[])?)
    });
    match merged {
        Err(error) => (None, Err(error)),
        Ok(merged) => {
            let applied = merged
                .apply(&typed(&vector.metadata))
                .map(|metadata| metadata["openid_relying_party"].clone());
            (Some(merged), applied)
        }
    }
}

/// SPID/CIE FE-3; `VARCO_POLICY_VECTORS` names another file of the same form.
#[test]
fn every_published_policy_vector_holds() {
    let file = std::env::var("VARCO_POLICY_VECTORS").unwrap_or_else(|_| VECTORS.to_owned());
    let vectors: Vec<Vector> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(!vectors.is_empty());
    let failures: Vec<String> = vectors
        .iter()
        .filter_map(|vector| {
            let fault = fault(vector)?;
            Some(format!("vector {}: {fault}", vector.n))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} vectors fail:\n{}",
        failures.len(),
        vectors.len(),
        failures.join("\n")
    );
}

/// What is not as the vector says.
fn fault(vector: &Vector) -> Option<String> {
    let (merged, applied) = outcome(vector);
    if let Some(expected) = &vector.merged {
        let merged = merged.map(|merged| as_sets(&Value::Object(merged.to_json())));
        let expected = as_sets(&Value::Object(typed(expected)));
        if merged.as_ref() != Some(&expected) {
            return Some(format!("merged to {merged:?}, not {expected}"));
        }
    }
    let expected = vector.resolved.clone().map(Value::Object);
    match (&vector.error, applied) {
        (None, Ok(metadata)) if expected.as_ref().map(as_sets) == Some(as_sets(&metadata)) => None,
        (Some(kind), Err(error)) => {
            let found = match error.kind {
                PolicyErrorKind::InvalidPolicy => "invalid_policy",
                PolicyErrorKind::InvalidMetadata => "invalid_metadata",
            };
            (found != kind).then(|| format!("{found} ({error}), not {kind}"))
        }
        (None, found) => Some(format!("{found:?}, not {expected:?}")),
        (Some(kind), Ok(found)) => Some(format!("{found}, not {kind}")),
    }
}

#[test]
fn constraints_inside_a_policy_are_noise() {
    let claim = json!({"constraints": {"max_path_length": 1}, "openid_relying_party": {"scope": {"essential": true}}});
    let policy = MetadataPolicy::parse(claim.as_object().unwrap(), &[]).unwrap();
    assert_eq!(
        Value::Object(policy.to_json()),
        json!({"openid_relying_party": {"scope": {"essential": true}}})
    );
}

#[test]
fn a_scope_is_a_set_of_words_and_stays_a_string() {
    let reduced = apply(
        json!({"scope": {"subset_of": ["openid", "email"], "superset_of": ["openid"]}}),
        json!({"scope": "openid profile email"}),
    );
    assert_eq!(reduced.unwrap(), json!({"scope": "openid email"}));
    let added = apply(
        json!({"scope": {"add": ["offline_access"]}}),
        json!({"scope": "openid"}),
    );
    assert_eq!(added.unwrap(), json!({"scope": "openid offline_access"}));
    let superior = policy(json!({"scope": {"value": "openid email"}})).unwrap();
    let subordinate = policy(json!({"scope": {"value": "email openid"}})).unwrap();
    assert!(superior.merge(&subordinate).is_ok());
}

#[test]
fn unknown_operators_are_ignored_unless_critical() {
    let claim = typed(json!({"x": {"regexp": "^a"}}).as_object().unwrap());
    assert!(MetadataPolicy::parse(&claim, &[]).is_ok());
    let error = MetadataPolicy::parse(&claim, &["regexp".to_owned()]).unwrap_err();
    assert_eq!(
        (error.path.as_str(), error.operator.as_str()),
        ("metadata_policy_crit", "regexp")
    );
}

#[test]
fn a_conflict_names_path_and_operator() {
    let superior = policy(json!({"grant_types": {"one_of": ["a"]}})).unwrap();
    let subordinate = policy(json!({"grant_types": {"one_of": ["b"]}})).unwrap();
    let error = superior.merge(&subordinate).unwrap_err();
    assert_eq!(error.path, "openid_relying_party.grant_types");
    assert_eq!(error.operator, "one_of");
    let error = apply(json!({"contacts": {"essential": true}}), json!({})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "openid_relying_party.contacts: essential: the parameter is missing"
    );
}

#[test]
fn operators_that_may_not_stand_together_are_refused() {
    for operators in [
        json!({"one_of": ["a"], "add": ["a"]}),
        json!({"one_of": ["a"], "subset_of": ["a"]}),
        json!({"one_of": ["a"], "superset_of": ["a"]}),
        json!({"one_of": []}),
        json!({"default": null}),
        json!({"essential": "yes"}),
        json!({"subset_of": 3}),
        json!({"add": [["nested"]]}),
    ] {
        let found = policy(json!({ "x": operators }));
        assert!(found.is_err(), "{operators}");
    }
}

#[test]
fn every_operator_is_told_with_its_effect() {
    let policy = policy(json!({
        "grant_types": {"subset_of": ["authorization_code"]},
        "logo_uri": {"value": null},
        "contacts": {"add": ["a@example.it"]},
        "kept": {"essential": true},
    }));
    let metadata =
        json!({"grant_types": ["authorization_code", "password"], "logo_uri": "x", "kept": 1});
    let mut told = Vec::new();
    let mut watch = |effect| told.push(effect);
    policy
        .unwrap()
        .apply_watched(&typed(metadata.as_object().unwrap()), Some(&mut watch))
        .unwrap();
    let named: Vec<_> = told
        .iter()
        .map(|e| (e.parameter.as_str(), e.operator, e.before != e.after))
        .collect();
    let expected = [
        ("grant_types", "subset_of", true),
        ("logo_uri", "value", true),
        ("contacts", "add", true),
        ("kept", "essential", false),
    ];
    assert_eq!(named, expected);
    assert_eq!(told[1].after, None);
}

#[test]
fn the_operator_that_fails_is_told_last_with_its_reason() {
    let policy = policy(json!({
        "grant_types": {"subset_of": ["authorization_code"], "superset_of": ["authorization_code"]},
        "contacts": {"essential": true},
    }));
    let mut told = Vec::new();
    let mut watch = |effect: Effect| told.push((effect.operator, effect.error.is_some()));
    let metadata = json!({"grant_types": ["password"]});
    let failed = policy
        .unwrap()
        .apply_watched(&typed(metadata.as_object().unwrap()), Some(&mut watch));
    assert!(failed.is_err());
    assert_eq!(told, [("subset_of", false), ("superset_of", true)]);
}

#[test]
fn a_policy_for_an_entity_type_the_subject_lacks_changes_nothing() {
    let policy = policy(json!({"x": {"essential": true}})).unwrap();
    assert!(policy.apply(&Map::new()).unwrap().is_empty());
}

#[test]
fn a_set_operator_on_a_number_is_invalid_metadata() {
    let error = apply(json!({"x": {"subset_of": ["a"]}}), json!({"x": 5})).unwrap_err();
    assert_eq!(error.kind, PolicyErrorKind::InvalidMetadata);
}
