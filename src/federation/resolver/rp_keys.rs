//! The protocol keys of a relying party: inline `jwks`, `signed_jwks_uri` or `jwks_uri` (SPID/CIE FE-9).

use super::{Resolved, Resolver, TrustSettings};
use crate::federation::entity_id::EntityId;
use crate::federation::entity_statement::{STATEMENT_MAX_BYTES, StatementFault};
use crate::federation::error::{Defect, DocumentKind, TrustError};
use crate::federation::evaluation::{Check, DocumentRead, Recorder};
use crate::federation::examiner::Examiner;
use crate::federation::fetch::{FetchFact, Lane};
use crate::jose::{
    Expectations, ExpiryRule, IssuedAtRule, KeySet, SignatureAlgorithm, TypRule, Unverified,
    Verified,
};
use serde_json::{Map, Value};
use std::fmt;

/// `typ` of a signed key set (OpenID Federation 1.0 §5.2.1.1); older kits write others.
const SIGNED_JWKS_TYPES: [&str; 3] = ["jwk-set+jwt", "JWT", "jose"];

/// Whose keys are wanted, and what was proven of it.
#[derive(Clone, Copy, Debug)]
pub struct KeyOwner<'a> {
    /// The relying party.
    pub subject: &'a EntityId,
    /// The final metadata of its entity type.
    pub metadata: &'a Map<String, Value>,
    /// Its federation keys, as its superior attests them.
    pub federation_keys: &'a KeySet,
}

impl Resolver {
    /// The keys that a resolved relying party signs requests with and that answers are encrypted to. Inline keys need no
    /// fetch and come first. Others are fetched in `lane`: chains are public, and whoever replays one must not take what
    /// is reserved for relying parties that are known. Nothing is cached here: keys belong to the caller's record of the
    /// relying party.
    ///
    /// # Errors
    /// `TrustError::RpKeys` with the member of the metadata; `Busy` when whoever asks has its share already.
    pub async fn fetch_rp_keys(
        &self,
        settings: &TrustSettings,
        lane: Lane,
        owner: KeyOwner<'_>,
    ) -> Result<KeySet, TrustError> {
        let examiner = self.inner.examiner(settings, &Recorder::silent());
        self.keys_of(&examiner, lane, owner).await
    }

    /// The same, written down; none without metadata of the needed type.
    pub(super) async fn explain_keys(
        &self,
        settings: &TrustSettings,
        resolved: &Resolved,
        recorder: &Recorder,
    ) -> Option<Result<KeySet, TrustError>> {
        let metadata = resolved.metadata.get(&settings.entity_type)?.as_object()?;
        let examiner = self.inner.examiner(settings, recorder);
        let owner = KeyOwner {
            subject: &resolved.subject,
            metadata,
            federation_keys: &resolved.federation_keys,
        };
        Some(self.keys_of(&examiner, Lane::Known, owner).await)
    }

    async fn keys_of(
        &self,
        examiner: &Examiner,
        lane: Lane,
        owner: KeyOwner<'_>,
    ) -> Result<KeySet, TrustError> {
        let KeyOwner {
            subject,
            metadata,
            federation_keys,
        } = owner;
        let failed = |member, fact: String| TrustError::RpKeys {
            subject: subject.to_string(),
            member,
            fact,
            cause: None,
            temporary: false,
        };
        if let Some(jwks) = metadata.get("jwks") {
            let keys = KeySet::from_json(jwks).map_err(|e| failed("jwks", e.to_string()))?;
            return usable(keys).map_err(|fact| failed("jwks", fact));
        }
        let address = |member: &str| metadata.get(member).and_then(Value::as_str);
        if let Some(url) = address("signed_jwks_uri") {
            let text = self
                .fetch_keys(
                    (&examiner.recorder, lane),
                    subject.as_str(),
                    ("signed_jwks_uri", url),
                )
                .await?;
            let moment = examiner.moment.of_subject();
            let expected = Expectations {
                kind: "signed_jwks_uri",
                typ: TypRule::AbsentOr(&SIGNED_JWKS_TYPES),
                algorithms: SignatureAlgorithm::ALL,
                kid_required: false,
                issuer: Some(subject.as_str()),
                subject: Some(subject.as_str()),
                audience: None,
                now: moment.now,
                leeway_seconds: moment.leeway_seconds,
                expiry: ExpiryRule::Optional,
                issued_at: IssuedAtRule::Optional,
                max_lifetime_seconds: None,
            };
            let keys = signed_keys(&text, federation_keys, &expected);
            examiner.recorder.statement(
                DocumentRead {
                    kind: DocumentKind::SignedJwks.as_str(),
                    about: (subject.as_str(), subject.as_str()),
                    url: Some(url),
                    jws: &text,
                    keys: &"its federation keys, as its superior attests them",
                    now: moment.now,
                },
                keys.as_ref().err(),
            );
            return keys.map_err(|fault| {
                let fact = format!("{} {url}: {}", DocumentKind::SignedJwks, fault.fact);
                failed("signed_jwks_uri", fact)
            });
        }
        if let Some(url) = address("jwks_uri") {
            let look = (&examiner.recorder, lane);
            return self.keys_at(look, subject.as_str(), url).await;
        }
        Err(failed(
            "jwks",
            "is missing, and so are signed_jwks_uri and jwks_uri".to_owned(),
        ))
    }

