//! The evaluation of an RP within the desk: now, or what was refused under a reference. As [`crate::ui::check`], which is
//! for developers; here for operators, at every issuer and outside development too.

use super::{CHECK, ONE, PATH, issuer, list, one};
use crate::endpoint::{Note, Trouble};
use crate::federation::evaluation::Recheck;
use crate::model::{ClientId, Refusal};
use crate::provider::{ClientError, Provider};
use crate::ui::check::view;
use crate::ui::desk::visit::link;
use crate::ui::desk::{Desk, Outcome, Section};
use crate::ui::visit::PageFailure;
use crate::ui::{CheckView, KeptView, RpCheckPage};
use std::sync::Arc;

/// Bytes of an entity identifier.
const MOST_BYTES: usize = 2048;

/// What the page is about.
struct About {
    op: Option<Arc<Provider>>,
    rp: String,
}

pub(super) async fn show(desk: &Desk<'_>) -> Outcome {
    let query = desk.query();
    let own = |name: &str| query.get(name).unwrap_or_default().trim().to_owned();
    let op = issuer(desk, &own("issuer")).cloned();
    let reference = own("reference");
    let kept = match &op {
        Some(op) if !reference.is_empty() => op.find_refusal(&reference).await?,
        _ => None,
    };
    let rp = match &kept {
        Some(refusal) => refusal.unverified_client_id.to_string(),
        None => shortened(&own("client_id")),
    };
    let unknown = !reference.is_empty() && kept.is_none();
    let about = About { op, rp };
    page(desk, &about, (200, None), (kept, unknown)).await
}

async fn page(
    desk: &Desk<'_>,
    about: &About,
    (status, result): (u16, Option<CheckView>),
    (kept, unknown_reference): (Option<Refusal>, bool),
) -> Outcome {
    let slug = about.op.as_ref().map(|op| op.settings.slug().to_owned());
    let slug = slug.unwrap_or_default();
    let view_of = |refusal: Refusal| {
        let reference = [("issuer", slug.as_str()), ("reference", &refusal.reference)];
        one::kept_view(link(CHECK, &reference), refusal)
    };
    let last: Vec<KeptView> = match &about.op {
        Some(op) if !about.rp.is_empty() => {
            let last = op.last_refusals(&ClientId::new(about.rp.as_str())).await?;
            last.into_iter().map(&view_of).collect()
        }
        _ => Vec::new(),
    };
    let party = [("issuer", slug.as_str()), ("client_id", about.rp.as_str())];
    let page = RpCheckPage {
        desk: desk.view(Section::Rps),
        action_url: CHECK,
        issuers: list::issuers(desk, &slug, |_| true),
        entity_id: about.rp.clone(),
        result,
        kept: kept.map(&view_of),
        unknown_reference,
        last,
        back_url: PATH,
        rp_url: (!about.rp.is_empty()).then(|| link(ONE, &party)),
    };
    desk.page(status, &page)
}

pub(super) async fn submit(desk: &Desk<'_>) -> Outcome {
    let rp = shortened(desk.field("rp"));
    let op = issuer(desk, desk.field("issuer")).cloned();
    let op = op.ok_or(PageFailure::Refused(
        Trouble::NotFound,
        "there is no such issuer",
    ))?;
    if rp.is_empty() {
        let about = About { op: Some(op), rp };
        return page(desk, &about, (422, None), (None, false)).await;
    }
    let recheck = match desk.field("fresh") {
        "1" => Recheck::Fresh,
        _ => Recheck::Cached,
    };
    let examination = op.examine(&ClientId::new(rp.as_str()), recheck).await;
    let busy = |_| PageFailure::Refused(Trouble::Busy, "too many examinations are under way");
    let examination = examination.map_err(busy)?;
    // Our own outage is no verdict on the RP.
    let status = match examination.refusal {
        Some(ClientError::Store(_)) => 503,
        _ => 200,
    };
    let note = Note::new(log::Level::Info, "check.done")
        .with("issuer", op.settings.id.clone())
        .with("client_id", rp.as_str())
        .with("accepted", examination.refusal.is_none().to_string());
    let shown = view(&examination, desk.locale());
    let about = About { op: Some(op), rp };
    let reply = page(desk, &about, (status, Some(shown)), (None, false)).await?;
    Ok(reply.noted(note))
}

fn shortened(text: &str) -> String {
    text.chars().take(MOST_BYTES).collect()
}
