//! The protocol: one module an endpoint, each an implementation of [`crate::endpoint::Endpoint`].

pub mod authorization;
pub mod bearer;
pub mod claims;
pub mod client_auth;
pub mod discovery;
pub mod documents;
pub mod introspection;
pub mod pkce;
pub mod registration;
pub mod resolve;
pub mod revocation;
pub mod subject;
pub mod token;
pub mod token_query;
pub mod tokens;
pub mod userinfo;
