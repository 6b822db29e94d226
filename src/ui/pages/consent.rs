//! The consent page.

use super::{Page, RpView};
use crate::ui::{Level, Locale, attribute_value};
use serde::Serialize;

/// The consent page. The form posts `decision=allow` or `decision=deny`, `csrf_token`, and `offline_access=1` while its
/// checkbox is ticked.
#[derive(Clone, Debug, Serialize)]
pub struct ConsentPage {
    /// Who asks.
    pub rp: RpView,
    /// The citizen's name, so that they see whose data is about to be released.
    pub display_name: String,
    /// The level of this login.
    pub level: Option<Level>,
    /// What is released, in the order shown; empty when only the identifier is.
    pub attributes: Vec<AttributeView>,
    /// The checkbox for access without the citizen present: `None` when it was not asked or cannot be refused alone,
    /// else whether it is ticked (SPID/CIE AZ-10).
    pub offline_access: Option<bool>,
    /// Whether access without the citizen present goes with the consent, without a checkbox of its own.
    pub offline_access_included: bool,
    /// The form's CSRF token.
    pub csrf_token: String,
    /// Where the form posts to.
    pub action_url: String,
    /// The host (or custom scheme) the browser goes to next.
    pub redirect_host: String,
}

impl Page for ConsentPage {
    const TEMPLATE: &'static str = "consent.html";
}

/// An attribute that is about to be released. Values are shown in full: consent to what one cannot see is none.
#[derive(Clone, Debug, Serialize)]
pub struct AttributeView {
    /// The claim as it was asked for.
    pub claim: String,
    /// Its value in plain words; `None` when the registry has none.
    pub value: Option<String>,
}

impl AttributeView {
    /// From a claim's JSON value.
    #[must_use]
    pub fn new(locale: Locale, claim: &str, value: Option<&serde_json::Value>) -> Self {
        Self {
            claim: claim.to_owned(),
            value: value
                .filter(|value| !value.is_null())
                .map(|value| attribute_value(locale, claim, value)),
        }
    }
}
