//! The evaluation of an RP within the desk: now, or what was refused under a reference. As [`crate::ui::check`], which is
//! for developers; here for operators, at every issuer and outside development too.

use super::{CHECK, ONE, PATH, issuer, list, look, one};
use crate::endpoint::Trouble;
use crate::model::{CheckKind, ClientId, Refusal, RpCheck};
use crate::provider::Provider;
use crate::ui::desk::visit::link;
use crate::ui::desk::{Desk, Outcome, Section, looking};
use crate::ui::visit::PageFailure;
use crate::ui::{KeptView, RpCheckPage};
use std::sync::Arc;

/// Bytes of an entity identifier.
const MOST_BYTES: usize = 2048;

/// What the page is about.
#[derive(Default)]
struct About {
    op: Option<Arc<Provider>>,
    rp: String,
    check: Option<RpCheck>,
    kept: Option<Refusal>,
    unknown_reference: bool,
}

pub(super) async fn show(desk: &Desk<'_>) -> Outcome {
    let query = desk.query();
    let own = |name: &str| query.get(name).unwrap_or_default().trim().to_owned();
    if query.get("id").is_some() {
        return show_check(desk).await;
    }
    let op = issuer(desk, &own("issuer")).cloned();
    let reference = own("reference");
    let kept = match &op {
        Some(op) if !reference.is_empty() => op.find_refusal(&reference).await?,
        _ => None,
    };
    let about = About {
        op,
        rp: match &kept {
            Some(refusal) => refusal.unverified_client_id.to_string(),
            None => shortened(&own("client_id")),
        },
        unknown_reference: !reference.is_empty() && kept.is_none(),
        kept,
        check: None,
    };
    page(desk, 200, about).await
}

/// How far a check is, or what came of it.
async fn show_check(desk: &Desk<'_>) -> Outcome {
    let check = looking::find(desk, CHECK).await?;
    let mut providers = desk.state.providers.iter();
    let op = providers.find(|op| op.settings.id == check.issuer).cloned();
    let about = About {
        op,
        rp: check.client_id.clone(),
        check: Some(check.clone()),
        ..About::default()
    };
    let reply = page(desk, 200, about).await?;
    Ok(looking::coming_again(desk, &check, reply))
}

async fn page(desk: &Desk<'_>, status: u16, about: About) -> Outcome {
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
    let ended = about.check.as_ref();
    let ended = ended.and_then(|check| look::result(check, desk.locale()));
    let party = [("issuer", slug.as_str()), ("client_id", about.rp.as_str())];
    let page = RpCheckPage {
        desk: desk.view(Section::Rps),
        action_url: CHECK,
        issuers: list::issuers(desk, &slug, |_| true),
        entity_id: about.rp.clone(),
        refreshed: ended.as_ref().is_some_and(|ended| ended.refreshed),
        progress: match (&about.check, &ended) {
            (Some(check), None) => Some(looking::progress(desk, check)),
            _ => None,
        },
        error: ended.as_ref().and_then(|ended| {
            let name = ended.error.as_ref()?;
            Some(desk.text(&format!("desk-rp-look-{name}")))
        }),
        result: ended.and_then(|ended| ended.view),
        kept: about.kept.map(&view_of),
        unknown_reference: about.unknown_reference,
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
        let about = About {
            op: Some(op),
            ..About::default()
        };
        return page(desk, 422, about).await;
    }
    let kind = match desk.field("fresh") {
        "1" => CheckKind::Fresh,
        _ => CheckKind::Cached,
    };
    look::begin(desk, &op, (&ClientId::new(rp), kind)).await
}

fn shortened(text: &str) -> String {
    text.chars().take(MOST_BYTES).collect()
}
