//! The one place that sends a browser to an RP (OIDC Core §3.1.2.5, RFC 9207, SPID/CIE AZ-11, AZ-12).

use crate::endpoint::{Page, Reply};
use crate::model::{Destination, ErrorCode, ResponseMode};
use crate::provider::Provider;

/// What the RP is told.
#[derive(Debug)]
pub enum Answer {
    /// An authorization code.
    Code(String),
    /// A refusal: code and ASCII description.
    Error(ErrorCode, String),
}

/// Sends the browser to a verified destination, by query or by form.
#[must_use]
pub fn send(op: &Provider, destination: &Destination, answer: Answer) -> Reply {
    let mut fields: Vec<(&'static str, String)> = match answer {
        Answer::Code(code) => vec![("code", code)],
        Answer::Error(code, description) => vec![
            ("error", code.as_str().to_owned()),
            ("error_description", description),
        ],
    };
    if let Some(state) = &destination.state {
        fields.push(("state", state.clone()));
    }
    fields.push(("iss", op.settings.id.clone()));
    match destination.response_mode {
        ResponseMode::Query => Reply::see_other(with_query(&destination.redirect_uri, &fields))
            .header("Referrer-Policy", "no-referrer"),
        ResponseMode::FormPost => Reply::page(
            200,
            Page::FormPost {
                action: destination.redirect_uri.clone(),
                fields,
            },
        ),
    }
}

/// Appends to the redirect URI's own query (RFC 6749 §3.1.2), leaving the rest of it byte for byte.
fn with_query(redirect_uri: &str, fields: &[(&'static str, String)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        query.append_pair(name, value);
    }
    let separator = match redirect_uri.rsplit_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{redirect_uri}{separator}{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_a_redirect_uri_is_kept() {
        let fields = [("code", "a b".to_owned())];
        assert_eq!(
            with_query("https://rp/cb", &fields),
            "https://rp/cb?code=a+b"
        );
        assert_eq!(
            with_query("https://rp/cb?x=1", &fields),
            "https://rp/cb?x=1&code=a+b"
        );
        assert_eq!(with_query("app:cb?", &fields), "app:cb?code=a+b");
    }
}
