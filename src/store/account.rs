//! People of the identity registry.

mod bulk;

pub use bulk::{find_all_by_username, password_hashes, upsert_all, usernames};

use super::column::{Row, can_be_stored, to_json};
use super::connection::on_backend;
use super::keyset::{Page, TextCursor, end_of_prefix, fetched};
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

/// What people are looked up by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountKey {
    /// Usernames that begin so, compared exactly; by username.
    Username(String),
    /// A fiscal number, with or without the country that gave it.
    FiscalNumber(String),
    /// E-mail addresses that begin so, whatever the case; by address.
    Email(String),
}

/// Which people to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFilter {
    /// By what, and so in which order.
    pub by: AccountKey,
    /// Only those that are on, or off.
    pub enabled: Option<bool>,
}

impl AccountFilter {
    /// Everybody, by username.
    #[must_use]
    pub fn all() -> Self {
        Self {
            by: AccountKey::Username(String::new()),
            enabled: None,
        }
    }
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

/// The person of a fiscal number, as the registry writes it (`TINIT-…`). None where two have it: it would be anybody's guess
/// which of them holds the card.
///
/// # Errors
/// The database's.
pub fn find_by_fiscal_number(
    conn: &mut DbConn,
    number: &str,
) -> Result<Option<Account>, StoreError> {
    let mut rows: Vec<AccountRow> = account::table
        .filter(account::fiscal_number.eq(number))
        .select(AccountRow::as_select())
        .limit(2)
        .load(conn)?;
    match (rows.pop(), rows.is_empty()) {
        (Some(only), true) => only.decode().map(Some),
        _ => Ok(None),
    }
}

/// A page of people.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    filter: &AccountFilter,
    after: Option<&TextCursor>,
    limit: u32,
) -> Result<Page<Account, TextCursor>, StoreError> {
    let (AccountKey::Username(text) | AccountKey::FiscalNumber(text) | AccountKey::Email(text)) =
        &filter.by;
    if !can_be_stored(text) {
        return Ok(Page::empty());
    }
    match &filter.by {
        AccountKey::Username(prefix) => by_username(conn, (prefix, filter.enabled), after, limit),
        AccountKey::FiscalNumber(number) => {
            let number = with_country(number);
            by_fiscal_number(conn, (&number, filter.enabled), after, limit)
        }
        AccountKey::Email(prefix) => {
            let prefix = prefix.to_ascii_lowercase();
            by_email(conn, (&prefix, filter.enabled), after, limit)
        }
    }
}

fn by_username(
    conn: &mut DbConn,
    (prefix, enabled): (&str, Option<bool>),
    after: Option<&TextCursor>,
    limit: u32,
) -> Result<Page<Account, TextCursor>, StoreError> {
    let rows: Vec<AccountRow> = on_backend!(conn, c => {
        let mut query = account::table
            .select(AccountRow::as_select())
            .order(account::username)
            .limit(fetched(limit))
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(account::username.gt(&after.key));
        }
        if !prefix.is_empty() {
            query = query
                .filter(account::username.ge(prefix))
                .filter(account::username.lt(end_of_prefix(prefix)));
        }
        if let Some(enabled) = enabled {
            query = query.filter(account::enabled.eq(enabled));
        }
        query.load(c)
    })?;
    Page::of(rows, limit, AccountRow::decode, |last| TextCursor {
        key: last.username.clone(),
        id: String::new(),
    })
}

/// A number of two people is a mistake of the registry, which the operator wants to see.
fn by_fiscal_number(
    conn: &mut DbConn,
    (number, enabled): (&str, Option<bool>),
    after: Option<&TextCursor>,
    limit: u32,
) -> Result<Page<Account, TextCursor>, StoreError> {
    let rows: Vec<AccountRow> = on_backend!(conn, c => {
        let mut query = account::table
            .filter(account::fiscal_number.eq(number))
            .select(AccountRow::as_select())
            .order(account::id)
            .limit(fetched(limit))
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(account::id.gt(&after.id));
        }
        if let Some(enabled) = enabled {
            query = query.filter(account::enabled.eq(enabled));
        }
        query.load(c)
    })?;
    Page::of(rows, limit, AccountRow::decode, |last| TextCursor {
        key: String::new(),
        id: last.id.as_str().to_owned(),
    })
}

fn by_email(
    conn: &mut DbConn,
    (prefix, enabled): (&str, Option<bool>),
    after: Option<&TextCursor>,
    limit: u32,
) -> Result<Page<Account, TextCursor>, StoreError> {
    let rows: Vec<(AccountRow, Option<String>)> = on_backend!(conn, c => {
        let mut query = account::table
            .filter(account::email.ge(prefix))
            .filter(account::email.lt(end_of_prefix(prefix)))
            .select((AccountRow::as_select(), account::email))
            .order((account::email, account::id))
            .limit(fetched(limit))
            .into_boxed();
        if let Some(after) = after {
            query = query
                .filter(account::email.ge(&after.key))
                .filter(account::email.gt(&after.key).or(account::id.gt(&after.id)));
        }
        if let Some(enabled) = enabled {
            query = query.filter(account::enabled.eq(enabled));
        }
        query.load(c)
    })?;
    let decode =
        |(row, email): (AccountRow, Option<String>)| row.decode().map(|person| (person, email));
    let page = Page::of(rows, limit, decode, |(last, email)| TextCursor {
        key: email.clone().unwrap_or_default(),
        id: last.id.as_str().to_owned(),
    })?;
    Ok(Page {
        rows: page.rows.into_iter().map(|(person, _)| person).collect(),
        next: page.next,
    })
}

/// As the registry keeps a fiscal number: with the country that gave it (SPID/CIE attributes).
fn with_country(typed: &str) -> String {
    let number = typed.trim().to_ascii_uppercase();
    if number.contains('-') {
        number
    } else {
        format!("TINIT-{number}")
    }
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

/// A person's languages, as their codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Languages {
    /// Chosen on the account page.
    pub chosen: Option<String>,
    /// Of the pages at the last login.
    pub of_pages: Option<String>,
}

impl Languages {
    /// The one to write to the person in.
    #[must_use]
    pub fn for_mails(&self) -> Option<&str> {
        self.chosen.as_deref().or(self.of_pages.as_deref())
    }
}

/// The languages of a person.
///
/// # Errors
/// The database's.
pub fn languages(conn: &mut DbConn, id: &AccountId) -> Result<Languages, StoreError> {
    let found: Option<(Option<String>, Option<String>)> = account::table
        .filter(account::id.eq(id.as_str()))
        .select((account::language, account::page_language))
        .get_result(conn)
        .optional()?;
    let (chosen, of_pages) = found.unwrap_or_default();
    Ok(Languages { chosen, of_pages })
}

/// Notes the language of the pages of a login.
///
/// # Errors
/// The database's.
pub fn note_page_language(conn: &mut DbConn, id: &AccountId, code: &str) -> Result<(), StoreError> {
    diesel::update(account::table.filter(account::id.eq(id.as_str())))
        .set(account::page_language.eq(code))
        .execute(conn)?;
    Ok(())
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
