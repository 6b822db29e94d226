//! A new key.

use super::super::enrolment;
use super::{HANDLE_BYTES, descriptor, handle, keep, rp_id, seen, usable};
use crate::endpoint::quote;
use crate::model::{Account, AccountId, Authenticator, KeyCredential, Method};
use crate::provider::Provider;
use crate::random;
use crate::store::key_challenge::{self, KeyChallenge};
use crate::store::{DbConn, StoreError, authenticator};
use data_encoding::BASE64URL_NOPAD;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::UserVerificationRequirement;
use webauthn_rp::request::register::{
    PublicKeyCredentialUserEntity, RegistrationVerificationOptions, ResidentKeyRequirement,
    Username,
};
use webauthn_rp::{PublicKeyCredentialCreationOptions, Registration, RegistrationServerState};

/// What came of a new key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// It counts from now on.
    Active,
    /// The answer is not to what was asked on this page.
    Wrong,
    /// Nothing is waited for any more.
    Expired,
    /// It is registered already, for this person or another.
    Known,
}

/// Asks for a new key; what the page's script needs. `None`: this issuer has no use for keys, or the person has as many
/// authenticators as one may have.
///
/// # Errors
/// The database's.
pub fn begin_registration(
    conn: &mut DbConn,
    op: &Provider,
    account: &Account,
    place: &str,
) -> Result<Option<String>, StoreError> {
    let all = authenticator::search(conn, &account.id, op.now())?;
    let made = || {
        let host = op.key_scope()?.0;
        let (rp_id, handle) = (rp_id(&host)?, handle(&account.id)?);
        // Names that the profile of RFC 8265 has no place for are not worth failing.
        let name = Username::try_from(account.username.as_str());
        let name = name.or_else(|_| Username::try_from("account")).ok()?;
        let user = PublicKeyCredentialUserEntity {
            name,
            id: &handle,
            display_name: None,
        };
        let known = usable(op, &all).into_iter().filter_map(descriptor);
        let mut options =
            PublicKeyCredentialCreationOptions::second_factor(&rp_id, user, known.collect());
        // A key that can, keeps the name of its person, who may then log in with the key alone.
        options.authenticator_selection.resident_key = ResidentKeyRequirement::Preferred;
        options.authenticator_selection.user_verification = UserVerificationRequirement::Preferred;
        let (server, client) = options.start_ceremony().ok()?;
        Some(KeyChallenge {
            state: server.encode().ok()?,
            options: serde_json::to_string(&client).ok()?,
        })
    };
    if all.len() >= enrolment::MOST {
        return Ok(None);
    }
    keep(conn, place, made(), op.now())
}

/// What the page of a registration that was begun needs.
///
/// # Errors
/// The database's.
pub fn begun(conn: &mut DbConn, op: &Provider, place: &str) -> Result<Option<String>, StoreError> {
    let found = key_challenge::find(conn, place, op.now())?;
    Ok(found.map(|challenge| challenge.options))
}

/// Takes a new key.
///
/// # Errors
/// The database's.
pub fn finish_registration(
    conn: &mut DbConn,
    op: &Provider,
    (account, place): (&AccountId, &str),
    (name, answer): (&str, &str),
) -> Result<Registered, StoreError> {
    let now = op.now();
    let Some(challenge) = key_challenge::redeem(conn, place, now)? else {
        return Ok(Registered::Expired);
    };
    let Some(credential) = registered(op, &challenge.state, answer) else {
        return Ok(Registered::Wrong);
    };
    if authenticator::find_by_credential(conn, &credential.credential_id)?.is_some() {
        return Ok(Registered::Known);
    }
    let counter = seen(&credential.public_key).map_or(0, |seen| i64::from(seen.sign_count));
    authenticator::insert(
        conn,
        &Authenticator {
            id: random::identifier(),
            account: account.clone(),
            method: Method::SecurityKey,
            name: enrolment::tidy_name(name),
            sealed: Vec::new(),
            key: Some(credential),
            created_at: now,
            last_used_at: None,
            last_step: Some(counter),
            pending: None,
        },
    )?;
    Ok(Registered::Active)
}

/// The new credential, if the answer is to this challenge.
fn registered(op: &Provider, state: &[u8], answer: &str) -> Option<KeyCredential> {
    let (host, origin) = op.key_scope()?;
    let rp_id = rp_id(&host)?;
    let state = RegistrationServerState::<HANDLE_BYTES>::decode(state).ok()?;
    let told = |error: &dyn std::fmt::Display| {
        log::warn!("event=security_key.refused reason={}", quote(error));
    };
    let answer = Registration::from_json_relaxed(answer.as_bytes())
        .inspect_err(|error| told(error))
        .ok()?;
    let origins = [origin.as_str()];
    let options = RegistrationVerificationOptions::<'_, '_, &str, &str> {
        allowed_origins: &origins,
        // Browsers protect credentials of keys on their own, and keys say so.
        error_on_unsolicited_extensions: false,
        ..Default::default()
    };
    let new = state
        .verify(&rp_id, &answer, &options)
        .inspect_err(|error| told(error))
        .ok()?;
    let Ok(transports) = new.transports().encode();
    let Ok(seen) = new.dynamic_state().encode();
    let Ok(public_key) = new.static_state().encode();
    let mut kept = vec![transports];
    kept.extend(seen);
    kept.extend(public_key);
    Some(KeyCredential {
        credential_id: BASE64URL_NOPAD.encode(new.id().as_ref()),
        rp_id: host,
        public_key: kept,
    })
}
