//! The page that waits for a confirmation in the identity provider's own app.
//!
//! Only the button sends a request to the app; the page, loaded again, and its script ask what came of it. An approval is
//! spent when the browser that began the login loads the page.

use super::super::super::visit::{PageFailure, Visit};
use super::super::super::{ConfirmElsewherePage, Page as _, Stands};
use super::Step;
use crate::authn::external::{self, Begun, Shown, Wanted};
use crate::config::ExternalMethodSettings;
use crate::endpoint::{Note, Reply};
use crate::language::Locale;
use crate::model::{ExternalLogin, ExternalState, Method, Params};
use crate::store::{StoreError, external_login};

/// How things stand: what the script is told, so that it loads the page when there is something new.
fn name_of(login: &ExternalLogin, step: &Step<'_>, visit: &Visit<'_>) -> &'static str {
    match login.state {
        ExternalState::Waiting if visit.now() >= login.expires_at => "expired",
        ExternalState::Waiting if login.is_silent() => "silent",
        ExternalState::Waiting => "waiting",
        _ if step.account.id != login.account => "gone",
        ExternalState::Approved => "approved",
        ExternalState::Denied => "denied",
        ExternalState::Unavailable => "unavailable",
        ExternalState::Redeemed => "gone",
    }
}

/// What the script of the waiting page is told.
pub(in super::super) async fn poll(
    step: &Step<'_>,
    visit: &Visit<'_>,
) -> Result<&'static str, PageFailure> {
    let Some(login) = find(step, visit).await? else {
        return Ok("gone");
    };
    let login = ask(step, visit, login).await?;
    Ok(name_of(&login, step, visit))
}

pub(super) async fn page(
    step: &Step<'_>,
    visit: &Visit<'_>,
    status: u16,
) -> Result<Reply, PageFailure> {
    let Some(login) = find(step, visit).await? else {
        return shown(step, visit, (status, Stands::NotBegun)).await;
    };
    let login = Box::pin(ask(step, visit, login)).await?;
    let now = visit.now();
    let stands = match login.state {
        ExternalState::Waiting | ExternalState::Approved if now >= login.expires_at => {
            Stands::Expired
        }
        ExternalState::Approved => return redeem(step, visit, login).await,
        ExternalState::Waiting => {
            let poll_state = name_of(&login, step, visit).to_owned();
            Stands::Waiting {
                silent: login.is_silent(),
                number: login.number,
                until: login.expires_at,
                poll_url: visit.link("/login/waiting", &[("interaction", step.open.id())]),
                poll_state,
            }
        }
        ExternalState::Denied => Stands::Denied,
        ExternalState::Unavailable => Stands::Unavailable,
        ExternalState::Redeemed => Stands::Expired,
    };
    shown(step, visit, (status, stands)).await
}

/// Begins, or shows the page anew: a form without JavaScript that asks "now?".
pub(super) async fn submit(
    step: &Step<'_>,
    visit: &Visit<'_>,
    form: &Params,
) -> Result<Reply, PageFailure> {
    let here = Reply::see_other(step.url(visit, Some(Method::External)));
    let (Some(_), true) = (method(visit), form.get("begin").is_some()) else {
        return Ok(here);
    };
    let op = visit.op.clone();
    let (interaction, account) = (step.open.interaction.clone(), step.account.id.clone());
    let level = step.login.level.clone();
    let begun = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<Option<Begun>, StoreError> {
            let Some(method) = &op.settings.external_method else {
                return Ok(None);
            };
            let wanted = Wanted {
                interaction: &interaction,
                account: &account,
                level: &level,
            };
            external::begin(tx, &op, method, wanted).map(Some)
        })
        .await?;
    let Some(Begun::Locked { until }) = begun else {
        return Ok(here.noted(Note::new(log::Level::Info, "external.begun")));
    };
    let seconds = until.seconds_since(visit.now()).max(1);
    let reply = shown(step, visit, (429, Stands::Locked { until })).await?;
    let note = Note::new(log::Level::Warn, "login.failed");
    Ok(reply
        .header("Retry-After", seconds.to_string())
        .noted(note.with("reason", "external method: locked")))
}

fn method<'a>(visit: &'a Visit<'_>) -> Option<&'a ExternalMethodSettings> {
    visit.op.settings.external_method.as_ref()
}

/// What this login waits for: begun in this browser, for this person and this level.
async fn find(step: &Step<'_>, visit: &Visit<'_>) -> Result<Option<ExternalLogin>, PageFailure> {
    let id = step.open.interaction.id.clone();
    let store = &visit.op.shared.store;
    let found = store
        .read(move |conn| external_login::find(conn, &id))
        .await?;
    Ok(found.filter(|found| {
        found.account == step.account.id
            && found.browser == step.open.interaction.browser
            && found.level == step.login.level
    }))
}

async fn ask(
    step: &Step<'_>,
    visit: &Visit<'_>,
    login: ExternalLogin,
) -> Result<ExternalLogin, PageFailure> {
    let around = step.surroundings(visit, Some(Method::External)).await;
    let shown = Shown {
        username: step.account.username.clone(),
        rp_name: around.view.rp.name,
        language: around.layout.locale.code().to_owned(),
        alone: false,
    };
    Ok(external::poll(visit.op, login, shown).await?)
}

/// Spends the approval: the login goes on.
async fn redeem(
    step: &Step<'_>,
    visit: &Visit<'_>,
    approved: ExternalLogin,
) -> Result<Reply, PageFailure> {
    let ending = step.ending(visit).await?;
    let (op, now) = (visit.op.clone(), visit.now());
    let proved = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<_, StoreError> {
            if !external::redeem(tx, &approved, now)? {
                return Ok(None);
            }
            ending.prove(tx, &op, Method::External).map(Some)
        })
        .await?;
    match proved {
        Some(proved) => Ok(step.go_on(visit, proved)),
        None => shown(step, visit, (200, Stands::Expired)).await,
    }
}

async fn shown(
    step: &Step<'_>,
    visit: &Visit<'_>,
    (status, stands): (u16, Stands),
) -> Result<Reply, PageFailure> {
    let around = step.surroundings(visit, Some(Method::External)).await;
    let waits = matches!(stands, Stands::Waiting { .. });
    let page = ConfirmElsewherePage {
        name: label(visit, around.layout.locale),
        alone: false,
        step: around.view.clone(),
        stands,
    };
    let html = page.render(visit.pages, &around.layout)?;
    let mut reply = around.html(visit, step.open, (status, html));
    reply.connects = waits;
    Ok(reply)
}

/// What people call it; the empty language stands for every other one.
pub(in super::super) fn label(visit: &Visit<'_>, locale: Locale) -> String {
    let names = method(visit).map(|method| &method.name);
    let found = names.and_then(|names| {
        names
            .get(locale.code())
            .or_else(|| names.get(""))
            .or_else(|| names.values().next())
    });
    found.cloned().unwrap_or_default()
}
