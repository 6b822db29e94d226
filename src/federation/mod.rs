//! OpenID Federation 1.0 for SPID and CIE: recognising relying parties through their trust chains, and our own documents.
pub mod address;
pub mod entity_id;
pub mod fetch;
mod lanes;
pub mod metadata_policy;
