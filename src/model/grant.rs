//! What a user allowed an RP, and the codes and tokens that come of it.

use super::{
    AccountId, AuthorizationRequest, ClientId, CodeHash, GrantId, IssuerId, Methods, SessionId,
    TokenId,
};
use crate::clock::UtcTime;

/// What one user allowed one RP in one login: the root of a code and its tokens.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The key.
    pub id: GrantId,
    /// The issuer.
    pub issuer: IssuerId,
    /// To whom.
    pub client_id: ClientId,
    /// By whom.
    pub account: AccountId,
    /// In which single sign-on session.
    pub session: SessionId,
    /// The pairwise subject (SPID/CIE TM-3).
    pub subject: String,
    /// The level really used (SPID/CIE TK-5).
    pub acr: String,
    /// By which methods.
    pub methods: Methods,
    /// When the person proved who they are.
    pub authenticated_at: UtcTime,
    /// The request that was answered.
    pub request: AuthorizationRequest,
    /// The user left the offline access switch on (SPID/CIE AZ-10).
    pub offline_access: bool,
    /// How often tokens were refreshed (SPID/CIE TK-7).
    pub refresh_count: i64,
    /// When consent was given.
    pub created_at: UtcTime,
    /// End of consent: no token of this grant lives longer.
    pub expires_at: UtcTime,
    /// Revoked by the user, the RP or a detected theft.
    pub revoked_at: Option<UtcTime>,
}

/// An authorization code.
#[derive(Clone, Debug)]
pub struct AuthorizationCode {
    /// The key: codes are stored as hashes only.
    pub hash: CodeHash,
    /// Whose tokens it stands for.
    pub grant: GrantId,
    /// To whom it was given.
    pub client_id: ClientId,
    /// End of its life (SPID/CIE AZ-11).
    pub expires_at: UtcTime,
    /// Whether it was used.
    pub state: CodeState,
}

/// Whether a code was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// Not used yet.
    Issued,
    /// Used; a second use revokes what the first one issued.
    Redeemed,
}

/// The outcome of redeeming a single-use value by one conditional UPDATE.
#[derive(Clone, Debug)]
pub enum Redeemed<T> {
    /// It was usable and is now spent. Whether it had expired is for the caller to check.
    Now(T),
    /// It was spent before: the caller revokes what came of it.
    Before(T),
    /// Not known, or another client's: nothing changed.
    Unknown,
}

/// Access or refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `at+jwt`.
    Access,
    /// A refresh token.
    Refresh,
}

/// A token's row; the JWT itself is not stored.
#[derive(Clone, Debug)]
pub struct Token {
    /// `jti`, the key.
    pub id: TokenId,
    /// Access or refresh.
    pub kind: TokenKind,
    /// The grant it belongs to.
    pub grant: GrantId,
    /// Refresh generation that issued it: 0 with the code, 1 after the first refresh …
    pub generation: i64,
    /// Whose.
    pub client_id: ClientId,
    /// When.
    pub issued_at: UtcTime,
    /// Until when.
    pub expires_at: UtcTime,
    /// Whether it can be used.
    pub state: TokenState,
}

/// Whether a token can be used (its expiry apart).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// Usable.
    Live,
    /// A refresh token that was exchanged: using it again is theft (RFC 9700 §4.14.2).
    Rotated,
    /// Revoked.
    Revoked,
}

/// A token with what its grant says: what userinfo and introspection need, in one query.
#[derive(Clone, Debug)]
pub struct TokenStatus {
    /// The token.
    pub token: Token,
    /// Its grant.
    pub grant: Grant,
    /// Whether the account may still log in.
    pub account_enabled: bool,
}

impl TokenStatus {
    /// Whether the token counts at `now`: live, not expired, grant neither revoked nor ended, account enabled.
    #[must_use]
    pub fn is_active(&self, now: UtcTime) -> bool {
        self.token.state == TokenState::Live
            && now < self.token.expires_at
            && self.grant.revoked_at.is_none()
            && now < self.grant.expires_at
            && self.account_enabled
    }
}
