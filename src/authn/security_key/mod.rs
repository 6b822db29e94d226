//! Security keys (WebAuthn Level 2): registering one, and what it signs to prove that it is there.
//!
//! ```text
//! page ◄─ options ── challenge, kept for this page only (store::key_challenge), five minutes
//!   └─ browser, key ─► answer ─► challenge spent ─► origin, host, signature, presence or verification ─► counter moved on
//! ```
//!
//! The ceremonies are webauthn_rp's; what it is asked to keep is ours. Attestation is not asked for: whoever registers a key
//! has proven who they are, and which maker's key it is changes nothing.

mod assertion;
mod registration;

pub use assertion::{KeyChecked, ask, check};
pub use registration::{Registered, begin_registration, begun, finish_registration};

use crate::clock::UtcTime;
use crate::model::{AccountId, Authenticator, KeyCredential, Method};
use crate::provider::Provider;
use crate::secret;
use crate::store::key_challenge::{self, KeyChallenge};
use crate::store::{DbConn, StoreError};
use data_encoding::BASE64URL_NOPAD;
use webauthn_rp::bin::Decode as _;
use webauthn_rp::request::register::UserHandle;
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::register::DynamicState;
use webauthn_rp::response::{AuthTransports, Backup, CredentialId};

/// How long a page may wait for the key. The options that browsers get say the same.
const PATIENCE_SECONDS: i64 = 300;
/// Bytes of what names a person to their key.
const HANDLE_BYTES: usize = 32;
/// Bytes of what was seen of a key when it was registered; kept after its transports, before its public key.
const SEEN_BYTES: usize = 7;

/// The keys among these authenticators that browsers use at this issuer.
fn usable<'a>(op: &Provider, all: &'a [Authenticator]) -> Vec<&'a KeyCredential> {
    let Some((host, _)) = op.key_scope() else {
        return Vec::new();
    };
    let active = all.iter().filter(|known| known.is_active());
    active
        .filter_map(|known| known.key.as_ref())
        .filter(|key| key.rp_id == host)
        .collect()
}

/// How somebody can use one of these authenticators as a key at this issuer. One that is copied between devices does not
/// count as a key that stays in one.
#[must_use]
pub fn methods_of(op: &Provider, all: &[Authenticator]) -> Vec<Method> {
    let keys = usable(op, all);
    let stays_in_its_device = |key: &&KeyCredential| {
        seen(&key.public_key).is_some_and(|seen| seen.backup == Backup::NotEligible)
    };
    let mut methods = Vec::new();
    if !keys.is_empty() {
        methods.push(Method::SecurityKey);
    }
    if keys.iter().any(stays_in_its_device) {
        methods.push(Method::VerifiedKey);
    }
    methods
}

/// What names a person to their keys: nothing that says who it is (WebAuthn §14.6.1).
fn handle(account: &AccountId) -> Option<UserHandle<HANDLE_BYTES>> {
    let hash = secret::sha256(format!("varco user handle {account}").as_bytes());
    UserHandle::decode(hash).ok()
}

fn rp_id(host: &str) -> Option<RpId> {
    AsciiDomain::try_from(host.to_owned())
        .ok()
        .map(RpId::Domain)
}

/// The state of a key when it was registered, of what is kept of it.
fn seen(kept: &[u8]) -> Option<DynamicState> {
    let bytes = kept.get(1..=SEEN_BYTES)?;
    DynamicState::decode(<[u8; SEEN_BYTES]>::try_from(bytes).ok()?).ok()
}

/// How browsers name a key.
fn descriptor(credential: &KeyCredential) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
    let id = BASE64URL_NOPAD
        .decode(credential.credential_id.as_bytes())
        .ok()?;
    let transports = credential.public_key.first().copied()?;
    Some(PublicKeyCredentialDescriptor {
        id: CredentialId::decode(id).ok()?,
        transports: AuthTransports::decode(transports).ok()?,
    })
}

/// Keeps a challenge for a place; what the page's script needs.
fn keep(
    conn: &mut DbConn,
    place: &str,
    made: Option<KeyChallenge>,
    now: UtcTime,
) -> Result<Option<String>, StoreError> {
    let Some(challenge) = made else {
        return Ok(None);
    };
    let until = now.plus_seconds(PATIENCE_SECONDS);
    key_challenge::put(conn, place, &challenge, until)?;
    Ok(Some(challenge.options))
}
