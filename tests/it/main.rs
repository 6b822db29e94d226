//! The integration tests: one binary, a world per test, no sleeps, no retries.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to stop"
)]

mod architecture;
mod browser;
mod desk;
mod documents;
mod federation;
mod flows;
mod golden;
mod harness;
mod mail;
mod pages;
mod serve;
