//! The pages of the operator's desk: what all have in common, and a file a section.

pub mod dashboard;
pub mod federation;
pub mod imports;
pub mod keys;
pub mod login;
pub mod looking;
pub mod mails;
pub mod operators;
pub mod reasoned;
pub mod rps;
pub mod sessions;
pub mod trail;
pub mod users;

use super::Page;
use serde::Serialize;

/// What every page of the desk has beside its own data.
#[derive(Clone, Debug, Serialize)]
pub struct DeskView {
    /// Who is logged in.
    pub operator: String,
    /// Their role's name: `desk-role-viewer`.
    pub role: &'static str,
    /// The navigation: what the role may open.
    pub sections: Vec<SectionView>,
    /// Where one's own password is changed.
    pub own_url: &'static str,
    /// Where the logout form posts to.
    pub logout_url: &'static str,
    /// The token of every form of the page.
    pub csrf_token: String,
    /// What was just done: `desk-notice-KEY`.
    pub done: Option<String>,
}

/// An entry of the navigation.
#[derive(Clone, Debug, Serialize)]
pub struct SectionView {
    /// `desk-section-NAME`.
    pub name: &'static str,
    /// Its first page.
    pub url: &'static str,
    /// It is the one that is shown.
    pub current: bool,
}

/// What was typed into a field, and what is wrong with it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Field {
    /// As it was typed.
    pub value: String,
    /// In the visitor's language.
    pub error: Option<String>,
}

/// A name and its value, both to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct OutcomeView {
    /// In the visitor's language.
    pub name: String,
    /// As it is.
    pub value: String,
}

/// Asks before something that cannot be undone, or that hurts when it is done by mistake. Every text is in the visitor's
/// language.
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmPage {
    /// What every page has.
    pub desk: DeskView,
    /// What would be done.
    pub title: String,
    /// What it means, a paragraph each.
    pub explanations: Vec<String>,
    /// What it would be done to.
    pub facts: Vec<OutcomeView>,
    /// What the form carries.
    pub fields: Vec<(String, String)>,
    /// The button that does it.
    pub button: String,
    /// Where the form posts to.
    pub action_url: String,
    /// Where nothing happens.
    pub back_url: String,
}

impl Page for ConfirmPage {
    const TEMPLATE: &'static str = "desk/confirm.html";
}
