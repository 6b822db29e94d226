//! The integration tests: one binary, a world per test, no sleeps, no retries.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to stop"
)]

mod flows;
mod harness;
