//! Pairwise subjects (OIDC Core §8.1, SPID/CIE TM-3).

use crate::model::{AccountId, ClientId};
use crate::provider::Provider;
use data_encoding::HEXLOWER;

/// The subject that an RP knows a person by: SHA-256 of the salt, the issuer, the RP and the person.
///
/// The same for the same person, RP and salt; RPs cannot compare theirs. Changing the salt changes every subject.
#[must_use]
pub fn pairwise(op: &Provider, account: &AccountId, client_id: &ClientId) -> String {
    let mut hash = openssl::sha::Sha256::new();
    // Length-prefixed, so that no two inputs run into each other.
    for part in [
        op.settings.pairwise_salt.expose().as_str(),
        op.issuer.as_str(),
        client_id.as_str(),
        account.as_str(),
    ] {
        hash.update(part.len().to_string().as_bytes());
        hash.update(b":");
        hash.update(part.as_bytes());
    }
    HEXLOWER.encode(&hash.finish())
}
