use super::AccountId;
use crate::clock::UtcTime;

/// Where a mail is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailState {
    /// Waits for its first or next attempt.
    Queued,
    /// A mail server took it.
    Sent,
    /// Given up.
    Failed,
}

/// A mail as the database keeps it; who gets it and what it says is sealed (see `crate::mail`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailMessage {
    /// The key; also the `Message-ID`, so that one that was sent twice after a crash is recognised.
    pub id: String,
    /// Whom it is about.
    pub account: AccountId,
    /// Which letter: `new_device`.
    pub kind: String,
    /// SHA-256 of what at most one mail may tell of.
    pub distinct: Option<[u8; 32]>,
    /// Recipient, subject and text.
    pub sealed: Vec<u8>,
    /// Where it is.
    pub state: MailState,
    /// Attempts so far.
    pub attempts: i64,
    /// When it was queued.
    pub created_at: UtcTime,
    /// When it is due.
    pub next_attempt_at: UtcTime,
    /// From then on a failure is the last one.
    pub give_up_at: UtcTime,
    /// When it was sent or given up.
    pub done_at: Option<UtcTime>,
    /// The last failure, without personal data.
    pub reason: Option<String>,
    /// When it may be forgotten, unless it still waits.
    pub expires_at: UtcTime,
}

/// How many mails there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailCounts {
    /// Waiting.
    pub queued: i64,
    /// Given up and not forgotten yet.
    pub failed: i64,
    /// Since when the oldest one waits.
    pub oldest_queued_at: Option<UtcTime>,
}

/// Where a page of mails goes on: after this one, to older ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailCursor {
    /// When it was queued.
    pub created_at: UtcTime,
    /// Its key.
    pub id: String,
}
