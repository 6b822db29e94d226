//! The citizen's history: one event an access; it outlives tokens and grants.

use super::{AccountId, ClientId, GrantId, IssuerId};
use crate::clock::UtcTime;

/// The key of an event; also the second half of the list's cursor.
pub type LoginEventId = String;

/// An access of a user to an RP.
#[derive(Clone, Debug)]
pub struct LoginEvent {
    /// The key.
    pub id: LoginEventId,
    /// At which issuer.
    pub issuer: IssuerId,
    /// Who.
    pub account: AccountId,
    /// To which RP.
    pub client_id: ClientId,
    /// The RP's name at that time.
    pub rp_name: String,
    /// Level used.
    pub acr: String,
    /// Names of the attributes released, as canonical claims.
    pub attributes: Vec<String>,
    /// `User-Agent`, at most 256 characters.
    pub browser: String,
    /// The browser's address.
    pub address: String,
    /// When.
    pub occurred_at: UtcTime,
    /// The grant, which may have been purged.
    pub grant: GrantId,
    /// When the last token of it ends: kept here so that the state survives the purge.
    pub access_until: UtcTime,
    /// When the access was revoked.
    pub revoked_at: Option<UtcTime>,
}

/// What the tokens of an access can still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessState {
    /// The RP can still use tokens, until then.
    Active {
        /// End of the last token.
        until: UtcTime,
    },
    /// Every token has ended.
    Expired,
    /// The user or the RP revoked it.
    Revoked {
        /// When.
        at: UtcTime,
    },
}

impl LoginEvent {
    /// What its tokens can do at `now`.
    #[must_use]
    pub fn access_state(&self, now: UtcTime) -> AccessState {
        match self.revoked_at {
            Some(at) => AccessState::Revoked { at },
            None if now < self.access_until => AccessState::Active {
                until: self.access_until,
            },
            None => AccessState::Expired,
        }
    }
}

/// Which events to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only this RP.
    pub client_id: Option<ClientId>,
    /// Not before.
    pub from: Option<UtcTime>,
    /// Before.
    pub until: Option<UtcTime>,
}
