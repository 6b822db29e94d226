//! Who is let in, and what every page of the desk has.

use super::super::visit::{PageFailure, check_csrf, csrf_token};
use super::super::{DeskView, Page, SectionView, text};
use super::visit::{DeskVisit, link};
use super::{Outcome, Route, Section, draft, login, may_open, own};
use crate::endpoint::{Method, Note, Reply, Trouble};
use crate::model::{Actor, Operator, OperatorSession, Params, Role, SessionId, Via};
use crate::store::{DbConn, StoreError, operator, operator_session};
use std::ops::Deref;

/// What form tokens of the desk are for.
pub(super) const PURPOSE: &str = "desk";

/// A visit by an operator whose role allows it. Only [`enter`] makes one.
pub struct Desk<'a> {
    visit: &'a DeskVisit<'a>,
    /// Who it is.
    pub operator: Operator,
    /// Their session.
    pub session: OperatorSession,
    form: Params,
}

impl<'a> Deref for Desk<'a> {
    type Target = DeskVisit<'a>;

    fn deref(&self) -> &Self::Target {
        self.visit
    }
}

/// The operator behind a session whose login is complete.
pub(super) async fn signed_in(
    visit: &DeskVisit<'_>,
) -> Result<Option<(Operator, OperatorSession)>, StoreError> {
    let Some(id) = visit.session.clone() else {
        return Ok(None);
    };
    let now = visit.now();
    let found = visit
        .shared()
        .store
        .read(move |conn| find(conn, &id, now))
        .await?;
    Ok(found.filter(|(_, session)| session.proven))
}

/// The operator of a session, proven or half-way, if both may still be used.
pub(super) fn find(
    conn: &mut DbConn,
    id: &SessionId,
    now: crate::clock::UtcTime,
) -> Result<Option<(Operator, OperatorSession)>, StoreError> {
    let Some(session) = operator_session::find(conn, id, now)? else {
        return Ok(None);
    };
    let known = operator::find(conn, &session.operator)?;
    Ok(known
        .filter(|operator| operator.enabled)
        .map(|operator| (operator, session)))
}

/// Answers a request for a route: lets the operator in, or says what is missing.
pub async fn enter(visit: &DeskVisit<'_>, route: &Route) -> Reply {
    match try_enter(visit, route).await {
        Ok(reply) => reply,
        Err(failure) => visit.failure(failure),
    }
}

/// Whether a file of this visitor is worth being read: strangers fill no disk.
pub async fn may_send_file(visit: &DeskVisit<'_>, route: &Route) -> bool {
    let known = signed_in(visit).await;
    matches!(known, Ok(Some((operator, _))) if operator.role >= route.least)
}

async fn try_enter(visit: &DeskVisit<'_>, route: &Route) -> Outcome {
    let Some((operator, session)) = signed_in(visit).await? else {
        let back = match route.method {
            Method::Get => link(visit.path, &visit.query().iter().collect::<Vec<_>>()),
            Method::Post => draft::keep(visit).await?,
        };
        return Ok(Reply::see_other(link(login::PATH, &[("to", &back)])));
    };
    if operator.role < route.least {
        let failure = PageFailure::Refused(
            Trouble::Forbidden,
            "the operator's role does not allow this",
        );
        let note = Note::new(log::Level::Warn, "desk.forbidden")
            .with("operator", operator.id.to_string())
            .with("path", visit.path);
        return Ok(visit.failure(failure).noted(note));
    }
    let form = match route.method {
        Method::Get => draft::redeem(visit, &operator.id).await?,
        Method::Post => {
            let form = visit.inbound.form.clone().map_err(|_| {
                PageFailure::Refused(Trouble::InvalidRequest, "the form could not be read")
            })?;
            check_csrf(&form, session.id.as_str(), PURPOSE)?;
            form
        }
    };
    let desk = Desk {
        visit,
        operator,
        session,
        form,
    };
    (route.handler)(&desk).await
}

impl Desk<'_> {
    /// The form that was posted; on a page that is looked at, what was typed into its form before the session ended
    /// (empty in most cases), for the form to show it again.
    #[must_use]
    pub fn form(&self) -> &Params {
        &self.form
    }

    /// A field of the form, without spaces at its ends; empty when it is not there.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.form.get(name).unwrap_or_default().trim()
    }

    /// Who acts, for the trail.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.operator.name.clone(),
            via: Via::Desk,
            address: self.inbound.address.to_string(),
        }
    }

    /// Whether the operator may do what needs this role.
    #[must_use]
    pub fn may(&self, least: Role) -> bool {
        self.operator.role >= least
    }

    /// The token of every form of this session.
    #[must_use]
    pub fn csrf_token(&self) -> String {
        csrf_token(self.session.id.as_str(), PURPOSE)
    }

    /// A message in the visitor's language.
    #[must_use]
    pub fn text(&self, key: &str) -> String {
        text(self.locale(), key)
    }

    /// How an issuer calls itself; its identifier beside that where another one has the same name, or alone when it is not
    /// served any more.
    #[must_use]
    pub fn issuer_name(&self, issuer: &str) -> String {
        let providers = || self.state.providers.iter();
        let Some(op) = providers().find(|op| op.issuer.as_str() == issuer) else {
            return issuer.to_owned();
        };
        let name = op.display_name();
        match providers().filter(|op| op.display_name() == name).count() {
            1 => name.to_owned(),
            _ => format!("{name} ({issuer})"),
        }
    }

    /// What every page of the desk has. `notice` in the address names what was just done (`desk-notice-KEY`).
    #[must_use]
    pub fn view(&self, section: Section) -> DeskView {
        let sections = Section::ALL
            .iter()
            .copied()
            .filter(|known| may_open(known.path(), self.operator.role))
            .map(|known| SectionView {
                name: known.name(),
                url: known.path(),
                current: known == section,
            })
            .collect();
        let notice = self.query().get("done").map(str::to_owned);
        DeskView {
            operator: self.operator.name.clone(),
            role: self.operator.role.name(),
            sections,
            own_url: own::PATH,
            logout_url: login::LOGOUT_PATH,
            csrf_token: self.csrf_token(),
            done: notice.filter(|key| super::NOTICES.contains(&key.as_str())),
        }
    }

    /// A page.
    ///
    /// # Errors
    /// A template failed.
    pub fn page(&self, status: u16, page: &impl Page) -> Outcome {
        let layout = self.layout(Some(self.operator.name.clone()));
        Ok(self.html(status, page.render(&self.state.pages, &layout)?))
    }

    /// The way back after something was done: to a page, which says so (`done`, one of `NOTICES`).
    #[must_use]
    pub fn done(&self, path: &str, parameters: &[(&str, &str)], done: &str) -> Reply {
        let mut all = parameters.to_vec();
        all.push(("done", done));
        Reply::see_other(link(path, &all))
    }
}
