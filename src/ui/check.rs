//! `/check`: why an RP is accepted or refused, for its developers. Development only: it makes this provider fetch what
//! its caller names.

mod document;
mod view;

pub use document::CheckDocument;
pub use view::view;

use super::Page as _;
use super::pages::check::CheckPage;
use super::visit::{PageFailure, Visit, check_csrf, csrf_token};
use crate::endpoint::{CookieChange, Note, Reply};
use crate::federation::evaluation::Recheck;
use crate::model::ClientId;
use crate::provider::ClientError;
use crate::random;

/// What form tokens of this page are for.
const PURPOSE: &str = "check";
/// How long a form may be used.
const FORM_SECONDS: i64 = 86_400;
/// Bytes of an entity identifier.
const ENTITY_ID_MAX: usize = 2048;

/// `GET /check?rp=…`: the form.
pub async fn show(visit: &Visit<'_>) -> Reply {
    let secret = browser_secret(visit).unwrap_or_else(random::token);
    let query = visit.query();
    let page = CheckPage {
        action_url: visit.link("/check", &[]),
        csrf_token: csrf_token(&secret, PURPOSE),
        entity_id: shortened(query.get("rp").unwrap_or_default()),
        result: None,
    };
    let reply = answer(visit, &page, 200);
    reply.cookie(CookieChange::Set(cookie(visit), secret, FORM_SECONDS))
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
    let examination = visit.op.examine(&client_id, recheck).await;
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
