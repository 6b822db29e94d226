//! Our own trust marks: asking their issuers for new ones (OpenID Federation §8.6) and judging them as a relying party
//! would, from the configured anchors' pinned keys down.

use super::anchors;
use super::discovery::{Discovery, told};
use super::mark_issuer::MarkIssuer;
use super::marks;
use super::{Resolver, TrustAnchor, TrustSettings};
use crate::federation::entity_statement::STATEMENT_MAX_BYTES;
use crate::federation::error::{Defect, RefusedMark};
use crate::federation::evaluation::Check;
use crate::federation::fetch::Lane;
use crate::federation::trust_chain::Anchor;
use crate::federation::trust_mark::{
    Candidate, TrustMarkStatus, ValidMark, is_issuer_listed, listed_issuers,
};
use serde_json::json;
use std::sync::Arc;
use url::Url;

/// Issuers of one type that are asked, of those that an anchor lists.
const ISSUERS_MAX: usize = 8;

impl Resolver {
    /// A mark of a type for us, from `issuer` or from whomever an anchor lists for the type. It is verified as a relying
    /// party would: listed issuer, owner's delegation, subject, signature, times.
    ///
    /// # Errors
    /// Why each issuer that could be asked gave none that holds.
    pub async fn request_own_mark(
        &self,
        settings: &TrustSettings,
        mark_type: &str,
        issuer: Option<&str>,
    ) -> Result<ValidMark, String> {
        let discovery = own_discovery(self, settings);
        let mut failures = Vec::new();
        for configured in &settings.anchors {
            let anchor =
                match anchors::find(&self.inner, settings, configured, discovery.look()).await {
                    Ok(anchor) => anchor,
                    Err(error) => {
                        failures.push(error.reason());
                        continue;
                    }
                };
            let issuers = match issuer {
                Some(issuer) => vec![issuer],
                None => listed_issuers(&anchor.configuration, mark_type),
            };
            for issuer in issuers.into_iter().take(ISSUERS_MAX) {
                let at = (configured, &anchor);
                match request(&discovery, at, mark_type, issuer).await {
                    Ok(mark) => return Ok(mark),
                    Err(failure) => failures.push(failure),
                }
            }
        }
        Err(match failures.is_empty() {
            true => "no trust anchor is configured".to_owned(),
            false => failures.join("; "),
        })
    }

    /// Whether a mark of ours holds for a configured anchor and is active at its issuer's status endpoint. An error that
    /// is temporary says nothing about the mark; that its issuer has no such endpoint is one.
    ///
    /// # Errors
    /// What a relying party would object to.
    pub async fn check_own_mark(
        &self,
        settings: &TrustSettings,
        jwt: &str,
    ) -> Result<(), RefusedMark> {
        let mark = Candidate::read(&json!({"trust_mark": jwt}))?;
        let asking = TrustSettings {
            trust_mark_status: TrustMarkStatus::Dynamic,
            ..settings.clone()
        };
        let discovery = own_discovery(self, &asking);
        let mut refusal = mark.refused(
            (Check::Listed, Defect::Unlisted),
            "no trust anchor is configured".to_owned(),
        );
        for configured in &asking.anchors {
            let outcome =
                match anchors::find(&self.inner, &asking, configured, discovery.look()).await {
                    Ok(anchor) => marks::verify(&discovery, (configured, &anchor), &mark).await,
                    Err(error) => Err(marks::temporary((&mark, Check::Listed), error.reason())),
                };
            match outcome {
                Ok(_) => return Ok(()),
                Err(fault) if refusal.temporary && !fault.temporary => {}
                Err(fault) => refusal = fault,
            }
        }
        Err(refusal)
    }
}

fn own_discovery<'a>(resolver: &Resolver, settings: &'a TrustSettings) -> Discovery<'a> {
    let inner = Arc::clone(&resolver.inner);
    Discovery::new(inner, settings, &settings.issuer_entity_id, Lane::Known)
}

async fn request(
    discovery: &Discovery<'_>,
    (configured, anchor): (&TrustAnchor, &Anchor),
    mark_type: &str,
    issuer: &str,
) -> Result<ValidMark, String> {
    if !is_issuer_listed(&anchor.configuration, mark_type, issuer) {
        return Err(format!(
            "trust_mark_issuers of {} does not list {issuer}",
            anchor.id
        ));
    }
    let keys = marks::issuer_keys(discovery, (configured, anchor), issuer, None).await?;
    let endpoint = MarkIssuer::new(discovery, anchor, issuer, keys)
        .endpoint("federation_trust_mark_endpoint")
        .await?;
    let malformed = |fact: &str| format!("trust mark endpoint of {issuer}: {fact}");
    let mut url = Url::parse(&endpoint).map_err(|error| malformed(&error.to_string()))?;
    url.set_fragment(None);
    url.query_pairs_mut()
        .append_pair("trust_mark_type", mark_type)
        .append_pair("sub", discovery.subject.as_str());
    let fetch = &discovery.inner.fetch;
    let accept = "application/trust-mark+jwt";
    let answer = fetch.get_in(Lane::Configured, url.as_str(), accept).await;
    let answer = answer.map_err(|error| {
        told(Lane::Configured, &error);
        malformed(&error.to_string())
    })?;
    if answer.body.len() > STATEMENT_MAX_BYTES {
        return Err(malformed("the answer is too large"));
    }
    let text = String::from_utf8_lossy(&answer.body);
    let stated = json!({"trust_mark_type": mark_type, "trust_mark": text.trim()});
    let mark = Candidate::read(&stated).map_err(|fault| malformed(&fault.to_string()))?;
    if mark.unverified_issuer != issuer {
        let fact = format!("the mark is issued by {}", mark.unverified_issuer);
        return Err(malformed(&fact));
    }
    marks::verify(discovery, (configured, anchor), &mark)
        .await
        .map_err(|fault| malformed(&fault.to_string()))
}
