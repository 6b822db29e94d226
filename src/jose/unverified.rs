//! A JWS that was taken apart but not yet verified (RFC 7515 §5.2, steps 1 to 7).

use super::json::{MAX_DEPTH, parse_bounded};
use super::{JoseError, decode_base64url};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What a JWS header says. `jwk`, `jku`, `x5u` and `x5c` are not even read: keys never come from the token they verify
/// (SPID/CIE AL-5); nor is `peer_trust_chain`, but by [`Unverified::peer_trust_chain`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// As it came; perhaps an algorithm that does not exist here.
    pub alg: String,
    /// Opaque.
    pub kid: Option<String>,
    /// As it came, with or without `application/`.
    pub typ: Option<String>,
    /// As it came.
    pub cty: Option<String>,
    /// Entity statements, subject first (OIDC Federation §4.3); just as unverified.
    pub trust_chain: Option<Vec<String>>,
}

/// A token taken apart. Nothing in it is proven until [`Unverified::verify`](super::verify) has run.
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    token: &'a str,
    signing_input: &'a str,
    header: Header,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes a compact JWS apart and reads its header.
    ///
    /// # Errors
    /// `TooLarge` beyond `max_bytes`, `WrongPartCount`, `NotBase64Url`, the errors of [`parse_bounded`] for the header,
    /// `CriticalHeader` for `crit`, `b64` and `zip`, `MissingHeader("alg")`, `MalformedHeader`.
    pub fn parse(token: &'a str, max_bytes: usize) -> Result<Self, JoseError> {
        if token.len() > max_bytes {
            return Err(JoseError::TooLarge {
                limit: max_bytes,
                found: token.len(),
            });
        }
        let mut parts = token.splitn(7, '.');
        let (header, payload, signature) =
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(header), Some(payload), Some(signature), None) => {
                    (header, payload, signature)
                }
                _ => {
                    return Err(JoseError::WrongPartCount {
                        expected: 3,
                        found: token.splitn(7, '.').count(),
                    });
                }
            };
        let signing_input = token
            .rsplit_once('.')
            .map(|(input, _)| input)
            .unwrap_or_default();
        let header = decode_base64url(header, "the header")?;
        Ok(Self {
            token,
            signing_input,
            header: read_header(&header)?,
            payload: decode_base64url(payload, "the payload")?,
            signature: decode_base64url(signature, "the signature")?,
        })
    }

    /// The token as it came.
    #[must_use]
    pub const fn as_str(&self) -> &'a str {
        self.token
    }

    /// The header; nobody has vouched for it.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The claims that nobody has vouched for: good for finding out whose keys to ask for, and for nothing else.
    ///
    /// # Errors
    /// Those of [`parse_bounded`].
    pub fn unverified_claims<C: DeserializeOwned>(&self) -> Result<C, JoseError> {
        parse_bounded(&self.payload, self.payload.len(), MAX_DEPTH)
    }

    /// What the signature is about. Its hash names the token in a memory of used ones better than the token's: an
    /// ECDSA signature has a twin that verifies as well.
    #[must_use]
    pub const fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// The header's `peer_trust_chain` (OIDC Federation §4.4), for those who are asked to look at it.
    ///
    /// # Errors
    /// It is no array of strings.
    pub fn peer_trust_chain(&self) -> Result<Option<Vec<String>>, JoseError> {
        let header = self.token.split('.').next().unwrap_or_default();
        let header = decode_base64url(header, "the header")?;
        let members: Map<String, Value> = parse_bounded(&header, header.len(), MAX_DEPTH)?;
        statements(&members, "peer_trust_chain")
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

/// Header and payload of a compact JWS as JSON, to be shown to a person and for nothing else: also of a token that
/// [`Unverified::parse`] refuses. `null` stands for a part that is no JSON within bounds, or when the token is too long.
#[must_use]
pub fn shown(token: &str, max_bytes: usize) -> (Value, Value) {
    let part = |text: Option<&str>| {
        let bytes = decode_base64url(text.unwrap_or_default(), "the part").ok()?;
        parse_bounded(&bytes, max_bytes, MAX_DEPTH).ok()
    };
    if token.len() > max_bytes {
        return (Value::Null, Value::Null);
    }
    let mut parts = token.splitn(3, '.');
    let header = part(parts.next());
    let payload = part(parts.next());
    (header.unwrap_or_default(), payload.unwrap_or_default())
}

/// Refuses the extensions that change what a token means: ignoring `crit` is forbidden (RFC 7515 §4.1.11), `b64`
/// (RFC 7797) would change what was signed, and `zip` inflates without bound.
pub(super) fn refuse_extensions(members: &Map<String, Value>) -> Result<(), JoseError> {
    for name in ["crit", "b64", "zip"] {
        if members.contains_key(name) {
            return Err(JoseError::CriticalHeader(name));
        }
    }
    Ok(())
}

pub(super) fn optional_text(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, JoseError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JoseError::MalformedHeader {
            name,
            expected: "a string",
        }),
    }
}

pub(super) fn required_text(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<String, JoseError> {
    optional_text(members, name)?.ok_or(JoseError::MissingHeader(name))
}

fn read_header(json: &[u8]) -> Result<Header, JoseError> {
    let members: Map<String, Value> = parse_bounded(json, json.len(), MAX_DEPTH)?;
    refuse_extensions(&members)?;
    Ok(Header {
        alg: required_text(&members, "alg")?,
        kid: optional_text(&members, "kid")?,
        typ: optional_text(&members, "typ")?,
        cty: optional_text(&members, "cty")?,
        trust_chain: statements(&members, "trust_chain")?,
    })
}

/// Entity statements in compact serialization.
fn statements(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Vec<String>>, JoseError> {
    let malformed = || JoseError::MalformedHeader {
        name,
        expected: "an array of strings",
    };
    match members.get(name) {
        None => Ok(None),
        Some(Value::Array(statements)) => statements
            .iter()
            .map(|statement| statement.as_str().map(str::to_owned).ok_or_else(malformed))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(malformed()),
    }
}
