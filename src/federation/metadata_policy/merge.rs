//! Merging a subordinate's policy into its superior's (OpenID Federation 1.0 §6.1.3.1, §6.1.4.1).

use super::{
    Entry, MetadataPolicy, ParameterPolicy, PolicyError, as_set, invalid_policy, is_subset, path,
    quoted, quoted_list, same_value, unique,
};
use serde_json::Value;

impl MetadataPolicy {
    /// Merges what `subordinate` demands into what this policy (the superior's) demands. The result can only be
    /// stricter.
    ///
    /// # Errors
    /// Two operators that contradict each other; the path and the operator are named.
    pub fn merge(&self, subordinate: &Self) -> Result<Self, PolicyError> {
        let mut entries = self.entries.clone();
        for below in &subordinate.entries {
            let at = path(&below.entity_type, &below.parameter);
            let above = entries
                .iter_mut()
                .find(|e| e.entity_type == below.entity_type && e.parameter == below.parameter);
            match above {
                Some(above) => {
                    above.policy = above.policy.merge(&below.policy, &below.parameter, &at)?;
                    above.policy.check(&below.parameter, &at)?;
                }
                None => entries.push(Entry::clone(below)),
            }
        }
        Ok(Self { entries })
    }
}

impl ParameterPolicy {
    fn merge(&self, below: &Self, parameter: &str, at: &str) -> Result<Self, PolicyError> {
        Ok(Self {
            value: equal((&self.value, &below.value), parameter, at, "value")?,
            add: union(&self.add, &below.add),
            default: equal((&self.default, &below.default), parameter, at, "default")?,
            one_of: common_choice(&self.one_of, &below.one_of, at)?,
            subset_of: intersection(&self.subset_of, &below.subset_of),
            superset_of: union(&self.superset_of, &below.superset_of),
            essential: match (self.essential, below.essential) {
                (Some(above), Some(below)) => Some(above || below),
                (above, below) => above.or(below),
            },
        })
    }

    /// Which operators may stand together, and how their values must relate (§6.1.3.1.1 to §6.1.3.1.7).
    pub(super) fn check(&self, parameter: &str, at: &str) -> Result<(), PolicyError> {
        if let Some(value) = &self.value {
            self.check_value(value, parameter, at)?;
        }
        if let Some(add) = &self.add
            && let Some(subset_of) = &self.subset_of
            && !is_subset(add, subset_of)
        {
            return Err(contradiction(at, "add/subset_of", add, subset_of));
        }
        if let Some(superset_of) = &self.superset_of
            && let Some(subset_of) = &self.subset_of
            && !is_subset(superset_of, subset_of)
        {
            return Err(contradiction(at, "superset_of/subset_of", superset_of, subset_of));
        }
        let beside_one_of = [
            ("one_of/add", self.add.is_some()),
            ("one_of/subset_of", self.subset_of.is_some()),
            ("one_of/superset_of", self.superset_of.is_some()),
        ];
        match beside_one_of.into_iter().find(|(_, present)| *present) {
            Some((operators, _)) if self.one_of.is_some() => Err(invalid_policy(
                at,
                operators,
                "these operators may not stand together".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    fn check_value(&self, value: &Value, parameter: &str, at: &str) -> Result<(), PolicyError> {
        if value.is_null() {
            if self.default.is_some() {
                let reason = "value must not be null beside default".to_owned();
                return Err(invalid_policy(at, "value/default", reason));
            }
            if self.essential == Some(true) {
                let reason = "value must not be null when essential is true".to_owned();
                return Err(invalid_policy(at, "value/essential", reason));
            }
        }
        if let Some(one_of) = &self.one_of
            && !one_of.iter().any(|choice| same_value(choice, value, parameter))
        {
            let reason = format!("{} is not among {}", quoted(value), quoted_list(one_of));
            return Err(invalid_policy(at, "value/one_of", reason));
        }
        let values = as_set(value, parameter);
        let needs = |operator: &str, holds: bool, operand: &[Value]| {
            if holds {
                return Ok(());
            }
            let reason = format!("{} against {}", quoted(value), quoted_list(operand));
            Err(invalid_policy(at, operator, reason))
        };
        if let Some(add) = &self.add {
            let holds = values.as_ref().is_some_and(|v| is_subset(add, v));
            needs("value/add", holds, add)?;
        }
        if let Some(subset_of) = &self.subset_of {
            let holds = values.as_ref().is_some_and(|v| is_subset(v, subset_of));
            needs("value/subset_of", holds, subset_of)?;
        }
        if let Some(superset_of) = &self.superset_of {
            let holds = values.as_ref().is_some_and(|v| is_subset(superset_of, v));
            needs("value/superset_of", holds, superset_of)?;
        }
        Ok(())
    }
}

fn contradiction(at: &str, operators: &str, part: &[Value], whole: &[Value]) -> PolicyError {
    let reason = format!("{} is no subset of {}", quoted_list(part), quoted_list(whole));
    invalid_policy(at, operators, reason)
}

fn equal(
    (above, below): (&Option<Value>, &Option<Value>),
    parameter: &str,
    at: &str,
    operator: &str,
) -> Result<Option<Value>, PolicyError> {
    match (above, below) {
        (Some(above), Some(below)) if !same_value(above, below, parameter) => {
            let reason = format!(
                "the subordinate's {} differs from the superior's {}",
                quoted(below),
                quoted(above)
            );
            Err(invalid_policy(at, operator, reason))
        }
        (above, below) => Ok(above.clone().or_else(|| below.clone())),
    }
}

fn union(above: &Option<Vec<Value>>, below: &Option<Vec<Value>>) -> Option<Vec<Value>> {
    match (above, below) {
        (Some(above), Some(below)) => Some(unique(&[above.as_slice(), below].concat())),
        (above, below) => above.clone().or_else(|| below.clone()),
    }
}

fn intersection(above: &Option<Vec<Value>>, below: &Option<Vec<Value>>) -> Option<Vec<Value>> {
    match (above, below) {
        (Some(above), Some(below)) => {
            let common = above.iter().filter(|value| below.contains(value));
            Some(common.cloned().collect())
        }
        (above, below) => above.clone().or_else(|| below.clone()),
    }
}

fn common_choice(
    above: &Option<Vec<Value>>,
    below: &Option<Vec<Value>>,
    at: &str,
) -> Result<Option<Vec<Value>>, PolicyError> {
    match (intersection(above, below), above, below) {
        (Some(common), Some(above), Some(below)) if common.is_empty() => {
            let reason = format!(
                "the subordinate's {} and the superior's {} have no value in common",
                quoted_list(below),
                quoted_list(above)
            );
            Err(invalid_policy(at, "one_of", reason))
        }
        (common, ..) => Ok(common),
    }
}
