//! Entity statements (OpenID Federation 1.0 §3): what an entity says of itself, and what superiors say of subordinates.
//!
//! Members that are not understood are ignored (`trust_marks` in subordinate statements, noise), unless `crit` names them.
//! What would steer an evaluation from the wrong place is refused: `authority_hints` in a subordinate statement here, a
//! policy in the configuration of a member of a chain in [`super::trust_chain`].

use super::constraints::Constraints;
use super::entity_id::EntityId;
use super::error::Defect;
use super::evaluation::Check;
use crate::clock::UtcTime;
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, JoseError, KeySet, SignatureAlgorithm, TypRule,
    Unverified, Verified,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Bytes of a statement (issue: 256 KiB).
pub const STATEMENT_MAX_BYTES: usize = 256 * 1024;

/// The `typ` of entity statements; older kits write `JWT` or nothing (SPID/CIE MD-4).
pub const ENTITY_STATEMENT_TYPES: [&str; 2] = ["entity-statement+jwt", "JWT"];

/// The claims that OpenID Federation 1.0 defines. `crit` names extensions only (§3.1.1), none of which is understood, so
/// that these serve to say which of the two mistakes was made.
const DEFINED: [&str; 18] = [
    "iss",
    "sub",
    "iat",
    "exp",
    "jwks",
    "aud",
    "authority_hints",
    "metadata",
    "metadata_policy",
    "metadata_policy_crit",
    "constraints",
    "crit",
    "trust_marks",
    "trust_mark_issuers",
    "trust_mark_owners",
    "source_endpoint",
    "trust_anchor",
    "trust_anchor_hints",
];

/// The time of a check and how far clocks may differ.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time.
    pub now: UtcTime,
    /// Seconds, either way.
    pub leeway_seconds: i64,
    /// The same for what the subject of a resolution itself writes: its operator may know of a clock that is further
    /// off (SPID/CIE FE-12), which is no reason to trust its superiors' or mark issuers' statements for longer.
    pub subject_leeway_seconds: i64,
}

impl Moment {
    /// For a statement that the subject itself wrote.
    #[must_use]
    pub const fn of_subject(self) -> Self {
        Self {
            leeway_seconds: self.subject_leeway_seconds,
            ..self
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    jwks: Option<Value>,
    authority_hints: Option<Vec<String>>,
    metadata: Option<Map<String, Value>>,
    metadata_policy: Option<Map<String, Value>>,
    metadata_policy_crit: Option<Vec<String>>,
    constraints: Option<Value>,
    crit: Option<Vec<String>>,
    trust_marks: Option<Value>,
    trust_mark_issuers: Option<Value>,
    /// The member's name in older drafts.
    trust_marks_issuers: Option<Value>,
    trust_mark_owners: Option<Value>,
    source_endpoint: Option<Value>,
}

/// A verified entity statement.
#[derive(Clone, Debug)]
pub struct EntityStatement {
    /// The statement as it came, in compact serialization.
    pub jws: String,
    /// Header `kid`.
    pub kid: Option<String>,
    /// Claim `iss`.
    pub issuer: String,
    /// Claim `sub`.
    pub subject: String,
    /// Claim `iat`.
    pub issued_at: Option<UtcTime>,
    /// Claim `exp`.
    pub expires_at: UtcTime,
    /// Claim `jwks`: the subject's federation keys.
    pub keys: KeySet,
    /// Claim `authority_hints`.
    pub authority_hints: Vec<String>,
    /// Claim `metadata`: entity type → metadata.
    pub metadata: Map<String, Value>,
    /// Claim `metadata_policy`.
    pub metadata_policy: Map<String, Value>,
    /// Claim `metadata_policy_crit`.
    pub metadata_policy_crit: Vec<String>,
    /// Claim `constraints`.
    pub constraints: Constraints,
    /// Claim `trust_marks`, unread.
    pub trust_marks: Vec<Value>,
    /// Claim `trust_mark_issuers`: type → entity identifiers.
    pub trust_mark_issuers: Map<String, Value>,
    /// Claim `trust_mark_owners`: type → owner.
    pub trust_mark_owners: Map<String, Value>,
    /// Claim `source_endpoint`: where the statement can be had.
    pub source_endpoint: Option<String>,
}

/// Why a statement does not hold; `kid` is the header's, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementFault {
    /// The header's `kid`.
    pub kid: Option<String>,
    /// What is wrong.
    pub fact: String,
    /// Of which kind it is.
    pub defect: Defect,
    /// The check that it failed; those before it held.
    pub check: Check,
}

impl EntityStatement {
    /// Verifies the entity configuration of `entity`, with its own keys or, when given, with `pinned` ones.
    ///
    /// # Errors
    /// The first fact that is wrong.
    pub fn verify_configuration(
        jws: &str,
        entity: &EntityId,
        pinned: Option<&KeySet>,
        moment: Moment,
    ) -> Result<Self, StatementFault> {
        let unverified = parse(jws)?;
        let own = match pinned {
            Some(keys) => keys.clone(),
            None => unverified
                .unverified_claims::<Claims>()
                .and_then(|claims| key_set(claims.jwks.as_ref()))
                .map_err(|error| fault(&unverified, Check::Form, &error))?,
        };
        Self::verify(
            &unverified,
            &own,
            (entity.as_str(), entity.as_str()),
            moment,
        )
    }

