//! The trust mark filter (SPID/CIE FE-1, TM-1, TM-2): who may issue a mark, and with which keys.
//!
//! Nothing that the relying party names is fetched here: an issuer's keys come from the anchor's own statement about it,
//! and only when the anchor lists the issuer for the mark's type.

use super::anchors::cache_key;
use super::climb::fetch_url;
use super::discovery::{Discovery, Named};
use super::mark_issuer::ask_status;
use super::{Inner, TrustAnchor, TrustSettings};
use crate::clock::UtcTime;
use crate::federation::entity_statement::EntityStatement;
use crate::federation::error::{Defect, RefusedMark, TrustError};
use crate::federation::evaluation::{Check, FetchOutcome, MarkSeen, Recheck};
use crate::federation::examiner::{Examiner, Link, StatementKeys, Whose};
use crate::federation::fetch::Lane;
use crate::federation::single_flight::SingleFlight;
use crate::federation::trust_chain::Anchor;
use crate::federation::trust_mark::{
    Candidate, TrustMarkStatus, ValidMark, is_issuer_listed, owner_of,
};
use crate::jose::KeySet;
use futures_util::future::FutureExt;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Seconds for which an issuer's keys are used without looking again.
const FRESH_SECONDS: i64 = 3600;
/// Seconds for which a failure is remembered.
pub(super) const FAILURE_SECONDS: i64 = 30;
/// Statuses, and issuers' keys, remembered; beyond, all are asked for again.
const STATUSES_MAX: usize = 10_000;

type IssuerKey = (String, String, String);
type Keys = Result<KeySet, String>;
pub(super) type StatusKey = ([u8; 32], String);
pub(super) type Status = Result<(), RefusedMark>;

/// What is known of mark issuers (bounded by what anchors list) and of marks.
pub(super) struct MarkCache {
    issuers: Mutex<HashMap<IssuerKey, Known<Keys>>>,
    flights: SingleFlight<IssuerKey, Keys>,
    pub(super) statuses: Mutex<HashMap<StatusKey, Known<Status>>>,
    pub(super) status_flights: SingleFlight<StatusKey, Status>,
}

/// Something that was learnt.
#[derive(Clone)]
pub(super) struct Known<T> {
    pub(super) value: T,
    /// Where it was asked for; for a status whose endpoint was not found, the issuer.
    pub(super) url: String,
    pub(super) since: UtcTime,
    /// When it was last asked for, with or without an answer.
    pub(super) asked_at: UtcTime,
    pub(super) until: UtcTime,
}

impl<T, E> Known<Result<T, E>> {
    /// Puts this into its place; something unreachable does not displace what is known and holds.
    pub(super) fn learnt<K: Hash + Eq>(
        self,
        table: &Mutex<HashMap<K, Self>>,
        key: K,
        unreachable: bool,
    ) {
        let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= STATUSES_MAX {
            table.clear();
        }
        match table
            .get_mut(&key)
            .filter(|held| unreachable && held.holds(self.since))
        {
            Some(held) => held.asked_at = self.since,
            None => {
                table.insert(key, self);
            }
        }
    }

    fn holds(&self, now: UtcTime) -> bool {
        self.value.is_ok() && now < self.until
    }
}

/// What the cache may answer with, written down as such.
pub(super) fn cached<K: Hash + Eq, T: Clone>(
    discovery: &Discovery<'_>,
    table: &Mutex<HashMap<K, Known<T>>>,
    (key, what): (&K, Named<'_>),
    serves: impl Fn(&Known<T>) -> bool,
) -> Option<T> {
    if discovery.recheck == Recheck::Fresh {
        return None;
    }
    let known = {
        let table = table.lock().unwrap_or_else(PoisonError::into_inner);
        let now = discovery.examiner.moment.now;
        let known = table.get(key).filter(|known| now < known.until);
        known.filter(|known| serves(known)).cloned()
    }?;
    let since = known.since;
    let outcome = FetchOutcome::Cached { since };
    discovery.recorder().fetch(what, &known.url, outcome);
    Some(known.value)
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
            Err(fault) => {
                let jwt = wrapper.get("trust_mark").and_then(Value::as_str);
                let (mark_type, issuer) = (&fault.mark_type, &fault.issuer);
                record(discovery, (mark_type, issuer, jwt), None, Some(&fault));
                refused.push(fault);
            }
        }
    }
    if required.is_empty() || read.iter().any(|mark| required.contains(&mark.mark_type)) {
        return Ok(read);
    }
    for mark in &read {
        record(discovery, mark.parts(), None, None);
    }
    Err(discovery.no_mark(None, refused))
}

/// Writes a mark's verdicts down, as `anchor` sees it.
fn record(
    discovery: &Discovery<'_>,
    (mark_type, issuer, jwt): (&str, &str, Option<&str>),
    anchor: Option<&Anchor>,
    refused: Option<&RefusedMark>,
) {
    let owner = anchor.and_then(|anchor| owner_of(&anchor.configuration, mark_type).ok()?);
    let owner = owner.filter(|owner| owner.id != issuer);
    let seen = MarkSeen {
        mark_type,
        issuer,
        anchor: anchor.map(|anchor| anchor.id.as_str()),
        required: discovery
            .settings
            .required_trust_marks
            .iter()
            .any(|required| required == mark_type),
        jwt,
        owner: owner.as_ref().map(|owner| owner.id.as_str()),
        asked: discovery.settings.trust_mark_status == TrustMarkStatus::Dynamic,
        now: discovery.examiner.moment.now,
    };
    discovery.recorder().mark(seen, refused);
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
        checked.add(
            discovery,
            (anchor.1, mark),
            verify(discovery, anchor, mark).await,
        );
    }
    checked.suffices |= !checked.valid.is_empty();
    if checked.suffices {
        let mut others = Vec::new();
        std::mem::swap(&mut checked.refused, &mut others);
        for mark in candidates.iter().filter(|mark| !is_required(mark)) {
            checked.add(
                discovery,
                (anchor.1, mark),
                verify(discovery, anchor, mark).await,
            );
        }
        checked.refused = others;
    }
    checked
}

