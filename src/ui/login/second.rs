//! The second step of a login: the code, or registering the app that makes it.

use super::super::interaction::OpenInteraction;
use super::super::visit::{self, PageFailure, SignedIn, Visit, csrf_token};
use super::super::{
    CodeKind, EnrolPage, Level, NoSecondFactorPage, Page as _, ProofError, RecoveryCodesPage,
    RpView, SecondFactorPage, proof, qr,
};
use super::Login;
use super::finish::{self, Ending, Proven};
use crate::authn::enrolment::{self, Confirmed, NewSecret};
use crate::authn::second_factor::{self, Available, Checked};
use crate::config::Enrolment;
use crate::endpoint::{Note, Reply, SessionChange};
use crate::federation::Source;
use crate::model::{Account, InteractionState, Method, Methods, Params, PartialProof, SecretHash};
use crate::provider::Discovery;
use crate::store::{StoreError, account as accounts, interaction as interactions};

/// How long a password counts while the second factor is looked for.
const PATIENCE_SECONDS: i64 = 600;

/// Somebody who proved a part of what the login needs.
pub(super) struct Partial<'a> {
    login: &'a Login,
    open: &'a OpenInteraction,
    proof: PartialProof,
    account: Account,
    /// What the session that is stepped up ends at.
    session_ends_at: crate::clock::UtcTime,
    available: Available,
    /// A secret that waits for its first code, begun in this login.
    new_secret: Option<NewSecret>,
}

/// The password of this login is right: it is noted in the interaction, and the browser sent to the next step.
pub(super) async fn begin(
    visit: &Visit<'_>,
    open: &OpenInteraction,
    account: &Account,
) -> Result<Reply, PageFailure> {
    let now = visit.now();
    let proof = PartialProof {
        account: account.id.clone(),
        methods: Methods::only(Method::Password),
        authenticated_at: now,
        until: now.plus_seconds(PATIENCE_SECONDS),
        session: None,
        password: password_of(account),
    };
    note(visit, open, proof).await?;
    let next = visit.link("/login", &[("interaction", open.id())]);
    Ok(Reply::see_other(next).noted(Note::new(log::Level::Info, "login.password_proven")))
}

/// A session proved what a password proves: only the second factor is asked for. `None` for somebody who has none:
/// registering one needs a password that was typed just now.
pub(super) async fn step_up(
    visit: &Visit<'_>,
    login: &Login,
    open: &OpenInteraction,
    SignedIn { session, account }: SignedIn,
) -> Result<Option<Reply>, PageFailure> {
    let accepted = visit.op.settings.second_factors.clone();
    let (person, now) = (account.id.clone(), visit.now());
    let available = visit
        .op
        .shared
        .store
        .read(move |conn| second_factor::available(conn, &accepted, &person, now))
        .await?;
    if !available.any() {
        return Ok(None);
    }
    let proof = PartialProof {
        account: account.id.clone(),
        methods: session.methods,
        authenticated_at: session.authenticated_at,
        until: session.expires_at,
        session: Some(session.id),
        password: password_of(&account),
    };
    note(visit, open, proof.clone()).await?;
    let partial = Partial {
        login,
        open,
        proof,
        account,
        session_ends_at: session.expires_at,
        available,
        new_secret: None,
    };
    partial.show(visit).await.map(Some)
}

async fn note(
    visit: &Visit<'_>,
    open: &OpenInteraction,
    proof: PartialProof,
) -> Result<(), PageFailure> {
    let (id, now) = (open.interaction.id.clone(), visit.now());
    visit
        .op
        .shared
        .store
        .write(move |tx| interactions::prove(tx, &id, Some(&proof), now))
        .await
        .map(|_| ())
        .map_err(PageFailure::from)
}

/// Ends with a change of the password.
fn password_of(account: &Account) -> SecretHash {
    SecretHash::of(account.password_hash.as_deref().unwrap_or_default())
}

