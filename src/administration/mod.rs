//! What operators do, by the desk and by the command line alike: the same checks, the same transaction, the same trail.
//!
//! ```text
//! ui::desk (a page) ──┐
//!                     ├─► administration::SUBJECT::verb(tx, actor, …) ─► checks ─► store ─► trail
//! cli (a command) ────┘
//! ```
//!
//! Every function here that changes something is given the [`Actor`] and writes the deed with [`record`], in the same
//! transaction: what is not in the trail did not happen. To add one: a function in the file of its subject, a row of the
//! desk's route table, a command.

pub mod imports;
pub mod keys;
pub mod mails;
mod office;
pub mod operators;
pub mod parties;
pub mod readings;
pub mod revocation;
pub mod sessions;
pub mod users;

pub use office::Office;

use crate::clock::UtcTime;
use crate::model::{Actor, Deed, Via};
use crate::store::{DbConn, StoreError, trail};

/// Who runs a command: the account of the machine ([`crate::config::MachineAccount`]).
#[must_use]
pub fn command_line_actor(account: Option<&str>) -> Actor {
    Actor {
        name: account
            .filter(|name| !name.is_empty())
            .unwrap_or("(account not told)")
            .to_owned(),
        via: Via::CommandLine,
        address: String::new(),
    }
}

/// Writes a deed into the trail, in the transaction of what it tells.
///
/// # Errors
/// The database's.
pub fn record(
    conn: &mut DbConn,
    actor: &Actor,
    deed: &Deed,
    now: UtcTime,
) -> Result<(), StoreError> {
    trail::insert(conn, actor, deed, now)
}
