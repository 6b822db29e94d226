//! The trust marks that a superior issues: what is signed, what is remembered of it, and what others are told.

use super::statement::{self, STATUS_TYP, TRUST_MARK_TYP, claims};
use super::{DemoError, Superior};
use crate::clock::UtcTime;
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, JoseError, KeySet, SignatureAlgorithm, TypRule,
    Unverified,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

const MAX_MARK_BYTES: usize = 64 * 1024;
const MARK_SECONDS: i64 = 365 * 24 * 3600;
/// A mark that ends within this time is issued anew when somebody asks for it.
const RENEWAL_SECONDS: i64 = 30 * 24 * 3600;

/// The member that names the type, first the final one, then those of older drafts (SPID/CIE TM-1).
const TYPE_MEMBERS: [&str; 3] = ["trust_mark_type", "trust_mark_id", "id"];

/// The newest mark of each type and subject.
pub type Register = RwLock<BTreeMap<(String, String), Mark>>;

/// What is remembered of a mark.
#[derive(Clone, Debug)]
pub enum Mark {
    /// It was issued.
    Issued {
        /// The mark.
        jwt: String,
        /// Its `exp`.
        expires_at: Option<UtcTime>,
        /// The members beside the required ones, for the next one.
        members: Map<String, Value>,
    },
    /// No mark of this type and subject counts any more.
    Revoked,
}

/// The status of a trust mark (OpenID Federation 1.0 §8.4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkStatus {
    /// It counts.
    Active,
    /// Its `exp` has passed.
    Expired,
    /// It was withdrawn.
    Revoked,
    /// It is no mark, or its signature is wrong.
    Invalid,
}

impl MarkStatus {
    /// The value of `status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Invalid => "invalid",
        }
    }
}

