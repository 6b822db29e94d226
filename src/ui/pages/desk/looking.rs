//! How far something is that takes as long as others do, on whatever page shows it.

use crate::clock::UtcTime;
use serde::{Deserialize, Serialize};

/// A document that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckStepView {
    /// Such as `entity configuration of https://rp.example.it`; English.
    pub what: String,
    /// Its address.
    pub url: String,
    /// `check-fetch-NAME`.
    pub outcome: String,
    /// How long it took, or why it failed; English.
    pub detail: String,
}

/// A check that goes on.
#[derive(Clone, Debug, Serialize)]
pub struct CheckProgressView {
    /// Its node is alive.
    pub is_running: bool,
    /// Who began it.
    pub operator: String,
    /// When.
    pub began_at: UtcTime,
    /// What was asked for so far.
    pub steps: Vec<CheckStepView>,
    /// The same page again.
    pub refresh_url: String,
}
