//! Imports of people, and the parts of their files that wait.
//!
//! ```text
//! insert, insert_part … ─► finish_reading ─► start ─► claim ─► redeem_part + advance … ─► finish
//!      reading                 ready         running    │ one node, for the length of a lease     done
//!                                                       ├─► fail (what waits cannot be opened)
//!                                                       └─► cancel (from every state but the last ones)
//! ```
//!
//! A part is removed in the transaction that writes its people, so that each line is applied once, whoever died meanwhile.

use super::column::{Row, TextEnum as _, can_be_stored, free_text, text_enum};
use super::connection::on_backend;
use super::keyset::{Page, TimeCursor, fetched, newest_first};
use super::schema::{user_import, user_import_part};
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{Actor, ImportKind, ImportState, UserImport};
use diesel::prelude::*;

text_enum!(ImportKind { People => "people", Parties => "parties" });
text_enum!(ImportState {
    Reading => "reading",
    Ready => "ready",
    Running => "running",
    Done => "done",
    Cancelled => "cancelled",
    Failed => "failed",
});

#[derive(Queryable, Selectable)]
#[diesel(table_name = user_import)]
struct UserImportRow {
    id: String,
    state: String,
    name: String,
    actor: String,
    via: String,
    address: String,
    skips: bool,
    valid_lines: i64,
    bad_lines: i64,
    problems: String,
    done_lines: i64,
    added: i64,
    updated: i64,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    expires_at: i64,
    kind: String,
}

impl UserImportRow {
    fn decode(self) -> Result<UserImport, StoreError> {
        let row = Row {
            table: "user_import",
            key: &self.id,
        };
        Ok(UserImport {
            kind: row.text_enum("kind", &self.kind)?,
            state: row.text_enum("state", &self.state)?,
            actor: Actor {
                via: row.text_enum("via", &self.via)?,
                name: self.actor,
                address: self.address,
            },
            id: self.id,
            name: self.name,
            skips: self.skips,
            valid_lines: self.valid_lines,
            bad_lines: self.bad_lines,
            problems: self.problems,
            done_lines: self.done_lines,
            added: self.added,
            updated: self.updated,
            created_at: UtcTime(self.created_at),
            started_at: self.started_at.map(UtcTime),
            finished_at: self.finished_at.map(UtcTime),
            expires_at: UtcTime(self.expires_at),
        })
    }
}

/// Some lines of a file, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportPart {
    /// Of which import.
    pub import: String,
    /// Its place.
    pub number: i64,
    /// How many lines.
    pub lines: i64,
    /// The lines.
    pub sealed: Vec<u8>,
}

/// Adds an import.
///
/// # Errors
/// The database's.
pub fn insert(conn: &mut DbConn, new: &UserImport) -> Result<(), StoreError> {
    diesel::insert_into(user_import::table)
        .values((
            (
                user_import::id.eq(&new.id),
                user_import::state.eq(new.state.as_text()),
                user_import::name.eq(free_text(&new.name)),
                user_import::actor.eq(free_text(&new.actor.name)),
                user_import::via.eq(new.actor.via.as_text()),
                user_import::address.eq(free_text(&new.actor.address)),
                user_import::skips.eq(new.skips),
                user_import::valid_lines.eq(new.valid_lines),
                user_import::bad_lines.eq(new.bad_lines),
                user_import::problems.eq(&new.problems),
            ),
            (
                user_import::done_lines.eq(new.done_lines),
                user_import::added.eq(new.added),
                user_import::updated.eq(new.updated),
                user_import::lease_until.eq(new.created_at.0),
                user_import::created_at.eq(new.created_at.0),
                user_import::expires_at.eq(new.expires_at.0),
                user_import::kind.eq(new.kind.as_text()),
            ),
        ))
        .execute(conn)?;
    Ok(())
}

/// Adds a part of its file.
///
/// # Errors
/// The database's.
pub fn insert_part(
    conn: &mut DbConn,
    new: &ImportPart,
    expires_at: UtcTime,
) -> Result<(), StoreError> {
    diesel::insert_into(user_import_part::table)
        .values((
            user_import_part::import_id.eq(&new.import),
            user_import_part::number.eq(new.number),
            user_import_part::line_count.eq(new.lines),
            user_import_part::sealed.eq(&new.sealed),
            user_import_part::expires_at.eq(expires_at.0),
        ))
        .execute(conn)?;
    Ok(())
}

