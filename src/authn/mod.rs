//! How people prove who they are: one module for each method, and what they have in common.
//!
//! ```text
//! password ──► throttled by account and address ──► argon2id in a bounded queue
//! second_factor ──► throttled by person and method ──► totp: the step is spent   recovery: the code is spent
//! security_key ──► throttled by person ──► the challenge is spent ──► signature ──► the counter is moved on
//! email_code ──► throttled by person ──► sent through the queue of mails; its row is spent
//! external ──► throttled by person ──► the identity provider's own service is asked, its approval is spent
//! a login that begins with a key, a card or the service ──► throttled by address, together with passwords
//! ```
//!
//! Which methods a level needs is `provider::levels`; what the pages ask for is `ui::login`.

pub mod address;
pub mod certificate;
mod clocks;
pub mod email_code;
pub mod enrolment;
pub mod external;
pub mod operator;
pub mod password;
pub mod recovery;
pub mod second_factor;
pub mod security_key;
pub mod totp;
