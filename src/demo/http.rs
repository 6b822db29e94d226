//! The relying parties' outgoing HTTP.
//!
//! Not [`crate::federation`]'s fetcher: that one hides error answers and sends no `Authorization` header, while a relying
//! party needs both, and the demonstration shows every answer as it came.

use super::DemoError;
use futures_util::future::BoxFuture;
use std::time::Duration;

const MAX_BODY_BYTES: usize = 256 * 1024;
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// An order makes others fetch, one after the other.
const ORDER_TIME_LIMIT: Duration = Duration::from_secs(60);

/// One request.
#[derive(Clone, Debug)]
pub enum HttpRequest<'a> {
    /// GET.
    Get {
        /// The address.
        url: &'a str,
        /// The bearer token for the `Authorization` header (RFC 6750 §2.1).
        bearer: Option<&'a str>,
    },
    /// POST of a form.
    PostForm {
        /// The address.
        url: &'a str,
        /// Names and values.
        fields: &'a [(String, String)],
    },
}

/// An answer with any status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    /// The body, at most 256 KiB.
    pub body: Vec<u8>,
}

impl HttpAnswer {
    /// The body as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Who sends the requests: the network, or a test.
pub trait Http: Send + Sync {
    /// Sends one request; redirects are not followed.
    ///
    /// # Errors
    /// `Http` when there is no whole answer within 10 s and 256 KiB.
    fn send<'a>(&'a self, request: HttpRequest<'a>)
    -> BoxFuture<'a, Result<HttpAnswer, DemoError>>;
}

/// [`Http`] over the network. For the demonstration only: it asks loopback addresses, as the demonstration must.
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// Makes the client.
    ///
    /// # Errors
    /// `Http` when the TLS library does not start.
    pub fn new() -> Result<Self, DemoError> {
        reqwest::Client::builder()
            .tls_backend_native()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIME_LIMIT)
            .build()
            .map(Self)
            .map_err(|error| failed("", &error))
    }

    /// Gives a running demonstration an order, with its onboarding token (see [`super::onboarding`]).
    ///
    /// # Errors
    /// As [`Http::send`], but the order may take a minute.
    pub async fn order(
        &self,
        url: &str,
        token: &str,
        order: &serde_json::Value,
    ) -> Result<HttpAnswer, DemoError> {
        let builder = self
            .0
            .post(url)
            .bearer_auth(token)
            .timeout(ORDER_TIME_LIMIT);
        let builder = builder.header("content-type", "application/json");
        received(url, builder.body(order.to_string())).await
    }

    async fn exchange(&self, request: HttpRequest<'_>) -> Result<HttpAnswer, DemoError> {
        let (url, builder) = match request {
            HttpRequest::Get { url, bearer } => {
                let builder = self.0.get(url);
                let builder = match bearer {
                    Some(token) => builder.bearer_auth(token),
                    None => builder,
                };
                (url, builder)
            }
            HttpRequest::PostForm { url, fields } => {
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields);
                let kind = "application/x-www-form-urlencoded";
                let builder = self.0.post(url).header("content-type", kind);
                (url, builder.body(form.finish()))
            }
        };
        received(url, builder).await
    }
}

impl Http for HttpClient {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpAnswer, DemoError>> {
        Box::pin(self.exchange(request))
    }
}

async fn received(url: &str, builder: reqwest::RequestBuilder) -> Result<HttpAnswer, DemoError> {
    let mut response = builder.send().await.map_err(|error| failed(url, &error))?;
    let content_type = response.headers().get("content-type");
    let mut answer = HttpAnswer {
        status: response.status().as_u16(),
        content_type: content_type
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        body: Vec::new(),
    };
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| failed(url, &error))?
    {
        if answer.body.len().saturating_add(chunk.len()) > MAX_BODY_BYTES {
            return Err(DemoError::Http {
                url: url.to_owned(),
                reason: format!("the answer is larger than {MAX_BODY_BYTES} bytes"),
            });
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

fn failed(url: &str, error: &reqwest::Error) -> DemoError {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        reason.push_str(": ");
        reason.push_str(&inner.to_string());
        cause = inner.source();
    }
    DemoError::Http {
        url: url.to_owned(),
        reason,
    }
}
