//! The `OIDCFED_…` names of spid-cie-oidc-django.

use super::environment::{Environment, issuers, parse, set};
use super::problem::Problems;
use super::schema::{Key, Kind};
use super::tables::SERVER;
use serde_json::Value as Json;
use toml::{Table, Value as Toml};

/// A name of spid-cie-oidc-django, and the key that it sets.
pub(super) struct DjangoName {
    pub(super) name: &'static str,
    /// Of the issuer when it begins with `issuer.`; absent: there is no such key, for this reason.
    pub(super) key: Result<&'static str, &'static str>,
    /// Counts for issuers of this profile only.
    profile: Option<&'static str>,
}

const fn sets(name: &'static str, key: &'static str) -> DjangoName {
    DjangoName {
        name,
        key: Ok(key),
        profile: None,
    }
}

/// The table of INTERFACE.md.
pub(super) static DJANGO_NAMES: &[DjangoName] = &[
    sets("OIDCFED_DEFAULT_PROVIDER_PROFILE", "issuer.profile"),
    sets("OIDCFED_PROVIDER_PROFILES_MEDIA", "issuer.branding"),
    DjangoName {
        name: "OIDCFED_PROVIDER_PROFILES",
        key: Err(
            "the message schemas belong to the profile; see {issuer}/schemas/. The variable is ignored",
        ),
        profile: None,
    },
    sets("OIDCFED_PROVIDER_MAX_REFRESH", "issuer.max_refresh"),
    sets("OIDCFED_PROVIDER_ATTRIBUTES_MAP", "issuer.attributes"),
    DjangoName {
        name: "OIDCFED_PROVIDER_ATTRIBUTES_SPID_MAP",
        key: Ok("issuer.attributes"),
        profile: Some("spid"),
    },
    DjangoName {
        name: "OIDCFED_PROVIDER_ATTRIBUTES_CIE_MAP",
        key: Ok("issuer.attributes"),
        profile: Some("cie"),
    },
    sets(
        "OIDCFED_PROVIDER_PROFILES_ID_TOKEN_CLAIMS",
        "issuer.id_token_claims",
    ),
    sets("OIDCFED_PROVIDER_SALT", "issuer.pairwise_salt"),
    sets("OIDCFED_PROVIDER_HISTORY_PER_PAGE", "history_per_page"),
    sets(
        "OIDCFED_PROVIDER_AUTH_CODE_MAX_AGE",
        "issuer.auth_code_max_age",
    ),
    sets(
        "OIDCFED_PROVIDER_MAX_CONSENT_TIMEFRAME",
        "issuer.lifetimes.interaction",
    ),
    sets("OIDCFED_PROVIDER_ACR_4_REFRESH", "issuer.refresh_acr"),
    sets(
        "OIDCFED_PROVIDER_PROFILES_DEFAULT_ACR",
        "issuer.default_acr",
    ),
    sets("OIDCFED_ATTRNAME_I18N", "issuer.attribute_names"),
];

/// Sets what a Django variable stands for, if it is there.
pub(super) fn apply_django(
    table: &mut Table,
    environment: &Environment,
    django: &DjangoName,
    (problems, warnings): (&mut Problems, &mut Vec<String>),
) {
    let Some(text) = environment.get(django.name) else {
        return;
    };
    let path = match django.key {
        Ok(path) => path,
        Err(reason) => {
            warnings.push(format!("{}: {reason}", django.name));
            return;
        }
    };
    let profile = profile_of(table);
    if django
        .profile
        .is_some_and(|only| profile.as_deref() != Some(only))
        && issuers(table) < 2
    {
        return;
    }
    let Some(key) = key_at(path) else { return };
    // Several of Django's settings are a dictionary by profile.
    let chosen = match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(members))
            if !members.is_empty()
                && members
                    .keys()
                    .all(|name| matches!(name.as_str(), "spid" | "cie" | "oidc")) =>
        {
            match profile.as_ref().and_then(|profile| members.get(profile)) {
                Some(value) => value.clone(),
                None if issuers(table) < 2 => return,
                None => Json::Null,
            }
        }
        Ok(other) => other,
        Err(_) => Json::String(text.to_owned()),
    };
    let text = match chosen {
        Json::String(text) => text,
        Json::Object(members) if matches!(key.kind, Kind::Claims) => claim_names(&members),
        other => other.to_string(),
    };
    match parse(&text, key.kind) {
        Ok(value) => set(table, path, value, (django.name, problems)),
        Err(expected) => problems.add(django.name, "text that is no JSON", expected),
    }
}

/// Django lists id_token claims as an object whose members are the claims.
fn claim_names(members: &serde_json::Map<String, Json>) -> String {
    Json::Array(members.keys().cloned().map(Json::String).collect()).to_string()
}

fn key_at(path: &str) -> Option<&'static Key> {
    let mut section = &SERVER;
    let mut found = None;
    for name in path.split('.') {
        let key = section.key(name)?;
        if let Kind::Section(inner) | Kind::OptionalSection(inner) | Kind::Sections(inner) =
            key.kind
        {
            section = inner;
        }
        found = Some(key);
    }
    found
}

/// The profile of the only issuer, whose default is the table's.
fn profile_of(table: &Table) -> Option<String> {
    let only = match table.get("issuer") {
        Some(Toml::Array(list)) if list.len() > 1 => return None,
        Some(Toml::Array(list)) => list.first().and_then(Toml::as_table),
        _ => None,
    };
    only.and_then(|issuer| issuer.get("profile"))
        .and_then(Toml::as_str)
        .map_or_else(|| Some("spid".to_owned()), |name| Some(name.to_owned()))
}