/// An import by its key.
///
/// # Errors
/// The database's.
pub fn find(conn: &mut DbConn, id: &str) -> Result<Option<UserImport>, StoreError> {
    if !can_be_stored(id) {
        return Ok(None);
    }
    user_import::table
        .filter(user_import::id.eq(id))
        .select(UserImportRow::as_select())
        .get_result(conn)
        .optional()?
        .map(UserImportRow::decode)
        .transpose()
}

/// A page of the imports of a kind, newest first.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    kind: ImportKind,
    after: Option<&TimeCursor>,
    limit: u32,
) -> Result<Page<UserImport>, StoreError> {
    let rows: Vec<UserImportRow> = on_backend!(conn, c => {
        let query = user_import::table
            .filter(user_import::kind.eq(kind.as_text()))
            .select(UserImportRow::as_select())
            .into_boxed();
        newest_first!(query, user_import.created_at, after, fetched(limit)).load(c)
    })?;
    Page::of(rows, limit, UserImportRow::decode, |last| TimeCursor {
        key: last.created_at,
        id: last.id.clone(),
    })
}

/// The file was read and judged. False: it was cancelled meanwhile.
///
/// # Errors
/// The database's.
pub fn finish_reading(
    conn: &mut DbConn,
    id: &str,
    (valid, bad): (i64, i64),
    problems: &str,
) -> Result<bool, StoreError> {
    let changed = diesel::update(in_state(id, ImportState::Reading))
        .set((
            user_import::state.eq(ImportState::Ready.as_text()),
            user_import::valid_lines.eq(valid),
            user_import::bad_lines.eq(bad),
            user_import::problems.eq(problems),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Lets it be applied. False: somebody did, or cancelled it.
///
/// # Errors
/// The database's.
pub fn start(
    conn: &mut DbConn,
    (id, actor, skips): (&str, &Actor, bool),
    now: UtcTime,
    expires_at: UtcTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(in_state(id, ImportState::Ready))
        .set((
            user_import::state.eq(ImportState::Running.as_text()),
            user_import::skips.eq(skips),
            user_import::actor.eq(free_text(&actor.name)),
            user_import::via.eq(actor.via.as_text()),
            user_import::address.eq(free_text(&actor.address)),
            user_import::started_at.eq(now.0),
            user_import::lease_until.eq(now.0),
            user_import::expires_at.eq(expires_at.0),
        ))
        .execute(conn)?;
    let parts = user_import_part::table.filter(user_import_part::import_id.eq(id));
    diesel::update(parts)
        .set(user_import_part::expires_at.eq(expires_at.0))
        .execute(conn)?;
    Ok(changed == 1)
}

type OfState<'a> = diesel::dsl::Filter<
    diesel::dsl::Filter<user_import::table, diesel::dsl::Eq<user_import::id, &'a str>>,
    diesel::dsl::Eq<user_import::state, &'static str>,
>;

fn in_state(id: &str, state: ImportState) -> OfState<'_> {
    user_import::table
        .filter(user_import::id.eq(id))
        .filter(user_import::state.eq(state.as_text()))
}

/// Takes or keeps an import that is to be applied, the oldest one unless one is named, until `until`. `None`: there is none
/// that is free.
///
/// # Errors
/// The database's.
pub fn claim(
    conn: &mut DbConn,
    (holder, only): (&str, Option<&str>),
    now: UtcTime,
    until: UtcTime,
) -> Result<Option<UserImport>, StoreError> {
    let free = || {
        user_import::lease_until
            .le(now.0)
            .or(user_import::holder.eq(holder))
    };
    let found: Option<String> = on_backend!(conn, c => {
        let mut query = user_import::table
            .filter(user_import::state.eq(ImportState::Running.as_text()))
            .filter(free())
            .order((user_import::created_at, user_import::id))
            .select(user_import::id)
            .into_boxed();
        if let Some(only) = only {
            query = query.filter(user_import::id.eq(only));
        }
        query.get_result(c).optional()
    })?;
    let Some(id) = found else {
        return Ok(None);
    };
    let changed = diesel::update(in_state(&id, ImportState::Running).filter(free()))
        .set((
            user_import::holder.eq(holder),
            user_import::lease_until.eq(until.0),
        ))
        .execute(conn)?;
    match changed {
        1 => find(conn, &id),
        _ => Ok(None),
    }
}

/// The first part that waits.
///
/// # Errors
/// The database's.
pub fn next_part(conn: &mut DbConn, import: &str) -> Result<Option<ImportPart>, StoreError> {
    let first: Option<i64> = user_import_part::table
        .filter(user_import_part::import_id.eq(import))
        .select(diesel::dsl::min(user_import_part::number))
        .get_result(conn)?;
    let Some(number) = first else {
        return Ok(None);
    };
    let found: Option<(i64, Vec<u8>)> = user_import_part::table
        .filter(user_import_part::import_id.eq(import))
        .filter(user_import_part::number.eq(number))
        .select((user_import_part::line_count, user_import_part::sealed))
        .get_result(conn)
        .optional()?;
    Ok(found.map(|(lines, sealed)| ImportPart {
        import: import.to_owned(),
        number,
        lines,
        sealed,
    }))
}

/// Spends a part. False: it was spent before.
///
/// # Errors
/// The database's.
pub fn redeem_part(conn: &mut DbConn, part: &ImportPart) -> Result<bool, StoreError> {
    let removed = diesel::delete(
        user_import_part::table
            .filter(user_import_part::import_id.eq(&part.import))
            .filter(user_import_part::number.eq(part.number)),
    )
    .execute(conn)?;
    Ok(removed == 1)
}

/// What a part did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Lines.
    pub lines: i64,
    /// People who were not known before.
    pub added: i64,
    /// People who were.
    pub updated: i64,
}

/// Counts what was applied, and keeps the import until `until`. False: it was cancelled, or another node has it.
///
/// # Errors
/// The database's.
pub fn advance(
    conn: &mut DbConn,
    (id, holder): (&str, &str),
    by: Progress,
    until: UtcTime,
) -> Result<bool, StoreError> {
    let mine = in_state(id, ImportState::Running).filter(user_import::holder.eq(holder));
    let changed = diesel::update(mine)
        .set((
            user_import::done_lines.eq(user_import::done_lines + by.lines),
            user_import::added.eq(user_import::added + by.added),
            user_import::updated.eq(user_import::updated + by.updated),
            user_import::lease_until.eq(until.0),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// No part waits any more. False: another node said so, or it was cancelled.
///
/// # Errors
/// The database's.
pub fn finish(conn: &mut DbConn, id: &str, now: UtcTime) -> Result<bool, StoreError> {
    let changed = diesel::update(in_state(id, ImportState::Running))
        .set((
            user_import::state.eq(ImportState::Done.as_text()),
            user_import::finished_at.eq(now.0),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// What waits cannot be opened: it is forgotten, and nobody tries again. False: it was cancelled, or another node has it.
///
/// # Errors
/// The database's.
pub fn fail(
    conn: &mut DbConn,
    (id, holder): (&str, &str),
    now: UtcTime,
) -> Result<bool, StoreError> {
    let mine = in_state(id, ImportState::Running).filter(user_import::holder.eq(holder));
    let changed = diesel::update(mine)
        .set((
            user_import::state.eq(ImportState::Failed.as_text()),
            user_import::finished_at.eq(now.0),
        ))
        .execute(conn)?;
    if changed == 1 {
        forget_parts(conn, id)?;
    }
    Ok(changed == 1)
}

fn forget_parts(conn: &mut DbConn, id: &str) -> Result<(), StoreError> {
    let parts = user_import_part::table.filter(user_import_part::import_id.eq(id));
    diesel::delete(parts).execute(conn)?;
    Ok(())
}

/// Stops an import; what waits is forgotten. False: it had ended.
///
/// # Errors
/// The database's.
pub fn cancel(conn: &mut DbConn, id: &str, now: UtcTime) -> Result<bool, StoreError> {
    let row = user_import::table
        .filter(user_import::id.eq(id))
        .filter(user_import::finished_at.is_null());
    let changed = diesel::update(row)
        .set((
            user_import::state.eq(ImportState::Cancelled.as_text()),
            user_import::finished_at.eq(now.0),
        ))
        .execute(conn)?;
    if changed == 1 {
        forget_parts(conn, id)?;
    }
    Ok(changed == 1)
}
