//! Verifying a statement, and writing down what held when somebody wants to know: the one place from which verdicts come.

use super::entity_id::EntityId;
use super::entity_statement::{EntityStatement, Moment, StatementFault};
use super::error::{BrokenLink, DocumentKind, TrustError};
use super::evaluation::{DocumentRead, FetchOutcome, Recorder};
use crate::clock::UtcTime;
use crate::jose::KeySet;
use std::fmt;

/// A document of a chain and where it came from.
#[derive(Clone, Debug)]
pub struct Link {
    /// The document.
    pub jws: String,
    /// Its address; none when it came with the request.
    pub url: Option<String>,
}

/// The keys that a statement is verified with.
#[derive(Clone, Copy, Debug)]
pub struct StatementKeys<'a> {
    /// The keys.
    pub keys: &'a KeySet,
    /// Who vouches for them.
    pub whose: Whose<'a>,
}

/// Who vouches for keys.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// Nobody so far but the entity itself.
    Own,
    /// The configuration: they are a trust anchor's.
    Anchor,
    /// This superior.
    Attested(&'a str),
}

impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("its issuer's own keys"),
            Self::Anchor => f.write_str("the trust anchor's keys"),
            Self::Attested(superior) => write!(f, "the keys that {superior} attests"),
        }
    }
}

/// Verifies statements at one moment.
#[derive(Clone)]
pub struct Examiner {
    /// The time and the leeway.
    pub moment: Moment,
    /// Writes the verdicts, when they are wanted.
    pub recorder: Recorder,
}

impl Examiner {
    /// Writes nothing down.
    #[must_use]
    pub const fn silent(moment: Moment) -> Self {
        let recorder = Recorder::silent();
        Self { moment, recorder }
    }

    /// For a statement that the subject of the resolution itself wrote.
    #[must_use]
    pub fn of_subject(&self) -> Self {
        Self {
            moment: self.moment.of_subject(),
            recorder: self.recorder.clone(),
        }
    }

    /// Verifies the entity configuration of `entity`; without `keys` with those that it states itself.
    ///
    /// # Errors
    /// `TrustError::BrokenLink` with the first fact that is wrong.
    pub fn configuration(
        &self,
        entity: &EntityId,
        link: &Link,
        keys: Option<StatementKeys<'_>>,
    ) -> Result<EntityStatement, TrustError> {
        let about = (entity.as_str(), entity.as_str());
        let given = keys.map(|keys| keys.keys);
        let read = EntityStatement::verify_configuration(&link.jws, entity, given, self.moment);
        let whose = keys.map_or(Whose::Own, |keys| keys.whose);
        self.judged(
            (DocumentKind::EntityConfiguration, about),
            link,
            whose,
            read,
        )
    }

    /// Verifies the entity configuration of a member of a chain with the keys that its superior attests; it may state no
    /// policy.
    ///
    /// # Errors
    /// `TrustError::BrokenLink` with the first fact that is wrong.
    pub fn member(
        &self,
        entity: &EntityId,
        link: &Link,
        StatementKeys { keys, whose }: StatementKeys<'_>,
    ) -> Result<EntityStatement, TrustError> {
        let about = (entity.as_str(), entity.as_str());
        let read =
            EntityStatement::verify_configuration(&link.jws, entity, Some(keys), self.moment);
        let read = read.and_then(|configuration| {
            configuration.check_has_no_policy()?;
            Ok(configuration)
        });
        self.judged(
            (DocumentKind::EntityConfiguration, about),
            link,
            whose,
            read,
        )
    }

    /// Verifies what a superior says of a subordinate.
    ///
    /// # Errors
    /// `TrustError::BrokenLink` with the first fact that is wrong.
    pub fn subordinate(
        &self,
        about: (&str, &str),
        link: &Link,
        StatementKeys { keys, whose }: StatementKeys<'_>,
    ) -> Result<EntityStatement, TrustError> {
        let read = EntityStatement::verify_subordinate(&link.jws, about, keys, self.moment);
        self.judged(
            (DocumentKind::SubordinateStatement, about),
            link,
            whose,
            read,
        )
    }

    /// Writes down a trust anchor's configuration that was verified when it was fetched and is used again.
    pub(super) fn believed(&self, anchor: &EntityId, link: &Link, since: UtcTime) {
        let what = fmt::from_fn(|f| write!(f, "entity configuration of {anchor}"));
        let url = link.url.as_deref().unwrap_or_default();
        self.recorder
            .fetch(&what, url, FetchOutcome::Cached { since });
        let document = DocumentRead {
            kind: DocumentKind::EntityConfiguration.as_str(),
            about: (anchor.as_str(), anchor.as_str()),
            url: link.url.as_deref(),
            jws: &link.jws,
            keys: &Whose::Anchor,
            now: self.moment.now,
        };
        self.recorder.statement(document, None);
    }

    fn judged(
        &self,
        (kind, about): (DocumentKind, (&str, &str)),
        link: &Link,
        whose: Whose<'_>,
        read: Result<EntityStatement, StatementFault>,
    ) -> Result<EntityStatement, TrustError> {
        let document = DocumentRead {
            kind: kind.as_str(),
            about,
            url: link.url.as_deref(),
            jws: &link.jws,
            keys: &whose,
            now: self.moment.now,
        };
        self.recorder.statement(document, read.as_ref().err());
        read.map_err(|fault| broken(kind, about, link, fault))
    }
}

/// A statement's fault with its place in the chain.
fn broken(
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
