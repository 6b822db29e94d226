//! What a login asks for, and the hooks that make a request wrong on purpose.

use crate::demo::policy::LEVELS;
use serde_json::{Map, Value};

/// What a login asks for. The default is what the Italian kits send: `openid`, SpidL2, `prompt=consent login`, given name,
/// family name, fiscal number and e-mail address from userinfo.
///
/// The members below `claims_override` change the request after it was built right, so that tests and developers can send
/// any wrong one: overrides are set first, then `remove` takes away; the request object is signed after that.
#[derive(Clone, Debug)]
pub struct LoginOptions {
    /// `acr_values`, in order of preference.
    pub acr_values: Vec<String>,
    /// `scope`, separated by spaces.
    pub scope: String,
    /// `prompt`.
    pub prompt: String,
    /// `response_mode`; absent: the provider's default (query).
    pub response_mode: Option<String>,
    /// One of the registered ones; absent: the first.
    pub redirect_uri: Option<String>,
    /// `claims.userinfo`: each with value `null`.
    pub userinfo_claims: Vec<String>,
    /// `claims.id_token`: each with value `null`.
    pub id_token_claims: Vec<String>,
    /// `ui_locales`.
    pub ui_locales: Option<String>,
    /// From `iat` to `exp` of the request object, in seconds.
    pub lifetime_seconds: i64,
    /// Members of the request object that replace the right ones, or join them.
    pub claims_override: Map<String, Value>,
    /// Names of members that are taken out of the request object.
    pub remove: Vec<String>,
    /// Members of the request object's header that replace the right ones, or join them. With another `alg` the token
    /// carries the header as asked and a signature of the right algorithm; with `none` an empty signature.
    pub header_override: Map<String, Value>,
    /// Names of members that are taken out of the header.
    pub header_remove: Vec<String>,
    /// Parameters outside the request object that replace the right ones, or join them.
    pub outer_override: Vec<(String, String)>,
    /// Names of parameters outside the request object that are not sent.
    pub outer_remove: Vec<String>,
}

impl Default for LoginOptions {
    fn default() -> Self {
        let userinfo_claims = [
            "given_name",
            "family_name",
            "https://attributes.eid.gov.it/fiscal_number",
            "email",
        ];
        Self {
            acr_values: LEVELS
                .get(1)
                .map(|level| (*level).to_owned())
                .into_iter()
                .collect(),
            scope: "openid".to_owned(),
            prompt: "consent login".to_owned(),
            response_mode: None,
            redirect_uri: None,
            userinfo_claims: userinfo_claims.map(str::to_owned).to_vec(),
            id_token_claims: Vec::new(),
            ui_locales: None,
            lifetime_seconds: 300,
            claims_override: Map::new(),
            remove: Vec::new(),
            header_override: Map::new(),
            header_remove: Vec::new(),
            outer_override: Vec::new(),
            outer_remove: Vec::new(),
        }
    }
}

impl LoginOptions {
    /// The default at level 1, 2 or 3; other numbers count as 2.
    #[must_use]
    pub fn at_level(level: u8) -> Self {
        let mut options = Self::default();
        let position = usize::from(level.saturating_sub(1));
        if let Some(uri) = LEVELS.get(position) {
            options.acr_values = vec![(*uri).to_owned()];
        }
        options
    }

    /// Asks for a refresh token (SPID/CIE AZ-10).
    #[must_use]
    pub fn with_offline_access(mut self) -> Self {
        self.scope = "openid offline_access".to_owned();
        self
    }

    /// Replaces, or adds, a member of the request object.
    #[must_use]
    pub fn with_claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims_override.insert(name.to_owned(), value.into());
        self
    }

    /// Takes a member out of the request object.
    #[must_use]
    pub fn without_claim(mut self, name: &str) -> Self {
        self.remove.push(name.to_owned());
        self
    }

    /// Replaces, or adds, a member of the request object's header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header_override.insert(name.to_owned(), value.into());
        self
    }

    /// Takes a member out of the request object's header.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header_remove.push(name.to_owned());
        self
    }

    /// Replaces, or adds, a parameter outside the request object.
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: &str) -> Self {
        self.outer_override
            .push((name.to_owned(), value.to_owned()));
        self
    }

    /// Does not send a parameter outside the request object.
    #[must_use]
    pub fn without_parameter(mut self, name: &str) -> Self {
        self.outer_remove.push(name.to_owned());
        self
    }
}
