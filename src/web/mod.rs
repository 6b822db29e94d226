//! The only user of actix-web: from HTTP to [`crate::endpoint::Inbound`], from [`crate::endpoint::Reply`] to HTTP.
//!
//! ```text
//! connection ─► request id, headers, log (`around`) ─► route table (`routes`) ─► endpoint or page ─► `outbound`
//! ```
//!
//! To add an address: a row in `routes`.

mod around;
mod background;
mod desk;
mod inbound;
mod mailbox;
mod outbound;
mod pages;
mod peer;
mod routes;
mod server;
mod session;
mod static_files;
mod tls;
mod upload;

pub use routes::{App, configure};
pub use server::{Running, ServeError, listen, serve};
