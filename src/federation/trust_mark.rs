//! Trust marks (OpenID Federation 1.0 §7, SPID/CIE FE-1, TM-1, TM-2): reading and verifying one. Which keys to use, and
//! the mark issuer's status endpoint, is the business of [`super::resolver`].

use super::entity_id::EntityId;
use super::entity_statement::{EntityStatement, Moment, STATEMENT_MAX_BYTES};
use super::error::{Defect, RefusedMark};
use super::evaluation::Check;
use crate::clock::UtcTime;
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, JoseError, KeySet, SignatureAlgorithm, TypRule,
    Unverified, Verified,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// `typ` of a trust mark.
pub const TRUST_MARK_TYPE: &str = "trust-mark+jwt";
/// `typ` of a delegation (OpenID Federation 1.0 §7.2).
pub const DELEGATION_TYPE: &str = "trust-mark-delegation+jwt";
/// `typ` of a status answer (OpenID Federation 1.0 §8.4).
pub const STATUS_RESPONSE_TYPE: &str = "trust-mark-status-response+jwt";

/// The members that name a mark's type; the first is the final one (SPID/CIE TM-1).
const TYPE_MEMBERS: [&str; 3] = ["trust_mark_type", "trust_mark_id", "id"];

/// Bytes of a type; types are URLs.
const TYPE_MAX_BYTES: usize = 1024;

/// Whether the issuer of a mark is asked about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrustMarkStatus {
    /// Signature, subject and time suffice.
    #[default]
    Static,
    /// Also ask the issuer's `federation_trust_mark_status_endpoint` (SPID/CIE TM-2).
    Dynamic,
}

/// A verified trust mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidMark {
    /// `trust_mark_type`, or an older name of it.
    pub mark_type: String,
    /// Claim `iss`.
    pub issuer: String,
    /// The mark in compact serialization.
    pub jwt: String,
    /// Claim `exp`; none when it does not expire.
    pub expires_at: Option<UtcTime>,
}

/// An element of `trust_marks` that was read but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The type, equal wherever it is stated.
    pub mark_type: String,
    /// Claim `iss` of the mark.
    pub unverified_issuer: String,
    /// The header's `kid`.
    pub unverified_kid: Option<String>,
    /// The mark.
    pub jwt: String,
}

impl Candidate {
    /// Reads an element of `trust_marks`: `{"trust_mark_type": …, "trust_mark": …}` or older names (SPID/CIE TM-1).
    ///
    /// # Errors
    /// What is malformed, or that the types in wrapper and mark differ.
    pub fn read(wrapper: &Value) -> Result<Self, RefusedMark> {
        let refused = |mark_type: &str, fact: String| RefusedMark {
            mark_type: mark_type.to_owned(),
            issuer: "unknown".to_owned(),
            fact,
            defect: Defect::Form,
            check: Check::Form,
            temporary: false,
        };
        let outer = wrapper.as_object().ok_or("is no JSON object");
        let outer = outer.map_err(|fact| refused("unknown", fact.to_owned()))?;
        let outer_type = stated_type(outer).map_err(|fact| refused("unknown", fact))?;
        let shown = outer_type.clone().unwrap_or_else(|| "unknown".to_owned());
        let jwt = outer.get("trust_mark").and_then(Value::as_str);
        let jwt = jwt.ok_or_else(|| refused(&shown, "member trust_mark is missing".to_owned()))?;
        let malformed = |error: JoseError| refused(&shown, error.to_string());
        let unverified = Unverified::parse(jwt, STATEMENT_MAX_BYTES).map_err(malformed)?;
        let claims: Map<String, Value> = unverified.unverified_claims().map_err(malformed)?;
        let inner_type = stated_type(&claims).map_err(|fact| refused(&shown, fact))?;
        let missing = || refused(&shown, "claim trust_mark_type is missing".to_owned());
        let mark_type = inner_type.ok_or_else(missing)?;
        if outer_type.is_some_and(|outer_type| outer_type != mark_type) {
            let fact = format!("the mark itself is of type {mark_type}");
            return Err(refused(&shown, fact));
        }
        let issuer = claims.get("iss").and_then(Value::as_str);
        let issuer =
            issuer.ok_or_else(|| refused(&mark_type, "claim iss is missing".to_owned()))?;
        Ok(Self {
            mark_type: mark_type.clone(),
            unverified_issuer: issuer.to_owned(),
            unverified_kid: unverified.header().kid.clone(),
            jwt: jwt.to_owned(),
        })
    }

