//! Logins that begin without a password: with something that says itself whose it is, or with a name and the identity
//! provider's app. Attempts are counted by address, together with those at passwords.

use super::super::interaction::OpenInteraction;
use super::super::visit::{PageFailure, Visit};
use super::super::{KeyPage, Page as _, ProofError, proof};
use super::around::Around;
use super::certificate;
use super::step::key_place;
use super::{Login, alone};
use crate::authn::address;
use crate::authn::security_key::{self, KeyChecked};
use crate::endpoint::{Note, Reply};
use crate::model::{Account, Method, Methods, Params};
use crate::store::{StoreError, account as accounts};

/// The methods that a login for this RP may begin with instead of a password.
pub(super) fn methods(visit: &Visit<'_>, login: &Login) -> Vec<Method> {
    visit
        .op
        .next_methods(&login.level, &Methods::default())
        .filter(|method| visit.op.begins_with(*method, &login.level))
        .collect()
}

/// What somebody may choose instead of one of them.
pub(super) fn others(visit: &Visit<'_>, login: &Login, method: Method) -> Vec<Method> {
    let others = methods(visit, login).into_iter();
    let others = others.filter(|other| *other != method);
    others.chain([Method::Password]).collect()
}

/// The method that the page's address asks for, if this login may begin with it.
pub(super) fn chosen(visit: &Visit<'_>, login: &Login) -> Option<Method> {
    let query = visit.query();
    let wanted = query.get("with").and_then(Method::from_name)?;
    methods(visit, login)
        .into_iter()
        .find(|method| *method == wanted)
}

/// The page that asks for it.
pub(super) async fn page(
    visit: &Visit<'_>,
    (login, open): (&Login, &OpenInteraction),
    method: Method,
    (status, error): (u16, Option<ProofError>),
) -> Result<Reply, PageFailure> {
    if method == Method::External {
        return Box::pin(alone::page(visit, login, open)).await;
    }
    let others = others(visit, login, method);
    if method == Method::Certificate {
        let around = Around::of(visit, (login, open), (Some(method), others)).await;
        return certificate::page(visit, open, &around, (status, error));
    }
    let (op, place) = (visit.op.clone(), key_place(open, method));
    let options = visit
        .op
        .shared
        .store
        .write(move |tx| security_key::ask(tx, &op, (None, &place), method))
        .await?;
    let around = Around::of(visit, (login, open), (Some(method), others)).await;
    let page = KeyPage {
        step: around.view.clone(),
        options: options.unwrap_or_default(),
        verify: true,
        error,
    };
    let html = page.render(visit.pages, &around.layout)?;
    Ok(around.html(visit, open, (status, html)))
}

/// What was posted from it.
pub(super) async fn submit(
    visit: &Visit<'_>,
    (login, open): (&Login, &OpenInteraction),
    method: Method,
    form: &Params,
) -> Result<Reply, PageFailure> {
    if method == Method::External {
        return Box::pin(alone::submit(visit, (login, open), form)).await;
    }
    if method == Method::Certificate {
        return match card(visit).await? {
            Ok(account) => login.proven(visit, &account, method).await,
            Err(error) => refuse(visit, (login, open), method, error).await,
        };
    }
    let answer = form.get("answer").unwrap_or_default().to_owned();
    if answer.is_empty() {
        let error = (422, Some(ProofError::Missing));
        return page(visit, (login, open), method, error).await;
    }
    let (op, place) = (visit.op.clone(), key_place(open, method));
    let from = visit.inbound.address;
    let (checked, account) = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<_, StoreError> {
            if let Some(seconds) = address::reserve(tx, &op.shared, from)? {
                return Ok((KeyChecked::Throttled { seconds }, None));
            }
            let whose = (None, place.as_str());
            let checked = security_key::check(tx, &op, whose, (method, &answer))?;
            let account = match &checked {
                KeyChecked::Proven { account, .. } => accounts::find(tx, account)?,
                _ => None,
            };
            let account = account.filter(|account| account.enabled);
            if account.is_some() {
                address::give_back(tx, from)?;
            }
            Ok((checked, account))
        })
        .await?;
    if let (KeyChecked::Proven { method, .. }, Some(account)) = (&checked, account) {
        return login.proven(visit, &account, *method).await;
    }
    refuse(visit, (login, open), method, proof::error_of_key(&checked)).await
}

/// Whose card it is; counted by address before it is looked at.
async fn card(visit: &Visit<'_>) -> Result<Result<Account, ProofError>, PageFailure> {
    let (op, from) = (visit.op.clone(), visit.inbound.address);
    let store = &visit.op.shared.store;
    let wait = store.write(move |tx| address::reserve(tx, &op.shared, from));
    if let Some(seconds) = wait.await? {
        let seconds = u64::try_from(seconds).unwrap_or(1);
        return Ok(Err(ProofError::Throttled { seconds }));
    }
    let checked = certificate::check(visit).await?;
    if checked.is_ok() {
        store.write(move |tx| address::give_back(tx, from)).await?;
    }
    Ok(checked)
}

async fn refuse(
    visit: &Visit<'_>,
    (login, open): (&Login, &OpenInteraction),
    method: Method,
    error: ProofError,
) -> Result<Reply, PageFailure> {
    let (status, retry) = proof::status_of(error, visit.now());
    let mut reply = page(visit, (login, open), method, (status, Some(error))).await?;
    if let Some(seconds) = retry {
        reply = reply.header("Retry-After", seconds.to_string());
    }
    let note = Note::new(log::Level::Warn, "login.failed");
    Ok(reply.noted(note.with("reason", proof::name_of(error))))
}
