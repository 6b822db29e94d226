//! The last refusals of each relying party. Whoever is refused chooses the `client_id`: so the rows of one are few, and
//! those that name nobody known are few together, whoever they name.

use super::column::{can_be_stored, free_text};
use super::connection::on_backend;
use super::keyset::{NumberCursor, Page, fetched};
use super::login_count::count_refusal;
use super::schema::{client, refusal};
use super::{DbConn, StoreError};
use crate::clock::UtcTime;
use crate::model::{ClientId, IssuerId, Refusal};
use diesel::dsl::exists;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one `client_id` at an issuer.
pub const PER_CLIENT: i64 = 20;
/// Rows of an issuer that name nobody known.
pub const UNKNOWN: i64 = 1_000;

#[derive(Queryable, Selectable)]
#[diesel(table_name = refusal)]
struct RefusalRow {
    number: i64,
    reference: String,
    issuer: String,
    client_id: String,
    refused_at: i64,
    event: String,
    code: String,
    description: String,
    reason: String,
}

impl RefusalRow {
    fn decode(self) -> Refusal {
        Refusal {
            reference: self.reference,
            issuer: IssuerId::new(self.issuer),
            unverified_client_id: ClientId::new(self.client_id),
            refused_at: UtcTime(self.refused_at),
            event: self.event,
            code: self.code,
            description: self.description,
            reason: self.reason,
        }
    }
}

/// Adds refusals, the oldest first, and removes what is too many then. One that is there already stays as it is.
///
/// # Errors
/// The database's.
pub fn insert(conn: &mut DbConn, refusals: &[Refusal]) -> Result<(), StoreError> {
    // In order, so that nodes that write at the same time lock in the same order.
    let mut parties: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for refusal in refusals {
        let client_id = refusal.unverified_client_id.as_str();
        if !can_be_stored(client_id) {
            continue;
        }
        let party = (refusal.issuer.as_str(), client_id);
        let known = match parties.get(&party) {
            Some(known) => *known,
            None => is_known(conn, party)?,
        };
        parties.insert(party, known);
        insert_one(conn, refusal, known)?;
    }
    let mut with_unknown = BTreeSet::new();
    for ((issuer, client_id), known) in parties {
        trim_client(conn, issuer, client_id)?;
        if !known {
            with_unknown.insert(issuer);
        }
    }
    for issuer in with_unknown {
        trim_unknown(conn, issuer)?;
    }
    Ok(())
}

fn is_known(conn: &mut DbConn, (issuer, client_id): (&str, &str)) -> Result<bool, StoreError> {
    let row = client::table
        .filter(client::issuer.eq(issuer))
        .filter(client::client_id.eq(client_id));
    Ok(diesel::select(exists(row)).get_result(conn)?)
}

fn insert_one(conn: &mut DbConn, row: &Refusal, known: bool) -> Result<(), StoreError> {
    let inserted = on_backend!(conn, c => diesel::insert_into(refusal::table)
        .values((
            refusal::reference.eq(&row.reference),
            refusal::issuer.eq(row.issuer.as_str()),
            refusal::client_id.eq(row.unverified_client_id.as_str()),
            refusal::known.eq(known),
            refusal::refused_at.eq(row.refused_at.0),
            refusal::event.eq(&row.event),
            refusal::code.eq(&row.code),
            refusal::description.eq(free_text(&row.description)),
            refusal::reason.eq(free_text(&row.reason)),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    if inserted == 1 {
        count_refusal(conn, row)?;
    }
    Ok(())
}

fn trim_client(conn: &mut DbConn, issuer: &str, client_id: &str) -> Result<(), StoreError> {
    let rows = refusal::table
        .filter(refusal::issuer.eq(issuer))
        .filter(refusal::client_id.eq(client_id));
    let newest_too_many: Option<i64> = rows
        .select(refusal::number)
        .order(refusal::number.desc())
        .offset(PER_CLIENT)
        .limit(1)
        .get_result(conn)
        .optional()?;
    if let Some(number) = newest_too_many {
        diesel::delete(rows.filter(refusal::number.le(number))).execute(conn)?;
    }
    Ok(())
}

fn trim_unknown(conn: &mut DbConn, issuer: &str) -> Result<(), StoreError> {
    let rows = refusal::table
        .filter(refusal::issuer.eq(issuer))
        .filter(diesel::dsl::not(refusal::known));
    let newest_too_many: Option<i64> = rows
        .select(refusal::number)
        .order(refusal::number.desc())
        .offset(UNKNOWN)
        .limit(1)
        .get_result(conn)
        .optional()?;
    if let Some(number) = newest_too_many {
        diesel::delete(rows.filter(refusal::number.le(number))).execute(conn)?;
    }
    Ok(())
}

/// The refusal of this reference at an issuer.
///
/// # Errors
/// The database's.
pub fn find(
    conn: &mut DbConn,
    issuer: &IssuerId,
    reference: &str,
) -> Result<Option<Refusal>, StoreError> {
    if !can_be_stored(reference) {
        return Ok(None);
    }
    let row: Option<RefusalRow> = refusal::table
        .filter(refusal::reference.eq(reference))
        .filter(refusal::issuer.eq(issuer.as_str()))
        .select(RefusalRow::as_select())
        .get_result(conn)
        .optional()?;
    Ok(row.map(RefusalRow::decode))
}

/// The last refusals of an RP, the newest first; at most [`PER_CLIENT`].
///
/// # Errors
/// The database's.
pub fn search(
    conn: &mut DbConn,
    issuer: &IssuerId,
    client_id: &ClientId,
) -> Result<Vec<Refusal>, StoreError> {
    if !can_be_stored(client_id.as_str()) {
        return Ok(Vec::new());
    }
    let rows: Vec<RefusalRow> = refusal::table
        .filter(refusal::issuer.eq(issuer.as_str()))
        .filter(refusal::client_id.eq(client_id.as_str()))
        .select(RefusalRow::as_select())
        .order(refusal::number.desc())
        .limit(PER_CLIENT)
        .load(conn)?;
    Ok(rows.into_iter().map(RefusalRow::decode).collect())
}

/// A page of the last refusals of an issuer, or of all, the newest first, whomever they name.
///
/// # Errors
/// The database's.
pub fn search_recent(
    conn: &mut DbConn,
    issuer: Option<&IssuerId>,
    before: Option<NumberCursor>,
    limit: u32,
) -> Result<Page<Refusal, NumberCursor>, StoreError> {
    let rows: Vec<RefusalRow> = on_backend!(conn, c => {
        let mut query = refusal::table
            .select(RefusalRow::as_select())
            .order(refusal::number.desc())
            .limit(fetched(limit))
            .into_boxed();
        if let Some(issuer) = issuer {
            query = query.filter(refusal::issuer.eq(issuer.as_str()));
        }
        if let Some(NumberCursor(number)) = before {
            query = query.filter(refusal::number.lt(number));
        }
        query.load(c)
    })?;
    let decode = |row: RefusalRow| Ok((row.number, row.decode()));
    let page = Page::of(rows, limit, decode, |(number, _)| NumberCursor(*number))?;
    Ok(Page {
        rows: page.rows.into_iter().map(|(_, refusal)| refusal).collect(),
        next: page.next,
    })
}