    /// Verifies the mark for `subject` with its issuer's keys, and its delegation when the anchor names an owner.
    ///
    /// # Errors
    /// The first fact that is wrong.
    pub fn verify(
        &self,
        subject: &EntityId,
        keys: &KeySet,
        owner: Option<&MarkOwner>,
        moment: Moment,
    ) -> Result<ValidMark, RefusedMark> {
        let expectations = Expectations {
            issuer: Some(&self.unverified_issuer),
            subject: Some(subject.as_str()),
            issued_at: IssuedAtRule::Required,
            ..expectations(&[TRUST_MARK_TYPE, "JWT"], moment)
        };
        let verified: Verified<Map<String, Value>> =
            Unverified::parse(&self.jwt, STATEMENT_MAX_BYTES)
                .and_then(|unverified| unverified.verify(keys, &expectations))
                .map_err(|error| {
                    let check = Check::failed_by(&error, Check::Payload);
                    self.refused((check, Defect::from(&error)), error.to_string())
                })?;
        if let Some(owner) = owner.filter(|owner| owner.id != self.unverified_issuer) {
            let delegation = verified.claims().get("delegation").and_then(Value::as_str);
            self.check_delegation(delegation, owner, moment)
                .map_err(|fact| self.refused((Check::Delegation, Defect::Delegation), fact))?;
        }
        Ok(ValidMark {
            mark_type: self.mark_type.clone(),
            issuer: self.unverified_issuer.clone(),
            jwt: self.jwt.clone(),
            expires_at: verified.expires_at(),
        })
    }

    /// OpenID Federation 1.0 §7.2: the owner of the type lets this issuer issue it. A delegation for a type without an
    /// owner is not read: nobody vouches for its signer, and it gives its issuer nothing that the anchor did not.
    fn check_delegation(
        &self,
        delegation: Option<&str>,
        owner: &MarkOwner,
        moment: Moment,
    ) -> Result<(), String> {
        let delegation = delegation.ok_or("claim delegation is missing")?;
        let expectations = Expectations {
            issuer: Some(&owner.id),
            subject: Some(&self.unverified_issuer),
            typ: TypRule::Exactly(&[DELEGATION_TYPE]),
            issued_at: IssuedAtRule::Required,
            ..expectations(&[], moment)
        };
        let verified: Verified<Map<String, Value>> =
            Unverified::parse(delegation, STATEMENT_MAX_BYTES)
                .and_then(|unverified| unverified.verify(&owner.keys, &expectations))
                .map_err(|error| format!("claim delegation: {error}"))?;
        match stated_type(verified.claims())? {
            Some(delegated) if delegated == self.mark_type => Ok(()),
            other => Err(format!(
                "claim delegation is for type {}",
                other.unwrap_or_default()
            )),
        }
    }

    /// Type, issuer and the mark itself.
    pub(super) fn parts(&self) -> (&str, &str, Option<&str>) {
        (&self.mark_type, &self.unverified_issuer, Some(&self.jwt))
    }

    /// This mark, refused for good.
    pub fn refused(&self, (check, defect): (Check, Defect), fact: String) -> RefusedMark {
        RefusedMark {
            mark_type: self.mark_type.clone(),
            issuer: self.unverified_issuer.clone(),
            fact,
            defect,
            check,
            temporary: false,
        }
    }
}

fn expectations<'a>(types: &'a [&'a str], moment: Moment) -> Expectations<'a> {
    Expectations {
        kind: "trust mark",
        typ: TypRule::AbsentOr(types),
        algorithms: SignatureAlgorithm::ALL,
        kid_required: false,
        issuer: None,
        subject: None,
        audience: None,
        now: moment.now,
        leeway_seconds: moment.leeway_seconds,
        expiry: ExpiryRule::Optional,
        issued_at: IssuedAtRule::Optional,
        max_lifetime_seconds: None,
    }
}

/// The type that an object states, by whichever names; several must be equal.
fn stated_type(members: &Map<String, Value>) -> Result<Option<String>, String> {
    let mut found: Option<&str> = None;
    for name in TYPE_MEMBERS {
        let Some(value) = members.get(name) else {
            continue;
        };
        let value = value
            .as_str()
            .ok_or_else(|| format!("{name} is not a string"))?;
        if value.len() > TYPE_MAX_BYTES {
            return Err(format!("{name} is longer than {TYPE_MAX_BYTES} bytes"));
        }
        match found {
            Some(earlier) if earlier != value => {
                return Err(format!("{name} {value} differs from {earlier}"));
            }
            _ => found = Some(value),
        }
    }
    Ok(found.map(str::to_owned))
}

/// The owner of a mark type (`trust_mark_owners`), whose delegation other issuers need.
#[derive(Clone, Debug)]
pub struct MarkOwner {
    /// Its entity identifier.
    pub id: String,
    /// Its keys, as the anchor states them.
    pub keys: KeySet,
}

/// Who may issue marks of this type: those that the anchor lists in `trust_mark_issuers` (an empty list means nobody),
/// and the anchor itself (SPID/CIE FE-1).
#[must_use]
pub fn listed_issuers<'a>(anchor: &'a EntityStatement, mark_type: &str) -> Vec<&'a str> {
    let listed = anchor
        .trust_mark_issuers
        .get(mark_type)
        .and_then(Value::as_array);
    let mut issuers: Vec<&str> = listed
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !issuers.contains(&anchor.subject.as_str()) {
        issuers.push(&anchor.subject);
    }
    issuers
}

