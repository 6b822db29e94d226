//! What is asked of people over another channel: a confirmation in the identity provider's app, a code by e-mail.

use super::{Page, StepView};
use crate::clock::UtcTime;
use crate::ui::ProofError;
use serde::Serialize;

/// Asks for a confirmation in the identity provider's own app, and waits for it. The form posts `begin=1` (a first or a new
/// request) or `check=1`.
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmElsewherePage {
    /// What surrounds it.
    pub step: StepView,
    /// What people call the app.
    pub name: String,
    /// Nothing else was proven: whoever typed the name is not known.
    pub alone: bool,
    /// How things stand.
    pub stands: Stands,
}

impl Page for ConfirmElsewherePage {
    const TEMPLATE: &'static str = "confirm_elsewhere.html";
}

/// How a confirmation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Stands {
    /// Nothing was sent yet.
    NotBegun,
    /// Too many were sent that nobody confirmed.
    Locked {
        /// Until when none is sent.
        until: UtcTime,
    },
    /// The app waits for the person.
    Waiting {
        /// What is shown there too.
        number: String,
        /// Until when.
        until: UtcTime,
        /// Whether the service does not answer at the moment.
        silent: bool,
        /// Where the script asks, and what it is told as long as nothing is new.
        poll_url: String,
        /// As above.
        poll_state: String,
    },
    /// The person refused.
    Denied,
    /// The app does not know the person.
    Unavailable,
    /// Nobody answered in time, or the answer was spent.
    Expired,
}

/// Asks for the name of somebody who confirms in the identity provider's own app, and needs no password. The form posts
/// `username` and `begin=1`.
#[derive(Clone, Debug, Serialize)]
pub struct AskElsewherePage {
    /// What surrounds it.
    pub step: StepView,
    /// What people call the app.
    pub name: String,
    /// What was typed before; empty the first time.
    pub username: String,
    /// Why nothing waits for a confirmation.
    pub error: Option<AskError>,
}

impl Page for AskElsewherePage {
    const TEMPLATE: &'static str = "ask_elsewhere.html";
}

/// Why nothing waits for a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AskError {
    /// No user name was typed.
    MissingUsername,
    /// Too many attempts from this address.
    Throttled {
        /// Seconds until the next one is allowed.
        seconds: u64,
    },
    /// Too many were sent for this name that nobody confirmed.
    Locked {
        /// Until when none is sent.
        until: UtcTime,
    },
    /// Nobody confirmed in time; also when somebody refused, or there is nobody of that name.
    Expired,
}

/// Asks for a code that is sent by e-mail. The form posts `otp`, or `send=1` for a first or a new one.
#[derive(Clone, Debug, Serialize)]
pub struct EmailCodePage {
    /// What surrounds it.
    pub step: StepView,
    /// `a•••@example.it`.
    pub address: String,
    /// When the last code was sent; absent: none yet.
    pub sent_at: Option<UtcTime>,
    /// Whether a further one may be asked for.
    pub may_send: bool,
    /// Why the last try failed.
    pub error: Option<ProofError>,
}

impl Page for EmailCodePage {
    const TEMPLATE: &'static str = "email_code.html";
}
