//! The page that asks for a code sent by e-mail. Only its button sends one.

use super::super::super::user_agent::in_few_words;
use super::super::super::visit::{PageFailure, Visit};
use super::super::super::{EmailCodePage, Page as _, ProofError, proof};
use super::Step;
use crate::authn::email_code::{self, Asked, Sent, masked};
use crate::authn::second_factor::Checked;
use crate::endpoint::{Note, Reply};
use crate::mail::{MailError, Origin};
use crate::model::{Method, Params};
use crate::store::StoreError;

pub(super) async fn page(
    step: &Step<'_>,
    visit: &Visit<'_>,
    (status, error): (u16, Option<ProofError>),
) -> Result<Reply, PageFailure> {
    let around = step.surroundings(visit, Some(Method::EmailCode)).await;
    let interaction = step.open.interaction.id.clone();
    let sent = visit
        .op
        .shared
        .store
        .read(move |conn| email_code::last_sent(conn, &interaction))
        .await?;
    let address = visit.op.mail_address(&step.account).unwrap_or_default();
    let page = EmailCodePage {
        step: around.view.clone(),
        address: masked(&address),
        sent_at: sent.map(|(at, _)| at),
        may_send: sent.is_none_or(|(_, may_send)| may_send),
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
    if form.get("send").is_some() {
        return send(step, visit).await;
    }
    let typed = form.get("otp").unwrap_or_default().trim().to_owned();
    if typed.is_empty() {
        return step.page(visit, 422, Some(ProofError::Missing)).await;
    }
    let ending = step.ending(visit).await?;
    let (op, person) = (visit.op.clone(), step.account.id.clone());
    let interaction = step.open.interaction.id.clone();
    let (checked, proved) = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<_, StoreError> {
            let checked = email_code::check(tx, &op, (&interaction, &person), &typed)?;
            let Checked::Proven(method) = checked else {
                return Ok((checked, None));
            };
            Ok((checked, Some(ending.prove(tx, &op, method)?)))
        })
        .await?;
    match proved {
        Some(proved) => Ok(step.go_on(visit, proved)),
        None => step.refuse(visit, proof::error_of(checked)).await,
    }
}

async fn send(step: &Step<'_>, visit: &Visit<'_>) -> Result<Reply, PageFailure> {
    let around = step.surroundings(visit, Some(Method::EmailCode)).await;
    let asked = Asked {
        rp_name: around.view.rp.name,
        origin: Origin {
            browser: in_few_words(&visit.inbound.user_agent),
            address: visit.inbound.address.to_string(),
        },
    };
    let (op, person) = (visit.op.clone(), step.account.clone());
    let interaction = step.open.interaction.id.clone();
    let sent = visit
        .op
        .shared
        .store
        .write(move |tx| -> Result<Sent, MailError> {
            email_code::send(tx, &op, (&interaction, &person), asked)
        })
        .await;
    match sent.map_err(PageFailure::from)? {
        Sent::Yes => {
            let here = Reply::see_other(step.url(visit, Some(Method::EmailCode)));
            Ok(here.noted(Note::new(log::Level::Info, "email_code.sent")))
        }
        Sent::NotYet { seconds } => {
            let seconds = u64::try_from(seconds).unwrap_or(1);
            step.refuse(visit, ProofError::Throttled { seconds }).await
        }
        Sent::NoMore => step.refuse(visit, ProofError::Expired).await,
        Sent::Nobody => Ok(Reply::see_other(step.url(visit, None))),
    }
}
