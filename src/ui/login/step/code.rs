//! The page that asks for a code: of an app, or on paper. Either kind is accepted on the page of the other.

use super::super::super::device::Letters;
use super::super::super::visit::{PageFailure, Visit};
use super::super::super::{CodeKind, Page as _, ProofError, SecondFactorPage, proof};
use super::Step;
use crate::authn::second_factor::{self, Checked};
use crate::endpoint::Reply;
use crate::mail::FactorChange;
use crate::model::{Method, Params};
use crate::store::StoreError;

pub(super) async fn page(
    step: &Step<'_>,
    visit: &Visit<'_>,
    method: Method,
    (status, error): (u16, Option<ProofError>),
) -> Result<Reply, PageFailure> {
    let around = step.surroundings(visit, Some(method)).await;
    let page = SecondFactorPage {
        step: around.view.clone(),
        kind: if method == Method::Recovery {
            CodeKind::Recovery
        } else {
            CodeKind::Totp
        },
        error,
    };
    let html = page.render(visit.pages, &around.layout)?;
    Ok(around.html(visit, step.open, (status, html)))
}

pub(super) async fn submit(
    step: &Step<'_>,
    visit: &Visit<'_>,
    form: &Params,
) -> Result<Reply, PageFailure> {
    let typed = form.get("otp").unwrap_or_default().trim().to_owned();
    if typed.is_empty() {
        return step.page(visit, 422, Some(ProofError::Missing)).await;
    }
    let ending = step.ending(visit).await?;
    let letters = Letters::of(visit);
    let (op, person) = (visit.op.clone(), step.account.id.clone());
    let (checked, proved) = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<_, StoreError> {
            let accepted = &op.settings.second_factors;
            let checked = second_factor::check(tx, &op, accepted, (&person, &typed))?;
            let Checked::Proven(method) = checked else {
                return Ok((checked, None));
            };
            if method == Method::Recovery {
                letters.factor(tx, &person, FactorChange::RecoveryUsed, "")?;
            }
            Ok((checked, Some(ending.prove(tx, &op, method)?)))
        })
        .await?;
    match proved {
        Some(proved) => Ok(step.go_on(visit, proved)),
        None => step.refuse(visit, proof::error_of(checked)).await,
    }
}
