//! How entities of developers join the demonstration federation: `varco demo ta add URL` in a second terminal.
//!
//! ```text
//! varco demo ta add URL ─► order() ─POST {base}/ta/members, token─► Desk ─► fetch URL's configuration, verify, attest,
//!                                                                          mark, keep ─► would it be accepted now?
//! ```
//!
//! Whoever may read the data folder may give orders: the file `onboarding.json` in it has the address of the running
//! demonstration and a token of this run. A page of another origin has neither, nor can a form send the header, so that
//! no web page can join entities (cross-site request forgery, DNS rebinding).
//! Who joined is kept in `members.json` and joins again at the next start, without being asked.

mod client;
mod configuration;
mod error;
mod join;
mod member;

pub use client::{NoAnswer, order};
pub use error::JoinError;
pub(super) use join::{AGGREGATOR_CONTACT, intermediate_constraints};
pub use join::{Joined, Judgement};
pub use member::{Below, Member};

use super::private_file::write_private;
use super::{DemoError, DemoFederation};
use crate::federation::EntityId;
use crate::random;
use crate::secret::{Secret, equal};
use futures_util::future::BoxFuture;
use member::Members;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// Where the running demonstration is, and the token of this run.
const FILE: &str = "onboarding.json";

/// What the demonstration is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Take an entity in, or look at it again.
    Add {
        /// Its identifier.
        entity_id: String,
        /// Its superior.
        below: Below,
        /// A relying party that is no public administration.
        private: bool,
    },
    /// Who joined.
    List,
    /// Take an entity out.
    Remove {
        /// Its identifier.
        entity_id: String,
    },
}

/// What [`FILE`] holds.
#[derive(Serialize, Deserialize)]
struct Onboarding {
    address: String,
    token: String,
}

/// Who has to accept a relying party: the demonstration's issuers, which it knows as an outsider only.
pub trait Judges: Send + Sync {
    /// Lets each of them look at the relying party now.
    fn judge<'a>(&'a self, entity_id: &'a EntityId) -> BoxFuture<'a, Vec<Judgement>>;
}

/// Takes orders while the demonstration runs.
pub(super) struct Desk {
    token: Secret<String>,
    members: Members,
    judges: Arc<dyn Judges>,
}

impl DemoFederation {
    /// Lets those who joined before join again, and takes orders from now on; `folder` keeps them and the token.
    ///
    /// # Errors
    /// A file that cannot be read, written or understood; a trust mark that cannot be signed.
    pub fn open_desk(&self, folder: &Path, judges: Arc<dyn Judges>) -> Result<(), DemoError> {
        let members = Members::load(folder)?;
        for member in members.all() {
            self.take_in(&member)?;
        }
        let token = random::token();
        let onboarding = Onboarding {
            address: self.base_url().to_owned(),
            token: token.clone(),
        };
        let file = folder.join(FILE);
        let failed = |reason: String| DemoError::File {
            path: file.clone(),
            reason,
        };
        let text = serde_json::to_vec(&onboarding).map_err(|error| failed(error.to_string()))?;
        write_private(&file, &text).map_err(|error| failed(error.to_string()))?;
        let desk = Desk {
            token: Secret::new(token),
            members,
            judges,
        };
        // Opened once a process; a second one would have a token that no file has.
        self.desk
            .set(desk)
            .map_err(|_| failed("the desk is open already".to_owned()))
    }

    /// Whether this is the token of this run.
    pub(super) fn is_onboarding_token(&self, token: &str) -> bool {
        self.desk
            .get()
            .is_some_and(|desk| equal(desk.token.expose().as_bytes(), token.as_bytes()))
    }
}
