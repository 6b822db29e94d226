//! The citizen's account: what protects it, and where it is open.

use super::Page;
use super::second_factor::ProofError;
use crate::clock::UtcTime;
use crate::ui::Level;
use serde::Serialize;

/// The account: second factors, recovery codes, password, sessions.
///
/// Ending sessions posts `csrf_token` with `session` (a key of the list), with `others=1` or with `all=1`; choosing a
/// language posts `language`.
#[derive(Clone, Debug, Serialize)]
pub struct AccountPage {
    /// What the person types to log in.
    pub username: String,
    /// The second factors that count.
    pub factors: Vec<FactorView>,
    /// Where another one is registered; absent when the person may not.
    pub add_url: Option<String>,
    /// Where a security key is registered; absent when the person may not.
    pub add_key_url: Option<String>,
    /// Set where security keys are switched on, but the issuer has an IP address instead of a host name.
    pub no_keys_at: Option<String>,
    /// Whether only an operator can give the first one.
    pub ask_operator: bool,
    /// Whether the person has nothing to confirm a change with; then none is offered.
    pub cannot_prove: bool,
    /// Recovery codes; absent without a second factor, or where they do not count.
    pub recovery: Option<RecoveryView>,
    /// Where the password is changed; absent for an account without one.
    pub password_url: Option<String>,
    /// Where the person is logged in.
    pub sessions: Vec<SessionView>,
    /// Whether there are more sessions than shown.
    pub more_sessions: bool,
    /// Where ending sessions posts to.
    pub sessions_url: String,
    /// Consents that count.
    pub consents_url: String,
    /// Where security notices go; absent for somebody who gets none.
    pub mail_address: Option<String>,
    /// The languages to choose from.
    pub languages: Vec<LanguageChoice>,
    /// Where the choice posts to.
    pub language_url: String,
    /// Where a second factor gets another name.
    pub rename_url: String,
    /// Where all data can be downloaded; absent for somebody who cannot confirm it.
    pub data_url: Option<String>,
    /// The history of accesses.
    pub history_url: String,
    /// Where the logout form posts to.
    pub logout_url: String,
    /// The logout form's CSRF token.
    pub logout_csrf_token: String,
    /// The other forms' CSRF token.
    pub csrf_token: String,
    /// What has just happened.
    pub notice: Option<AccountNotice>,
}

impl Page for AccountPage {
    const TEMPLATE: &'static str = "account.html";
}

/// A language of mails and pages.
#[derive(Clone, Debug, Serialize)]
pub struct LanguageChoice {
    /// `it`.
    pub code: &'static str,
    /// Its own name.
    pub name: &'static str,
    /// Whether it is the one that counts.
    pub chosen: bool,
}

/// A second factor.
#[derive(Clone, Debug, Serialize)]
pub struct FactorView {
    /// What the person calls it; empty when an operator gave it.
    pub name: String,
    /// A security key, or else an app.
    pub is_key: bool,
    /// For a security key that browsers use on another host only: which.
    pub for_host: Option<String>,
    /// When it was registered.
    pub created_at: UtcTime,
    /// When it was last used.
    pub last_used_at: Option<UtcTime>,
    /// Where it is removed; absent for somebody who cannot confirm it.
    pub remove_url: Option<String>,
    /// In its form.
    pub id: String,
    /// What was typed as another name, if that form was sent.
    pub renaming: Option<RenamingView>,
}

/// Another name for a second factor, as typed.
#[derive(Clone, Debug, Serialize)]
pub struct RenamingView {
    /// The name.
    pub name: String,
    /// It was sent empty.
    pub missing: bool,
}

/// The state of the recovery codes.
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryView {
    /// How many are left.
    pub left: i64,
    /// Where new ones are made; absent for somebody who cannot confirm it.
    pub renew_url: Option<String>,
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct SessionView {
    /// Names it in the form.
    pub key: String,
    /// At which issuer.
    pub issuer: String,
    /// The browser in a few words; empty when unknown.
    pub browser: String,
    /// The network address; empty when unknown.
    pub address: String,
    /// Since when.
    pub since: UtcTime,
    /// The level of the login.
    pub level: Option<Level>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// What has just happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountNotice {
    /// A second factor was registered.
    Added,
    /// A second factor was removed.
    Removed,
    /// The password was changed.
    Password,
    /// A session was ended.
    Session,
    /// All other sessions were ended.
    Others,
    /// A language was chosen.
    Language,
    /// A second factor has another name.
    Renamed,
}

impl AccountNotice {
    const ALL: [Self; 7] = [
        Self::Added,
        Self::Removed,
        Self::Password,
        Self::Session,
        Self::Others,
        Self::Language,
        Self::Renamed,
    ];

    /// Its name in an address.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Password => "password",
            Self::Session => "session",
            Self::Others => "others",
            Self::Language => "language",
            Self::Renamed => "renamed",
        }
    }

    /// The notice of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.name() == name)
    }
}

/// A change of the account that asks for a fresh proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AccountChange {
    /// Registering a second factor; the form posts `name` too.
    AddFactor {
        /// As typed before.
        name: String,
    },
    /// Registering a security key.
    AddKey,
    /// Removing a second factor.
    RemoveFactor {
        /// What the person calls it.
        name: String,
        /// Whether none is left then.
        last: bool,
        /// Whether it may be removed: not the last one where only an operator could give another.
        allowed: bool,
    },
    /// New recovery codes instead of those before.
    RenewCodes,
    /// A new password; the form posts `new_password` and `new_password_again` too.
    ChangePassword,
    /// No change: all data as a file.
    DownloadData,
}

/// Asks for the proof that a change needs, and confirms the change. The form posts `password`, and `otp` when
/// `needs_code`, or instead of it `answer`, which the script fills in, when there are `key_options`.
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmChangePage {
    /// The change.
    pub change: AccountChange,
    /// Whether the password is asked for; whoever has none confirms with a security key.
    pub needs_password: bool,
    /// Whether a code is asked for.
    pub needs_code: bool,
    /// What the script hands to the browser to ask for a security key: JSON.
    pub key_options: Option<String>,
    /// What the person types to log in, for password managers.
    pub username: String,
    /// Whether what was typed before the session ended was put back.
    pub restored: bool,
    /// Why the last try failed.
    pub error: Option<ProofError>,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// Where the form posts to.
    pub action_url: String,
    /// Back to the account.
    pub back_url: String,
}

impl Page for ConfirmChangePage {
    const TEMPLATE: &'static str = "confirm_change.html";
}
