//! `/admin/sessions`: what people and relying parties hold, found by whatever of it somebody has in hand, and ended.
//!
//! What is looked for is posted: a code or token that is still good must not stand in an address, where browsers and
//! proxies keep it. The pages that are found have addresses of keys that open nothing.

use super::super::visit::PageFailure;
use super::super::{Field, HolderView, Link, RevokedView, SessionsPage, TreePage};
use super::sessions_tree::roots_and_nodes;
use super::sessions_views::{
    People, grant_state, grant_view, person_link, revoke_url, session_view,
};
use super::visit::link;
use super::{Desk, Outcome, Route, Section, sessions_revoke, users};
use crate::administration::sessions::{self, Found, Revoked, Sought, of_client};
use crate::endpoint::Trouble;
use crate::model::{AccountId, ClientId, GrantId, IssuerId, Params, Role, SessionId};
use crate::store::grant::GrantsOf;
use crate::store::keyset::{CursorText as _, TimeCursor};
use crate::store::session::SessionFilter;
use crate::store::{StoreError, account, grant, session};

pub(super) const PATH: &str = "/admin/sessions";
pub(super) const GRANT: &str = "/admin/sessions/grant";
pub(super) const REVOKE: &str = "/admin/sessions/revoke";
/// Rows of a page.
const PER_PAGE: u32 = 50;

pub(super) static ROUTES: [Route; 5] = [
    Route::get(PATH, Role::Viewer, |desk| Box::pin(list(desk))),
    Route::post(PATH, Role::Viewer, |desk| Box::pin(find(desk))),
    Route::get(GRANT, Role::Viewer, |desk| Box::pin(tree(desk))),
    Route::get(REVOKE, Role::Operator, |desk| {
        Box::pin(sessions_revoke::confirm(desk))
    }),
    Route::post(REVOKE, Role::Operator, |desk| {
        Box::pin(sessions_revoke::revoke(desk))
    }),
];

