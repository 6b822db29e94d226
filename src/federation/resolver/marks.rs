//! The trust mark filter (SPID/CIE FE-1, TM-1, TM-2): who may issue a mark, with which keys, and whether it is still active.
//!
//! Nothing that the relying party names is fetched here: an issuer's keys come from the anchor's own statement about it,
//! and only when the anchor lists the issuer for the mark's type.

use super::anchors::cache_key;
use super::climb::fetch_url;
use super::discovery::{Discovery, told};
use super::{Inner, TrustAnchor, TrustSettings};
use crate::clock::UtcTime;
use crate::federation::entity_id::EntityId;
use crate::federation::entity_statement::{EntityStatement, Moment};
use crate::federation::error::{Defect, RefusedMark, TrustError};
use crate::federation::fetch::{FetchFact, Lane};
use crate::federation::single_flight::SingleFlight;
use crate::federation::trust_chain::Anchor;
use crate::federation::trust_mark::{
    Candidate, TrustMarkStatus, ValidMark, check_status_answer, is_issuer_listed, owner_of,
};
use crate::jose::KeySet;
use crate::secret::sha256;
use futures_util::future::FutureExt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Seconds for which an issuer's keys, and an active mark's status, are used without looking again.
const FRESH_SECONDS: i64 = 3600;
const STATUS_SECONDS: i64 = 300;
/// Seconds for which a failure is remembered.
const FAILURE_SECONDS: i64 = 30;
/// Statuses remembered; beyond, all are asked for again.
const STATUSES_MAX: usize = 10_000;

type IssuerKey = (String, String, String);
type Keys = Result<KeySet, String>;

/// What the anchor attested of an issuer, or why it did not.
struct KnownKeys {
    keys: Keys,
    fetched_at: UtcTime,
    until: UtcTime,
}

type StatusKey = ([u8; 32], String);
type Status = Result<(), RefusedMark>;

/// What is known of mark issuers (bounded by what anchors list) and of marks.
pub(super) struct MarkCache {
    issuers: Mutex<HashMap<IssuerKey, KnownKeys>>,
    flights: SingleFlight<IssuerKey, Keys>,
    statuses: Mutex<HashMap<StatusKey, (Status, UtcTime)>>,
    status_flights: SingleFlight<StatusKey, Status>,
}

impl MarkCache {
    pub(super) fn new() -> Self {
        Self {
            issuers: Mutex::default(),
            flights: SingleFlight::new(),
            statuses: Mutex::default(),
            status_flights: SingleFlight::new(),
        }
    }
}

/// What the marks are worth to one anchor.
pub(super) struct Checked {
    pub(super) valid: Vec<ValidMark>,
    pub(super) refused: Vec<RefusedMark>,
    /// A required mark is among the valid ones, or none is required.
    pub(super) suffices: bool,
}

/// The marks that are worth looking at. With required types and no mark of any, the end is here.
pub(super) fn candidates(
    discovery: &Discovery<'_>,
    subject: &EntityStatement,
) -> Result<Vec<Candidate>, TrustError> {
    let required = &discovery.settings.required_trust_marks;
    let mut read = Vec::new();
    let mut refused = Vec::new();
    for wrapper in subject
        .trust_marks
        .iter()
        .take(discovery.inner.limits.trust_marks)
    {
        match Candidate::read(wrapper) {
            Ok(candidate) => read.push(candidate),
            Err(fault) => refused.push(fault),
        }
    }
    if required.is_empty() || read.iter().any(|mark| required.contains(&mark.mark_type)) {
        return Ok(read);
    }
    for fault in &refused {
        discovery.step("read trust mark", None, &fault.to_string(), 0);
    }
    Err(discovery.no_mark(refused))
}

/// Verifies the marks as `anchor` sees them: the required ones first, the others only when these suffice.
pub(super) async fn check(
    discovery: &Discovery<'_>,
    anchor: (&TrustAnchor, &Anchor),
    candidates: &[Candidate],
) -> Checked {
    let required = &discovery.settings.required_trust_marks;
    let is_required = |mark: &&Candidate| required.contains(&mark.mark_type);
    let mut checked = Checked {
        valid: Vec::new(),
        refused: Vec::new(),
        suffices: required.is_empty(),
    };
    for mark in candidates.iter().filter(is_required) {
        checked.add(discovery, mark, verify(discovery, anchor, mark).await);
    }
    checked.suffices |= !checked.valid.is_empty();
    if checked.suffices {
        let mut others = Vec::new();
        std::mem::swap(&mut checked.refused, &mut others);
        for mark in candidates.iter().filter(|mark| !is_required(mark)) {
            checked.add(discovery, mark, verify(discovery, anchor, mark).await);
        }
        checked.refused = others;
    }
    checked
}

