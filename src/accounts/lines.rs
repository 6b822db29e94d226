//! The lines of an import file as JSON objects, whatever the format.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Bytes of one line.
const MOST_LINE_BYTES: usize = 262_144;

/// A line as an object, or what is wrong with it.
pub(super) type Members = Result<Map<String, Value>, String>;

/// Text without a byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Every line with its number, blank ones left out.
pub(super) fn json_lines(text: &str) -> Vec<(u64, Members)> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| (number, json_object(line)))
        .collect()
}

fn json_object(line: &str) -> Members {
    if line.len() > MOST_LINE_BYTES {
        return Err(format!("longer than {MOST_LINE_BYTES} bytes"));
    }
    match crate::jose::parse_bounded(line.as_bytes(), MOST_LINE_BYTES, 8) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("no JSON object; expected {\"username\": …} on one line".to_owned()),
        // The parser's text may quote the line.
        Err(crate::jose::JoseError::DuplicateMember(name)) => {
            Err(format!("member {name} twice in one object"))
        }
        Err(_) => Err("no JSON; expected {\"username\": …} on one line".to_owned()),
    }
}

/// Every row with the number of its line.
pub(super) fn csv_lines(text: &str) -> Vec<(u64, Members)> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::Headers)
        .from_reader(text.as_bytes());
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(str::to_owned).collect(),
        Err(error) => return vec![(1, Err(format!("no header line: {error}")))],
    };
    let unique: BTreeSet<&String> = names.iter().collect();
    if unique.len() != names.len() {
        return vec![(
            1,
            Err("a column twice; expected every column once".to_owned()),
        )];
    }
    if !names.iter().any(|name| name == "username") {
        let message =
            "no column username; expected a header line such as username,password,given_name";
        return vec![(1, Err(message.to_owned()))];
    }
    reader
        .records()
        .map(|row| match row {
            Ok(row) => {
                let line = row.position().map_or(0, csv::Position::line);
                (line, cells(&names, &row))
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                let message = format!("not {} cells of valid CSV in UTF-8", names.len());
                (line, Err(message))
            }
        })
        .collect()
}

/// A row as the object that it stands for; an empty cell is absent.
fn cells(names: &[String], row: &csv::StringRecord) -> Members {
    let mut members = Map::new();
    let mut attributes = Map::new();
    for (name, cell) in names.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
        let json = |expected: &str| {
            crate::jose::parse_bounded(cell.as_bytes(), MOST_LINE_BYTES, 8)
                .map_err(|_| format!("{name}: no JSON; expected {expected}"))
        };
        match name.as_str() {
            "username" | "password" | "password_hash" | "totp_secret" => {
                members.insert(name.clone(), Value::String(cell.to_owned()));
            }
            "enabled" => {
                members.insert(name.clone(), json("true or false")?);
            }
            "attributes" => {
                let Value::Object(more) = json("an object")? else {
                    return Err("attributes: expected a JSON object".to_owned());
                };
                attributes.extend(more);
            }
            _ => {
                let claim = name.strip_prefix("attributes.").unwrap_or(name);
                let value = if cell.starts_with(['{', '[']) {
                    json("an object")?
                } else {
                    Value::String(cell.to_owned())
                };
                attributes.insert(claim.to_owned(), value);
            }
        }
    }
    if !attributes.is_empty() {
        members.insert("attributes".to_owned(), Value::Object(attributes));
    }
    Ok(members)
}
