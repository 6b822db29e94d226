//! Relying parties.

use super::super::Page;
use super::super::check::{CheckView, KeptView};
use super::{DeskView, OutcomeView};
use crate::clock::UtcTime;
use serde::Serialize;

/// A choice of a menu, and whether it is the one that counts.
#[derive(Clone, Debug, Serialize)]
pub struct OptionView {
    /// What is sent.
    pub value: String,
    /// In the visitor's language.
    pub name: String,
    /// Chosen.
    pub chosen: bool,
}

/// An RP in the list.
#[derive(Clone, Debug, Serialize)]
pub struct RpRowView {
    /// The name that people see.
    pub name: String,
    /// Its `client_id`.
    pub client_id: String,
    /// The issuer that knows it.
    pub issuer: String,
    /// `desk-rp-state-NAME`.
    pub state: &'static str,
    /// `desk-rp-origin-NAME`.
    pub origin: &'static str,
    /// When it was last written.
    pub changed_at: UtcTime,
    /// When its trust chain ends.
    pub expires_at: Option<UtcTime>,
    /// Its page.
    pub url: String,
}

/// The list. The form sends `text`, `issuer`, `state`, `origin`, `sort`.
#[derive(Clone, Debug, Serialize)]
pub struct RpsPage {
    /// What every page has.
    pub desk: DeskView,
    /// Where the search is sent to.
    pub url: &'static str,
    /// The search.
    pub text: String,
    /// The issuers, after all of them.
    pub issuers: Vec<OptionView>,
    /// As above.
    pub states: Vec<OptionView>,
    /// As above.
    pub origins: Vec<OptionView>,
    /// The orders.
    pub sorts: Vec<OptionView>,
    /// Whether the search leaves something out.
    pub filtered: bool,
    /// A page of them.
    pub rows: Vec<RpRowView>,
    /// The first page.
    pub first_url: Option<String>,
    /// The next page.
    pub next_url: Option<String>,
    /// Where one is registered, if an issuer has such and the operator may.
    pub add_url: Option<&'static str>,
    /// Where a file is read, likewise.
    pub import_url: Option<&'static str>,
    /// Where a file comes from.
    pub export_url: String,
}

impl Page for RpsPage {
    const TEMPLATE: &'static str = "desk/rps.html";
}

/// A member of a kept trust chain.
#[derive(Clone, Debug, Serialize)]
pub struct ChainNodeView {
    /// Its identifier.
    pub entity: String,
    /// `anchor`, `intermediate` or `rp`.
    pub role: &'static str,
    /// End of its entity configuration, where the chain has it, and whether it is over.
    pub configuration: Option<(i64, bool)>,
    /// The same of what the entity above says of it.
    pub statement: Option<(i64, bool)>,
}

/// A trust mark that held.
#[derive(Clone, Debug, Serialize)]
pub struct KeptMarkView {
    /// Its type.
    pub mark_type: String,
    /// Who issued it.
    pub issuer: String,
    /// End of its life.
    pub expires_at: Option<UtcTime>,
    /// It is over.
    pub ended: bool,
}

/// A login of a person at the RP; who it was stands elsewhere.
#[derive(Clone, Debug, Serialize)]
pub struct RpLoginView {
    /// When.
    pub at: UtcTime,
    /// The level in plain words, or the acr.
    pub level: String,
    /// Until when the RP has access.
    pub access_until: UtcTime,
    /// It was revoked.
    pub revoked: bool,
}

/// What may be done to an RP by whoever looks at it: addresses, absent where it cannot be done.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RpActionsView {
    /// The forms post here.
    pub change_url: &'static str,
    /// Asks before it is refused.
    pub disable_url: Option<String>,
    /// It is accepted again: a form.
    pub enable: bool,
    /// The chain is resolved anew: a form.
    pub refresh: bool,
    /// Asks before what people allowed it is revoked.
    pub revoke_url: Option<String>,
    /// The form with what it is.
    pub edit_url: Option<String>,
    /// Asks for how long the old secret counts.
    pub secret_url: Option<String>,
    /// Asks before it is removed.
    pub delete_url: Option<String>,
    /// The check.
    pub check_url: String,
    /// As a file.
    pub export_url: String,
    /// What was done to it.
    pub trail_url: String,
}

/// One RP.
#[derive(Clone, Debug, Serialize)]
pub struct RpPage {
    /// What every page has.
    pub desk: DeskView,
    /// As in the list.
    pub rp: RpRowView,
    /// The issuer's slug, in the forms.
    pub issuer_slug: String,
    /// Why nothing was done.
    pub error: Option<String>,
    /// What else is known, for people.
    pub facts: Vec<OutcomeView>,
    /// Exactly as they are compared.
    pub redirect_uris: Vec<String>,
    /// The anchor first; empty when there is none.
    pub chain: Vec<ChainNodeView>,
    /// Why the chain could not be renewed, and since when.
    pub renewal_failure: Option<(UtcTime, String)>,
    /// The trust marks.
    pub marks: Vec<KeptMarkView>,
    /// The last logins.
    pub logins: Vec<RpLoginView>,
    /// The last refusals.
    pub refusals: Vec<KeptView>,
    /// Metadata and keys, pretty-printed.
    pub metadata: String,
    /// What may be done.
    pub actions: RpActionsView,
    /// The list.
    pub back_url: &'static str,
}

impl Page for RpPage {
    const TEMPLATE: &'static str = "desk/rp.html";
}

/// The evaluation. The form posts `issuer`, `rp`, `fresh`.
#[derive(Clone, Debug, Serialize)]
pub struct RpCheckPage {
    /// What every page has.
    pub desk: DeskView,
    /// Where the form posts to.
    pub action_url: &'static str,
    /// The issuers.
    pub issuers: Vec<OptionView>,
    /// What is in the field.
    pub entity_id: String,
    /// What came of it.
    pub result: Option<CheckView>,
    /// The refusal whose reference was asked for.
    pub kept: Option<KeptView>,
    /// A reference was asked for, and is not kept.
    pub unknown_reference: bool,
    /// The last refusals of the relying party, the newest first.
    pub last: Vec<KeptView>,
    /// The list.
    pub back_url: &'static str,
    /// The page of the RP.
    pub rp_url: Option<String>,
}

impl Page for RpCheckPage {
    const TEMPLATE: &'static str = "desk/rp_check.html";
}
