//! A superior of the demonstration federation: the trust anchor and the intermediate differ in their data only.

use super::DemoError;
use super::statement::{self, STATEMENT_SECONDS, STATUS_TYP, TRUST_MARK_TYP, claims};
use crate::clock::Clock;
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, KeySet, KeyUse, PrivateKey, SignatureAlgorithm,
    TypRule, Unverified,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

const MAX_MARK_BYTES: usize = 64 * 1024;

/// What a subordinate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityType {
    /// `openid_provider`
    Provider,
    /// `openid_relying_party`
    RelyingParty,
    /// `federation_entity` with subordinates of its own.
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
    /// Issued marks by type and subject, and whether they are still good.
    pub(super) marks: RwLock<BTreeMap<(String, String), bool>>,
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

    /// The identifiers of those below, in order; all, or those of one entity type.
    #[must_use]
    pub fn list(&self, entity_type: Option<&str>) -> Vec<String> {
        let subordinates = self
            .subordinates
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        subordinates
            .iter()
            .filter(|(_, one)| entity_type.is_none_or(|wanted| wanted == one.entity_type.as_str()))
            .map(|(entity_id, _)| entity_id.clone())
            .collect()
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
            federation_entity.insert(
                "federation_trust_mark_status_endpoint".to_owned(),
                json!(endpoint("trust_mark_status")),
            );
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

    /// Issues a trust mark (OpenID Federation 1.0 §7.1, SPID/CIE TM-1).
    ///
    /// # Errors
    /// When signing fails.
    pub fn trust_mark(
        &self,
        mark_type: &str,
        subject: &str,
        organization: &str,
    ) -> Result<String, DemoError> {
        self.trust_mark_with(
            mark_type,
            subject,
            &claims(json!({
                "organization_type": "public",
                "organization_name": organization,
                "organization_name#it": organization,
                "id_code": {"ipa_code": "demo_varco"},
                "email": "demo@pec.example.it",
                "logo_uri": format!("{subject}logo.svg"),
                "ref": self.entity_id,
            })),
        )
    }

    /// A trust mark with these members beside, or instead of, the required ones; `null` removes one.
    ///
    /// # Errors
    /// When signing fails.
    pub fn trust_mark_with(
        &self,
        mark_type: &str,
        subject: &str,
        overrides: &Map<String, Value>,
    ) -> Result<String, DemoError> {
        let now = self.clock.now();
        let mut members = claims(json!({
            "iss": self.entity_id,
            "sub": subject,
            "iat": now.0,
            "exp": now.plus_seconds(365 * 24 * 3600).0,
            "trust_mark_type": mark_type,
            "id": mark_type,
        }));
        statement::change(&mut members, overrides);
        let mark = statement::sign_as(TRUST_MARK_TYP, &members, &self.key)?;
        self.set_mark(mark_type, subject, true);
        Ok(mark)
    }

    /// Revokes the trust mark of this type and subject.
    pub fn revoke_mark(&self, mark_type: &str, subject: &str) {
        self.set_mark(mark_type, subject, false);
    }

    fn set_mark(&self, mark_type: &str, subject: &str, is_good: bool) {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.insert((mark_type.to_owned(), subject.to_owned()), is_good);
    }

    /// Whether a mark of this type was issued to this subject and not revoked; `None` when this process never issued one.
    #[must_use]
    pub fn is_mark_good(&self, mark_type: &str, subject: &str) -> Option<bool> {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let key = (mark_type.to_owned(), subject.to_owned());
        marks.get(&key).copied()
    }

    /// The status of a trust mark (OpenID Federation 1.0 §8.4.2): `active`, `expired`, `revoked` or `invalid`.
    #[must_use]
    pub fn mark_status(&self, mark: &str) -> &'static str {
        let Ok(keys) = KeySet::from_json(&self.jwks()) else {
            return "invalid";
        };
        let Ok(mark) = Unverified::parse(mark, MAX_MARK_BYTES) else {
            return "invalid";
        };
        let expectations = Expectations {
            kind: "trust mark",
            typ: TypRule::AbsentOr(&[TRUST_MARK_TYP]),
            algorithms: SignatureAlgorithm::ALL,
            kid_required: true,
            issuer: Some(&self.entity_id),
            subject: None,
            audience: None,
            now: self.clock.now(),
            leeway_seconds: 0,
            expiry: ExpiryRule::Optional,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        };
        let verified = match mark.verify::<Map<String, Value>>(&keys, &expectations) {
            Ok(verified) => verified,
            Err(crate::jose::JoseError::Expired { .. }) => return "expired",
            Err(_) => return "invalid",
        };
        let text = |name: &str| verified.claims().get(name).and_then(Value::as_str);
        match (text("trust_mark_type").or_else(|| text("id")), text("sub")) {
            (Some(mark_type), Some(subject)) => match self.is_mark_good(mark_type, subject) {
                Some(false) => "revoked",
                // Issued by an earlier run, with the key that is kept between runs.
                Some(true) | None => "active",
            },
            _ => "invalid",
        }
    }

    /// The answer of the status endpoint for this mark, signed.
    ///
    /// # Errors
    /// When signing fails.
    pub fn mark_status_response(&self, mark: &str) -> Result<String, DemoError> {
        let members = json!({
            "iss": self.entity_id,
            "iat": self.clock.now().0,
            "trust_mark": mark,
            "status": self.mark_status(mark),
        });
        statement::sign_as(STATUS_TYP, &members, &self.key)
    }
}
