//! Operators.

use super::super::Page;
use super::{DeskView, Field};
use crate::clock::UtcTime;
use serde::Serialize;

/// An operator in a list or on their page.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorView {
    /// What they type to log in.
    pub name: String,
    /// `desk-role-NAME`.
    pub role: &'static str,
    /// Whether they may log in.
    pub enabled: bool,
    /// Whether they registered a second factor.
    pub has_factor: bool,
    /// Since when there is such an operator.
    pub created_at: UtcTime,
    /// When they last logged in.
    pub last_login_at: Option<UtcTime>,
    /// Their page.
    pub url: String,
}

/// All operators.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorsPage {
    /// What every page has.
    pub desk: DeskView,
    /// A page of them, by name.
    pub operators: Vec<OperatorView>,
    /// Where one is added.
    pub add_url: &'static str,
    /// The next page.
    pub next_url: Option<String>,
}

impl Page for OperatorsPage {
    const TEMPLATE: &'static str = "desk/operators.html";
}

/// Adds an operator. The form posts `name`, `role`, `password`.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorAddPage {
    /// What every page has.
    pub desk: DeskView,
    /// The name.
    pub name: Field,
    /// What is wrong with the password.
    pub password_error: Option<String>,
    /// The chosen role.
    pub role: &'static str,
    /// The roles there are.
    pub roles: [&'static str; 3],
    /// Where the form posts to.
    pub action_url: &'static str,
    /// The list.
    pub back_url: &'static str,
}

impl Page for OperatorAddPage {
    const TEMPLATE: &'static str = "desk/operator_add.html";
}

/// One operator, and what can be done. The forms post `name`, `change` and what the change needs.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorPage {
    /// What every page has.
    pub desk: DeskView,
    /// Who.
    pub operator: OperatorView,
    /// Why nothing was changed.
    pub error: Option<String>,
    /// The roles there are.
    pub roles: [&'static str; 3],
    /// Where the forms post to.
    pub action_url: &'static str,
    /// The list.
    pub back_url: &'static str,
    /// What was done to this operator.
    pub trail_url: String,
    /// Asks before it.
    pub disable_url: String,
    /// Asks before it.
    pub reset_url: String,
    /// Asks before it.
    pub unlock_url: String,
    /// Where the visitor's own password is changed, on the page of the visitor: what needs a proof is not done here.
    pub own_url: Option<&'static str>,
    /// Asks before it.
    pub end_sessions_url: String,
}

impl Page for OperatorPage {
    const TEMPLATE: &'static str = "desk/operator.html";
}
