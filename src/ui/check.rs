//! `/check`: why an RP is accepted or refused, for its developers. Development only: it makes this provider fetch what
//! its caller names.

mod document;
mod view;

pub use document::{CheckDocument, KeptDocument};
pub use view::view;

use super::Page as _;
use super::pages::check::{CheckPage, KeptView};
use super::visit::{PageFailure, Visit, check_csrf, csrf_token};
use crate::endpoint::{CookieChange, Note, Reply, Trouble};
use crate::federation::evaluation::Recheck;
use crate::model::{ClientId, Refusal};
use crate::provider::ClientError;
use crate::random;

/// What form tokens of this page are for.
const PURPOSE: &str = "check";
/// How long a form may be used.
const FORM_SECONDS: i64 = 86_400;
/// Bytes of an entity identifier.
const ENTITY_ID_MAX: usize = 2048;

/// `GET /check?rp=…`: the form; `?reference=…`: what was refused under that reference, and the form for its RP.
pub async fn show(visit: &Visit<'_>) -> Reply {
    match try_show(visit).await {
        Ok(reply) => reply,
        Err(failure) => visit.failure(failure),
    }
}

async fn try_show(visit: &Visit<'_>) -> Result<Reply, PageFailure> {
    let secret = browser_secret(visit).unwrap_or_else(random::token);
    let query = visit.query();
    let reference = query.get("reference");
    let kept = match reference {
        Some(reference) => visit.op.find_refusal(reference).await?,
        None => None,
    };
    let entity_id = match &kept {
        Some(refusal) => refusal.unverified_client_id.to_string(),
        None => shortened(query.get("rp").unwrap_or_default()),
    };
    let page = CheckPage {
        action_url: visit.link("/check", &[]),
        csrf_token: csrf_token(&secret, PURPOSE),
        last: last(visit, &entity_id).await?,
        entity_id,
        result: None,
        unknown_reference: reference.is_some() && kept.is_none(),
        kept: kept.map(|refusal| kept_view(visit, refusal)),
    };
    let reply = answer(visit, &page, 200);
    Ok(reply.cookie(CookieChange::Set(cookie(visit), secret, FORM_SECONDS)))
}

async fn last(visit: &Visit<'_>, entity_id: &str) -> Result<Vec<KeptView>, PageFailure> {
    let refusals = visit.op.last_refusals(&ClientId::new(entity_id)).await?;
    let views = refusals.into_iter().map(|one| kept_view(visit, one));
    Ok(views.collect())
}

fn kept_view(visit: &Visit<'_>, refusal: Refusal) -> KeptView {
    KeptView {
        url: visit.link("/check", &[("reference", &refusal.reference)]),
        endpoint: refusal.endpoint().to_owned(),
        answered: format!("{}: {}", refusal.code, refusal.description),
        reference: refusal.reference,
        refused_at: refusal.refused_at.0,
        client_id: refusal.unverified_client_id.to_string(),
        reason: refusal.reason,
    }
}

/// `POST /check`: looks at the RP and draws what was found; `fresh=1` passes by every cache.
pub async fn submit(visit: &Visit<'_>) -> Reply {
    match try_submit(visit).await {
        Ok(reply) => reply,
        Err(failure) => visit.failure(failure),
    }
}

async fn try_submit(visit: &Visit<'_>) -> Result<Reply, PageFailure> {
    let form = visit.form()?;
    let secret = browser_secret(visit).unwrap_or_default();
    check_csrf(&form, &secret, PURPOSE)?;
    let entity_id = shortened(form.get("rp").unwrap_or_default().trim());
    let recheck = match form.get("fresh") {
        Some("1") => Recheck::Fresh,
        _ => Recheck::Cached,
    };
    let client_id = ClientId::new(entity_id.clone());
    let last = last(visit, &entity_id).await?;
    let examination = visit.op.examine(&client_id, recheck).await;
    let busy = |_| PageFailure::Refused(Trouble::Busy, "too many examinations are under way");
    let examination = examination.map_err(busy)?;
    // Our own outage is no verdict on the RP.
    let status = match examination.refusal {
        Some(ClientError::Store(_)) => 503,
        _ => 200,
    };
    let page = CheckPage {
        action_url: visit.link("/check", &[]),
        csrf_token: csrf_token(&secret, PURPOSE),
        entity_id,
        result: Some(view(&examination, visit.locale(&[]))),
        kept: None,
        unknown_reference: false,
        last,
    };
    let accepted = if examination.refusal.is_none() {
        "true"
    } else {
        "false"
    };
    let note = Note::new(log::Level::Info, "check.done")
        .with("client_id", client_id.as_str())
        .with("accepted", accepted);
    Ok(answer(visit, &page, status).noted(note))
}

fn answer(visit: &Visit<'_>, page: &CheckPage, status: u16) -> Reply {
    let layout = visit.layout(visit.locale(&[]), None, true);
    match page.render(visit.pages, &layout) {
        Ok(html) => visit.html(status, html),
        Err(error) => visit.failure(error.into()),
    }
}

/// The page's own cookie: nobody is logged in here.
fn cookie(visit: &Visit<'_>) -> String {
    format!("{}.check", visit.op.cookie_name())
}

fn browser_secret(visit: &Visit<'_>) -> Option<String> {
    let secret = visit.inbound.cookie(&cookie(visit))?;
    (!secret.is_empty()).then(|| secret.to_owned())
}

fn shortened(text: &str) -> String {
    text.chars().take(ENTITY_ID_MAX).collect()
}
