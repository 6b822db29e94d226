//! Constraints that superiors put upon what is below them (OpenID Federation 1.0 §6.2, SPID/CIE FE-2).

use super::error::TrustError;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;
use url::{Host, Url};

/// The entity type that every entity may have (OpenID Federation 1.0 §6.2.3).
const ALWAYS_ALLOWED: &str = "federation_entity";

/// The beginning of a name in naming constraints of older drafts, which wrote URLs: `https://.example.it`.
const OLDER_PREFIX: &str = "https://";

/// A `constraints` claim. Unknown members are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Constraints {
    /// How many intermediates may stand between the issuer and the subject of the chain.
    pub max_path_length: Option<u64>,
    /// Which host names the entities below may have.
    pub naming_constraints: Option<NamingConstraints>,
    /// Which entity types the subject may have; the others are taken from its metadata.
    pub allowed_entity_types: Option<Vec<String>>,
    /// The member's name in older drafts; applies likewise.
    pub allowed_leaf_entity_types: Option<Vec<String>>,
}

/// Host names in the manner of RFC 5280 §4.2.1.10: `host.example.it` is that host, `.example.it` every host below. Kept in
/// lower case, without a final dot and without the `https://` of older drafts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct NamingConstraints {
    /// When present, one of these must match.
    pub permitted: Option<Vec<String>>,
    /// None of these may match.
    pub excluded: Option<Vec<String>>,
}

/// The part of a chain that stands below the issuer of constraints.
#[derive(Clone, Copy, Debug)]
pub struct Below<'a> {
    /// Intermediates between the issuer and the chain's subject.
    pub intermediates: usize,
    /// The entity identifiers below the issuer, the chain's subject among them.
    pub entities: &'a [String],
}

/// An entity type that a constraint took from the metadata of a chain's subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedType {
    /// Such as `openid_provider`.
    pub entity_type: String,
    /// Whose constraint.
    pub issuer: String,
    /// `allowed_entity_types`, or its older name.
    pub constraint: &'static str,
}

impl RemovedType {
    /// The error of whoever needs this type.
    #[must_use]
    pub fn error(&self) -> TrustError {
        TrustError::Constraint {
            issuer: self.issuer.clone(),
            constraint: self.constraint,
            fact: format!("entity type {} is not allowed", self.entity_type),
        }
    }
}

impl Constraints {
    /// Reads the claim; absent and `null` are no constraints.
    ///
    /// # Errors
    /// What is malformed: constraints that cannot be read must not be ignored.
    pub fn parse(claim: Option<&Value>) -> Result<Self, String> {
        match claim {
            None | Some(Value::Null) => Ok(Self::default()),
            Some(claim) => {
                let mut read = Self::deserialize(claim).map_err(|error| error.to_string())?;
                read.naming_constraints
                    .as_mut()
                    .map_or(Ok(()), NamingConstraints::normalize)?;
                Ok(read)
            }
        }
    }

