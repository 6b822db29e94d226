//! From actix-web's request to [`Inbound`].

use super::around::RequestId;
use super::peer::Proxies;
use crate::config::ServerSettings;
use crate::endpoint::{FORM, Inbound, Method, Posted};
use crate::model::Params;
use crate::provider::Provider;
use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpMessage, HttpRequest, http};
use futures_util::StreamExt;
use std::time::Duration;

/// Longest accepted body: a request object with a trust chain in its header.
const MAX_BODY_BYTES: usize = 320 * 1024;
/// A body has to arrive within this time.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest `User-Agent` that is kept.
const MAX_AGENT: usize = 256;

/// Why a body was not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    TooLarge,
    TooSlow,
    Broken,
    /// It is none of these media types.
    WrongType(&'static [&'static str]),
}

impl BodyError {
    /// The HTTP status and one line for the sender.
    pub(super) fn answer(&self) -> (u16, String) {
        match self {
            Self::TooLarge => (413, "the request body is too large".to_owned()),
            Self::TooSlow => (408, "the request body did not arrive in time".to_owned()),
            Self::Broken => (400, "the request body could not be read".to_owned()),
            Self::WrongType(accepted) => (
                415,
                format!("the content type must be {}", accepted.join(" or ")),
            ),
        }
    }
}

/// Whose pages are asked for: an issuer's, or the desk's.
pub(super) struct Site<'a> {
    pub(super) server: &'a ServerSettings,
    /// What the names of its cookies begin with.
    pub(super) cookies: String,
    /// The header in which proxies pass the certificate of a browser on.
    pub(super) certificate_header: Option<&'a str>,
}

impl<'a> From<&'a Provider> for Site<'a> {
    fn from(op: &'a Provider) -> Self {
        Self {
            server: &op.shared.server,
            cookies: op.cookie_name(),
            certificate_header: op
                .settings
                .client_certificate
                .as_ref()
                .map(|settings| settings.header.as_str()),
        }
    }
}

/// Reads the whole request; its body, if there is one, has to be of one of the `accepted` media types.
pub(super) async fn read(
    site: impl Into<Site<'_>>,
    http: &HttpRequest,
    payload: Payload,
    accepted: &'static [&'static str],
) -> Result<Inbound, BodyError> {
    let site = site.into();
    let body = read_body(payload).await?;
    let found = http.content_type();
    let mut known = accepted.iter().copied();
    match known.find(|media_type| found.eq_ignore_ascii_case(media_type)) {
        Some(FORM) => Ok(from_parts(&site, http, &body)),
        None if body.is_empty() => Ok(from_parts(&site, http, &[])),
        None => Err(BodyError::WrongType(accepted)),
        Some(media_type) => {
            let text = std::str::from_utf8(&body).map_err(|_| BodyError::Broken)?;
            let posted = Posted {
                media_type,
                text: text.to_owned(),
            };
            Ok(Inbound {
                posted: Some(posted),
                ..from_parts(&site, http, &[])
            })
        }
    }
}

async fn read_body(mut payload: Payload) -> Result<Bytes, BodyError> {
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            if body.len().saturating_add(chunk.len()) > MAX_BODY_BYTES {
                return Err(BodyError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(BODY_TIMEOUT, reading)
        .await
        .unwrap_or(Err(BodyError::TooSlow))
}

/// As [`read`], for requests whose body does not count.
pub(super) fn without_body<'a>(site: impl Into<Site<'a>>, http: &HttpRequest) -> Inbound {
    from_parts(&site.into(), http, &[])
}

pub(super) fn from_parts(site: &Site<'_>, http: &HttpRequest, body: &[u8]) -> Inbound {
    let text = |name: header::HeaderName| {
        http.headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let query = http.query_string().as_bytes();
    let accept = text(header::ACCEPT).unwrap_or_default();
    let own = &site.cookies;
    let cookies = http.cookies().map(|cookies| {
        cookies
            .iter()
            .map(|cookie| (cookie.name().to_owned(), cookie.value().to_owned()))
            .filter(|(name, _)| {
                let shared = ["varco-lang", "varco-device"];
                name.starts_with(own.as_str()) || shared.iter().any(|one| name.ends_with(one))
            })
            .collect()
    });
    let (method, parameters) = if http.method() == http::Method::POST {
        (Method::Post, body)
    } else {
        (Method::Get, query)
    };
    Inbound {
        method,
        query: Params::parse(query),
        repeatable: Params::pairs(parameters).unwrap_or_default(),
        form: Params::parse(body),
        posted: None,
        upload: None,
        authorization: text(header::AUTHORIZATION),
        cookies: cookies.unwrap_or_default(),
        wants_json: accept.contains("application/json") && !accept.contains("text/html"),
        accept_language: text(header::ACCEPT_LANGUAGE),
        user_agent: text(header::USER_AGENT)
            .unwrap_or_default()
            .chars()
            .filter(|character| !character.is_control())
            .take(MAX_AGENT)
            .collect(),
        address: Proxies::of(site.server).client_address(http.head()),
        client_certificate: site
            .certificate_header
            .and_then(|name| Proxies::of(site.server).told(http.head(), name)),
        request_id: http
            .extensions()
            .get::<RequestId>()
            .map(|id| id.0.clone())
            .unwrap_or_default(),
    }
}
