//! Relying parties: the switch, tokens, secrets, and those that an operator registers.
//!
//! ```text
//! form, options or file ─► Draft (text by field) ─check─► Accepted ─► register or edit: one transaction with the trail
//!                                                  └► Fault by field, for the page and for the command
//! ```

pub mod draft;
pub mod exchange;
mod field;
mod refresh;
mod tolerance;
mod uris;

pub use draft::{Accepted, Draft, Rules, SECRET_METHODS, check_keys, is_client_id};
pub use field::{Fault, Field, Problem};
pub use refresh::{can_refresh, failure, refresh};
pub use tolerance::{MOST_LEEWAY_SECONDS, ToleranceField, Tolerated, read_tolerance, tolerate};

use super::record;
use crate::clock::UtcTime;
use crate::model::{
    Actor, ClientId, ClientMetadata, Deed, IssuerId, Origin, PreviousSecret, RelyingParty,
};
use crate::provider::keys_due;
use crate::random;
use crate::secret::{self, Secret};
use crate::store::{DbConn, StoreError, client, client_desk, renewal};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// Grants that are revoked in one transaction: logins get through in between.
pub const REVOKED_AT_ONCE: u32 = 500;
/// The old secret counts at most so long beside the new one: 30 days.
pub const MOST_OVERLAP_SECONDS: i64 = 30 * 86_400;

/// Which RP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyKey {
    /// The issuer that knows it.
    pub issuer: IssuerId,
    /// Its `client_id`.
    pub client_id: ClientId,
}

impl PartyKey {
    fn parts(&self) -> (&IssuerId, &ClientId) {
        (&self.issuer, &self.client_id)
    }

    /// What the trail calls it.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("rp {} at {}", self.client_id, self.issuer)
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PartyError {
    /// The issuer has none of this `client_id`.
    #[error("this issuer knows no relying party of this client_id; `varco rp list` shows all")]
    Unknown,
    /// The issuer has one of this `client_id`.
    #[error(
        "this issuer has a relying party of this client_id already; --replace replaces it and its secret"
    )]
    Exists,
    /// It comes from a federation.
    #[error(
        "it registered itself through the federation: only what an operator registered can be changed here"
    )]
    NotRegistered,
    /// Its authentication method needs none.
    #[error("this relying party has no client secret: its authentication method needs none")]
    NoSecret,
    /// The old secret would count too long.
    #[error("the old secret can count for 0 to 2592000 seconds (30 days) beside the new one")]
    Overlap,
    /// Somebody else changed it.
    #[error(
        "it was changed by somebody else meanwhile; look at it again and repeat what you wanted to do"
    )]
    Changed,
    /// Nobody is asked about it.
    #[error(
        "nobody is asked about this relying party: an operator wrote everything down, or it registers itself"
    )]
    NothingToAsk,
    /// Too many are being looked at.
    #[error("too many relying parties are being looked at now; try again in a moment")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refuses an RP at every node, or accepts it again.
///
/// # Errors
/// `Unknown`.
pub fn set_enabled(
    conn: &mut DbConn,
    actor: &Actor,
    (key, enabled): (&PartyKey, bool),
    now: UtcTime,
) -> Result<(), PartyError> {
    let before = client::find(conn, &key.issuer, &key.client_id)?.ok_or(PartyError::Unknown)?;
    client::set_enabled(conn, &key.issuer, &key.client_id, enabled)?;
    let action = if enabled { "rp.enable" } else { "rp.disable" };
    let was = json!({ "enabled": before.enabled });
    tell(
        conn,
        actor,
        (action, key),
        (Some(was), Some(json!({ "enabled": enabled }))),
        now,
    )?;
    Ok(())
}

