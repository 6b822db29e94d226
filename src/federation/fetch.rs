//! Where documents come from: the trait, its answers and errors. The network's side is [`super::http_fetcher`].

use futures_util::future::BoxFuture;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// What an outgoing request is for, which decides whose connections it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Named by configuration or by a trust anchor.
    Configured,
    /// A relying party that was recognised before: renewals and keys.
    Known,
    /// Named by whoever sent a request, from there.
    Stranger(Source),
    /// An authentication service: its connections are its own, so that one that hangs starves no federation.
    Authenticator,
}

/// Where a request came from, as far as fair shares go: one IPv4 address, or the 64 bits of an IPv6 address that are one
/// link's. A line has many of those: they share what [`Source::network`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// The source of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(v4) => IpAddr::V4(v4),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }

    /// The network that it is in.
    #[must_use]
    pub const fn network(self) -> Network {
        Network(match self.0 {
            IpAddr::V4(v4) => IpAddr::V4(v4),
            IpAddr::V6(v6) => {
                let [a, b, c, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
            }
        })
    }
}

/// What one line may have all of: an IPv4 address, or 48 bits of an IPv6 address, the most that is given to a site as a
/// matter of course (RFC 6177). Its share is larger than a source's, since it may also be many lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

/// An answer with status 200 (or 202, where that is one).
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header as it came.
    pub content_type: Option<String>,
    /// The body, within [`FetchLimits::body_bytes`].
    pub body: Vec<u8>,
    /// The address after redirects.
    pub final_url: String,
    /// Milliseconds from the first connection to the last byte.
    pub elapsed_ms: u64,
}

/// Why a fetch failed. `Display` is for whoever made us fetch: it names neither resolved addresses nor causes, which tell
/// of the network that we are in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {fact}")]
pub struct FetchError {
    /// The address asked for, or the redirect's target that failed.
    pub url: String,
    /// What happened.
    pub fact: FetchFact,
}

impl FetchError {
    /// Everything that is known, for the log and for operators.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("{}: {}", self.url, self.fact.reason())
    }
}

/// What happened to a fetch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFact {
    /// No answer, or no complete one, in time.
    #[error("no complete answer within {milliseconds} ms")]
    Timeout {
        /// The limit.
        milliseconds: u128,
    },
    /// The host is, or resolves only to, an address that may not be asked.
    #[error("the host is not at an address that is allowed")]
    ForbiddenAddress {
        /// The address.
        address: IpAddr,
    },
    /// The body is larger than the limit.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// Bytes.
        limit: usize,
    },
    /// A body that is compressed or otherwise encoded, which nobody asked for: it would inflate without bound.
    #[error("the answer has the Content-Encoding {encoding}, which was not asked for")]
    Encoded {
        /// The header.
        encoding: String,
    },
    /// A status other than 200 and followed redirects.
    #[error("HTTP status {code}")]
    Status {
        /// The status.
        code: u16,
    },
    /// The name does not resolve.
    #[error("the host name does not resolve")]
    Dns(String),
    /// No connection, or it broke.
    #[error("could not be connected to")]
    Connect(String),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed")]
    Tls(String),
    /// Not an HTTP answer.
    #[error("the answer is not HTTP")]
    Protocol(String),
    /// A redirect to another scheme, host or port.
    #[error("redirected to another host, {to}")]
    RedirectLeavesHost {
        /// Its target.
        to: String,
    },
    /// More redirects than the limit.
    #[error("more than {limit} redirects")]
    TooManyRedirects {
        /// Redirects.
        limit: usize,
    },
    /// Not a URL, or one with user information.
    #[error("not a URL that can be fetched")]
    InvalidUrl,
    /// Plain http outside development.
    #[error("not an https URL")]
    NotHttps,
    /// Too many requests wait already.
    #[error("too many requests are under way")]
    Busy,
    /// No network in this process, or none for this address (tests).
    #[error("{0}")]
    Other(String),
}

impl FetchFact {
    /// The fact with its cause, for the log and for operators.
    #[must_use]
    pub fn reason(&self) -> String {
        match self.cause() {
            Some(cause) => format!("{self} ({cause})"),
            None => self.to_string(),
        }
    }

    /// The texts that come from elsewhere.
    pub(super) fn texts(&mut self) -> Option<&mut String> {
        match self {
            Self::Dns(text)
            | Self::Connect(text)
            | Self::Tls(text)
            | Self::Protocol(text)
            | Self::RedirectLeavesHost { to: text }
            | Self::Encoded { encoding: text }
            | Self::Other(text) => Some(text),
            Self::Timeout { .. }
            | Self::ForbiddenAddress { .. }
            | Self::TooLarge { .. }
            | Self::Status { .. }
            | Self::TooManyRedirects { .. }
            | Self::InvalidUrl
            | Self::NotHttps
            | Self::Busy => None,
        }
    }

