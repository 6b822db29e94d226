//! `/admin/operators`: who may use the desk.

use super::super::visit::PageFailure;
use super::super::{
    ConfirmPage, Field, OperatorAddPage, OperatorPage, OperatorView, OperatorsPage, OutcomeView,
};
use super::visit::link;
use super::{Desk, Outcome, Route, Section};
use crate::administration::operators::{self, Change, OperatorError};
use crate::endpoint::Trouble;
use crate::model::{Operator, Role};
use crate::secret::Secret;
use crate::store::operator;

pub(super) const PATH: &str = "/admin/operators";
const ADD: &str = "/admin/operators/add";
const ONE: &str = "/admin/operators/one";
const CONFIRM: &str = "/admin/operators/confirm";
const CHANGE: &str = "/admin/operators/change";
/// Operators of a page.
const PER_PAGE: u32 = 50;

pub(super) static ROUTES: [Route; 6] = [
    Route::get(PATH, Role::Administrator, |desk| Box::pin(list(desk))),
    Route::get(ADD, Role::Administrator, |desk| Box::pin(show_add(desk))),
    Route::post(ADD, Role::Administrator, |desk| Box::pin(add(desk))),
    Route::get(ONE, Role::Administrator, |desk| Box::pin(one(desk))),
    Route::get(CONFIRM, Role::Administrator, |desk| Box::pin(confirm(desk))),
    Route::post(CHANGE, Role::Administrator, |desk| Box::pin(change(desk))),
];

async fn list(desk: &Desk<'_>) -> Outcome {
    let after = desk.query().get("after").map(str::to_owned);
    let mut found = desk
        .shared()
        .store
        .read(move |conn| operator::search(conn, after.as_deref(), PER_PAGE + 1))
        .await?;
    let most = usize::try_from(PER_PAGE).unwrap_or_default();
    let more = found.len() > most;
    found.truncate(most);
    let page = OperatorsPage {
        desk: desk.view(Section::Operators),
        add_url: ADD,
        next_url: found
            .last()
            .filter(|_| more)
            .map(|last| link(PATH, &[("after", &last.name)])),
        operators: found.into_iter().map(view).collect(),
    };
    desk.page(200, &page)
}

fn view(known: Operator) -> OperatorView {
    OperatorView {
        url: link(ONE, &[("name", &known.name)]),
        name: known.name,
        role: known.role.name(),
        enabled: known.enabled,
        has_factor: known.totp.is_some(),
        created_at: known.created_at,
        last_login_at: known.last_login_at,
    }
}

async fn show_add(desk: &Desk<'_>) -> Outcome {
    add_page(desk, 200, None)
}

fn add_page(desk: &Desk<'_>, status: u16, error: Option<&OperatorError>) -> Outcome {
    let kind = error.map(name_of);
    let message = |of: &[&str]| {
        kind.filter(|kind| of.contains(kind))
            .map(|kind| desk.text(&format!("desk-operator-error-{kind}")))
    };
    let role = Role::from_name(desk.field("role")).unwrap_or(Role::Viewer);
    let page = OperatorAddPage {
        desk: desk.view(Section::Operators),
        name: Field {
            value: desk.field("name").to_owned(),
            error: message(&["name", "name_taken"]),
        },
        password_error: message(&["password"]),
        role: role.name(),
        roles: Role::ALL.map(Role::name),
        action_url: ADD,
        back_url: PATH,
    };
    desk.page(status, &page)
}

async fn add(desk: &Desk<'_>) -> Outcome {
    let name = desk.field("name").to_owned();
    let role = Role::from_name(desk.field("role")).unwrap_or(Role::Viewer);
    let password = desk.form().get("password").unwrap_or_default().to_owned();
    let checked = operators::check_name(&name).and_then(|()| operators::check_password(&password));
    if let Err(error) = checked {
        return add_page(desk, 422, Some(&error));
    }
    let shared = desk.shared();
    let Ok(hash) = shared.passwords.hash(Secret::new(password)).await else {
        return Err(PageFailure::Refused(
            Trouble::Busy,
            "too many passwords are being checked",
        ));
    };
    let (actor, now) = (desk.actor(), desk.now());
    let added = shared
        .store
        .write(move |tx| operators::add(tx, &actor, (&name, role, hash), now))
        .await;
    match added {
        Ok(_) => Ok(desk.done(PATH, &[], "operator_added")),
        Err(OperatorError::Store(error)) => Err(error.into()),
        Err(error) => add_page(desk, 422, Some(&error)),
    }
}

