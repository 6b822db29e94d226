//! Whether the value of an attribute looks like the "form" column of spec "Attributes".

use super::fault::{Fault, FaultKind};
use crate::model::attribute::{AttributeForm, AttributeInfo};
use serde_json::Value;

/// Characters of a text value.
const MOST_CHARACTERS: usize = 1024;
/// Members and depth of an object.
const MOST_MEMBERS: usize = 32;
const MOST_DEPTH: usize = 4;

/// The value as it is stored, or what is wrong with it; `claim` is what the fault calls it.
///
/// A boolean may be written as text, as in a cell of a CSV file.
///
/// # Errors
/// What the value must look like.
pub fn check_attribute(info: &AttributeInfo, claim: &str, value: &Value) -> Result<Value, Fault> {
    match (info.form, value) {
        (AttributeForm::Boolean, Value::Bool(_)) => Ok(value.clone()),
        (AttributeForm::Boolean, Value::String(text)) => match text.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(FaultKind::NotBoolean.of(claim, "")),
        },
        (AttributeForm::Object(_), Value::Object(members))
            if !members.is_empty() && is_sound(value, MOST_DEPTH) =>
        {
            Ok(value.clone())
        }
        (AttributeForm::Object(names), _) => Err(FaultKind::Members.of(claim, names.join(", "))),
        (form, Value::String(text)) if fits(form, text) => Ok(value.clone()),
        (form, _) => Err(expectation(form).of(claim, "")),
    }
}

/// As for a custom attribute, of which only the bounds are known.
#[must_use]
pub fn is_sound(value: &Value, depth: usize) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => is_bounded(text),
        Value::Array(list) => {
            depth > 0
                && list.len() <= MOST_MEMBERS
                && list.iter().all(|entry| is_sound(entry, depth - 1))
        }
        Value::Object(members) => {
            depth > 0
                && members.len() <= MOST_MEMBERS
                && members
                    .iter()
                    .all(|(name, entry)| is_bounded(name) && is_sound(entry, depth - 1))
        }
    }
}

fn is_bounded(text: &str) -> bool {
    text.chars().take(MOST_CHARACTERS + 1).count() <= MOST_CHARACTERS
        && !text
            .chars()
            .any(|letter| letter.is_control() && letter != '\n')
}

fn fits(form: AttributeForm, text: &str) -> bool {
    is_bounded(text)
        && match form {
            AttributeForm::SpidCode => {
                text.len() == 14
                    && text.bytes().take(4).all(|byte| byte.is_ascii_alphabetic())
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }
            // Capitals are not checked: "de' Medici" and "van der Berg" are names.
            AttributeForm::Words => {
                !text.is_empty()
                    && text
                        .split(' ')
                        .all(|word| !word.is_empty() && !word.contains(char::is_whitespace))
            }
            AttributeForm::Text => !text.trim().is_empty(),
            AttributeForm::Date => is_date(text),
            AttributeForm::Gender => matches!(text, "female" | "male"),
            AttributeForm::FiscalNumber | AttributeForm::CompanyFiscalNumber => {
                text.strip_prefix("TINIT-").is_some_and(is_fiscal_number)
            }
            AttributeForm::VatNumber => text.strip_prefix("VATIT-").is_some_and(is_eleven_digits),
            AttributeForm::Digits => {
                let digits = text.strip_prefix('+').unwrap_or(text);
                (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
            }
            AttributeForm::Email => is_email(text),
            AttributeForm::Boolean | AttributeForm::Object(_) => false,
        }
}

fn expectation(form: AttributeForm) -> FaultKind {
    match form {
        AttributeForm::SpidCode => FaultKind::SpidCode,
        AttributeForm::Words => FaultKind::Words,
        AttributeForm::Text => FaultKind::Text,
        AttributeForm::Date => FaultKind::Date,
        AttributeForm::Gender => FaultKind::Gender,
        AttributeForm::FiscalNumber | AttributeForm::CompanyFiscalNumber => FaultKind::FiscalNumber,
        AttributeForm::VatNumber => FaultKind::VatNumber,
        AttributeForm::Digits => FaultKind::Digits,
        AttributeForm::Boolean => FaultKind::NotBoolean,
        AttributeForm::Email => FaultKind::Email,
        AttributeForm::Object(_) => FaultKind::Members,
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_eleven_digits(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_fiscal_number(text: &str) -> bool {
    is_eleven_digits(text)
        || (text.len() == 16
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
}

fn is_email(text: &str) -> bool {
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        })
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}
