//! Imports of relying parties.

use super::super::Page;
use super::DeskView;
use super::imports::ImportRowView;
use crate::clock::UtcTime;
use serde::Serialize;

/// Where a file is sent, as `multipart/form-data` with `file`, or `text`.
#[derive(Clone, Debug, Serialize)]
pub struct RpImportsPage {
    /// What every page has.
    pub desk: DeskView,
    /// What was pasted.
    pub text: String,
    /// It is no such file.
    pub file_error: Option<String>,
    /// A page of the imports, newest first.
    pub imports: Vec<ImportRowView>,
    /// Where the form posts to.
    pub action_url: &'static str,
    /// The RPs.
    pub back_url: &'static str,
    /// Older ones.
    pub next_url: Option<String>,
}

impl Page for RpImportsPage {
    const TEMPLATE: &'static str = "desk/rp_imports.html";
}

/// An entry of a file.
#[derive(Clone, Debug, Serialize)]
pub struct RpImportRowView {
    /// Its place.
    pub number: usize,
    /// What it says of itself.
    pub issuer: String,
    /// As above.
    pub client_id: String,
    /// `desk-rp-import-kind-NAME`.
    pub kind: String,
    /// What is wrong, a line each.
    pub faults: Vec<String>,
    /// The RP.
    pub url: Option<String>,
}

/// An import. The forms post `id`, and `skip=1` to leave entries out that are wrong.
#[derive(Clone, Debug, Serialize)]
pub struct RpImportPage {
    /// What every page has.
    pub desk: DeskView,
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
    /// RPs that were not there before.
    pub added: i64,
    /// RPs that were another way before.
    pub updated: i64,
    /// Whether entries that are wrong are left out.
    pub skips: bool,
    /// What would become of the entries, or became.
    pub rows: Vec<RpImportRowView>,
    /// Further entries.
    pub left_out: usize,
    /// Why it was not done.
    pub error: Option<String>,
    /// Where it is let be applied.
    pub start_url: &'static str,
    /// Where it is stopped.
    pub cancel_url: &'static str,
    /// This page again.
    pub refresh_url: String,
    /// What was done about it.
    pub trail_url: String,
    /// The list.
    pub back_url: &'static str,
}

impl Page for RpImportPage {
    const TEMPLATE: &'static str = "desk/rp_import.html";
}
