//! People of the identity registry.

use super::column::{Row, can_be_stored, to_json};
use super::connection::on_backend;
use super::schema::account;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{Account, AccountId};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = account)]
struct AccountRow {
    id: String,
    username: String,
    password_hash: Option<String>,
    enabled: bool,
    attributes: String,
    created_at: i64,
    updated_at: i64,
}

impl AccountRow {
    fn decode(self) -> Result<Account, StoreError> {
        let row = Row {
            table: "account",
            key: &self.id,
        };
        Ok(Account {
            attributes: row.json("attributes", &self.attributes)?,
            id: AccountId::new(self.id),
            username: self.username,
            password_hash: self.password_hash,
            enabled: self.enabled,
            created_at: UtcTime(self.created_at),
            updated_at: UtcTime(self.updated_at),
        })
    }
}

/// Which people to show, by username.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPage {
    /// Only usernames that begin so; compared exactly.
    pub prefix: String,
    /// Only after this username: where the last page ended.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// Adds a person.
///
/// # Errors
/// [`StoreError::is_duplicate`] when the id or the username is taken.
pub fn insert(conn: &mut DbConn, account: &Account) -> Result<(), StoreError> {
    let attributes = to_json(&account.attributes)?;
    diesel::insert_into(account::table)
        .values((
            account::id.eq(account.id.as_str()),
            account::username.eq(&account.username),
            account::password_hash.eq(account.password_hash.as_deref()),
            account::enabled.eq(account.enabled),
            account::attributes.eq(&attributes),
            account::created_at.eq(account.created_at.0),
            account::updated_at.eq(account.updated_at.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// The person of this key.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, id: &AccountId) -> Result<Option<Account>, StoreError> {
    if !can_be_stored(id.as_str()) {
        return Ok(None);
    }
    account::table
        .filter(account::id.eq(id.as_str()))
        .select(AccountRow::as_select())
        .get_result(conn)
        .optional()?
        .map(AccountRow::decode)
        .transpose()
}

/// The person who types this username; compared exactly.
///
/// # Errors
/// The database's.
pub fn find_by_username(conn: &mut DbConn, username: &str) -> Result<Option<Account>, StoreError> {
    if !can_be_stored(username) {
        return Ok(None);
    }
    account::table
        .filter(account::username.eq(username))
        .select(AccountRow::as_select())
        .get_result(conn)
        .optional()?
        .map(AccountRow::decode)
        .transpose()
}

/// A page of people, by username byte for byte.
///
/// # Errors
/// The database's.
pub fn search(conn: &mut DbConn, page: &AccountPage) -> Result<Vec<Account>, StoreError> {
    if !can_be_stored(&page.prefix) {
        return Ok(Vec::new());
    }
    let after = page.after.as_deref().filter(|after| can_be_stored(after));
    let rows: Vec<AccountRow> = on_backend!(conn, c => {
        let mut query = account::table
            .select(AccountRow::as_select())
            .order(account::username)
            .limit(i64::from(page.limit))
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(account::username.gt(after));
        }
        if !page.prefix.is_empty() {
            // A range, since LIKE ignores case in SQLite; no character is greater than the last one.
            query = query
                .filter(account::username.ge(&page.prefix))
                .filter(account::username.lt(format!("{}\u{10ffff}", page.prefix)));
        }
        query.load(c)
    })?;
    rows.into_iter().map(AccountRow::decode).collect()
}

/// Replaces everything of a person but the key and the time of making.
///
/// # Errors
/// [`StoreError::is_duplicate`] when the new username is taken.
pub fn update(conn: &mut DbConn, account: &Account) -> Result<bool, StoreError> {
    let attributes = to_json(&account.attributes)?;
    let changed = diesel::update(account::table.filter(account::id.eq(account.id.as_str())))
        .set((
            account::username.eq(&account.username),
            account::password_hash.eq(account.password_hash.as_deref()),
            account::enabled.eq(account.enabled),
            account::attributes.eq(&attributes),
            account::updated_at.eq(account.updated_at.0),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Import: adds the person, or replaces the one of the same username, who keeps key and time of making (the key is what
/// pairwise subjects and history hang on). Returns the key that the person has.
///
/// # Errors
/// The database's.
pub fn upsert(conn: &mut DbConn, account: &Account) -> Result<AccountId, StoreError> {
    let attributes = to_json(&account.attributes)?;
    let replaced = (
        account::password_hash.eq(account.password_hash.as_deref()),
        account::enabled.eq(account.enabled),
        account::attributes.eq(&attributes),
        account::updated_at.eq(account.updated_at.0),
    );
    let id: String = on_backend!(conn, c => diesel::insert_into(account::table)
        .values((
            account::id.eq(account.id.as_str()),
            account::username.eq(&account.username),
            account::created_at.eq(account.created_at.0),
            replaced,
        ))
        .on_conflict(account::username)
        .do_update()
        .set(replaced)
        .returning(account::id)
        .get_result(c))?;
    Ok(AccountId::new(id))
}

/// Switches a person on or off; false when there is no such person.
///
/// # Errors
/// The database's.
pub fn set_enabled(
    conn: &mut DbConn,
    id: &AccountId,
    enabled: bool,
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(account::table.filter(account::id.eq(id.as_str())))
        .set((account::enabled.eq(enabled), account::updated_at.eq(now.0)))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Sets or removes the argon2id PHC string; false when there is no such person.
///
/// # Errors
/// The database's.
pub fn set_password(
    conn: &mut DbConn,
    id: &AccountId,
    password_hash: Option<&str>,
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(account::table.filter(account::id.eq(id.as_str())))
        .set((
            account::password_hash.eq(password_hash),
            account::updated_at.eq(now.0),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// The language that a person chose, as its code.
///
/// # Errors
/// The database's.
pub fn language(conn: &mut DbConn, id: &AccountId) -> Result<Option<String>, StoreError> {
    let found: Option<Option<String>> = account::table
        .filter(account::id.eq(id.as_str()))
        .select(account::language)
        .get_result(conn)
        .optional()?;
    Ok(found.flatten())
}

/// Keeps the language that a person chose; false when there is no such person.
///
/// # Errors
/// The database's.
pub fn set_language(conn: &mut DbConn, id: &AccountId, code: &str) -> Result<bool, StoreError> {
    let changed = diesel::update(account::table.filter(account::id.eq(id.as_str())))
        .set(account::language.eq(code))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Secrets of one-time codes that version 0.1 kept readable, with whose they are; see
/// [`crate::accounts::second_factor::seal_readable`].
///
/// # Errors
/// The database's.
pub fn readable_totp_secrets(
    conn: &mut DbConn,
    limit: u32,
) -> Result<Vec<(AccountId, String)>, StoreError> {
    let rows: Vec<(String, Option<String>)> = account::table
        .filter(account::totp_secret.is_not_null())
        .select((account::id, account::totp_secret))
        .limit(i64::from(limit))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, secret)| Some((AccountId::new(id), secret?)))
        .collect())
}

/// Removes such a secret. False: another node did.
///
/// # Errors
/// The database's.
pub fn forget_readable_totp_secret(conn: &mut DbConn, id: &AccountId) -> Result<bool, StoreError> {
    let changed = diesel::update(
        account::table
            .filter(account::id.eq(id.as_str()))
            .filter(account::totp_secret.is_not_null()),
    )
    .set(account::totp_secret.eq(None::<String>))
    .execute(conn)?;
    Ok(changed == 1)
}

/// How many people there are.
///
/// # Errors
/// The database's.
pub fn count(conn: &mut DbConn) -> Result<i64, StoreError> {
    Ok(account::table.count().get_result(conn)?)
}