    /// The keys at the address that an operator wrote down for a relying party of no federation (OIDC Registration §2). The
    /// same network, the same limits.
    ///
    /// # Errors
    /// `TrustError::RpKeys`; `Busy`.
    pub async fn fetch_registered_keys(
        &self,
        client_id: &str,
        url: &str,
        recorder: &Recorder,
    ) -> Result<KeySet, TrustError> {
        self.keys_at((recorder, Lane::Known), client_id, url).await
    }

    async fn keys_at(
        &self,
        look: (&Recorder, Lane),
        subject: &str,
        url: &str,
    ) -> Result<KeySet, TrustError> {
        let text = self.fetch_keys(look, subject, ("jwks_uri", url)).await?;
        let keys = KeySet::from_slice(text.as_bytes()).map_err(|error| error.to_string());
        keys.and_then(usable).map_err(|fact| TrustError::RpKeys {
            subject: subject.to_owned(),
            member: "jwks_uri",
            fact: format!("{url}: {fact}"),
            cause: None,
            temporary: false,
        })
    }

    async fn fetch_keys(
        &self,
        (recorder, lane): (&Recorder, Lane),
        subject: &str,
        (member, url): (&'static str, &str),
    ) -> Result<String, TrustError> {
        let _running = self.inner.running.start(&self.inner.limits, lane)?;
        let what = fmt::from_fn(|f| write!(f, "{member} of {subject}"));
        let fetched = self.inner.document((lane, recorder), &what, url).await;
        fetched
            .map(|document| document.text)
            .map_err(|error| match error.fact {
                FetchFact::Busy => TrustError::Busy,
                _ => TrustError::RpKeys {
                    subject: subject.to_owned(),
                    member,
                    temporary: error.fact.is_temporary(),
                    cause: error.fact.cause(),
                    fact: error.to_string(),
                },
            })
    }
}

fn signed_keys(
    text: &str,
    federation_keys: &KeySet,
    expected: &Expectations<'_>,
) -> Result<KeySet, StatementFault> {
    let fault = |check, fact: String| StatementFault {
        kid: None,
        fact,
        defect: Defect::Form,
        check,
    };
    let unverified = Unverified::parse(text, STATEMENT_MAX_BYTES)
        .map_err(|error| fault(Check::Form, error.to_string()))?;
    let verified: Verified<Value> =
        unverified
            .verify(federation_keys, expected)
            .map_err(|error| StatementFault {
                defect: Defect::from(&error),
                ..fault(Check::failed_by(&error, Check::Payload), error.to_string())
            })?;
    KeySet::from_json(&verified.into_claims())
        .map_err(|error| error.to_string())
        .and_then(usable)
        .map_err(|fact| fault(Check::Jwks, fact))
}

fn usable(keys: KeySet) -> Result<KeySet, String> {
    if !keys.keys().is_empty() {
        return Ok(keys);
    }
    let skipped: Vec<String> = keys
        .skipped()
        .iter()
        .map(|key| key.reason.to_owned())
        .collect();
    Err(if skipped.is_empty() {
        "it holds no key".to_owned()
    } else {
        format!("it holds no usable key: {}", skipped.join(", "))
    })
}
