//! The identity provider's own app, alone: the person types the username, and confirms the login there.
//!
//! Names that nobody has go the same way, to a confirmation that never comes: see [`crate::authn::external`].

use super::super::interaction::OpenInteraction;
use super::super::visit::{PageFailure, Visit};
use super::super::{AskElsewherePage, AskError, ConfirmElsewherePage, Page as _, Stands};
use super::around::{Around, url};
use super::{Login, MAX_USERNAME, start, step};
use crate::authn::address;
use crate::authn::external::{self, Begun, Shown};
use crate::endpoint::{Note, Reply};
use crate::model::{Account, ExternalLogin, ExternalState, Method, Params};
use crate::store::{StoreError, account as accounts, external_login};

/// What came of asking for a confirmation.
enum Asked {
    Begun,
    Locked(AskError),
}

/// The page: it asks for a name, waits, or lets somebody in.
pub(super) async fn page(
    visit: &Visit<'_>,
    login: &Login,
    open: &OpenInteraction,
) -> Result<Reply, PageFailure> {
    let Some((known, person)) = find(visit, login, open).await? else {
        return form(visit, (login, open), (200, String::new()), None).await;
    };
    let around = around(visit, login, open).await;
    let known = ask(visit, &around, (known, person.as_ref())).await?;
    let is_over = visit.now() >= known.expires_at;
    match (known.state, person) {
        (ExternalState::Waiting, _) if !is_over => waiting(visit, (open, &around), known),
        (ExternalState::Approved, Some(person)) if !is_over => {
            redeem(visit, (login, open), (known, person)).await
        }
        // Also refused, unknown, or spent: nobody learns which.
        _ => {
            form(
                visit,
                (login, open),
                (200, String::new()),
                Some(AskError::Expired),
            )
            .await
        }
    }
}

/// What the script of the waiting page is told.
pub(super) async fn poll(
    visit: &Visit<'_>,
    login: &Login,
    open: &OpenInteraction,
) -> Result<&'static str, PageFailure> {
    let Some((known, person)) = find(visit, login, open).await? else {
        return Ok("gone");
    };
    let around = around(visit, login, open).await;
    let known = ask(visit, &around, (known, person.as_ref())).await?;
    Ok(if visit.now() >= known.expires_at {
        "expired"
    } else {
        match known.state {
            ExternalState::Waiting => name_of(&known),
            ExternalState::Approved => "approved",
            ExternalState::Denied | ExternalState::Unavailable | ExternalState::Redeemed => "gone",
        }
    })
}

/// What was posted: a name, or "now?".
pub(super) async fn submit(
    visit: &Visit<'_>,
    (login, open): (&Login, &OpenInteraction),
    form_sent: &Params,
) -> Result<Reply, PageFailure> {
    let here = Reply::see_other(url(visit, open, Some(Method::External)));
    if form_sent.get("begin").is_none() {
        return Ok(here);
    }
    let typed = form_sent.get("username").unwrap_or_default().trim();
    let username: String = typed.chars().take(MAX_USERNAME).collect();
    if username.is_empty() {
        let error = Some(AskError::MissingUsername);
        return form(visit, (login, open), (422, username), error).await;
    }
    match begin(visit, (login, open), username.clone()).await? {
        Asked::Begun => {
            Ok(here.noted(Note::new(log::Level::Info, "external.begun").with("alone", "true")))
        }
        Asked::Locked(error) => {
            let seconds = match error {
                AskError::Throttled { seconds } => i64::try_from(seconds).unwrap_or(1),
                AskError::Locked { until } => until.seconds_since(visit.now()).max(1),
                AskError::MissingUsername | AskError::Expired => 1,
            };
            let reply = form(visit, (login, open), (429, username), Some(error)).await?;
            let note = Note::new(log::Level::Warn, "login.failed");
            Ok(reply
                .header("Retry-After", seconds.to_string())
                .noted(note.with("reason", "external method alone: throttled")))
        }
    }
}

/// Counted by address and by name, whosever it is, before anything is looked up.
async fn begin(
    visit: &Visit<'_>,
    (login, open): (&Login, &OpenInteraction),
    username: String,
) -> Result<Asked, PageFailure> {
    let (op, level) = (visit.op.clone(), login.level.clone());
    let (interaction, from) = (open.interaction.clone(), visit.inbound.address);
    let store = &visit.op.shared.store;
    Ok(store
        .write(move |tx| -> Result<Asked, StoreError> {
            let Some(method) = &op.settings.external_method else {
                return Ok(Asked::Locked(AskError::Expired));
            };
            if let Some(seconds) = address::reserve(tx, &op.shared, from)? {
                let seconds = u64::try_from(seconds).unwrap_or(1);
                return Ok(Asked::Locked(AskError::Throttled { seconds }));
            }
            let found = accounts::find_by_username(tx, &username)?;
            let found = found
                .filter(|person| person.enabled)
                .map(|person| person.id);
            let what = (&interaction, level.as_str());
            let whose = (username.as_str(), found);
            Ok(match external::begin_alone(tx, &op, method, what, whose)? {
                Begun::Yes => Asked::Begun,
                Begun::Locked { until } => Asked::Locked(AskError::Locked { until }),
            })
        })
        .await?)
}

