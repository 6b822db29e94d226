//! Development target; the modules belong to main.rs.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to stop"
)]
#![allow(dead_code, unused_imports, reason = "development target")]

#[path = "browser/mod.rs"]
mod browser;
#[path = "harness/mod.rs"]
mod harness;
