//! Many people at once, for imports and lists.

use super::{AccountRow, upsert};
use crate::model::{Account, AccountId};
use crate::store::column::to_json;
use crate::store::connection::on_backend;
use crate::store::schema::account;
use crate::store::{DbConn, StoreError};
use diesel::prelude::*;
use diesel::upsert::excluded;
use std::collections::{BTreeSet, HashMap};

/// The people of these usernames, locked until the end of the transaction (SQLite has one writer anyway).
///
/// # Errors
/// The database's.
pub fn find_all_by_username(
    conn: &mut DbConn,
    usernames: &[&str],
) -> Result<Vec<Account>, StoreError> {
    let wanted = account::table
        .filter(account::username.eq_any(usernames))
        .order(account::username);
    let rows: Vec<AccountRow> = match conn {
        DbConn::Postgres(c) => wanted
            .select(AccountRow::as_select())
            .for_update()
            .load(c)?,
        DbConn::Sqlite(c) => wanted.select(AccountRow::as_select()).load(c)?,
    };
    rows.into_iter().map(AccountRow::decode).collect()
}

/// The hashes of the passwords of those of these usernames who have one.
///
/// # Errors
/// The database's.
pub fn password_hashes(
    conn: &mut DbConn,
    usernames: &[&str],
) -> Result<HashMap<String, String>, StoreError> {
    let rows: Vec<(String, Option<String>)> = account::table
        .filter(account::username.eq_any(usernames))
        .filter(account::password_hash.is_not_null())
        .select((account::username, account::password_hash))
        .load(conn)?;
    let known = rows.into_iter();
    Ok(known
        .filter_map(|(username, hash)| Some((username, hash?)))
        .collect())
}

/// What the people of a list are called, by their keys.
///
/// # Errors
/// The database's.
pub fn usernames(
    conn: &mut DbConn,
    ids: &[AccountId],
) -> Result<HashMap<AccountId, String>, StoreError> {
    let keys: BTreeSet<&str> = ids.iter().map(AccountId::as_str).collect();
    let found: Vec<(String, String)> = on_backend!(conn, c => account::table
        .filter(account::id.eq_any(&keys))
        .select((account::id, account::username))
        .load(c))?;
    let named = |(id, username)| (AccountId::new(id), username);
    Ok(found.into_iter().map(named).collect())
}

/// As [`upsert`], for many people of different usernames; returns the key of each username. PostgreSQL takes all in one
/// statement, SQLite prepares one for all.
///
/// # Errors
/// The database's.
pub fn upsert_all(
    conn: &mut DbConn,
    people: &[Account],
) -> Result<HashMap<String, AccountId>, StoreError> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let c = match conn {
        DbConn::Postgres(c) => c,
        sqlite @ DbConn::Sqlite(_) => {
            return people
                .iter()
                .map(|person| Ok((person.username.clone(), upsert(sqlite, person)?)))
                .collect();
        }
    };
    let rows = people
        .iter()
        .map(|person| {
            Ok((
                account::id.eq(person.id.as_str()),
                account::username.eq(&person.username),
                account::created_at.eq(person.created_at.0),
                account::password_hash.eq(person.password_hash.as_deref()),
                account::enabled.eq(person.enabled),
                account::attributes.eq(to_json(&person.attributes)?),
                account::updated_at.eq(person.updated_at.0),
            ))
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let written: Vec<(String, String)> = diesel::insert_into(account::table)
        .values(rows)
        .on_conflict(account::username)
        .do_update()
        .set((
            account::password_hash.eq(excluded(account::password_hash)),
            account::enabled.eq(excluded(account::enabled)),
            account::attributes.eq(excluded(account::attributes)),
            account::updated_at.eq(excluded(account::updated_at)),
        ))
        .returning((account::username, account::id))
        .get_results(c)?;
    Ok(written
        .into_iter()
        .map(|(username, id)| (username, AccountId::new(id)))
        .collect())
}
