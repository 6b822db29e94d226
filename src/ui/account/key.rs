//! A new security key: asked for after a fresh proof, registered with its answer.

use super::super::device::Letters;
use super::super::visit::{PageFailure, SignedIn, Visit, check_csrf, csrf_token};
use super::super::{AccountNotice, NewKeyPage, Page as _, ProofError, account::citizen, proof};
use super::{Outcome, PURPOSE, done, factor};
use crate::authn::enrolment::{self, tidy_name};
use crate::authn::security_key::{self, Registered};
use crate::endpoint::{Note, Reply};
use crate::mail::FactorChange;
use crate::store::StoreError;

/// Where it is asked for: in this session only.
fn place(citizen: &SignedIn) -> String {
    format!("register {}", citizen.session.id)
}

/// Asks for a new key. False: the person has as many authenticators as one may have.
pub(super) async fn begin(visit: &Visit<'_>, citizen: &SignedIn) -> Result<bool, PageFailure> {
    let (op, person, place) = (visit.op.clone(), citizen.account.clone(), place(citizen));
    let begun = visit
        .op
        .shared
        .store
        .write(move |tx| security_key::begin_registration(tx, &op, &person, &place))
        .await?;
    Ok(begun.is_some())
}

pub(super) async fn show(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    page(visit, &citizen, String::new(), None).await
}

pub(super) async fn submit(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    let form = visit.form()?;
    check_csrf(&form, citizen.session.id.as_str(), PURPOSE)?;
    if form.get("cancel").is_some() {
        return Ok(Ok(Reply::see_other(visit.link("/account", &[]))));
    }
    let name = tidy_name(form.get("name").unwrap_or_default());
    let answer = form.get("answer").unwrap_or_default().to_owned();
    if answer.is_empty() {
        return page(visit, &citizen, name, Some(ProofError::Missing)).await;
    }
    let (op, person, place) = (
        visit.op.clone(),
        citizen.account.id.clone(),
        place(&citizen),
    );
    let (called, letters) = (name.clone(), Letters::of(visit));
    let (registered, codes) = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<_, StoreError> {
            let registered =
                security_key::finish_registration(tx, &op, (&person, &place), (&called, &answer))?;
            let codes = match registered {
                Registered::Active => {
                    letters.factor(tx, &person, FactorChange::Added, &called)?;
                    enrolment::first_recovery_codes(tx, &op, &person)?
                }
                Registered::Wrong | Registered::Expired | Registered::Known => None,
            };
            Ok((registered, codes))
        })
        .await?;
    let error = match registered {
        Registered::Active => {
            let note = Note::new(log::Level::Info, "account.factor_added");
            let reply = match codes {
                None => done(visit, AccountNotice::Added),
                Some(codes) => factor::codes_page(visit, &citizen, codes, true)?,
            };
            return Ok(Ok(reply.noted(note.with("method", "security_key"))));
        }
        Registered::Wrong => ProofError::WrongKey,
        Registered::Known => ProofError::KeyKnown,
        Registered::Expired => ProofError::Expired,
    };
    if error != ProofError::Expired {
        // The proof that led here is as fresh as it was; the challenge was spent.
        begin(visit, &citizen).await?;
    }
    page(visit, &citizen, name, Some(error)).await
}

/// Whoever comes too late begins anew.
async fn page(
    visit: &Visit<'_>,
    citizen: &SignedIn,
    name: String,
    error: Option<ProofError>,
) -> Outcome {
    let (op, place) = (visit.op.clone(), place(citizen));
    let begun = visit
        .op
        .shared
        .store
        .read(move |conn| security_key::begun(conn, &op, &place))
        .await?;
    let Some(options) = begun else {
        return Ok(Ok(Reply::see_other(visit.link("/account/key/add", &[]))));
    };
    let page = NewKeyPage {
        options,
        name,
        error,
        csrf_token: csrf_token(citizen.session.id.as_str(), PURPOSE),
        action_url: visit.link("/account/key/new", &[]),
    };
    let shown_name = super::super::consent::display_name(&citizen.account);
    let layout = visit.layout(visit.locale(&[]), Some(shown_name), true);
    let html = page.render(visit.pages, &layout)?;
    let Some(error) = error else {
        return Ok(Ok(visit.html(200, html)));
    };
    let (status, _) = proof::status_of(error, visit.now());
    let note = Note::new(log::Level::Warn, "account.refused");
    Ok(Ok(visit
        .html(status, html)
        .noted(note.with("reason", proof::name_of(error)))))
}
