//! The trail.

use super::super::Page;
use super::DeskView;
use crate::clock::UtcTime;
use serde::Serialize;

/// An entry.
#[derive(Clone, Debug, Serialize)]
pub struct TrailRowView {
    /// Its number, which grows.
    pub number: i64,
    /// When.
    pub at: UtcTime,
    /// Who.
    pub actor: String,
    /// Whether it was a command, and not the desk.
    pub by_command: bool,
    /// From where.
    pub address: String,
    /// What: `rp.disable`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// JSON text.
    pub before: Option<String>,
    /// JSON text.
    pub after: Option<String>,
}

/// A page of the trail, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct TrailPage {
    /// What every page has.
    pub desk: DeskView,
    /// Where the filter is sent to.
    pub url: &'static str,
    /// The filter.
    pub actor: String,
    /// The filter.
    pub action: String,
    /// The filter.
    pub subject: String,
    /// The filter, `YYYY-MM-DD`.
    pub from: String,
    /// It is no day.
    pub from_invalid: bool,
    /// The filter, `YYYY-MM-DD`.
    pub to: String,
    /// It is no day.
    pub to_invalid: bool,
    /// The entries.
    pub entries: Vec<TrailRowView>,
    /// The newest ones.
    pub first_url: Option<String>,
    /// Older ones.
    pub next_url: Option<String>,
}

impl Page for TrailPage {
    const TEMPLATE: &'static str = "desk/trail.html";
}
