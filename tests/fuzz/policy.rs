//! Metadata policies: what a superior demands holds in the end, whoever stands below it (OIDC Federation §6.1.1).

use super::{Outcome, as_sets, check_text};
use serde_json::{Map, Value};
use varco::federation::{MetadataPolicy, PolicyError};

/// Merges three policies and applies them.
pub fn run(input: &Value) -> Outcome {
    let object = |name: &str| input.get(name).and_then(Value::as_object);
    let empty = Map::new();
    let names = ["anchor", "intermediate", "last"];
    let mut policies = Vec::new();
    for name in names {
        match MetadataPolicy::parse(object(name).unwrap_or(&empty), &[]) {
            Ok(policy) => policies.push(policy),
            Err(error) => return refused("parse", &error),
        }
    }
    let metadata = object("metadata").unwrap_or(&empty);
    for policy in &policies {
        let again = MetadataPolicy::parse(&policy.to_json(), &[]);
        if again.as_ref() != Ok(policy) {
            return Err(format!("written and read it is another: {again:?}"));
        }
        if policy.merge(policy).as_ref() != Ok(policy) {
            return Err("merged with itself it is another".to_owned());
        }
    }
    let [anchor, intermediate, last] = &policies[..] else {
        return Err("three policies are expected".to_owned());
    };
    let left = anchor.merge(intermediate).and_then(|both| both.merge(last));
    let right = intermediate
        .merge(last)
        .and_then(|both| anchor.merge(&both));
    let merged = match (left, right) {
        (Ok(left), Ok(right)) => {
            let effect =
                |policy: &MetadataPolicy| policy.apply(metadata).ok().map(|after| as_sets(&after));
            if effect(&left) != effect(&right) {
                return Err("merging depends on where one begins".to_owned());
            }
            left
        }
        (Err(error), Err(_)) => return refused("merge", &error),
        (left, right) => return Err(format!("merging is not associative: {left:?}, {right:?}")),
    };
    let applied = match merged.apply(metadata) {
        Ok(applied) => applied,
        Err(error) => return refused("apply", &error),
    };
    for policy in policies.iter().chain([&merged]) {
        check_satisfied(policy, &applied)?;
    }
    Ok("accepted".to_owned())
}

/// Metadata that satisfies a policy is not changed by it.
pub fn check_satisfied(
    policy: &MetadataPolicy,
    metadata: &Map<String, Value>,
) -> Result<(), String> {
    let again = policy
        .apply(metadata)
        .map_err(|error| format!("the result breaks a policy of the chain: {error}"))?;
    match as_sets(&again) == as_sets(metadata) {
        true => Ok(()),
        false => Err(format!(
            "the result does not satisfy a policy of the chain: it becomes {again:?}"
        )),
    }
}

fn refused(step: &str, error: &PolicyError) -> Outcome {
    check_text(&error.reason, 2_000)?;
    Ok(format!("refused, {step}"))
}
