//! Everything of a person's, ended at once: asked for once more, with the reason, and told.

use super::super::visit::link;
use super::super::{Desk, Outcome, Section, sessions};
use super::{one_url, revoke_url, wanted};
use crate::administration::revocation::{self, RevocationError};
use crate::administration::sessions::{MOST_REASON, Revoked};
use crate::endpoint::{Note, Reply};
use crate::model::{Account, AccountId};
use crate::store::{StoreError, grant, session};
use crate::ui::{Field, OutcomeView, ReasonedPage};

/// Sessions and grants are counted up to here; beyond, the page says "at least": each has a row to be read.
const COUNTED: u32 = 1_000;

pub(super) async fn confirm(desk: &Desk<'_>) -> Outcome {
    let person = wanted(desk, desk.query().get("id").unwrap_or_default()).await?;
    page(desk, &person, 200, (None, None)).await
}

async fn page(
    desk: &Desk<'_>,
    person: &Account,
    status: u16,
    (error, reason_error): (Option<String>, Option<String>),
) -> Outcome {
    let (id, now) = (person.id.clone(), desk.now());
    let (open, live) = desk
        .shared()
        .store
        .read(move |conn| {
            let open = session::alive_of(conn, &id, now, COUNTED)?.len();
            let live = grant::count_live_of(conn, &id, now, COUNTED)?;
            Ok::<_, StoreError>((open, live))
        })
        .await?;
    let most = usize::try_from(COUNTED).unwrap_or(usize::MAX);
    let counted = |count: usize| match count < most {
        true => count.to_string(),
        false => format!("≥ {count}"),
    };
    let fact = |key: &str, value: String| OutcomeView {
        name: desk.text(key),
        value,
    };
    let page = ReasonedPage {
        desk: desk.view(Section::Users),
        title: desk.text("desk-user-revoke"),
        error,
        explanations: vec![
            desk.text("desk-user-explain-revoke"),
            desk.text("desk-user-explain-revoke-after"),
        ],
        facts: vec![
            fact("username", person.username.clone()),
            fact("desk-user-open-sessions", counted(open)),
            fact("desk-rp-live-grants", counted(live)),
        ],
        reason: Field {
            value: desk.field("reason").to_owned(),
            error: reason_error,
        },
        reason_required: true,
        sure: None,
        button: desk.text("desk-user-revoke"),
        action_url: revoke_url(&person.id),
        back_url: one_url(&person.id),
    };
    desk.page(status, &page)
}

pub(super) async fn revoke(desk: &Desk<'_>) -> Outcome {
    let person = wanted(desk, desk.query().get("id").unwrap_or_default()).await?;
    let revoked = match revoke_all(desk, &person.id).await {
        Ok(revoked) => revoked,
        Err(RevocationError::NoReason) => {
            let error = desk.text("desk-user-revoke-why");
            return page(desk, &person, 422, (None, Some(error))).await;
        }
        Err(RevocationError::LongReason) => {
            let arguments = [("most".into(), MOST_REASON.into())].into();
            let error = crate::ui::translate(desk.locale(), "desk-reason-long", &arguments);
            return page(desk, &person, 422, (None, Some(error.unwrap_or_default()))).await;
        }
        Err(RevocationError::Unknown) => {
            let error = desk.text("desk-user-error-unknown");
            return page(desk, &person, 409, (Some(error), None)).await;
        }
        Err(RevocationError::Store(error)) => return Err(error.into()),
    };
    if revoked == Revoked::default() {
        let error = desk.text("desk-revoke-ended");
        return page(desk, &person, 409, (Some(error), None)).await;
    }
    let counts: Vec<(&str, String)> = sessions::told(&revoked)
        .map(|(name, count)| (name, count.to_string()))
        .collect();
    let mut parameters = vec![("account", person.id.as_str())];
    parameters.extend(counts.iter().map(|(name, count)| (*name, count.as_str())));
    let note = Note::new(log::Level::Warn, "user.revoked").with("account", person.id.to_string());
    Ok(Reply::see_other(link(sessions::PATH, &parameters)).noted(note))
}

async fn revoke_all(desk: &Desk<'_>, id: &AccountId) -> Result<Revoked, RevocationError> {
    let mut total = Revoked::default();
    loop {
        let (actor, now) = (desk.actor(), desk.now());
        let (id, reason) = (id.clone(), desk.field("reason").to_owned());
        let batch = desk
            .shared()
            .store
            .write(move |tx| revocation::revoke_all_of(tx, &actor, (&id, &reason), now))
            .await?;
        total.sessions = total.sessions.saturating_add(batch.revoked.sessions);
        total.grants = total.grants.saturating_add(batch.revoked.grants);
        if !batch.more {
            return Ok(total);
        }
    }
}
