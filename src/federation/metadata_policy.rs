//! Metadata policies (OpenID Federation 1.0 §6.1): what superiors demand of, and do to, the metadata of those below them.
//!
//! ```text
//! anchor's policy ─► merge ─► intermediate's policy ─► merge ─► … ─► apply to the subject's metadata
//! ```
//!
//! A policy that was parsed or merged has been checked for operators that may not stand together (§6.1.3.1), so that
//! [`MetadataPolicy::apply`] only ever reports what is wrong with the metadata.
//! To add an operator: a member of [`ParameterPolicy`], its lines in `parse`, `operand`, `merge`, `check` and `apply`.

mod apply;
mod merge;
#[cfg(test)]
mod tests;

pub use apply::{Effect, Watch};

use serde_json::{Map, Value};

/// Whether a policy or the metadata under it is at fault (the two error kinds of OpenID Federation 1.0 §6.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyErrorKind {
    /// The policies of the chain cannot be merged, or one is malformed.
    InvalidPolicy,
    /// The metadata breaks the merged policy.
    InvalidMetadata,
}

/// A policy that cannot be merged, or metadata that breaks it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {operator}: {reason}")]
pub struct PolicyError {
    /// Which side is at fault.
    pub kind: PolicyErrorKind,
    /// `entity_type.parameter`, such as `openid_relying_party.grant_types`.
    pub path: String,
    /// The operator that failed, such as `subset_of`; two joined by `/` when they may not stand together.
    pub operator: String,
    /// The fact, in ASCII unless a quoted value is not.
    pub reason: String,
}

/// The operators upon one metadata parameter. Absent operators are `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterPolicy {
    /// The parameter becomes this value; `null` removes it.
    pub value: Option<Value>,
    /// Values added to those present.
    pub add: Option<Vec<Value>>,
    /// The value of an absent parameter.
    pub default: Option<Value>,
    /// The only values that a present parameter may have.
    pub one_of: Option<Vec<Value>>,
    /// A present parameter is reduced to these values.
    pub subset_of: Option<Vec<Value>>,
    /// The values that a present parameter must contain.
    pub superset_of: Option<Vec<Value>>,
    /// Whether the parameter must be present in the end.
    pub essential: Option<bool>,
}

/// The policies of one statement, or of a chain once merged: entity type → parameter → operators.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetadataPolicy {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    entity_type: String,
    parameter: String,
    policy: ParameterPolicy,
}

/// The operators of OpenID Federation 1.0 §6.1.3.1, in the order of their application.
pub const OPERATORS: [&str; 7] = [
    "value",
    "add",
    "default",
    "one_of",
    "subset_of",
    "superset_of",
    "essential",
];

/// At most this many parameters in one policy, and values in one set: merging compares each with each.
const PARAMETERS_MAX: usize = 1_000;

/// No entity type: policies of the Italian federation carry their statement's constraints along. Those of the statement
/// itself count.
const NOISE: &str = "constraints";

/// The one parameter whose value is a set written as a space separated string (OpenID Federation 1.0 §6.1.3.1.8).
const SPACE_SEPARATED: &str = "scope";

impl MetadataPolicy {
    /// Reads a `metadata_policy` claim. Unknown operators are ignored unless `critical` (the statement's
    /// `metadata_policy_crit`) names them.
    ///
    /// # Errors
    /// A shape or a combination of operators that §6.1.3.1 does not allow; a critical operator that is not understood.
    pub fn parse(claim: &Map<String, Value>, critical: &[String]) -> Result<Self, PolicyError> {
        if let Some(named) = critical.first() {
            let fault = match OPERATORS.contains(&named.as_str()) {
                true => "this is a standard operator, which may not be named here",
                false => "this operator is critical and not understood",
            };
            return Err(invalid_policy(
                "metadata_policy_crit",
                named,
                fault.to_owned(),
            ));
        }
        let mut entries = Vec::new();
        let stated: usize = claim
            .values()
            .filter_map(Value::as_object)
            .map(Map::len)
            .sum();
        if stated > PARAMETERS_MAX {
            let reason = format!("more than {PARAMETERS_MAX} parameters");
            return Err(invalid_policy("metadata_policy", "metadata_policy", reason));
        }
        for (entity_type, parameters) in claim.iter().filter(|(name, _)| *name != NOISE) {
            let Value::Object(parameters) = parameters else {
                return Err(not_an_object(entity_type));
            };
            for (parameter, operators) in parameters {
                let path = path(entity_type, parameter);
                let Value::Object(operators) = operators else {
                    return Err(not_an_object(&path));
                };
                let policy = ParameterPolicy::parse(operators, parameter, &path)?;
                policy.check(parameter, &path)?;
                entries.push(Entry {
                    entity_type: entity_type.clone(),
                    parameter: parameter.clone(),
                    policy,
                });
            }
        }
        Ok(Self { entries })
    }

    /// The policy of one parameter.
    #[must_use]
    pub fn parameter(&self, entity_type: &str, parameter: &str) -> Option<&ParameterPolicy> {
        self.entries
            .iter()
            .find(|e| e.entity_type == entity_type && e.parameter == parameter)
            .map(|e| &e.policy)
    }

    /// Whether no operator is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The policy as a `metadata_policy` claim.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut out = Map::new();
        for entry in &self.entries {
            let parameters = out
                .entry(entry.entity_type.clone())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(parameters) = parameters {
                parameters.insert(entry.parameter.clone(), entry.policy.to_json());
            }
        }
        out
    }
}

