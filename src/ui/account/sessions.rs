//! Ending sessions. That needs no fresh proof: nobody but the person has a use for it.

use super::super::visit::{PageFailure, SignedIn, Visit, check_csrf};
use super::super::{AccountNotice, LoggedOutPage, Page as _, account::citizen};
use super::{Outcome, PURPOSE, done};
use crate::clock::UtcTime;
use crate::endpoint::{Note, Reply, SessionChange, Trouble};
use crate::model::{AccountId, SessionId};
use crate::store::{DbConn, StoreError, grant, session};
use data_encoding::BASE64URL_NOPAD;

/// Sessions that are ended in one transaction; more than anybody has.
const MOST: u32 = 10_000;

/// Names a session in a form: the key itself is what form tokens are made of.
pub(super) fn key_of(id: &SessionId) -> String {
    let hash = crate::secret::sha256(format!("session of the list {id}").as_bytes());
    BASE64URL_NOPAD.encode(&hash)
}

pub(super) async fn submit(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    let form = visit.form()?;
    check_csrf(&form, citizen.session.id.as_str(), PURPOSE)?;
    let (person, own, now) = (
        citizen.account.id.clone(),
        citizen.session.id.clone(),
        visit.now(),
    );
    if form.get("all").is_some() {
        return end_all(visit, &citizen).await;
    }
    let all = form.get("others").is_some();
    let wanted = form.get("session").map(str::to_owned);
    if !all && wanted.is_none() {
        return Err(PageFailure::Refused(
            Trouble::InvalidRequest,
            "session, others or all is missing",
        ));
    }
    let count = visit
        .op
        .shared
        .store
        .write(move |tx| {
            end_where(tx, &person, now, |id| {
                *id != own && (all || Some(key_of(id)) == wanted)
            })
        })
        .await?;
    let notice = if all {
        AccountNotice::Others
    } else {
        AccountNotice::Session
    };
    let reply: Reply = done(visit, notice);
    Ok(Ok(reply.noted(
        Note::new(log::Level::Info, "account.sessions_ended").with("count", count.to_string()),
    )))
}

/// Also the one that asks.
async fn end_all(visit: &Visit<'_>, citizen: &SignedIn) -> Outcome {
    let (person, now) = (citizen.account.id.clone(), visit.now());
    let count = visit
        .op
        .shared
        .store
        .write(move |tx| end_where(tx, &person, now, |_| true))
        .await?;
    let page = LoggedOutPage {
        login_url: Some(visit.link("/login", &[("to", "account")])),
    };
    let layout = visit.layout(visit.locale(&[]), None, true);
    let note = Note::new(log::Level::Info, "account.sessions_ended");
    let mut reply = visit
        .html(200, page.render(visit.pages, &layout)?)
        .noted(note.with("count", count.to_string()));
    reply.session = SessionChange::End;
    Ok(Ok(reply))
}

/// Ends the sessions of a person that `which` picks, and what RPs got without offline access in them; how many.
pub(super) fn end_where(
    tx: &mut DbConn,
    person: &AccountId,
    now: UtcTime,
    which: impl Fn(&SessionId) -> bool,
) -> Result<usize, StoreError> {
    let mut count = 0;
    for found in session::alive_of(tx, person, now, MOST)? {
        if which(&found.id) {
            session::end(tx, &found.id, now)?;
            grant::revoke_of_session(tx, &found.id, now)?;
            count += 1;
        }
    }
    Ok(count)
}
