//! Logins that begin without a password: with something that says itself whose it is.

use super::super::interaction::OpenInteraction;
use super::super::visit::{PageFailure, Visit};
use super::super::{KeyPage, Page as _, ProofError, proof};
use super::Login;
use super::around::Around;
use super::certificate;
use super::step::key_place;
use crate::authn::security_key::{self, KeyChecked};
use crate::endpoint::{Note, Reply};
use crate::model::{Method, Methods, Params};
use crate::store::{StoreError, account as accounts};

/// The methods that a login for this RP may begin with instead of a password.
pub(super) fn methods(visit: &Visit<'_>, login: &Login) -> Vec<Method> {
    visit
        .op
        .next_methods(&login.level, &Methods::default())
        .filter(|method| method.identifies())
        .collect()
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
    let others = methods(visit, login).into_iter();
    let others = others.filter(|other| *other != method);
    let others = others.chain([Method::Password]).collect();
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
    if method == Method::Certificate {
        return match certificate::check(visit).await? {
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
    let (checked, account) = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<_, StoreError> {
            let whose = (None, place.as_str());
            let checked = security_key::check(tx, &op, whose, (method, &answer))?;
            let account = match &checked {
                KeyChecked::Proven { account, .. } => accounts::find(tx, account)?,
                _ => None,
            };
            Ok((checked, account.filter(|account| account.enabled)))
        })
        .await?;
    if let (KeyChecked::Proven { method, .. }, Some(account)) = (&checked, account) {
        return login.proven(visit, &account, *method).await;
    }
    refuse(visit, (login, open), method, proof::error_of_key(&checked)).await
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
