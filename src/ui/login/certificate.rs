//! The page for a card: what the proxy passed on says whose it is.

use super::super::interaction::OpenInteraction;
use super::super::visit::{PageFailure, Visit};
use super::super::{CertificatePage, Page as _, ProofError};
use super::around::Around;
use crate::authn::certificate::{self, CertificateError};
use crate::endpoint::{Reply, quote};
use crate::model::Account;
use crate::store::account as accounts;

/// The page, which posts `card=1`.
pub(super) fn page(
    visit: &Visit<'_>,
    open: &OpenInteraction,
    around: &Around,
    (status, error): (u16, Option<ProofError>),
) -> Result<Reply, PageFailure> {
    let page = CertificatePage {
        step: around.view.clone(),
        is_read: visit.inbound.client_certificate.is_some(),
        error,
    };
    let html = page.render(visit.pages, &around.layout)?;
    Ok(around.html(visit, open, (status, html)))
}

/// Whose card it is.
pub(super) async fn check(visit: &Visit<'_>) -> Result<Result<Account, ProofError>, PageFailure> {
    let (Some(settings), Some(header)) = (
        &visit.op.settings.client_certificate,
        &visit.inbound.client_certificate,
    ) else {
        return Ok(Err(ProofError::NoCard));
    };
    let number = match certificate::fiscal_number(settings, header, visit.now()) {
        Ok(number) => number,
        Err(error) => {
            log::warn!("event=certificate.refused reason={}", quote(&error));
            return Ok(Err(match error {
                CertificateError::NotTrusted(_) => ProofError::CardNotTrusted,
                CertificateError::Unreadable
                | CertificateError::NoFiscalNumber
                | CertificateError::Openssl(_) => ProofError::CardUnreadable,
            }));
        }
    };
    let found = visit
        .op
        .shared
        .store
        .read(move |conn| accounts::find_by_fiscal_number(conn, &number))
        .await?;
    Ok(found
        .filter(|account| account.enabled)
        .ok_or(ProofError::CardUnknown))
}
