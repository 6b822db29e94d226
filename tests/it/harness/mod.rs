//! A world per test: issuers, trust anchor and relying parties in one process, an own database, a clock that stands
//! still, and a browser.

mod authorization;
mod browser;
mod citizen;
mod command;
mod external;
mod host;
mod log;
mod login;
mod node;
pub mod registered_client;
mod second_factor;
mod security_key;
mod token;
mod world;

pub use authorization::{ADA, LEVELS, assert_shown, assert_told};
pub use browser::{Answer, Browser, Form};
pub use citizen::Schema;
pub use external::{Hostile, Respond, answer_to, external_method, step_page};
pub use host::{CONFIGURATION, HERE, Host, claims_of, header_of, public_keys, signed, signed_with};
pub use log::{keep_log, logged, logged_after};
pub use login::{Issuer, Tokens};
pub use node::Node;
pub use second_factor::assert_asks_code;
pub use security_key::{SoftKey, answered, options_of};
pub use token::{ASSERTION_TYPE, replaced, with_assertion};
pub use world::{START, World, WorldBuilder};
