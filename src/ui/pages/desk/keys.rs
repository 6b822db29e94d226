//! Keys.

use super::super::Page;
use super::{DeskView, Field};
use crate::clock::UtcTime;
use serde::Serialize;

/// A key; never its private part.
#[derive(Clone, Debug, Serialize)]
pub struct KeyView {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// `RSA-2048`, `P-256` …
    pub kind: String,
    /// `desk-key-use-NAME`.
    pub usage: &'static str,
    /// `desk-key-state-NAME`.
    pub state: &'static str,
    /// Since when it is published.
    pub created_at: UtcTime,
    /// From when it signs; nothing: when the ring is rotated again.
    pub signs_from: Option<UtcTime>,
    /// From when it signs no more.
    pub retired_at: Option<UtcTime>,
    /// When it leaves the published sets.
    pub ends_at: Option<UtcTime>,
    /// Asks before it is retired.
    pub retire_url: Option<String>,
}

/// A ring of an issuer.
#[derive(Clone, Debug, Serialize)]
pub struct RingView {
    /// `desk-ring-NAME`.
    pub name: &'static str,
    /// The keys, newest first.
    pub keys: Vec<KeyView>,
    /// Rotates it.
    pub rotate_url: Option<String>,
}

/// The keys of an issuer.
#[derive(Clone, Debug, Serialize)]
pub struct IssuerKeysView {
    /// The issuer.
    pub id: String,
    /// Its rings.
    pub rings: Vec<RingView>,
    /// What its documents say.
    pub documents_url: String,
    /// What operators did to its keys.
    pub trail_url: String,
}

/// All keys.
#[derive(Clone, Debug, Serialize)]
pub struct KeysPage {
    /// What every page has.
    pub desk: DeskView,
    /// A few issuers: those of the configuration.
    pub issuers: Vec<IssuerKeysView>,
}

impl Page for KeysPage {
    const TEMPLATE: &'static str = "desk/keys.html";
}

/// Schedules a rotation. The form posts `when` (`soonest`, `at`), `day`, `hour`, `reason`.
#[derive(Clone, Debug, Serialize)]
pub struct RotatePage {
    /// What every page has.
    pub desk: DeskView,
    /// Whose keys.
    pub issuer: String,
    /// `desk-ring-NAME`.
    pub ring: &'static str,
    /// Whether a new key waits already: it signs after this.
    pub waiting: bool,
    /// For when a rotation is planned already: what is chosen replaces it.
    pub planned: Option<UtcTime>,
    /// When a new key could sign at the earliest; nothing: after it was attested.
    pub earliest: Option<UtcTime>,
    /// Whether a time was chosen.
    pub at: bool,
    /// The day, `YYYY-MM-DD`.
    pub day: Field,
    /// The time, `HH:MM`, in Italian legal time.
    pub hour: Field,
    /// The reason.
    pub reason: Field,
    /// Why nothing was changed.
    pub error: Option<String>,
    /// Where the form posts to.
    pub action_url: String,
    /// In an emergency.
    pub emergency_url: String,
    /// The list.
    pub back_url: &'static str,
}

impl Page for RotatePage {
    const TEMPLATE: &'static str = "desk/rotate.html";
}

/// A document that an issuer publishes, decoded.
#[derive(Clone, Debug, Serialize)]
pub struct PublishedView {
    /// `desk-document-NAME`.
    pub name: &'static str,
    /// Its address.
    pub url: String,
    /// Why there is none.
    pub missing: bool,
    /// Which key signed it.
    pub kid: Option<String>,
    /// When it was signed.
    pub issued_at: Option<UtcTime>,
    /// Until when it counts.
    pub expires_at: Option<UtcTime>,
    /// The keys that it has.
    pub kids: Vec<String>,
    /// Header and claims, JSON text.
    pub json: String,
}

/// What an issuer's documents say now.
#[derive(Clone, Debug, Serialize)]
pub struct PublishedPage {
    /// What every page has.
    pub desk: DeskView,
    /// The issuer.
    pub issuer: String,
    /// The documents.
    pub documents: Vec<PublishedView>,
    /// The list.
    pub back_url: &'static str,
}

impl Page for PublishedPage {
    const TEMPLATE: &'static str = "desk/published.html";
}
