//! `/admin/mails`: letters that wait, and those that were given up and can be tried again. What they say and to which
//! address stays sealed.

use super::sessions_views::{People, person_link};
use super::visit::link;
use super::{Desk, Outcome, Route, Section, dashboard};
use crate::administration::mails::{self, MailsError, can_be_retried};
use crate::model::{AccountId, MailCursor, MailMessage, MailState, Role};
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::{StoreError, account, mail_message};
use crate::ui::visit::PageFailure;
use crate::ui::{DeskMailView, DeskMailsPage};

pub(super) const PATH: &str = "/admin/mails";
/// Letters of a page.
const PER_PAGE: u32 = 50;
/// Batches that one press of the button does: a browser waits for them.
const MOST_BATCHES: u32 = 25;

pub(super) static ROUTES: [Route; 2] = [
    Route::get(PATH, Role::Viewer, |desk| Box::pin(list(desk))),
    Route::post(PATH, Role::Operator, |desk| Box::pin(retry(desk))),
];

async fn list(desk: &Desk<'_>) -> Outcome {
    page(desk, 200, None).await
}

async fn page(desk: &Desk<'_>, status: u16, error: Option<String>) -> Outcome {
    let query = desk.query();
    let (name, state, other) = match query.get("state") {
        Some("queued") => ("queued", MailState::Queued, "failed"),
        _ => ("failed", MailState::Failed, "queued"),
    };
    let after = query.get("after").and_then(TimeCursor::from_text);
    let is_first = after.is_none();
    let after = after.map(|after| MailCursor {
        created_at: after.key,
        id: after.id,
    });
    let (mut found, people): (Vec<MailMessage>, People) = desk
        .shared()
        .store
        .read(move |conn| {
            let wanted = PER_PAGE.saturating_add(1);
            let found = mail_message::search(conn, state, after.as_ref(), wanted)?;
            let ids: Vec<AccountId> = found.iter().map(|one| one.account.clone()).collect();
            Ok::<_, StoreError>((found, account::usernames(conn, &ids)?))
        })
        .await?;
    let most = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let has_more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| has_more).map(|last| TimeCursor {
        key: last.created_at,
        id: last.id.clone(),
    });
    let address = |after: &str| link(PATH, &[("state", name), ("after", after)]);
    let may = desk.may(Role::Operator);
    let page = DeskMailsPage {
        desk: desk.view(Section::Dashboard),
        url: PATH,
        state: name,
        other_url: link(PATH, &[("state", other)]),
        error,
        may_retry_all: may && found.iter().any(can_be_retried),
        mails: found
            .iter()
            .map(|one| row(desk, one, (&people, may)))
            .collect(),
        first_url: (!is_first).then(|| address("")),
        next_url: next.map(|next| address(&next.to_text())),
        back_url: dashboard::PATH,
    };
    desk.page(status, &page)
}

fn row(desk: &Desk<'_>, one: &MailMessage, (people, may): (&People, bool)) -> DeskMailView {
    DeskMailView {
        id: one.id.clone(),
        about: desk.text(&format!("mail-{}-subject", one.kind.replace('_', "-"))),
        person: person_link(&one.account, people),
        created_at: one.created_at,
        attempts: one.attempts,
        at: one.done_at.unwrap_or(one.next_attempt_at),
        reason: one.reason.clone(),
        can_be_retried: may && can_be_retried(one),
    }
}

async fn retry(desk: &Desk<'_>) -> Outcome {
    if desk.field("all").is_empty() {
        return retry_one(desk).await;
    }
    let (mut retried, mut after) = (0_usize, None);
    for _ in 0..MOST_BATCHES {
        let (actor, now, from) = (desk.actor(), desk.now(), after.take());
        let round = desk
            .shared()
            .store
            .write(move |tx| mails::retry_failed(tx, &actor, from.as_ref(), now))
            .await?;
        retried = retried.saturating_add(round.retried);
        after = round.next;
        if after.is_none() {
            break;
        }
    }
    match (retried, after) {
        (0, _) => page(desk, 409, Some(desk.text("desk-mails-error-nothing"))).await,
        (_, None) => Ok(desk.done(PATH, &[], "mails_retried")),
        (_, Some(_)) => Ok(desk.done(PATH, &[], "mails_retried_some")),
    }
}

async fn retry_one(desk: &Desk<'_>) -> Outcome {
    let (actor, now, id) = (desk.actor(), desk.now(), desk.field("id").to_owned());
    let done = desk
        .shared()
        .store
        .write(move |tx| mails::retry(tx, &actor, &id, now))
        .await;
    let name = match done {
        Ok(()) => return Ok(desk.done(PATH, &[], "mail_retried")),
        Err(MailsError::Store(error)) => return Err(PageFailure::from(error)),
        Err(MailsError::Unknown) => "unknown",
        Err(MailsError::NotFailed) => "not_failed",
        Err(MailsError::Useless) => "useless",
    };
    let error = desk.text(&format!("desk-mails-error-{name}"));
    page(desk, 409, Some(error)).await
}