    /// Verifies what `superior` says of `subject`, with the superior's keys.
    ///
    /// # Errors
    /// The first fact that is wrong.
    pub fn verify_subordinate(
        jws: &str,
        (superior, subject): (&str, &str),
        keys: &KeySet,
        moment: Moment,
    ) -> Result<Self, StatementFault> {
        Self::verify(&parse(jws)?, keys, (superior, subject), moment)
    }

    fn verify(
        unverified: &Unverified<'_>,
        keys: &KeySet,
        (issuer, subject): (&str, &str),
        moment: Moment,
    ) -> Result<Self, StatementFault> {
        let expectations = Expectations {
            kind: "entity statement",
            typ: TypRule::AbsentOr(&ENTITY_STATEMENT_TYPES),
            algorithms: SignatureAlgorithm::ALL,
            kid_required: false,
            issuer: Some(issuer),
            subject: Some(subject),
            audience: None,
            now: moment.now,
            leeway_seconds: moment.leeway_seconds,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        };
        let verified: Verified<Claims> =
            unverified.verify(keys, &expectations).map_err(|error| {
                let claims = unverified.unverified_claims::<Map<String, Value>>();
                let json = claims.map_or(Check::Payload, |_| Check::Claims);
                fault(unverified, Check::failed_by(&error, json), &error)
            })?;
        Self::read(unverified, verified)
    }

