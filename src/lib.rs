//! Varco, an OpenID Connect Provider for the SPID and CIE federations.

pub mod accounts;
pub mod authn;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod endpoint;
pub mod federation;
pub mod jose;
pub mod keys;
pub mod launch;
pub mod model;
pub mod oauth;
pub mod profile;
pub mod provider;
pub mod random;
pub mod secret;
pub mod store;
pub mod ui;
pub mod web;
