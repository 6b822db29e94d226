//! The values of attributes in plain words.

use super::{Locale, catalog, dates};
use serde_json::Value;

/// Members of a nested value that are looked at, and how deep: registries are trusted, but a page has a size.
const MAX_MEMBERS: usize = 20;
const MAX_DEPTH: usize = 3;

/// An attribute's value as the citizen reads it: dates written out, `female`/`male` and booleans translated, identifiers
/// without their `TINIT-`/`VATIT-` prefix, objects (address, document) as labelled parts. Not escaped for HTML.
#[must_use]
pub fn attribute_value(locale: Locale, claim: &str, value: &Value) -> String {
    match (catalog::canonical_claim(claim), value) {
        ("fiscal_number" | "company_fiscal_number", Value::String(text)) => {
            text.strip_prefix("TINIT-").unwrap_or(text).to_owned()
        }
        ("vat_number", Value::String(text)) => {
            text.strip_prefix("VATIT-").unwrap_or(text).to_owned()
        }
        ("gender", Value::String(text)) if text == "female" || text == "male" => {
            catalog::text(locale, &format!("value-{text}"))
        }
        _ => plain(locale, value, 0),
    }
}

fn plain(locale: Locale, value: &Value, depth: usize) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => catalog::text(locale, "value-yes"),
        Value::Bool(false) => catalog::text(locale, "value-no"),
        Value::Number(number) => number.to_string(),
        Value::String(text) => dates::date_of_text(locale, text)
            .or_else(|| document_type(locale, text))
            .unwrap_or_else(|| text.clone()),
        Value::Array(_) | Value::Object(_) if depth >= MAX_DEPTH => "…".to_owned(),
        Value::Array(items) => {
            let parts = items.iter().take(MAX_MEMBERS);
            let parts: Vec<_> = parts.map(|item| plain(locale, item, depth + 1)).collect();
            parts.join(", ")
        }
        Value::Object(members) => object(locale, members, depth),
    }
}

/// `formatted` (OIDC Core §5.1.1) is the whole of an address; otherwise every member with its label.
fn object(locale: Locale, members: &serde_json::Map<String, Value>, depth: usize) -> String {
    if let Some(Value::String(formatted)) = members.get("formatted") {
        return formatted.clone();
    }
    if let (1, Some(name)) = (members.len(), members.get("name")) {
        return plain(locale, name, depth + 1);
    }
    let mut parts = Vec::new();
    for (name, value) in members.iter().take(MAX_MEMBERS) {
        let value = plain(locale, value, depth + 1);
        if !value.is_empty() {
            parts.push(format!("{}: {value}", member_name(locale, name)));
        }
    }
    parts.join("; ")
}

/// The types of documents that SPID's attribute table names.
fn document_type(locale: Locale, text: &str) -> Option<String> {
    ["cartaIdentita", "passaporto", "patenteGuida"]
        .contains(&text)
        .then(|| catalog::text(locale, &format!("value-{text}")))
}

/// What a member of an address or document is called.
pub(super) fn member_name(locale: Locale, member: &str) -> String {
    let key = format!("member-{member}");
    catalog::translate(locale, &key, &catalog::Arguments::new())
        .unwrap_or_else(|_| member.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_in_plain_words() {
        let cases = [
            (
                "https://attributes.eid.gov.it/fiscal_number",
                json!("TINIT-RSSMRA80A01H501U"),
                "RSSMRA80A01H501U",
            ),
            ("birthdate", json!("1980-01-01"), "1º gennaio 1980"),
            ("gender", json!("female"), "femminile"),
            ("email_verified", json!(true), "sì"),
            ("phone_number", json!("3331234567"), "3331234567"),
            (
                "place_of_birth",
                json!({"locality": "H501", "region": "RM"}),
                "Comune: H501; Provincia: RM",
            ),
            (
                "document_details",
                json!({"type": "cartaIdentita", "issuer": {"name": "Comune di Roma"}}),
                "Tipo: carta d’identità; Rilasciato da: Comune di Roma",
            ),
            (
                "registered_office",
                json!({"formatted": "Via Roma 1, Roma"}),
                "Via Roma 1, Roma",
            ),
            ("email", json!(null), ""),
        ];
        for (claim, value, expected) in cases {
            assert_eq!(
                attribute_value(Locale::It, claim, &value),
                expected,
                "{claim}"
            );
        }
    }

    #[test]
    fn deeply_nested_values_are_cut() {
        let mut value = json!("end");
        for _ in 0..100 {
            value = json!({ "inner": value });
        }
        assert_eq!(
            attribute_value(Locale::It, "address", &value),
            "inner: inner: inner: …"
        );
    }
}
