//! `/history`: who got what, when, at which level; and how to stop it.

mod export;
mod filter;

use super::visit::{PageFailure, SignedIn, Visit, check_csrf, csrf_token};
use super::{
    HistoryEntry, HistoryPage, Level, LoggedOutPage, Notice, Page as _, RevokeConfirmPage,
    RpChoice, RpView, TokenState,
};
use crate::endpoint::{Note, Reply, SessionChange, Trouble};
use crate::model::{AccessState, Account, ClientId, LoginEvent, Session};
use crate::store::keyset::{CursorText as _, Page, TimeCursor};
use crate::store::{DbConn, StoreError, grant, login_event, session};
use filter::Filter;
use login_event::HistoryOwner;

/// Events that an export reads at once.
const EXPORT_BATCH: u32 = 500;
/// What form tokens of these pages are for.
pub(super) const PURPOSE: &str = "history";

/// Somebody who is logged in at this issuer.
struct Citizen {
    session: Session,
    account: Account,
}

/// `GET /history`.
pub async fn show(visit: &Visit<'_>) -> Reply {
    answer(visit, try_show(visit).await)
}

/// `GET /history.csv` and `GET /history.json`: all that the filter finds.
pub async fn export(visit: &Visit<'_>, format: export::Format) -> Reply {
    answer(visit, try_export(visit, format).await)
}

/// `GET /history/revoke?rp=…`: the confirm step.
pub async fn confirm_revocation(visit: &Visit<'_>) -> Reply {
    answer(visit, try_confirm(visit).await)
}

/// `POST /history/revoke`: kills the RP's access and refresh tokens at once.
pub async fn revoke(visit: &Visit<'_>) -> Reply {
    answer(visit, try_revoke(visit).await)
}

/// `POST /logout`.
pub async fn logout(visit: &Visit<'_>) -> Reply {
    answer(visit, try_logout(visit).await)
}

pub use export::Format;
pub(super) use export::json_of;

/// `Ok(Err(reply))`: somebody has to log in first.
type Outcome = Result<Result<Reply, Reply>, PageFailure>;

fn answer(visit: &Visit<'_>, outcome: Outcome) -> Reply {
    match outcome {
        Ok(Ok(reply) | Err(reply)) => reply,
        Err(failure) => visit.failure(failure),
    }
}

macro_rules! citizen {
    ($visit:expr) => {
        match Citizen::find($visit).await? {
            Some(citizen) => citizen,
            None => return Ok(Err(Reply::see_other($visit.link("/login", &[])))),
        }
    };
}

async fn try_show(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    let query = visit.query();
    let filter = Filter::read(&query);
    let after = query.get("after").and_then(TimeCursor::from_text);
    let limit = visit.op.shared.server.history_per_page;
    let (issuer, person) = (visit.op.issuer.clone(), citizen.account.id.clone());
    let (events, choices) = visit
        .op
        .shared
        .store
        .read({
            let wanted = filter.to_store();
            move |connection: &mut DbConn| -> Result<_, StoreError> {
                let owner = HistoryOwner {
                    issuer: &issuer,
                    account: &person,
                };
                let events =
                    login_event::search(connection, owner, &wanted, after.as_ref(), limit)?;
                let choices = login_event::rp_choices(connection, owner)?;
                Ok((events, choices))
            }
        })
        .await?;
    let choices = choices
        .into_iter()
        .map(|choice| RpChoice {
            entity_id: choice.client_id.to_string(),
            name: choice.rp_name,
        })
        .collect();
    let page = citizen.page(visit, &filter, events, choices);
    let layout = visit.layout(visit.locale(&[]), Some(citizen.name()), true);
    Ok(Ok(visit.html(200, page.render(visit.pages, &layout)?)))
}

async fn try_export(visit: &Visit<'_>, format: Format) -> Outcome {
    let citizen = citizen!(visit);
    let filter = Filter::read(&visit.query()).to_store();
    let (issuer, person) = (visit.op.issuer.clone(), citizen.account.id.clone());
    let now = visit.now();
    let mut writer = export::Writer::new(format);
    let mut after = None;
    loop {
        let (issuer, person, filter, from) =
            (issuer.clone(), person.clone(), filter.clone(), after.take());
        let page = visit
            .op
            .shared
            .store
            .read(move |connection: &mut DbConn| {
                let owner = HistoryOwner {
                    issuer: &issuer,
                    account: &person,
                };
                login_event::search(connection, owner, &filter, from.as_ref(), EXPORT_BATCH)
            })
            .await?;
        page.rows.iter().for_each(|event| writer.write(event, now));
        after = page.next;
        if after.is_none() {
            break;
        }
        // SQLite answers on this thread: a long history is written between the pages of others.
        tokio::task::yield_now().await;
    }
    let bytes = writer.finish();
    Ok(Ok(Reply::bytes(200, format.content_type(), bytes)
        .header("Cache-Control", "no-store")
        .header(
            "Content-Disposition",
            format!("attachment; filename=\"{}\"", format.file_name()),
        )))
}

async fn try_confirm(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    let query = visit.query();
    let rp = citizen.known_rp(visit, query.get("rp")).await?;
    let page = RevokeConfirmPage {
        rp,
        csrf_token: citizen.csrf(),
        action_url: visit.link("/history/revoke", &[("from", from_account(visit))]),
        back_url: visit.link(came_from(visit), &[]),
        from_account: !from_account(visit).is_empty(),
    };
    let layout = visit.layout(visit.locale(&[]), Some(citizen.name()), true);
    Ok(Ok(visit.html(200, page.render(visit.pages, &layout)?)))
}

