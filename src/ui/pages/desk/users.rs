//! People of the identity registry.

use super::super::Page;
use super::{DeskView, Field, OutcomeView};
use crate::clock::UtcTime;
use crate::ui::{HistoryEntry, Level};
use serde::Serialize;

/// Somebody in a list.
#[derive(Clone, Debug, Serialize)]
pub struct UserRowView {
    /// What they type to log in.
    pub username: String,
    /// Their name, as far as the registry has it.
    pub full_name: String,
    /// Without the country's prefix.
    pub fiscal_number: String,
    /// The address.
    pub email: String,
    /// Whether they may log in.
    pub enabled: bool,
    /// Their page.
    pub url: String,
}

/// The search. It sends `by`, `text` and `state`.
#[derive(Clone, Debug, Serialize)]
pub struct UsersPage {
    /// What every page has.
    pub desk: DeskView,
    /// Where the search is sent to.
    pub url: &'static str,
    /// What is searched by: `username`, `fiscal_number` or `email`.
    pub by: &'static str,
    /// What was typed.
    pub text: String,
    /// `enabled`, `disabled` or empty.
    pub state: &'static str,
    /// Who was found.
    pub users: Vec<UserRowView>,
    /// Where somebody is added; absent for whoever may not.
    pub add_url: Option<&'static str>,
    /// Where files are imported; absent for whoever may not.
    pub import_url: Option<&'static str>,
    /// The first page, when this is another one.
    pub first_url: Option<String>,
    /// The next page.
    pub next_url: Option<String>,
}

impl Page for UsersPage {
    const TEMPLATE: &'static str = "desk/users.html";
}

/// A second factor.
#[derive(Clone, Debug, Serialize)]
pub struct UserFactorView {
    /// What it is, in the visitor's language.
    pub method: String,
    /// What the person calls it; empty when an operator gave it.
    pub name: String,
    /// When it was registered.
    pub created_at: UtcTime,
    /// When it was last used.
    pub last_used_at: Option<UtcTime>,
    /// Asks before it is removed.
    pub remove_url: String,
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct UserSessionView {
    /// At which issuer.
    pub issuer: String,
    /// The browser in a few words; empty when unknown.
    pub browser: String,
    /// The network address; empty when unknown.
    pub address: String,
    /// Since when.
    pub since: UtcTime,
    /// The level of the login.
    pub level: Option<Level>,
    /// Asks before it is ended.
    pub end_url: String,
}

/// What may be done to somebody, where it begins; absent for whoever may not.
#[derive(Clone, Debug, Serialize)]
pub struct UserActions {
    /// Their attributes.
    pub edit_url: String,
    /// Asks before it.
    pub disable_url: String,
    /// Asks before it.
    pub reset_url: String,
    /// Asks before it.
    pub end_sessions_url: String,
    /// Asks before it.
    pub no_password_url: String,
    /// Asks before everything of theirs is ended, and for the reason.
    pub revoke_url: String,
    /// Where the forms of this page post `id`, `change` and what the change needs.
    pub action_url: &'static str,
}

/// Somebody.
#[derive(Clone, Debug, Serialize)]
pub struct UserPage {
    /// What every page has.
    pub desk: DeskView,
    /// Their key.
    pub id: String,
    /// What they type to log in.
    pub username: String,
    /// Whether they may log in.
    pub enabled: bool,
    /// Whether they have a password.
    pub has_password: bool,
    /// Since when they are known.
    pub created_at: UtcTime,
    /// When they last changed.
    pub updated_at: UtcTime,
    /// Names and values, both to be shown.
    pub attributes: Vec<OutcomeView>,
    /// The second factors that count.
    pub factors: Vec<UserFactorView>,
    /// Recovery codes that are left.
    pub recovery_left: i64,
    /// Where they are logged in.
    pub sessions: Vec<UserSessionView>,
    /// Whether there are more.
    pub more_sessions: bool,
    /// The last accesses.
    pub accesses: Vec<HistoryEntry>,
    /// All accesses.
    pub history_url: String,
    /// What relying parties hold of them, and their sessions.
    pub holdings_url: String,
    /// What was done to them.
    pub trail_url: String,
    /// The list.
    pub back_url: &'static str,
    /// What may be done.
    pub actions: Option<UserActions>,
    /// Why nothing was changed.
    pub error: Option<String>,
    /// What is wrong with the password that was typed.
    pub password_error: Option<String>,
}

impl Page for UserPage {
    const TEMPLATE: &'static str = "desk/user.html";
}

/// The accesses of somebody, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct UserHistoryPage {
    /// What every page has.
    pub desk: DeskView,
    /// What they type to log in.
    pub username: String,
    /// A page of them.
    pub accesses: Vec<HistoryEntry>,
    /// Their page.
    pub back_url: String,
    /// The newest ones, when this is another page.
    pub first_url: Option<String>,
    /// Older ones.
    pub next_url: Option<String>,
}

impl Page for UserHistoryPage {
    const TEMPLATE: &'static str = "desk/user_history.html";
}

/// A field of the form of attributes.
#[derive(Clone, Debug, Serialize)]
pub struct AttributeField {
    /// In the form; ends up in an HTML id.
    pub name: String,
    /// In the visitor's language.
    pub label: String,
    /// `text`, `date`, `choice` or `json`.
    pub kind: &'static str,
    /// What there is to choose from: value and label.
    pub choices: Vec<(String, String)>,
    /// What is in it, and what is wrong with that.
    pub field: Field,
}

/// Adds somebody, or changes attributes. The form posts `id` and `version`, or `username` and `password`; and the fields.
#[derive(Clone, Debug, Serialize)]
pub struct UserEditPage {
    /// What every page has.
    pub desk: DeskView,
    /// Who is changed; absent: somebody is added.
    pub user: Option<EditedUser>,
    /// The username of whoever is added.
    pub username: Field,
    /// What is wrong with the password.
    pub password_error: Option<String>,
    /// The attributes.
    pub fields: Vec<AttributeField>,
    /// Attributes that somebody else changed meanwhile: names and values, to be shown.
    pub changed: Vec<OutcomeView>,
    /// Whether something is wrong with some field.
    pub invalid: bool,
    /// Where the form posts to.
    pub action_url: &'static str,
    /// Where nothing happens.
    pub back_url: String,
}

impl Page for UserEditPage {
    const TEMPLATE: &'static str = "desk/user_edit.html";
}

/// Who is changed.
#[derive(Clone, Debug, Serialize)]
pub struct EditedUser {
    /// Their key.
    pub id: String,
    /// What they type to log in.
    pub username: String,
    /// What their attributes were when they were looked at.
    pub version: String,
}
