//! Verification of a complete trust chain (OpenID Federation 1.0 §4 and §10.2, SPID/CIE FE-2, FE-3).
//!
//! ```text
//! anchor's pinned keys ─verify─► statement about S2 ─its jwks verify─► statement about S1 ─…─► subject's configuration
//! ```
//!
//! Everything is verified from the anchor down, each document with the keys that the one above it attests: what was
//! believed while climbing (an intermediate's own keys) counts for nothing here.

use super::constraints::{Below, RemovedType};
use super::entity_id::EntityId;
use super::entity_statement::EntityStatement;
use super::error::TrustError;
use super::evaluation::Recorder;
use super::examiner::{Examiner, Link, StatementKeys, Whose};
use super::policies::Policies;
use crate::clock::UtcTime;
use crate::jose::KeySet;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// A configured trust anchor with what it says of itself.
#[derive(Clone, Debug)]
pub struct Anchor {
    /// Its identifier.
    pub id: EntityId,
    /// The pinned keys; in development perhaps the first ones seen. Never those of a later fetch.
    pub keys: KeySet,
    /// Its entity configuration, verified with `keys`.
    pub configuration: Arc<EntityStatement>,
}

/// A chain from a subject up to, and without, the anchor; nothing in it is proven.
#[derive(Clone, Debug)]
pub struct UnverifiedChain {
    /// Subject, its superior, … up to the entity below the anchor.
    pub entities: Vec<String>,
    /// The subject's entity configuration.
    pub configuration: Link,
    /// The superior's statement about each of `entities`; the last is the anchor's.
    pub statements: Vec<Link>,
    /// The entity configurations of the intermediates, as far as they were fetched: identifier and document.
    pub intermediates: Vec<(EntityId, Link)>,
}

/// A chain that holds.
#[derive(Clone, Debug)]
pub struct ValidChain {
    /// Subject's entity configuration, subordinate statements, anchor's entity configuration.
    pub documents: Vec<String>,
    /// The subject's metadata after overrides and policies, by entity type.
    pub metadata: Map<String, Value>,
    /// The subject's federation keys, as its superior attests them.
    pub federation_keys: KeySet,
    /// The smallest `exp`.
    pub expires_at: UtcTime,
    /// The entity types that constraints took from the metadata.
    pub removed_types: Vec<RemovedType>,
}

impl UnverifiedChain {
    /// Verifies the chain from the anchor down, then constraints, then metadata, of which the type `needed` is wanted.
    ///
    /// # Errors
    /// The first link, constraint or policy that does not hold, by name.
    pub fn verify(
        &self,
        (subject, needed): (&EntityId, &str),
        anchor: &Anchor,
        examiner: &Examiner,
    ) -> Result<ValidChain, TrustError> {
        if self.entities.first().map(String::as_str) != Some(subject.as_str())
            || self.entities.len() != self.statements.len()
        {
            let fact = format!("does not start at {subject}");
            return Err(TrustError::ProvidedChain(fact));
        }
        self.check_is_no_loop(anchor)?;
        let statements = self.verify_statements(anchor, examiner)?;
        let Some(immediate) = statements.first() else {
            return Err(TrustError::NoAnchor {
                subject: subject.to_string(),
            });
        };
        let attested = attested_by(immediate);
        let own = examiner.of_subject();
        let configuration = own.member(subject, &self.configuration, attested)?;
        if !configuration.authority_hints.contains(&immediate.issuer) {
            let fact = format!(
                "authority_hints of {subject} do not name {}",
                immediate.issuer
            );
            return Err(TrustError::ProvidedChain(fact));
        }
        let mut declared = with_overrides(configuration.metadata, &immediate.metadata);
        examiner.recorder.declared(&declared);
        let recorder = &examiner.recorder;
        let typed = (&mut declared, needed);
        let removed_types = self.apply_constraints((anchor, &statements), typed, recorder)?;
        let policies = Policies::of(&statements, recorder)?;
        let metadata = policies.apply(anchor, &declared, recorder)?;
        let expiries = statements.iter().map(|statement| statement.expires_at);
        let expires_at = expiries
            .chain([configuration.expires_at, anchor.configuration.expires_at])
            .min()
            .unwrap_or(configuration.expires_at);
        let statements_jws = self.statements.iter().map(|link| link.jws.clone());
        let documents = std::iter::once(self.configuration.jws.clone())
            .chain(statements_jws)
            .chain([anchor.configuration.jws.clone()]);
        Ok(ValidChain {
            documents: documents.collect(),
            metadata,
            federation_keys: immediate.keys.clone(),
            expires_at,
            removed_types,
        })
    }