/// What this login waits for, begun in this browser, and for whom; nobody, for a name that nobody has.
async fn find(
    visit: &Visit<'_>,
    login: &Login,
    open: &OpenInteraction,
) -> Result<Option<(ExternalLogin, Option<Account>)>, PageFailure> {
    let id = open.interaction.id.clone();
    let (browser, level) = (open.interaction.browser, login.level.clone());
    let store = &visit.op.shared.store;
    Ok(store
        .read(move |conn| -> Result<_, StoreError> {
            let found = external_login::find(conn, &id)?;
            let Some(found) =
                found.filter(|found| found.browser == browser && found.level == level)
            else {
                return Ok(None);
            };
            let person = accounts::find(conn, &found.account)?;
            Ok(Some((found, person.filter(|person| person.enabled))))
        })
        .await?)
}

async fn ask(
    visit: &Visit<'_>,
    around: &Around,
    (known, person): (ExternalLogin, Option<&Account>),
) -> Result<ExternalLogin, PageFailure> {
    let nobody = known.account.to_string();
    let shown = Shown {
        username: person.map_or(nobody, |person| person.username.clone()),
        rp_name: around.view.rp.name.clone(),
        language: around.layout.locale.code().to_owned(),
        alone: true,
    };
    Ok(external::poll(visit.op, known, shown).await?)
}

/// Spends the approval: the login goes on.
async fn redeem(
    visit: &Visit<'_>,
    (login, open): (&Login, &OpenInteraction),
    (approved, person): (ExternalLogin, Account),
) -> Result<Reply, PageFailure> {
    let (now, from, username) = (visit.now(), visit.inbound.address, person.username.clone());
    let store = &visit.op.shared.store;
    let spent = store
        .write(move |tx| -> Result<bool, StoreError> {
            let spent = external::redeem_alone(tx, (&approved, &username), now)?;
            if spent {
                address::give_back(tx, from)?;
            }
            Ok(spent)
        })
        .await?;
    if spent && visit.op.begins_with(Method::External, &login.level) {
        return login.proven(visit, &person, Method::External).await;
    }
    let error = Some(AskError::Expired);
    form(visit, (login, open), (200, String::new()), error).await
}

fn name_of(known: &ExternalLogin) -> &'static str {
    if known.is_silent() {
        "silent"
    } else {
        "waiting"
    }
}

fn waiting(
    visit: &Visit<'_>,
    (open, around): (&OpenInteraction, &Around),
    known: ExternalLogin,
) -> Result<Reply, PageFailure> {
    let mut view = around.view.clone();
    view.may_restart = true;
    let with = [
        ("interaction", open.id()),
        ("with", Method::External.name()),
    ];
    let page = ConfirmElsewherePage {
        step: view,
        name: step::label(visit, around.layout.locale),
        alone: true,
        stands: Stands::Waiting {
            poll_url: visit.link("/login/waiting", &with),
            poll_state: name_of(&known).to_owned(),
            silent: known.is_silent(),
            number: known.number,
            until: known.expires_at,
        },
    };
    let html = page.render(visit.pages, &around.layout)?;
    let mut reply = around.html(visit, open, (200, html));
    reply.connects = true;
    Ok(reply)
}

/// The page that asks for the name.
async fn form(
    visit: &Visit<'_>,
    (login, open): (&Login, &OpenInteraction),
    (status, username): (u16, String),
    error: Option<AskError>,
) -> Result<Reply, PageFailure> {
    let around = around(visit, login, open).await;
    let page = AskElsewherePage {
        step: around.view.clone(),
        name: step::label(visit, around.layout.locale),
        username,
        error,
    };
    let html = page.render(visit.pages, &around.layout)?;
    Ok(around.html(visit, open, (status, html)))
}

async fn around(visit: &Visit<'_>, login: &Login, open: &OpenInteraction) -> Around {
    let others = start::others(visit, login, Method::External);
    Around::of(visit, (login, open), (Some(Method::External), others)).await
}
