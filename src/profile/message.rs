//! Messages as data: one table of members checks a message and publishes its JSON Schema.
//!
//! There is no second validator: `{issuer}/schemas/{name}.json` is written from the same rows that
//! [`Message::check`] enforces. To add a member, add a row; to add a message, add a table to a profile.

use crate::model::ErrorCode;
use serde_json::{Map, Value, json};

/// A message of the protocol, as a profile wants it.
#[derive(Debug)]
pub struct Message {
    /// Part of the schema's address: `request-object`.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// How refusals speak of it: `request object`.
    pub called: &'static str,
    /// Its members, in the order in which they are checked.
    pub members: &'static [Member],
}

/// One member of a message.
#[derive(Debug)]
pub struct Member {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it must, may or must not be there.
    pub presence: Presence,
    /// What it looks like.
    pub shape: Shape,
    /// What is answered when the shape is wrong.
    pub error: ErrorCode,
    /// The clause that says so.
    pub source: &'static str,
}

/// Whether a member must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Its absence is refused.
    Required,
    /// Required unless the issuer's configuration says otherwise (`acr_values_required`).
    RequiredUnlessConfigured,
    /// May be absent.
    Optional,
    /// Its presence is refused with the member's error code.
    Forbidden,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text of at most 4,096 characters.
    Text,
    /// Text of any length: what it means is for later, and the body is bounded.
    AnyText,
    /// Exactly this text.
    Exactly(&'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// Only `A–Z a–z 0–9 - . _ ~`, at least this many (SPID/CIE AZ-4; RFC 7636 §4.1).
    Unreserved {
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// Words: a space-separated text or a JSON array of texts (SPID/CIE AZ-4).
    Words,
    /// An absolute URL or custom-scheme URI.
    Uri,
    /// Seconds since 1970, a number.
    NumericDate,
    /// A text or an array of texts.
    TextOrTexts,
    /// A JSON object.
    Object,
    /// A compact JWT.
    Jwt,
    /// A whole number of 0 or more, as a number or digits.
    Count,
}

/// How a message breaks its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The member.
    pub member: &'static str,
    /// What is answered.
    pub code: ErrorCode,
    /// One ASCII line: which member, what is wrong, what is expected.
    pub description: String,
    /// The clause.
    pub source: &'static str,
}

impl Message {
    /// Checks every member, in the table's order.
    ///
    /// `relaxed` makes [`Presence::RequiredUnlessConfigured`] optional.
    ///
    /// # Errors
    /// The first member that is missing, forbidden or misshapen.
    pub fn check(&self, members: &Map<String, Value>, relaxed: bool) -> Result<(), Violation> {
        self.members
            .iter()
            .try_for_each(|member| self.check_member(member, members.get(member.name), relaxed))
    }

    fn check_member(
        &self,
        member: &'static Member,
        value: Option<&Value>,
        relaxed: bool,
    ) -> Result<(), Violation> {
        let violation = |code, fact: String| Violation {
            member: member.name,
            code,
            description: format!("{} {} {fact}", self.called, member.name),
            source: member.source,
        };
        let value = value.filter(|value| !is_empty(value));
        match (member.presence, value) {
            (Presence::Forbidden, Some(_)) => {
                Err(violation(member.error, "is not supported".to_owned()))
            }
            (Presence::Forbidden | Presence::Optional, None) => Ok(()),
            (Presence::RequiredUnlessConfigured, None) if relaxed => Ok(()),
            (Presence::Required | Presence::RequiredUnlessConfigured, None) => Err(violation(
                ErrorCode::InvalidRequest,
                "is missing".to_owned(),
            )),
            (_, Some(value)) => member
                .shape
                .check(value)
                .map_err(|expected| violation(member.error, expected)),
        }
    }

    /// The JSON Schema (draft 2020-12) of the message; unknown members are allowed (SPID/CIE AZ-4).
    #[must_use]
    pub fn json_schema(&self, id: &str, relaxed: bool) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for member in self.members {
            let mut schema = if member.presence == Presence::Forbidden {
                json!({ "not": {} })
            } else {
                member.shape.json_schema()
            };
            if let Some(schema) = schema.as_object_mut() {
                schema.insert("$comment".to_owned(), member.source.into());
            }
            properties.insert(member.name.to_owned(), schema);
            let must = member.presence == Presence::Required
                || (member.presence == Presence::RequiredUnlessConfigured && !relaxed);
            if must {
                required.push(member.name);
            }
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": id,
            "title": self.title,
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": true,
        })
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

