//! Imports of people and of relying parties.

use super::super::Page;
use super::DeskView;
use crate::clock::UtcTime;
use serde::Serialize;

/// An import in a list.
#[derive(Clone, Debug, Serialize)]
pub struct ImportRowView {
    /// What the file was called.
    pub name: String,
    /// `desk-import-state-NAME`.
    pub state: &'static str,
    /// Who began it.
    pub actor: String,
    /// When its file arrived.
    pub created_at: UtcTime,
    /// Entries that were applied.
    pub done: i64,
    /// Entries that are to be.
    pub total: i64,
    /// Its page.
    pub url: String,
}

/// Where a file is sent, as `multipart/form-data` with `file`, or `text`; and `format`, of people.
#[derive(Clone, Debug, Serialize)]
pub struct ImportsPage {
    /// What every page has.
    pub desk: DeskView,
    /// `users` or `rps`: `desk-import-NAME-title` and others.
    pub section: &'static str,
    /// A page of the imports, newest first.
    pub imports: Vec<ImportRowView>,
    /// Why nothing was read.
    pub error: Option<String>,
    /// What was typed.
    pub text: String,
    /// What files may be chosen.
    pub files: &'static str,
    /// Where the form posts to.
    pub action_url: &'static str,
    /// The section.
    pub back_url: &'static str,
    /// Older ones.
    pub next_url: Option<String>,
}

impl Page for ImportsPage {
    const TEMPLATE: &'static str = "desk/imports.html";
}

/// An entry of a file.
#[derive(Clone, Debug, Serialize)]
pub struct ImportEntryView {
    /// Its line, or its place; from 1.
    pub number: u64,
    /// The RP that it is.
    pub party: Option<ImportPartyView>,
    /// What is wrong, in the visitor's language.
    pub faults: Vec<String>,
}

/// What becomes of an RP.
#[derive(Clone, Debug, Serialize)]
pub struct ImportPartyView {
    /// What the entry says of itself.
    pub issuer: String,
    /// As above.
    pub client_id: String,
    /// `desk-import-kind-NAME`.
    pub kind: String,
    /// The RP.
    pub url: Option<String>,
}

/// An import. The forms post `id`, and `skip=1` to leave entries out that are wrong.
#[derive(Clone, Debug, Serialize)]
pub struct ImportPage {
    /// What every page has.
    pub desk: DeskView,
    /// As in [`ImportsPage`].
    pub section: &'static str,
    /// Its key.
    pub id: String,
    /// What the file was called.
    pub name: String,
    /// `desk-import-state-NAME`.
    pub state: &'static str,
    /// Who began it.
    pub actor: String,
    /// When its file arrived.
    pub created_at: UtcTime,
    /// When it ended.
    pub finished_at: Option<UtcTime>,
    /// Entries that can be applied.
    pub valid: i64,
    /// Entries that cannot.
    pub bad: i64,
    /// Entries that were applied.
    pub done: i64,
    /// Those that were not known before.
    pub added: i64,
    /// Those that were.
    pub updated: i64,
    /// Whether entries that are wrong are left out.
    pub skips: bool,
    /// The first ones: of people those that are wrong, of RPs what would become, or became, of each.
    pub entries: Vec<ImportEntryView>,
    /// How many more there are.
    pub left_out: usize,
    /// Why it was not done.
    pub error: Option<String>,
    /// Where it is let be applied.
    pub start_url: &'static str,
    /// Where it is stopped.
    pub cancel_url: &'static str,
    /// All that is known, to download.
    pub report_url: Option<String>,
    /// This page again.
    pub refresh_url: String,
    /// What was done about it.
    pub trail_url: String,
    /// The list.
    pub back_url: &'static str,
}

impl Page for ImportPage {
    const TEMPLATE: &'static str = "desk/import.html";
}
