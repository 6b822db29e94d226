//! What federation endpoints are asked, and how they refuse (OpenID Federation 1.0 §8.9).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::json;

/// Parameters of a query or form, in order.
pub(super) struct Asked(Vec<(String, String)>);

impl Asked {
    pub(super) fn read(text: &str) -> Self {
        Self(
            url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// Every value of a repeatable parameter.
    pub(super) fn all(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let values = self.0.iter().filter(|(found, _)| found == name);
        let values: Vec<String> = values.map(|(_, value)| value.clone()).collect();
        if values.iter().any(String::is_empty) {
            return Err(Refusal::InvalidRequest(format!("{name} is empty")));
        }
        Ok(values)
    }

    /// A parameter that may be given once.
    pub(super) fn optional(&self, name: &str) -> Result<Option<String>, Refusal> {
        let mut values = self.all(name)?;
        if values.len() > 1 {
            return Err(Refusal::InvalidRequest(format!("{name} is repeated")));
        }
        Ok(values.pop())
    }

    /// A parameter that must be given once.
    pub(super) fn required(&self, name: &str) -> Result<String, Refusal> {
        self.optional(name)?
            .ok_or_else(|| Refusal::InvalidRequest(format!("{name} is missing")))
    }

    /// A boolean; absent is false.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.optional(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::InvalidRequest(format!(
                "{name} is neither true nor false"
            ))),
        }
    }
}

/// Why an endpoint refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A parameter is missing, repeated or of no meaning.
    InvalidRequest(String),
    /// A parameter that this entity does not offer.
    UnsupportedParameter(&'static str),
    /// The entity or mark is not known here.
    NotFound(&'static str),
    /// None of the trust anchors is one of ours.
    InvalidTrustAnchor,
    /// The subject's chain does not hold.
    InvalidTrustChain(String),
    /// Metadata and policies do not fit.
    InvalidMetadata(String),
    /// Somebody could not be reached.
    TemporarilyUnavailable(String),
    /// Signing failed; the log says why.
    ServerError,
    /// An order without the token of this run.
    Forbidden,
    /// Not one of the methods that the endpoint takes.
    Method(&'static str),
}

impl Refusal {
    const fn status(&self) -> StatusCode {
        match self {
            Self::InvalidRequest(_)
            | Self::UnsupportedParameter(_)
            | Self::InvalidTrustChain(_)
            | Self::InvalidMetadata(_) => StatusCode::BAD_REQUEST,
            Self::NotFound(_) | Self::InvalidTrustAnchor => StatusCode::NOT_FOUND,
            Self::TemporarilyUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::Method(_) => "invalid_request",
            Self::UnsupportedParameter(_) => "unsupported_parameter",
            Self::NotFound(_) => "not_found",
            Self::InvalidTrustAnchor => "invalid_trust_anchor",
            Self::InvalidTrustChain(_) => "invalid_trust_chain",
            Self::InvalidMetadata(_) => "invalid_metadata",
            Self::TemporarilyUnavailable(_) => "temporarily_unavailable",
            Self::ServerError => "server_error",
            Self::Forbidden => "access_denied",
        }
    }

    fn description(&self) -> String {
        match self {
            Self::InvalidRequest(fact)
            | Self::InvalidTrustChain(fact)
            | Self::InvalidMetadata(fact)
            | Self::TemporarilyUnavailable(fact) => fact.clone(),
            Self::UnsupportedParameter(name) => format!("this entity does not offer {name}"),
            Self::NotFound(what) => format!("no {what} here"),
            Self::InvalidTrustAnchor => "no trust_anchor that this entity is below".to_owned(),
            Self::ServerError => "the document could not be signed".to_owned(),
            Self::Forbidden => "orders need the token of this run".to_owned(),
            Self::Method(methods) => format!("this endpoint takes {methods} only"),
        }
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        if let Self::Method(methods) = self {
            response.insert_header(("Allow", methods));
        }
        response
            .insert_header(("Cache-Control", "no-store"))
            .json(json!({"error": self.code(), "error_description": self.description()}))
    }
}
