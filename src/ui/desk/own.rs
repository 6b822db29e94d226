//! `/admin/password`: an operator's own password.

use super::super::{OwnPasswordPage, ProofError, proof};
use super::{Desk, Outcome, Route, Section};
use crate::administration::operators::{self, Change, OperatorError};
use crate::authn::operator as authn;
use crate::authn::password::LoginFailure;
use crate::authn::second_factor::Checked;
use crate::model::Role;
use crate::secret::{self, Secret};
use crate::ui::visit::PageFailure;

pub(super) const PATH: &str = "/admin/password";

pub(super) static ROUTES: [Route; 2] = [
    Route::get(PATH, Role::Viewer, |desk| Box::pin(show(desk))),
    Route::post(PATH, Role::Viewer, |desk| Box::pin(submit(desk))),
];

async fn show(desk: &Desk<'_>) -> Outcome {
    page(desk, 200, None)
}

/// A fresh proof is asked for: a browser that was left alone changes no password.
async fn submit(desk: &Desk<'_>) -> Outcome {
    let form = desk.form();
    let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
    let (current, new, repeated) = (text("password"), text("new_password"), text("again"));
    let code = desk.field("otp").to_owned();
    let needs_code = desk.operator.totp.is_some();
    if current.is_empty() || new.is_empty() || (needs_code && code.is_empty()) {
        return page(desk, 422, Some(ProofError::Missing));
    }
    if operators::check_password(&new).is_err() {
        return page(desk, 422, Some(ProofError::PasswordLength));
    }
    if !secret::equal(new.as_bytes(), repeated.as_bytes()) {
        return page(desk, 422, Some(ProofError::PasswordsDiffer));
    }
    let (shared, name) = (desk.shared().clone(), desk.operator.name.clone());
    let typed = Secret::new(current);
    match authn::check_password(&shared, &name, typed, desk.inbound.address).await {
        Ok(_) => {}
        Err(LoginFailure::Store(error)) => return Err(error.into()),
        Err(LoginFailure::WrongCredentials) => {
            return page(desk, 422, Some(ProofError::WrongPassword));
        }
        Err(LoginFailure::Busy) => return page(desk, 503, Some(ProofError::Busy)),
        Err(LoginFailure::Throttled { seconds }) => {
            let seconds = u64::try_from(seconds).unwrap_or(1);
            return page(desk, 429, Some(ProofError::Throttled { seconds }));
        }
    }
    if needs_code {
        let (own, known) = (shared.clone(), desk.operator.clone());
        let checked = shared
            .store
            .write(move |tx| authn::check_code(tx, &own, &known, &code))
            .await?;
        if !matches!(checked, Checked::Proven(_)) {
            let error = proof::error_of(checked);
            let (status, _) = proof::status_of(error, desk.now());
            return page(desk, status, Some(error));
        }
    }
    let Ok(hash) = shared.passwords.hash(Secret::new(new)).await else {
        return page(desk, 503, Some(ProofError::Busy));
    };
    let (actor, now) = (desk.actor(), desk.now());
    shared
        .store
        .write(move |tx| operators::change(tx, &actor, (&name, &Change::OwnPassword(hash)), now))
        .await
        .map_err(|error| match error {
            OperatorError::Store(error) => PageFailure::Store(error),
            _ => PageFailure::Refused(
                crate::endpoint::Trouble::Forbidden,
                "the password cannot be changed",
            ),
        })?;
    // The sessions ended, this one too.
    Ok(desk.done(super::login::PATH, &[], "password_changed"))
}

fn page(desk: &Desk<'_>, status: u16, error: Option<ProofError>) -> Outcome {
    let page = OwnPasswordPage {
        desk: desk.view(Section::Own),
        needs_code: desk.operator.totp.is_some(),
        error,
        action_url: PATH,
    };
    desk.page(status, &page)
}
