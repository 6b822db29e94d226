//! RPs as a file; [`super::imports`] takes them in.

use super::{list, of_query};
use crate::administration::parties::exchange::{self, MOST_ENTRIES};
use crate::endpoint::Reply;
use crate::store::client::ClientOrigin;
use crate::ui::desk::{Desk, Outcome};
use crate::ui::translate;

/// `?issuer&client_id`: that one; else what an operator registered of what the list shows. As many as an import takes:
/// where there are more the list says so, and names the command that has no end.
pub(super) async fn export(desk: &Desk<'_>) -> Outcome {
    let entries = match desk.query().get("client_id") {
        Some(_) => vec![exchange::entry(&of_query(desk).await?.party)],
        None => {
            let mut filter = list::filter(desk);
            filter.origin = Some(ClientOrigin::Registered);
            let found = desk
                .shared()
                .store
                .read(move |conn| exchange::entries_of(conn, &filter, MOST_ENTRIES))
                .await?;
            match found {
                Some(entries) => entries,
                None => {
                    let arguments = [("most".into(), MOST_ENTRIES.into())].into();
                    let error = translate(desk.locale(), "desk-rp-export-more", &arguments);
                    return list::page(desk, 409, error.ok()).await;
                }
            }
        }
    };
    let text = format!("{:#}\n", exchange::document(entries));
    Ok(Reply::bytes(200, "application/json", text.into_bytes())
        .header("Cache-Control", "no-store")
        .header(
            "Content-Disposition",
            "attachment; filename=\"relying-parties.json\"",
        ))
}
