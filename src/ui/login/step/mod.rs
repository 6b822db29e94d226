//! The steps after the first of a login: each proves one more factor, until the level is reached.
//!
//! ```text
//! proof so far (in the interaction's row) ──next_methods ∩ what the person has──► a page per method ──POST──► proven
//!      ▲                                                                                                      │
//!      └──────────────────────────────────── the level needs more ◄───────────────────────────────────────────┤
//!                                                                               the level is reached: finish ◄┘
//! ```
//!
//! `?with=NAME` chooses among the methods of somebody who has several. One more method: a module here with its page, and
//! a line in [`Step::page`] and [`Step::submit`].

mod code;
mod email;
mod enrol;
mod external;
mod key;

use super::super::interaction::OpenInteraction;
use super::super::visit::{PageFailure, SignedIn, Visit};
use super::super::{ProofError, proof};
use super::Login;
use super::around::{self, Around};
use super::certificate;
use super::finish::{self, Ending, Proved, Proven};
use crate::authn::enrolment::{self, NewSecret};
use crate::authn::second_factor::{self, Available};
use crate::endpoint::{Note, Reply};
use crate::model::{Account, InteractionState, Method, Methods, Params, PartialProof, SecretHash};
use crate::store::{account as accounts, interaction as interactions};

pub(super) use external::{label, poll};

/// How long a proof counts while the next factor is looked for.
const PATIENCE_SECONDS: i64 = 600;

/// Somebody who proved a part of what the login needs.
pub(super) struct Step<'a> {
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

/// Somebody proved a first factor: it is noted in the interaction, and the browser sent to the next step.
pub(super) async fn begin(
    visit: &Visit<'_>,
    open: &OpenInteraction,
    (account, methods): (&Account, Methods),
) -> Result<Reply, PageFailure> {
    let now = visit.now();
    let proof = PartialProof {
        account: account.id.clone(),
        methods,
        authenticated_at: now,
        until: now.plus_seconds(PATIENCE_SECONDS),
        session: None,
        password: password_of(account),
    };
    note(visit, open, proof).await?;
    let next = visit.link("/login", &[("interaction", open.id())]);
    Ok(Reply::see_other(next).noted(Note::new(log::Level::Info, "login.password_proven")))
}

