//! How people prove who they are: one module for each method, and what they have in common.
//!
//! ```text
//! password ──► throttled by account and address ──► argon2id in a bounded queue
//! second_factor ──► throttled by person and method ──► totp: the step is spent   recovery: the code is spent
//! ```
//!
//! Which methods a level needs is `provider::levels`; what the pages ask for is `ui::login`.

pub mod enrolment;
pub mod operator;
pub mod password;
pub mod recovery;
pub mod second_factor;
pub mod totp;
