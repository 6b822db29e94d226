//! What people hold beside a password: apps that make one-time codes, security keys.

use super::column::{Row, can_be_stored, free_text};
use super::connection::on_backend;
use super::schema::authenticator;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{AccountId, Authenticator, KeyCredential, Method, Pending};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = authenticator)]
struct AuthenticatorRow {
    id: String,
    account_id: String,
    method: String,
    name: String,
    sealed: Vec<u8>,
    created_at: i64,
    last_used_at: Option<i64>,
    last_step: Option<i64>,
    expires_at: Option<i64>,
    begun_in: Option<String>,
    credential_id: Option<String>,
    rp_id: Option<String>,
    public_key: Option<Vec<u8>>,
}

impl AuthenticatorRow {
    fn decode(self) -> Result<Authenticator, StoreError> {
        let row = Row {
            table: "authenticator",
            key: &self.id,
        };
        let key = match (self.credential_id, self.rp_id, self.public_key) {
            (Some(credential_id), Some(rp_id), Some(public_key)) => Some(KeyCredential {
                credential_id,
                rp_id,
                public_key,
            }),
            (None, None, None) => None,
            _ => return Err(row.corrupt("credential_id")),
        };
        Ok(Authenticator {
            key,
            method: Method::from_name(&self.method).ok_or_else(|| row.corrupt("method"))?,
            id: self.id,
            account: AccountId::new(self.account_id),
            name: self.name,
            sealed: self.sealed,
            created_at: UtcTime(self.created_at),
            last_used_at: self.last_used_at.map(UtcTime),
            last_step: self.last_step,
            pending: self.expires_at.map(|until| Pending {
                until: UtcTime(until),
                begun_in: self.begun_in.unwrap_or_default(),
            }),
        })
    }
}

/// Adds one.
///
/// # Errors
/// The database's; the account must exist.
pub fn insert(conn: &mut DbConn, new: &Authenticator) -> Result<(), StoreError> {
    let key = new.key.as_ref();
    diesel::insert_into(authenticator::table)
        .values((
            authenticator::id.eq(&new.id),
            authenticator::account_id.eq(new.account.as_str()),
            authenticator::method.eq(new.method.name()),
            authenticator::name.eq(free_text(&new.name)),
            authenticator::sealed.eq(&new.sealed),
            authenticator::created_at.eq(new.created_at.0),
            authenticator::last_used_at.eq(new.last_used_at.map(i64::from)),
            authenticator::last_step.eq(new.last_step),
            authenticator::expires_at.eq(new.pending.as_ref().map(|pending| pending.until.0)),
            authenticator::begun_in.eq(new.pending.as_ref().map(|pending| &pending.begun_in)),
            authenticator::credential_id.eq(key.map(|key| &key.credential_id)),
            authenticator::rp_id.eq(key.map(|key| &key.rp_id)),
            authenticator::public_key.eq(key.map(|key| &key.public_key)),
        ))
        .execute(conn)?;
    Ok(())
}

/// A person's, those that wait for their first code too unless they have waited too long; oldest first.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    account: &AccountId,
    now: UtcTime,
) -> Result<Vec<Authenticator>, StoreError> {
    let rows: Vec<AuthenticatorRow> = authenticator::table
        .filter(authenticator::account_id.eq(account.as_str()))
        .filter(
            authenticator::expires_at
                .is_null()
                .or(authenticator::expires_at.gt(now.0)),
        )
        .order((authenticator::created_at, authenticator::id))
        .select(AuthenticatorRow::as_select())
        .load(conn)?;
    rows.into_iter().map(AuthenticatorRow::decode).collect()
}

/// Those of several people that count, oldest first of each; as many people as a page has.
///
/// # Errors
/// The database's.
pub fn active_of(
    conn: &mut DbConn,
    accounts: &[&AccountId],
) -> Result<Vec<Authenticator>, StoreError> {
    let keys: Vec<&str> = accounts.iter().map(|account| account.as_str()).collect();
    let rows: Vec<AuthenticatorRow> = on_backend!(conn, c => authenticator::table
        .filter(authenticator::account_id.eq_any(&keys))
        .filter(authenticator::expires_at.is_null())
        .order((authenticator::account_id, authenticator::created_at, authenticator::id))
        .select(AuthenticatorRow::as_select())
        .load(c))?;
    rows.into_iter().map(AuthenticatorRow::decode).collect()
}

