//! A superior of the demonstration federation: the trust anchor and the intermediate differ in their data only.

use super::DemoError;
use super::statement::{self, STATEMENT_SECONDS, claims};
use super::trust_marks::Register;
use crate::clock::Clock;
use crate::jose::{KeyUse, PrivateKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What a subordinate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntityType {
    /// `openid_provider`
    #[serde(rename = "openid_provider")]
    Provider,
    /// `openid_relying_party`
    #[serde(rename = "openid_relying_party")]
    RelyingParty,
    /// `federation_entity` with subordinates of its own.
    #[serde(rename = "federation_entity")]
    Intermediate,
}

impl EntityType {
    /// The entity type identifier (OpenID Federation 1.0 §5.1).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "openid_provider",
            Self::RelyingParty => "openid_relying_party",
            Self::Intermediate => "federation_entity",
        }
    }
}

/// What a superior says of an entity below it.
#[derive(Clone, Debug)]
pub struct Subordinate {
    /// What it is.
    pub entity_type: EntityType,
    /// Its federation keys, `{"keys": […]}`.
    pub jwks: Value,
    /// `metadata_policy`
    pub metadata_policy: Map<String, Value>,
    /// `constraints`
    pub constraints: Option<Value>,
    /// Further members, such as `metadata` or `metadata_policy_crit`; they replace those above.
    pub extra: Map<String, Value>,
}

/// Which subordinates are listed (OpenID Federation 1.0 §8.2.1); by default all.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Those of any of these entity types; empty: of every type.
    pub entity_types: Vec<String>,
    /// Those that hold a valid mark of this superior.
    pub trust_marked: bool,
    /// Those that hold a valid mark of this type.
    pub trust_mark_type: Option<String>,
    /// Those with subordinates of their own.
    pub intermediate: bool,
}

/// Why a fetch endpoint has no statement (OpenID Federation 1.0 §8.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoStatement {
    /// `sub` is the superior itself, or `iss` is another one.
    InvalidRequest,
    /// Nobody of that name below it.
    NotFound,
}

/// A superior: its key, what it publishes of itself, and who is below it.
pub struct Superior {
    pub(super) entity_id: String,
    pub(super) name: &'static str,
    pub(super) key: PrivateKey,
    pub(super) authority_hints: Vec<String>,
    pub(super) trust_marks: Vec<(String, String)>,
    /// Types of trust mark that it issues; the anchor only.
    pub(super) issued_marks: Vec<String>,
    pub(super) constraints: Option<Value>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) subordinates: RwLock<BTreeMap<String, Subordinate>>,
    /// The marks that it issued.
    pub(super) marks: Register,
}

impl Superior {
    /// The entity identifier; ends in a slash.
    #[must_use]
    pub fn entity_id(&self) -> &str {
        &self.entity_id
    }

