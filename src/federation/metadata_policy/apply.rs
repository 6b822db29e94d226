//! Applying a merged policy to metadata (OpenID Federation 1.0 §6.1.4.2).

use super::{
    Entry, MetadataPolicy, ParameterPolicy, PolicyError, SPACE_SEPARATED, as_set, invalid_metadata,
    is_subset, path, quoted, quoted_list, same_value, unique,
};
use serde_json::{Map, Value};

/// What one operator did to one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The entity type of the metadata.
    pub entity_type: String,
    /// The parameter.
    pub parameter: String,
    /// The operator, such as `subset_of`.
    pub operator: &'static str,
    /// What the policy says.
    pub operand: Value,
    /// The value before; `None` when the parameter was absent.
    pub before: Option<Value>,
    /// The value after; `None` when the parameter is absent.
    pub after: Option<Value>,
    /// Why the metadata fails the operator; then it is the last one.
    pub error: Option<PolicyError>,
}

/// Told of every operator, in the order of application; for explanations.
pub type Watch<'a> = &'a mut dyn FnMut(Effect);

impl MetadataPolicy {
    /// Applies this policy to metadata by entity type. Entity types that the subject does not have stay absent.
    ///
    /// # Errors
    /// The first check that the metadata fails; the path and the operator are named.
    pub fn apply(&self, metadata: &Map<String, Value>) -> Result<Map<String, Value>, PolicyError> {
        self.apply_watched(metadata, None)
    }

    /// As [`MetadataPolicy::apply`]; `watch` is told of every operator, the one that fails too.
    ///
    /// # Errors
    /// The same.
    pub fn apply_watched(
        &self,
        metadata: &Map<String, Value>,
        mut watch: Option<Watch<'_>>,
    ) -> Result<Map<String, Value>, PolicyError> {
        let mut metadata = metadata.clone();
        for entry in &self.entries {
            let Some(Value::Object(parameters)) = metadata.get_mut(&entry.entity_type) else {
                continue;
            };
            let current = parameters.get(&entry.parameter).filter(|v| !v.is_null());
            let mut change = Change {
                parameter: &entry.parameter,
                path: path(&entry.entity_type, &entry.parameter),
                current: current.cloned(),
            };
            match watch.as_deref_mut() {
                None => OPERATIONS
                    .iter()
                    .try_for_each(|(_, operation)| operation(&entry.policy, &mut change))?,
                Some(watch) => entry.apply_watched(&mut change, watch)?,
            }
            match change.current {
                Some(value) => {
                    parameters.insert(entry.parameter.clone(), value);
                }
                None => {
                    parameters.shift_remove(&entry.parameter);
                }
            }
        }
        Ok(metadata)
    }
}

impl Entry {
    fn apply_watched(
        &self,
        change: &mut Change<'_>,
        watch: &mut dyn FnMut(Effect),
    ) -> Result<(), PolicyError> {
        for (operator, operation) in OPERATIONS {
            let Some(operand) = self.policy.operand(operator) else {
                continue;
            };
            let before = change.current.clone();
            let outcome = operation(&self.policy, change);
            watch(Effect {
                entity_type: self.entity_type.clone(),
                parameter: self.parameter.clone(),
                operator,
                operand,
                before,
                after: change.current.clone(),
                error: outcome.as_ref().err().cloned(),
            });
            outcome?;
        }
        Ok(())
    }
}

/// One parameter on its way through the operators.
struct Change<'a> {
    parameter: &'a str,
    path: String,
    current: Option<Value>,
}

impl Change<'_> {
    /// The present values as a set.
    fn values(&self, operator: &str) -> Result<Option<Vec<Value>>, PolicyError> {
        let Some(current) = &self.current else {
            return Ok(None);
        };
        let is_set = current.is_array() || self.parameter == SPACE_SEPARATED;
        let values = is_set.then(|| as_set(current, self.parameter)).flatten();
        values.map(Some).ok_or_else(|| {
            let reason = format!("{} is no array of plain values", quoted(current));
            invalid_metadata(&self.path, operator, reason)
        })
    }

    /// A set in the form that the parameter has: `scope` is a string of words.
    fn written(&self, values: Vec<Value>) -> Value {
        written(self.parameter, Value::Array(values))
    }
}

fn written(parameter: &str, value: Value) -> Value {
    match value {
        Value::Array(values)
            if parameter == SPACE_SEPARATED && values.iter().all(Value::is_string) =>
        {
            let words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            Value::String(words.join(" "))
        }
        value => value,
    }
}

type Operation = fn(&ParameterPolicy, &mut Change<'_>) -> Result<(), PolicyError>;

/// The operators in the order that §6.1.3.1 gives them; one that the policy does not state does nothing.
const OPERATIONS: [(&str, Operation); 7] = [
    ("value", ParameterPolicy::set_value),
    ("add", ParameterPolicy::add),
    ("default", ParameterPolicy::set_default),
    ("one_of", ParameterPolicy::check_one_of),
    ("subset_of", ParameterPolicy::reduce),
    ("superset_of", ParameterPolicy::check_superset_of),
    ("essential", ParameterPolicy::check_essential),
];

impl ParameterPolicy {
    fn set_value(&self, change: &mut Change<'_>) -> Result<(), PolicyError> {
        if let Some(value) = &self.value {
            change.current = (!value.is_null()).then(|| written(change.parameter, value.clone()));
        }
        Ok(())
    }

    fn add(&self, change: &mut Change<'_>) -> Result<(), PolicyError> {
        if let Some(add) = &self.add {
            let present = change.values("add")?.unwrap_or_default();
            let all = unique(&[present.as_slice(), add].concat());
            change.current = Some(change.written(all));
        }
        Ok(())
    }

    fn set_default(&self, change: &mut Change<'_>) -> Result<(), PolicyError> {
        if let Some(default) = &self.default
            && change.current.is_none()
        {
            change.current = Some(written(change.parameter, default.clone()));
        }
        Ok(())
    }

    fn reduce(&self, change: &mut Change<'_>) -> Result<(), PolicyError> {
        if let Some(subset_of) = &self.subset_of
            && let Some(present) = change.values("subset_of")?
        {
            let kept = present
                .into_iter()
                .filter(|value| subset_of.contains(value));
            change.current = Some(change.written(kept.collect()));
        }
        Ok(())
    }

    fn check_essential(&self, change: &mut Change<'_>) -> Result<(), PolicyError> {
        if self.essential == Some(true) && change.current.is_none() {
            let reason = "the parameter is missing".to_owned();
            return Err(invalid_metadata(&change.path, "essential", reason));
        }
        Ok(())
    }

    fn check_one_of(&self, change: &mut Change<'_>) -> Result<(), PolicyError> {
        match (&self.one_of, &change.current) {
            (Some(choices), Some(current))
                if !choices
                    .iter()
                    .any(|c| same_value(c, current, change.parameter)) =>
            {
                let reason = format!("{} is not among {}", quoted(current), quoted_list(choices));
                Err(invalid_metadata(&change.path, "one_of", reason))
            }
            _ => Ok(()),
        }
    }

    fn check_superset_of(&self, change: &mut Change<'_>) -> Result<(), PolicyError> {
        let Some(superset_of) = &self.superset_of else {
            return Ok(());
        };
        match change.values("superset_of")? {
            Some(present) if !is_subset(superset_of, &present) => {
                let reason = format!(
                    "{} lacks a value of {}",
                    quoted_list(&present),
                    quoted_list(superset_of)
                );
                Err(invalid_metadata(&change.path, "superset_of", reason))
            }
            _ => Ok(()),
        }
    }
}
