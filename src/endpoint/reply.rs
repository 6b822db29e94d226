//! What leaves: a whole response as plain data; `web` writes it, renders pages and logs the note.

use crate::model::{ErrorCode, SessionId};
use serde::Serialize;

/// A response.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers beside those that `web` puts on every response.
    pub headers: Vec<(&'static str, String)>,
    /// Bytes, or the data of a page.
    pub body: Body,
    /// Cookies to set or remove.
    pub cookies: Vec<CookieChange>,
    /// What becomes of the browser's session.
    pub session: SessionChange,
    /// Origins that a form of the page may lead to, beside our own (content security policy).
    pub form_actions: Vec<String>,
    /// Origins that the page shows pictures of.
    pub images: Vec<String>,
    /// Whether the page's script asks us for something.
    pub connects: bool,
    /// The languages that the RP wishes, best first, for a page that `web` renders (OIDC Core §3.1.2.1).
    pub ui_locales: Vec<String>,
    /// One line for the log.
    pub note: Option<Note>,
}

/// The body of a response.
#[derive(Debug)]
pub enum Body {
    /// Content type and bytes.
    Bytes(&'static str, Vec<u8>),
    /// A page, rendered in the user's language by `web`.
    Page(Box<Page>),
}

/// The pages that protocol endpoints answer with.
#[derive(Debug)]
pub enum Page {
    /// A refusal that no RP can be told of.
    Refusal {
        /// `error`.
        code: ErrorCode,
        /// `error_description`, ASCII.
        description: String,
        /// What kind of trouble, for the words that people read.
        trouble: Trouble,
        /// Whether the refusal is kept: its reference leads to it.
        kept: bool,
    },
    /// `response_mode=form_post` (OAuth 2.0 Form Post Response Mode).
    FormPost {
        /// The redirect URI.
        action: String,
        /// Parameters, to be escaped.
        fields: Vec<(&'static str, String)>,
    },
}

/// What kind of trouble a refusal page speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The request is malformed.
    InvalidRequest,
    /// The RP is not trusted: its chain or signature fails.
    UntrustedRp,
    /// The RP or its superiors could not be reached.
    RpUnreachable,
    /// A trust mark or policy forbids it.
    RpNotAuthorized,
    /// The request was used before.
    Replay,
    /// The browser has lost the cookie of this login.
    LostCookie,
    /// The login took too long.
    InteractionExpired,
    /// This login was already answered.
    AlreadyAnswered,
    /// A form without its token.
    CsrfMismatch,
    /// There is no such page.
    NotFound,
    /// Whoever asks may not do this.
    Forbidden,
    /// The request is too large.
    TooLarge,
    /// Too many logins are being checked.
    Busy,
    /// The database is not there.
    Unavailable,
    /// A bug.
    ServerError,
}

/// A cookie to set or remove; `web` adds the attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CookieChange {
    /// Name, value, seconds to live.
    Set(String, String, i64),
    /// Name.
    Remove(String),
}

/// What becomes of the browser's session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SessionChange {
    /// Nothing.
    #[default]
    Keep,
    /// A login: the cookie gets a new value (no session fixation).
    Start(SessionId),
    /// A logout.
    End,
}

/// One line of the log: an event and key=value pairs; no personal data, no secret.
#[derive(Clone, Debug)]
pub struct Note {
    /// How bad.
    pub level: log::Level,
    /// What happened: `token.granted`.
    pub event: &'static str,
    /// What an operator needs to understand it.
    pub fields: Vec<(&'static str, String)>,
    /// What was answered, when it is a refusal.
    pub refused: Option<RefusedAnswer>,
}

/// What an RP was told, and why.
#[derive(Clone, Debug)]
pub struct RefusedAnswer {
    /// `error`.
    pub code: ErrorCode,
    /// `error_description`.
    pub description: String,
    /// Everything that is known, as in the log.
    pub reason: String,
}

impl Note {
    /// A note without fields.
    #[must_use]
    pub fn new(level: log::Level, event: &'static str) -> Self {
        Self {
            level,
            event,
            fields: Vec::new(),
            refused: None,
        }
    }

    /// A refusal of a protocol endpoint, with what was answered and why.
    #[must_use]
    pub fn refused(
        level: log::Level,
        event: &'static str,
        code: ErrorCode,
        description: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let reason = reason.into();
        let note = Self::new(level, event)
            .with("error", code.as_str())
            .with("reason", reason.clone());
        Self {
            refused: Some(RefusedAnswer {
                code,
                description: description.into(),
                reason,
            }),
            ..note
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        let (_, value) = fields.find(|(known, _)| *known == name)?;
        Some(value)
    }

    /// With one more field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

/// Characters of one value in the log.
const VALUE_MAX: usize = 2000;

/// A value on one line of the log, without the characters that would end it or begin another field.
#[must_use]
pub fn quote(value: impl ToString) -> String {
    let value = value.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/@+".contains(c);
    if !value.is_empty() && value.len() <= VALUE_MAX && value.chars().all(plain) {
        return value;
    }
    let escaped: String = value
        .chars()
        .take(VALUE_MAX)
        .flat_map(char::escape_default)
        .collect();
    format!("\"{escaped}\"")
}

/// RFC 6749 §5.2.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl Reply {
    /// A response with bytes.
    #[must_use]
    pub fn bytes(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Bytes(content_type, body),
            cookies: Vec::new(),
            session: SessionChange::Keep,
            form_actions: Vec::new(),
            images: Vec::new(),
            connects: false,
            ui_locales: Vec::new(),
            note: None,
        }
    }

