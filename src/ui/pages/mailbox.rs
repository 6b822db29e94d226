//! The mailbox of a development set-up.

use super::Page;
use crate::clock::UtcTime;
use serde::Serialize;

/// Mails that no server took, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct MailboxPage {
    /// The newest ones.
    pub mails: Vec<MailView>,
}

impl Page for MailboxPage {
    const TEMPLATE: &'static str = "mailbox.html";
}

/// A mail.
#[derive(Clone, Debug, Serialize)]
pub struct MailView {
    /// Its key; ends up in an HTML id.
    pub id: String,
    /// The address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// When it was queued.
    pub at: UtcTime,
}
