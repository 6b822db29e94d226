//! The federation as our issuers stand in it.

use super::super::Page;
use super::DeskView;
use super::keys::PublishedView;
use crate::clock::UtcTime;
use serde::Serialize;

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

/// What a superior says of us.
#[derive(Clone, Debug, Serialize)]
pub struct AttestationView {
    /// The superior.
    pub superior: String,
    /// Until when its statement counts.
    pub expires_at: Option<UtcTime>,
    /// Why its statement does not hold.
    pub fault: Option<String>,
    /// Our federation keys, and whether it attests each.
    pub keys: Vec<AttestedView>,
}

/// A federation key.
#[derive(Clone, Debug, Serialize)]
pub struct AttestedView {
    /// Its thumbprint.
    pub kid: String,
    /// `desk-key-state-NAME`.
    pub state: &'static str,
    /// Whether the superior attests it.
    pub attested: bool,
}

/// What was asked just now.
#[derive(Clone, Debug, Serialize)]
pub struct AskedView {
    /// A superior each.
    pub attestations: Vec<AttestationView>,
    /// What went wrong on the way.
    pub problems: Vec<String>,
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
    /// Asks them; a POST.
    pub ask_url: String,
    /// What they said just now.
    pub asked: Option<AskedView>,
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
