use super::{AccountId, IssuerId, Methods, SessionId};
use crate::clock::UtcTime;

/// A single sign-on session of one browser at one issuer.
#[derive(Clone, Debug)]
pub struct Session {
    /// The key.
    pub id: SessionId,
    /// No single sign-on between issuers.
    pub issuer: IssuerId,
    /// Who logged in.
    pub account: AccountId,
    /// The level that was reached (SPID/CIE AZ-8).
    pub acr: String,
    /// By which methods.
    pub methods: Methods,
    /// When the person last proved who they are; a factor that joined later does not move it.
    pub authenticated_at: UtcTime,
    /// `User-Agent`, at most 256 characters.
    pub browser: String,
    /// The address the login came from.
    pub address: String,
    /// End of the session, unless ended earlier.
    pub expires_at: UtcTime,
    /// Logout or revocation.
    pub ended_at: Option<UtcTime>,
}

impl Session {
    /// Whether the session can be used at `now`. One that begins later than now was begun before the clock went back: it
    /// would live for longer than it may, and be fresher than it is (OIDC Core §3.1.2.1, `max_age`).
    #[must_use]
    pub fn is_alive(&self, now: UtcTime) -> bool {
        self.ended_at.is_none()
            && now < self.expires_at
            && !self.authenticated_at.is_of_the_future(now)
    }
}
