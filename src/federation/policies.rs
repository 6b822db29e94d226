//! The metadata policies of a chain: merged from the anchor down, then applied (OpenID Federation 1.0 §6.1.4, SPID/CIE FE-3).

use super::entity_statement::EntityStatement;
use super::error::TrustError;
use super::evaluation::{PolicyRecord, Recorder};
use super::metadata_policy::{Effect, MetadataPolicy, PolicyError, Watch};
use super::trust_chain::Anchor;
use serde_json::{Map, Value};

/// The policies of a chain's statements, and what they come to.
pub(super) struct Policies<'a> {
    /// Issuer and policy, from the anchor down.
    stated: Vec<(&'a str, MetadataPolicy)>,
    merged: MetadataPolicy,
}

impl<'a> Policies<'a> {
    /// Reads and merges the policies of `statements`, which are in the order subject to anchor.
    ///
    /// # Errors
    /// `TrustError::Policy` with the issuer whose policy is malformed or contradicts those above it.
    pub(super) fn of(
        statements: &'a [EntityStatement],
        recorder: &Recorder,
    ) -> Result<Self, TrustError> {
        let mut policies = Self {
            stated: Vec::new(),
            merged: MetadataPolicy::default(),
        };
        for statement in statements.iter().rev() {
            policies.add(statement).map_err(|error| {
                if recorder.is_writing() {
                    recorder.policy(policies.failed(&statement.issuer, &error));
                }
                TrustError::Policy {
                    issuer: statement.issuer.clone(),
                    error,
                }
            })?;
        }
        Ok(policies)
    }

    fn add(&mut self, statement: &'a EntityStatement) -> Result<(), PolicyError> {
        let policy =
            MetadataPolicy::parse(&statement.metadata_policy, &statement.metadata_policy_crit)?;
        self.merged = self.merged.merge(&policy)?;
        self.stated.push((&statement.issuer, policy));
        Ok(())
    }

    /// The metadata after the policies.
    ///
    /// # Errors
    /// `TrustError::Policy` of the anchor, which the merged policy counts as.
    pub(super) fn apply(
        &self,
        anchor: &Anchor,
        declared: &Map<String, Value>,
        recorder: &Recorder,
    ) -> Result<Map<String, Value>, TrustError> {
        let mut note = |effect| recorder.policy(self.record(effect));
        let watch: Option<Watch<'_>> = recorder.is_writing().then_some(&mut note);
        let applied = self.merged.apply_watched(declared, watch);
        applied.map_err(|error| TrustError::Policy {
            issuer: anchor.id.to_string(),
            error,
        })
    }

    fn record(&self, effect: Effect) -> PolicyRecord {
        let stated = self.stated.iter().filter(|(_, policy)| {
            let parameter = policy.parameter(&effect.entity_type, &effect.parameter);
            parameter.is_some_and(|parameter| parameter.operand(effect.operator).is_some())
        });
        PolicyRecord {
            path: format!("{}.{}", effect.entity_type, effect.parameter),
            operator: effect.operator.to_owned(),
            value: effect.operand,
            issuers: stated.map(|(issuer, _)| (*issuer).to_owned()).collect(),
            before: effect.before,
            after: effect.after,
            error: effect.error.map(|error| error.reason),
        }
    }

    /// A policy that cannot be merged with those above it.
    fn failed(&self, issuer: &str, error: &PolicyError) -> PolicyRecord {
        let above = self.stated.iter().filter(|(_, policy)| {
            let (entity_type, parameter) = error.path.split_once('.').unwrap_or_default();
            policy.parameter(entity_type, parameter).is_some()
        });
        let issuers = above.map(|(above, _)| *above).chain([issuer]);
        PolicyRecord {
            path: error.path.clone(),
            operator: error.operator.clone(),
            value: Value::Null,
            issuers: issuers.map(str::to_owned).collect(),
            before: None,
            after: None,
            error: Some(error.reason.clone()),
        }
    }
}
