//! Asking a trust mark's issuer: for its endpoints, and whether a mark is still active (SPID/CIE TM-2).

use super::Inner;
use super::discovery::{Discovery, noted, told};
use super::marks::{FAILURE_SECONDS, Known, Status, StatusKey, cached, fact, temporary};
use crate::federation::entity_id::EntityId;
use crate::federation::error::Defect;
use crate::federation::evaluation::Check;
use crate::federation::examiner::{Examiner, Link, StatementKeys, Whose};
use crate::federation::fetch::{FetchFact, Lane};
use crate::federation::trust_chain::Anchor;
use crate::federation::trust_mark::{Candidate, Standing, read_status_answer};
use crate::jose::KeySet;
use crate::secret::sha256;
use futures_util::future::FutureExt;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// Seconds for which an active mark is not asked about again.
const STATUS_SECONDS: i64 = 300;

/// SPID/CIE TM-2: asks the issuer, once in a while, whether the mark is still active.
pub(super) async fn ask_status(
    discovery: &Discovery<'_>,
    anchor: &Anchor,
    mark: &Candidate,
    keys: &KeySet,
) -> Status {
    let key = (sha256(mark.jwt.as_bytes()), discovery.subject.to_string());
    let cache = &discovery.inner.marks;
    let what = status_of(mark);
    if let Some(known) = cached(discovery, &cache.statuses, (&key, &what), |_| true) {
        return known;
    }
    let asked = |examiner: Examiner| Asked {
        issuer: MarkIssuer {
            examiner,
            ..MarkIssuer::new(discovery, anchor, &mark.unverified_issuer, keys.clone())
        },
        mark: mark.clone(),
        subject: discovery.subject.to_string(),
    };
    if discovery.recorder().is_writing() {
        return asked(discovery.examiner.clone()).ask_and_learn(key).await;
    }
    let start = || {
        let asked = asked(Examiner::silent(discovery.examiner.moment));
        let key = key.clone();
        async move { asked.ask_and_learn(key).await }.boxed()
    };
    cache.status_flights.run(key.clone(), start).await
}

/// What is asked about a mark, for the record.
fn status_of(mark: &Candidate) -> impl fmt::Display + Sync {
    let issuer = &mark.unverified_issuer;
    fmt::from_fn(move |f| write!(f, "status of a trust mark of {issuer}"))
}

/// A mark issuer that the anchor lists, with its attested keys.
pub(super) struct MarkIssuer {
    inner: Arc<Inner>,
    anchor: Anchor,
    id: String,
    keys: KeySet,
    examiner: Examiner,
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
            examiner: discovery.examiner.clone(),
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
        let what = fmt::from_fn(|f| write!(f, "entity configuration of {id}"));
        let url = id.configuration_url();
        let lane = (Lane::Configured, &self.examiner.recorder);
        let document = self.inner.document(lane, &what, &url).await;
        let link = Link {
            jws: document.map_err(|error| error.to_string())?.text,
            url: Some(url),
        };
        let attested = StatementKeys {
            keys: &self.keys,
            whose: Whose::Attested(self.anchor.id.as_str()),
        };
        self.examiner
            .configuration(&id, &link, Some(attested))
            .map_err(|error| format!("entity configuration of {issuer}: {}", fact(error)))?
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
    async fn ask_and_learn(&self, key: StatusKey) -> Status {
        let name = "federation_trust_mark_status_endpoint";
        let (url, status) = match self.issuer.endpoint(name).await {
            Ok(endpoint) => {
                let status = self.ask(&endpoint).await;
                (endpoint, status)
            }
            Err(fact) => {
                let refused = temporary((&self.mark, Check::Status), fact);
                (self.mark.unverified_issuer.clone(), Err(refused))
            }
        };
        let seconds = match status {
            Ok(()) => STATUS_SECONDS,
            Err(_) => FAILURE_SECONDS,
        };
        let since = self.issuer.examiner.moment.now;
        let known = Known {
            value: status.clone(),
            url,
            since,
            asked_at: since,
            until: since.plus_seconds(seconds),
        };
        let unreachable = status.as_ref().is_err_and(|refused| refused.temporary);
        known.learnt(&self.issuer.inner.marks.statuses, key, unreachable);
        status
    }

    async fn ask(&self, endpoint: &str) -> Status {
        let (mark, issuer) = (&self.mark, &self.issuer);
        let fields = [
            ("trust_mark".to_owned(), mark.jwt.clone()),
            ("trust_mark_type".to_owned(), mark.mark_type.clone()),
            ("sub".to_owned(), self.subject.clone()),
        ];
        let what = status_of(mark);
        let accept = "application/trust-mark-status-response+jwt, application/json";
        let started = Instant::now();
        let answer = issuer
            .inner
            .fetch
            .post_form(endpoint, &fields, accept)
            .await;
        let answer = noted(
            &issuer.examiner.recorder,
            (&what, endpoint, started),
            answer,
        );
        let inactive = |fact| mark.refused((Check::Status, Defect::Inactive), fact);
        let unknown = |fact| temporary((mark, Check::Status), fact);
        let answer = answer.map_err(|error| {
            told(Lane::Configured, &error);
            match error.fact {
                // OpenID Federation §8.4.2: an issuer that is asked about a mark that it did not issue.
                FetchFact::Status { code: 404 } => {
                    inactive("its issuer does not know it (HTTP status 404)".to_owned())
                }
                _ => unknown(format!("status endpoint {error}")),
            }
        })?;
        let moment = issuer.examiner.moment;
        match read_status_answer(&answer.body, mark, &issuer.keys, moment).map_err(unknown)? {
            Standing::Active => Ok(()),
            Standing::Inactive(fact) => Err(inactive(fact)),
        }
    }
}
