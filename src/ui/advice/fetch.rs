//! A document that could not be fetched.

use super::{Advice, Message};
use crate::federation::{FetchError, FetchFact};

pub(super) fn advice(error: &FetchError) -> Advice {
    let say = |key| Message::new(key).text("url", &error.url);
    match &error.fact {
        FetchFact::Timeout { milliseconds } => Advice::new(
            say("advice-fetch-timeout").number("milliseconds", *milliseconds),
            Message::new("advice-fetch-timeout-do"),
        ),
        FetchFact::ForbiddenAddress { .. } => Advice::new(
            say("advice-fetch-address"),
            Message::new("advice-fetch-address-do"),
        ),
        FetchFact::TooLarge { limit } => Advice::new(
            say("advice-fetch-too_large").number("limit", *limit),
            Message::new("advice-fetch-too_large-do"),
        ),
        FetchFact::Encoded { encoding } => Advice::new(
            say("advice-fetch-encoded").text("encoding", encoding),
            Message::new("advice-fetch-encoded-do"),
        ),
        FetchFact::Status { code } => Advice::new(
            say("advice-fetch-status").number("status", *code),
            Message::new("advice-fetch-status-do"),
        ),
        FetchFact::Dns(_) => {
            Advice::new(say("advice-fetch-dns"), Message::new("advice-fetch-dns-do"))
        }
        FetchFact::Connect(_) => Advice::new(
            say("advice-fetch-connect"),
            Message::new("advice-fetch-connect-do"),
        ),
        FetchFact::Tls(_) => {
            Advice::new(say("advice-fetch-tls"), Message::new("advice-fetch-tls-do"))
        }
        FetchFact::Protocol(_) => Advice::new(
            say("advice-fetch-protocol"),
            Message::new("advice-fetch-protocol-do"),
        ),
        FetchFact::RedirectLeavesHost { to } => Advice::new(
            say("advice-fetch-redirect").text("to", to),
            Message::new("advice-fetch-redirect-do"),
        ),
        FetchFact::TooManyRedirects { limit } => Advice::new(
            say("advice-fetch-redirects").number("limit", *limit),
            Message::new("advice-fetch-redirect-do"),
        ),
        FetchFact::InvalidUrl => Advice::new(
            say("advice-fetch-invalid_url"),
            Message::new("advice-fetch-invalid_url-do"),
        ),
        FetchFact::NotHttps => Advice::new(
            say("advice-fetch-not_https"),
            Message::new("advice-fetch-not_https-do"),
        ),
        FetchFact::Busy => Advice::new(Message::new("advice-busy"), Message::new("advice-busy-do")),
        FetchFact::Other(fact) => Advice::new(
            say("advice-fetch-other").text("fact", fact),
            Message::new("advice-fetch-connect-do"),
        ),
    }
}
