//! The citizen's history: the list, the confirmation of a revocation, the end of a session.

use super::{Page, RpView};
use crate::clock::UtcTime;
use crate::ui::Level;
use serde::Serialize;

/// The list of accesses, newest first.
///
/// The filter is a GET form with `rp`, `from` and `to` ([`crate::ui::dates::day_bounds`] reads the dates); the button
/// "revoke" is a GET form to `revoke_url` with `rp` (the entity identifier); logging out posts `csrf_token`.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryPage {
    /// One page of accesses.
    pub entries: Vec<HistoryEntry>,
    /// What the list is filtered by, as typed.
    pub filter: HistoryFilter,
    /// What is wrong with the filter.
    pub filter_errors: Vec<FilterError>,
    /// The relying parties to choose from.
    pub rp_choices: Vec<RpChoice>,
    /// This page without a query: the filter's address.
    pub history_url: String,
    /// The page of older accesses; `None` on the last.
    pub next_url: Option<String>,
    /// The first page, keeping the filter; `None` when this is it.
    pub newest_url: Option<String>,
    /// The list as CSV.
    pub export_csv_url: String,
    /// The list as JSON.
    pub export_json_url: String,
    /// Where the confirmation of a revocation is.
    pub revoke_url: String,
    /// Where the logout form posts to.
    pub logout_url: String,
    /// The logout form's CSRF token.
    pub csrf_token: String,
    /// What has just happened.
    pub notice: Option<Notice>,
}

impl Page for HistoryPage {
    const TEMPLATE: &'static str = "history.html";
}

/// One access.
#[derive(Clone, Debug, Serialize)]
pub struct HistoryEntry {
    /// The row's key; ends up in an HTML id.
    pub id: String,
    /// When.
    pub when: UtcTime,
    /// Who asked.
    pub rp_name: String,
    /// The relying party's entity identifier.
    pub entity_id: String,
    /// The level of the login.
    pub level: Option<Level>,
    /// The claims released.
    pub attributes: Vec<String>,
    /// The browser in a few words; empty when unknown.
    pub browser: String,
    /// The network address; empty when unknown.
    pub address: String,
    /// What has become of its tokens.
    pub state: TokenState,
    /// Whether there is something to revoke.
    pub can_revoke: bool,
}

/// What has become of an access's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TokenState {
    /// The relying party can still use them.
    Active {
        /// The last one's end.
        until: UtcTime,
    },
    /// They have run out.
    Expired,
    /// They were withdrawn.
    Revoked {
        /// When.
        at: UtcTime,
    },
    /// None was issued.
    None,
}

/// The filter as typed, empty where it is open.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HistoryFilter {
    /// An entity identifier.
    pub rp: String,
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day, `YYYY-MM-DD`.
    pub to: String,
}

/// What is wrong with a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterError {
    /// `from` is no date.
    FromInvalid,
    /// `to` is no date.
    ToInvalid,
    /// `to` is before `from`.
    ToBeforeFrom,
}

/// A relying party in the filter's list.
#[derive(Clone, Debug, Serialize)]
pub struct RpChoice {
    /// Its entity identifier, the option's value.
    pub entity_id: String,
    /// Its name.
    pub name: String,
}

/// What has just happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// A relying party's access was withdrawn.
    Revoked {
        /// Its name.
        rp: String,
    },
}

/// Asks before a relying party's access is withdrawn. The form posts `rp` (the entity identifier) and `csrf_token`.
#[derive(Clone, Debug, Serialize)]
pub struct RevokeConfirmPage {
    /// Whose access.
    pub rp: RpView,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// Where the form posts to.
    pub action_url: String,
    /// Back to the history, or to the consents.
    pub back_url: String,
    /// Whether the person came from the consents.
    pub from_account: bool,
}

impl Page for RevokeConfirmPage {
    const TEMPLATE: &'static str = "revoke_confirm.html";
}

/// Says that the session has ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LoggedOutPage {
    /// Where to log in again.
    pub login_url: Option<String>,
}

impl Page for LoggedOutPage {
    const TEMPLATE: &'static str = "logged_out.html";
}