impl Checked {
    fn add(
        &mut self,
        discovery: &Discovery<'_>,
        mark: &Candidate,
        outcome: Result<ValidMark, RefusedMark>,
    ) {
        let what = format!(
            "verify trust mark {} of {}",
            mark.mark_type, mark.unverified_issuer
        );
        match outcome {
            Ok(valid) => {
                discovery.step(&what, None, "ok", 0);
                self.valid.push(valid);
            }
            Err(fault) => {
                discovery.step(&what, None, &fault.fact, 0);
                self.refused.push(fault);
            }
        }
    }
}

/// Until when a required mark holds; none when no mark is required or one does not end.
pub(super) fn required_until(settings: &TrustSettings, marks: &[ValidMark]) -> Option<UtcTime> {
    let required = &settings.required_trust_marks;
    let of_type = marks
        .iter()
        .filter(|mark| required.contains(&mark.mark_type));
    let ends: Option<Vec<UtcTime>> = of_type.map(|mark| mark.expires_at).collect();
    ends?.into_iter().max()
}

/// Whether a mark holds as `anchor` sees it.
pub(super) async fn verify(
    discovery: &Discovery<'_>,
    (configured, anchor): (&TrustAnchor, &Anchor),
    mark: &Candidate,
) -> Result<ValidMark, RefusedMark> {
    let issuer = &mark.unverified_issuer;
    if !is_issuer_listed(&anchor.configuration, &mark.mark_type, issuer) {
        let fact = format!(
            "trust_mark_issuers of {} does not list its issuer",
            anchor.id
        );
        return Err(mark.refused(Defect::Unlisted, fact));
    }
    let owner = owner_of(&anchor.configuration, &mark.mark_type)
        .map_err(|fact| mark.refused(Defect::Delegation, fact))?;
    let kid = mark.unverified_kid.as_deref();
    let keys = issuer_keys(discovery, (configured, anchor), issuer, kid).await;
    let keys = keys.map_err(|fact| temporary(mark, fact))?;
    let valid = mark.verify(discovery.subject, &keys, owner.as_ref(), discovery.moment)?;
    if discovery.settings.trust_mark_status == TrustMarkStatus::Dynamic {
        ask_status(discovery, anchor, mark, &keys).await?;
    }
    Ok(valid)
}

fn temporary(mark: &Candidate, fact: String) -> RefusedMark {
    RefusedMark {
        temporary: true,
        ..mark.refused(Defect::Unreachable, fact)
    }
}

/// The keys of a mark issuer that the anchor lists: its own, or those that it attests. A `kid` that is not among keys
/// fetched a while ago may be a new one, and has them fetched again.
pub(super) async fn issuer_keys(
    discovery: &Discovery<'_>,
    (configured, anchor): (&TrustAnchor, &Anchor),
    issuer: &str,
    kid: Option<&str>,
) -> Keys {
    if issuer == anchor.id.as_str() {
        return Ok(anchor.keys.clone());
    }
    let (id, thumbprints) = cache_key(configured);
    let key = (id, thumbprints, issuer.to_owned());
    let cache = &discovery.inner.marks;
    let now = discovery.moment.now;
    let known = {
        let issuers = cache.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = issuers.get(&key);
        known
            .filter(|known| known.serves(kid, now))
            .map(|known| known.keys.clone())
    };
    if let Some(known) = known {
        return known;
    }
    let start = || {
        let (inner, anchor, moment) = (
            Arc::clone(&discovery.inner),
            anchor.clone(),
            discovery.moment,
        );
        let key = key.clone();
        async move { fetch_issuer(&inner, &anchor, key, moment).await }.boxed()
    };
    cache.flights.run(key.clone(), start).await
}

impl KnownKeys {
    fn serves(&self, kid: Option<&str>, now: UtcTime) -> bool {
        let has_key = match (&self.keys, kid) {
            (Ok(keys), Some(kid)) => keys.find(kid).is_some(),
            (Ok(_), None) | (Err(_), _) => true,
        };
        let is_recent = now < self.fetched_at.plus_seconds(FAILURE_SECONDS);
        now < self.until && (has_key || is_recent)
    }
}

async fn fetch_issuer(inner: &Inner, anchor: &Anchor, key: IssuerKey, moment: Moment) -> Keys {
    let issuer = key.2.clone();
    let attested = attested_statement(inner, anchor, &issuer, moment).await;
    let until = match &attested {
        Ok(statement) => statement
            .expires_at
            .min(moment.now.plus_seconds(FRESH_SECONDS)),
        Err(_) => moment.now.plus_seconds(FAILURE_SECONDS),
    };
    let keys = attested.map(|statement| statement.keys);
    let mut issuers = inner
        .marks
        .issuers
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let known = KnownKeys {
        keys: keys.clone(),
        fetched_at: moment.now,
        until,
    };
    issuers.insert(key, known);
    keys
}

async fn attested_statement(
    inner: &Inner,
    anchor: &Anchor,
    issuer: &str,
    moment: Moment,
) -> Result<EntityStatement, String> {
    let failed = |fact: String| format!("keys of the mark issuer {issuer}: {fact}");
    let url = fetch_url(&anchor.configuration, issuer).map_err(|e| failed(e.to_string()))?;
    let document = inner.document(Lane::Configured, &url).await;
    let document = document.map_err(|error| failed(error.to_string()))?;
    let about = (anchor.id.as_str(), issuer);
    EntityStatement::verify_subordinate(&document.text, about, &anchor.keys, moment)
        .map_err(|fault| failed(format!("{url}: {}", fault.fact)))
}