    /// A JSON response that nobody may store.
    #[must_use]
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::bytes(status, "application/json", body).header("Cache-Control", "no-store")
    }

    /// A JSON error (RFC 6749 §5.2), with `Retry-After` when it is worth trying again.
    #[must_use]
    pub fn error(code: ErrorCode, description: &str) -> Self {
        let reply = Self::json(
            code.status(),
            &ErrorBody {
                error: code.as_str(),
                error_description: description,
            },
        );
        if code.status() == 503 {
            reply.header("Retry-After", "5")
        } else {
            reply
        }
    }

    /// How an endpoint for machines refuses: the JSON error, with its line of the log.
    #[must_use]
    pub fn refused(
        event: &'static str,
        code: ErrorCode,
        description: &str,
        reason: impl Into<String>,
    ) -> Self {
        let level = if code.status() >= 500 {
            log::Level::Error
        } else {
            log::Level::Warn
        };
        Self::error(code, description).noted(Note::refused(level, event, code, description, reason))
    }

    /// 405, with the one method that the address takes (RFC 9110 §15.5.6).
    #[must_use]
    pub fn only_by(mut self, method: &str) -> Self {
        self.status = 405;
        self.header("Allow", method)
    }

    /// A page, which nobody may store: it may hold a code (`form_post`), or speak of a moment.
    #[must_use]
    pub fn page(status: u16, page: Page) -> Self {
        let mut reply =
            Self::bytes(status, "text/html", Vec::new()).header("Cache-Control", "no-store");
        reply.body = Body::Page(Box::new(page));
        reply
    }

    /// A refusal page, or the same as JSON when the caller prefers that (SPID/CIE FE-6).
    #[must_use]
    pub fn refusal(
        code: ErrorCode,
        description: String,
        trouble: Trouble,
        wants_json: bool,
    ) -> Self {
        if wants_json {
            let mut reply = Self::error(code, &description);
            reply.status = Self::page_status(code, trouble);
            return reply;
        }
        let status = Self::page_status(code, trouble);
        let reply = Self::page(
            status,
            Page::Refusal {
                code,
                description,
                trouble,
                kept: false,
            },
        );
        if status == 503 {
            reply.header("Retry-After", "5")
        } else {
            reply
        }
    }

    /// SPID/CIE FE-6, AZ-12: pages of refused requests are 400, whatever the code; only our own outage is 503.
    fn page_status(code: ErrorCode, trouble: Trouble) -> u16 {
        match trouble {
            Trouble::NotFound => 404,
            Trouble::Forbidden => 403,
            Trouble::TooLarge => 413,
            Trouble::Unavailable | Trouble::Busy => 503,
            Trouble::ServerError => 500,
            Trouble::RpUnreachable
            | Trouble::InvalidRequest
            | Trouble::UntrustedRp
            | Trouble::RpNotAuthorized
            | Trouble::Replay
            | Trouble::LostCookie
            | Trouble::InteractionExpired
            | Trouble::AlreadyAnswered
            | Trouble::CsrfMismatch => match code {
                ErrorCode::ServerError => 500,
                _ => 400,
            },
        }
    }

    /// `303 See Other`.
    #[must_use]
    pub fn see_other(location: String) -> Self {
        Self::bytes(303, "text/plain", Vec::new())
            .header("Location", location)
            .header("Cache-Control", "no-store")
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a cookie change.
    #[must_use]
    pub fn cookie(mut self, change: CookieChange) -> Self {
        self.cookies.push(change);
        self
    }

    /// With a line for the log.
    #[must_use]
    pub fn noted(mut self, note: Note) -> Self {
        self.note = Some(note);
        self
    }

    /// With one more field in its line of the log, if it has one.
    #[must_use]
    pub fn noted_also(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.note = self.note.map(|note| note.with(name, value));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_no_line_begins_no_field_and_is_bounded() {
        assert_eq!(quote("https://rp.example.it/a"), "https://rp.example.it/a");
        assert_eq!(quote(""), "\"\"");
        assert_eq!(
            quote("x\" level=error\r\nevent=token.granted \u{202e}"),
            r#""x\" level=error\r\nevent=token.granted \u{202e}""#
        );
        assert_eq!(quote("x".repeat(100_000)).len(), VALUE_MAX + 2);
    }
}