/// What a list is of, as its address says it.
enum ListOf {
    Newest,
    SessionsOf(AccountId),
    Grants(&'static str, GrantsOf),
}

fn list_of(query: &Params) -> ListOf {
    let wanted = |name: &str| query.get(name).filter(|value| !value.is_empty());
    if let Some(id) = wanted("session") {
        return ListOf::Grants("session", GrantsOf::Session(SessionId::new(id)));
    }
    if let Some(subject) = wanted("subject") {
        return ListOf::Grants("subject", GrantsOf::Subject(subject.to_owned()));
    }
    if let (Some(client), Some(issuer)) = (wanted("client"), wanted("issuer")) {
        let of = GrantsOf::Client(IssuerId::new(issuer), ClientId::new(client));
        return ListOf::Grants("client", of);
    }
    if let Some(account) = wanted("account") {
        return ListOf::Grants("account", GrantsOf::Account(AccountId::new(account)));
    }
    match wanted("sessions_of") {
        Some(account) => ListOf::SessionsOf(AccountId::new(account)),
        None => ListOf::Newest,
    }
}

/// The address of a list of grants.
pub(super) fn list_url(of: &GrantsOf) -> String {
    match of {
        GrantsOf::Session(id) => link(PATH, &[("session", id.as_str())]),
        GrantsOf::Subject(subject) => link(PATH, &[("subject", subject)]),
        GrantsOf::Client(issuer, client) => link(
            PATH,
            &[("client", client.as_str()), ("issuer", issuer.as_str())],
        ),
        GrantsOf::Account(account) => held_by(account),
    }
}

/// The address of what relying parties hold of somebody.
pub(super) fn held_by(account: &AccountId) -> String {
    link(PATH, &[("account", account.as_str())])
}

fn sessions_of(account: &AccountId) -> String {
    link(PATH, &[("sessions_of", account.as_str())])
}

/// Somebody whose sessions or grants are listed, with what else there is of them. Nothing of a key that nobody has.
async fn holder(desk: &Desk<'_>, id: &AccountId) -> Result<Option<HolderView>, PageFailure> {
    let wanted = id.clone();
    let found = desk
        .shared()
        .store
        .read(move |conn| account::find(conn, &wanted))
        .await?;
    Ok(found.map(|person| HolderView {
        grants_url: held_by(id),
        sessions_url: sessions_of(id),
        revoke_url: desk.may(Role::Operator).then(|| users::revoke_url(id)),
        person: Link {
            url: users::one_url(id),
            text: person.username,
        },
    }))
}

fn issuers(desk: &Desk<'_>) -> Vec<IssuerId> {
    let of = |provider: &std::sync::Arc<crate::provider::Provider>| provider.issuer.clone();
    desk.state.providers.iter().map(of).collect()
}

async fn list(desk: &Desk<'_>) -> Outcome {
    list_page(desk, 200, Field::default()).await
}

async fn list_page(desk: &Desk<'_>, status: u16, sought: Field) -> Outcome {
    let query = desk.query();
    let after = query.get("after").and_then(TimeCursor::from_text);
    let mut page = SessionsPage {
        desk: desk.view(Section::Sessions),
        url: PATH,
        sought,
        of: None,
        of_value: String::new(),
        holder: None,
        others: Vec::new(),
        session: None,
        end_url: None,
        end_all_url: None,
        revoked: revoked_of(&query),
        sessions: Vec::new(),
        grants: Vec::new(),
        first_url: None,
        next_url: None,
    };
    let is_first = after.is_none();
    let next = match list_of(&query) {
        ListOf::Grants(name, of) => {
            page.of = Some(name);
            if let GrantsOf::Account(account) = &of {
                page.holder = holder(desk, account).await?;
            }
            fill_grants(desk, &mut page, of, after).await?
        }
        ListOf::SessionsOf(account) => {
            page.of = Some("sessions_of");
            page.of_value = account.to_string();
            page.holder = holder(desk, &account).await?;
            fill_sessions(desk, &mut page, Some(account), after).await?
        }
        ListOf::Newest => fill_sessions(desk, &mut page, None, after).await?,
    };
    let with_after = |after: &str| {
        let kept = |name: &str| !["after", "done", "lang"].contains(&name) && !is_count(name);
        let mut all: Vec<(&str, &str)> = query.iter().filter(|(name, _)| kept(name)).collect();
        all.push(("after", after));
        link(PATH, &all)
    };
    page.next_url = next.map(|next| with_after(&next.to_text()));
    page.first_url = (!is_first).then(|| with_after(""));
    desk.page(status, &page)
}

async fn fill_sessions(
    desk: &Desk<'_>,
    page: &mut SessionsPage,
    account: Option<AccountId>,
    after: Option<TimeCursor>,
) -> Result<Option<TimeCursor>, PageFailure> {
    let filter = SessionFilter {
        account,
        ..SessionFilter::default()
    };
    let (found, people) = desk
        .shared()
        .store
        .read(move |conn| {
            let found = session::search(conn, &filter, after.as_ref(), PER_PAGE)?;
            let ids: Vec<AccountId> = found.rows.iter().map(|row| row.account.clone()).collect();
            let people = account::usernames(conn, &ids)?;
            Ok::<_, StoreError>((found, people))
        })
        .await?;
    let now = desk.now();
    page.sessions = found
        .rows
        .into_iter()
        .map(|row| session_view(desk, row, (&people, now)))
        .collect();
    Ok(found.next)
}

async fn fill_grants(
    desk: &Desk<'_>,
    page: &mut SessionsPage,
    of: GrantsOf,
    after: Option<TimeCursor>,
) -> Result<Option<TimeCursor>, PageFailure> {
    let (wanted, all_issuers) = (of.clone(), issuers(desk));
    let (found, whole, others, people): (_, _, _, People) = desk
        .shared()
        .store
        .read(move |conn| {
            let found = grant::search(conn, &wanted, after.as_ref(), PER_PAGE)?;
            let whole = match &wanted {
                GrantsOf::Session(id) => session::find(conn, id)?,
                GrantsOf::Account(_) | GrantsOf::Client(..) | GrantsOf::Subject(_) => None,
            };
            let mut others = Vec::new();
            if let GrantsOf::Client(_, client) = &wanted {
                for other in of_client(&all_issuers, client.as_str()) {
                    if other != wanted && !grant::search(conn, &other, None, 1)?.rows.is_empty() {
                        others.push(other);
                    }
                }
            }
            let held = found.rows.iter().map(|row| row.account.clone());
            let ids: Vec<AccountId> = held
                .chain(whole.iter().map(|known| known.account.clone()))
                .collect();
            let people = account::usernames(conn, &ids)?;
            Ok::<_, StoreError>((found, whole, others, people))
        })
        .await?;
    let now = desk.now();
    let some_live = found.rows.iter().any(|row| grant_state(row, now) == "live");
    if let (GrantsOf::Session(id), true) = (&of, desk.may(Role::Operator)) {
        let alive = whole.as_ref().is_some_and(|session| session.is_alive(now));
        page.end_url = alive.then(|| revoke_url("session", id.as_str()));
        page.end_all_url = (alive || some_live).then(|| revoke_url("all", id.as_str()));
    }
    page.of_value = match &of {
        GrantsOf::Session(id) => id.to_string(),
        GrantsOf::Subject(subject) => subject.clone(),
        GrantsOf::Client(issuer, client) => format!("{client} ({issuer})"),
        GrantsOf::Account(account) => account.to_string(),
    };
    page.others = others
        .iter()
        .map(|other| Link {
            url: list_url(other),
            text: match other {
                GrantsOf::Client(issuer, _) => issuer.to_string(),
                GrantsOf::Account(_) | GrantsOf::Session(_) | GrantsOf::Subject(_) => String::new(),
            },
        })
        .collect();
    page.session = whole.map(|row| session_view(desk, row, (&people, now)));
    page.grants = found
        .rows
        .iter()
        .map(|row| grant_view(desk, row, (&people, now)))
        .collect();
    Ok(found.next)
}

async fn find(desk: &Desk<'_>) -> Outcome {
    let (sought, issuers) = (desk.field("sought").to_owned(), issuers(desk));
    let found = desk
        .shared()
        .store
        .read(move |conn| sessions::find(conn, &issuers, &sought))
        .await?;
    let to = match found {
        Some(Found::Session(id)) => list_url(&GrantsOf::Session(id)),
        Some(Found::Grants(of)) => list_url(&of),
        Some(Found::Person(id)) => held_by(&id),
        Some(Found::Grant(id, sought)) => {
            let sought = match &sought {
                Sought::Grant => "",
                Sought::Code => "code",
                Sought::Token(jti) => jti.as_str(),
            };
            link(GRANT, &[("id", id.as_str()), ("sought", sought)])
        }
        None => {
            let field = Field {
                value: desk.field("sought").to_owned(),
                error: Some(desk.text("desk-sought-nothing")),
            };
            return list_page(desk, 422, field).await;
        }
    };
    Ok(crate::endpoint::Reply::see_other(to))
}

pub(super) fn nothing() -> PageFailure {
    PageFailure::Refused(
        Trouble::NotFound,
        "there is no such session, grant, code or token, or it was removed",
    )
}

async fn tree(desk: &Desk<'_>) -> Outcome {
    let query = desk.query();
    let id = GrantId::new(query.get("id").unwrap_or_default());
    let before = query.get("before").and_then(TimeCursor::from_text);
    let (is_newest, now) = (before.is_none(), desk.now());
    let (found, people): (_, People) = desk
        .shared()
        .store
        .read(move |conn| {
            let found = sessions::tree(conn, &id, before.as_ref(), now)?;
            let of: Vec<AccountId> = found.iter().map(|one| one.grant.account.clone()).collect();
            Ok::<_, StoreError>((found, account::usernames(conn, &of)?))
        })
        .await?;
    let found = found.ok_or_else(nothing)?;
    let sought = query.get("sought").unwrap_or_default();
    let (roots, nodes) = roots_and_nodes(&found, sought, (now, desk.may(Role::Operator)));
    let given = &found.grant;
    let page = TreePage {
        desk: desk.view(Section::Sessions),
        grant: grant_view(desk, given, (&people, now)),
        person: person_link(&given.account, &people),
        account_url: held_by(&given.account),
        refreshes: given.refresh_count,
        subject_url: list_url(&GrantsOf::Subject(given.subject.clone())),
        client_url: list_url(&GrantsOf::Client(
            given.issuer.clone(),
            given.client_id.clone(),
        )),
        trail_url: link(
            super::trail::PATH,
            &[("subject", &format!("grant {}", given.id))],
        ),
        back_url: PATH,
        revoked: revoked_of(&query),
        roots,
        older_url: found.older.as_ref().map(|older| {
            link(
                GRANT,
                &[("id", given.id.as_str()), ("before", &older.to_text())],
            )
        }),
        nodes,
        newest_url: (!is_newest).then(|| link(GRANT, &[("id", given.id.as_str())])),
    };
    desk.page(200, &page)
}

pub(super) fn told(revoked: &Revoked) -> impl Iterator<Item = (&'static str, usize)> {
    revoked.counts().into_iter().filter(|(_, count)| *count > 0)
}

fn is_count(name: &str) -> bool {
    let known = Revoked::default().counts();
    known.iter().any(|(count, _)| *count == name)
}

/// What the address of a page says was just revoked.
fn revoked_of(query: &Params) -> Vec<RevokedView> {
    let view = |(name, _): (&'static str, usize)| {
        let count: u32 = query.get(name)?.parse().ok()?;
        (count > 0).then(|| RevokedView {
            name,
            count: i64::from(count),
        })
    };
    let known = Revoked::default().counts();
    known.into_iter().filter_map(view).collect()
}
