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

#[path = "flows/algorithms.rs"]
mod algorithms;
#[path = "flows/client_authentication.rs"]
mod client_authentication;
#[path = "flows/introspection.rs"]
mod introspection;
#[path = "flows/oidc.rs"]
mod oidc;
#[path = "flows/refresh.rs"]
mod refresh;
#[path = "flows/revocation.rs"]
mod revocation;
#[path = "flows/token.rs"]
mod token;
#[path = "flows/token_claims.rs"]
mod token_claims;
#[path = "flows/token_input.rs"]
mod token_input;
#[path = "flows/userinfo.rs"]
mod userinfo;