impl<'a> Partial<'a> {
    /// What the interaction holds of an earlier step, if it still counts.
    pub(super) async fn find(
        login: &'a Login,
        visit: &Visit<'_>,
    ) -> Result<Option<Self>, PageFailure> {
        let Some(open) = &login.open else {
            return Ok(None);
        };
        let InteractionState::PartlyProven(proof) = open.interaction.state.clone() else {
            return Ok(None);
        };
        if visit.now() >= proof.until {
            return Ok(None);
        }
        let mut session_ends_at = visit
            .now()
            .plus_seconds(visit.op.settings.lifetimes.session);
        if let Some(stepped_up) = &proof.session {
            // Whoever logged out meanwhile, or somebody else who logged in, begins anew.
            let current = visit.live_session().await?.map(|current| current.session);
            let Some(session) = current
                .filter(|session| session.id == *stepped_up && !login.is_too_old(visit, session))
            else {
                return Ok(None);
            };
            session_ends_at = session.expires_at;
        }
        let (op, id, place) = (visit.op.clone(), proof.account.clone(), begun_in(open));
        let found = visit
            .op
            .shared
            .store
            .read(move |conn| -> Result<_, PageFailure> {
                let Some(account) = accounts::find(conn, &id)?.filter(|found| found.enabled) else {
                    return Ok(None);
                };
                let accepted = &op.settings.second_factors;
                let available = second_factor::available(conn, accepted, &id, op.now())?;
                let new_secret = enrolment::pending(conn, &op, &account, &place)?;
                Ok(Some((account, available, new_secret)))
            })
            .await?;
        Ok(found
            .filter(|(account, ..)| password_of(account) == proof.password)
            .map(|(account, available, new_secret)| Self {
                login,
                open,
                proof,
                account,
                session_ends_at,
                available,
                new_secret,
            }))
    }

    /// Whether the person may register a second factor here and now.
    fn may_enrol(&self, visit: &Visit<'_>) -> bool {
        visit.op.settings.enrolment == Enrolment::Password
            && visit.op.accepts(Method::Totp)
            && self.proof.session.is_none()
            && !self.available.any()
    }

    /// The page of this step.
    pub(super) async fn show(&self, visit: &Visit<'_>) -> Result<Reply, PageFailure> {
        self.page(visit, 200, None).await
    }

    /// What was posted from it.
    pub(super) async fn submit(
        self,
        visit: &Visit<'_>,
        form: &Params,
    ) -> Result<Reply, PageFailure> {
        let typed = form.get("otp").unwrap_or_default().trim().to_owned();
        if form.get("enrol").is_some() {
            return self.enrol(visit).await;
        }
        if typed.is_empty() {
            return self.page(visit, 422, Some(ProofError::Missing)).await;
        }
        if self.may_enrol(visit) {
            return self.confirm(visit, typed).await;
        }
        let ending = self.ending(visit).await?;
        let (op, person) = (visit.op.clone(), self.account.id.clone());
        let (checked, done) = visit
            .op
            .shared
            .store
            .write(move |tx| -> Result<_, StoreError> {
                let accepted = &op.settings.second_factors;
                let checked = second_factor::check(tx, &op, accepted, (&person, &typed))?;
                let Checked::Proven(method) = checked else {
                    return Ok((checked, None));
                };
                let ending = ending.and(method);
                Ok((checked, Some((ending.write(tx)?, ending.note()))))
            })
            .await?;
        match done {
            Some((id, note)) => {
                let mut reply = Reply::see_other(finish::next(visit, self.login)).noted(note);
                reply.session = SessionChange::Start(id);
                Ok(reply)
            }
            None => self.refuse(visit, proof::error_of(checked)).await,
        }
    }

    /// Makes the secret of a new second factor; the next page shows it.
    async fn enrol(&self, visit: &Visit<'_>) -> Result<Reply, PageFailure> {
        let next = visit.link("/login", &[("interaction", self.open.id())]);
        if self.may_enrol(visit) {
            let (op, person) = (visit.op.clone(), self.account.id.clone());
            let place = begun_in(self.open);
            visit
                .op
                .shared
                .store
                .write(move |tx| enrolment::begin(tx, &op, (&person, &place), ""))
                .await?;
        }
        Ok(Reply::see_other(next))
    }

    /// Takes the first code of a new second factor, which ends the login.
    async fn confirm(&self, visit: &Visit<'_>, typed: String) -> Result<Reply, PageFailure> {
        let ending = self.ending(visit).await?.and(Method::Totp);
        let (op, person) = (visit.op.clone(), self.account.id.clone());
        let place = begun_in(self.open);
        let (confirmed, done) = visit
            .op
            .shared
            .store
            .write(move |tx| -> Result<_, StoreError> {
                let confirmed = enrolment::confirm(tx, &op, (&person, &place), &typed)?;
                let Confirmed::Active(_) = confirmed else {
                    return Ok((confirmed, None));
                };
                Ok((confirmed, Some((ending.write(tx)?, ending.note()))))
            })
            .await?;
        let (codes, (id, note)) = match (confirmed, done) {
            (Confirmed::Active(codes), Some(done)) => (codes, done),
            (other, _) => return self.refuse(visit, proof::error_of_first(&other)).await,
        };
        let next = finish::next(visit, self.login);
        let mut reply = match codes {
            None => Reply::see_other(next),
            Some(codes) => {
                let page = RecoveryCodesPage {
                    codes,
                    enrolled: true,
                    continue_url: next,
                };
                let locale = visit.locale(&self.open.interaction.request.ui_locales);
                visit.html(
                    200,
                    page.render(visit.pages, &visit.layout(locale, None, false))?,
                )
            }
        };
        reply.session = SessionChange::Start(id);
        Ok(reply.noted(note.with("enrolled", "totp")))
    }

