//! What happens around every request: its reference, the headers of every answer, and one line of the log.

use crate::endpoint::{Note, quote};
use crate::random;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};
use std::fmt::Write;
use std::time::Instant;

/// The reference of a request: goes out as `X-Request-Id`, onto error pages and into the log.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// Headers that every answer carries unless it has its own.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// Two years, as browsers' preload lists want it.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000";

/// The middleware, for production and for development (where there may be no TLS).
pub(super) async fn around(
    development: bool,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = random::identifier();
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let path = request.path().to_owned();
    let mut response = match next.call(request).await {
        Ok(response) => response.map_into_boxed_body(),
        Err(error) => {
            let mut response = refuse(&error, &id);
            dress(response.headers_mut(), development, &id);
            return Err(InternalError::from_response(error, response).into());
        }
    };
    let status = response.status().as_u16();
    dress(response.headers_mut(), development, &id);
    let note = response.response().extensions().get::<Note>().cloned();
    let milliseconds = started.elapsed().as_millis();
    if note.is_some() || status >= 500 || log::log_enabled!(log::Level::Debug) {
        let note = note.unwrap_or_else(|| {
            let level = if status >= 500 {
                log::Level::Error
            } else {
                log::Level::Debug
            };
            Note::new(level, "http.answered")
        });
        log::log!(
            note.level,
            "{}",
            line(
                &note,
                &format!(
                    "request={id} method={method} path={} status={status} ms={milliseconds}",
                    quote(&path)
                )
            )
        );
    }
    Ok(response)
}

/// The headers of every answer.
fn dress(headers: &mut HeaderMap, development: bool, id: &str) {
    for (name, value) in HEADERS {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if !development {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(STRICT_TRANSPORT_SECURITY),
        );
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}

/// One event, one line: `event=… request=… key="value"`.
fn line(note: &Note, request: &str) -> String {
    let mut line = format!("event={} {request}", note.event);
    for (name, value) in &note.fields {
        let _ = write!(line, " {name}={}", quote(value));
    }
    line
}

/// actix-web's own refusals keep their status below 500; whatever it could not do is an outage, not a bug of the caller.
fn refuse(error: &Error, id: &str) -> HttpResponse {
    let status = error.as_response_error().status_code();
    if status.is_server_error() {
        log::error!("event=http.failed request={id} reason={}", quote(error));
        return HttpResponse::ServiceUnavailable()
            .insert_header((header::RETRY_AFTER, "5"))
            .json(serde_json::json!({
                "error": "temporarily_unavailable",
                "error_description": "the provider cannot answer now; try again",
            }));
    }
    HttpResponse::build(status).json(serde_json::json!({
        "error": "invalid_request",
        "error_description": "the HTTP request could not be read",
    }))
}
