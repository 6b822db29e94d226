//! The choice of metadata (OIDC Federation §12.2.2 step 8, OIDC Registration §2): lists are narrowed to what the issuer
//! has, single values are accepted or refused and never replaced, defaults are written down.
//!
//! What is not understood is not registered, and so not answered (RFC 7591 §2).

use super::error::Fact;
use super::offer::Offer;
use crate::jose::{KeyManagementAlgorithm, KeySet};
use crate::profile::{RegistrationType, is_redirect_uri};
use serde_json::{Map, Value, json};

/// A list of which the issuer may take a part.
struct List {
    member: &'static str,
    supported: &'static str,
    /// The default, which is also what the issuer cannot do without.
    default: &'static str,
}

static LISTS: &[List] = &[
    List {
        member: "response_types",
        supported: "response_types_supported",
        default: "code",
    },
    List {
        member: "grant_types",
        supported: "grant_types_supported",
        default: "authorization_code",
    },
];

/// A value that is one of the issuer's, or absent.
struct Single {
    member: &'static str,
    supported: &'static str,
    default: Default,
}

/// What absence means.
enum Default {
    /// That it is absent.
    Nothing,
    /// This value.
    Value(&'static str),
    /// The issuer's first.
    First,
    /// This value where that member is there; without that member it has no place.
    Beside(&'static str, &'static str),
}

macro_rules! singles {
    ($($member:literal of $supported:literal, $default:expr;)*) => {
        &[$(Single { member: $member, supported: $supported, default: $default }),*]
    };
}

/// OIDC Registration §2; `…_enc` after the `…_alg` that it belongs to.
static SINGLES: &[Single] = singles! {
    "token_endpoint_auth_method" of "token_endpoint_auth_methods_supported",
        Default::Value("client_secret_basic");
    "token_endpoint_auth_signing_alg" of "token_endpoint_auth_signing_alg_values_supported",
        Default::Nothing;
    "subject_type" of "subject_types_supported", Default::First;
    "id_token_signed_response_alg" of "id_token_signing_alg_values_supported",
        Default::Value("RS256");
    "id_token_encrypted_response_alg" of "id_token_encryption_alg_values_supported",
        Default::Nothing;
    "id_token_encrypted_response_enc" of "id_token_encryption_enc_values_supported",
        Default::Beside("id_token_encrypted_response_alg", "A128CBC-HS256");
    "userinfo_signed_response_alg" of "userinfo_signing_alg_values_supported", Default::Nothing;
    "userinfo_encrypted_response_alg" of "userinfo_encryption_alg_values_supported",
        Default::Nothing;
    "userinfo_encrypted_response_enc" of "userinfo_encryption_enc_values_supported",
        Default::Beside("userinfo_encrypted_response_alg", "A128CBC-HS256");
};

/// Members that are for people, or say where things are; those with a language (`client_name#it`) too.
const COPIED: [&str; 11] = [
    "application_type",
    "client_name",
    "organization_name",
    "contacts",
    "logo_uri",
    "client_uri",
    "policy_uri",
    "tos_uri",
    "jwks",
    "jwks_uri",
    "signed_jwks_uri",
];

/// The metadata to register, without `client_id` and secret.
///
/// # Errors
/// The first member that this issuer cannot register.
pub(super) fn choose(
    offer: &Offer,
    asked: &Map<String, Value>,
    keys: &KeySet,
    development: bool,
) -> Result<Map<String, Value>, Fact> {
    let mut chosen = Map::new();
    chosen.insert(
        "redirect_uris".to_owned(),
        redirect_uris(asked, development)?.into(),
    );
    chosen.insert(
        "client_registration_types".to_owned(),
        registration_types(asked)?,
    );
    for list in LISTS {
        chosen.insert(list.member.to_owned(), json!(list.narrow(offer, asked)?));
    }
    for single in SINGLES {
        if let Some(value) = single.pick(offer, asked, &chosen)? {
            chosen.insert(single.member.to_owned(), value.into());
        }
    }
    chosen.insert("scope".to_owned(), scope(offer, asked)?.into());
    keys_fit(&chosen, keys)?;
    let copied = asked.iter().filter(|(name, _)| {
        let plain = name.split('#').next().unwrap_or_default();
        COPIED.contains(&plain)
    });
    chosen.extend(copied.map(|(name, value)| (name.clone(), value.clone())));
    Ok(chosen)
}

fn redirect_uris(asked: &Map<String, Value>, development: bool) -> Result<Vec<Value>, Fact> {
    let uris = asked.get("redirect_uris").and_then(Value::as_array);
    let uris = uris
        .filter(|uris| !uris.is_empty())
        .ok_or(Fact::RedirectUri(
            "redirect_uris must be an array with at least one URI",
        ))?;
    let fits = |uri: &Value| {
        uri.as_str()
            .is_some_and(|uri| is_redirect_uri(uri, development))
    };
    if uris.iter().all(fits) {
        Ok(uris.clone())
    } else {
        Err(Fact::RedirectUri(
            "redirect_uris must be https URLs or custom schemes, without fragment",
        ))
    }
}

/// OIDC Federation §5.1.2.
fn registration_types(asked: &Map<String, Value>) -> Result<Value, Fact> {
    let explicit = RegistrationType::Explicit.as_str();
    let types = asked.get("client_registration_types");
    let types = types.and_then(Value::as_array);
    if types.is_some_and(|types| types.iter().any(|kind| kind == explicit)) {
        Ok(json!([explicit]))
    } else {
        Err(Fact::Metadata(
            "client_registration_types must contain explicit".to_owned(),
        ))
    }
}

impl List {
    fn narrow<'a>(
        &self,
        offer: &'a Offer,
        asked: &Map<String, Value>,
    ) -> Result<Vec<&'a str>, Fact> {
        let supported = offer.values(self.supported);
        let wanted: Vec<&str> = match asked.get(self.member) {
            None => vec![self.default],
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            Some(_) => Vec::new(),
        };
        narrow(self.member, self.default, supported, &wanted)
    }
}

