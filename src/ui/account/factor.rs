//! The secret of a new second factor, and its first code.

use super::super::device::Letters;
use super::super::visit::{PageFailure, SignedIn, Visit, check_csrf, csrf_token};
use super::super::{
    AccountNotice, EnrolPage, Page as _, ProofError, RecoveryCodesPage, account::citizen, proof, qr,
};
use super::{Outcome, PURPOSE, done};
use crate::authn::enrolment::{self, Confirmed, NewSecret};
use crate::endpoint::{Note, Reply};
use crate::mail::FactorChange;
use crate::store::{StoreError, authenticator};

/// Where the secret may be seen: in this session only.
pub(super) fn begun_in(citizen: &SignedIn) -> String {
    format!("session {}", citizen.session.id)
}

async fn pending(visit: &Visit<'_>, citizen: &SignedIn) -> Result<Option<NewSecret>, PageFailure> {
    let (op, account, place) = (visit.op.clone(), citizen.account.clone(), begun_in(citizen));
    visit
        .op
        .shared
        .store
        .read(move |conn| -> Result<_, PageFailure> {
            Ok(enrolment::pending(conn, &op, &account, &place)?)
        })
        .await
}

pub(super) async fn show(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    page(visit, &citizen, 200, None).await
}

pub(super) async fn submit(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    let form = visit.form()?;
    check_csrf(&form, citizen.session.id.as_str(), PURPOSE)?;
    let person = citizen.account.id.clone();
    if form.get("cancel").is_some() {
        visit
            .op
            .shared
            .store
            .write(move |tx| authenticator::remove_pending(tx, &person))
            .await?;
        return Ok(Ok(Reply::see_other(visit.link("/account", &[]))));
    }
    let typed = form.get("otp").unwrap_or_default().trim().to_owned();
    if typed.is_empty() {
        return page(visit, &citizen, 422, Some(ProofError::Missing)).await;
    }
    let (op, place) = (visit.op.clone(), begun_in(&citizen));
    let letters = Letters::of(visit);
    let confirmed = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<_, StoreError> {
            let waiting = authenticator::search(tx, &person, op.now())?;
            let confirmed = enrolment::confirm(tx, &op, (&person, &place), &typed)?;
            if let Confirmed::Active(_) = &confirmed {
                let new = waiting.iter().find(|known| !known.is_active());
                let name = new.map_or("", |known| known.name.as_str());
                letters.factor(tx, &person, FactorChange::Added, name)?;
            }
            Ok(confirmed)
        })
        .await?;
    let codes = match confirmed {
        Confirmed::Active(codes) => codes,
        Confirmed::Wrong
        | Confirmed::ClockOff { .. }
        | Confirmed::Throttled { .. }
        | Confirmed::Expired => {
            let error = proof::error_of_first(&confirmed);
            let (status, _) = proof::status_of(error, visit.now());
            return page(visit, &citizen, status, Some(error)).await;
        }
    };
    let note = Note::new(log::Level::Info, "account.factor_added").with("method", "totp");
    let reply = match codes {
        None => done(visit, AccountNotice::Added),
        Some(codes) => codes_page(visit, &citizen, codes, true)?,
    };
    Ok(Ok(reply.noted(note)))
}

/// The page that shows recovery codes.
pub(super) fn codes_page(
    visit: &Visit<'_>,
    citizen: &SignedIn,
    codes: Vec<String>,
    enrolled: bool,
) -> Result<Reply, PageFailure> {
    let page = RecoveryCodesPage {
        codes,
        enrolled,
        continue_url: visit.link("/account", &[]),
    };
    let name = super::super::consent::display_name(&citizen.account);
    let layout = visit.layout(visit.locale(&[]), Some(name), true);
    Ok(visit.html(200, page.render(visit.pages, &layout)?))
}

/// Whoever comes too late begins anew.
async fn page(
    visit: &Visit<'_>,
    citizen: &SignedIn,
    status: u16,
    error: Option<ProofError>,
) -> Outcome {
    let Some(secret) = pending(visit, citizen).await? else {
        return Ok(Ok(Reply::see_other(visit.link("/account/factor/add", &[]))));
    };
    let page = EnrolPage {
        qr: qr::draw(&secret.uri),
        secret: secret.secret,
        uri: secret.uri,
        error,
        csrf_token: csrf_token(citizen.session.id.as_str(), PURPOSE),
        action_url: visit.link("/account/factor/new", &[]),
        in_login: false,
        desk_url: None,
    };
    let name = super::super::consent::display_name(&citizen.account);
    let layout = visit.layout(visit.locale(&[]), Some(name), true);
    Ok(Ok(visit.html(status, page.render(visit.pages, &layout)?)))
}