impl Shape {
    /// `Err` says what was expected, to follow the member's name.
    fn check(self, value: &Value) -> Result<(), String> {
        let holds = match self {
            Self::Text => value.as_str().is_some_and(|text| text.len() <= 4096),
            Self::AnyText => value.is_string(),
            Self::Exactly(expected) => value.as_str() == Some(expected),
            Self::OneOf(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
            Self::Unreserved { min, max } => value.as_str().is_some_and(|text| {
                (min..=max).contains(&text.len()) && text.bytes().all(is_unreserved)
            }),
            Self::Words => words(value).is_some_and(|words| !words.is_empty()),
            Self::Uri => value
                .as_str()
                .is_some_and(|text| text.len() <= 2048 && url::Url::parse(text).is_ok()),
            Self::NumericDate => value.is_number(),
            Self::TextOrTexts => texts(value).is_some_and(|texts| !texts.is_empty()),
            Self::Object => value.is_object(),
            Self::Jwt => value
                .as_str()
                .is_some_and(|text| text.split('.').count() == 3),
            Self::Count => count(value).is_some(),
        };
        if holds { Ok(()) } else { Err(self.expected()) }
    }

    fn expected(self) -> String {
        match self {
            Self::Text => "must be a text of at most 4096 characters".to_owned(),
            Self::AnyText => "must be a text".to_owned(),
            Self::Exactly(expected) => format!("must be {expected}"),
            Self::OneOf(choices) => format!("must be one of: {}", choices.join(", ")),
            Self::Unreserved { min, max } => {
                format!("must have {min} to {max} characters, only letters, digits and -._~")
            }
            Self::Words => "must be words separated by spaces, or an array of texts".to_owned(),
            Self::Uri => "must be an absolute URI of at most 2048 characters".to_owned(),
            Self::NumericDate => "must be a number of seconds since 1970".to_owned(),
            Self::TextOrTexts => "must be a text or an array of texts".to_owned(),
            Self::Object => "must be a JSON object".to_owned(),
            Self::Jwt => "must be a compact JWT of three parts".to_owned(),
            Self::Count => "must be a whole number of 0 or more".to_owned(),
        }
    }

    fn json_schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string", "minLength": 1, "maxLength": 4096 }),
            Self::AnyText => json!({ "type": "string", "minLength": 1 }),
            Self::Exactly(expected) => json!({ "const": expected }),
            Self::OneOf(choices) => json!({ "enum": choices }),
            Self::Unreserved { min, max } => json!({
                "type": "string",
                "pattern": format!("^[A-Za-z0-9._~-]{{{min},{max}}}$"),
            }),
            Self::Words | Self::TextOrTexts => json!({
                "oneOf": [
                    { "type": "string", "minLength": 1 },
                    { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                ],
            }),
            Self::Uri => json!({ "type": "string", "format": "uri", "maxLength": 2048 }),
            Self::NumericDate => json!({ "type": "number" }),
            Self::Object => json!({ "type": "object" }),
            Self::Jwt => json!({
                "type": "string",
                "pattern": "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$",
            }),
            Self::Count => json!({
                "oneOf": [
                    { "type": "integer", "minimum": 0 },
                    { "type": "string", "pattern": "^[0-9]+$" },
                ],
            }),
        }
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Words of a space-separated text or of an array of texts; `None` for anything else.
#[must_use]
pub fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split_ascii_whitespace().map(str::to_owned).collect()),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// A text, or every text of an array; `None` for anything else.
#[must_use]
pub fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        other => other.is_array().then(|| words(other)).flatten(),
    }
}

/// A whole number of 0 or more, as a number or as digits (parameters are text).
#[must_use]
pub fn count(value: &Value) -> Option<i64> {
    let number = match value {
        Value::String(digits) => digits.parse().ok(),
        other => other.as_i64(),
    };
    number.filter(|number| *number >= 0)
}
