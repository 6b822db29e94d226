//! What operators did. Append-only: there is no function that changes or removes an entry, and triggers in the database
//! refuse it.

use super::column::{Row, TextEnum as _, can_be_stored, free_text, text_enum, to_json};
use super::connection::on_backend;
use super::schema::trail;
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{Actor, Deed, TrailEntry, TrailFilter, Via};
use diesel::prelude::*;

text_enum!(Via { Desk => "desk", CommandLine => "command_line" });

#[derive(Queryable, Selectable)]
#[diesel(table_name = trail)]
struct TrailRow {
    number: i64,
    happened_at: i64,
    actor: String,
    via: String,
    address: String,
    action: String,
    subject: String,
    before: Option<String>,
    after: Option<String>,
}

impl TrailRow {
    fn decode(self) -> Result<TrailEntry, StoreError> {
        let key = self.number.to_string();
        let row = Row {
            table: "trail",
            key: &key,
        };
        Ok(TrailEntry {
            actor: Actor {
                via: row.text_enum("via", &self.via)?,
                name: self.actor,
                address: self.address,
            },
            number: self.number,
            happened_at: UtcTime(self.happened_at),
            action: self.action,
            subject: self.subject,
            before: self.before,
            after: self.after,
        })
    }
}

/// Adds an entry, in the transaction of what it tells.
///
/// # Errors
/// The database's.
pub fn insert(
    conn: &mut DbConn,
    actor: &Actor,
    deed: &Deed,
    now: UtcTime,
) -> Result<(), StoreError> {
    let json = |value: &Option<serde_json::Value>| value.as_ref().map(to_json).transpose();
    diesel::insert_into(trail::table)
        .values((
            trail::happened_at.eq(now.0),
            trail::actor.eq(free_text(&actor.name)),
            trail::via.eq(actor.via.as_text()),
            trail::address.eq(free_text(&actor.address)),
            trail::action.eq(deed.action),
            trail::subject.eq(free_text(&deed.subject)),
            // PostgreSQL's text has no NUL; JSON writes it as an escape.
            trail::before.eq(json(&deed.before)?),
            trail::after.eq(json(&deed.after)?),
        ))
        .execute(conn)?;
    Ok(())
}

/// A page of the trail, newest first, before the number where the last page ended.
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    filter: &TrailFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<TrailEntry>, StoreError> {
    let texts = [&filter.actor, &filter.action, &filter.subject];
    if texts.into_iter().flatten().any(|text| !can_be_stored(text)) {
        return Ok(Vec::new());
    }
    // The numbers of a time: they grow with it, and so the list stays a walk over one index.
    let first = match filter.since {
        Some(since) => first_at(conn, since)?,
        None => None,
    };
    if filter.since.is_some() && first.is_none() {
        return Ok(Vec::new());
    }
    let end = match filter.until {
        Some(until) => first_at(conn, until)?,
        None => None,
    };
    let rows: Vec<TrailRow> = on_backend!(conn, c => {
        let mut query = trail::table
            .select(TrailRow::as_select())
            .order(trail::number.desc())
            .limit(i64::from(limit))
            .into_boxed();
        if let Some(actor) = &filter.actor {
            query = query.filter(trail::actor.eq(actor));
        }
        if let Some(action) = &filter.action {
            query = query.filter(trail::action.eq(action));
        }
        if let Some(subject) = &filter.subject {
            query = query.filter(trail::subject.eq(subject));
        }
        if let Some(first) = first {
            query = query.filter(trail::number.ge(first));
        }
        if let Some(end) = [before, end].into_iter().flatten().min() {
            query = query.filter(trail::number.lt(end));
        }
        query.load(c)
    })?;
    rows.into_iter().map(TrailRow::decode).collect()
}

/// The number of the first entry at this time or later.
fn first_at(conn: &mut DbConn, time: UtcTime) -> Result<Option<i64>, StoreError> {
    Ok(trail::table
        .filter(trail::happened_at.ge(time.0))
        .select(trail::number)
        .order((trail::happened_at, trail::number))
        .limit(1)
        .get_result(conn)
        .optional()?)
}
