//! What arrived, as plain data, before any meaning is given to it.

use crate::model::{ParamError, Params};
use std::net::IpAddr;

/// The HTTP methods that endpoints tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET (and HEAD).
    Get,
    /// POST.
    Post,
}

/// A body that is no form.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Its media type, one that the endpoint reads.
    pub media_type: &'static str,
    /// The body.
    pub text: String,
}

/// A file that was sent with a form.
#[derive(Clone, Debug)]
pub struct Upload {
    /// What the browser called it.
    pub name: String,
    /// Its bytes: a file without a name, which goes with the last handle.
    pub file: std::sync::Arc<std::fs::File>,
    /// How many they are.
    pub bytes: u64,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// GET or POST; nothing else reaches an endpoint.
    pub method: Method,
    /// The query of the URL.
    pub query: Result<Params, ParamError>,
    /// The pairs of the method's parameters as they came, for the few that may be repeated (OIDC Federation §8.3).
    pub repeatable: Vec<(String, String)>,
    /// A form body (`application/x-www-form-urlencoded`); empty when there is none.
    pub form: Result<Params, ParamError>,
    /// A body of another media type, where the endpoint reads such.
    pub posted: Option<Posted>,
    /// A file, where the page takes one.
    pub upload: Option<Upload>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// Cookies whose names are ours, unverified.
    pub cookies: Vec<(String, String)>,
    /// The `Accept` header asks for JSON rather than HTML.
    pub wants_json: bool,
    /// The `Accept-Language` header.
    pub accept_language: Option<String>,
    /// The browser or client, at most 256 characters.
    pub user_agent: String,
    /// The client's address; from a proxy's header only when the proxy is trusted.
    pub address: IpAddr,
    /// The certificate that a trusted proxy passed on, in the header that the issuer's configuration names; unverified.
    pub client_certificate: Option<String>,
    /// Goes out as `X-Request-Id` and into the log; the reference that people quote.
    pub request_id: String,
}

impl Inbound {
    /// The parameters of the request's method: query or form.
    ///
    /// # Errors
    /// As [`Params::parse`].
    pub fn params(&self) -> Result<&Params, ParamError> {
        match self.method {
            Method::Get => self.query.as_ref(),
            Method::Post => self.form.as_ref(),
        }
        .map_err(Clone::clone)
    }

    /// The value of a cookie of ours.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Who is on the other side, as far as the connection says.
    #[must_use]
    pub fn caller(&self) -> Caller {
        Caller {
            user_agent: self.user_agent.clone(),
            address: self.address,
            request_id: self.request_id.clone(),
            wants_json: self.wants_json,
        }
    }
}

/// Facts of the connection that outlive the parsing of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// At most 256 characters.
    pub user_agent: String,
    /// The client's address.
    pub address: IpAddr,
    /// The reference.
    pub request_id: String,
    /// Errors as JSON rather than as a page.
    pub wants_json: bool,
}
