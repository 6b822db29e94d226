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
use super::entity_statement::{EntityStatement, Moment, StatementFault};
use super::error::{BrokenLink, DocumentKind, TrustError};
use super::metadata_policy::{Effect, MetadataPolicy};
use crate::clock::UtcTime;
use crate::jose::KeySet;
use serde_json::{Map, Value};
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

/// A document of a chain and where it came from.
#[derive(Clone, Debug)]
pub struct Link {
    /// The document.
    pub jws: String,
    /// Its address; none when it came with the request.
    pub url: Option<String>,
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
    /// What the policies changed.
    pub effects: Vec<Effect>,
}

impl UnverifiedChain {
    /// Verifies the chain from the anchor down, then constraints, then metadata.
    ///
    /// # Errors
    /// The first link, constraint or policy that does not hold, by name.
    pub fn verify(
        &self,
        subject: &EntityId,
        anchor: &Anchor,
        moment: Moment,
    ) -> Result<ValidChain, TrustError> {
        if self.entities.first().map(String::as_str) != Some(subject.as_str())
            || self.entities.len() != self.statements.len()
        {
            let fact = format!("does not start at {subject}");
            return Err(TrustError::ProvidedChain(fact));
        }
        self.check_is_no_loop(anchor)?;
        let statements = self.verify_statements(anchor, moment)?;
        let Some(immediate) = statements.first() else {
            return Err(TrustError::NoAnchor {
                subject: subject.to_string(),
            });
        };
        let keys = &immediate.keys;
        let checked = EntityStatement::verify_configuration(
            &self.configuration.jws,
            subject,
            Some(keys),
            moment.of_subject(),
        );
        let checked = checked.and_then(|configuration| {
            configuration.check_has_no_policy()?;
            Ok(configuration)
        });
        let configuration = checked.map_err(|fault| {
            let about = (subject.as_str(), subject.as_str());
            broken(
                DocumentKind::EntityConfiguration,
                about,
                &self.configuration,
                fault,
            )
        })?;
        if !configuration.authority_hints.contains(&immediate.issuer) {
            let fact = format!(
                "authority_hints of {subject} do not name {}",
                immediate.issuer
            );
            return Err(TrustError::ProvidedChain(fact));
        }
        let mut declared = with_overrides(configuration.metadata, &immediate.metadata);
        let removed_types = self.apply_constraints(anchor, &statements, &mut declared)?;
        let applied = merged_policy(&statements)?
            .apply(&declared)
            .map_err(|error| TrustError::Policy {
                issuer: anchor.id.to_string(),
                error,
            })?;
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
            metadata: applied.metadata,
            federation_keys: keys.clone(),
            expires_at,
            removed_types,
            effects: applied.effects,
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
        moment: Moment,
    ) -> Result<Vec<EntityStatement>, TrustError> {
        let mut keys = anchor.keys.clone();
        let mut superior = anchor.id.as_str();
        let mut verified = Vec::with_capacity(self.statements.len());
        for (entity, link) in self.entities.iter().zip(&self.statements).rev() {
            let about = (superior, entity.as_str());
            let statement = EntityStatement::verify_subordinate(&link.jws, about, &keys, moment)
                .map_err(|fault| broken(DocumentKind::SubordinateStatement, about, link, fault))?;
            keys = statement.keys.clone();
            self.verify_intermediate(entity, &keys, moment)?;
            superior = entity;
            verified.push(statement);
        }
        verified.reverse();
        Ok(verified)
    }

    fn verify_intermediate(
        &self,
        entity: &str,
        keys: &KeySet,
        moment: Moment,
    ) -> Result<(), TrustError> {
        let mut fetched = self.intermediates.iter();
        let Some((id, link)) = fetched.find(|(id, _)| id.as_str() == entity) else {
            return Ok(());
        };
        EntityStatement::verify_configuration(&link.jws, id, Some(keys), moment)
            .and_then(|configuration| configuration.check_has_no_policy())
            .map_err(|fault| {
                broken(
                    DocumentKind::EntityConfiguration,
                    (entity, entity),
                    link,
                    fault,
                )
            })
    }

    /// The anchor's entity configuration counts as if its constraints were in its statements (SPID/CIE FE-2).
    fn apply_constraints(
        &self,
        anchor: &Anchor,
        statements: &[EntityStatement],
        metadata: &mut Map<String, Value>,
    ) -> Result<Vec<RemovedType>, TrustError> {
        let below = |intermediates: usize| Below {
            intermediates,
            entities: self
                .entities
                .get(..=intermediates)
                .unwrap_or(&self.entities),
        };
        let whole = below(statements.len().saturating_sub(1));
        let own = &anchor.configuration.constraints;
        own.check(anchor.id.as_str(), whole)?;
        let mut removed = own.remove_types(anchor.id.as_str(), metadata);
        for (intermediates, statement) in statements.iter().enumerate().rev() {
            let constraints = &statement.constraints;
            constraints.check(&statement.issuer, below(intermediates))?;
            removed.extend(constraints.remove_types(&statement.issuer, metadata));
        }
        Ok(removed)
    }
}

fn merged_policy(statements: &[EntityStatement]) -> Result<MetadataPolicy, TrustError> {
    let mut merged = MetadataPolicy::default();
    for statement in statements.iter().rev() {
        merged = MetadataPolicy::parse(&statement.metadata_policy, &statement.metadata_policy_crit)
            .and_then(|policy| merged.merge(&policy))
            .map_err(|error| TrustError::Policy {
                issuer: statement.issuer.clone(),
                error,
            })?;
    }
    Ok(merged)
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

/// A statement's fault with its place in the chain.
pub(super) fn broken(
    kind: DocumentKind,
    (issuer, subject): (&str, &str),
    link: &Link,
    fault: StatementFault,
) -> TrustError {
    TrustError::BrokenLink(Box::new(BrokenLink {
        kind,
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        url: link.url.clone(),
        kid: fault.kid,
        fact: fault.fact,
        defect: fault.defect,
    }))
}