impl ParameterPolicy {
    fn parse(
        operators: &Map<String, Value>,
        parameter: &str,
        path: &str,
    ) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        for (operator, operand) in operators {
            match operator.as_str() {
                "value" => policy.value = Some(operand.clone()),
                "default" => {
                    if operand.is_null() {
                        return Err(invalid_policy(
                            path,
                            operator,
                            "must not be null".to_owned(),
                        ));
                    }
                    policy.default = Some(operand.clone());
                }
                "add" => policy.add = Some(operand_set(operand, parameter, path, operator)?),
                "one_of" => policy.one_of = Some(one_of_set(operand, path)?),
                "subset_of" => {
                    policy.subset_of = Some(operand_set(operand, parameter, path, operator)?);
                }
                "superset_of" => {
                    policy.superset_of = Some(operand_set(operand, parameter, path, operator)?);
                }
                "essential" => match operand {
                    Value::Bool(essential) => policy.essential = Some(*essential),
                    _ => {
                        let reason = "must be true or false".to_owned();
                        return Err(invalid_policy(path, operator, reason));
                    }
                },
                _ => {} // §6.1.3.2: operators that are not critical and not understood are ignored
            }
        }
        Ok(policy)
    }

    fn to_json(&self) -> Value {
        let stated = OPERATORS.into_iter().filter_map(|operator| {
            let operand = self.operand(operator)?;
            Some((operator.to_owned(), operand))
        });
        stated.collect::<Map<_, _>>().into()
    }

    /// What this policy states under one of [`OPERATORS`].
    #[must_use]
    pub fn operand(&self, operator: &str) -> Option<Value> {
        let list = |values: &Option<Vec<Value>>| values.clone().map(Value::Array);
        match operator {
            "value" => self.value.clone(),
            "add" => list(&self.add),
            "default" => self.default.clone(),
            "one_of" => list(&self.one_of),
            "subset_of" => list(&self.subset_of),
            "superset_of" => list(&self.superset_of),
            "essential" => self.essential.map(Value::Bool),
            _ => None,
        }
    }
}

fn path(entity_type: &str, parameter: &str) -> String {
    format!("{entity_type}.{parameter}")
}

fn invalid_policy(path: &str, operator: &str, reason: String) -> PolicyError {
    PolicyError {
        kind: PolicyErrorKind::InvalidPolicy,
        path: path.to_owned(),
        operator: operator.to_owned(),
        reason,
    }
}

fn invalid_metadata(path: &str, operator: &str, reason: String) -> PolicyError {
    PolicyError {
        kind: PolicyErrorKind::InvalidMetadata,
        path: path.to_owned(),
        operator: operator.to_owned(),
        reason,
    }
}

fn not_an_object(path: &str) -> PolicyError {
    invalid_policy(path, "metadata_policy", "must be a JSON object".to_owned())
}

/// The operand of a set operator. A single string counts as a set of one: registries write `"add": "a@example.it"`.
fn operand_set(
    operand: &Value,
    parameter: &str,
    path: &str,
    operator: &str,
) -> Result<Vec<Value>, PolicyError> {
    as_set(operand, parameter).ok_or_else(|| {
        let reason = "must be an array of strings, numbers or objects".to_owned();
        invalid_policy(path, operator, reason)
    })
}

fn one_of_set(operand: &Value, path: &str) -> Result<Vec<Value>, PolicyError> {
    match operand {
        Value::Array(values) if !values.is_empty() && values.len() <= PARAMETERS_MAX => {
            Ok(unique(values))
        }
        _ => Err(invalid_policy(
            path,
            "one_of",
            format!("must be an array of 1 to {PARAMETERS_MAX} values"),
        )),
    }
}

/// The values of a set valued parameter or operand: an array, one string, or the words of `scope`.
fn as_set(value: &Value, parameter: &str) -> Option<Vec<Value>> {
    match value {
        Value::Array(values) => {
            let plain = values.iter().all(|v| !(v.is_null() || v.is_array()));
            (plain && values.len() <= PARAMETERS_MAX).then(|| unique(values))
        }
        Value::String(text) if parameter == SPACE_SEPARATED => {
            let words: Vec<Value> = text.split_ascii_whitespace().map(Value::from).collect();
            (words.len() <= PARAMETERS_MAX).then(|| unique(&words))
        }
        Value::String(_) => Some(vec![value.clone()]),
        _ => None,
    }
}

fn unique(values: &[Value]) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        if !out.contains(value) {
            out.push(value.clone());
        }
    }
    out
}

/// Whether every value of `part` is among `whole`.
fn is_subset(part: &[Value], whole: &[Value]) -> bool {
    part.iter().all(|value| whole.contains(value))
}

/// Equality of two values of a parameter; `scope` is compared as a set.
fn same_value(left: &Value, right: &Value, parameter: &str) -> bool {
    if parameter != SPACE_SEPARATED {
        return left == right;
    }
    match (as_set(left, parameter), as_set(right, parameter)) {
        (Some(left), Some(right)) => is_subset(&left, &right) && is_subset(&right, &left),
        _ => left == right,
    }
}

/// At most this many characters of a value are quoted in a reason.
const QUOTED_MAX: usize = 120;

/// A value for a message, cut when long.
fn quoted(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= QUOTED_MAX {
        return text;
    }
    let cut: String = text.chars().take(QUOTED_MAX).collect();
    format!("{cut}...")
}

fn quoted_list(values: &[Value]) -> String {
    quoted(&Value::Array(values.to_vec()))
}