    /// What `Display` leaves out.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        match self {
            Self::ForbiddenAddress { address } => Some(address.to_string()),
            Self::Dns(cause) | Self::Connect(cause) | Self::Tls(cause) | Self::Protocol(cause) => {
                Some(cause.clone())
            }
            Self::Timeout { .. }
            | Self::TooLarge { .. }
            | Self::Encoded { .. }
            | Self::Status { .. }
            | Self::RedirectLeavesHost { .. }
            | Self::TooManyRedirects { .. }
            | Self::InvalidUrl
            | Self::NotHttps
            | Self::Busy
            | Self::Other(_) => None,
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Timeout { .. }
            | Self::Status { .. }
            | Self::Dns(_)
            | Self::Connect(_)
            | Self::Tls(_)
            | Self::Protocol(_)
            | Self::Busy
            | Self::Other(_) => true,
            Self::ForbiddenAddress { .. }
            | Self::TooLarge { .. }
            | Self::Encoded { .. }
            | Self::RedirectLeavesHost { .. }
            | Self::TooManyRedirects { .. }
            | Self::InvalidUrl
            | Self::NotHttps => false,
        }
    }
}

/// The result of a fetch, later.
pub type Fetching<'a> = BoxFuture<'a, Result<Fetched, FetchError>>;

/// Where documents come from: the network, or a map in tests.
pub trait Fetch: Send + Sync {
    /// GET in a lane. Only status 200 is an answer.
    fn get_in<'a>(&'a self, lane: Lane, url: &'a str, accept: &'a str) -> Fetching<'a>;

    /// POST of a form (`application/x-www-form-urlencoded`) in the configured lane; redirects are not followed.
    fn post_form<'a>(
        &'a self,
        url: &'a str,
        fields: &'a [(String, String)],
        accept: &'a str,
    ) -> Fetching<'a>;

    /// POST of a signed request (`application/jwt`) to an authentication service, in a lane of its own; redirects are not
    /// followed, and 202 is an answer too. What has no network answers that it has none.
    fn post_jwt<'a>(&'a self, url: &'a str, jwt: &'a str) -> Fetching<'a> {
        let _unsent = jwt;
        Box::pin(std::future::ready(Err(FetchError {
            url: url.to_owned(),
            fact: FetchFact::Other("no authentication service here".to_owned()),
        })))
    }
}

/// The limits of [`super::http_fetcher::HttpFetcher`].
#[derive(Clone, Debug)]
pub struct FetchLimits {
    /// For connecting, redirects and the body together.
    pub per_fetch: Duration,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Redirects followed.
    pub redirects: usize,
    /// Connections at a time, all lanes together.
    pub concurrency: usize,
    /// Of these, reserved for [`Lane::Configured`].
    pub configured_concurrency: usize,
    /// Of these, reserved for [`Lane::Known`].
    pub known_concurrency: usize,
    /// Connections at a time in [`Lane::Authenticator`], beside all others.
    pub authenticator_concurrency: usize,
    /// Connections at a time to one host, except in the configured lane.
    pub per_host: usize,
    /// Connections at a time on behalf of one [`Network`]; fewer than `per_host`, so that no network shuts a host to others.
    pub per_network: usize,
    /// Connections at a time on behalf of one [`Source`]; fewer than `per_network`, for the same reason.
    pub per_source: usize,
    /// Requests that may wait for a connection (strangers).
    pub queue: usize,
    /// The same in [`Lane::Known`].
    pub known_queue: usize,
    /// How long one may wait.
    pub queue_wait: Duration,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            per_fetch: Duration::from_secs(3),
            body_bytes: 256 * 1024,
            redirects: 3,
            concurrency: 32,
            configured_concurrency: 8,
            known_concurrency: 8,
            authenticator_concurrency: 8,
            per_host: 5,
            per_network: 4,
            per_source: 3,
            queue: 1024,
            known_queue: 128,
            queue_wait: Duration::from_secs(3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_ipv4_address_or_an_ipv6_network() {
        let same =
            |a: &str, b: &str| Source::of(a.parse().unwrap()) == Source::of(b.parse().unwrap());
        assert!(same("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(same("2001:db8:1:2::3", "2001:db8:1:2:ffff::4"));
        assert!(!same("2001:db8:1:2::3", "2001:db8:1:3::3"));
        let network = |a: &str| Source::of(a.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:ffff::3"));
        assert_ne!(network("2001:db8:1:2::3"), network("2001:db8:2:2::3"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn what_is_said_to_strangers_names_no_address_and_no_cause() {
        let cause = "tcp connect error: Connection refused (os error 111)".to_owned();
        for fact in [
            FetchFact::Connect(cause.clone()),
            FetchFact::Dns(cause.clone()),
            FetchFact::Tls(cause.clone()),
            FetchFact::Protocol(cause),
            FetchFact::ForbiddenAddress {
                address: IpAddr::from([10, 1, 2, 3]),
            },
        ] {
            let url = "https://rp.example.it/".to_owned();
            let error = FetchError { url, fact };
            let (said, reason) = (error.to_string(), error.reason());
            assert!(said.starts_with("https://rp.example.it/: "), "{said}");
            assert!(!said.contains("111") && !said.contains("10.1"), "{said}");
            assert!(
                reason.starts_with(&said) && (reason.contains("111") || reason.contains("10.1")),
                "{reason}"
            );
        }
    }
}
