//! What the citizen has allowed relying parties.

use super::Page;
use crate::clock::UtcTime;
use serde::Serialize;

/// The consents that count, by relying party. "Withdraw" is a GET form to `revoke_url` with `rp` and `from=account`.
#[derive(Clone, Debug, Serialize)]
pub struct ConsentsPage {
    /// One page of them.
    pub consents: Vec<ConsentView>,
    /// Where the confirmation of a withdrawal is.
    pub revoke_url: String,
    /// The next page; absent on the last one.
    pub next_url: Option<String>,
    /// The first page; absent when this is it.
    pub first_url: Option<String>,
    /// Back to the account.
    pub account_url: String,
    /// Whether one was withdrawn just now.
    pub withdrawn: bool,
}

impl Page for ConsentsPage {
    const TEMPLATE: &'static str = "consents.html";
}

/// What one relying party may do.
#[derive(Clone, Debug, Serialize)]
pub struct ConsentView {
    /// Its name.
    pub rp_name: String,
    /// Its entity identifier.
    pub entity_id: String,
    /// The claims that it got.
    pub attributes: Vec<String>,
    /// Since when.
    pub since: UtcTime,
    /// Until when.
    pub until: UtcTime,
    /// Whether it may come back while the person is away.
    pub offline_access: bool,
}
