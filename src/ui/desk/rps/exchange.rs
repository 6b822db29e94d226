//! RPs as a file; [`super::imports`] takes them in.

use super::{list, of_query};
use crate::administration::parties::exchange;
use crate::endpoint::Reply;
use crate::store::client::{self, ClientOrder, ClientOrigin};
use crate::ui::desk::{Desk, Outcome};
use crate::ui::visit::PageFailure;
use serde_json::Value;

/// RPs read at once.
const READ: u32 = 500;
/// RPs of a file that the desk makes; `varco rp export` has no end.
const MOST_EXPORTED: usize = 5_000;

/// `?issuer&client_id`: that one; else what an operator registered of what the list shows.
pub(super) async fn export(desk: &Desk<'_>) -> Outcome {
    let entries = match desk.query().get("client_id") {
        Some(_) => vec![exchange::entry(&of_query(desk).await?.party)],
        None => registered(desk).await?,
    };
    let text = format!("{:#}\n", exchange::document(entries));
    Ok(Reply::bytes(200, "application/json", text.into_bytes())
        .header("Cache-Control", "no-store")
        .header(
            "Content-Disposition",
            "attachment; filename=\"relying-parties.json\"",
        ))
}

async fn registered(desk: &Desk<'_>) -> Result<Vec<Value>, PageFailure> {
    let mut filter = list::filter(desk);
    filter.origin = Some(ClientOrigin::Registered);
    let mut entries = Vec::new();
    let mut after = None;
    loop {
        let (searched, from) = (filter.clone(), after.take());
        let page = desk
            .shared()
            .store
            .read(move |conn| {
                client::search(conn, &searched, ClientOrder::default(), from.as_ref(), READ)
            })
            .await?;
        entries.extend(page.rows.iter().map(exchange::entry));
        after = page.next;
        if after.is_none() || entries.len() >= MOST_EXPORTED {
            return Ok(entries);
        }
    }
}