/// A session proved a part: only the missing factor is asked for. `None` for somebody who has none: registering one needs
/// a password that was typed just now.
pub(super) async fn step_up(
    visit: &Visit<'_>,
    login: &Login,
    open: &OpenInteraction,
    SignedIn { session, account }: SignedIn,
) -> Result<Option<Reply>, PageFailure> {
    let (op, person) = (visit.op.clone(), account.clone());
    let available = visit
        .op
        .shared
        .store
        .read(move |conn| second_factor::available(conn, &op, &op.settings.second_factors, &person))
        .await?;
    let proof = PartialProof {
        account: account.id.clone(),
        methods: session.methods,
        authenticated_at: session.authenticated_at,
        until: session.expires_at,
        session: Some(session.id),
        password: password_of(&account),
    };
    let step = Step {
        login,
        open,
        proof,
        account,
        session_ends_at: session.expires_at,
        available,
        new_secret: None,
    };
    if step.methods(visit).is_empty() {
        return Ok(None);
    }
    note(visit, open, step.proof.clone()).await?;
    step.show(visit).await.map(Some)
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

impl<'a> Step<'a> {
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
        // Proven later than now: the clock went back, and nobody knows how long ago it was.
        if visit.now() >= proof.until || proof.authenticated_at.is_of_the_future(visit.now()) {
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
                let available = second_factor::available(conn, &op, accepted, &account)?;
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

    /// The methods that this person can go on with. Where touching a key suffices, it is not asked for more.
    fn methods(&self, visit: &Visit<'_>) -> Vec<Method> {
        let wanted = visit
            .op
            .next_methods(&self.login.level, &self.proof.methods);
        let mut methods: Vec<Method> = wanted
            .filter(|method| {
                *method == Method::Certificate || self.available.methods.contains(method)
            })
            .collect();
        if methods.contains(&Method::SecurityKey) {
            methods.retain(|method| *method != Method::VerifiedKey);
        }
        methods
    }

    /// The method that is asked for: the chosen one, or the first.
    fn method(&self, visit: &Visit<'_>) -> Option<Method> {
        let methods = self.methods(visit);
        let query = visit.query();
        let chosen = query.get("with").and_then(Method::from_name);
        chosen
            .filter(|method| methods.contains(method))
            .or_else(|| methods.first().copied())
    }

    /// The page of this step.
    pub(super) async fn show(&self, visit: &Visit<'_>) -> Result<Reply, PageFailure> {
        self.page(visit, 200, None).await
    }

    async fn page(
        &self,
        visit: &Visit<'_>,
        status: u16,
        error: Option<ProofError>,
    ) -> Result<Reply, PageFailure> {
        match self.method(visit) {
            Some(method @ (Method::Totp | Method::Recovery)) => {
                code::page(self, visit, method, (status, error)).await
            }
            Some(Method::External) => Box::pin(external::page(self, visit, status)).await,
            Some(Method::EmailCode) => Box::pin(email::page(self, visit, (status, error))).await,
            Some(method @ (Method::SecurityKey | Method::VerifiedKey)) => {
                key::page(self, visit, method, (status, error)).await
            }
            Some(method @ Method::Certificate) => {
                let around = self.surroundings(visit, Some(method)).await;
                certificate::page(visit, self.open, &around, (status, error))
            }
            Some(Method::Password) | None => enrol::page(self, visit, (status, error)).await,
        }
    }

    /// What was posted from it.
    pub(super) async fn submit(
        self,
        visit: &Visit<'_>,
        form: &Params,
    ) -> Result<Reply, PageFailure> {
        match self.method(visit) {
            Some(Method::Totp | Method::Recovery) => code::submit(&self, visit, form).await,
            Some(Method::External) => Box::pin(external::submit(&self, visit, form)).await,
            Some(Method::EmailCode) => Box::pin(email::submit(&self, visit, form)).await,
            Some(method @ (Method::SecurityKey | Method::VerifiedKey)) => {
                key::submit(&self, visit, method, form).await
            }
            Some(Method::Certificate) => self.submit_card(visit).await,
            Some(Method::Password) | None => enrol::submit(&self, visit, form).await,
        }
    }

    /// Takes the card of the person who has proven the rest.
    async fn submit_card(&self, visit: &Visit<'_>) -> Result<Reply, PageFailure> {
        let error = match certificate::check(visit).await? {
            Ok(account) if account.id == self.account.id => None,
            Ok(_) => Some(ProofError::CardUnknown),
            Err(error) => Some(error),
        };
        if let Some(error) = error {
            return self.refuse(visit, error).await;
        }
        let (op, ending) = (visit.op.clone(), self.ending(visit).await?);
        let proved = visit
            .op
            .shared
            .store
            .write(move |tx| ending.prove(tx, &op, Method::Certificate))
            .await?;
        Ok(self.go_on(visit, proved))
    }

    /// The end of the login, without the factor that is being checked.
    async fn ending(&self, visit: &Visit<'_>) -> Result<Ending, PageFailure> {
        let proven = Proven {
            account: self.account.id.clone(),
            methods: self.proof.methods.clone(),
            authenticated_at: self.proof.authenticated_at,
            session_ends_at: self.session_ends_at,
        };
        let ending = Ending::new(visit, self.login, proven).await?;
        Ok(ending.after(self.proof.clone()))
    }

    /// A further factor was proven: on to the RP, or to the next step.
    fn go_on(&self, visit: &Visit<'_>, proved: Proved) -> Reply {
        match proved {
            Proved::All(started, note) => {
                let mut reply = Reply::see_other(finish::next(visit, self.login)).noted(note);
                started.apply(visit, &mut reply);
                reply
            }
            Proved::More(note) => Reply::see_other(self.url(visit, None)).noted(note),
        }
    }

    async fn refuse(&self, visit: &Visit<'_>, error: ProofError) -> Result<Reply, PageFailure> {
        let (status, retry) = proof::status_of(error, visit.now());
        if matches!(
            error,
            ProofError::WrongCode | ProofError::ClockAhead { .. } | ProofError::ClockBehind { .. }
        ) {
            self.open.count_failure(visit).await?;
        }
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

    /// The address of this step, asking for a method.
    fn url(&self, visit: &Visit<'_>, method: Option<Method>) -> String {
        around::url(visit, self.open, method)
    }

    /// What the pages of all methods have.
    async fn surroundings(&self, visit: &Visit<'_>, method: Option<Method>) -> Around {
        let others = self.methods(visit).into_iter();
        let others = others.filter(|other| Some(*other) != method).collect();
        let mut around = Around::of(visit, (self.login, self.open), (method, others)).await;
        around.view.may_restart = true;
        around
    }
}

/// Where a login asks for a security key.
pub(super) fn key_place(open: &OpenInteraction, method: Method) -> String {
    key::place(&open.interaction.id, method)
}

/// Where the secret of a new second factor may be seen: in this login, which belongs to one browser.
fn begun_in(open: &OpenInteraction) -> String {
    format!("login {}", open.id())
}
