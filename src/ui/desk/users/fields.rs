//! The form of a person's attributes: a field each, a field for every member of those that are objects.

use crate::accounts::fault::{Fault, FaultKind};
use crate::model::Params;
use crate::model::attribute::{ATTRIBUTES, AttributeForm, canonical_claim};
use crate::ui::values::member_name;
use crate::ui::{AttributeField, Field, Locale, attribute_name};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Puts a fault into words.
pub(super) type Say<'a> = &'a dyn Fn(&Fault) -> String;

/// How a field of the form is filled in.
enum Kind {
    Text,
    Date,
    /// Values, whose labels are `value-…`.
    Choice(&'static [&'static str]),
    /// What has no simpler form.
    Json,
}

/// A field: its claim, and the member of it.
struct Place {
    claim: String,
    member: Option<&'static str>,
    kind: Kind,
}

impl Place {
    /// In the form.
    fn name(&self) -> String {
        match self.member {
            Some(member) => format!("a-{}-{member}", self.claim),
            None => format!("a-{}", self.claim),
        }
    }

    fn label(&self, locale: Locale) -> String {
        let claim = attribute_name(locale, &self.claim);
        match self.member {
            Some(member) => format!("{claim}: {}", member_name(locale, member)),
            None => claim,
        }
    }

    /// What the field holds for a value of the claim.
    fn text_of(&self, value: Option<&Value>) -> String {
        let value = match (self.member, value) {
            (Some(member), Some(value)) => value.get(member),
            (_, value) => value,
        };
        match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) if !matches!(self.kind, Kind::Json) => text.clone(),
            Some(other) => other.to_string(),
        }
    }
}

/// The fields for somebody who has these attributes.
fn places(known: &Map<String, Value>, custom: &BTreeSet<String>) -> Vec<Place> {
    let mut all = Vec::new();
    for info in ATTRIBUTES {
        let claim = info.name.to_owned();
        let value = known.get(info.name);
        let mut push = |member, kind| {
            all.push(Place {
                claim: claim.clone(),
                member,
                kind,
            });
        };
        match info.form {
            AttributeForm::Object(members) if is_flat(value, members) => {
                members
                    .iter()
                    .for_each(|member| push(Some(member), Kind::Text));
            }
            AttributeForm::Object(_) => push(None, Kind::Json),
            AttributeForm::Date => push(None, Kind::Date),
            AttributeForm::Gender => push(None, Kind::Choice(&["female", "male"])),
            AttributeForm::Boolean => push(None, Kind::Choice(&["true", "false"])),
            _ => push(None, Kind::Text),
        }
    }
    let others = known.keys().filter(|name| canonical_claim(name).is_none());
    let others: BTreeSet<&String> = others.chain(custom).collect();
    for claim in others {
        let is_text = known.get(claim).is_none_or(Value::is_string);
        all.push(Place {
            claim: claim.clone(),
            member: None,
            kind: if is_text { Kind::Text } else { Kind::Json },
        });
    }
    all
}

/// Whether the fields of these members hold all that the value is.
fn is_flat(value: Option<&Value>, members: &[&str]) -> bool {
    match value {
        None => true,
        Some(Value::Object(object)) => object
            .iter()
            .all(|(name, value)| members.contains(&name.as_str()) && value.is_string()),
        Some(_) => false,
    }
}

/// What the form shows before anything is typed.
pub(super) fn of_person(
    locale: Locale,
    known: &Map<String, Value>,
    custom: &BTreeSet<String>,
) -> Vec<AttributeField> {
    let all = places(known, custom);
    let shown = all.iter().map(|place| {
        let value = place.text_of(known.get(&place.claim));
        view(locale, place, value, None)
    });
    shown.collect()
}

/// What the form shows again, with what is wrong; `say` puts a fault into words.
pub(super) fn of_form(
    locale: Locale,
    (known, custom): (&Map<String, Value>, &BTreeSet<String>),
    form: &Params,
    (faults, say): (&[Fault], Say<'_>),
) -> Vec<AttributeField> {
    let mut told = BTreeSet::new();
    places(known, custom)
        .iter()
        .map(|place| {
            let typed = form
                .get(&place.name())
                .unwrap_or_default()
                .trim()
                .to_owned();
            // Of an object, it is said once.
            let fault = faults
                .iter()
                .find(|fault| fault.field == place.claim && told.insert(place.claim.clone()));
            view(locale, place, typed, fault.map(say))
        })
        .collect()
}

fn view(locale: Locale, place: &Place, value: String, error: Option<String>) -> AttributeField {
    let choices = match place.kind {
        Kind::Choice(values) => values
            .iter()
            .map(|value| ((*value).to_owned(), label_of(locale, value)))
            .collect(),
        Kind::Text | Kind::Date | Kind::Json => Vec::new(),
    };
    AttributeField {
        name: place.name(),
        label: place.label(locale),
        kind: match place.kind {
            Kind::Text => "text",
            // A browser shows no text that is no date in a field for dates.
            Kind::Date if error.is_some() => "text",
            Kind::Date => "date",
            Kind::Choice(_) => "choice",
            Kind::Json => "json",
        },
        choices,
        field: Field { value, error },
    }
}

fn label_of(locale: Locale, value: &str) -> String {
    let key = match value {
        "true" => "value-yes".to_owned(),
        "false" => "value-no".to_owned(),
        other => format!("value-{other}"),
    };
    crate::ui::text(locale, &key)
}

/// The claims that a form says.
///
/// # Errors
/// What is no JSON where JSON is needed.
pub(super) fn claims(
    known: &Map<String, Value>,
    custom: &BTreeSet<String>,
    form: &Params,
) -> Result<Map<String, Value>, Vec<Fault>> {
    let mut claims = Map::new();
    let mut faults = Vec::new();
    for place in places(known, custom) {
        let typed = form.get(&place.name()).unwrap_or_default().trim();
        if typed.is_empty() {
            continue;
        }
        let text = Value::String(typed.to_owned());
        match (place.member, &place.kind) {
            (Some(member), _) => {
                let object = claims
                    .entry(place.claim)
                    .or_insert_with(|| Map::new().into());
                if let Value::Object(members) = object {
                    members.insert(member.to_owned(), text);
                }
            }
            (None, Kind::Json) => match crate::jose::parse_bounded(typed.as_bytes(), 65_536, 8) {
                Ok(value) => {
                    claims.insert(place.claim, value);
                }
                Err(_) => faults.push(FaultKind::CellNoJson.of(&place.claim, "{…}")),
            },
            (None, _) => {
                claims.insert(place.claim, text);
            }
        }
    }
    if faults.is_empty() {
        Ok(claims)
    } else {
        Err(faults)
    }
}
