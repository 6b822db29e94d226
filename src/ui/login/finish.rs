//! The end of a login, or of a step of it: the session gets what was proven, and the interaction goes on with it.

use super::super::Locale;
use super::super::device::Device;
use super::super::visit::{PageFailure, Visit};
use super::{Login, own_page};
use crate::clock::UtcTime;
use crate::endpoint::{Note, Reply, SessionChange};
use crate::model::{AccountId, InteractionId, Method, Methods, PartialProof, Session, SessionId};
use crate::provider::Provider;
use crate::store::{DbConn, StoreError, account, interaction as interactions, session};

/// All that a level needs.
pub(super) struct Proven {
    /// By whom.
    pub(super) account: AccountId,
    /// By which methods.
    pub(super) methods: Methods,
    /// When: the second factor of a step-up does not make the password any fresher.
    pub(super) authenticated_at: UtcTime,
    /// A step-up does not prolong the session.
    pub(super) session_ends_at: UtcTime,
}

/// What is written at the end of a login.
pub(super) struct Ending {
    new: Session,
    /// The same person's session in this browser.
    known: Option<SessionId>,
    interaction: Option<InteractionId>,
    /// What the interaction keeps while the level needs more.
    so_far: Option<PartialProof>,
    device: Device,
    /// Of the pages of this login.
    locale: Locale,
    now: UtcTime,
}

/// What a finished login gives the browser.
pub(super) struct Started {
    session: SessionId,
    /// What the person has chosen on the account page.
    language: Option<Locale>,
}

impl Started {
    /// The session's cookie, and the person's language for a browser that has none yet.
    pub(super) fn apply(self, visit: &Visit<'_>, reply: &mut Reply) {
        reply.session = SessionChange::Start(self.session);
        if let Some(language) = self.language.filter(|_| !visit.has_language()) {
            reply.cookies.push(visit.language_cookie(language));
        }
    }
}

/// What came of one more proven method.
pub(super) enum Proved {
    /// All that the level needs: the person has a session now.
    All(Started, Note),
    /// The level needs more.
    More(Note),
}

impl Proved {
    /// With one more field of its line of the log.
    pub(super) fn with(self, name: &'static str, value: &str) -> Self {
        match self {
            Self::All(started, note) => Self::All(started, note.with(name, value)),
            Self::More(note) => Self::More(note.with(name, value)),
        }
    }
}

impl Ending {
    /// Prepares it.
    pub(super) async fn new(
        visit: &Visit<'_>,
        login: &Login,
        proven: Proven,
    ) -> Result<Self, PageFailure> {
        let known = visit.live_session().await?.map(|current| current.session);
        let request = login.open.as_ref().map(|open| &open.interaction.request);
        Ok(Self {
            device: Device::of(visit),
            locale: visit.locale(request.map_or(&[], |request| request.ui_locales.as_slice())),
            // The same person again: the session stays, so that other tabs which wait for consent go on working; the
            // cookie changes in any case.
            known: known
                .filter(|session| session.account == proven.account)
                .map(|session| session.id),
            new: Session {
                id: SessionId::random(),
                issuer: visit.op.issuer.clone(),
                account: proven.account,
                acr: login.level.clone(),
                methods: proven.methods,
                authenticated_at: proven.authenticated_at,
                browser: visit.inbound.user_agent.clone(),
                address: visit.inbound.address.to_string(),
                expires_at: proven.session_ends_at,
                ended_at: None,
            },
            interaction: login.open.as_ref().map(|open| open.interaction.id.clone()),
            so_far: None,
            now: visit.now(),
        })
    }

    /// The end of a step after others.
    pub(super) fn after(mut self, proof: PartialProof) -> Self {
        self.so_far = Some(proof);
        self
    }

    /// One more method was proven: ends the login if that is all, or notes it in the interaction.
    pub(super) fn prove(
        mut self,
        tx: &mut DbConn,
        op: &Provider,
        method: Method,
    ) -> Result<Proved, StoreError> {
        self.new.methods = self.new.methods.and(method);
        let is_all = op.next_factor(&self.new.acr, &self.new.methods).is_none();
        if let (false, Some(interaction), Some(mut proof)) =
            (is_all, &self.interaction, self.so_far.take())
        {
            proof.methods = self.new.methods;
            interactions::prove(tx, interaction, Some(&proof), self.now)?;
            let note = Note::new(log::Level::Info, "login.factor_proven");
            return Ok(Proved::More(note.with("methods", proof.methods.to_text())));
        }
        Ok(Proved::All(self.write(tx)?, self.note()))
    }

    /// Writes it; the session that the person has now.
    fn write(&self, tx: &mut DbConn) -> Result<Started, StoreError> {
        let id = match &self.known {
            Some(known) if session::reauthenticate(tx, known, &self.new, self.now)? => known,
            _ => {
                session::insert(tx, &self.new)?;
                &self.new.id
            }
        };
        if let Some(interaction) = &self.interaction {
            interactions::authenticate(tx, interaction, id, self.now)?;
        }
        let person = &self.new.account;
        let languages = account::languages(tx, person)?;
        if languages.of_pages.as_deref() != Some(self.locale.code()) {
            account::note_page_language(tx, person, self.locale.code())?;
        }
        self.device.greet(tx, person)?;
        Ok(Started {
            session: id.clone(),
            language: languages.chosen.as_deref().and_then(Locale::parse),
        })
    }

    /// The line for the log.
    fn note(&self) -> Note {
        Note::new(log::Level::Info, "login.succeeded")
            .with("level", &self.new.acr)
            .with("methods", self.new.methods.to_text())
    }
}

/// Where a finished login leads to.
pub(super) fn next(visit: &Visit<'_>, login: &Login) -> String {
    match &login.open {
        Some(open) => visit.link("/consent", &[("interaction", open.id())]),
        None => visit.link(own_page(visit), &[]),
    }
}

/// Ends a login that proved all in one step.
pub(super) async fn finish(
    visit: &Visit<'_>,
    login: &Login,
    proven: Proven,
) -> Result<Reply, PageFailure> {
    let ending = Ending::new(visit, login, proven).await?;
    let note = ending.note();
    let started = visit
        .op
        .shared
        .store
        .write(move |tx| ending.write(tx))
        .await?;
    let mut reply = Reply::see_other(next(visit, login)).noted(note);
    started.apply(visit, &mut reply);
    Ok(reply)
}
