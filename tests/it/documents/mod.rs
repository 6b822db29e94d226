//! What an issuer publishes, read as an outsider reads it.

mod entity_configuration;
mod key_sets;
mod own_marks;
mod resolve;
mod resolve_by_post;
mod schemas;
