//! The lines of an import file as JSON objects, whatever the format; one in memory at a time.

use super::fault::{Fault, FaultKind};
use super::import::Format;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::io::{BufRead, Read as _};

/// Bytes of one line.
const MOST_LINE_BYTES: usize = 262_144;
/// Depth of a value.
const MOST_DEPTH: usize = 8;

/// A line as an object, or what is wrong with it.
pub(super) type Members = Result<Map<String, Value>, Fault>;

/// Every line with its number, blank ones left out.
pub(super) enum Lines<R> {
    /// One JSON object a line.
    Json(R, u64),
    /// A row a line.
    Csv(Box<csv::Reader<R>>, Vec<String>),
    /// One thing is left to say.
    Last(u64, Fault),
    /// Nothing more.
    End,
}

impl<R: BufRead> Lines<R> {
    /// The format is guessed when it is not told.
    pub(super) fn open(mut input: R, format: Option<Format>) -> Self {
        let head = match input.fill_buf() {
            Ok(head) => head
                .get(..head.len().min(4096))
                .unwrap_or_default()
                .to_vec(),
            Err(_) => return Self::Last(1, FaultKind::Unreadable.alone()),
        };
        // Wider encodings have a mark, or are full of zeros.
        if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) || head.contains(&0) {
            return Self::Last(1, FaultKind::Encoding.alone());
        }
        if head.starts_with("\u{feff}".as_bytes()) {
            input.consume("\u{feff}".len());
        }
        match format.unwrap_or_else(|| Format::guess(&head)) {
            Format::JsonLines => Self::Json(input, 0),
            Format::Csv => Self::csv(input, &head),
        }
    }

    fn csv(input: R, head: &[u8]) -> Self {
        let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        // Spreadsheets write semicolons where the comma separates decimals.
        let delimiter = match first.contains(&b';') && !first.contains(&b',') {
            true => b';',
            false => b',',
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .trim(csv::Trim::Headers)
            .from_reader(input);
        let names: Vec<String> = match reader.headers() {
            Ok(names) => names.iter().map(str::to_owned).collect(),
            Err(error) => return Self::Last(1, fault_of(&error, 0, FaultKind::NoHeader)),
        };
        let unique: BTreeSet<&String> = names.iter().collect();
        let wrong = if names.is_empty() {
            None
        } else if unique.len() != names.len() {
            Some(FaultKind::ColumnTwice)
        } else if !names.iter().any(|name| name == "username") {
            Some(FaultKind::NoUsernameColumn)
        } else {
            None
        };
        match wrong {
            Some(kind) => Self::Last(1, kind.alone()),
            None => Self::Csv(Box::new(reader), names),
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = (u64, Members);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Json(input, number) => loop {
                let line = read_line(input).transpose()?;
                *number += 1;
                match line {
                    Ok(line) if line.trim_ascii().is_empty() => {}
                    Ok(line) => return Some((*number, json_object(&line))),
                    Err(fault) => {
                        let at = *number;
                        if fault.kind == FaultKind::Unreadable {
                            *self = Self::End;
                        }
                        return Some((at, Err(fault)));
                    }
                }
            },
            Self::Csv(reader, names) => {
                let mut row = csv::StringRecord::new();
                let read = reader.read_record(&mut row);
                match read {
                    Ok(false) => None,
                    Ok(true) => {
                        let line = row.position().map_or(0, csv::Position::line);
                        Some((line, cells(names, &row)))
                    }
                    Err(error) => {
                        let line = error.position().map_or(0, csv::Position::line);
                        let fault = fault_of(&error, names.len(), FaultKind::Ragged);
                        if fault.kind == FaultKind::Unreadable {
                            *self = Self::End;
                        }
                        Some((line, Err(fault)))
                    }
                }
            }
            Self::Last(line, fault) => {
                let last = (*line, Err(fault.clone()));
                *self = Self::End;
                Some(last)
            }
            Self::End => None,
        }
    }
}

fn fault_of(error: &csv::Error, cells: usize, otherwise: FaultKind) -> Fault {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => FaultKind::Encoding.alone(),
        csv::ErrorKind::Io(_) => FaultKind::Unreadable.alone(),
        _ => otherwise.of("", cells),
    }
}

/// The next line without its end; `None` after the last one. What is too long is passed over.
fn read_line(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, Fault> {
    let most = MOST_LINE_BYTES + 2;
    let mut line = Vec::new();
    let unreadable = |_| FaultKind::Unreadable.alone();
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    let read = input.take(limit).read_until(b'\n', &mut line);
    if read.map_err(unreadable)? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() >= most {
        input.skip_until(b'\n').map_err(unreadable)?;
        return Err(FaultKind::LineTooLong.of("", MOST_LINE_BYTES));
    }
    Ok(Some(line))
}

fn json_object(line: &[u8]) -> Members {
    let line = line.trim_ascii_end();
    if line.len() > MOST_LINE_BYTES {
        return Err(FaultKind::LineTooLong.of("", MOST_LINE_BYTES));
    }
    if std::str::from_utf8(line).is_err() {
        return Err(FaultKind::Encoding.alone());
    }
    match crate::jose::parse_bounded(line, MOST_LINE_BYTES, MOST_DEPTH) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(FaultKind::NoObject.alone()),
        // The parser's text may quote the line.
        Err(crate::jose::JoseError::DuplicateMember(name)) => {
            Err(FaultKind::MemberTwice.of(&name, ""))
        }
        Err(_) => Err(FaultKind::NoJson.alone()),
    }
}

/// A row as the object that it stands for; an empty cell is absent.
fn cells(names: &[String], row: &csv::StringRecord) -> Members {
    let mut members = Map::new();
    let mut attributes = Map::new();
    for (name, cell) in names.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
        let json = |expected: &str| {
            crate::jose::parse_bounded(cell.as_bytes(), MOST_LINE_BYTES, MOST_DEPTH)
                .map_err(|_| FaultKind::CellNoJson.of(name, expected))
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
                    return Err(FaultKind::NotObject.of(name, ""));
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