/// SPID/CIE TM-2: asks the issuer, once in a while, whether the mark is still active.
async fn ask_status(
    discovery: &Discovery<'_>,
    anchor: &Anchor,
    mark: &Candidate,
    keys: &KeySet,
) -> Result<(), RefusedMark> {
    let key = (sha256(mark.jwt.as_bytes()), discovery.subject.to_string());
    let cache = &discovery.inner.marks;
    let now = discovery.moment.now;
    let known = {
        let statuses = cache
            .statuses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        statuses
            .get(&key)
            .filter(|(_, until)| now < *until)
            .map(|(status, _)| status.clone())
    };
    if let Some(known) = known {
        return known;
    }
    let start = || {
        let asked = Asked {
            issuer: MarkIssuer::new(discovery, anchor, &mark.unverified_issuer, keys.clone()),
            mark: mark.clone(),
            subject: discovery.subject.to_string(),
        };
        let key = key.clone();
        async move {
            let status = asked.ask().await;
            asked.remember(key, status.clone());
            status
        }
        .boxed()
    };
    cache.status_flights.run(key.clone(), start).await
}

/// A mark issuer that the anchor lists, with its attested keys.
pub(super) struct MarkIssuer {
    inner: Arc<Inner>,
    anchor: Anchor,
    id: String,
    keys: KeySet,
    moment: Moment,
    development: bool,
}

impl MarkIssuer {
    pub(super) fn new(
        discovery: &Discovery<'_>,
        anchor: &Anchor,
        issuer: &str,
        keys: KeySet,
    ) -> Self {
        Self {
            inner: Arc::clone(&discovery.inner),
            anchor: anchor.clone(),
            id: issuer.to_owned(),
            keys,
            moment: discovery.moment,
            development: discovery.settings.development,
        }
    }

    /// An endpoint of its `federation_entity` metadata, from its entity configuration verified with attested keys.
    pub(super) async fn endpoint(&self, name: &str) -> Result<String, String> {
        let issuer = &self.id;
        let missing = || format!("{issuer} has no {name}");
        if issuer == self.anchor.id.as_str() {
            let endpoint = self.anchor.configuration.federation_endpoint(name);
            return endpoint.map(str::to_owned).ok_or_else(missing);
        }
        let id = EntityId::parse(issuer, self.development).map_err(|e| format!("{issuer} {e}"))?;
        let document = self
            .inner
            .document(Lane::Configured, &id.configuration_url())
            .await;
        let document = document.map_err(|error| error.to_string())?;
        EntityStatement::verify_configuration(&document.text, &id, Some(&self.keys), self.moment)
            .map_err(|fault| format!("entity configuration of {issuer}: {}", fault.fact))?
            .federation_endpoint(name)
            .map(str::to_owned)
            .ok_or_else(missing)
    }
}

struct Asked {
    issuer: MarkIssuer,
    mark: Candidate,
    subject: String,
}

impl Asked {
    async fn ask(&self) -> Result<(), RefusedMark> {
        let (mark, issuer) = (&self.mark, &self.issuer);
        let endpoint = issuer.endpoint("federation_trust_mark_status_endpoint");
        let endpoint = endpoint.await.map_err(|fact| temporary(mark, fact))?;
        let fields = [
            ("trust_mark".to_owned(), mark.jwt.clone()),
            ("trust_mark_type".to_owned(), mark.mark_type.clone()),
            ("sub".to_owned(), self.subject.clone()),
        ];
        let accept = "application/trust-mark-status-response+jwt, application/json";
        let answer = issuer.inner.fetch.post_form(&endpoint, &fields, accept);
        let answer = answer.await.map_err(|error| {
            told(Lane::Configured, &error);
            match error.fact {
                // OpenID Federation §8.4.2: an issuer that is asked about a mark that it did not issue.
                FetchFact::Status { code: 404 } => mark.refused(
                    Defect::Inactive,
                    "its issuer does not know it (HTTP status 404)".to_owned(),
                ),
                _ => temporary(mark, format!("status endpoint {error}")),
            }
        })?;
        check_status_answer(&answer.body, mark, &issuer.keys, issuer.moment)
            .map_err(|fact| mark.refused(Defect::Inactive, fact))
    }

    fn remember(&self, key: StatusKey, status: Result<(), RefusedMark>) {
        let seconds = if status.is_ok() {
            STATUS_SECONDS
        } else {
            FAILURE_SECONDS
        };
        let until = self.issuer.moment.now.plus_seconds(seconds);
        let cache = &self.issuer.inner.marks.statuses;
        let mut statuses = cache.lock().unwrap_or_else(PoisonError::into_inner);
        if statuses.len() >= STATUSES_MAX {
            statuses.clear();
        }
        statuses.insert(key, (status, until));
    }
}
