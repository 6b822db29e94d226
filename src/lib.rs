//! Varco, an OpenID Connect Provider for the SPID and CIE federations.

pub mod clock;
pub mod demo;
pub mod federation;
pub mod jose;
pub mod model;
pub mod random;
pub mod secret;
pub mod ui;
