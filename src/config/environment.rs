//! The environment: `VARCO_…` for every key, and the `OIDCFED_…` names of spid-cie-oidc-django for what they name.

use super::django::{DJANGO_NAMES, apply_django};
use super::machine_account::MachineAccount;
use super::problem::Problems;
use super::read::join;
use super::schema::{Kind, Section, nearest};
use super::tables::SERVER;
use crate::secret::Secret;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use toml::{Table, Value as Toml};

/// The key-encryption key itself; it is no key of the file.
const KEY_VARIABLE: &str = "VARCO_KEY";
/// What shells and sudo say of who runs the process.
const CLAIMS: [&str; 3] = ["SUDO_USER", "USER", "LOGNAME"];
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
    /// Who the caller says to be: [`CLAIMS`].
    claims: BTreeMap<String, String>,
    account: MachineAccount,
}

impl Environment {
    /// That of this process. Variables that are no UTF-8 are ignored.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect::<Self>()
            .run_by(MachineAccount::of_process())
    }

    /// The same, of a process of this account.
    #[must_use]
    pub fn run_by(mut self, account: MachineAccount) -> Self {
        self.account = account;
        self
    }

    /// The account of the machine that a command runs under, as in the trail.
    #[must_use]
    pub fn account(&self) -> String {
        self.account.describe(self)
    }

    pub(super) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).map(String::as_str)
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

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(|value| value.expose().as_str())
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut environment = Self::default();
        for (name, value) in pairs {
            if CLAIMS.contains(&name.as_str()) {
                environment.claims.insert(name, value);
            } else if name.starts_with("VARCO_") || name.starts_with("OIDCFED_") {
                environment.variables.insert(name, Secret::new(value));
            }
        }
        environment
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
pub(super) fn parse(text: &str, kind: Kind) -> Result<Option<Toml>, String> {
    let json: Option<Json> = serde_json::from_str(text).ok();
    let bare = || Some(Toml::String(text.to_owned()));
    match kind {
        Kind::Boolean | Kind::Integer { .. } => Ok(json.map_or_else(bare, |json| to_toml(&json))),
        Kind::Networks
        | Kind::Texts
        | Kind::WebAddresses
        | Kind::Levels
        | Kind::Choices(_)
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

pub(super) fn issuers(table: &Table) -> usize {
    match table.get("issuer") {
        Some(Toml::Array(list)) => list.len(),
        _ => 0,
    }
}

/// Sets (or, with `None`, unsets) the value at a path whose first part may be `issuer`.
pub(super) fn set(
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
