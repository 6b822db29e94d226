//! Sessions, grants and tokens.

use super::super::{Link, Page};
use super::{DeskView, Field};
use crate::clock::UtcTime;
use serde::Serialize;

/// A session in a list, or the one whose grants are shown.
#[derive(Clone, Debug, Serialize)]
pub struct DeskSessionView {
    /// Its key.
    pub id: String,
    /// At which issuer.
    pub issuer: String,
    /// Whose, with their page.
    pub person: Link,
    /// The level, in the visitor's language.
    pub level: String,
    /// `password totp`.
    pub methods: String,
    /// When the person proved who they are.
    pub at: UtcTime,
    /// When it ends, or ended.
    pub until: UtcTime,
    /// The browser.
    pub browser: String,
    /// From where.
    pub address: String,
    /// `desk-state-NAME`.
    pub state: &'static str,
    /// Its grants.
    pub url: String,
}

/// A grant in a list.
#[derive(Clone, Debug, Serialize)]
pub struct GrantView {
    /// Its key.
    pub id: String,
    /// Whose, with their page.
    pub person: Link,
    /// To whom.
    pub client_id: String,
    /// At which issuer.
    pub issuer: String,
    /// The pairwise subject.
    pub subject: String,
    /// The level, in the visitor's language.
    pub level: String,
    /// Whether the refresh tokens outlive the session.
    pub offline: bool,
    /// When it was given.
    pub at: UtcTime,
    /// Until when.
    pub until: UtcTime,
    /// `desk-state-NAME`.
    pub state: &'static str,
    /// Its tree.
    pub url: String,
}

/// Somebody whose sessions or grants are listed.
#[derive(Clone, Debug, Serialize)]
pub struct HolderView {
    /// Who, with their page.
    pub person: Link,
    /// What relying parties hold of them.
    pub grants_url: String,
    /// Their sessions.
    pub sessions_url: String,
    /// Asks before everything of theirs is ended; absent for whoever may not.
    pub revoke_url: Option<String>,
}

/// Finds a session, code, token, subject, client or person. The form posts `sought`: what is looked for may be a code or token
/// that is still good, and stands in no address.
#[derive(Clone, Debug, Serialize)]
pub struct SessionsPage {
    /// What every page has.
    pub desk: DeskView,
    /// Where the form posts to.
    pub url: &'static str,
    /// What is looked for.
    pub sought: Field,
    /// What the list is of: `desk-list-NAME`; nothing: the newest sessions of all.
    pub of: Option<&'static str>,
    /// Its identifier.
    pub of_value: String,
    /// Whose sessions or grants these are, when they are one person's.
    pub holder: Option<HolderView>,
    /// The same at other issuers.
    pub others: Vec<Link>,
    /// The session whose grants these are, unless it was removed.
    pub session: Option<DeskSessionView>,
    /// Ends it as a logout does, asks before.
    pub end_url: Option<String>,
    /// Ends it with everything, asks before.
    pub end_all_url: Option<String>,
    /// What was revoked: `desk-revoked-NAME` and how many.
    pub revoked: Vec<RevokedView>,
    /// The sessions.
    pub sessions: Vec<DeskSessionView>,
    /// The grants.
    pub grants: Vec<GrantView>,
    /// The newest ones.
    pub first_url: Option<String>,
    /// Older ones.
    pub next_url: Option<String>,
}

impl Page for SessionsPage {
    const TEMPLATE: &'static str = "desk/sessions.html";
}

/// How many of something were ended.
#[derive(Clone, Debug, Serialize)]
pub struct RevokedView {
    /// `desk-revoked-NAME`.
    pub name: &'static str,
    /// How many.
    pub count: i64,
}

/// A knot of a grant's tree.
#[derive(Clone, Debug, Serialize)]
pub struct TreeNodeView {
    /// `session`, `grant`, `code`, `access`, `refresh`.
    pub kind: &'static str,
    /// How it is called: the `jti`, the beginning of the code's hash.
    pub key: String,
    /// Of tokens: how many refreshes came before.
    pub generation: Option<i64>,
    /// `desk-state-NAME`.
    pub state: &'static str,
    /// Since when.
    pub from: Option<UtcTime>,
    /// Until when.
    pub until: Option<UtcTime>,
    /// It is what was looked for.
    pub sought: bool,
    /// Nothing comes of it: it stands beside the trunk.
    pub leaf: bool,
    /// Its own page.
    pub url: Option<String>,
    /// Asks before it is revoked.
    pub revoke_url: Option<String>,
}

/// A grant with all that came of it.
#[derive(Clone, Debug, Serialize)]
pub struct TreePage {
    /// What every page has.
    pub desk: DeskView,
    /// The grant.
    pub grant: GrantView,
    /// Whose, with their page.
    pub person: Link,
    /// All that relying parties hold of them.
    pub account_url: String,
    /// How often tokens were refreshed.
    pub refreshes: i64,
    /// All grants of the same subject.
    pub subject_url: String,
    /// All grants of the same relying party.
    pub client_url: String,
    /// What operators did to it.
    pub trail_url: String,
    /// The search.
    pub back_url: &'static str,
    /// What was revoked.
    pub revoked: Vec<RevokedView>,
    /// Session, grant and code.
    pub roots: Vec<TreeNodeView>,
    /// Where older tokens are, which come between.
    pub older_url: Option<String>,
    /// Tokens.
    pub nodes: Vec<TreeNodeView>,
    /// The newest ones.
    pub newest_url: Option<String>,
}

impl Page for TreePage {
    const TEMPLATE: &'static str = "desk/tree.html";
}
