//! Outgoing HTTP: the one client, with every limit that hostile servers make necessary.
//!
//! - https only outside development, no proxy from the environment, no decompression, addresses filtered ([`super::address`]);
//! - at most 3 redirects, followed by hand, none to another scheme, host or port;
//! - a body is read in chunks and given up beyond its limit; one time limit covers connecting, redirects and the body;
//! - lanes: the configured federation (trust anchors, mark issuers) and the relying parties known already have
//!   connections of their own, so that strangers that hang cannot starve them; neither a host nor whoever makes us fetch
//!   takes more than its share (`lanes.rs`);
//! - only connections to the configured federation are kept open: a leave for a connection is one for a socket, so that
//!   ten thousand hosts that answer quickly leave no ten thousand idle sockets behind.

use super::address;
use super::fetch::{Fetch, FetchError, FetchFact, FetchLimits, Fetched, Fetching, Lane};
use super::lanes::{Lanes, Permit};
use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use reqwest::{Client, Method, Response, redirect};
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

tokio::task_local! {
    /// The leave for the connection that a task makes.
    static LEAVE: Arc<Permit>;
}

/// Idle connections to one host of the configured federation.
const KEPT_PER_HOST: usize = 2;

/// The client could not be made: the TLS library failed, or `extra_ca_pem` is no PEM.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: {0}")]
pub struct HttpFetcherError(String);

/// [`Fetch`] over the network.
pub struct HttpFetcher {
    /// For the configured federation: keeps connections.
    configured: Client,
    /// For all others: a connection a request.
    single: Client,
    limits: FetchLimits,
    lanes: Lanes,
    development: bool,
}

impl HttpFetcher {
    /// Makes the client. `extra_ca_pem`: certificates of a private authority, trusted beside the system's.
    ///
    /// # Errors
    /// The TLS library failed, or `extra_ca_pem` is not PEM.
    pub fn new(
        limits: FetchLimits,
        development: bool,
        extra_ca_pem: Option<&[u8]>,
    ) -> Result<Self, HttpFetcherError> {
        let resolver = GuardedResolver {
            development,
            lookup: Box::new(|name| Box::pin(system_lookup(name))),
        };
        Self::with_resolver(limits, resolver, extra_ca_pem)
    }

    fn with_resolver(
        limits: FetchLimits,
        resolver: GuardedResolver,
        extra_ca_pem: Option<&[u8]>,
    ) -> Result<Self, HttpFetcherError> {
        let development = resolver.development;
        let resolver = Arc::new(resolver);
        let failed = |e: reqwest::Error| HttpFetcherError(causes(&e));
        let client = |kept_per_host| {
            let mut builder = Client::builder()
                .tls_backend_native()
                .dns_resolver(Arc::clone(&resolver))
                .no_proxy()
                .redirect(redirect::Policy::none())
                .referer(false)
                .https_only(!development)
                .http1_only()
                .timeout(limits.per_fetch)
                .pool_max_idle_per_host(kept_per_host)
                .pool_idle_timeout(Duration::from_secs(30))
                .user_agent(concat!("varco/", env!("CARGO_PKG_VERSION")));
            if let Some(pem) = extra_ca_pem {
                let certificates = reqwest::Certificate::from_pem_bundle(pem)?;
                builder = builder.tls_certs_merge(certificates);
            }
            builder.build()
        };
        Ok(Self {
            configured: client(KEPT_PER_HOST).map_err(failed)?,
            single: client(0).map_err(failed)?,
            lanes: Lanes::new(&limits),
            limits,
            development,
        })
    }

    async fn run(&self, lane: Lane, request: Outgoing<'_>) -> Result<Fetched, FetchError> {
        let target = self.checked(request.url)?;
        let host = target.host_str().unwrap_or_default();
        let permit = self.lanes.enter(lane, host).await;
        let leave = Arc::new(permit.map_err(|_| error(&target, FetchFact::Busy))?);
        let limit = self.limits.per_fetch;
        let client = match lane {
            Lane::Configured => &self.configured,
            Lane::Known | Lane::Stranger(_) | Lane::Authenticator => &self.single,
        };
        let exchange = LEAVE.scope(leave, self.exchange(client, target.clone(), request));
        match tokio::time::timeout(limit, exchange).await {
            Ok(result) => result,
            Err(_) => Err(error(&target, self.timed_out())),
        }
    }