impl Single {
    fn pick(
        &self,
        offer: &Offer,
        asked: &Map<String, Value>,
        chosen: &Map<String, Value>,
    ) -> Result<Option<String>, Fact> {
        let supported = offer.values(self.supported);
        let default = match self.default {
            Default::Nothing => None,
            Default::Value(value) => Some(value),
            Default::First => supported.first().copied(),
            Default::Beside(other, value) => chosen.contains_key(other).then_some(value),
        };
        let stated = match asked.get(self.member) {
            None => None,
            Some(Value::String(value)) => Some(value.as_str()),
            Some(_) => return Err(Fact::Metadata(format!("{} must be a text", self.member))),
        };
        if let (Some(_), Default::Beside(other, _), None) = (stated, &self.default, default) {
            return Err(Fact::Metadata(format!("{} needs {other}", self.member)));
        }
        let Some(value) = stated.or(default) else {
            return Ok(None);
        };
        if supported.contains(&value) {
            return Ok(Some(value.to_owned()));
        }
        let instead = if stated.is_none() { "the default " } else { "" };
        Err(Fact::Metadata(format!(
            "{}: {instead}{value} is not supported here; use one of {}",
            self.member,
            supported.join(", ")
        )))
    }
}

/// A set of words (RFC 7591 §2); absent: all that the issuer has.
fn scope(offer: &Offer, asked: &Map<String, Value>) -> Result<String, Fact> {
    let supported = offer.values("scopes_supported");
    let wanted: Vec<&str> = match asked.get("scope") {
        None => supported.clone(),
        Some(Value::String(words)) => words.split_ascii_whitespace().collect(),
        Some(_) => return Err(Fact::Metadata("scope must be a text".to_owned())),
    };
    narrow("scope", "openid", supported, &wanted).map(|words| words.join(" "))
}

/// What is both supported and wanted; `needed` must be in it, or what is left could not be used.
fn narrow<'a>(
    member: &str,
    needed: &str,
    supported: Vec<&'a str>,
    wanted: &[&str],
) -> Result<Vec<&'a str>, Fact> {
    if !wanted.contains(&needed) {
        return Err(Fact::Metadata(format!("{member} must contain {needed}")));
    }
    if !supported.contains(&needed) {
        return Err(Fact::Metadata(format!(
            "{member}: {needed} is not supported here; use one of {}",
            supported.join(", ")
        )));
    }
    let narrowed = supported.into_iter().filter(|value| wanted.contains(value));
    Ok(narrowed.collect())
}

/// The keys that the chosen metadata speaks of.
fn keys_fit(chosen: &Map<String, Value>, keys: &KeySet) -> Result<(), Fact> {
    let text = |name: &str| chosen.get(name).and_then(Value::as_str);
    if text("token_endpoint_auth_method") == Some("private_key_jwt")
        && keys.signing_keys().next().is_none()
    {
        return Err(Fact::Metadata(
            "private_key_jwt needs a usable signing key in jwks, jwks_uri or signed_jwks_uri"
                .to_owned(),
        ));
    }
    for member in [
        "id_token_encrypted_response_alg",
        "userinfo_encrypted_response_alg",
    ] {
        let Some(name) = text(member) else { continue };
        let key = KeyManagementAlgorithm::parse(name).and_then(|alg| keys.encryption_key(alg));
        if key.is_none() {
            return Err(Fact::Metadata(format!(
                "jwks must hold an encryption key that fits {member}"
            )));
        }
    }
    Ok(())
}
