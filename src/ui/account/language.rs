//! `/account/language`: the language of a person's mails, and of the pages in a browser where none was chosen.

use super::super::visit::{PageFailure, Visit, check_csrf};
use super::super::{AccountNotice, Locale, account::sender};
use super::{Outcome, PURPOSE, done};
use crate::endpoint::{Note, Trouble};
use crate::store::account;

pub(super) async fn submit(visit: &Visit<'_>) -> Outcome {
    let citizen = sender!(visit);
    let form = visit.form()?;
    check_csrf(&form, citizen.session.id.as_str(), PURPOSE)?;
    let wanted = form.get("language").unwrap_or_default();
    let Some(locale) = Locale::ALL.into_iter().find(|one| one.code() == wanted) else {
        return Err(PageFailure::Refused(
            Trouble::InvalidRequest,
            "language must be one of the page's",
        ));
    };
    let person = citizen.account.id.clone();
    visit
        .op
        .shared
        .store
        .write(move |tx| account::set_language(tx, &person, locale.code()))
        .await?;
    let note = Note::new(log::Level::Info, "account.language_chosen");
    Ok(Ok(done(visit, AccountNotice::Language)
        .cookie(visit.language_cookie(locale))
        .noted(note.with("language", locale.code()))))
}
