//! Letters that wait, and those that were given up.

use super::super::{Link, Page};
use super::DeskView;
use crate::clock::UtcTime;
use serde::Serialize;

/// A letter. What it says, and to which address, is sealed.
#[derive(Clone, Debug, Serialize)]
pub struct DeskMailView {
    /// Its key.
    pub id: String,
    /// What it is about: its subject, in the visitor's language.
    pub about: String,
    /// Whom it is to, with their page.
    pub person: Link,
    /// When it was queued.
    pub created_at: UtcTime,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, or was given up.
    pub at: UtcTime,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// Whether it can be tried again, by this visitor.
    pub can_be_retried: bool,
}

/// A list of them. The form posts `id`, or `all`.
#[derive(Clone, Debug, Serialize)]
pub struct DeskMailsPage {
    /// What every page has.
    pub desk: DeskView,
    /// Where the form posts to.
    pub url: &'static str,
    /// `failed` or `queued`: those that were given up, or wait.
    pub state: &'static str,
    /// Those of the other state.
    pub other_url: String,
    /// Why nothing was done.
    pub error: Option<String>,
    /// The letters.
    pub mails: Vec<DeskMailView>,
    /// Whether the visitor may have all of them tried again.
    pub may_retry_all: bool,
    /// The newest ones.
    pub first_url: Option<String>,
    /// Older ones.
    pub next_url: Option<String>,
    /// The overview.
    pub back_url: &'static str,
}

impl Page for DeskMailsPage {
    const TEMPLATE: &'static str = "desk/mails.html";
}
