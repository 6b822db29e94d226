//! The profile's own rules as rows: their names, and what to change.

use crate::profile::{Demand, MetadataFacts, Rule};

/// `rule.`, the member, and the kind of demand: `rule.redirect_uris.present`.
pub(super) fn name(rule: &Rule<MetadataFacts>) -> String {
    let (member, demand) = (rule.member, word(rule.demand));
    match rule.demand {
        Demand::EncryptionKey(algorithm) => format!("rule.{member}.{demand}.{algorithm}"),
        _ => format!("rule.{member}.{demand}"),
    }
}

pub(super) const fn is_about_keys(rule: &Rule<MetadataFacts>) -> bool {
    matches!(rule.demand, Demand::SigningKey | Demand::EncryptionKey(_))
}

const fn word(demand: Demand) -> &'static str {
    match demand {
        Demand::Present => "present",
        Demand::RedirectUris => "form",
        Demand::Contains(_) => "contains",
        Demand::Only(_) => "only",
        Demand::Is(_) => "value",
        Demand::OneOf(_) => "known",
        Demand::SigningKey => "signing_key",
        Demand::EncryptionKey(_) => "encryption_key",
    }
}

/// What to change when it does not hold, as technical English.
pub(super) fn change(rule: &Rule<MetadataFacts>) -> String {
    let member = rule.member;
    match rule.demand {
        Demand::Present => format!("add {member}, a list with at least one value"),
        Demand::RedirectUris => {
            "use https addresses, or a custom scheme for a mobile application, and remove what follows a #".to_owned()
        }
        Demand::Contains(value) => format!("add {value} to the list {member}"),
        Demand::Only(values) => {
            format!("list in {member} one or more of {values}, and remove everything else")
        }
        Demand::Is(value) => format!("write {value} as {member}, or leave it out"),
        Demand::OneOf(_) => format!("choose a {member} of the list, or leave it out"),
        Demand::SigningKey => {
            "publish an RSA key of at least 2048 bits, or one on P-256 or P-521, with use sig".to_owned()
        }
        Demand::EncryptionKey(algorithm) => format!(
            "publish a key with use enc: RSA where {algorithm} is RSA-OAEP (as it is when absent) or RSA-OAEP-256, \
             EC where it is one of ECDH-ES"
        ),
    }
}
