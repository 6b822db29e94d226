//! Flows and attacks, through HTTP, as users and RPs live them.

mod algorithms;
mod authorization;
mod authorization_attributes;
mod authorization_claims;
mod authorization_input;
mod authorization_levels;
mod authorization_redirects;
mod authorization_refusals;
mod authorization_replay;
mod client_authentication;
mod interaction;
mod interaction_forms;
mod introspection;
mod keys;
mod login;
mod oidc;
mod refresh;
mod registered_algorithms;
mod revocation;
mod second_factor;
mod second_factor_attacks;
mod token;
mod token_claims;
mod token_codes;
mod token_input;
mod userinfo;
