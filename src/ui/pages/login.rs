//! The login page.

use super::second_factor::OtherWay;
use super::{Page, RpView};
use crate::ui::Level;
use serde::Serialize;

/// The login page, for a relying party or, without one, for the citizen's own history.
///
/// The form posts `username`, `password` and `csrf_token`, or `cancel=1` instead of a login.
#[derive(Clone, Debug, Serialize)]
pub struct LoginPage {
    /// Who asks.
    pub rp: Option<RpView>,
    /// Without a relying party: whether it leads to the account instead of the history.
    pub for_account: bool,
    /// The level that is asked for.
    pub level: Option<Level>,
    /// What was typed before; empty the first time.
    pub username: String,
    /// Why the last try failed.
    pub error: Option<LoginError>,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// Where the form posts to.
    pub action_url: String,
    /// Whether there is a cancel button.
    pub cancel_allowed: bool,
    /// Ways to log in without a password.
    pub other_ways: Vec<OtherWay>,
    /// The claims that will be asked consent for, announced on the page; may be empty.
    pub requested_attributes: Vec<String>,
}

impl Page for LoginPage {
    const TEMPLATE: &'static str = "login.html";
}

/// Why a login failed, as far as the visitor may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoginError {
    /// User name or password wrong; never says which.
    WrongCredentials,
    /// Too many tries.
    Throttled {
        /// Seconds until the next try is allowed.
        seconds: u64,
    },
    /// No user name was typed.
    MissingUsername,
    /// No password was typed.
    MissingPassword,
    /// Neither was typed.
    MissingBoth,
    /// The account has no means for the level that was asked for.
    LevelNotReachable,
    /// The page lay open too long, or its CSRF token does not fit: the form is offered anew.
    FormExpired,
    /// The session was begun before the server's clock went back.
    ClockWentBack,
    /// The queue for password checks is full.
    Busy,
}