impl Checked {
    fn add(
        &mut self,
        discovery: &Discovery<'_>,
        (anchor, mark): (&Anchor, &Candidate),
        outcome: Result<ValidMark, RefusedMark>,
    ) {
        if discovery.recorder().is_writing() {
            record(
                discovery,
                mark.parts(),
                Some(anchor),
                outcome.as_ref().err(),
            );
        }
        match outcome {
            Ok(valid) => self.valid.push(valid),
            Err(fault) => self.refused.push(fault),
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
        return Err(mark.refused((Check::Listed, Defect::Unlisted), fact));
    }
    let owner = owner_of(&anchor.configuration, &mark.mark_type)
        .map_err(|fact| mark.refused((Check::Owner, Defect::Delegation), fact))?;
    let kid = mark.unverified_kid.as_deref();
    let keys = issuer_keys(discovery, (configured, anchor), issuer, kid).await;
    let keys = keys.map_err(|fact| temporary((mark, Check::IssuerKeys), fact))?;
    let valid = mark.verify(
        discovery.subject,
        &keys,
        owner.as_ref(),
        discovery.examiner.moment,
    )?;
    if discovery.settings.trust_mark_status == TrustMarkStatus::Dynamic {
        ask_status(discovery, anchor, mark, &keys).await?;
    }
    Ok(valid)
}

/// A mark that is refused because something cannot be had.
pub(super) fn temporary((mark, check): (&Candidate, Check), fact: String) -> RefusedMark {
    RefusedMark {
        temporary: true,
        ..mark.refused((check, Defect::Unreachable), fact)
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
    let what = fmt::from_fn(|f| write!(f, "keys of the mark issuer {issuer}"));
    let (id, thumbprints) = cache_key(configured);
    let key = (id, thumbprints, issuer.to_owned());
    let cache = &discovery.inner.marks;
    let now = discovery.examiner.moment.now;
    let serves = |known: &Known<Keys>| known.has_key(kid, now);
    if let Some(known) = cached(discovery, &cache.issuers, (&key, &what), serves) {
        return known;
    }
    let (inner, examiner) = (&discovery.inner, &discovery.examiner);
    let start = || {
        let (inner, anchor) = (Arc::clone(inner), anchor.clone());
        let examiner = Examiner::silent(examiner.moment);
        let key = key.clone();
        async move { fetch_issuer(&inner, &anchor, key, &examiner).await }.boxed()
    };
    match discovery.recorder().is_writing() {
        true => fetch_issuer(inner, anchor, key, examiner).await,
        false => cache.flights.run(key.clone(), start).await,
    }
}

impl Known<Keys> {
    fn has_key(&self, kid: Option<&str>, now: UtcTime) -> bool {
        let has_key = match (&self.value, kid) {
            (Ok(keys), Some(kid)) => keys.find(kid).is_some(),
            (Ok(_), None) | (Err(_), _) => true,
        };
        has_key || now < self.asked_at.plus_seconds(FAILURE_SECONDS)
    }
}

async fn fetch_issuer(inner: &Inner, anchor: &Anchor, key: IssuerKey, examiner: &Examiner) -> Keys {
    let issuer = &key.2;
    let failed = |fact: String| format!("keys of the mark issuer {issuer}: {fact}");
    let url = fetch_url(&anchor.configuration, issuer).map_err(|e| failed(e.to_string()))?;
    let attested = attested_statement(inner, anchor, (issuer, &url), examiner).await;
    let now = examiner.moment.now;
    let until = match &attested {
        Ok(statement) => statement.expires_at.min(now.plus_seconds(FRESH_SECONDS)),
        Err(_) => now.plus_seconds(FAILURE_SECONDS),
    };
    let keys = attested.map(|statement| statement.keys).map_err(failed);
    let known = Known {
        value: keys.clone(),
        url,
        since: now,
        asked_at: now,
        until,
    };
    known.learnt(&inner.marks.issuers, key, keys.is_err());
    keys
}

async fn attested_statement(
    inner: &Inner,
    anchor: &Anchor,
    (issuer, url): (&str, &str),
    examiner: &Examiner,
) -> Result<EntityStatement, String> {
    let above = &anchor.id;
    let what = fmt::from_fn(|f| write!(f, "subordinate statement of {above} about {issuer}"));
    let lane = (Lane::Configured, &examiner.recorder);
    let document = inner.document(lane, &what, url).await;
    let link = Link {
        jws: document.map_err(|error| error.to_string())?.text,
        url: Some(url.to_owned()),
    };
    let keys = StatementKeys {
        keys: &anchor.keys,
        whose: Whose::Anchor,
    };
    examiner
        .subordinate((anchor.id.as_str(), issuer), &link, keys)
        .map_err(|error| format!("{url}: {}", fact(error)))
}

/// What is wrong with a statement, without its place in a chain.
pub(super) fn fact(error: TrustError) -> String {
    match error {
        TrustError::BrokenLink(link) => link.fact,
        other => other.to_string(),
    }
}
