//! Somebody: what is known, where they are logged in, and what may be done.

use super::super::visit::link;
use super::super::{Desk, Outcome, Section, sessions, trail};
use super::{CHANGE, CONFIRM, EDIT, HISTORY, ONE, PATH, edit, fault_text, wanted};
use crate::administration::users::{self, Change, UserError};
use crate::endpoint::Trouble;
use crate::model::{Account, Authenticator, LoginEvent, Role, Session};
use crate::secret::Secret;
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::login_event::{self, EventsOf};
use crate::store::{StoreError, authenticator, recovery_code, session};
use crate::ui::visit::PageFailure;
use crate::ui::{
    ConfirmPage, Level, OutcomeView, UserActions, UserFactorView, UserHistoryPage, UserPage,
    UserSessionView, attribute_name, attribute_value, history, user_agent,
};

/// Sessions on the page.
const MOST_SESSIONS: u32 = 50;
/// Accesses on the page, and on one of the history.
const FEW_ACCESSES: u32 = 5;
const PER_PAGE: u32 = 50;

/// What the page shows beside the person.
struct Found {
    factors: Vec<Authenticator>,
    recovery_left: i64,
    sessions: Vec<Session>,
    accesses: Vec<LoginEvent>,
}

pub(super) async fn show(desk: &Desk<'_>) -> Outcome {
    let person = wanted(desk, desk.query().get("id").unwrap_or_default()).await?;
    page(desk, person, 200, None).await
}

async fn find(desk: &Desk<'_>, person: &Account) -> Result<Found, StoreError> {
    let (id, now) = (person.id.clone(), desk.now());
    desk.shared()
        .store
        .read(move |conn| {
            let mut factors = authenticator::search(conn, &id, now)?;
            factors.retain(Authenticator::is_active);
            let recovery_left = recovery_code::count_left(conn, &id)?;
            let sessions = session::alive_of(conn, &id, now, MOST_SESSIONS + 1)?;
            let of = EventsOf::Account(id);
            let accesses = login_event::search_recent(conn, &of, None, FEW_ACCESSES)?.rows;
            Ok(Found {
                factors,
                recovery_left,
                sessions,
                accesses,
            })
        })
        .await
}

async fn page(desk: &Desk<'_>, person: Account, status: u16, error: Option<&UserError>) -> Outcome {
    let found = find(desk, &person).await?;
    let (locale, now) = (desk.locale(), desk.now());
    let id = person.id.to_string();
    let confirm = |change: &str, what: &str| {
        link(CONFIRM, &[("id", &id), ("change", change), ("what", what)])
    };
    let password_error = match error {
        Some(UserError::Wrong(faults)) => faults.first().map(|fault| fault_text(desk, fault)),
        _ => None,
    };
    let shown = usize::try_from(MOST_SESSIONS).unwrap_or_default();
    let page = UserPage {
        desk: desk.view(Section::Users),
        attributes: person
            .attributes
            .iter()
            .map(|(claim, value)| OutcomeView {
                name: attribute_name(locale, claim),
                value: attribute_value(locale, claim, value),
            })
            .collect(),
        factors: found
            .factors
            .into_iter()
            .map(|known| UserFactorView {
                method: method_text(desk, &known),
                remove_url: confirm("remove_factor", &known.id),
                name: known.name,
                created_at: known.created_at,
                last_used_at: known.last_used_at,
            })
            .collect(),
        recovery_left: found.recovery_left,
        more_sessions: found.sessions.len() > shown,
        sessions: found
            .sessions
            .into_iter()
            .take(shown)
            .map(|open| UserSessionView {
                end_url: confirm("end_session", &users::session_handle(&open.id)),
                issuer: desk.issuer_name(open.issuer.as_str()),
                browser: user_agent::in_few_words(&open.browser),
                address: open.address,
                since: open.authenticated_at,
                level: Level::from_acr(&open.acr),
            })
            .collect(),
        accesses: found
            .accesses
            .into_iter()
            .map(|event| history::entry(event, now))
            .collect(),
        history_url: link(HISTORY, &[("id", &id)]),
        holdings_url: sessions::held_by(&person.id),
        trail_url: link(trail::PATH, &[("subject", &users::subject(&person.id))]),
        back_url: PATH,
        actions: desk.may(Role::Operator).then(|| UserActions {
            edit_url: link(EDIT, &[("id", &id)]),
            disable_url: confirm("disable", ""),
            reset_url: confirm("reset_factors", ""),
            end_sessions_url: confirm("end_sessions", ""),
            no_password_url: confirm("no_password", ""),
            revoke_url: super::revoke_url(&person.id),
            action_url: CHANGE,
        }),
        error: error
            .filter(|_| password_error.is_none())
            .map(|error| desk.text(&format!("desk-user-error-{}", name_of(error)))),
        password_error,
        username: person.username,
        enabled: person.enabled,
        has_password: person.password_hash.is_some(),
        created_at: person.created_at,
        updated_at: person.updated_at,
        id,
    };
    desk.page(status, &page)
}

