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

use super::super::interaction::OpenInteraction;
use super::super::visit::{self, PageFailure, SignedIn, Visit, csrf_token};
use super::super::{Layout, Level, OtherWay, ProofError, RpView, StepView, proof};
use super::Login;
use super::finish::{self, Ending, Proved, Proven};
use crate::authn::enrolment::{self, NewSecret};
use crate::authn::second_factor::{self, Available};
use crate::endpoint::{Note, Reply};
use crate::federation::Source;
use crate::model::{Account, InteractionState, Method, Methods, Params, PartialProof, SecretHash};
use crate::provider::{Discovery, KnownClient};
use crate::store::{account as accounts, interaction as interactions};
use std::sync::Arc;

pub(super) use external::poll;

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

/// A session proved a part: only the missing factor is asked for. `None` for somebody who has none: registering one needs
/// a password that was typed just now.
pub(super) async fn step_up(
    visit: &Visit<'_>,
    login: &Login,
    open: &OpenInteraction,
    SignedIn { session, account }: SignedIn,
) -> Result<Option<Reply>, PageFailure> {
    let (person, op) = (account.clone(), visit.op.clone());
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
    if step.methods(visit).next().is_none() {
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

/// What surrounds the page of a step.
struct Surroundings {
    view: StepView,
    layout: Layout,
    client: Option<Arc<KnownClient>>,
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

    /// The methods that this person can go on with.
    fn methods(&self, visit: &Visit<'_>) -> impl Iterator<Item = Method> {
        let wanted = visit
            .op
            .next_methods(&self.login.level, &self.proof.methods);
        wanted.filter(|method| self.available.methods.contains(method))
    }

    /// The method that is asked for: the chosen one, or the first.
    fn method(&self, visit: &Visit<'_>) -> Option<Method> {
        let query = visit.query();
        let chosen = query.get("with").and_then(Method::from_name);
        self.methods(visit)
            .find(|method| Some(*method) == chosen)
            .or_else(|| self.methods(visit).next())
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
            Some(Method::Password) | None => enrol::submit(&self, visit, form).await,
        }
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
        if error == ProofError::WrongCode {
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
        let with = method.map_or("", Method::name);
        visit.link("/login", &[("interaction", self.open.id()), ("with", with)])
    }

    /// What the pages of all methods have.
    async fn surroundings(&self, visit: &Visit<'_>, method: Option<Method>) -> Surroundings {
        let request = &self.open.interaction.request;
        let locale = visit.locale(&request.ui_locales);
        let client = visit.op.find_client(
            &request.client_id,
            Discovery::Renew(Source::of(visit.inbound.address)),
        );
        // The chain's resolution is a large future, and the pages of some methods are made within others.
        let client = Box::pin(client).await.ok();
        let rp = client.as_ref().map_or_else(
            || RpView {
                name: request.client_id.to_string(),
                entity_id: request.client_id.to_string(),
                logo_url: None,
                policy_url: None,
            },
            |client| visit::rp_view(client, locale),
        );
        let others = self.methods(visit).filter(|other| Some(*other) != method);
        let view = StepView {
            rp,
            level: Level::from_acr(&self.login.level),
            other_ways: others
                .map(|other| OtherWay {
                    method: other.name(),
                    url: self.url(visit, Some(other)),
                })
                .collect(),
            csrf_token: csrf_token(&self.login.secret, &self.login.purpose()),
            action_url: self.url(visit, method),
        };
        Surroundings {
            view,
            layout: visit.layout(locale, None, false),
            client,
        }
    }

    /// A page of a step, allowed to show the RP's logo and to lead to the RP.
    fn html(
        &self,
        visit: &Visit<'_>,
        status: u16,
        (html, client): (String, Option<Arc<KnownClient>>),
    ) -> Reply {
        let mut reply = visit.html(status, html);
        // Cancelling answers this form with a redirect to the RP, which browsers hold against form-action.
        let destination = &self.open.interaction.request.destination;
        reply
            .form_actions
            .extend(visit::origin_of(&destination.redirect_uri));
        reply.images.extend(
            client
                .as_ref()
                .and_then(|client| client.metadata().logo_uri.as_deref())
                .and_then(visit::origin_of),
        );
        reply
    }
}

/// Where the secret of a new second factor may be seen: in this login, which belongs to one browser.
fn begun_in(open: &OpenInteraction) -> String {
    format!("login {}", open.id())
}