    /// Checks what stands below `issuer`; `note` is told of every constraint, whether it holds, and why, in words that are
    /// written only where they are kept.
    ///
    /// # Errors
    /// `TrustError::Constraint` with the name of the broken constraint.
    pub fn check(
        &self,
        issuer: &str,
        below: Below<'_>,
        note: impl Fn(&'static str, bool, fmt::Arguments<'_>),
    ) -> Result<(), TrustError> {
        let judged = |constraint, holds: bool, says: fmt::Arguments<'_>| {
            note(constraint, holds, says);
            match holds {
                true => Ok(()),
                false => Err(TrustError::Constraint {
                    issuer: issuer.to_owned(),
                    constraint,
                    fact: says.to_string(),
                }),
            }
        };
        if let Some(limit) = self.max_path_length {
            let intermediates = u64::try_from(below.intermediates).unwrap_or(u64::MAX);
            judged(
                "max_path_length",
                intermediates <= limit,
                format_args!("{intermediates} intermediates, at most {limit} are allowed"),
            )?;
        }
        if let Some(naming) = &self.naming_constraints {
            let constraint = "naming_constraints";
            match below.entities.iter().find(|entity| !naming.allows(entity)) {
                None => judged(
                    constraint,
                    true,
                    format_args!("all entities below are allowed"),
                )?,
                Some(entity) => {
                    judged(constraint, false, format_args!("{entity} is not allowed"))?;
                }
            }
        }
        Ok(())
    }

    /// Takes from the subject's metadata the entity types that it may not have (OpenID Federation 1.0 §6.2.3): an entity
    /// of two types keeps the one that is allowed. `note` is told of every constraint and what it takes; a constraint that
    /// takes the type that is `needed` does not hold.
    pub fn remove_types(
        &self,
        issuer: &str,
        (metadata, needed): (&mut Map<String, Value>, &str),
        note: impl Fn(&'static str, bool, fmt::Arguments<'_>),
    ) -> Vec<RemovedType> {
        let types = [
            ("allowed_entity_types", &self.allowed_entity_types),
            ("allowed_leaf_entity_types", &self.allowed_leaf_entity_types),
        ];
        let mut removed = Vec::new();
        for (constraint, allowed) in types {
            let Some(allowed) = allowed else { continue };
            let before = removed.len();
            metadata.retain(|entity_type, _| {
                let keep = entity_type == ALWAYS_ALLOWED || allowed.contains(entity_type);
                if !keep {
                    removed.push(RemovedType {
                        entity_type: entity_type.clone(),
                        issuer: issuer.to_owned(),
                        constraint,
                    });
                }
                keep
            });
            let taken = removed.get(before..).unwrap_or_default();
            match taken {
                [] => note(constraint, true, format_args!("takes away nothing")),
                taken => {
                    let holds = !taken.iter().any(|taken| taken.entity_type == needed);
                    let names = fmt::from_fn(|f| {
                        taken
                            .iter()
                            .try_for_each(|taken| write!(f, " {}", taken.entity_type))
                    });
                    note(constraint, holds, format_args!("takes away{names}"));
                }
            }
        }
        removed
    }
}

impl NamingConstraints {
    /// A name that can match no host would exclude nothing: it is refused rather than passed over.
    fn normalize(&mut self) -> Result<(), String> {
        let lists = [&mut self.permitted, &mut self.excluded];
        for name in lists.into_iter().flatten().flatten() {
            let lower = name.to_ascii_lowercase();
            let host = lower.strip_prefix(OLDER_PREFIX).unwrap_or(&lower);
            let host = host.trim_end_matches(['/', '.']);
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
            if host.is_empty() || !host.chars().all(plain) {
                return Err(format!("naming_constraints: {name:?} is no host name"));
            }
            *name = host.to_owned();
        }
        Ok(())
    }

    fn allows(&self, entity: &str) -> bool {
        let host = Url::parse(entity).ok();
        let host = host.as_ref().and_then(Url::host);
        let matches = |patterns: &Option<Vec<String>>| {
            let mut patterns = patterns.iter().flatten();
            patterns.any(|pattern| covers(pattern, host.as_ref()))
        };
        !matches(&self.excluded) && (self.permitted.is_none() || matches(&self.permitted))
    }
}

