//! How the federation's own resolver fetches: over [`Http`], from this machine only.
//!
//! Entities below the anchor name other addresses in their `authority_hints`; the demonstration must not be a way to
//! make this machine ask others.

use super::http::{Http, HttpAnswer, HttpRequest};
use crate::federation::entity_id::has_loopback_host;
use crate::federation::{Fetch, FetchError, FetchFact, Fetched, Fetching, Lane};
use std::sync::Arc;
use std::time::Instant;
use url::Url;

/// [`Fetch`] from loopback addresses.
pub(super) struct LoopbackFetch(pub(super) Arc<dyn Http>);

impl LoopbackFetch {
    async fn exchange(&self, url: &str, request: HttpRequest<'_>) -> Result<Fetched, FetchError> {
        let failed = |fact| FetchError {
            url: url.to_owned(),
            fact,
        };
        let parsed = Url::parse(url).map_err(|_| failed(FetchFact::InvalidUrl))?;
        if !has_loopback_host(&parsed) {
            let fact = "the demonstration asks addresses of this machine only";
            return Err(failed(FetchFact::Other(fact.to_owned())));
        }
        let started = Instant::now();
        let answer = self.0.send(request).await;
        let answer = answer.map_err(|error| failed(FetchFact::Connect(error.to_string())))?;
        let HttpAnswer {
            status,
            content_type,
            body,
        } = answer;
        if status != 200 {
            return Err(failed(FetchFact::Status { code: status }));
        }
        Ok(Fetched {
            status,
            content_type,
            body,
            final_url: url.to_owned(),
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }
}

impl Fetch for LoopbackFetch {
    fn get_in<'a>(&'a self, _: Lane, url: &'a str, _: &'a str) -> Fetching<'a> {
        Box::pin(self.exchange(url, HttpRequest::Get { url, bearer: None }))
    }

    fn post_form<'a>(
        &'a self,
        url: &'a str,
        fields: &'a [(String, String)],
        _: &'a str,
    ) -> Fetching<'a> {
        Box::pin(self.exchange(url, HttpRequest::PostForm { url, fields }))
    }
}
