//! Asks before something that hurts, and for the reason, which the trail keeps.

use super::super::Page;
use super::{DeskView, Field, OutcomeView};
use serde::Serialize;

/// As [`super::ConfirmPage`], with a reason. The form posts `reason`, and `sure` when it must be ticked.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonedPage {
    /// What every page has.
    pub desk: DeskView,
    /// What would be done.
    pub title: String,
    /// Why it was not done.
    pub error: Option<String>,
    /// What it means, a paragraph each.
    pub explanations: Vec<String>,
    /// What it would be done to.
    pub facts: Vec<OutcomeView>,
    /// The reason.
    pub reason: Field,
    /// Whether it must be given.
    pub reason_required: bool,
    /// What has to be ticked, when one button is not enough; what is wrong with it.
    pub sure: Option<Field>,
    /// The button that does it.
    pub button: String,
    /// Where the form posts to.
    pub action_url: String,
    /// Where nothing happens.
    pub back_url: String,
}

impl Page for ReasonedPage {
    const TEMPLATE: &'static str = "desk/reasoned.html";
}
