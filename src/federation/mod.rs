//! OpenID Federation 1.0 for SPID and CIE: recognising relying parties through their trust chains, and our own documents.
//!
//! ```text
//! resolver ─► fetch subject's configuration ─► trust marks ─► climb authority_hints ─► trust_chain::verify ─► Resolved
//!                                              (FE-1: before any further call)         anchor's keys down to the subject
//! ```
//!
//! - [`entity_id`], [`fetch`], [`http_fetcher`], [`address`]: names, and the one outgoing HTTP client with its limits.
//! - [`entity_statement`], [`trust_chain`], [`constraints`], [`metadata_policy`], [`trust_mark`]: verification, pure.
//! - [`evaluation`], [`examiner`]: what a resolution looked at and what came of it, for people who ask why.
//! - [`resolver`]: discovery, caches, single flight; the only part that waits for others.
//! - [`entity_configuration`], [`resolve_response`], [`historical_keys`], [`registration_response`]: documents that we
//!   sign, pure.
//!
//! Keys of a trust anchor are pinned: nothing that is fetched replaces them. A fetched entity configuration counts only
//! for the entity whose address was fetched. What is learnt of one relying party never changes what is known of another.

pub mod address;
pub mod constraints;
pub mod entity_configuration;
pub mod entity_id;
pub mod entity_statement;
pub mod error;
pub mod evaluation;
pub mod examiner;
pub mod fetch;
pub mod historical_keys;
pub mod http_fetcher;
mod lanes;
pub mod metadata_policy;
mod policies;
pub mod registration_response;
pub mod resolve_response;
pub mod resolver;
mod single_flight;
pub mod trust_chain;
pub mod trust_mark;

#[cfg(test)]
mod testing;

pub use entity_id::{EntityId, EntityIdError};
pub use entity_statement::{EntityStatement, Moment};
pub use error::{BrokenLink, Defect, DocumentKind, RefusedMark, TrustError, TrustErrorCode};
pub use evaluation::{Check, Evaluated, Evaluation, Recheck};
pub use fetch::{
    Fetch, FetchError, FetchFact, FetchLimits, Fetched, Fetching, Lane, Network, Source,
};
pub use http_fetcher::HttpFetcher;
pub use metadata_policy::{MetadataPolicy, PolicyError, PolicyErrorKind};
pub use resolver::{KeyOwner, ResolutionLimits, Resolved, Resolver, TrustAnchor, TrustSettings};
pub use trust_chain::Anchor;
pub use trust_mark::{TrustMarkStatus, ValidMark};