    fn timed_out(&self) -> FetchFact {
        FetchFact::Timeout {
            milliseconds: self.limits.per_fetch.as_millis(),
        }
    }

    fn checked(&self, url: &str) -> Result<Url, FetchError> {
        let refused = |fact| FetchError {
            url: url.to_owned(),
            fact,
        };
        let parsed = Url::parse(url).map_err(|_| refused(FetchFact::InvalidUrl))?;
        match parsed.scheme() {
            "https" => {}
            "http" if self.development => {}
            _ => return Err(refused(FetchFact::NotHttps)),
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refused(FetchFact::InvalidUrl));
        }
        match address::forbidden_literal(&parsed, self.development) {
            Some(address) => Err(refused(FetchFact::ForbiddenAddress { address })),
            None => Ok(parsed),
        }
    }

    async fn exchange(
        &self,
        client: &Client,
        first: Url,
        request: Outgoing<'_>,
    ) -> Result<Fetched, FetchError> {
        let started = Instant::now();
        let mut url = first.clone();
        let mut redirects = 0;
        loop {
            let response = self.send(client, &url, &request).await?;
            let status = response.status();
            if status.is_redirection() && request.posted.is_none() {
                if redirects == self.limits.redirects {
                    let limit = self.limits.redirects;
                    return Err(error(&first, FetchFact::TooManyRedirects { limit }));
                }
                redirects += 1;
                url = self.redirected(&url, &response)?;
                continue;
            }
            let code = status.as_u16();
            let is_answer = code == 200 || (code == 202 && request.may_be_accepted());
            if !is_answer {
                return Err(error(&url, FetchFact::Status { code }));
            }
            if let Some(encoding) = header(&response, &CONTENT_ENCODING)
                && !encoding.eq_ignore_ascii_case("identity")
            {
                return Err(error(&url, FetchFact::Encoded { encoding }));
            }
            let content_type = header(&response, &CONTENT_TYPE);
            let body = self.read(&url, response).await?;
            let elapsed = started.elapsed().as_millis();
            return Ok(Fetched {
                status: code,
                content_type,
                body,
                final_url: url.to_string(),
                elapsed_ms: u64::try_from(elapsed).unwrap_or(u64::MAX),
            });
        }
    }

    async fn send(
        &self,
        client: &Client,
        url: &Url,
        request: &Outgoing<'_>,
    ) -> Result<Response, FetchError> {
        let method = match request.posted {
            Some(_) => Method::POST,
            None => Method::GET,
        };
        let mut builder = client.request(method, url.clone());
        builder = builder.header(ACCEPT, request.accept);
        if let Some((kind, body)) = &request.posted {
            builder = builder.header(CONTENT_TYPE, *kind).body(body.clone());
        }
        let sent = builder.send().await;
        sent.map_err(|cause| error(url, self.fact(&cause)))
    }

    /// The target of a redirect, on the same scheme, host and port (they were checked).
    fn redirected(&self, from: &Url, response: &Response) -> Result<Url, FetchError> {
        let location = header(response, &LOCATION);
        let to = location
            .as_deref()
            .and_then(|location| from.join(location).ok());
        let Some(to) = to else {
            let code = response.status().as_u16();
            return Err(error(from, FetchFact::Status { code }));
        };
        if to.origin() != from.origin() || !to.username().is_empty() {
            let to = to.to_string();
            return Err(error(from, FetchFact::RedirectLeavesHost { to }));
        }
        self.checked(to.as_str())
    }

    async fn read(&self, url: &Url, mut response: Response) -> Result<Vec<u8>, FetchError> {
        let limit = self.limits.body_bytes;
        let too_large = || error(url, FetchFact::TooLarge { limit });
        let announced = response.content_length().unwrap_or(0);
        if usize::try_from(announced).map_or(true, |length| length > limit) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk.map_err(|cause| error(url, self.fact(&cause)))?;
            let Some(chunk) = chunk else {
                return Ok(body);
            };
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
    }

    fn fact(&self, cause: &reqwest::Error) -> FetchFact {
        if cause.is_timeout() {
            return self.timed_out();
        }
        let mut source = cause.source();
        while let Some(inner) = source {
            if let Some(forbidden) = inner.downcast_ref::<ForbiddenName>() {
                return FetchFact::ForbiddenAddress {
                    address: forbidden.0,
                };
            }
            if let Some(unresolved) = inner.downcast_ref::<UnresolvedName>() {
                return FetchFact::Dns(unresolved.0.clone());
            }
            source = inner.source();
        }
        let text = causes(cause);
        if text.contains("certificate") || text.contains("SSL") || text.contains("ssl") {
            FetchFact::Tls(text)
        } else if cause.is_connect() {
            FetchFact::Connect(text)
        } else {
            FetchFact::Protocol(text)
        }
    }
}

