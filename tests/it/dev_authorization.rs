//! Development target; the modules belong to main.rs.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to stop"
)]
#![allow(dead_code, unused_imports, reason = "development target")]

#[path = "harness/mod.rs"]
mod harness;

#[path = "flows/authorization.rs"]
mod authorization;
#[path = "flows/authorization_redirects.rs"]
mod authorization_redirects;
#[path = "flows/authorization_refusals.rs"]
mod authorization_refusals;
#[path = "flows/authorization_attributes.rs"]
mod authorization_attributes;
#[path = "flows/authorization_input.rs"]
mod authorization_input;
#[path = "flows/authorization_levels.rs"]
mod authorization_levels;
#[path = "flows/authorization_replay.rs"]
mod authorization_replay;
#[path = "flows/interaction.rs"]
mod interaction;
