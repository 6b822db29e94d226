//! For somebody who has nothing to go on with: registering an app, where the password suffices for that, or what to do.

use super::super::super::device::Letters;
use super::super::super::visit::{PageFailure, Visit};
use super::super::super::{
    EnrolPage, NoSecondFactorPage, Page as _, ProofError, RecoveryCodesPage, proof, qr,
};
use super::super::finish::{self, Proved};
use super::{Step, begun_in};
use crate::authn::enrolment::{self, Confirmed};
use crate::config::Enrolment;
use crate::endpoint::Reply;
use crate::mail::FactorChange;
use crate::model::{Factor, Method, Params};
use crate::store::StoreError;

/// Whether the person may register an app here and now, and it would help.
fn may_enrol(step: &Step<'_>, visit: &Visit<'_>) -> bool {
    let mut wanted = visit
        .op
        .next_methods(&step.login.level, &step.proof.methods);
    visit.op.settings.enrolment == Enrolment::Password
        && wanted.any(|method| method == Method::Totp)
        && step.proof.session.is_none()
        && !step.available.any()
}

pub(super) async fn page(
    step: &Step<'_>,
    visit: &Visit<'_>,
    (status, error): (u16, Option<ProofError>),
) -> Result<Reply, PageFailure> {
    let around = step.surroundings(visit, None).await;
    let may_enrol = may_enrol(step, visit);
    let proven = &step.proof.methods;
    let strong = visit.op.next_factor(&step.login.level, proven) == Some(Factor::Strong);
    let html = match &step.new_secret {
        Some(new_secret) if may_enrol => EnrolPage {
            secret: new_secret.secret.clone(),
            qr: qr::draw(&new_secret.uri),
            uri: new_secret.uri.clone(),
            error,
            csrf_token: around.view.csrf_token.clone(),
            action_url: around.view.action_url.clone(),
            in_login: true,
            desk_url: None,
        }
        .render(visit.pages, &around.layout)?,
        _ => NoSecondFactorPage {
            step: around.view.clone(),
            may_enrol,
            strong,
        }
        .render(visit.pages, &around.layout)?,
    };
    Ok(around.html(visit, step.open, (status, html)))
}

pub(super) async fn submit(
    step: &Step<'_>,
    visit: &Visit<'_>,
    form: &Params,
) -> Result<Reply, PageFailure> {
    let typed = form.get("otp").unwrap_or_default().trim().to_owned();
    if form.get("enrol").is_some() {
        return begin(step, visit).await;
    }
    if typed.is_empty() || !may_enrol(step, visit) {
        return step.page(visit, 422, Some(ProofError::Missing)).await;
    }
    confirm(step, visit, typed).await
}

/// Makes the secret of a new second factor; the next page shows it.
async fn begin(step: &Step<'_>, visit: &Visit<'_>) -> Result<Reply, PageFailure> {
    if may_enrol(step, visit) {
        let (op, person) = (visit.op.clone(), step.account.id.clone());
        let place = begun_in(step.open);
        visit
            .op
            .shared
            .store
            .write(move |tx| enrolment::begin(tx, &op, (&person, &place), ""))
            .await?;
    }
    Ok(Reply::see_other(step.url(visit, None)))
}

/// Takes the first code of a new second factor, which proves it.
async fn confirm(step: &Step<'_>, visit: &Visit<'_>, typed: String) -> Result<Reply, PageFailure> {
    let ending = step.ending(visit).await?;
    let letters = Letters::of(visit);
    let (op, person) = (visit.op.clone(), step.account.id.clone());
    let place = begun_in(step.open);
    let (confirmed, proved) = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<_, StoreError> {
            let confirmed = enrolment::confirm(tx, &op, (&person, &place), &typed)?;
            let Confirmed::Active(_) = confirmed else {
                return Ok((confirmed, None));
            };
            letters.factor(tx, &person, FactorChange::Added, "")?;
            Ok((confirmed, Some(ending.prove(tx, &op, Method::Totp)?)))
        })
        .await?;
    let (codes, proved) = match (confirmed, proved) {
        (Confirmed::Active(codes), Some(proved)) => (codes, proved),
        (other, _) => return step.refuse(visit, proof::error_of_first(&other)).await,
    };
    let next = match &proved {
        Proved::All(..) => finish::next(visit, step.login),
        Proved::More(_) => step.url(visit, None),
    };
    let mut reply = step.go_on(visit, proved.with("enrolled", "totp"));
    if let Some(codes) = codes {
        let page = RecoveryCodesPage {
            codes,
            enrolled: true,
            continue_url: next,
        };
        let locale = visit.locale(&step.open.interaction.request.ui_locales);
        let html = page.render(visit.pages, &visit.layout(locale, None, false))?;
        let mut shown = visit.html(200, html);
        shown.cookies.extend(reply.cookies);
        reply = Reply {
            session: reply.session,
            note: reply.note,
            ..shown
        };
    }
    Ok(reply)
}
