//! The identity registry: passwords, second factors, import and export of people.
//!
//! ```text
//! file ─► import::Records (a line after the other, judged, nothing written) ─► import::apply (hashes, then rows) ─► Store
//! login ─► PasswordHasher::verify: a bounded queue, off the async threads, same time for unknown people
//! ```

pub mod export;
pub mod fault;
pub mod form;
pub mod import;
mod lines;
pub mod password;
pub mod second_factor;
#[cfg(test)]
mod tests;

pub use fault::{Fault, FaultKind};
pub use import::{Format, ImportError, ImportProblem, ImportSummary, NewPassword, UserRecord};
pub use password::{PasswordError, PasswordHasher, hash_password, verify_password};