/// The first code arrived: from now on it counts. False: it waited too long, counts already, or is unknown.
///
/// # Errors
/// The database's.
pub fn confirm(conn: &mut DbConn, id: &str, step: i64, now: UtcTime) -> Result<bool, StoreError> {
    let changed = diesel::update(
        authenticator::table
            .filter(authenticator::id.eq(id))
            .filter(authenticator::expires_at.gt(now.0)),
    )
    .set((
        authenticator::expires_at.eq(None::<i64>),
        authenticator::begun_in.eq(None::<String>),
        authenticator::last_step.eq(step),
        authenticator::last_used_at.eq(now.0),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Spends a time step: codes of this one and of earlier ones no longer count (RFC 6238 §5.2). False: it was spent
/// before.
///
/// # Errors
/// The database's.
pub fn redeem_step(
    conn: &mut DbConn,
    id: &str,
    step: i64,
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        authenticator::table
            .filter(authenticator::id.eq(id))
            .filter(authenticator::expires_at.is_null())
            .filter(
                authenticator::last_step
                    .is_null()
                    .or(authenticator::last_step.lt(step)),
            ),
    )
    .set((
        authenticator::last_step.eq(step),
        authenticator::last_used_at.eq(now.0),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// The security key that calls its credential so, whosever it is.
///
/// # Errors
/// The database's.
pub fn find_by_credential(
    conn: &mut DbConn,
    credential_id: &str,
) -> Result<Option<Authenticator>, StoreError> {
    if !can_be_stored(credential_id) {
        return Ok(None);
    }
    authenticator::table
        .filter(authenticator::credential_id.eq(credential_id))
        .select(AuthenticatorRow::as_select())
        .get_result(conn)
        .optional()?
        .map(AuthenticatorRow::decode)
        .transpose()
}

/// Notes the use of a security key, whose counter has gone from one value to the next. False: somebody else noted one
/// meanwhile, or it is gone.
///
/// # Errors
/// The database's.
pub fn count(
    conn: &mut DbConn,
    id: &str,
    (before, after): (i64, i64),
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        authenticator::table
            .filter(authenticator::id.eq(id))
            .filter(authenticator::last_step.eq(before)),
    )
    .set((
        authenticator::last_step.eq(after),
        authenticator::last_used_at.eq(now.0),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Calls one of a person's otherwise. False: there is no such one.
///
/// # Errors
/// The database's.
pub fn rename(
    conn: &mut DbConn,
    account: &AccountId,
    id: &str,
    name: &str,
) -> Result<bool, StoreError> {
    if !can_be_stored(id) || !can_be_stored(name) {
        return Ok(false);
    }
    let renamed = diesel::update(
        authenticator::table
            .filter(authenticator::id.eq(id))
            .filter(authenticator::account_id.eq(account.as_str()))
            .filter(authenticator::expires_at.is_null()),
    )
    .set(authenticator::name.eq(name))
    .execute(conn)?;
    Ok(renamed == 1)
}

/// Removes one of a person's. False: there is no such one.
///
/// # Errors
/// The database's.
pub fn remove(conn: &mut DbConn, account: &AccountId, id: &str) -> Result<bool, StoreError> {
    if !can_be_stored(id) {
        return Ok(false);
    }
    let removed = diesel::delete(
        authenticator::table
            .filter(authenticator::id.eq(id))
            .filter(authenticator::account_id.eq(account.as_str())),
    )
    .execute(conn)?;
    Ok(removed == 1)
}

/// Removes those of a person that wait for their first code.
///
/// # Errors
/// The database's.
pub fn remove_pending(conn: &mut DbConn, account: &AccountId) -> Result<(), StoreError> {
    diesel::delete(
        authenticator::table
            .filter(authenticator::account_id.eq(account.as_str()))
            .filter(authenticator::expires_at.is_not_null()),
    )
    .execute(conn)?;
    Ok(())
}

/// Removes all of a person; returns how many.
///
/// # Errors
/// The database's.
pub fn remove_all(conn: &mut DbConn, account: &AccountId) -> Result<usize, StoreError> {
    Ok(
        diesel::delete(authenticator::table.filter(authenticator::account_id.eq(account.as_str())))
            .execute(conn)?,
    )
}
