//! Entity identifiers (OpenID Federation 1.0 §1.2), kept byte for byte as they were given.

use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;
use url::{Host, Url};

/// Where an entity publishes its entity configuration, below its identifier (OpenID Federation 1.0 §9).
pub const WELL_KNOWN: &str = ".well-known/openid-federation";

/// Bytes of an identifier.
const MAX_BYTES: usize = 2048;

/// Why a text is no entity identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntityIdError {
    /// More than 2048 bytes.
    #[error("is longer than 2048 bytes")]
    TooLong,
    /// Not a URL, or one that parsers read differently (white space, backslash, dot segments).
    #[error("is not a plain URL")]
    NotAUrl,
    /// `http` or another scheme.
    #[error("is not an https URL")]
    NotHttps,
    /// `user:password@`.
    #[error("contains user information")]
    UserInformation,
    /// `?…` or `#…`.
    #[error("contains a query or a fragment")]
    QueryOrFragment,
}

/// An entity identifier: an https URL without user information, query and fragment. Compared byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EntityId(String);

impl EntityId {
    /// Checks a text. `development` also admits `http` on loopback hosts (SPID/CIE FE-1).
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str, development: bool) -> Result<Self, EntityIdError> {
        if text.len() > MAX_BYTES {
            return Err(EntityIdError::TooLong);
        }
        if text.contains(['?', '#']) {
            return Err(EntityIdError::QueryOrFragment);
        }
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '"' | '<' | '>' | '`');
        if !text.chars().all(plain) {
            return Err(EntityIdError::NotAUrl);
        }
        let (scheme, rest) = text.split_once("://").ok_or(EntityIdError::NotAUrl)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(EntityIdError::UserInformation);
        }
        if authority.is_empty() || path.split('/').any(is_dot_segment) {
            return Err(EntityIdError::NotAUrl);
        }
        let url = Url::parse(text).map_err(|_| EntityIdError::NotAUrl)?;
        match scheme {
            "https" => {}
            "http" if development && has_loopback_host(&url) => {}
            _ => return Err(EntityIdError::NotHttps),
        }
        Ok(Self(text.to_owned()))
    }

    /// The identifier as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of the entity configuration: a missing slash is supplied, none is doubled (SPID/CIE MD-4).
    #[must_use]
    pub fn configuration_url(&self) -> String {
        let slash = if self.0.ends_with('/') { "" } else { "/" };
        format!("{}{slash}{WELL_KNOWN}", self.0)
    }

    /// The host name in lower case, without port; empty for a URL without one, which `parse` does not let pass.
    #[must_use]
    pub fn host(&self) -> String {
        Url::parse(&self.0)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// Whether a URL names this machine: `localhost`, `127.0.0.0/8` in any spelling, `[::1]`.
#[must_use]
pub fn has_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_dot_segment(segment: &str) -> bool {
    let decoded = segment.to_ascii_lowercase().replace("%2e", ".");
    decoded == "." || decoded == ".."
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityId({})", self.0)
    }
}

impl AsRef<str> for EntityId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Reads what this program wrote itself (stored rows): http on loopback passes, as in development.
impl<'de> Deserialize<'de> for EntityId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text, true).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_is_appended_with_exactly_one_slash() {
        // SPID/CIE MD-4
        for (id, expected) in [
            ("https://rp.example.it", "https://rp.example.it/.well-known/openid-federation"),
            ("https://rp.example.it/", "https://rp.example.it/.well-known/openid-federation"),
            ("https://rp.example.it/a/b/", "https://rp.example.it/a/b/.well-known/openid-federation"),
        ] {
            assert_eq!(EntityId::parse(id, false).unwrap().configuration_url(), expected);
        }
    }

    #[test]
    fn identifiers_that_two_readers_could_read_differently_are_refused() {
        use EntityIdError::*;
        for (id, error) in [
            ("http://rp.example.it", NotHttps),
            ("HTTPS://rp.example.it", NotHttps),
            ("ftp://rp.example.it", NotHttps),
            ("https://u:p@rp.example.it", UserInformation),
            ("https://rp.example.it?x", QueryOrFragment),
            ("https://rp.example.it/#x", QueryOrFragment),
            ("https://rp.example.it\\@evil.example", NotAUrl),
            ("https://rp.example.it/\t", NotAUrl),
            ("https://rp.example.it/a/../b", NotAUrl),
            ("https://rp.example.it/%2e%2E/b", NotAUrl),
            ("https:///rp", NotAUrl),
            ("https://", NotAUrl),
            ("rp.example.it", NotAUrl),
            ("", NotAUrl),
            ("https://ex\u{e8}mple.it", NotAUrl),
        ] {
            assert_eq!(EntityId::parse(id, true), Err(error), "{id}");
        }
        let long = format!("https://rp.example.it/{}", "x".repeat(2048));
        assert_eq!(EntityId::parse(&long, false), Err(TooLong));
    }

    #[test]
    fn plain_http_is_for_loopback_in_development_only() {
        // SPID/CIE FE-1
        for id in ["http://localhost:8000/rp", "http://127.0.0.1:8000/rp", "http://[::1]/rp"] {
            assert!(EntityId::parse(id, true).is_ok(), "{id}");
            assert_eq!(EntityId::parse(id, false), Err(EntityIdError::NotHttps));
        }
        for id in ["http://rp.example.it", "http://192.168.1.1/", "http://localhost.example.it/"] {
            assert_eq!(EntityId::parse(id, true), Err(EntityIdError::NotHttps), "{id}");
        }
    }

    #[test]
    fn identifiers_are_kept_and_compared_byte_for_byte() {
        let with = EntityId::parse("https://rp.example.it/", false).unwrap();
        let without = EntityId::parse("https://rp.example.it", false).unwrap();
        assert_ne!(with, without);
        assert_eq!(without.as_str(), "https://rp.example.it");
        assert_eq!(without.host(), "rp.example.it");
    }
}