/// Revokes what people allowed an RP, [`REVOKED_AT_ONCE`] grants at most; returns how many. The caller goes on until it is
/// fewer.
///
/// # Errors
/// `Unknown`.
pub fn revoke_tokens(
    conn: &mut DbConn,
    actor: &Actor,
    key: &PartyKey,
    now: UtcTime,
) -> Result<usize, PartyError> {
    client::find(conn, &key.issuer, &key.client_id)?.ok_or(PartyError::Unknown)?;
    let revoked = client_desk::revoke_grants(conn, key.parts(), now, REVOKED_AT_ONCE)?;
    if revoked > 0 {
        let is = json!({ "grants_revoked": revoked });
        tell(
            conn,
            actor,
            ("rp.revoke_tokens", key),
            (None, Some(is)),
            now,
        )?;
    }
    Ok(revoked)
}

/// Removes an RP that an operator registered. Its tokens are revoked before, by [`revoke_tokens`].
///
/// # Errors
/// `Unknown`, `NotRegistered`.
pub fn delete(
    conn: &mut DbConn,
    actor: &Actor,
    key: &PartyKey,
    now: UtcTime,
) -> Result<(), PartyError> {
    let before = registered(conn, key)?;
    if !client_desk::delete_registered(conn, &key.issuer, &key.client_id)? {
        return Err(PartyError::Unknown);
    }
    let was = Draft::of(&before).to_json();
    tell(conn, actor, ("rp.delete", key), (Some(was), None), now)?;
    Ok(())
}

/// The RP, if an operator registered it.
fn registered(conn: &mut DbConn, key: &PartyKey) -> Result<RelyingParty, PartyError> {
    let found = client::find(conn, &key.issuer, &key.client_id)?.ok_or(PartyError::Unknown)?;
    match found.origin {
        Origin::Registered => Ok(found),
        Origin::Federation(_) | Origin::Explicit(_) => Err(PartyError::NotRegistered),
    }
}

/// A new secret; the one before counts beside it for a while, and the one before that no longer. `seen` is
/// [`secret_mark`] as the operator saw it: whoever sends the form twice rotates once.
///
/// # Errors
/// `Unknown`, `NotRegistered`, `NoSecret`, `Overlap`, `Changed`.
pub fn rotate_secret(
    conn: &mut DbConn,
    actor: &Actor,
    (key, overlap_seconds, seen): (&PartyKey, i64, Option<&str>),
    now: UtcTime,
) -> Result<Secret<String>, PartyError> {
    if !(0..=MOST_OVERLAP_SECONDS).contains(&overlap_seconds) {
        return Err(PartyError::Overlap);
    }
    registered(conn, key)?;
    let new = Secret::new(random::token());
    let until = now.plus_seconds(overlap_seconds);
    let changed = client_desk::replace(conn, key.parts(), now, |mut party| {
        if !has_secret(&party.metadata) {
            return Err(PartyError::NoSecret);
        }
        if seen.is_some_and(|seen| seen != secret_mark(&party.metadata)) {
            return Err(PartyError::Changed);
        }
        let old = party.metadata.client_secret_sha256.replace(hash_of(&new));
        party.metadata.previous_secret = old
            .filter(|_| overlap_seconds > 0)
            .map(|sha256| PreviousSecret { sha256, until });
        Ok(party)
    })?;
    changed.ok_or(PartyError::Changed)?;
    let is = json!({ "old_secret_until": until.to_rfc3339() });
    tell(
        conn,
        actor,
        ("rp.rotate_secret", key),
        (None, Some(is)),
        now,
    )?;
    Ok(new)
}

/// Tells one secret from the next, and says nothing of either.
#[must_use]
pub fn secret_mark(metadata: &ClientMetadata) -> String {
    let of = metadata.client_secret_sha256.as_deref().unwrap_or_default();
    let mark = BASE64URL_NOPAD.encode(&secret::sha256(format!("mark {of}").as_bytes()));
    mark.chars().take(16).collect()
}

/// Whether the RP authenticates with a secret.
#[must_use]
pub fn has_secret(metadata: &ClientMetadata) -> bool {
    let method = metadata.token_endpoint_auth_method.as_deref();
    method.is_some_and(|method| SECRET_METHODS.contains(&method))
}

fn hash_of(secret: &Secret<String>) -> String {
    BASE64URL_NOPAD.encode(&secret::sha256(secret.expose().as_bytes()))
}

