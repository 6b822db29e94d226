//! What operators do to one relying party: changing those of their own, and taking back what came of one.

use super::client::find;
use super::column::{can_be_stored, to_json};
use super::connection::on_backend;
use super::grant::revoke_these;
use super::schema::{access_grant, client};
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{ClientId, IssuerId, Origin, RelyingParty, RpToleranceOverride};
use diesel::prelude::*;

/// Changes an RP as `change` says, if it is still then what `change` was shown: one conditional UPDATE. `None`: it is not,
/// or there is no such RP.
///
/// # Errors
/// What `change` refuses; the database's.
pub fn replace<E: From<StoreError>>(
    conn: &mut DbConn,
    (issuer, client_id): (&IssuerId, &ClientId),
    now: UtcTime,
    change: impl FnOnce(RelyingParty) -> Result<RelyingParty, E>,
) -> Result<Option<RelyingParty>, E> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(None);
    }
    let texts = client::table
        .find((issuer.as_str(), client_id.as_str()))
        .select((client::metadata, client::jwks, client::origin))
        .get_result::<(String, String, String)>(conn)
        .optional()
        .map_err(StoreError::from)?;
    let (Some((metadata, jwks, origin)), Some(read)) = (texts, find(conn, issuer, client_id)?)
    else {
        return Ok(None);
    };
    let mut new = change(read)?;
    new.updated_at = now;
    let written = diesel::update(
        client::table
            .find((issuer.as_str(), client_id.as_str()))
            .filter(client::metadata.eq(metadata))
            .filter(client::jwks.eq(jwks))
            .filter(client::origin.eq(origin)),
    )
    .set((
        client::metadata.eq(to_json(&new.metadata)?),
        client::jwks.eq(to_json(&new.jwks)?),
        client::updated_at.eq(now.0),
    ))
    .execute(conn)
    .map_err(StoreError::from)?;
    Ok((written == 1).then_some(new))
}

/// Sets what is tolerated of an RP, if it is still as it was `seen`. False: it is not, or there is no such RP.
///
/// # Errors
/// The database's.
pub fn set_tolerance(
    conn: &mut DbConn,
    (issuer, client_id): (&IssuerId, &ClientId),
    seen: &RpToleranceOverride,
    wanted: &RpToleranceOverride,
) -> Result<bool, StoreError> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(false);
    }
    let text = |tolerance: &RpToleranceOverride| {
        let says_something = *tolerance != RpToleranceOverride::default();
        says_something.then(|| to_json(tolerance)).transpose()
    };
    let (seen, wanted) = (text(seen)?, text(wanted)?);
    let written = on_backend!(conn, c => {
        let row = client::table
            .filter(client::issuer.eq(issuer.as_str()))
            .filter(client::client_id.eq(client_id.as_str()));
        let new = client::tolerance.eq(&wanted);
        match &seen {
            Some(seen) => diesel::update(row.filter(client::tolerance.eq(seen))).set(new).execute(c),
            None => diesel::update(row.filter(client::tolerance.is_null())).set(new).execute(c),
        }
    })?;
    Ok(written == 1)
}

/// Removes an RP that an operator registered; its grants and history stay. False: there is no such RP.
///
/// # Errors
/// The database's.
pub fn delete_registered(
    conn: &mut DbConn,
    issuer: &IssuerId,
    client_id: &ClientId,
) -> Result<bool, StoreError> {
    let is_registered = find(conn, issuer, client_id)?
        .is_some_and(|party| matches!(party.origin, Origin::Registered));
    if is_registered {
        super::client::delete(conn, issuer, client_id)
    } else {
        Ok(false)
    }
}

/// How many grants of an RP have not ended; nobody counts further than `most`.
///
/// # Errors
/// The database's.
pub fn count_grants(
    conn: &mut DbConn,
    (issuer, client_id): (&IssuerId, &ClientId),
    now: UtcTime,
    most: u32,
) -> Result<usize, StoreError> {
    Ok(live_grants(conn, (issuer, client_id), now, most)?.len())
}

/// Revokes at most `most` grants of an RP with their tokens, and marks their history; returns how many.
///
/// # Errors
/// The database's.
pub fn revoke_grants(
    conn: &mut DbConn,
    (issuer, client_id): (&IssuerId, &ClientId),
    now: UtcTime,
    most: u32,
) -> Result<usize, StoreError> {
    let ids = live_grants(conn, (issuer, client_id), now, most)?;
    revoke_these(conn, &ids, now)?;
    Ok(ids.len())
}

fn live_grants(
    conn: &mut DbConn,
    (issuer, client_id): (&IssuerId, &ClientId),
    now: UtcTime,
    most: u32,
) -> Result<Vec<String>, StoreError> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(Vec::new());
    }
    // The newest first, as the index has them: what is live is mostly there.
    Ok(access_grant::table
        .filter(access_grant::issuer.eq(issuer.as_str()))
        .filter(access_grant::client_id.eq(client_id.as_str()))
        .filter(access_grant::revoked_at.is_null())
        .filter(access_grant::expires_at.gt(now.0))
        .order((access_grant::created_at.desc(), access_grant::id.desc()))
        .select(access_grant::id)
        .limit(i64::from(most))
        .load(conn)?)
}