pub(super) async fn history(desk: &Desk<'_>) -> Outcome {
    let query = desk.query();
    let person = wanted(desk, query.get("id").unwrap_or_default()).await?;
    let after = query.get("after").and_then(TimeCursor::from_text);
    let is_first = after.is_none();
    let of = EventsOf::Account(person.id.clone());
    let found = desk
        .shared()
        .store
        .read(move |conn| login_event::search_recent(conn, &of, after.as_ref(), PER_PAGE))
        .await?;
    let now = desk.now();
    let address = |after: &str| link(HISTORY, &[("id", person.id.as_str()), ("after", after)]);
    let page = UserHistoryPage {
        desk: desk.view(Section::Users),
        accesses: found
            .rows
            .into_iter()
            .map(|event| history::entry(event, now))
            .collect(),
        back_url: link(ONE, &[("id", person.id.as_str())]),
        first_url: (!is_first).then(|| address("")),
        next_url: found.next.map(|next| address(&next.to_text())),
        username: person.username.clone(),
    };
    desk.page(200, &page)
}

/// Asks once more before what hurts when it is done by mistake.
pub(super) async fn confirm(desk: &Desk<'_>) -> Outcome {
    let query = desk.query();
    let person = wanted(desk, query.get("id").unwrap_or_default()).await?;
    let name = query.get("change").unwrap_or_default();
    let what = query.get("what").unwrap_or_default();
    let asked = [
        "disable",
        "no_password",
        "reset_factors",
        "remove_factor",
        "end_sessions",
        "end_session",
    ];
    if !asked.contains(&name) {
        return Err(NO_CHANGE);
    }
    let mut facts = vec![OutcomeView {
        name: desk.text("username"),
        value: person.username.clone(),
    }];
    facts.extend(fact_of(desk, &person, (name, what)).await?);
    let title = desk.text(&format!("desk-user-confirm-{name}"));
    let page = ConfirmPage {
        desk: desk.view(Section::Users),
        explanations: vec![desk.text(&format!("desk-user-explain-{name}"))],
        facts,
        fields: vec![
            ("id".to_owned(), person.id.to_string()),
            ("change".to_owned(), name.to_owned()),
            ("what".to_owned(), what.to_owned()),
        ],
        button: title.clone(),
        title,
        action_url: CHANGE.to_owned(),
        back_url: link(ONE, &[("id", person.id.as_str())]),
    };
    desk.page(200, &page)
}

/// The second factor or session that would go.
async fn fact_of(
    desk: &Desk<'_>,
    person: &Account,
    (change, what): (&str, &str),
) -> Result<Option<OutcomeView>, PageFailure> {
    let gone = PageFailure::Refused(Trouble::NotFound, "it is not there any more");
    let found = match change {
        "remove_factor" | "end_session" => find(desk, person).await?,
        _ => return Ok(None),
    };
    if change == "end_session" {
        let mut sessions = found.sessions.into_iter();
        let open = sessions
            .find(|open| users::session_handle(&open.id) == what)
            .ok_or(gone)?;
        let browser = user_agent::in_few_words(&open.browser);
        return Ok(Some(OutcomeView {
            name: desk.text("desk-user-session"),
            value: format!("{browser} {}", open.address),
        }));
    }
    let mut factors = found.factors.into_iter();
    let known = factors.find(|known| known.id == what).ok_or(gone)?;
    let method = method_text(desk, &known);
    Ok(Some(OutcomeView {
        name: desk.text("desk-user-factor"),
        value: format!("{method} {}", known.name),
    }))
}

fn method_text(desk: &Desk<'_>, known: &Authenticator) -> String {
    desk.text(&format!("desk-user-method-{}", known.method.name()))
}

const NO_CHANGE: PageFailure =
    PageFailure::Refused(Trouble::InvalidRequest, "there is no such change");

pub(super) async fn change(desk: &Desk<'_>) -> Outcome {
    let person = wanted(desk, desk.field("id")).await?;
    let what = desk.field("what").to_owned();
    let change = match desk.field("change") {
        "enable" => Change::Enabled(true),
        "disable" => Change::Enabled(false),
        "no_password" => Change::Password(None),
        "reset_factors" => Change::ResetFactors,
        "remove_factor" => Change::RemoveFactor(what),
        "unlock" => Change::Unlock,
        "end_sessions" => Change::EndSessions,
        "end_session" => Change::EndSession(what),
        "password" => {
            let password = desk.form().get("password").unwrap_or_default().to_owned();
            if let Err(error) = users::check_password(&password) {
                return page(desk, person, 422, Some(&error)).await;
            }
            let hashed = desk.shared().passwords.hash(Secret::new(password)).await;
            Change::Password(Some(hashed.map_err(|_| edit::BUSY)?))
        }
        _ => return Err(NO_CHANGE),
    };
    let (actor, now, id) = (desk.actor(), desk.now(), person.id.clone());
    // People have one registry for all issuers; the first one's name is under the letter.
    let op = desk.state.providers.first().cloned();
    let notice = match change {
        Change::Unlock => "user_unlocked",
        _ => "user_changed",
    };
    let done = desk
        .shared()
        .store
        .write(move |tx| {
            users::change(tx, &actor, (&id, &change), now)?;
            if let (Some(op), Some(letter)) = (&op, change.letter()) {
                op.queue_mail_to(tx, &id, &letter)?;
            }
            Ok(())
        })
        .await;
    match done {
        Ok(()) => Ok(desk.done(ONE, &[("id", person.id.as_str())], notice)),
        Err(UserError::Store(error)) => Err(error.into()),
        Err(error) => page(desk, person, 409, Some(&error)).await,
    }
}

/// In message keys.
fn name_of(error: &UserError) -> &'static str {
    match error {
        UserError::NoFactor => "no_factor",
        UserError::NoSession => "no_session",
        UserError::UsernameTaken => "taken",
        UserError::Wrong(_)
        | UserError::Unknown
        | UserError::ChangedMeanwhile(_)
        | UserError::Store(_) => "unknown",
    }
}
