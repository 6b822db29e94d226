//! Ending a session, or revoking what came of one: asked for once more, with the reason, and told.

use super::super::visit::PageFailure;
use super::super::{Field, OutcomeView, ReasonedPage};
use super::sessions::{GRANT, PATH, list_url, nothing, told};
use super::sessions_views::revoke_url;
use super::visit::link;
use super::{Desk, Outcome, Section};
use crate::administration::sessions::{self, MOST_REASON, SessionError, Target};
use crate::model::{Grant, GrantId, Params, SessionId, TokenId};
use crate::store::grant;
use crate::store::grant::GrantsOf;

/// What the address says is to end, and its name in message keys.
fn target(query: &Params) -> Option<(&'static str, Target)> {
    let id = query.get("id").filter(|id| !id.is_empty())?;
    Some(match query.get("what")? {
        "token" => ("token", Target::Token(TokenId::new(id))),
        "code" => ("code", Target::Code(GrantId::new(id))),
        "grant" => ("grant", Target::Grant(GrantId::new(id))),
        "session" => ("session", Target::Session(SessionId::new(id))),
        "all" => ("all", Target::SessionAndOffline(SessionId::new(id))),
        _ => return None,
    })
}

pub(super) async fn confirm(desk: &Desk<'_>) -> Outcome {
    confirm_page(desk, 200, (None, None)).await
}

async fn confirm_page(
    desk: &Desk<'_>,
    status: u16,
    (error, reason_error): (Option<String>, Option<String>),
) -> Outcome {
    let query = desk.query();
    let (name, target) = target(&query).ok_or_else(nothing)?;
    let fact = |key: &str, value: String| OutcomeView {
        name: desk.text(key),
        value,
    };
    let (facts, back_url) = match target.clone() {
        Target::Session(id) | Target::SessionAndOffline(id) => {
            let back = list_url(&GrantsOf::Session(id.clone()));
            let facts = vec![fact("desk-node-session", id.into())];
            (facts, back)
        }
        Target::Code(id) | Target::Grant(id) => {
            let known = read_grant(desk, id).await?;
            facts_of(desk, &known, None)
        }
        Target::Token(jti) => {
            let id = jti.clone();
            let token = desk
                .shared()
                .store
                .read(move |conn| crate::store::token::find(conn, &id))
                .await?
                .ok_or_else(nothing)?;
            let known = read_grant(desk, token.grant).await?;
            facts_of(desk, &known, Some(jti.as_str()))
        }
    };
    let page = ReasonedPage {
        desk: desk.view(Section::Sessions),
        title: desk.text(&format!("desk-revoke-title-{name}")),
        error,
        explanations: vec![desk.text(&format!("desk-revoke-explain-{name}"))],
        facts,
        reason: Field {
            value: desk.field("reason").to_owned(),
            error: reason_error,
        },
        reason_required: false,
        sure: None,
        button: desk.text(&format!("desk-revoke-title-{name}")),
        action_url: revoke_url(name, query.get("id").unwrap_or_default()),
        back_url,
    };
    desk.page(status, &page)
}

async fn read_grant(desk: &Desk<'_>, id: GrantId) -> Result<Grant, PageFailure> {
    let found = desk
        .shared()
        .store
        .read(move |conn| grant::find(conn, &id))
        .await?;
    found.ok_or_else(nothing)
}

fn facts_of(desk: &Desk<'_>, known: &Grant, token: Option<&str>) -> (Vec<OutcomeView>, String) {
    let fact = |key: &str, value: &str| OutcomeView {
        name: desk.text(key),
        value: value.to_owned(),
    };
    let mut facts = vec![
        fact("desk-grant-client", known.client_id.as_str()),
        fact(
            "desk-session-issuer",
            &desk.issuer_name(known.issuer.as_str()),
        ),
        fact("desk-grant-subject", &known.subject),
    ];
    if let Some(jti) = token {
        facts.push(fact("desk-node-token", jti));
    }
    (facts, link(GRANT, &[("id", known.id.as_str())]))
}

pub(super) async fn revoke(desk: &Desk<'_>) -> Outcome {
    let (_, target) = target(&desk.query()).ok_or_else(nothing)?;
    let (actor, now) = (desk.actor(), desk.now());
    let (wanted, reason) = (target.clone(), desk.field("reason").to_owned());
    let done = desk
        .shared()
        .store
        .write(move |tx| {
            let grant = match &wanted {
                Target::Token(id) => crate::store::token::find(tx, id)?.map(|token| token.grant),
                Target::Code(id) | Target::Grant(id) => Some(id.clone()),
                Target::Session(_) | Target::SessionAndOffline(_) => None,
            };
            sessions::revoke(tx, &actor, (&wanted, &reason), now).map(|revoked| (grant, revoked))
        })
        .await;
    let (grant, revoked) = match done {
        Ok(done) => done,
        Err(SessionError::Unknown) => return Err(nothing()),
        Err(SessionError::Store(error)) => return Err(error.into()),
        Err(SessionError::Ended) => {
            let error = desk.text("desk-revoke-ended");
            return confirm_page(desk, 409, (Some(error), None)).await;
        }
        Err(SessionError::Reason) => {
            let error = super::super::translate(
                desk.locale(),
                "desk-reason-long",
                &[("most".into(), MOST_REASON.into())].into(),
            );
            let error = error.unwrap_or_default();
            return confirm_page(desk, 422, (None, Some(error))).await;
        }
    };
    let counts: Vec<(&str, String)> = told(&revoked)
        .map(|(name, count)| (name, count.to_string()))
        .collect();
    let mut parameters: Vec<(&str, &str)> = counts
        .iter()
        .map(|(name, count)| (*name, count.as_str()))
        .collect();
    let path = match (&grant, &target) {
        (Some(id), _) => {
            parameters.push(("id", id.as_str()));
            GRANT
        }
        (None, Target::Session(id) | Target::SessionAndOffline(id)) => {
            parameters.push(("session", id.as_str()));
            PATH
        }
        (None, _) => PATH,
    };
    Ok(crate::endpoint::Reply::see_other(link(path, &parameters)))
}
