//! Reads a TOML table against its description; every problem is collected.

use super::problem::Problems;
use super::schema::{Key, Kind, Section};
use crate::model::attribute::canonical_claim;
use ipnet::IpNet;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use toml::{Table, Value as Toml};
use url::Url;

/// The namespace of the levels of assurance.
const LEVEL_PREFIX: &str = "https://www.spid.gov.it/";
/// What `found` shows of a value, in characters.
const SHOWN: usize = 80;
const LABEL: &str = "a label, or a table of language = label";

/// A value of the kind that its key has.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Boolean(bool),
    Integer(i64),
    Text(String),
    SocketAddress(SocketAddr),
    Networks(Vec<IpNet>),
    Texts(Vec<String>),
    Lists(BTreeMap<String, Vec<String>>),
    Labels(BTreeMap<String, BTreeMap<String, String>>),
    Label(BTreeMap<String, String>),
    Json(Json),
    Section(Values),
    Sections(Vec<Values>),
}

/// The values of one table, by key; a key without value and default is absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    /// Where the table is: `issuer[0].lifetimes`, or empty for the file itself.
    pub(super) path: String,
    map: BTreeMap<&'static str, Value>,
}

impl Values {
    /// The path of a key in this table.
    pub(super) fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key)
    }

    pub(super) fn boolean(&self, key: &str) -> Option<bool> {
        match self.get(key) {
            Some(Value::Boolean(value)) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Some(Value::Integer(value)) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn count(&self, key: &str) -> Option<u32> {
        self.integer(key)
            .and_then(|value| u32::try_from(value).ok())
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key) {
            Some(Value::Text(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn owned(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    pub(super) fn texts(&self, key: &str) -> Option<Vec<String>> {
        match self.get(key) {
            Some(Value::Texts(value)) => Some(value.clone()),
            _ => None,
        }
    }

    pub(super) fn section(&self, key: &str) -> Option<&Values> {
        match self.get(key) {
            Some(Value::Section(value)) => Some(value),
            _ => None,
        }
    }

    pub(super) fn sections(&self, key: &str) -> &[Values] {
        match self.get(key) {
            Some(Value::Sections(value)) => value,
            _ => &[],
        }
    }
}

/// Reads a table.
pub(super) fn read_section(
    table: &Table,
    section: &'static Section,
    path: &str,
    problems: &mut Problems,
) -> Values {
    for (name, value) in table {
        if section.key(name).is_none() {
            let expected = match section.nearest(name) {
                Some(near) => format!("a known key; did you mean `{near}`?"),
                None => "a known key".to_owned(),
            };
            problems.add(
                join(path, name),
                format!("an unknown key ({})", value.type_str()),
                expected,
            );
        }
    }
    let mut map = BTreeMap::new();
    for key in section.keys {
        let path = join(path, key.name);
        let value = match (table.get(key.name), key.default, key.kind) {
            (Some(value), _, _) => read_value(value, key, &path, problems),
            (None, Some(default), _) => read_default(default, key, &path, problems),
            (None, None, Kind::Section(inner)) => Some(Value::Section(read_section(
                &Table::new(),
                inner,
                &path,
                problems,
            ))),
            (None, None, _) => None,
        };
        if let Some(value) = value {
            map.insert(key.name, value);
        }
    }
    Values {
        path: path.to_owned(),
        map,
    }
}

/// The TOML value of a literal of `tables.rs`.
pub(super) fn literal(text: &str) -> Option<Toml> {
    format!("x = {text}").parse::<Table>().ok()?.remove("x")
}

fn read_default(default: &str, key: &Key, path: &str, problems: &mut Problems) -> Option<Value> {
    read_value(&literal(default)?, key, path, problems)
}

fn read_value(value: &Toml, key: &Key, path: &str, problems: &mut Problems) -> Option<Value> {
    match key.kind {
        Kind::Section(inner) | Kind::OptionalSection(inner) => match value {
            Toml::Table(table) => Some(Value::Section(read_section(table, inner, path, problems))),
            other => refuse(other, key, path, "a table", problems),
        },
        Kind::Sections(inner) => read_sections(value, key, inner, (path, problems)),
        Kind::ClaimMap => read_claim_map(value, key, path, problems),
        Kind::Labels => read_labels(value, key, path, problems),
        Kind::Label => match label(value) {
            Some(texts) => Some(Value::Label(texts)),
            None => refuse(value, key, path, LABEL, problems),
        },
        Kind::Jwks => read_jwks(value, key, path, problems),
        Kind::Networks
        | Kind::Texts
        | Kind::WebAddresses
        | Kind::Levels
        | Kind::Choices(_)
        | Kind::Claims => read_list(value, key, path, problems),
        _ => read_scalar(value, key.kind)
            .map_err(|expected| problems.add(path, shown(value, key.kind), expected))
            .ok(),
    }
}

fn refuse<T>(
    value: &Toml,
    key: &Key,
    path: &str,
    expected: &str,
    problems: &mut Problems,
) -> Option<T> {
    problems.add(path, shown(value, key.kind), expected);
    None
}

fn read_sections(
    value: &Toml,
    key: &Key,
    inner: &'static Section,
    (path, problems): (&str, &mut Problems),
) -> Option<Value> {
    let Toml::Array(list) = value else {
        return refuse(value, key, path, "a list of tables", problems);
    };
    let mut sections = Vec::with_capacity(list.len());
    for (number, entry) in list.iter().enumerate() {
        let path = format!("{path}[{number}]");
        match entry {
            Toml::Table(table) => sections.push(read_section(table, inner, &path, problems)),
            other => problems.add(path, shown(other, key.kind), "a table"),
        }
    }
    Some(Value::Sections(sections))
}

fn read_scalar(value: &Toml, kind: Kind) -> Result<Value, String> {
    match (kind, value) {
        (Kind::Boolean, Toml::Boolean(value)) => Ok(Value::Boolean(*value)),
        (Kind::Boolean, _) => Err("true or false".to_owned()),
        (Kind::Integer { least, most }, Toml::Integer(value)) if (least..=most).contains(value) => {
            Ok(Value::Integer(*value))
        }
        (Kind::Integer { least, most }, _) => Err(format!("a whole number from {least} to {most}")),
        (Kind::SocketAddress, Toml::String(text)) => text
            .parse()
            .map(Value::SocketAddress)
            .map_err(|_| "an address with a port, such as \"127.0.0.1:8080\"".to_owned()),
        (kind, Toml::String(text)) => read_text(text, kind).map(Value::Text),
        (_, _) => Err("text".to_owned()),
    }
}

fn read_text(text: &str, kind: Kind) -> Result<String, String> {
    match kind {
        Kind::OneOf(choices) | Kind::Choices(choices) => {
            if choices.contains(&text) {
                return Ok(text.to_owned());
            }
            Err(format!("one of {}", choices.join(", ")))
        }
        Kind::WebAddress | Kind::WebAddresses => match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "https" | "http") => Ok(text.to_owned()),
            _ => Err("an https URL".to_owned()),
        },
        Kind::Colour => {
            let digits = text.strip_prefix('#').unwrap_or_default();
            if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Ok(text.to_owned());
            }
            Err("a colour such as \"#0066cc\"".to_owned())
        }
        Kind::Level | Kind::Levels => {
            level(text).ok_or_else(|| "a level: its URI, or SpidL1, SpidL2 or SpidL3".to_owned())
        }
        Kind::Claims => canonical_claim(text)
            .map(str::to_owned)
            .ok_or_else(|| "a claim of the attribute table".to_owned()),
        _ if text.trim().is_empty() => Err("text that is not empty".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// The URI of a level, whose short form is accepted too. A level of another scheme must be a URI.
fn level(text: &str) -> Option<String> {
    match text {
        "SpidL1" | "SpidL2" | "SpidL3" => Some(format!("{LEVEL_PREFIX}{text}")),
        _ => Url::parse(text).is_ok().then(|| text.to_owned()),
    }
}

fn read_list(value: &Toml, key: &Key, path: &str, problems: &mut Problems) -> Option<Value> {
    let Toml::Array(list) = value else {
        return refuse(value, key, path, "a list", problems);
    };
    let mut texts: Vec<String> = Vec::with_capacity(list.len());
    let mut networks = Vec::new();
    let mut sound = true;
    for (number, entry) in list.iter().enumerate() {
        let read = match (entry, key.kind) {
            (Toml::String(text), Kind::Networks) => network(text).map(|net| networks.push(net)),
            (Toml::String(text), Kind::Choices(_)) if texts.contains(text) => {
                Err("every entry once".to_owned())
            }
            (Toml::String(text), kind) => read_text(text, kind).map(|text| texts.push(text)),
            (_, _) => Err("text".to_owned()),
        };
        if let Err(expected) = read {
            sound = false;
            problems.add(
                format!("{path}[{number}]"),
                shown(entry, key.kind),
                expected,
            );
        }
    }
    if !sound {
        return None;
    }
    Some(match key.kind {
        Kind::Networks => Value::Networks(networks),
        _ => Value::Texts(texts),
    })
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "a network such as \"10.0.0.0/8\", or an address".to_owned())
}

/// `attributes`: a claim's attributes as text or list. Names of the attribute table become canonical; others are names
/// that only the operator's registry knows.
fn read_claim_map(value: &Toml, key: &Key, path: &str, problems: &mut Problems) -> Option<Value> {
    let Toml::Table(table) = value else {
        return refuse(value, key, path, "a table of claims", problems);
    };
    let mut map = BTreeMap::new();
    for (claim, sources) in table {
        let path = join(path, claim);
        let Some(name) = canonical_claim(claim) else {
            problems.add(path, "an unknown claim", "a claim of the attribute table");
            continue;
        };
        let sources: Option<Vec<String>> = match sources {
            Toml::String(text) => Some(vec![text.clone()]),
            Toml::Array(list) => list
                .iter()
                .map(|entry| entry.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        match sources {
            Some(sources) if sources.iter().all(|source| !source.trim().is_empty()) => {
                let sources = sources
                    .into_iter()
                    .map(|source| canonical_claim(&source).map_or(source, str::to_owned))
                    .collect();
                map.insert(name.to_owned(), sources);
            }
            _ => problems.add(
                path,
                "no attribute names",
                "the name of an attribute of the registry, or a list of names",
            ),
        }
    }
    Some(Value::Lists(map))
}

fn read_labels(value: &Toml, key: &Key, path: &str, problems: &mut Problems) -> Option<Value> {
    let Toml::Table(table) = value else {
        return refuse(value, key, path, "a table of claims", problems);
    };
    let mut map = BTreeMap::new();
    for (claim, label) in table {
        let path = join(path, claim);
        let Some(name) = canonical_claim(claim) else {
            problems.add(path, "an unknown claim", "a claim of the attribute table");
            continue;
        };
        match self::label(label) {
            Some(labels) => {
                map.insert(name.to_owned(), labels);
            }
            None => problems.add(path, "no label", LABEL),
        }
    }
    Some(Value::Labels(map))
}

/// One text for every language (under no name), or one for each.
fn label(value: &Toml) -> Option<BTreeMap<String, String>> {
    match value {
        Toml::String(text) => Some(BTreeMap::from([(String::new(), text.clone())])),
        Toml::Table(languages) => languages
            .iter()
            .map(|(language, text)| Some((language.clone(), text.as_str()?.to_owned())))
            .collect(),
        _ => None,
    }
}

fn read_jwks(value: &Toml, key: &Key, path: &str, problems: &mut Problems) -> Option<Value> {
    let json = match value {
        Toml::String(text) => serde_json::from_str(text).ok(),
        Toml::Table(_) => serde_json::to_value(value).ok(),
        _ => None,
    };
    match json {
        Some(json) => Some(Value::Json(json)),
        None => refuse(value, key, path, "a JWKS: {\"keys\": [...]}", problems),
    }
}

/// A value as a message shows it; secrets are not shown.
fn shown(value: &Toml, kind: Kind) -> String {
    if matches!(kind, Kind::Secret | Kind::Jwks) {
        return format!("a {} (not shown)", value.type_str());
    }
    let text = match value {
        Toml::Table(_) => "a table".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN {
        return text;
    }
    let mut short: String = text.chars().take(SHOWN).collect();
    short.push('…');
    short
}

/// `section.key`, or the key alone at the top.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
