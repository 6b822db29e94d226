//! The federation as our issuers stand in it.

use super::super::Page;
use super::DeskView;
use super::keys::PublishedView;
use super::looking::{CheckProgressView, CheckStepView};
use crate::clock::UtcTime;
use serde::{Deserialize, Serialize};

/// A trust anchor.
#[derive(Clone, Debug, Serialize)]
pub struct AnchorView {
    /// Its identifier.
    pub id: String,
    /// The pinned keys; none in development only.
    pub kids: Vec<String>,
}

/// An own trust mark.
#[derive(Clone, Debug, Serialize)]
pub struct OwnMarkView {
    /// Its type.
    pub mark_type: String,
    /// Who gave it.
    pub issuer: String,
    /// When.
    pub issued_at: UtcTime,
    /// Until when; nothing: for ever.
    pub expires_at: Option<UtcTime>,
}

/// What became of the question to a superior.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuperiorSays {
    /// Its statement about us was read.
    Statement,
    /// There is none that can be used.
    Nothing,
    /// It was clear before its turn came.
    NotAsked,
}

/// What a superior says of us.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AttestationView {
    /// The superior.
    pub superior: String,
    /// What became of the question.
    pub says: SuperiorSays,
    /// Until when its statement counts.
    pub expires_at: Option<UtcTime>,
    /// Why its statement does not hold, or cannot be used; English.
    pub fault: Option<String>,
    /// Our federation keys, and whether it attests each.
    pub keys: Vec<AttestedView>,
}

/// A federation key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AttestedView {
    /// Its thumbprint.
    pub kid: String,
    /// `desk-key-state-NAME`.
    pub state: String,
    /// Whether the superior attests it.
    pub attested: bool,
}

/// What the answers come to: `desk-asked-verdict-NAME`, and what to do then: `desk-asked-advice-NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedVerdict {
    /// Our own entity configuration cannot be had, as others would ask for it.
    Own,
    /// No superior's statement about us was read.
    Nobody,
    /// One of them does not hold.
    Fault,
    /// One of them lacks a key of ours.
    Missing,
    /// A superior gave none that can be used.
    Silent,
    /// They attest us, and yet no chain of trust to an anchor holds.
    Chain,
    /// All is well.
    Attested,
}

/// What the superiors answered, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AskedView {
    /// What it comes to.
    pub verdict: AskedVerdict,
    /// A superior each.
    pub attestations: Vec<AttestationView>,
    /// Why no chain of trust holds; English.
    pub problem: Option<String>,
}

/// A renewal that is to come.
#[derive(Clone, Debug, Serialize)]
pub struct RenewalView {
    /// The RP.
    pub client_id: String,
    /// Its superior.
    pub superior: String,
    /// When.
    pub due_at: UtcTime,
    /// How often it failed.
    pub failures: i64,
    /// How it failed last.
    pub failure: Option<String>,
    /// Since when it fails.
    pub failing_since: Option<UtcTime>,
}

/// An issuer in the federation. The form posts nothing but its token.
#[derive(Clone, Debug, Serialize)]
pub struct FederationPage {
    /// What every page has.
    pub desk: DeskView,
    /// The issuers that are members; the chosen one without an address.
    pub issuers: Vec<(String, Option<String>)>,
    /// The chosen one; none: no issuer is in a federation.
    pub issuer: Option<String>,
    /// Its entity configuration.
    pub configuration: Option<PublishedView>,
    /// The anchors.
    pub anchors: Vec<AnchorView>,
    /// The superiors.
    pub hints: Vec<String>,
    /// Asks them, by a POST; none: the operator may not.
    pub ask_url: Option<String>,
    /// The own trust marks that are published.
    pub marks: Vec<OwnMarkView>,
    /// The renewals that are to come.
    pub renewals: Vec<RenewalView>,
    /// Whether only those that fail are shown.
    pub failing: bool,
    /// The others.
    pub switch_url: String,
    /// Later ones.
    pub next_url: Option<String>,
}

impl Page for FederationPage {
    const TEMPLATE: &'static str = "desk/federation.html";
}

/// What became of a question to the superiors. The form, which asks again, posts nothing but its token.
#[derive(Clone, Debug, Serialize)]
pub struct AskedPage {
    /// What every page has.
    pub desk: DeskView,
    /// The issuer in question.
    pub issuer: String,
    /// Its page.
    pub back_url: String,
    /// How far it is, while it goes on; or that it was interrupted.
    pub progress: Option<CheckProgressView>,
    /// Who asked.
    pub operator: String,
    /// When that ended.
    pub ended_at: Option<UtcTime>,
    /// Nothing came of it, by a fault of ours.
    pub failed: bool,
    /// What they answered.
    pub asked: Option<AskedView>,
    /// What was asked for, when it has ended.
    pub steps: Vec<CheckStepView>,
    /// Asks again, by a POST; none: it goes on, or the operator may not.
    pub ask_url: Option<String>,
}

impl Page for AskedPage {
    const TEMPLATE: &'static str = "desk/asked.html";
}
