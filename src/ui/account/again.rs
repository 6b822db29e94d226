//! A form of the account whose session had ended: after the login the person is back on it.

use super::super::draft::{self, Place, Typed};
use super::super::visit::{PageFailure, SignedIn, Visit, check_csrf};
use super::PURPOSE;
use crate::endpoint::{CookieChange, Reply};
use crate::model::AccountId;
use crate::store::session;

/// Pages that a login leads back to; all others lead to the first.
pub(in crate::ui) const OWN_PAGES: [&str; 7] = [
    "/account",
    "/account/factor/add",
    "/account/key/add",
    "/account/recovery",
    "/account/password",
    "/account/consents",
    "/account/data",
];

fn own_page(path: &str) -> &'static str {
    let known = OWN_PAGES.into_iter().find(|known| *known == path);
    known.unwrap_or("/account")
}

/// The login that leads back to this page.
pub(super) fn log_in(visit: &Visit<'_>) -> Reply {
    let to = own_page(visit.path).trim_start_matches('/');
    Reply::see_other(visit.link("/login", &[("to", to)]))
}

/// The person who sent a form; or the way to log in, where what was typed is kept.
pub(super) async fn who_sent(visit: &Visit<'_>) -> Result<Result<SignedIn, Reply>, PageFailure> {
    if let Some(citizen) = visit.live_session().await? {
        return Ok(Ok(citizen));
    }
    let reply = log_in(visit);
    Ok(Err(match keep(visit).await? {
        Some(cookie) => reply.cookie(cookie),
        None => reply,
    }))
}

async fn keep(visit: &Visit<'_>) -> Result<Option<CookieChange>, PageFailure> {
    let (Some(id), Ok(form)) = (visit.session.clone(), visit.form()) else {
        return Ok(None);
    };
    // Nobody else's page can have this browser keep anything.
    if check_csrf(&form, id.as_str(), PURPOSE).is_err() {
        return Ok(None);
    }
    let shared = &visit.op.shared;
    let ended = shared
        .store
        .read(move |conn| session::find(conn, &id))
        .await?
        // One that somebody has ended on purpose keeps nothing.
        .filter(|session| session.issuer == visit.op.issuer && session.ended_at.is_none());
    let Some(ended) = ended else {
        return Ok(None);
    };
    let place = place(visit, &ended.account);
    Ok(draft::keep(shared, cookie_name(visit), place, &form).await?)
}

/// What the person typed on this page before the session ended.
pub(super) async fn typed(
    visit: &Visit<'_>,
    citizen: &SignedIn,
) -> Result<Option<Typed>, PageFailure> {
    let token = visit.inbound.cookie(&cookie_name(visit));
    let place = place(visit, &citizen.account.id);
    Ok(draft::take(&visit.op.shared, token, place).await?)
}

fn place(visit: &Visit<'_>, account: &AccountId) -> Place {
    Place {
        owner: format!("account {account}"),
        path: own_page(visit.path).to_owned(),
    }
}

fn cookie_name(visit: &Visit<'_>) -> String {
    format!("{}.draft", visit.op.cookie_name())
}