async fn try_revoke(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    let form = visit.form()?;
    check_csrf(&form, citizen.session.id.as_str(), PURPOSE)?;
    let rp = citizen.known_rp(visit, form.get("rp")).await?;
    let client = ClientId::new(rp.entity_id.clone());
    let (issuer, person) = (visit.op.issuer.clone(), citizen.account.id.clone());
    let now = visit.now();
    let count = visit
        .op
        .shared
        .store
        .write(move |tx| grant::revoke_all(tx, &issuer, &person, Some(&client), now))
        .await?;
    let next = if from_account(visit).is_empty() {
        visit.link("/history", &[("revoked", &rp.entity_id)])
    } else {
        visit.link(came_from(visit), &[("done", "withdrawn")])
    };
    Ok(Ok(Reply::see_other(next).noted(
        Note::new(log::Level::Info, "history.revoked")
            .with("client_id", rp.entity_id)
            .with("grants", count.to_string()),
    )))
}

/// `account` for somebody who came from the list of consents, or nothing.
fn from_account(visit: &Visit<'_>) -> &'static str {
    match visit.query().get("from") {
        Some("account") => "account",
        _ => "",
    }
}

fn came_from(visit: &Visit<'_>) -> &'static str {
    match from_account(visit) {
        "account" => "/account/consents",
        _ => "/history",
    }
}

async fn try_logout(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    check_csrf(&visit.form()?, citizen.session.id.as_str(), PURPOSE)?;
    let id = citizen.session.id.clone();
    let now = visit.now();
    visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<(), StoreError> {
            session::end(tx, &id, now)?;
            // Access without offline_access ends with the session.
            grant::revoke_of_session(tx, &id, now)?;
            Ok(())
        })
        .await?;
    let page = LoggedOutPage {
        login_url: Some(visit.link("/login", &[])),
    };
    let layout = visit.layout(visit.locale(&[]), None, true);
    let mut reply = visit
        .html(200, page.render(visit.pages, &layout)?)
        .noted(Note::new(log::Level::Info, "logout"));
    reply.session = SessionChange::End;
    Ok(Ok(reply))
}

impl Citizen {
    async fn find(visit: &Visit<'_>) -> Result<Option<Self>, PageFailure> {
        Ok(visit
            .live_session()
            .await?
            .map(|SignedIn { session, account }| Self { session, account }))
    }

    fn name(&self) -> String {
        super::consent::display_name(&self.account)
    }

    fn csrf(&self) -> String {
        csrf_token(self.session.id.as_str(), PURPOSE)
    }

    /// An RP of this person's history, with its latest name.
    async fn known_rp(&self, visit: &Visit<'_>, id: Option<&str>) -> Result<RpView, PageFailure> {
        const UNKNOWN: PageFailure =
            PageFailure::Refused(Trouble::NotFound, "there is no access of that service");
        let wanted = id.ok_or(UNKNOWN)?.to_owned();
        let (issuer, person) = (visit.op.issuer.clone(), self.account.id.clone());
        let filter = crate::model::HistoryFilter {
            client_id: Some(ClientId::new(wanted.clone())),
            ..Default::default()
        };
        let found = visit
            .op
            .shared
            .store
            .read(move |connection: &mut DbConn| {
                let owner = HistoryOwner {
                    issuer: &issuer,
                    account: &person,
                };
                login_event::search(connection, owner, &filter, None, 1)
            })
            .await?;
        let event = found.rows.into_iter().next().ok_or(UNKNOWN)?;
        Ok(RpView {
            name: event.rp_name,
            entity_id: wanted,
            logo_url: None,
            policy_url: None,
        })
    }

    fn page(
        &self,
        visit: &Visit<'_>,
        filter: &Filter,
        events: Page<LoginEvent>,
        rp_choices: Vec<RpChoice>,
    ) -> HistoryPage {
        let query = visit.query();
        let later_page = query.get("after").and_then(TimeCursor::from_text).is_some();
        let kept = filter.parameters();
        let with = |path: &str| visit.link(path, &kept);
        let now = visit.now();
        let revoked = query.get("revoked").and_then(|id| {
            let choice = rp_choices.iter().find(|choice| choice.entity_id == id)?;
            Some(Notice::Revoked {
                rp: choice.name.clone(),
            })
        });
        HistoryPage {
            next_url: events.next.as_ref().map(|next| {
                let after = next.to_text();
                let mut parameters = kept.clone();
                parameters.push(("after", &after));
                visit.link("/history", &parameters)
            }),
            newest_url: later_page.then(|| with("/history")),
            entries: events
                .rows
                .into_iter()
                .map(|event| entry(event, now))
                .collect(),
            filter: filter.to_page(),
            filter_errors: filter.errors(),
            rp_choices,
            history_url: visit.link("/history", &[]),
            export_csv_url: with("/history.csv"),
            export_json_url: with("/history.json"),
            revoke_url: visit.link("/history/revoke", &[]),
            logout_url: visit.link("/logout", &[]),
            csrf_token: self.csrf(),
            notice: revoked,
        }
    }
}

/// An access as pages show it.
pub(super) fn entry(event: LoginEvent, now: crate::clock::UtcTime) -> HistoryEntry {
    let state = match event.access_state(now) {
        AccessState::Active { until } => TokenState::Active { until },
        AccessState::Expired => TokenState::Expired,
        AccessState::Revoked { at } => TokenState::Revoked { at },
    };
    HistoryEntry {
        can_revoke: matches!(state, TokenState::Active { .. }),
        id: event.id,
        when: event.occurred_at,
        rp_name: event.rp_name,
        entity_id: event.client_id.to_string(),
        level: Level::from_acr(&event.acr),
        attributes: event.attributes,
        browser: crate::ui::user_agent::in_few_words(&event.browser),
        address: event.address,
        state,
    }
}
