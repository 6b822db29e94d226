//! Relying parties.

use super::super::Page;
use super::super::check::KeptView;
use super::looking::CheckProgressView;
use super::{DeskView, Field, OutcomeView};
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
    /// Why there is no file.
    pub error: Option<String>,
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

/// A tolerance that counts.
#[derive(Clone, Debug, Serialize)]
pub struct ToleranceView {
    /// In the visitor's language.
    pub name: String,
    /// The same.
    pub value: String,
    /// An operator set it for this RP; else the configuration says so.
    pub is_own: bool,
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
    /// Others are asked anew, a form: what its button says.
    pub refresh: Option<String>,
    /// Asks before what people allowed it is revoked.
    pub revoke_url: Option<String>,
    /// The form with what it is.
    pub edit_url: Option<String>,
    /// The form of what is tolerated.
    pub tolerate_url: Option<String>,
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
    /// What is tolerated of it.
    pub tolerances: Vec<ToleranceView>,
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
    /// How far it is, while it goes on; or that it was interrupted.
    pub progress: Option<CheckProgressView>,
    /// Why nothing came of it.
    pub error: Option<String>,
    /// Logins use what was found: an operator wanted that.
    pub refreshed: bool,
    /// What came of it, a [`super::super::check::CheckView`] as it was kept.
    pub result: Option<serde_json::Value>,
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

/// A scope of the issuer.
#[derive(Clone, Debug, Serialize)]
pub struct ScopeView {
    /// Its word.
    pub name: &'static str,
    /// The RP may ask for it.
    pub chosen: bool,
}

/// A field that somebody else changed meanwhile.
#[derive(Clone, Debug, Serialize)]
pub struct ConflictView {
    /// The field, in the visitor's language.
    pub name: String,
    /// What is stored now.
    pub theirs: String,
    /// What was in the form.
    pub yours: String,
    /// The form did not change it: theirs is in it now.
    pub taken_over: bool,
    /// Who changed it, and when.
    pub by: Option<(String, UtcTime)>,
}

/// Sets what is tolerated of one RP. The form posts `issuer`, `client_id`, `base` and the tolerances by their names.
#[derive(Clone, Debug, Serialize)]
pub struct RpTolerancePage {
    /// What every page has.
    pub desk: DeskView,
    /// The RP.
    pub name: String,
    /// Its issuer.
    pub issuer_slug: String,
    /// Its `client_id`.
    pub client_id: String,
    /// What was stored when the form was shown.
    pub base: String,
    /// A field, seconds.
    pub clock_leeway_seconds: Field,
    /// What the configuration says.
    pub configured_seconds: i64,
    /// The most that can be typed.
    pub most_seconds: i64,
    /// As configured, yes, no.
    pub missing_exp: Vec<OptionView>,
    /// What is wrong with it.
    pub missing_exp_error: Option<String>,
    /// As configured, and the two types.
    pub userinfo_content_type: Vec<OptionView>,
    /// What is wrong with it.
    pub userinfo_content_type_error: Option<String>,
    /// A field is wrong.
    pub faulty: bool,
    /// What somebody else changed.
    pub conflicts: Vec<ConflictView>,
    /// Where the form posts to.
    pub action_url: &'static str,
    /// The RP.
    pub back_url: String,
}

impl Page for RpTolerancePage {
    const TEMPLATE: &'static str = "desk/rp_tolerance.html";
}

/// Registers an RP or changes one. The form posts `issuer`, `client_id`, `base` and the fields by their names; `scope.NAME` are
/// boxes.
#[derive(Clone, Debug, Serialize)]
pub struct RpFormPage {
    /// What every page has.
    pub desk: DeskView,
    /// It is registered.
    pub is_new: bool,
    /// Which issuer.
    pub issuer_slug: String,
    /// Its identifier.
    pub issuer_name: String,
    /// The issuers that have such; of a new one.
    pub issuers: Vec<OptionView>,
    /// Its `client_id`; of a new one empty: a random one.
    pub client_id: Field,
    /// What was stored when the form was shown.
    pub base: String,
    /// A field.
    pub name: Field,
    /// A field.
    pub organization_name: Field,
    /// A field, a line each.
    pub redirect_uris: Field,
    /// A field.
    pub auth_method: Field,
    /// The methods that the issuer has.
    pub methods: Vec<OptionView>,
    /// A field.
    pub jwks: Field,
    /// A field.
    pub jwks_uri: Field,
    /// A field.
    pub scope: Field,
    /// The scopes that the issuer has.
    pub scopes: Vec<ScopeView>,
    /// A field, seconds.
    pub access_token: Field,
    /// A field, seconds.
    pub id_token: Field,
    /// A field, seconds.
    pub refresh_token: Field,
    /// The issuer's lifetimes of these three.
    pub most_seconds: [i64; 3],
    /// A field.
    pub logo_uri: Field,
    /// A field.
    pub client_uri: Field,
    /// A field.
    pub policy_uri: Field,
    /// A field is wrong.
    pub faulty: bool,
    /// Why nothing was saved.
    pub error: Option<String>,
    /// What somebody else changed.
    pub conflicts: Vec<ConflictView>,
    /// Where the form posts to.
    pub action_url: &'static str,
    /// The list, or the RP.
    pub back_url: String,
}

impl Page for RpFormPage {
    const TEMPLATE: &'static str = "desk/rp_form.html";
}

/// Asks for how long the old secret counts. The form posts `issuer`, `client_id`, `mark`, `overlap`.
#[derive(Clone, Debug, Serialize)]
pub struct RpRotatePage {
    /// What every page has.
    pub desk: DeskView,
    /// The RP.
    pub name: String,
    /// Its issuer.
    pub issuer_slug: String,
    /// Its `client_id`.
    pub client_id: String,
    /// Which secret is rotated.
    pub mark: String,
    /// For how long; empty when there is no old one.
    pub overlaps: Vec<OptionView>,
    /// What is wrong with the choice.
    pub overlap_error: Option<String>,
    /// Where the form posts to.
    pub action_url: &'static str,
    /// Where nothing happens.
    pub back_url: String,
}

impl Page for RpRotatePage {
    const TEMPLATE: &'static str = "desk/rp_rotate.html";
}

/// Shows a new secret, once.
#[derive(Clone, Serialize)]
pub struct RpSecretPage {
    /// What every page has.
    pub desk: DeskView,
    /// Whose.
    pub client_id: String,
    /// The secret.
    pub secret: String,
    /// Until when the old one counts.
    pub old_until: Option<UtcTime>,
    /// The RP.
    pub next_url: String,
}

impl Page for RpSecretPage {
    const TEMPLATE: &'static str = "desk/rp_secret.html";
}
