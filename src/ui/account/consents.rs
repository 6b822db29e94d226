//! `/account/consents`: who may do what, until when. Withdrawing is confirmed where the history's revocations are.

use super::super::visit::Visit;
use super::super::{ConsentView, ConsentsPage, Page as _, account::citizen};
use super::Outcome;
use crate::model::ClientId;
use crate::store::consent;

/// Relying parties on one page.
const PER_PAGE: u32 = 20;

pub(super) async fn show(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    let query = visit.query();
    let after = query.get("after").map(ClientId::new);
    let is_first = after.is_none();
    let (issuer, person) = (visit.op.issuer.clone(), citizen.account.id.clone());
    let now = visit.now();
    let mut found = visit
        .op
        .shared
        .store
        .read(move |conn| {
            let owner = (&issuer, &person);
            consent::search(conn, owner, now, after.as_ref(), PER_PAGE + 1)
        })
        .await?;
    let size = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let more = found.len() > size;
    found.truncate(size);
    let path = "/account/consents";
    let last = found.last().filter(|_| more);
    let page = ConsentsPage {
        next_url: last.map(|last| visit.link(path, &[("after", last.client_id.as_str())])),
        first_url: (!is_first).then(|| visit.link(path, &[])),
        consents: found
            .into_iter()
            .map(|consent| ConsentView {
                rp_name: consent.rp_name,
                entity_id: consent.client_id.to_string(),
                attributes: consent.attributes,
                since: consent.since,
                until: consent.until,
                offline_access: consent.offline_access,
            })
            .collect(),
        revoke_url: visit.link("/history/revoke", &[]),
        account_url: visit.link("/account", &[]),
        withdrawn: query.get("done").is_some(),
    };
    let name = super::super::consent::display_name(&citizen.account);
    let layout = visit.layout(visit.locale(&[]), Some(name), true);
    Ok(Ok(visit.html(200, page.render(visit.pages, &layout)?)))
}
