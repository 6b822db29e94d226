//! The login of operators, and their own password.

use super::super::Page;
use super::DeskView;
use crate::ui::{LoginError, ProofError};
use serde::Serialize;

/// Asks for name and password. The form posts `username`, `password`.
#[derive(Clone, Debug, Serialize)]
pub struct DeskLoginPage {
    /// As it was typed.
    pub username: String,
    /// Why the last try failed.
    pub error: Option<LoginError>,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// Where the form posts to.
    pub action_url: String,
}

impl Page for DeskLoginPage {
    const TEMPLATE: &'static str = "desk/login.html";
}

/// Asks for the one-time code. The form posts `otp`.
#[derive(Clone, Debug, Serialize)]
pub struct DeskCodePage {
    /// Why the last try failed.
    pub error: Option<ProofError>,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// Where the form posts to.
    pub action_url: String,
    /// The first step, for somebody else.
    pub restart_url: String,
}

impl Page for DeskCodePage {
    const TEMPLATE: &'static str = "desk/code.html";
}

/// Changes one's own password. The form posts `password`, `otp`, `new_password`, `again`.
#[derive(Clone, Debug, Serialize)]
pub struct OwnPasswordPage {
    /// What every page has.
    pub desk: DeskView,
    /// Whether a code is asked for.
    pub needs_code: bool,
    /// Why the last try failed.
    pub error: Option<ProofError>,
    /// Where the form posts to.
    pub action_url: &'static str,
}

impl Page for OwnPasswordPage {
    const TEMPLATE: &'static str = "desk/own_password.html";
}
