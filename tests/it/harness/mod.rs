//! A world per test: issuers, trust anchor and relying parties in one process, an own database, a clock that stands
//! still, and a browser.

mod authorization;
mod browser;
mod login;
mod world;

pub use authorization::{ADA, LEVELS, assert_shown, assert_told};
pub use browser::{Answer, Browser, Form};
pub use login::{Issuer, Tokens};
pub use world::{World, WorldBuilder};