impl Fetch for HttpFetcher {
    fn get_in<'a>(&'a self, lane: Lane, url: &'a str, accept: &'a str) -> Fetching<'a> {
        let posted = None;
        Box::pin(self.run(
            lane,
            Outgoing {
                url,
                accept,
                posted,
            },
        ))
    }

    fn post_form<'a>(
        &'a self,
        url: &'a str,
        fields: &'a [(String, String)],
        accept: &'a str,
    ) -> Fetching<'a> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let posted = Some((FORM, form.finish()));
        Box::pin(self.run(
            Lane::Configured,
            Outgoing {
                url,
                accept,
                posted,
            },
        ))
    }

    fn post_jwt<'a>(&'a self, url: &'a str, jwt: &'a str) -> Fetching<'a> {
        let posted = Some((JWT, jwt.to_owned()));
        Box::pin(self.run(
            Lane::Authenticator,
            Outgoing {
                url,
                accept: JWT,
                posted,
            },
        ))
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JWT: &str = "application/jwt";

struct Outgoing<'a> {
    url: &'a str,
    accept: &'a str,
    /// Content type and body of a POST.
    posted: Option<(&'static str, String)>,
}

impl Outgoing<'_> {
    /// Whether 202 is an answer (RFC 9110 §15.3.3): whoever was asked for something that takes time may say so.
    fn may_be_accepted(&self) -> bool {
        self.posted.as_ref().is_some_and(|(kind, _)| *kind == JWT)
    }
}

fn error(url: &Url, fact: FetchFact) -> FetchError {
    let url = url.to_string();
    FetchError { url, fact }
}

fn header(response: &Response, name: &reqwest::header::HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

/// An error with its causes in one line.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

#[derive(Debug, thiserror::Error)]
#[error("resolves to {0}, which is not allowed")]
struct ForbiddenName(IpAddr);

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct UnresolvedName(String);

type Lookup = BoxFuture<'static, std::io::Result<Vec<SocketAddr>>>;

async fn system_lookup(name: String) -> std::io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// Drops the addresses that may not be asked. The client calls it once a connection and connects to what it answers, so
/// that a name which resolves to something else the next time is checked again.
struct GuardedResolver {
    development: bool,
    lookup: Box<dyn Fn(String) -> Lookup + Send + Sync>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let development = self.development;
        let found = (self.lookup)(name.as_str().to_owned());
        // The system's look-up holds a thread until it ends, long after the fetch has run out of time. So does the leave:
        // names whose servers never answer take no more threads than connections, of whoever names them.
        let leave = LEAVE.try_with(Arc::clone);
        let found = tokio::spawn(async move {
            let found = found.await;
            drop(leave);
            found
        });
        Box::pin(async move {
            let found = found
                .await
                .unwrap_or_else(|e| Err(std::io::Error::other(e)));
            let found = found.map_err(|e| Box::new(UnresolvedName(e.to_string())))?;
            let (allowed, forbidden): (Vec<SocketAddr>, Vec<SocketAddr>) = found
                .into_iter()
                .partition(|socket| address::is_allowed(socket.ip(), development));
            match forbidden.first() {
                Some(socket) if allowed.is_empty() => Err(ForbiddenName(socket.ip()).into()),
                _ => {
                    let addresses: Addrs = Box::new(allowed.into_iter());
                    Ok(addresses)
                }
            }
        })
    }
}

#[cfg(test)]
#[path = "http_fetcher_tests.rs"]
mod tests;