    fn read(
        unverified: &Unverified<'_>,
        verified: Verified<Claims>,
    ) -> Result<Self, StatementFault> {
        let refused = |check, fact: String| StatementFault {
            kid: unverified.header().kid.clone(),
            fact,
            defect: Defect::Form,
            check,
        };
        let (issued_at, expires_at) = (verified.issued_at(), verified.expires_at());
        let claims = verified.into_claims();
        if let Some(critical) = claims.crit.iter().flatten().next() {
            let fault = match DEFINED.contains(&critical.as_str()) {
                true => "which OpenID Federation defines itself",
                false => "which is not understood",
            };
            let fact = format!("claim crit names {critical}, {fault}");
            return Err(refused(Check::Critical, fact));
        }
        if claims.iss != claims.sub && claims.authority_hints.is_some() {
            let fact = "claim authority_hints may only be in an entity configuration";
            return Err(refused(Check::Hints, fact.to_owned()));
        }
        let keys = key_set(claims.jwks.as_ref())
            .map_err(|error| fault(unverified, Check::Jwks, &error))?;
        if keys.keys().is_empty() {
            let fact = "claim jwks has no usable key".to_owned();
            return Err(refused(Check::Jwks, fact));
        }
        let constraints = Constraints::parse(claims.constraints.as_ref());
        let trust_marks = match claims.trust_marks {
            Some(Value::Array(marks)) => marks,
            Some(_) | None => Vec::new(),
        };
        let issuers = claims.trust_mark_issuers.or(claims.trust_marks_issuers);
        let object = |value| match value {
            Some(Value::Object(members)) => members,
            Some(_) | None => Map::new(),
        };
        let source = claims.source_endpoint.as_ref().and_then(Value::as_str);
        Ok(Self {
            jws: unverified.as_str().to_owned(),
            kid: unverified.header().kid.clone(),
            issuer: claims.iss,
            subject: claims.sub,
            issued_at,
            expires_at: expires_at
                .ok_or_else(|| refused(Check::Time, "claim exp is missing".to_owned()))?,
            keys,
            authority_hints: claims.authority_hints.unwrap_or_default(),
            metadata: claims.metadata.unwrap_or_default(),
            metadata_policy: claims.metadata_policy.unwrap_or_default(),
            metadata_policy_crit: claims.metadata_policy_crit.unwrap_or_default(),
            constraints: constraints.map_err(|fact| {
                refused(Check::Constraints, format!("claim constraints: {fact}"))
            })?,
            trust_marks,
            trust_mark_issuers: object(issuers),
            trust_mark_owners: object(claims.trust_mark_owners),
            source_endpoint: source.map(str::to_owned),
        })
    }

    /// Refuses a configuration that states a policy: only superiors do (OpenID Federation 1.0 §3.2, steps 17 and 18), and
    /// whoever wrote one believes in something that nobody would apply.
    ///
    /// # Errors
    /// The claim that is out of place.
    pub fn check_has_no_policy(&self) -> Result<(), StatementFault> {
        let misplaced = [
            ("metadata_policy", !self.metadata_policy.is_empty()),
            (
                "metadata_policy_crit",
                !self.metadata_policy_crit.is_empty(),
            ),
        ];
        match misplaced.into_iter().find(|(_, stated)| *stated) {
            None => Ok(()),
            Some((claim, _)) => Err(StatementFault {
                kid: self.kid.clone(),
                fact: format!("claim {claim} may only be in a subordinate statement"),
                defect: Defect::Form,
                check: Check::Policy,
            }),
        }
    }

    /// A member of `metadata.federation_entity`, such as `federation_fetch_endpoint`.
    #[must_use]
    pub fn federation_endpoint(&self, name: &str) -> Option<&str> {
        let entity = self.metadata.get("federation_entity")?;
        entity.get(name)?.as_str().filter(|url| !url.is_empty())
    }
}

/// The `iss` and `sub` that an unverified statement claims: good for ordering a provided chain, and for nothing else.
pub(super) fn unverified_parties(jws: &str) -> Result<(String, String), StatementFault> {
    #[derive(Deserialize)]
    struct Parties {
        iss: String,
        sub: String,
    }
    let unverified = parse(jws)?;
    let parties: Parties = unverified
        .unverified_claims()
        .map_err(|error| fault(&unverified, Check::Form, &error))?;
    Ok((parties.iss, parties.sub))
}

fn parse(jws: &str) -> Result<Unverified<'_>, StatementFault> {
    Unverified::parse(jws, STATEMENT_MAX_BYTES).map_err(|error| StatementFault {
        kid: None,
        fact: error.to_string(),
        defect: Defect::from(&error),
        check: Check::Form,
    })
}

fn key_set(jwks: Option<&Value>) -> Result<KeySet, JoseError> {
    KeySet::from_json(jwks.ok_or(JoseError::MissingClaim("jwks"))?)
}

fn fault(unverified: &Unverified<'_>, check: Check, error: &JoseError) -> StatementFault {
    StatementFault {
        kid: unverified.header().kid.clone(),
        fact: error.to_string(),
        defect: Defect::from(error),
        check,
    }
}
