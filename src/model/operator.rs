//! The people who run the provider, and what they did.

use super::{OperatorId, SessionId};
use crate::clock::UtcTime;

/// What an operator may do; each may do what those before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks, and changes nothing.
    Viewer,
    /// Runs the daily business: relying parties, people, sessions, keys.
    Operator,
    /// Also says who the operators are.
    Administrator,
}

impl Role {
    /// From the least to the most.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Administrator];

    /// The name in the database and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Somebody who may use the desk.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The key.
    pub id: OperatorId,
    /// What they type to log in; in the trail they are called so.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may log in.
    pub enabled: bool,
    /// argon2id PHC string; `None`: no password was given yet.
    pub password_hash: Option<String>,
    /// The sealed secret of their one-time codes.
    pub totp: Option<Vec<u8>>,
    /// The time step of the last code: neither this one nor an earlier one counts again.
    pub totp_step: Option<i64>,
    /// When they were added.
    pub created_at: UtcTime,
    /// When something of this last changed.
    pub updated_at: UtcTime,
    /// When they last logged in.
    pub last_login_at: Option<UtcTime>,
}

/// A session of the desk.
#[derive(Clone, Debug)]
pub struct OperatorSession {
    /// The key.
    pub id: SessionId,
    /// Whose.
    pub operator: OperatorId,
    /// Everything that is asked for was proven; without it the session opens the login's second step only.
    pub proven: bool,
    /// The browser.
    pub browser: String,
    /// From where.
    pub address: String,
    /// Since when.
    pub created_at: UtcTime,
    /// Until when.
    pub expires_at: UtcTime,
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The operator's name; for commands the account of the machine.
    pub name: String,
    /// By which way.
    pub via: Via,
    /// The browser's address; empty for commands.
    pub address: String,
}

/// By which way somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The pages at `/admin`.
    Desk,
    /// `varco …`.
    CommandLine,
}

/// What was done, for the trail. `before` and `after` hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// `rp.disable`: the subject's kind, a full stop, the verb.
    pub action: &'static str,
    /// What it was done to: an identifier, one that finds all deeds of this subject.
    pub subject: String,
    /// What changed, as it was; absent for what was added.
    pub before: Option<serde_json::Value>,
    /// What changed, as it is; absent for what was removed.
    pub after: Option<serde_json::Value>,
}

/// An entry of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailEntry {
    /// Grows: the highest is the newest.
    pub number: i64,
    /// When.
    pub happened_at: UtcTime,
    /// Who.
    pub actor: Actor,
    /// As [`Deed::action`].
    pub action: String,
    /// As [`Deed::subject`].
    pub subject: String,
    /// As [`Deed::before`], JSON text.
    pub before: Option<String>,
    /// As [`Deed::after`], JSON text.
    pub after: Option<String>,
}

/// Which entries of the trail are wanted; what is absent does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// By exactly this actor.
    pub actor: Option<String>,
    /// Exactly this action.
    pub action: Option<String>,
    /// Done to exactly this subject.
    pub subject: Option<String>,
    /// At this time or later.
    pub since: Option<UtcTime>,
    /// Before this time.
    pub until: Option<UtcTime>,
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn every_role_is_found_by_its_name_and_they_are_ordered() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert!(Role::ALL.is_sorted());
        assert_eq!(Role::from_name("Administrator"), None);
    }
}