    /// The public federation keys, `{"keys": […]}`: what others pin.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({"keys": [self.key.public_jwk(KeyUse::Signature, None)]})
    }

    /// The private federation key: tests sign wrong statements with it.
    #[must_use]
    pub const fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Puts an entity below this one, or replaces what is said of it.
    pub fn attest(&self, entity_id: &str, subordinate: Subordinate) {
        let mut subordinates = self
            .subordinates
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        subordinates.insert(entity_id.to_owned(), subordinate);
    }

    /// Changes what is said of an entity below this one; `false` when there is none of that name.
    pub fn change(&self, entity_id: &str, change: impl FnOnce(&mut Subordinate)) -> bool {
        let mut subordinates = self
            .subordinates
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        subordinates.get_mut(entity_id).map(change).is_some()
    }

    /// Takes an entity out of the federation.
    pub fn expel(&self, entity_id: &str) {
        let mut subordinates = self
            .subordinates
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        subordinates.remove(entity_id);
    }

    /// What the entity of this name below is.
    #[must_use]
    pub fn entity_type_of(&self, entity_id: &str) -> Option<EntityType> {
        let subordinates = self
            .subordinates
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        subordinates.get(entity_id).map(|one| one.entity_type)
    }

    /// The identifiers of those below that the filter lets through, in order.
    #[must_use]
    pub fn list(&self, filter: &ListFilter) -> Vec<String> {
        let subordinates = self
            .subordinates
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        subordinates
            .iter()
            .filter(|(entity_id, one)| self.lets_through(filter, entity_id, one.entity_type))
            .map(|(entity_id, _)| entity_id.clone())
            .collect()
    }

    fn lets_through(&self, filter: &ListFilter, entity_id: &str, kind: EntityType) -> bool {
        let types = &filter.entity_types;
        let mark_type = filter.trust_mark_type.as_deref();
        (types.is_empty() || types.iter().any(|wanted| wanted == kind.as_str()))
            && (!filter.intermediate || kind == EntityType::Intermediate)
            && (!filter.trust_marked || self.holds_mark(entity_id, None))
            && (mark_type.is_none() || self.holds_mark(entity_id, mark_type))
    }

    /// Whether it issues trust marks.
    #[must_use]
    pub const fn issues_marks(&self) -> bool {
        !self.issued_marks.is_empty()
    }

    /// Its own entity configuration, signed.
    ///
    /// # Errors
    /// When signing fails.
    pub fn entity_configuration(&self) -> Result<String, DemoError> {
        let now = self.clock.now();
        let endpoint = |name: &str| format!("{}{name}", self.entity_id);
        let mut federation_entity = claims(json!({
            "organization_name": self.name,
            "homepage_uri": self.entity_id,
            "organization_uri": self.entity_id,
            "contacts": ["federazione@pec.example.it"],
            "federation_fetch_endpoint": endpoint("fetch"),
            "federation_list_endpoint": endpoint("list"),
            "federation_resolve_endpoint": endpoint("resolve"),
        }));
        let mut members = claims(json!({
            "iss": self.entity_id,
            "sub": self.entity_id,
            "iat": now.0,
            "exp": now.plus_seconds(STATEMENT_SECONDS).0,
            "jwks": self.jwks(),
        }));
        if !self.authority_hints.is_empty() {
            members.insert("authority_hints".to_owned(), json!(self.authority_hints));
        }
        if !self.trust_marks.is_empty() {
            let marks = self.trust_marks.iter();
            let marks: Vec<Value> = marks
                .map(|(mark_type, mark)| statement::mark_wrapper(mark_type, mark))
                .collect();
            members.insert("trust_marks".to_owned(), Value::Array(marks));
        }
        if !self.issued_marks.is_empty() {
            let issuers = self.issued_marks.iter();
            let issuers: Map<String, Value> = issuers
                .map(|mark_type| (mark_type.clone(), json!([self.entity_id])))
                .collect();
            members.insert("trust_mark_issuers".to_owned(), Value::Object(issuers));
            federation_entity.extend(claims(json!({
                "federation_trust_mark_status_endpoint": endpoint("trust_mark_status"),
                "federation_trust_mark_list_endpoint": endpoint("trust_mark_list"),
                "federation_trust_mark_endpoint": endpoint("trust_mark"),
            })));
        }
        if let Some(constraints) = &self.constraints {
            members.insert("constraints".to_owned(), constraints.clone());
        }
        let metadata = json!({"federation_entity": federation_entity});
        members.insert("metadata".to_owned(), metadata);
        statement::sign_statement(&members, &self.key)
    }

    /// What it says of an entity below it, signed (`federation_fetch_endpoint`).
    ///
    /// # Errors
    /// The inner one when there is nothing to say, the outer one when signing fails.
    pub fn statement_about(
        &self,
        subject: &str,
        issuer: Option<&str>,
    ) -> Result<Result<String, NoStatement>, DemoError> {
        if subject == self.entity_id || issuer.is_some_and(|issuer| issuer != self.entity_id) {
            return Ok(Err(NoStatement::InvalidRequest));
        }
        let subordinate = {
            let subordinates = self
                .subordinates
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            subordinates.get(subject).cloned()
        };
        let Some(subordinate) = subordinate else {
            return Ok(Err(NoStatement::NotFound));
        };
        let now = self.clock.now();
        let mut members = claims(json!({
            "iss": self.entity_id,
            "sub": subject,
            "iat": now.0,
            "exp": now.plus_seconds(STATEMENT_SECONDS).0,
            "jwks": subordinate.jwks,
            "source_endpoint": format!("{}fetch", self.entity_id),
        }));
        if !subordinate.metadata_policy.is_empty() {
            let policy = Value::Object(subordinate.metadata_policy);
            members.insert("metadata_policy".to_owned(), policy);
        }
        if let Some(constraints) = subordinate.constraints {
            members.insert("constraints".to_owned(), constraints);
        }
        members.extend(subordinate.extra);
        statement::sign_statement(&members, &self.key).map(Ok)
    }
}
