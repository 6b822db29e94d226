//! `/account/factor/rename`: what a person calls a second factor. It protects nothing, so that it asks for no proof.

use super::super::visit::{PageFailure, Visit, check_csrf};
use super::super::{AccountNotice, account::sender};
use super::{Outcome, PURPOSE, Renaming, done, show_with};
use crate::authn::enrolment::tidy_name;
use crate::endpoint::{Note, Trouble};
use crate::store::authenticator;

pub(super) async fn submit(visit: &Visit<'_>) -> Outcome {
    let citizen = sender!(visit);
    let form = visit.form()?;
    check_csrf(&form, citizen.session.id.as_str(), PURPOSE)?;
    let id = form.get("id").unwrap_or_default().to_owned();
    let name = tidy_name(form.get("name").unwrap_or_default());
    if name.is_empty() {
        let renaming = Renaming { id, name };
        return show_with(visit, &citizen, Some(renaming), 422).await;
    }
    let person = citizen.account.id.clone();
    let renamed = visit
        .op
        .shared
        .store
        .write(move |tx| authenticator::rename(tx, &person, &id, &name))
        .await?;
    if !renamed {
        return Err(PageFailure::Refused(
            Trouble::NotFound,
            "this person has no such second factor",
        ));
    }
    let note = Note::new(log::Level::Info, "account.factor_renamed");
    Ok(Ok(done(visit, AccountNotice::Renamed).noted(note)))
}