/// Registers an RP; its secret, if its method needs one, is shown now and never again. `replace`: one that is there is
/// replaced, if an operator registered it.
///
/// # Errors
/// `Exists`, `NotRegistered`.
pub fn register(
    conn: &mut DbConn,
    actor: &Actor,
    (key, accepted, replace): (&PartyKey, &Accepted, bool),
    now: UtcTime,
) -> Result<Option<Secret<String>>, PartyError> {
    let mut party = accepted.party(key, now);
    let new = has_secret(&party.metadata).then(|| Secret::new(random::token()));
    party.metadata.client_secret_sha256 = new.as_ref().map(hash_of);
    let mut before = None;
    let replaced = client::insert_or_replace(conn, &party, |current| match current.origin {
        Origin::Registered if replace => {
            before = Some(current.clone());
            Ok(Draft::of(current).to_json())
        }
        Origin::Federation(_) | Origin::Explicit(_) if replace => Err(PartyError::NotRegistered),
        Origin::Registered | Origin::Federation(_) | Origin::Explicit(_) => Err(PartyError::Exists),
    })?;
    follow_keys(conn, before.as_ref(), &party)?;
    let is = Draft::of(&party).to_json();
    tell(conn, actor, ("rp.register", key), (replaced, Some(is)), now)?;
    Ok(new)
}

/// What became of an edit.
#[derive(Debug)]
pub enum Edited {
    /// It is as it should be; the secret that it needs now, if it had none.
    Saved(Option<Secret<String>>),
    /// Somebody else changed it since `base`: this is how it is.
    Changed(Box<Draft>),
}

/// Changes an RP from what the operator saw (`base`) to what they want.
///
/// # Errors
/// `Unknown`, `NotRegistered`.
pub fn edit(
    conn: &mut DbConn,
    actor: &Actor,
    (key, base, wanted): (&PartyKey, &Draft, &Accepted),
    now: UtcTime,
) -> Result<Edited, PartyError> {
    let stored = registered(conn, key)?;
    let before = Draft::of(&stored);
    if before != *base {
        return Ok(Edited::Changed(Box::new(before)));
    }
    let mut new_secret = None;
    let changed = client_desk::replace(conn, key.parts(), now, |mut party| {
        if Draft::of(&party) != *base {
            return Err(PartyError::Changed);
        }
        wanted.apply(&mut party);
        match (
            has_secret(&party.metadata),
            &party.metadata.client_secret_sha256,
        ) {
            (true, None) => {
                let secret = Secret::new(random::token());
                party.metadata.client_secret_sha256 = Some(hash_of(&secret));
                new_secret = Some(secret);
            }
            (true, Some(_)) => {}
            (false, _) => {
                party.metadata.client_secret_sha256 = None;
                party.metadata.previous_secret = None;
            }
        }
        Ok(party)
    })?;
    let Some(party) = changed else {
        return Ok(Edited::Changed(Box::new(Draft::of(&registered(
            conn, key,
        )?))));
    };
    follow_keys(conn, Some(&stored), &party)?;
    let (was, is) = before.difference(&Draft::of(&party));
    tell(conn, actor, ("rp.edit", key), (Some(was), Some(is)), now)?;
    Ok(Edited::Saved(new_secret))
}

/// Has the keys of an address asked for by the next round of renewals, and no longer those of one that it left.
fn follow_keys(
    conn: &mut DbConn,
    before: Option<&RelyingParty>,
    party: &RelyingParty,
) -> Result<(), StoreError> {
    let was = before.and_then(|before| before.metadata.jwks_uri.as_ref());
    match keys_due(party, party.updated_at) {
        Some(due) if was != party.metadata.jwks_uri.as_ref() => renewal::insert(conn, &due),
        Some(_) => Ok(()),
        None => renewal::delete(conn, &party.issuer, &party.client_id),
    }
}

fn tell(
    conn: &mut DbConn,
    actor: &Actor,
    (action, key): (&'static str, &PartyKey),
    (before, after): (Option<Value>, Option<Value>),
    now: UtcTime,
) -> Result<(), StoreError> {
    let deed = Deed {
        action,
        subject: key.subject(),
        before,
        after,
    };
    record(conn, actor, &deed, now)
}
