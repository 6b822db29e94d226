//! The people who run the provider.

use super::column::{Row, TextEnum as _, can_be_stored, text_enum};
use super::schema::operator;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{Operator, OperatorId, Role};
use diesel::prelude::*;

text_enum!(Role {
    Viewer => "viewer",
    Operator => "operator",
    Administrator => "administrator",
});

#[derive(Queryable, Selectable)]
#[diesel(table_name = operator)]
struct OperatorRow {
    id: String,
    name: String,
    role: String,
    enabled: bool,
    password_hash: Option<String>,
    totp: Option<Vec<u8>>,
    totp_step: Option<i64>,
    created_at: i64,
    updated_at: i64,
    last_login_at: Option<i64>,
}

impl OperatorRow {
    fn decode(self) -> Result<Operator, StoreError> {
        let row = Row {
            table: "operator",
            key: &self.id,
        };
        Ok(Operator {
            role: row.text_enum("role", &self.role)?,
            id: OperatorId::new(self.id),
            name: self.name,
            enabled: self.enabled,
            password_hash: self.password_hash,
            totp: self.totp,
            totp_step: self.totp_step,
            created_at: UtcTime(self.created_at),
            updated_at: UtcTime(self.updated_at),
            last_login_at: self.last_login_at.map(UtcTime),
        })
    }
}

/// Adds an operator.
///
/// # Errors
/// [`StoreError::is_duplicate`] when the name is taken.
pub fn insert(conn: &mut DbConn, new: &Operator) -> Result<(), StoreError> {
    diesel::insert_into(operator::table)
        .values((
            operator::id.eq(new.id.as_str()),
            operator::name.eq(&new.name),
            operator::role.eq(new.role.as_text()),
            operator::enabled.eq(new.enabled),
            operator::password_hash.eq(new.password_hash.as_deref()),
            operator::totp.eq(new.totp.as_deref()),
            operator::totp_step.eq(new.totp_step),
            operator::created_at.eq(new.created_at.0),
            operator::updated_at.eq(new.updated_at.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// The operator of this key.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, id: &OperatorId) -> Result<Option<Operator>, StoreError> {
    operator::table
        .filter(operator::id.eq(id.as_str()))
        .select(OperatorRow::as_select())
        .get_result(conn)
        .optional()?
        .map(OperatorRow::decode)
        .transpose()
}

/// The operator of this name, compared exactly.
///
/// # Errors
/// The database's.
pub fn find_by_name(conn: &mut DbConn, name: &str) -> Result<Option<Operator>, StoreError> {
    if !can_be_stored(name) {
        return Ok(None);
    }
    operator::table
        .filter(operator::name.eq(name))
        .select(OperatorRow::as_select())
        .get_result(conn)
        .optional()?
        .map(OperatorRow::decode)
        .transpose()
}

/// A page of the operators by name, after the name where the last page ended.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Operator>, StoreError> {
    let after = after.filter(|after| can_be_stored(after));
    let rows: Vec<OperatorRow> = operator::table
        .filter(operator::name.gt(after.unwrap_or_default()))
        .select(OperatorRow::as_select())
        .order(operator::name)
        .limit(i64::from(limit))
        .load(conn)?;
    rows.into_iter().map(OperatorRow::decode).collect()
}

/// How many administrators can log in. There are few operators: this reads them all.
///
/// # Errors
/// The database's.
pub fn count_administrators(conn: &mut DbConn) -> Result<i64, StoreError> {
    // Whoever else takes an administrator away at the same time waits, so that two cannot take the last two.
    if let DbConn::Postgres(c) = conn {
        let _locked: Vec<String> = operator::table
            .filter(operator::role.eq(Role::Administrator.as_text()))
            .select(operator::id)
            .for_update()
            .load(c)?;
    }
    Ok(operator::table
        .filter(operator::role.eq(Role::Administrator.as_text()))
        .filter(operator::enabled.eq(true))
        .count()
        .get_result(conn)?)
}

/// Replaces role, password and whether they may log in. False: unknown.
///
/// # Errors
/// The database's.
pub fn update(conn: &mut DbConn, known: &Operator, now: UtcTime) -> Result<bool, StoreError> {
    let changed = diesel::update(operator::table.filter(operator::id.eq(known.id.as_str())))
        .set((
            operator::role.eq(known.role.as_text()),
            operator::enabled.eq(known.enabled),
            operator::password_hash.eq(known.password_hash.as_deref()),
            operator::updated_at.eq(now.0),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// A secret of one-time codes that counts from now on; its first code is spent. Only for somebody who has none: whoever
/// else knows the password cannot replace it. False: there is one.
///
/// # Errors
/// The database's.
pub fn confirm_totp(
    conn: &mut DbConn,
    id: &OperatorId,
    (sealed, step): (&[u8], i64),
    now: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        operator::table
            .filter(operator::id.eq(id.as_str()))
            .filter(operator::totp.is_null()),
    )
    .set((
        operator::totp.eq(sealed),
        operator::totp_step.eq(step),
        operator::updated_at.eq(now.0),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Spends the time step of a code (RFC 6238 §5.2). False: it, or a later one, was spent.
///
/// # Errors
/// The database's.
pub fn redeem_step(conn: &mut DbConn, id: &OperatorId, step: i64) -> Result<bool, StoreError> {
    let unspent = operator::totp_step
        .is_null()
        .or(operator::totp_step.lt(step));
    let changed = diesel::update(
        operator::table
            .filter(operator::id.eq(id.as_str()))
            .filter(operator::totp.is_not_null())
            .filter(unspent),
    )
    .set(operator::totp_step.eq(step))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Removes the second factor: at the next login a new one is registered.
///
/// # Errors
/// The database's.
pub fn reset_totp(conn: &mut DbConn, id: &OperatorId, now: UtcTime) -> Result<(), StoreError> {
    diesel::update(operator::table.filter(operator::id.eq(id.as_str())))
        .set((
            operator::totp.eq(None::<Vec<u8>>),
            operator::totp_step.eq(None::<i64>),
            operator::updated_at.eq(now.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes a login.
///
/// # Errors
/// The database's.
pub fn logged_in(conn: &mut DbConn, id: &OperatorId, now: UtcTime) -> Result<(), StoreError> {
    diesel::update(operator::table.filter(operator::id.eq(id.as_str())))
        .set(operator::last_login_at.eq(now.0))
        .execute(conn)?;
    Ok(())
}