/// RFC 5280 §4.2.1.10 speaks of names; an IP address matches only itself.
fn covers(pattern: &str, host: Option<&Host<&str>>) -> bool {
    match host {
        None => false,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == pattern || (pattern.starts_with('.') && name.ends_with(pattern))
        }
        Some(address) => address.to_string() == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(constraints: Value, intermediates: usize, entities: &[&str]) -> Result<(), String> {
        let entities: Vec<String> = entities.iter().map(ToString::to_string).collect();
        let below = Below {
            intermediates,
            entities: &entities,
        };
        Constraints::parse(Some(&constraints))?
            .check("https://ta.example.it", below, |_, _, _| {})
            .map_err(|error| error.to_string())
    }

    #[test]
    fn max_path_length_counts_intermediates() {
        // SPID/CIE FE-2
        assert!(check(json!({"max_path_length": 1}), 1, &[]).is_ok());
        let error = check(json!({"max_path_length": 0}), 1, &[]).unwrap_err();
        assert_eq!(
            error,
            "constraint max_path_length of https://ta.example.it: 1 intermediates, at most 0 are allowed"
        );
    }

    #[test]
    fn naming_constraints_are_about_host_names() {
        // SPID/CIE FE-2
        let permitted = json!({"naming_constraints": {"permitted": [".example.it"], "excluded": ["evil.example.it"]}});
        assert!(
            check(
                permitted.clone(),
                0,
                &["https://a.b.example.it/rp", "https://RP.example.it"]
            )
            .is_ok()
        );
        for refused in [
            "https://example.it",
            "https://evil.example.it/x",
            "https://badexample.it",
            "https://10.0.0.1",
        ] {
            assert!(
                check(permitted.clone(), 0, &[refused]).is_err(),
                "{refused}"
            );
        }
        let exact = json!({"naming_constraints": {"permitted": ["rp.example.it"]}});
        assert!(check(exact.clone(), 0, &["https://rp.example.it:8443/a"]).is_ok());
        assert!(check(exact, 0, &["https://a.rp.example.it"]).is_err());
        let nobody = json!({"naming_constraints": {"permitted": []}});
        assert!(check(nobody, 0, &["https://rp.example.it"]).is_err());
        let after_dot = json!({"naming_constraints": {"excluded": ["evil.example.it"]}});
        assert!(check(after_dot, 0, &["https://evil.example.it./x"]).is_err());
    }

    #[test]
    fn entity_types_that_are_not_allowed_are_taken_away_and_federation_entity_never() {
        // SPID/CIE FE-2, OIDC Federation §6.2.3
        for name in ["allowed_entity_types", "allowed_leaf_entity_types"] {
            for (allowed, kept) in [
                (
                    json!(["openid_relying_party"]),
                    json!({"openid_relying_party": {}, "federation_entity": {}}),
                ),
                (json!([]), json!({"federation_entity": {}})),
            ] {
                let mut metadata = json!({"openid_relying_party": {}, "federation_entity": {}, "openid_provider": {}});
                let removed = Constraints::parse(Some(&json!({name: allowed})))
                    .unwrap()
                    .remove_types(
                        "https://ta.example.it",
                        (metadata.as_object_mut().unwrap(), "openid_relying_party"),
                        |_, _, _| {},
                    );
                assert_eq!(metadata, kept);
                assert!(removed.iter().any(|r| r.error().to_string()
                    == format!("constraint {name} of https://ta.example.it: entity type openid_provider is not allowed")));
            }
        }
    }

    #[test]
    fn names_of_older_drafts_count_and_names_that_match_nothing_are_refused() {
        // SPID/CIE FE-2
        let older = json!({"naming_constraints": {"permitted": ["https://.Example.it/"], "excluded": ["https://evil.example.it."]}});
        assert!(check(older.clone(), 0, &["https://rp.example.it"]).is_ok());
        for refused in ["https://evil.example.it/rp", "https://example.it"] {
            assert!(check(older.clone(), 0, &[refused]).is_err(), "{refused}");
        }
        for name in [
            "",
            ".",
            "https://",
            "*.example.it",
            "example.it/path",
            "a b",
        ] {
            let unreadable = json!({"naming_constraints": {"excluded": [name]}});
            assert!(check(unreadable, 0, &[]).is_err(), "{name}");
        }
    }

    #[test]
    fn constraints_that_cannot_be_read_are_refused() {
        assert!(check(json!({"max_path_length": -1}), 0, &[]).is_err());
        assert!(check(json!("none"), 0, &[]).is_err());
        assert!(check(json!({"unknown": 1}), 9, &[]).is_ok());
    }
}
