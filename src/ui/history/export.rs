//! The history as CSV (RFC 4180) and JSON.

use crate::clock::UtcTime;
use crate::model::{AccessState, LoginEvent};
use serde_json::{Value, json};

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header line.
    Csv,
    /// A JSON array.
    Json,
}

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }

    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Csv => "history.csv",
            Self::Json => "history.json",
        }
    }
}

const COLUMNS: [&str; 10] = [
    "time",
    "rp_name",
    "entity_id",
    "level",
    "attributes",
    "browser",
    "address",
    "tokens",
    "active_until",
    "revoked_at",
];

/// Writes events one by one.
pub(super) enum Writer {
    Csv(Box<csv::Writer<Vec<u8>>>),
    Json(Vec<Value>),
}

impl Writer {
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                // A Vec takes every record.
                let _ = writer.write_record(COLUMNS);
                Self::Csv(Box::new(writer))
            }
            Format::Json => Self::Json(Vec::new()),
        }
    }

    pub(super) fn write(&mut self, event: &LoginEvent, now: UtcTime) {
        match self {
            Self::Csv(writer) => {
                let (state, until, revoked) = state_of(event, now);
                let time = event.occurred_at.to_rfc3339();
                let attributes = event.attributes.join(" ");
                let record = [
                    &time,
                    &event.rp_name,
                    event.client_id.as_str(),
                    &event.acr,
                    &attributes,
                    &event.browser,
                    &event.address,
                    state,
                    &until,
                    &revoked,
                ]
                .map(harmless);
                let _ = writer.write_record(record);
            }
            Self::Json(events) => events.push(json_of(event, now)),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::Csv(writer) => writer.into_inner().unwrap_or_default(),
            Self::Json(events) => serde_json::to_vec_pretty(&events).unwrap_or_default(),
        }
    }
}

/// What has become of the tokens: in a word, until when they work, when they were revoked.
fn state_of(event: &LoginEvent, now: UtcTime) -> (&'static str, String, String) {
    match event.access_state(now) {
        AccessState::Active { until } => ("active", until.to_rfc3339(), String::new()),
        AccessState::Expired => ("expired", String::new(), String::new()),
        AccessState::Revoked { at } => ("revoked", String::new(), at.to_rfc3339()),
    }
}

/// One access as JSON.
pub(in crate::ui) fn json_of(event: &LoginEvent, now: UtcTime) -> Value {
    let (state, until, revoked) = state_of(event, now);
    json!({
        "time": event.occurred_at.to_rfc3339(),
        "rp_name": event.rp_name,
        "entity_id": event.client_id,
        "level": event.acr,
        "attributes": event.attributes,
        "browser": event.browser,
        "address": event.address,
        "tokens": state,
        "active_until": (!until.is_empty()).then_some(until),
        "revoked_at": (!revoked.is_empty()).then_some(revoked),
    })
}

/// A cell that a spreadsheet would take for a formula is quoted with an apostrophe: names and browsers are foreign.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
