//! The form of a person's attributes: a field each, a field for every member of those that are objects.

use crate::accounts::fault::{Fault, FaultKind};
use crate::model::Params;
use crate::model::attribute::{ATTRIBUTES, AttributeForm, canonical_claim};
use crate::ui::values::member_name;
use crate::ui::{AttributeField, Field, Locale, attribute_name};
use serde_json::{Map, Value, json};
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

/// The one member that is an object itself (`document_details`: `issuer{name}`), and what the field holds of it.
const ISSUER: &str = "issuer";
const NAME: &str = "name";
/// `document_details`: `type`.
const DOCUMENTS: &[&str] = &["cartaIdentita", "passaporto", "patenteGuida"];

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
            (Some(ISSUER), Some(value)) => value.get(ISSUER).and_then(|issuer| issuer.get(NAME)),
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
                for member in members {
                    push(Some(*member), kind_of(member, value));
                }
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

/// How a member is filled in: a document of another type than the usual ones stays as it is.
fn kind_of(member: &str, value: Option<&Value>) -> Kind {
    let now = value.and_then(|value| value.get(member)?.as_str());
    match member {
        "type" if now.is_none_or(|now| DOCUMENTS.contains(&now)) => Kind::Choice(DOCUMENTS),
        "date_of_issuance" | "date_of_expiry" => Kind::Date,
        _ => Kind::Text,
    }
}

/// Whether the fields of these members hold all that the value is.
fn is_flat(value: Option<&Value>, members: &[&str]) -> bool {
    match value {
        None => true,
        Some(Value::Object(object)) => {
            object
                .iter()
                .all(|(name, value)| match (name.as_str(), value) {
                    (ISSUER, Value::Object(issuer)) => {
                        issuer.len() == 1 && issuer.get(NAME).is_some_and(Value::is_string)
                    }
                    (ISSUER, _) => false,
                    (name, value) => members.contains(&name) && value.is_string(),
                })
        }
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
                let value = match member {
                    ISSUER => json!({ NAME: text }),
                    _ => text,
                };
                if let Value::Object(members) = object {
                    members.insert(member.to_owned(), value);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a form gives back that nobody changed.
    fn sent_unchanged(known: &Value) -> (Vec<AttributeField>, Map<String, Value>) {
        let known = known.as_object().unwrap();
        let custom = BTreeSet::new();
        let fields = of_person(Locale::It, known, &custom);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for field in &fields {
            form.append_pair(&field.name, &field.field.value);
        }
        let form = Params::parse(form.finish().as_bytes()).unwrap();
        let claims = claims(known, &custom, &form).unwrap();
        (fields, claims)
    }

    #[test]
    fn every_part_of_a_document_has_a_field_of_its_kind() {
        let known = json!({"document_details": {
            "type": "patenteGuida", "document_number": "NA5012345X", "issuer": {"name": "MIT-UCO"},
            "date_of_issuance": "2021-06-01", "date_of_expiry": "2031-03-05",
        }});
        let (fields, claims) = sent_unchanged(&known);
        let of = |member: &str| {
            let name = format!("a-document_details-{member}");
            fields.iter().find(|field| field.name == name).unwrap()
        };
        assert_eq!(of("issuer").field.value, "MIT-UCO");
        assert_eq!(of("issuer").label, "Documento d’identità: Rilasciato da");
        assert_eq!(of("type").kind, "choice");
        assert_eq!(of("type").choices.len(), 3);
        assert_eq!(of("date_of_expiry").kind, "date");
        assert_eq!(Value::Object(claims), known);
    }

    #[test]
    fn what_the_fields_cannot_hold_stays_as_it_is() {
        for document in [
            json!({"type": "cartaIdentita", "issuer": {"name": "Comune", "office": "3"}}),
            json!({"type": "cartaIdentita", "issuer": "Comune"}),
            json!({"type": "cartaIdentita", "colour": "blue"}),
            json!({"type": "tesserino"}),
        ] {
            let known = json!({ "document_details": document });
            assert_eq!(Value::Object(sent_unchanged(&known).1), known);
        }
    }
}
