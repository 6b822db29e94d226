use super::ClientId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How the answer travels to the RP (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// Parameters in the query of the redirect URI.
    #[default]
    Query,
    /// A page whose form posts them.
    FormPost,
}

/// Where an answer may go: a redirect URI of verified metadata, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Exactly as registered.
    pub redirect_uri: String,
    /// Query or form.
    pub response_mode: ResponseMode,
    /// Echoed to the RP.
    pub state: Option<String>,
}

/// What the RP wants the user to be asked (OIDC Core §3.1.2.1, SPID/CIE AZ-6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Authenticate again, even with a session.
    pub login: bool,
    /// Ask for consent.
    pub consent: bool,
    /// Ask nothing (`oidc` profile only).
    pub none: bool,
}

/// One claim of the `claims` parameter (OIDC Core §5.5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRequest {
    /// The name as the RP wrote it, which is the name of the answer.
    pub name: String,
    /// The RP says that it needs this claim.
    pub essential: bool,
    /// Values that the RP asks for; empty: any.
    pub values: Vec<Value>,
}

/// An authorization request after every check: stored with the interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub destination: Destination,
    /// Scope tokens, in order, each once.
    pub scope: Vec<String>,
    /// Bound into the id_token.
    pub nonce: Option<String>,
    /// RFC 7636; always S256.
    pub code_challenge: Option<String>,
    /// What to ask the user.
    pub prompt: Prompt,
    /// Levels in order of preference (SPID/CIE AZ-8).
    pub acr_values: Vec<String>,
    /// `claims.userinfo`.
    pub userinfo_claims: Vec<ClaimRequest>,
    /// `claims.id_token`.
    pub id_token_claims: Vec<ClaimRequest>,
    /// OIDC Core §3.1.2.1: seconds since the last login that the RP accepts.
    pub max_age: Option<i64>,
    /// Languages that the RP suggests, best first.
    pub ui_locales: Vec<String>,
}

impl AuthorizationRequest {
    /// Whether a scope token was asked for.
    #[must_use]
    pub fn has_scope(&self, token: &str) -> bool {
        self.scope.iter().any(|scope| scope == token)
    }
}
