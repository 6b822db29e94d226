//! The translations: Fluent files under `locales/<language>`, compiled into the binary.
//!
//! No language falls back to another: a message or an argument that misses is an error, which the tests meet before any
//! visitor does.

use super::Locale;
use fluent_bundle::FluentValue;
use fluent_templates::static_loader;
use std::borrow::Cow;
use std::collections::HashMap;

static_loader! {
    static CATALOG = {
        locales: "./locales",
        fallback_language: "it",
        // Isolation marks would end up in copied names and in tests; every language here runs left to right.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// The arguments of a message, by name.
pub type Arguments = HashMap<Cow<'static, str>, FluentValue<'static>>;

/// A message that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("message `{key}` in `{}`: {reason}", locale.code())]
pub struct TranslationError {
    key: String,
    locale: Locale,
    reason: String,
}

/// The text of a message, not yet escaped for HTML.
///
/// # Errors
/// When the message, or an argument that it uses, misses.
pub fn translate(
    locale: Locale,
    key: &str,
    arguments: &Arguments,
) -> Result<String, TranslationError> {
    CATALOG
        .lookup_single_language(&locale.language_identifier(), key, Some(arguments))
        .map_err(|error| TranslationError {
            key: key.to_owned(),
            locale,
            reason: error.to_string(),
        })
}

/// The text of a message without arguments; the key itself when it misses.
#[must_use]
pub fn text(locale: Locale, key: &str) -> String {
    translate(locale, key, &Arguments::new()).unwrap_or_else(|_| key.to_owned())
}

/// The namespaces of SPID/CIE "Attributes": the current one and the older draft's.
const NAMESPACES: [&str; 2] = [
    "https://attributes.eid.gov.it/",
    "https://attributes.spid.gov.it/",
];

/// Names of the older draft (SPID/CIE "Attributes") and the canonical claims whose label they share.
const OLDER_NAMES: [(&str, &str); 12] = [
    ("familyName", "family_name"),
    ("placeOfBirth", "place_of_birth"),
    ("countyOfBirth", "county_of_birth"),
    ("dateOfBirth", "birthdate"),
    ("companyName", "company_name"),
    ("registeredOffice", "registered_office"),
    ("fiscalNumber", "fiscal_number"),
    ("ivaCode", "vat_number"),
    ("idCard", "document_details"),
    ("mobilePhone", "phone_number"),
    ("expirationDate", "eid_exp_date"),
    ("digitalAddress", "e_delivery_service"),
];

/// What the citizen calls a claim: `Codice fiscale` for `fiscal_number`, with or without a namespace, also under its
/// older name. A claim without a label keeps its own name.
#[must_use]
pub fn attribute_name(locale: Locale, claim: &str) -> String {
    let key = format!("attribute-{}", canonical_claim(claim));
    translate(locale, &key, &Arguments::new()).unwrap_or_else(|_| claim.to_owned())
}

/// The claim without namespace and under its current name.
#[must_use]
pub fn canonical_claim(claim: &str) -> &str {
    let bare = NAMESPACES
        .into_iter()
        .find_map(|namespace| claim.strip_prefix(namespace));
    // The older `name` is the given name; OIDC Core's `name` (no namespace) is the whole one.
    if bare == Some("name") {
        return "given_name";
    }
    let bare = bare.unwrap_or(claim);
    OLDER_NAMES
        .into_iter()
        .find_map(|(older, current)| (older == bare).then_some(current))
        .unwrap_or(bare)
}

/// A level of assurance of SPID and CIE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Level {
    /// A password.
    #[serde(rename = "1")]
    L1,
    /// A password and a second factor.
    #[serde(rename = "2")]
    L2,
    /// A key on a device or card.
    #[serde(rename = "3")]
    L3,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 3] = [Self::L1, Self::L2, Self::L3];

    /// By number; `None` outside 1 to 3.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::L1),
            2 => Some(Self::L2),
            3 => Some(Self::L3),
            _ => None,
        }
    }

    /// By the URI's ending (`…/SpidL2`), which SPID and CIE share; `None` for others.
    #[must_use]
    pub fn from_acr(acr: &str) -> Option<Self> {
        match acr.rsplit('/').next() {
            Some("SpidL1") => Some(Self::L1),
            Some("SpidL2") => Some(Self::L2),
            Some("SpidL3") => Some(Self::L3),
            _ => None,
        }
    }

    /// The key of its name in the catalogue.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::L1 => "level-1",
            Self::L2 => "level-2",
            Self::L3 => "level-3",
        }
    }
}

/// A level in plain words: `livello 2 (password e un secondo fattore)`.
#[must_use]
pub fn level_name(locale: Locale, level: Level) -> String {
    text(locale, level.key())
}