/// The operator that the request names.
async fn wanted(desk: &Desk<'_>, name: String) -> Result<Operator, PageFailure> {
    desk.shared()
        .store
        .read(move |conn| operator::find_by_name(conn, &name))
        .await?
        .ok_or(PageFailure::Refused(
            Trouble::NotFound,
            "there is no operator of this name",
        ))
}

async fn one(desk: &Desk<'_>) -> Outcome {
    let name = desk.query().get("name").unwrap_or_default().to_owned();
    let known = wanted(desk, name).await?;
    one_page(desk, known, 200, None)
}

fn one_page(
    desk: &Desk<'_>,
    known: Operator,
    status: u16,
    error: Option<&OperatorError>,
) -> Outcome {
    let confirm = |change: &str| link(CONFIRM, &[("name", &known.name), ("change", change)]);
    let page = OperatorPage {
        desk: desk.view(Section::Operators),
        error: error.map(|error| desk.text(&format!("desk-operator-error-{}", name_of(error)))),
        roles: Role::ALL.map(Role::name),
        action_url: CHANGE,
        back_url: PATH,
        trail_url: link(
            super::trail::PATH,
            &[("subject", &format!("operator {}", known.name))],
        ),
        disable_url: confirm("disable"),
        reset_url: confirm("reset_factor"),
        unlock_url: confirm("unlock"),
        end_sessions_url: confirm("end_sessions"),
        own_url: (known.id == desk.operator.id).then_some(super::own::PATH),
        operator: view(known),
    };
    desk.page(status, &page)
}

/// Asks once more before what hurts when it is done by mistake.
async fn confirm(desk: &Desk<'_>) -> Outcome {
    let query = desk.query();
    let known = wanted(desk, query.get("name").unwrap_or_default().to_owned()).await?;
    let change = query.get("change").unwrap_or_default();
    if !["disable", "reset_factor", "unlock", "end_sessions"].contains(&change) {
        return Err(PageFailure::Refused(
            Trouble::NotFound,
            "there is no such change",
        ));
    }
    let page = ConfirmPage {
        desk: desk.view(Section::Operators),
        title: desk.text(&format!("desk-operator-confirm-{change}")),
        explanations: vec![desk.text(&format!("desk-operator-explain-{change}"))],
        facts: vec![OutcomeView {
            name: desk.text("desk-operator-name"),
            value: known.name.clone(),
        }],
        fields: vec![
            ("name".to_owned(), known.name.clone()),
            ("change".to_owned(), change.to_owned()),
        ],
        button: desk.text(&format!("desk-operator-confirm-{change}")),
        action_url: CHANGE.to_owned(),
        back_url: link(ONE, &[("name", &known.name)]),
    };
    desk.page(200, &page)
}

async fn change(desk: &Desk<'_>) -> Outcome {
    let known = wanted(desk, desk.field("name").to_owned()).await?;
    let change =
        match desk.field("change") {
            "enable" => Change::Enabled(true),
            "disable" => Change::Enabled(false),
            "reset_factor" => Change::ResetFactor,
            "unlock" => Change::Unlock,
            "end_sessions" => Change::EndSessions,
            "role" => Change::Role(Role::from_name(desk.field("role")).ok_or(
                PageFailure::Refused(Trouble::InvalidRequest, "there is no such role"),
            )?),
            "password" => {
                let password = desk.form().get("password").unwrap_or_default().to_owned();
                if let Err(error) = operators::check_password(&password) {
                    return one_page(desk, known, 422, Some(&error));
                }
                let hashed = desk.shared().passwords.hash(Secret::new(password)).await;
                Change::Password(hashed.map_err(|_| {
                    PageFailure::Refused(Trouble::Busy, "too many passwords are being checked")
                })?)
            }
            _ => {
                return Err(PageFailure::Refused(
                    Trouble::InvalidRequest,
                    "there is no such change",
                ));
            }
        };
    let (actor, now, name) = (desk.actor(), desk.now(), known.name.clone());
    let done = desk
        .shared()
        .store
        .write(move |tx| operators::change(tx, &actor, (&name, &change), now))
        .await;
    match done {
        Ok(()) => Ok(desk.done(ONE, &[("name", &known.name)], "operator_changed")),
        Err(OperatorError::Store(error)) => Err(error.into()),
        Err(error) => one_page(desk, known, 409, Some(&error)),
    }
}

/// In message keys.
fn name_of(error: &OperatorError) -> &'static str {
    match error {
        OperatorError::Name => "name",
        OperatorError::NameTaken => "name_taken",
        OperatorError::Unknown | OperatorError::Store(_) => "unknown",
        OperatorError::Password => "password",
        OperatorError::LastAdministrator => "last_administrator",
        OperatorError::Oneself => "oneself",
        OperatorError::OneselfUnproven => "oneself_unproven",
    }
}
