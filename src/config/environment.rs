//! The environment: `VARCO_…` for every key, and the `OIDCFED_…` names of spid-cie-oidc-django for what they name.

use super::problem::Problems;
use super::read::join;
use super::schema::{Key, Kind, Section, nearest};
use super::tables::SERVER;
use crate::secret::Secret;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toml::{Table, Value as Toml};

/// The key-encryption key itself; it is no key of the file.
const KEY_VARIABLE: &str = "VARCO_KEY";
/// Names below `VARCO_` that others set: Kubernetes for a service called "varco", and this project's tests.
const FOREIGN: &[&str] = &[
    "VARCO_SERVICE_",
    "VARCO_PORT",
    "VARCO_TEST_",
    "VARCO_BENCH_",
];

/// The variables whose names begin with `VARCO_` or `OIDCFED_`.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, Secret<String>>,
}

impl Environment {
    /// That of this process. Variables that are no UTF-8 are ignored.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Whether an issuer is configured by the environment alone.
    #[must_use]
    pub fn names_an_issuer(&self) -> bool {
        ["VARCO_ISSUER", "VARCO_ISSUER_ID"]
            .iter()
            .any(|name| self.variables.contains_key(*name))
    }

    /// The key-encryption key, from `VARCO_KEY`.
    #[must_use]
    pub fn key(&self) -> Option<Secret<String>> {
        self.variables.get(KEY_VARIABLE).cloned()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(|value| value.expose().as_str())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self {
            variables: pairs
                .into_iter()
                .filter(|(name, _)| name.starts_with("VARCO_") || name.starts_with("OIDCFED_"))
                .map(|(name, value)| (name, Secret::new(value)))
                .collect(),
        }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

/// A name of spid-cie-oidc-django, and the key that it sets.
struct DjangoName {
    name: &'static str,
    /// Of the issuer when it begins with `issuer.`; absent: there is no such key, for this reason.
    key: Result<&'static str, &'static str>,
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
static DJANGO_NAMES: &[DjangoName] = &[
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

/// Writes the environment's values over those of the file.
pub(super) fn overlay(
    table: &mut Table,
    environment: &Environment,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) {
    let variables = varco_variables();
    // The whole list of issuers comes first: it decides how many there are.
    let whole = |path: &str| path == "issuer";
    for (path, name, kind) in variables.iter().filter(|(path, ..)| whole(path)) {
        apply(table, environment, (path, name, *kind), problems);
    }
    // The profile decides which of the other Django names count, and VARCO_ISSUER_PROFILE wins over Django's.
    let (first, rest): (Vec<_>, Vec<_>) = DJANGO_NAMES
        .iter()
        .partition(|django| django.key == Ok("issuer.profile"));
    for django in first {
        apply_django(table, environment, django, (problems, warnings));
    }
    for (path, name, kind) in variables
        .iter()
        .filter(|(path, ..)| path == "issuer.profile")
    {
        apply(table, environment, (path, name, *kind), problems);
    }
    for django in rest {
        apply_django(table, environment, django, (problems, warnings));
    }
    for (path, name, kind) in variables
        .iter()
        .filter(|(path, ..)| !whole(path) && path != "issuer.profile")
    {
        apply(table, environment, (path, name, *kind), problems);
    }
    refuse_unknown(environment, &variables, problems, warnings);
}

/// Every variable: path of its key, name, kind. Sections come before the keys in them, which therefore win.
pub(super) fn varco_variables() -> Vec<(String, String, Kind)> {
    let mut out = Vec::new();
    collect(&SERVER, "", &mut out);
    out
}

fn collect(section: &'static Section, path: &str, out: &mut Vec<(String, String, Kind)>) {
    for key in section.keys {
        let path = join(path, key.name);
        let name = format!("VARCO_{}", path.to_uppercase().replace('.', "_"));
        out.push((path.clone(), name, key.kind));
        match key.kind {
            Kind::Section(inner) | Kind::OptionalSection(inner) => collect(inner, &path, out),
            // The only list whose entries' keys have names: with at most one issuer there is no doubt which is meant.
            Kind::Sections(inner) if path == "issuer" => collect(inner, &path, out),
            _ => {}
        }
    }
}

fn apply(
    table: &mut Table,
    environment: &Environment,
    (path, name, kind): (&str, &str, Kind),
    problems: &mut Problems,
) {
    let Some(text) = environment.get(name) else {
        return;
    };
    match parse(text, kind) {
        Ok(value) => set(table, path, value, (name, problems)),
        Err(expected) => problems.add(name, "text that is no JSON", expected),
    }
}

/// JSON for lists and tables, and for the rest when it reads as such; else the text as it is. `null` unsets.
fn parse(text: &str, kind: Kind) -> Result<Option<Toml>, String> {
    let json: Option<Json> = serde_json::from_str(text).ok();
    let bare = || Some(Toml::String(text.to_owned()));
    match kind {
        Kind::Boolean | Kind::Integer { .. } => Ok(json.map_or_else(bare, |json| to_toml(&json))),
        Kind::Networks
        | Kind::Texts
        | Kind::WebAddresses
        | Kind::Levels
        | Kind::Claims
        | Kind::Sections(_) => json
            .map(|json| to_toml(&json))
            .ok_or_else(|| "a JSON list, such as [\"…\"]".to_owned()),
        Kind::ClaimMap
        | Kind::Labels
        | Kind::Jwks
        | Kind::Section(_)
        | Kind::OptionalSection(_) => json
            .map(|json| to_toml(&json))
            .ok_or_else(|| "a JSON object".to_owned()),
        // A salt of digits is text all the same.
        _ => Ok(match json {
            Some(Json::String(text)) => Some(Toml::String(text)),
            Some(Json::Null) => None,
            _ => bare(),
        }),
    }
}

fn apply_django(
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

fn issuers(table: &Table) -> usize {
    match table.get("issuer") {
        Some(Toml::Array(list)) => list.len(),
        _ => 0,
    }
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

/// Sets (or, with `None`, unsets) the value at a path whose first part may be `issuer`.
fn set(
    table: &mut Table,
    path: &str,
    value: Option<Toml>,
    (variable, problems): (&str, &mut Problems),
) {
    let mut target = table;
    let mut rest = path;
    let mut shown = path.to_owned();
    if let Some(inner) = path.strip_prefix("issuer.") {
        if issuers(target) > 1 {
            problems.add(
                variable,
                "a variable for one issuer, but several issuers",
                format!("`{inner}` in the [[issuer]] table that is meant"),
            );
            return;
        }
        shown = format!("issuer[0].{inner}");
        rest = inner;
        let list = target
            .entry("issuer")
            .or_insert_with(|| Toml::Array(Vec::new()));
        let Toml::Array(list) = list else { return };
        if list.is_empty() {
            list.push(Toml::Table(Table::new()));
        }
        let Some(Toml::Table(issuer)) = list.first_mut() else {
            return;
        };
        target = issuer;
    }
    while let Some((section, key)) = rest.split_once('.') {
        let inner = target
            .entry(section)
            .or_insert_with(|| Toml::Table(Table::new()));
        let Toml::Table(inner) = inner else { return };
        target = inner;
        rest = key;
    }
    match value {
        Some(value) => {
            problems.came_from(shown, variable);
            target.insert(rest.to_owned(), value);
        }
        None => {
            target.remove(rest);
        }
    }
}

fn refuse_unknown(
    environment: &Environment,
    variables: &[(String, String, Kind)],
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) {
    for name in environment.variables.keys() {
        let known = name == KEY_VARIABLE
            || variables.iter().any(|(_, known, _)| known == name)
            || DJANGO_NAMES.iter().any(|django| django.name == name)
            || FOREIGN.iter().any(|prefix| name.starts_with(prefix));
        if known {
            continue;
        }
        if name.starts_with("OIDCFED_") {
            warnings.push(format!(
                "{name}: this provider has no such setting; the variable is ignored"
            ));
            continue;
        }
        let names = variables.iter().map(|(_, known, _)| known.as_str());
        let expected = match nearest(name, names) {
            Some(near) => format!("a known name; did you mean {near}?"),
            None => "a known name".to_owned(),
        };
        problems.add(name, "an unknown environment variable", expected);
    }
}

/// `null` is absent, also within lists and objects.
fn to_toml(json: &Json) -> Option<Toml> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Toml::Boolean(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Toml::Integer(value),
            (None, Some(value)) => Toml::Float(value),
            (None, None) => Toml::String(number.to_string()),
        },
        Json::String(text) => Toml::String(text.clone()),
        Json::Array(list) => Toml::Array(list.iter().filter_map(to_toml).collect()),
        Json::Object(members) => Toml::Table(
            members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), to_toml(value)?)))
                .collect(),
        ),
    })
}