    /// The end of the login, without the second factor that is being checked.
    async fn ending(&self, visit: &Visit<'_>) -> Result<Ending, PageFailure> {
        let proven = Proven {
            account: self.account.id.clone(),
            methods: self.proof.methods.clone(),
            authenticated_at: self.proof.authenticated_at,
            session_ends_at: self.session_ends_at,
        };
        Ending::new(visit, self.login, proven).await
    }

    async fn refuse(&self, visit: &Visit<'_>, error: ProofError) -> Result<Reply, PageFailure> {
        let (status, retry) = proof::status_of(error, visit.now());
        let mut reply = self.page(visit, status, Some(error)).await?;
        if let Some(seconds) = retry {
            reply = reply.header("Retry-After", seconds.to_string());
        }
        let note = Note::new(log::Level::Warn, "login.failed").with(
            "reason",
            format!("second factor: {}", proof::name_of(error)),
        );
        Ok(reply.noted(note))
    }

    async fn page(
        &self,
        visit: &Visit<'_>,
        status: u16,
        error: Option<ProofError>,
    ) -> Result<Reply, PageFailure> {
        let request = &self.open.interaction.request;
        let locale = visit.locale(&request.ui_locales);
        let client = visit.op.find_client(
            &request.client_id,
            Discovery::Renew(Source::of(visit.inbound.address)),
        );
        let client = client.await.ok();
        let rp = client.as_ref().map_or_else(
            || RpView {
                name: request.client_id.to_string(),
                entity_id: request.client_id.to_string(),
                logo_url: None,
                policy_url: None,
            },
            |client| visit::rp_view(client, locale),
        );
        let level = Level::from_acr(&self.login.level);
        let csrf_token = csrf_token(&self.login.secret, &self.login.purpose());
        let id = self.open.id();
        let recovery =
            visit.query().get("with") == Some("recovery") || self.available.authenticators == 0;
        let with = if recovery { "recovery" } else { "" };
        let action_url = visit.link("/login", &[("interaction", id), ("with", with)]);
        let layout = visit.layout(locale, None, false);
        let html = match &self.new_secret {
            _ if self.available.any() => SecondFactorPage {
                rp,
                level,
                kind: if recovery {
                    CodeKind::Recovery
                } else {
                    CodeKind::Totp
                },
                other_url: self.other_url(visit, recovery),
                error,
                csrf_token,
                action_url,
            }
            .render(visit.pages, &layout)?,
            Some(new_secret) if self.may_enrol(visit) => EnrolPage {
                secret: new_secret.secret.clone(),
                qr: qr::draw(&new_secret.uri),
                uri: new_secret.uri.clone(),
                error,
                csrf_token,
                action_url: visit.link("/login", &[("interaction", id)]),
                in_login: true,
            }
            .render(visit.pages, &layout)?,
            _ => NoSecondFactorPage {
                rp,
                level,
                may_enrol: self.may_enrol(visit),
                csrf_token,
                action_url: visit.link("/login", &[("interaction", id)]),
            }
            .render(visit.pages, &layout)?,
        };
        let mut reply = visit.html(status, html);
        // Cancelling answers this form with a redirect to the RP, which browsers hold against form-action.
        reply
            .form_actions
            .extend(visit::origin_of(&request.destination.redirect_uri));
        reply.images.extend(
            client
                .as_ref()
                .and_then(|client| client.metadata().logo_uri.as_deref())
                .and_then(visit::origin_of),
        );
        Ok(reply)
    }

    /// The page for the other kind of code, where the person has both.
    fn other_url(&self, visit: &Visit<'_>, recovery: bool) -> Option<String> {
        let id = self.open.id();
        if recovery {
            return (self.available.authenticators > 0)
                .then(|| visit.link("/login", &[("interaction", id)]));
        }
        (self.available.recovery_codes > 0)
            .then(|| visit.link("/login", &[("interaction", id), ("with", "recovery")]))
    }
}

/// Where the secret of a new second factor may be seen: in this login, which belongs to one browser.
fn begun_in(open: &OpenInteraction) -> String {
    format!("login {}", open.id())
}