/// Whether `issuer` is one of [`listed_issuers`].
#[must_use]
pub fn is_issuer_listed(anchor: &EntityStatement, mark_type: &str, issuer: &str) -> bool {
    listed_issuers(anchor, mark_type).contains(&issuer)
}

/// The owner that the anchor names for a type.
///
/// # Errors
/// The anchor names one in a form that is not understood.
pub fn owner_of(anchor: &EntityStatement, mark_type: &str) -> Result<Option<MarkOwner>, String> {
    #[derive(Deserialize)]
    struct Owner {
        sub: String,
        jwks: Value,
    }
    let Some(owner) = anchor.trust_mark_owners.get(mark_type) else {
        return Ok(None);
    };
    let malformed = |error: String| format!("trust_mark_owners of {}: {error}", anchor.subject);
    let owner = Owner::deserialize(owner).map_err(|error| malformed(error.to_string()))?;
    let keys = KeySet::from_json(&owner.jwks).map_err(|error| malformed(error.to_string()))?;
    let id = owner.sub;
    Ok(Some(MarkOwner { id, keys }))
}

/// What a mark's issuer says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds.
    Active,
    /// It holds no longer, in the issuer's words.
    Inactive(String),
}

/// Reads a status answer: `trust-mark-status-response+jwt` with a `status`, or the older `{"active": …}`.
///
/// # Errors
/// Why it says nothing of this mark: a maintenance page, another kid or a wrong clock is no word of the mark's issuer.
pub fn read_status_answer(
    body: &[u8],
    mark: &Candidate,
    keys: &KeySet,
    moment: Moment,
) -> Result<Standing, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the status answer is not text")?;
    let text = text.trim();
    if text.starts_with('{') {
        let answer: Value = crate::jose::parse_bounded(text.as_bytes(), STATEMENT_MAX_BYTES, 8)
            .map_err(|error| format!("status answer: {error}"))?;
        return match answer.get("active").and_then(Value::as_bool) {
            Some(true) => Ok(Standing::Active),
            Some(false) => Ok(Standing::Inactive(
                "its issuer says that it is not active".to_owned(),
            )),
            None => Err("the status answer has no active that is true or false".to_owned()),
        };
    }
    let expectations = Expectations {
        issuer: Some(&mark.unverified_issuer),
        typ: TypRule::Exactly(&[STATUS_RESPONSE_TYPE]),
        issued_at: IssuedAtRule::Required,
        ..expectations(&[], moment)
    };
    let verified: Verified<Map<String, Value>> = Unverified::parse(text, STATEMENT_MAX_BYTES)
        .and_then(|unverified| unverified.verify(keys, &expectations))
        .map_err(|error| format!("status answer: {error}"))?;
    let claim = |name: &str| verified.claims().get(name).and_then(Value::as_str);
    if claim("trust_mark") != Some(mark.jwt.as_str()) {
        return Err("the status answer is about another mark".to_owned());
    }
    match claim("status") {
        Some("active") => Ok(Standing::Active),
        Some(other) => Ok(Standing::Inactive(format!(
            "its issuer says that its status is {other}"
        ))),
        None => Err("the status answer has no status".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_type_without_end_is_refused_and_not_repeated() {
        let wrapper = json!({"trust_mark_type": "x".repeat(2000), "trust_mark": "a.b.c"});
        let refused = Candidate::read(&wrapper).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "trust mark unknown of unknown: trust_mark_type is longer than 1024 bytes"
        );
    }
}
