//! `/account`: what protects an account, and where it is open.
//!
//! Each change is a page that asks for the password, and for the second factor of whoever has one (or for a security key of
//! whoever has no password), and says what the change does (`change`); a new second factor goes on with a page that shows its secret (`factor`).

pub(super) mod again;
mod change;
mod consents;
mod data;
mod factor;
mod key;
mod language;
mod rename;
mod sessions;

pub use change::Change;

use super::proof::Way;
use super::visit::{PageFailure, SignedIn, Visit, csrf_token};
use super::{
    AccountNotice, AccountPage, FactorView, LanguageChoice, Level, Locale, Page as _, RecoveryView,
    RenamingView, SessionView,
};
use crate::authn::security_key;
use crate::config::Enrolment;
use crate::endpoint::Reply;
use crate::model::{Authenticator, Method, Session};
use crate::store::{StoreError, account, authenticator, recovery_code, session};

/// What form tokens of these pages are for.
const PURPOSE: &str = "account";
/// Sessions on the page.
const MOST_SESSIONS: u32 = 50;

/// `Ok(Err(reply))`: somebody has to log in first.
type Outcome = Result<Result<Reply, Reply>, PageFailure>;

fn answer(visit: &Visit<'_>, outcome: Outcome) -> Reply {
    match outcome {
        Ok(Ok(reply) | Err(reply)) => reply,
        Err(failure) => visit.failure(failure),
    }
}

/// The person, or the way to log in and back.
async fn who(visit: &Visit<'_>) -> Result<Result<SignedIn, Reply>, PageFailure> {
    Ok(visit
        .live_session()
        .await?
        .ok_or_else(|| again::log_in(visit)))
}

macro_rules! citizen {
    ($visit:expr) => {
        match $crate::ui::account::who($visit).await? {
            Ok(citizen) => citizen,
            Err(elsewhere) => return Ok(Err(elsewhere)),
        }
    };
}
use citizen;

/// As `citizen!`, for a form: what was typed is kept.
macro_rules! sender {
    ($visit:expr) => {
        match $crate::ui::account::again::who_sent($visit).await? {
            Ok(citizen) => citizen,
            Err(elsewhere) => return Ok(Err(elsewhere)),
        }
    };
}
use sender;

/// `GET /account`.
pub async fn show(visit: &Visit<'_>) -> Reply {
    answer(visit, try_show(visit).await)
}

/// `GET` of a page that confirms a change.
pub async fn confirm(visit: &Visit<'_>, change: Change) -> Reply {
    answer(visit, change::show(visit, change).await)
}

/// `POST` of it.
pub async fn submit(visit: &Visit<'_>, change: Change) -> Reply {
    answer(visit, change::submit(visit, change).await)
}

/// `GET /account/factor/new`: the secret.
pub async fn new_factor(visit: &Visit<'_>) -> Reply {
    answer(visit, factor::show(visit).await)
}

/// `POST /account/factor/new`: its first code.
pub async fn first_code(visit: &Visit<'_>) -> Reply {
    answer(visit, factor::submit(visit).await)
}

/// `GET /account/key/new`: asks for the new security key.
pub async fn new_key(visit: &Visit<'_>) -> Reply {
    answer(visit, key::show(visit).await)
}

/// `POST /account/key/new`: its answer.
pub async fn register_key(visit: &Visit<'_>) -> Reply {
    answer(visit, key::submit(visit).await)
}

/// `POST /account/sessions`: ends one, or all others.
pub async fn end_sessions(visit: &Visit<'_>) -> Reply {
    answer(visit, sessions::submit(visit).await)
}

/// `GET /account/consents`.
pub async fn consents(visit: &Visit<'_>) -> Reply {
    answer(visit, consents::show(visit).await)
}

/// `POST /account/language`.
pub async fn choose_language(visit: &Visit<'_>) -> Reply {
    answer(visit, language::submit(visit).await)
}

/// `POST /account/factor/rename`.
pub async fn rename_factor(visit: &Visit<'_>) -> Reply {
    answer(visit, rename::submit(visit).await)
}

/// What the page shows.
struct Found {
    language: Option<String>,
    factors: Vec<Authenticator>,
    recovery_left: i64,
    sessions: Vec<Session>,
}

/// A form that gives a second factor another name.
struct Renaming {
    id: String,
    name: String,
}

async fn try_show(visit: &Visit<'_>) -> Outcome {
    let citizen = citizen!(visit);
    show_with(visit, &citizen, None, 200).await
}

/// The page, with a form that was sent in vain.
async fn show_with(
    visit: &Visit<'_>,
    citizen: &SignedIn,
    mut renaming: Option<Renaming>,
    status: u16,
) -> Outcome {
    let (person, now) = (citizen.account.id.clone(), visit.now());
    let found = visit
        .op
        .shared
        .store
        .read(move |conn| -> Result<Found, StoreError> {
            let mut factors = authenticator::search(conn, &person, now)?;
            factors.retain(Authenticator::is_active);
            Ok(Found {
                language: account::languages(conn, &person)?.chosen,
                factors,
                recovery_left: recovery_code::count_left(conn, &person)?,
                sessions: session::alive_of(conn, &person, now, MOST_SESSIONS + 1)?,
            })
        })
        .await?;
    let mut typed = again::typed(visit, citizen).await?.unwrap_or_default();
    let mut found = found;
    if let Some(language) = typed.remove("language") {
        found.language = Some(language);
    }
    if let (Some(id), Some(name)) = (typed.remove("id"), typed.remove("name")) {
        renaming = Some(Renaming { id, name });
    }
    let page = page(visit, citizen, found, renaming.as_ref());
    let name = super::consent::display_name(&citizen.account);
    let layout = visit.layout(visit.locale(&[]), Some(name), true);
    Ok(Ok(visit.html(status, page.render(visit.pages, &layout)?)))
}

