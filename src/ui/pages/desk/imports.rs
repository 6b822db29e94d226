//! Imports of people.

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
    /// Lines that were applied.
    pub done: i64,
    /// Lines that are to be.
    pub total: i64,
    /// Its page.
    pub url: String,
}

/// Where a file is sent, as `multipart/form-data` with `file`, or `text`; and `format`.
#[derive(Clone, Debug, Serialize)]
pub struct ImportsPage {
    /// What every page has.
    pub desk: DeskView,
    /// A page of the imports, newest first.
    pub imports: Vec<ImportRowView>,
    /// Why nothing was read.
    pub error: Option<String>,
    /// What was typed.
    pub text: String,
    /// Where the form posts to.
    pub action_url: &'static str,
    /// The people.
    pub back_url: &'static str,
    /// Older ones.
    pub next_url: Option<String>,
}

impl Page for ImportsPage {
    const TEMPLATE: &'static str = "desk/imports.html";
}

/// What is wrong with a line.
#[derive(Clone, Debug, Serialize)]
pub struct ImportProblemView {
    /// From 1.
    pub line: u64,
    /// In the visitor's language.
    pub text: String,
}

/// An import. The forms post `id`, and `skip=1` to leave lines out that are wrong.
#[derive(Clone, Debug, Serialize)]
pub struct ImportPage {
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
    /// Lines that can be applied.
    pub valid: i64,
    /// Lines that cannot.
    pub bad: i64,
    /// Lines that were applied.
    pub done: i64,
    /// People who were not known before.
    pub added: i64,
    /// People who were.
    pub updated: i64,
    /// Whether lines that are wrong are left out.
    pub skips: bool,
    /// The first ones.
    pub problems: Vec<ImportProblemView>,
    /// How many more the report has.
    pub more_problems: usize,
    /// Why it was not done.
    pub error: Option<String>,
    /// Where it is let be applied.
    pub start_url: &'static str,
    /// Where it is stopped.
    pub cancel_url: &'static str,
    /// All that is known, to download.
    pub report_url: String,
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