impl Superior {
    /// Issues a trust mark (OpenID Federation 1.0 §7.1, SPID/CIE TM-1). `organization_type` is `public` or `private`.
    ///
    /// # Errors
    /// When signing fails.
    pub fn trust_mark(
        &self,
        mark_type: &str,
        subject: &str,
        organization: &str,
    ) -> Result<String, DemoError> {
        let kind = match mark_type.ends_with("/private/") {
            true => "private",
            false => "public",
        };
        self.trust_mark_with(
            mark_type,
            subject,
            &claims(json!({
                "organization_type": kind,
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
            "exp": now.plus_seconds(MARK_SECONDS).0,
            "trust_mark_type": mark_type,
            "id": mark_type,
        }));
        statement::change(&mut members, overrides);
        let jwt = statement::sign_as(TRUST_MARK_TYP, &members, &self.key)?;
        // As the mark states them: a test may have changed them.
        if let (Some(mark_type), Some(subject)) = (stated_type(&members), text(&members, "sub")) {
            let mark = Mark::Issued {
                jwt: jwt.clone(),
                expires_at: members.get("exp").and_then(Value::as_i64).map(UtcTime),
                members: overrides.clone(),
            };
            self.remember(mark_type, subject, mark);
        }
        Ok(jwt)
    }

    /// The mark of this type and subject; a new one when the last one ends soon (OpenID Federation 1.0 §8.6).
    ///
    /// # Errors
    /// When signing fails.
    pub fn current_mark(
        &self,
        mark_type: &str,
        subject: &str,
    ) -> Result<Option<String>, DemoError> {
        let Some(Mark::Issued {
            jwt,
            expires_at,
            mut members,
        }) = self.remembered(mark_type, subject)
        else {
            return Ok(None);
        };
        let soon = self.clock.now().plus_seconds(RENEWAL_SECONDS);
        if expires_at.is_none_or(|end| soon < end) {
            return Ok(Some(jwt));
        }
        members.retain(|name, _| name != "iat" && name != "exp");
        self.trust_mark_with(mark_type, subject, &members).map(Some)
    }

    /// Revokes every trust mark of this type and subject.
    pub fn revoke_mark(&self, mark_type: &str, subject: &str) {
        self.remember(mark_type, subject, Mark::Revoked);
    }

    /// Whether the subject holds a valid mark of this type, or of any.
    #[must_use]
    pub fn holds_mark(&self, subject: &str, mark_type: Option<&str>) -> bool {
        let now = self.clock.now();
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks.iter().any(|((kind, holder), mark)| {
            holder == subject && mark_type.is_none_or(|wanted| wanted == kind) && mark.is_valid(now)
        })
    }

    /// Whether this is a valid mark of this type for this subject.
    #[must_use]
    pub fn is_good_mark(&self, mark: &str, mark_type: &str, subject: &str) -> bool {
        let members: Map<String, Value> = Unverified::parse(mark, MAX_MARK_BYTES)
            .and_then(|unverified| unverified.unverified_claims())
            .unwrap_or_default();
        stated_type(&members) == Some(mark_type)
            && text(&members, "sub") == Some(subject)
            && self.mark_status(mark) == Some(MarkStatus::Active)
    }

    /// Who holds a valid mark of this type, in order (OpenID Federation 1.0 §8.5).
    #[must_use]
    pub fn holders(&self, mark_type: &str) -> Vec<String> {
        let now = self.clock.now();
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        marks
            .iter()
            .filter(|((kind, _), mark)| kind == mark_type && mark.is_valid(now))
            .map(|((_, holder), _)| holder.clone())
            .collect()
    }

    /// The status of a trust mark; `None` when it is none of this superior's (OpenID Federation 1.0 §8.4.2).
    #[must_use]
    pub fn mark_status(&self, mark: &str) -> Option<MarkStatus> {
        let Ok(unverified) = Unverified::parse(mark, MAX_MARK_BYTES) else {
            return Some(MarkStatus::Invalid);
        };
        let Ok(members) = unverified.unverified_claims::<Map<String, Value>>() else {
            return Some(MarkStatus::Invalid);
        };
        if text(&members, "iss").is_some_and(|issuer| issuer != self.entity_id) {
            return None;
        }
        let verified = KeySet::from_json(&self.jwks())
            .and_then(|keys| unverified.verify(&keys, &self.expected_mark()));
        let members: Map<String, Value> = match verified {
            Ok(verified) => verified.into_claims(),
            Err(JoseError::Expired { .. }) => return Some(MarkStatus::Expired),
            Err(_) => return Some(MarkStatus::Invalid),
        };
        let (Some(mark_type), Some(subject)) = (stated_type(&members), text(&members, "sub"))
        else {
            return Some(MarkStatus::Invalid);
        };
        match self.remembered(mark_type, subject)? {
            Mark::Issued { .. } => Some(MarkStatus::Active),
            Mark::Revoked => Some(MarkStatus::Revoked),
        }
    }

    /// The answer of the status endpoint for this mark, signed; `None` when the mark is none of this superior's.
    ///
    /// # Errors
    /// When signing fails.
    pub fn mark_status_response(&self, mark: &str) -> Result<Option<String>, DemoError> {
        let Some(status) = self.mark_status(mark) else {
            return Ok(None);
        };
        let members = json!({
            "iss": self.entity_id,
            "iat": self.clock.now().0,
            "trust_mark": mark,
            "status": status.as_str(),
        });
        statement::sign_as(STATUS_TYP, &members, &self.key).map(Some)
    }

    /// Marks of older drafts have another `typ` or none.
    fn expected_mark(&self) -> Expectations<'_> {
        Expectations {
            kind: "trust mark",
            typ: TypRule::AbsentOr(&[TRUST_MARK_TYP, "JWT"]),
            algorithms: SignatureAlgorithm::ALL,
            kid_required: false,
            issuer: Some(&self.entity_id),
            subject: None,
            audience: None,
            now: self.clock.now(),
            leeway_seconds: 0,
            expiry: ExpiryRule::Optional,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        }
    }

    fn remembered(&self, mark_type: &str, subject: &str) -> Option<Mark> {
        let marks = self.marks.read().unwrap_or_else(PoisonError::into_inner);
        let key = (mark_type.to_owned(), subject.to_owned());
        marks.get(&key).cloned()
    }

    fn remember(&self, mark_type: &str, subject: &str, mark: Mark) {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.insert((mark_type.to_owned(), subject.to_owned()), mark);
    }
}

impl Mark {
    fn is_valid(&self, now: UtcTime) -> bool {
        match self {
            Self::Issued { expires_at, .. } => expires_at.is_none_or(|end| now < end),
            Self::Revoked => false,
        }
    }
}

/// The type that a mark states, by whichever names; `None` when they differ.
fn stated_type(members: &Map<String, Value>) -> Option<&str> {
    let mut stated = TYPE_MEMBERS
        .iter()
        .filter_map(|name| members.get(*name))
        .map(Value::as_str);
    let first = stated.next()??;
    stated.all(|other| other == Some(first)).then_some(first)
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}
