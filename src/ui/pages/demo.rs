//! The pages of the demonstration: its start page, the relying party and what a login gave it.

use super::Page;
use crate::ui::Level;
use serde::Serialize;

/// A test user, shown with the password.
#[derive(Clone, Debug, Serialize)]
pub struct DemoUser {
    /// To log in with.
    pub username: String,
    /// To log in with.
    pub password: String,
    /// The person's name.
    pub name: String,
    /// What the person's app for one-time codes shows now; absent for somebody without one.
    pub code: Option<String>,
}

/// The start page of the demonstration.
#[derive(Clone, Debug, Serialize)]
pub struct DemoHomePage {
    /// Where to click.
    pub links: Vec<DemoLink>,
    /// Whom to log in as.
    pub users: Vec<DemoUser>,
}

impl Page for DemoHomePage {
    const TEMPLATE: &'static str = "demo_home.html";
}

/// One thing to look at.
#[derive(Clone, Debug, Serialize)]
pub struct DemoLink {
    /// What it is: chooses title and description.
    pub kind: DemoLinkKind,
    /// Where it is.
    pub url: String,
}

/// What a link of the start page leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DemoLinkKind {
    /// The relying party directly below the trust anchor.
    Rp,
    /// The relying party below the intermediate.
    RpAggregated,
    /// The SPID issuer's history.
    SpidHistory,
    /// The CIE issuer's history.
    CieHistory,
    /// The plain issuer's history.
    OidcHistory,
    /// The mailbox of all test users.
    Mailbox,
    /// The SPID issuer's entity configuration.
    SpidConfiguration,
    /// The CIE issuer's entity configuration.
    CieConfiguration,
    /// The plain issuer's discovery document.
    OidcConfiguration,
    /// The trust anchor.
    TrustAnchor,
    /// The intermediate (aggregator).
    Intermediate,
}

impl DemoLinkKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Rp,
        Self::RpAggregated,
        Self::SpidHistory,
        Self::CieHistory,
        Self::OidcHistory,
        Self::Mailbox,
        Self::SpidConfiguration,
        Self::CieConfiguration,
        Self::OidcConfiguration,
        Self::TrustAnchor,
        Self::Intermediate,
    ];
}

/// The demonstration relying party. The form posts `provider=spid|cie`, `level=1|2|3`, `attribute` (repeated),
/// `response_mode=query|form_post`, `prompt_login=1`, `offline_access=1` and, when given, `csrf_token`.
#[derive(Clone, Debug, Serialize)]
pub struct DemoRpPage {
    /// The relying party's name, the page's heading.
    pub rp_name: String,
    /// A sentence below it; empty for none.
    pub subtitle: String,
    /// Where the form posts to.
    pub action_url: String,
    /// The form's CSRF token, if the demonstration binds one.
    pub csrf_token: Option<String>,
    /// The level that is chosen at first.
    pub level: Level,
    /// The attributes to choose from.
    pub attributes: Vec<DemoAttribute>,
    /// The options that are chosen at first.
    pub options: DemoOptions,
    /// Whom to log in as.
    pub users: Vec<DemoUser>,
    /// Back to the start page.
    pub home_url: String,
}

impl Page for DemoRpPage {
    const TEMPLATE: &'static str = "demo_rp.html";
}

/// An attribute to ask for.
#[derive(Clone, Debug, Serialize)]
pub struct DemoAttribute {
    /// The claim, the checkbox's value.
    pub claim: String,
    /// Whether it is ticked at first.
    pub checked: bool,
}

/// How the demonstration asks.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct DemoOptions {
    /// `response_mode=form_post` instead of `query`.
    pub form_post: bool,
    /// `prompt=consent login`.
    pub prompt_login: bool,
    /// `scope` contains `offline_access`.
    pub offline_access: bool,
}

/// What a login, or an action after it, gave the demonstration relying party.
#[derive(Clone, Debug, Serialize)]
pub struct DemoResultPage {
    /// The relying party's name.
    pub rp_name: String,
    /// What was done, in order.
    pub steps: Vec<DemoStep>,
    /// The user's claims: name and value.
    pub claims: Vec<(String, String)>,
    /// The forms' CSRF token, if the demonstration binds one.
    pub csrf_token: Option<String>,
    /// What can be done next; each is a POST form of its own.
    pub actions: Vec<DemoAction>,
    /// The answer's `error` and `error_description`.
    pub error: Option<(String, String)>,
    /// Back to the relying party's page.
    pub restart_url: String,
}

impl Page for DemoResultPage {
    const TEMPLATE: &'static str = "demo_result.html";
}

/// One step of a login.
#[derive(Clone, Debug, Serialize)]
pub struct DemoStep {
    /// Which: chooses the title.
    pub kind: StepKind,
    /// Whether it went well.
    pub ok: bool,
    /// What was asked of whom and what came back, in technical English.
    pub detail: String,
    /// A message, pretty-printed.
    pub body: Option<String>,
}

/// The steps of a login and after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// The provider's metadata was read through its trust chain.
    TrustChain,
    /// The request object was signed.
    RequestObject,
    /// The browser came back with an answer.
    AuthorizationResponse,
    /// The code was exchanged.
    Token,
    /// The id_token was verified.
    IdToken,
    /// The access token was read.
    AccessToken,
    /// The refresh token was read.
    RefreshToken,
    /// Userinfo was fetched, decrypted and verified.
    UserInfo,
    /// A token was introspected.
    Introspection,
    /// Tokens were refreshed.
    Refresh,
    /// A token was revoked.
    Revocation,
    /// The session at the relying party ended.
    Logout,
}

impl StepKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::TrustChain,
        Self::RequestObject,
        Self::AuthorizationResponse,
        Self::Token,
        Self::IdToken,
        Self::AccessToken,
        Self::RefreshToken,
        Self::UserInfo,
        Self::Introspection,
        Self::Refresh,
        Self::Revocation,
        Self::Logout,
    ];
}

/// A button after a login: a POST form with one hidden field.
#[derive(Clone, Debug, Serialize)]
pub struct DemoAction {
    /// Which: chooses the button's text.
    pub kind: ActionKind,
    /// Where the form posts to.
    pub action_url: String,
    /// The hidden field's name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What can be done after a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Use the refresh token.
    Refresh,
    /// Ask the provider about the access token.
    Introspect,
    /// Fetch userinfo again.
    UserInfo,
    /// Revoke the access token.
    RevokeAccess,
    /// Revoke the refresh token.
    RevokeRefresh,
    /// Log out of the relying party.
    Logout,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Refresh,
        Self::Introspect,
        Self::UserInfo,
        Self::RevokeAccess,
        Self::RevokeRefresh,
        Self::Logout,
    ];
}
