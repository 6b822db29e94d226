//! Varco, an OpenID Connect Provider for the SPID and CIE federations.

pub mod accounts;
pub mod cli;
pub mod clock;
pub mod config;
pub mod jose;
pub mod keys;
pub mod model;
pub mod profile;
pub mod random;
pub mod secret;
pub mod store;
