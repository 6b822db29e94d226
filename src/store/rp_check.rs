//! What operators look into, so that any node can show how far it is: relying parties, as the table is called, and by
//! [`CheckKind::Superiors`] the issuer itself.
//!
//! ```text
//! start ─► advance … ─► finish            a node that dies: its lease ends, the place is free again, and whoever looks is told
//!   └► Shared: the same is looked into already      └► Full: too much is
//! ```

use super::column::{Row, TextEnum as _, can_be_stored, free_text, text_enum};
use super::connection::on_backend;
use super::schema::rp_check;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{CheckKind, RpCheck};
use crate::secret::sha256;
use data_encoding::BASE64URL_NOPAD;
use diesel::prelude::*;

text_enum!(CheckKind { Fresh => "fresh", Cached => "cached", Refresh => "refresh", Superiors => "superiors" });

#[derive(Queryable, Selectable)]
#[diesel(table_name = rp_check)]
struct RpCheckRow {
    id: String,
    kind: String,
    issuer: String,
    client_id: String,
    actor: String,
    steps: String,
    result: Option<String>,
    lease_until: i64,
    created_at: i64,
    finished_at: Option<i64>,
    expires_at: i64,
}

impl RpCheckRow {
    fn decode(self) -> Result<RpCheck, StoreError> {
        let row = Row {
            table: "rp_check",
            key: &self.id,
        };
        Ok(RpCheck {
            kind: row.text_enum("kind", &self.kind)?,
            id: self.id,
            issuer: self.issuer,
            client_id: self.client_id,
            actor: self.actor,
            steps: self.steps,
            result: self.result,
            lease_until: UtcTime(self.lease_until),
            created_at: UtcTime(self.created_at),
            finished_at: self.finished_at.map(UtcTime),
            expires_at: UtcTime(self.expires_at),
        })
    }
}

/// What became of the wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// It is this node's to do.
    New,
    /// The same is looked into already, under this key.
    Shared(String),
    /// The issuer has as many as it may at once.
    Full,
}

/// Begins a check, unless the same runs already or `most` of its issuer do.
///
/// # Errors
/// The database's.
pub fn start(conn: &mut DbConn, new: &RpCheck, most: u32) -> Result<Started, StoreError> {
    let now = new.created_at;
    // Those whose node has died keep nobody out.
    diesel::update(
        rp_check::table
            .filter(rp_check::running_key.is_not_null())
            .filter(rp_check::lease_until.le(now.0)),
    )
    .set(rp_check::running_key.eq(None::<&str>))
    .execute(conn)?;
    let client_id = free_text(&new.client_id);
    // A hash: an index of PostgreSQL takes no text as long as somebody may type.
    let key = format!("{} {} {client_id}", new.issuer, new.kind.as_text());
    let key = BASE64URL_NOPAD.encode(&sha256(key.as_bytes()));
    if let Some(id) = running(conn, &key)? {
        return Ok(Started::Shared(id));
    }
    let under_way: i64 = rp_check::table
        .filter(rp_check::running_key.is_not_null())
        .filter(rp_check::issuer.eq(&new.issuer))
        .count()
        .get_result(conn)?;
    if under_way >= i64::from(most) {
        return Ok(Started::Full);
    }
    let inserted = on_backend!(conn, c => diesel::insert_into(rp_check::table)
        .values((
            rp_check::id.eq(&new.id),
            rp_check::kind.eq(new.kind.as_text()),
            rp_check::issuer.eq(&new.issuer),
            rp_check::client_id.eq(&client_id),
            rp_check::running_key.eq(&key),
            rp_check::steps.eq(&new.steps),
            rp_check::actor.eq(free_text(&new.actor)),
            rp_check::lease_until.eq(new.lease_until.0),
            rp_check::created_at.eq(now.0),
            rp_check::expires_at.eq(new.expires_at.0),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    match (inserted, running(conn, &key)?) {
        (0, Some(id)) => Ok(Started::Shared(id)),
        (0, None) => Ok(Started::Full),
        _ => Ok(Started::New),
    }
}

fn running(conn: &mut DbConn, key: &str) -> Result<Option<String>, StoreError> {
    Ok(rp_check::table
        .filter(rp_check::running_key.eq(key))
        .select(rp_check::id)
        .get_result(conn)
        .optional()?)
}

/// A check by its key.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, id: &str) -> Result<Option<RpCheck>, StoreError> {
    if !can_be_stored(id) {
        return Ok(None);
    }
    rp_check::table
        .filter(rp_check::id.eq(id))
        .select(RpCheckRow::as_select())
        .get_result(conn)
        .optional()?
        .map(RpCheckRow::decode)
        .transpose()
}

/// Writes down how far it is, and that this node is alive.
///
/// # Errors
/// The database's.
pub fn advance(
    conn: &mut DbConn,
    id: &str,
    steps: &str,
    lease_until: UtcTime,
) -> Result<(), StoreError> {
    diesel::update(rp_check::table.filter(rp_check::id.eq(id)))
        .set((
            rp_check::steps.eq(steps),
            rp_check::lease_until.eq(lease_until.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes down what came of it.
///
/// # Errors
/// The database's.
pub fn finish(conn: &mut DbConn, id: &str, result: &str, now: UtcTime) -> Result<(), StoreError> {
    diesel::update(rp_check::table.filter(rp_check::id.eq(id)))
        .set((
            rp_check::result.eq(result),
            rp_check::running_key.eq(None::<&str>),
            rp_check::finished_at.eq(now.0),
        ))
        .execute(conn)?;
    Ok(())
}