fn page(
    visit: &Visit<'_>,
    citizen: &SignedIn,
    found: Found,
    renaming: Option<&Renaming>,
) -> AccountPage {
    let secret = citizen.session.id.as_str();
    let has_factor = !found.factors.is_empty() || found.recovery_left > 0;
    let may_add = may_add(visit, has_factor);
    let keys = security_key::methods_of(visit.op, &found.factors);
    // A change that nobody could confirm is not offered.
    let can_prove = Way::of(&citizen.account, &keys).is_some();
    let may_register = |method| can_prove && may_add && visit.op.accepts(method);
    let shown = usize::try_from(MOST_SESSIONS).unwrap_or(usize::MAX);
    let own_host = visit.op.key_scope().map(|(host, _)| host);
    AccountPage {
        username: citizen.account.username.clone(),
        add_url: may_register(Method::Totp).then(|| visit.link("/account/factor/add", &[])),
        add_key_url: may_register(Method::SecurityKey).then(|| visit.link("/account/key/add", &[])),
        no_keys_at: visit.op.no_keys_at(),
        ask_operator: can_prove && !may_add,
        cannot_prove: !can_prove,
        recovery: (has_factor && visit.op.accepts(Method::Recovery)).then(|| RecoveryView {
            left: found.recovery_left,
            renew_url: can_prove.then(|| visit.link("/account/recovery", &[])),
        }),
        factors: found
            .factors
            .into_iter()
            .map(|factor| FactorView {
                is_key: factor.key.is_some(),
                for_host: factor
                    .key
                    .map(|key| key.rp_id)
                    .filter(|host| own_host.as_deref() != Some(host)),
                created_at: factor.created_at,
                last_used_at: factor.last_used_at,
                remove_url: can_prove
                    .then(|| visit.link("/account/factor/remove", &[("id", &factor.id)])),
                renaming: renaming
                    .filter(|renaming| renaming.id == factor.id)
                    .map(|renaming| RenamingView {
                        name: renaming.name.clone(),
                        missing: renaming.name.is_empty(),
                    }),
                id: factor.id,
                name: factor.name,
            })
            .collect(),
        password_url: citizen
            .account
            .password_hash
            .is_some()
            .then(|| visit.link("/account/password", &[])),
        more_sessions: found.sessions.len() > shown,
        sessions: found
            .sessions
            .into_iter()
            .take(shown)
            .map(|session| view(session, citizen))
            .collect(),
        sessions_url: visit.link("/account/sessions", &[]),
        consents_url: visit.link("/account/consents", &[]),
        mail_address: visit.op.mail_address(&citizen.account),
        languages: languages(visit, found.language.as_deref()),
        rename_url: visit.link("/account/factor/rename", &[]),
        language_url: visit.link("/account/language", &[]),
        data_url: can_prove.then(|| visit.link("/account/data", &[])),
        history_url: visit.link("/history", &[]),
        logout_url: visit.link("/logout", &[]),
        logout_csrf_token: csrf_token(secret, super::history::PURPOSE),
        csrf_token: csrf_token(secret, PURPOSE),
        notice: visit.query().get("done").and_then(AccountNotice::from_name),
    }
}

/// Whoever has chosen none sees that of the page.
fn languages(visit: &Visit<'_>, chosen: Option<&str>) -> Vec<LanguageChoice> {
    let counts = chosen
        .and_then(Locale::parse)
        .unwrap_or_else(|| visit.locale(&[]));
    let choice = |locale: Locale| LanguageChoice {
        code: locale.code(),
        name: locale.own_name(),
        chosen: locale == counts,
    };
    Locale::ALL.into_iter().map(choice).collect()
}

fn view(session: Session, citizen: &SignedIn) -> SessionView {
    SessionView {
        current: session.id == citizen.session.id,
        key: sessions::key_of(&session.id),
        issuer: session.issuer.to_string(),
        browser: super::user_agent::in_few_words(&session.browser),
        address: session.address,
        since: session.authenticated_at,
        level: Level::from_acr(&session.acr),
    }
}

/// Whether the person may register a second factor: the first one as the issuer says, further ones with one that is there.
fn may_add(visit: &Visit<'_>, has_factor: bool) -> bool {
    let allowed = match visit.op.settings.enrolment {
        Enrolment::Password => true,
        Enrolment::Operator => has_factor,
        Enrolment::Off => false,
    };
    allowed
        && [Method::Totp, Method::SecurityKey]
            .iter()
            .any(|method| visit.op.accepts(*method))
}

/// Back to the account, which says what happened.
fn done(visit: &Visit<'_>, notice: AccountNotice) -> Reply {
    Reply::see_other(visit.link("/account", &[("done", notice.name())]))
}
