//! The page that asks for a security key.

use super::super::super::visit::{PageFailure, Visit};
use super::super::super::{KeyPage, Page as _, ProofError, proof};
use super::Step;
use crate::authn::security_key::{self, KeyChecked};
use crate::endpoint::Reply;
use crate::model::{InteractionId, Method, Params};
use crate::store::StoreError;

/// Where the key is asked for: in this login, by this method.
pub(super) fn place(interaction: &InteractionId, method: Method) -> String {
    format!("login {interaction} {}", method.name())
}

pub(super) async fn page(
    step: &Step<'_>,
    visit: &Visit<'_>,
    method: Method,
    (status, error): (u16, Option<ProofError>),
) -> Result<Reply, PageFailure> {
    let (op, person) = (visit.op.clone(), step.account.id.clone());
    let place = place(&step.open.interaction.id, method);
    let options = visit
        .op
        .shared
        .store
        .write(move |tx| security_key::ask(tx, &op, (Some(&person), &place), method))
        .await?;
    let around = step.surroundings(visit, Some(method)).await;
    let page = KeyPage {
        step: around.view.clone(),
        options: options.unwrap_or_default(),
        verify: method == Method::VerifiedKey,
        error,
    };
    let html = page.render(visit.pages, &around.layout)?;
    Ok(around.html(visit, step.open, (status, html)))
}

pub(super) async fn submit(
    step: &Step<'_>,
    visit: &Visit<'_>,
    method: Method,
    form: &Params,
) -> Result<Reply, PageFailure> {
    let answer = form.get("answer").unwrap_or_default().to_owned();
    if answer.is_empty() {
        return step.page(visit, 422, Some(ProofError::Missing)).await;
    }
    let ending = step.ending(visit).await?;
    let (op, person) = (visit.op.clone(), step.account.id.clone());
    let place = place(&step.open.interaction.id, method);
    let (checked, proved) = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<_, StoreError> {
            let whose = (Some(&person), place.as_str());
            let checked = security_key::check(tx, &op, whose, (method, &answer))?;
            let KeyChecked::Proven { method, .. } = checked else {
                return Ok((checked, None));
            };
            Ok((checked, Some(ending.prove(tx, &op, method)?)))
        })
        .await?;
    match proved {
        Some(proved) => Ok(step.go_on(visit, proved)),
        None => step.refuse(visit, proof::error_of_key(&checked)).await,
    }
}