    /// An entity that stands above itself attests its own keys: no path of a well-formed federation (§3.2, step 6).
    fn check_is_no_loop(&self, anchor: &Anchor) -> Result<(), TrustError> {
        let below_the_anchor = self.entities.iter().enumerate();
        let again = below_the_anchor.into_iter().find(|(position, entity)| {
            let before = self.entities.get(..*position).unwrap_or_default();
            before.contains(entity) || entity.as_str() == anchor.id.as_str()
        });
        match again {
            None => Ok(()),
            Some((_, entity)) => Err(TrustError::ProvidedChain(format!("has {entity} twice"))),
        }
    }

    /// The statements in the order of `entities`, each verified with the keys attested from above.
    fn verify_statements(
        &self,
        anchor: &Anchor,
        examiner: &Examiner,
    ) -> Result<Vec<EntityStatement>, TrustError> {
        let mut verified: Vec<EntityStatement> = Vec::with_capacity(self.statements.len());
        for (entity, link) in self.entities.iter().zip(&self.statements).rev() {
            let (superior, keys) = match verified.last() {
                None => (
                    anchor.id.as_str(),
                    StatementKeys {
                        keys: &anchor.keys,
                        whose: Whose::Anchor,
                    },
                ),
                Some(above) => (above.subject.as_str(), attested_by(above)),
            };
            let statement = examiner.subordinate((superior, entity), link, keys)?;
            self.verify_intermediate(entity, attested_by(&statement), examiner)?;
            verified.push(statement);
        }
        verified.reverse();
        Ok(verified)
    }

    fn verify_intermediate(
        &self,
        entity: &str,
        keys: StatementKeys<'_>,
        examiner: &Examiner,
    ) -> Result<(), TrustError> {
        let mut fetched = self.intermediates.iter();
        let Some((id, link)) = fetched.find(|(id, _)| id.as_str() == entity) else {
            return Ok(());
        };
        examiner.member(id, link, keys).map(drop)
    }

    /// The anchor's entity configuration counts as if its constraints were in its statements (SPID/CIE FE-2).
    fn apply_constraints(
        &self,
        (anchor, statements): (&Anchor, &[EntityStatement]),
        (metadata, needed): (&mut Map<String, Value>, &str),
        recorder: &Recorder,
    ) -> Result<Vec<RemovedType>, TrustError> {
        let below = |intermediates: usize| Below {
            intermediates,
            entities: self
                .entities
                .get(..=intermediates)
                .unwrap_or(&self.entities),
        };
        let above = (statements.len().saturating_sub(1), &*anchor.configuration);
        let all = std::iter::once(above).chain(statements.iter().enumerate().rev());
        let mut removed = Vec::new();
        for (intermediates, statement) in all {
            let note = |name, holds, says: fmt::Arguments<'_>| {
                recorder.constraint(&statement.jws, (name, holds, says));
            };
            let (constraints, issuer) = (&statement.constraints, &statement.issuer);
            constraints.check(issuer, below(intermediates), note)?;
            removed.extend(constraints.remove_types(issuer, (&mut *metadata, needed), note));
        }
        Ok(removed)
    }
}

/// The keys of a statement's subject.
fn attested_by(statement: &EntityStatement) -> StatementKeys<'_> {
    StatementKeys {
        keys: &statement.keys,
        whose: Whose::Attested(&statement.issuer),
    }
}

/// `metadata` of the immediate superior's statement takes precedence over what the subject says (SPID/CIE FE-3), for the
/// entity types that the subject itself declares (OpenID Federation 1.0 §3.1.1); `null` members say nothing.
fn with_overrides(
    mut metadata: Map<String, Value>,
    overrides: &Map<String, Value>,
) -> Map<String, Value> {
    for (entity_type, parameters) in overrides {
        let Value::Object(parameters) = parameters else {
            continue;
        };
        if let Some(Value::Object(own)) = metadata.get_mut(entity_type) {
            own.extend(parameters.clone());
        }
    }
    for parameters in metadata.values_mut() {
        if let Value::Object(parameters) = parameters {
            parameters.retain(|_, value| !value.is_null());
        }
    }
    metadata
}
