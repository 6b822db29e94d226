//! Small pages: an issuer's start page, the form that posts an answer to a relying party, a plain message.

use super::{Link, Page};
use serde::Serialize;

/// The start page of an issuer: what it is, and the way to the history.
#[derive(Clone, Debug, Serialize)]
pub struct HomePage {
    /// The issuer's identifier.
    pub issuer: String,
    /// Where the history is.
    pub history_url: String,
    /// Where the account is.
    pub account_url: String,
    /// The entity configuration or discovery document, for developers.
    pub metadata_url: Option<String>,
}

impl Page for HomePage {
    const TEMPLATE: &'static str = "home.html";
}

/// Posts an authorization answer (OAuth 2.0 Form Post Response Mode): at once by `static/form-post.js`, or by its button.
#[derive(Clone, Debug, Serialize)]
pub struct FormPostPage {
    /// The verified `redirect_uri`.
    pub action_url: String,
    /// Names and values, in order; `state` is the relying party's and hostile.
    pub fields: Vec<(String, String)>,
    /// Who receives it.
    pub rp_name: String,
}

impl Page for FormPostPage {
    const TEMPLATE: &'static str = "form_post.html";
}

/// A heading and a few paragraphs, already in the page's language (see [`crate::ui::text`]).
#[derive(Clone, Debug, Serialize)]
pub struct MessagePage {
    /// The heading.
    pub title: String,
    /// The paragraphs.
    pub paragraphs: Vec<String>,
    /// Where to go on.
    pub link: Option<Link>,
}

impl Page for MessagePage {
    const TEMPLATE: &'static str = "message.html";
}
