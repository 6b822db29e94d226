//! Why an entity cannot join. `Display` says what happened and what to do.

use crate::demo::DemoError;
use crate::federation::EntityIdError;

/// Why an entity cannot join, or leave.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JoinError {
    /// Not an entity identifier.
    #[error(
        "{entity_id} {fact}; give the entity identifier as the entity itself writes it in `sub`"
    )]
    EntityId {
        /// What was given.
        entity_id: String,
        /// The rule.
        fact: EntityIdError,
    },
    /// Another machine.
    #[error(
        "{0} is not on this machine; the demonstration takes in entities at localhost, 127.0.0.1 or [::1] only"
    )]
    NotLoopback(String),
    /// The demonstration itself.
    #[error("{0} belongs to the demonstration itself; there is nothing to join")]
    Ours(String),
    /// No answer, or not 200.
    #[error(
        "{url} could not be fetched: {reason}. Start the entity, and look whether a browser shows something at this address"
    )]
    Unreachable {
        /// The address of the entity configuration.
        url: String,
        /// Why.
        reason: String,
    },
    /// As [`JoinError::Unreachable`], for a certificate that nobody vouches for.
    #[error(
        "{url} could not be fetched: {reason}. The demonstration verifies certificates as every issuer does: start \
         `varco demo` with the variable SSL_CERT_FILE naming the certificate (PEM), or serve http on loopback"
    )]
    Certificate {
        /// The address of the entity configuration.
        url: String,
        /// Why.
        reason: String,
    },
    /// What came is no signed statement.
    #[error(
        "what {url} answers is not an entity configuration: {fact}. It has to be a signed JWT, content type \
         application/entity-statement+jwt (OIDC Federation §9)"
    )]
    NotAConfiguration {
        /// The address.
        url: String,
        /// Why.
        fact: String,
    },
    /// A statement about somebody else.
    #[error(
        "the entity configuration at {url} is of {subject}, not of {entity_id} (compared byte for byte): run `varco demo \
         ta add {subject}`, or mend iss and sub"
    )]
    OtherSubject {
        /// The address.
        url: String,
        /// `sub`, or `iss` when only that differs.
        subject: String,
        /// Who was asked for.
        entity_id: String,
    },
    /// The statement does not hold.
    #[error(
        "the entity configuration at {url} does not hold: {fact}. It has to be signed by one of the keys in its own \
         claim jwks{kid}, and be within iat and exp"
    )]
    Statement {
        /// The address.
        url: String,
        /// The first fact that is wrong.
        fact: String,
        /// ` (header kid …)`, or nothing.
        kid: String,
    },
    /// None of the roles that the demonstration knows.
    #[error(
        "metadata of {entity_id} names {found}; the demonstration takes in openid_relying_party, openid_provider, and \
         federation_entity with a federation_fetch_endpoint (an intermediate)"
    )]
    NoRole {
        /// Who.
        entity_id: String,
        /// The entity types found.
        found: String,
    },
    /// Both relying party and provider.
    #[error(
        "metadata of {0} names openid_relying_party and openid_provider; in the Italian federations these are two entities"
    )]
    TwoRoles(String),
    /// Only relying parties are aggregated.
    #[error(
        "{entity_id} is {kind}; the intermediate takes in relying parties only: leave out `--below sa`"
    )]
    NotBelowIntermediate {
        /// Who.
        entity_id: String,
        /// Its entity type.
        kind: &'static str,
    },
    /// `--private` for somebody else.
    #[error("{entity_id} is {kind}; `--private` is for relying parties: leave it out")]
    NotPrivate {
        /// Who.
        entity_id: String,
        /// Its entity type.
        kind: &'static str,
    },
    /// The list is full.
    #[error(
        "{0} entities have joined already, which is the limit; `varco demo ta remove URL` makes room"
    )]
    Full(usize),
    /// It never joined.
    #[error("{0} has not joined; `varco demo ta list` shows who has")]
    NotAMember(String),
    /// A file or a signature.
    #[error("{0}; nothing was changed")]
    Demo(#[from] DemoError),
}
