//! Applying a merged policy to metadata (OpenID Federation 1.0 §6.1.4.2).

use super::{
    Entry, MetadataPolicy, ParameterPolicy, PolicyError, SPACE_SEPARATED, as_set,
    invalid_metadata, is_subset, path, quoted, quoted_list, same_value, unique,
};
use serde_json::{Map, Value};

/// What one operator changed; for explanations.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// `entity_type.parameter`.
    pub path: String,
    /// The operator, such as `subset_of`.
    pub operator: &'static str,
    /// The value before; `None` when the parameter was absent.
    pub before: Option<Value>,
    /// The value after; `None` when the parameter was removed.
    pub after: Option<Value>,
}

/// Metadata after a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Entity type → metadata.
    pub metadata: Map<String, Value>,
    /// The changes, in the order they were made.
    pub effects: Vec<Effect>,
}

impl MetadataPolicy {
    /// Applies this policy to metadata by entity type. Entity types that the subject does not have stay absent.
    ///
    /// # Errors
    /// The first check that the metadata fails; the path and the operator are named.
    pub fn apply(&self, metadata: &Map<String, Value>) -> Result<Applied, PolicyError> {
        let mut applied = Applied {
            metadata: metadata.clone(),
            effects: Vec::new(),
        };
        for entry in &self.entries {
            let Some(Value::Object(parameters)) = applied.metadata.get_mut(&entry.entity_type)
            else {
                continue;
            };
            let current = parameters.get(&entry.parameter).filter(|v| !v.is_null());
            let mut change = Change::new(entry, current.cloned());
            entry.policy.apply(&mut change)?;
            applied.effects.append(&mut change.effects);
            match change.current {
                Some(value) => {
                    parameters.insert(entry.parameter.clone(), value);
                }
                None => {
                    parameters.shift_remove(&entry.parameter);
                }
            }
        }
        Ok(applied)
    }
}

/// One parameter on its way through the operators.
struct Change<'a> {
    parameter: &'a str,
    path: String,
    current: Option<Value>,
    effects: Vec<Effect>,
}

impl<'a> Change<'a> {
    fn new(entry: &'a Entry, current: Option<Value>) -> Self {
        Self {
            parameter: &entry.parameter,
            path: path(&entry.entity_type, &entry.parameter),
            current,
            effects: Vec::new(),
        }
    }

    fn set(&mut self, operator: &'static str, after: Option<Value>) {
        if self.current != after {
            self.effects.push(Effect {
                path: self.path.clone(),
                operator,
                before: self.current.clone(),
                after: after.clone(),
            });
            self.current = after;
        }
    }

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

impl ParameterPolicy {
    /// The operators in the order that §6.1.3.1 gives them.
    fn apply(&self, change: &mut Change<'_>) -> Result<(), PolicyError> {
        if let Some(value) = &self.value {
            let after = (!value.is_null()).then(|| written(change.parameter, value.clone()));
            change.set("value", after);
        }
        if let Some(add) = &self.add {
            let present = change.values("add")?.unwrap_or_default();
            let all = unique(&[present.as_slice(), add].concat());
            change.set("add", Some(change.written(all)));
        }
        if let Some(default) = &self.default
            && change.current.is_none()
        {
            change.set("default", Some(written(change.parameter, default.clone())));
        }
        self.check_one_of(change)?;
        if let Some(subset_of) = &self.subset_of
            && let Some(present) = change.values("subset_of")?
        {
            let kept = present.into_iter().filter(|value| subset_of.contains(value));
            let kept = change.written(kept.collect());
            change.set("subset_of", Some(kept));
        }
        self.check_superset_of(change)?;
        if self.essential == Some(true) && change.current.is_none() {
            let reason = "the parameter is missing".to_owned();
            return Err(invalid_metadata(&change.path, "essential", reason));
        }
        Ok(())
    }

    fn check_one_of(&self, change: &Change<'_>) -> Result<(), PolicyError> {
        match (&self.one_of, &change.current) {
            (Some(choices), Some(current))
                if !choices.iter().any(|c| same_value(c, current, change.parameter)) =>
            {
                let reason = format!("{} is not among {}", quoted(current), quoted_list(choices));
                Err(invalid_metadata(&change.path, "one_of", reason))
            }
            _ => Ok(()),
        }
    }

    fn check_superset_of(&self, change: &Change<'_>) -> Result<(), PolicyError> {
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
