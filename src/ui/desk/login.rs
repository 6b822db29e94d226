//! The login of operators: a password, then a one-time code. Outside development nobody gets in without the code; whoever
//! has no app yet registers it here, with the password that an administrator gave.
//!
//! ```text
//! GET /admin/login ─POST name, password─► session, not proven ─► has an app ─► /admin/login/code ──otp──► proven
//!                                                              └► has none ──► /admin/login/enrol ─first code─► proven
//!                                                                  (development: proven at once)
//! ```

use super::super::visit::{PageFailure, check_csrf, csrf_token};
use super::super::{
    DeskCodePage, DeskLoginPage, EnrolPage, LoginError, Page as _, ProofError, proof, qr,
};
use super::frame::{self, PURPOSE};
use super::visit::{DeskVisit, link};
use super::{Outcome, SESSION_SECONDS, draft, first_page, own_address};
use crate::administration::operators::{self, LoginRefused};
use crate::authn::operator as authn;
use crate::authn::password::LoginFailure;
use crate::authn::second_factor::Checked;
use crate::authn::totp;
use crate::endpoint::{CookieChange, Note, Reply, SessionChange};
use crate::model::{Actor, Operator, OperatorSession, SessionId, Via};
use crate::random;
use crate::secret::Secret;
use crate::store::{DbConn, StoreError, operator_session};

/// The first step.
pub const PATH: &str = "/admin/login";
/// The second one.
pub const CODE_PATH: &str = "/admin/login/code";
/// The second one of whoever has no app yet.
pub const ENROL_PATH: &str = "/admin/login/enrol";
/// The end of a session.
pub const LOGOUT_PATH: &str = "/admin/logout";

/// What form tokens of the first step are for.
const LOGIN_PURPOSE: &str = "desk login";
/// How long the cookie of the login form lives, and how long the second step may take.
const LOGIN_SECONDS: i64 = 900;
/// How long a secret waits for its first code: as long as the session that it belongs to.
const ENROL_SECONDS: i64 = 600;
/// The longest name that is looked up.
const MAX_NAME: usize = 256;

/// `GET /admin/login`.
///
/// # Errors
/// The database or a template failed.
pub async fn show(visit: &DeskVisit<'_>) -> Outcome {
    if let Some((operator, _)) = frame::signed_in(visit).await? {
        return Ok(Reply::see_other(target(visit, &operator)));
    }
    form(visit, 200, String::new(), None)
}

/// `POST /admin/login`.
///
/// # Errors
/// As [`show`]; the form has no token.
pub async fn submit(visit: &DeskVisit<'_>) -> Outcome {
    let form_sent = read_form(visit)?;
    let secret = visit.inbound.cookie(&visit.login_cookie());
    check_csrf(&form_sent, secret.unwrap_or_default(), LOGIN_PURPOSE)?;
    let name = form_sent
        .get("username")
        .unwrap_or_default()
        .trim()
        .to_owned();
    let missing = match (name.is_empty(), form_sent.get("password").is_none()) {
        (true, true) => Some(LoginError::MissingBoth),
        (true, false) => Some(LoginError::MissingUsername),
        (false, true) => Some(LoginError::MissingPassword),
        (false, false) => None,
    };
    if missing.is_some() {
        return form(visit, 422, name, missing);
    }
    if name.len() > MAX_NAME {
        return form(
            visit,
            422,
            String::new(),
            Some(LoginError::WrongCredentials),
        );
    }
    let typed = Secret::new(form_sent.get("password").unwrap_or_default().to_owned());
    let address = visit.inbound.address;
    match authn::check_password(visit.shared(), &name, typed, address).await {
        Ok(operator) => begin(visit, &operator).await,
        Err(failure) => {
            if matches!(failure, LoginFailure::WrongCredentials) {
                tell_failure(visit, name.clone(), LoginRefused::Password).await?;
            }
            refuse(visit, name, failure)
        }
    }
}

fn refuse(visit: &DeskVisit<'_>, name: String, failure: LoginFailure) -> Outcome {
    let (status, error, reason, retry) = match failure {
        LoginFailure::Store(error) => return Err(error.into()),
        LoginFailure::WrongCredentials => (422, LoginError::WrongCredentials, "credentials", None),
        LoginFailure::Busy => (503, LoginError::Busy, "busy", Some(5)),
        LoginFailure::Throttled { seconds } => {
            let shown = u64::try_from(seconds).unwrap_or(1);
            let error = LoginError::Throttled { seconds: shown };
            (429, error, "throttled", Some(seconds))
        }
    };
    let mut reply = form(visit, status, name, Some(error))?;
    if let Some(seconds) = retry {
        reply = reply.header("Retry-After", seconds.to_string());
    }
    Ok(reply.noted(Note::new(log::Level::Warn, "desk.login_failed").with("reason", reason)))
}

fn form(
    visit: &DeskVisit<'_>,
    status: u16,
    username: String,
    error: Option<LoginError>,
) -> Outcome {
    let name = visit.login_cookie();
    let kept = visit.inbound.cookie(&name).map(str::to_owned);
    let secret = kept.clone().unwrap_or_else(random::token);
    let page = DeskLoginPage {
        username,
        error,
        csrf_token: csrf_token(&secret, LOGIN_PURPOSE),
        action_url: again(visit, PATH),
    };
    let html = page.render(&visit.state.pages, &visit.layout(None))?;
    let reply = visit.html(status, html);
    Ok(match kept {
        Some(_) => reply,
        None => reply.cookie(CookieChange::Set(name, secret, LOGIN_SECONDS)),
    })
}

/// The password is right: a session that opens the second step only, or everything where nothing else is asked for.
async fn begin(visit: &DeskVisit<'_>, operator: &Operator) -> Outcome {
    let now = visit.now();
    let asks_code = operator.totp.is_some() || visit.shared().server.desk_needs_second_factor();
    let seconds = match (asks_code, operator.totp.is_some()) {
        (false, _) => SESSION_SECONDS,
        (true, true) => LOGIN_SECONDS,
        (true, false) => ENROL_SECONDS,
    };
    let session = OperatorSession {
        id: SessionId::random(),
        operator: operator.id.clone(),
        proven: !asks_code,
        browser: visit.inbound.user_agent.clone(),
        address: visit.inbound.address.to_string(),
        created_at: now,
        expires_at: now.plus_seconds(seconds),
    };
    let next = match (asks_code, operator.totp.is_some()) {
        (false, _) => target(visit, operator),
        (true, true) => again(visit, CODE_PATH),
        (true, false) => again(visit, ENROL_PATH),
    };
    start(visit, operator, (session, next), "desk.password_proven").await
}

/// Writes the session, and gives the browser a new cookie for it.
async fn start(
    visit: &DeskVisit<'_>,
    operator: &Operator,
    (session, next): (OperatorSession, String),
    event: &'static str,
) -> Outcome {
    let id = session.id.clone();
    let note = Note::new(log::Level::Info, event).with("operator", session.operator.to_string());
    let old = visit.session.clone();
    let (actor, known, now) = (actor(visit, operator), operator.clone(), visit.now());
    let cookie = session
        .proven
        .then(|| draft::cookie_for(visit, &session.operator))
        .flatten();
    visit
        .shared()
        .store
        .write(move |tx: &mut DbConn| -> Result<(), StoreError> {
            // What the browser had before ends: half a login, or that of somebody else.
            if let Some(old) = old {
                operator_session::end(tx, &old)?;
            }
            if session.proven {
                operators::logged_in(tx, &actor, &known, now)?;
            }
            operator_session::insert(tx, &session)
        })
        .await?;
    let mut reply = Reply::see_other(next).noted(note);
    reply.session = SessionChange::Start(id);
    Ok(match cookie {
        Some(cookie) => reply.cookie(cookie),
        None => reply,
    })
}

/// Who has proven everything, for the trail.
fn actor(visit: &DeskVisit<'_>, operator: &Operator) -> Actor {
    Actor {
        name: operator.name.clone(),
        via: Via::Desk,
        address: visit.inbound.address.to_string(),
    }
}

/// Tells the trail of a login that failed.
async fn tell_failure(
    visit: &DeskVisit<'_>,
    name: String,
    why: LoginRefused,
) -> Result<(), StoreError> {
    let (address, now) = (visit.inbound.address.to_string(), visit.now());
    visit
        .shared()
        .store
        .write(move |tx| operators::login_failed(tx, (&name, &address), why, now))
        .await
}

/// Who has proven the password and nothing else.
async fn half_way(
    visit: &DeskVisit<'_>,
) -> Result<Option<(Operator, OperatorSession)>, StoreError> {
    let Some(id) = visit.session.clone() else {
        return Ok(None);
    };
    let now = visit.now();
    let found = visit
        .shared()
        .store
        .read(move |conn| frame::find(conn, &id, now))
        .await?;
    Ok(found.filter(|(_, session)| !session.proven))
}

/// `GET /admin/login/code`.
///
/// # Errors
/// As [`show`].
pub async fn show_code(visit: &DeskVisit<'_>) -> Outcome {
    match half_way(visit).await? {
        Some((operator, session)) if operator.totp.is_some() => {
            code_page(visit, &session, 200, None)
        }
        _ => Ok(Reply::see_other(again(visit, PATH))),
    }
}

/// `POST /admin/login/code`.
///
/// # Errors
/// As [`submit`].
pub async fn submit_code(visit: &DeskVisit<'_>) -> Outcome {
    let Some((operator, session)) = half_way(visit).await? else {
        return Ok(Reply::see_other(again(visit, PATH)));
    };
    let form = read_form(visit)?;
    check_csrf(&form, session.id.as_str(), PURPOSE)?;
    let typed = form.get("otp").unwrap_or_default().trim().to_owned();
    if typed.is_empty() {
        return code_page(visit, &session, 422, Some(ProofError::Missing));
    }
    let (shared, known) = (visit.shared().clone(), operator.clone());
    let checked = visit
        .shared()
        .store
        .write(move |tx| authn::check_code(tx, &shared, &known, &typed))
        .await?;
    match checked {
        Checked::Proven(_) => proven(visit, &operator).await,
        other => {
            let why = match &other {
                Checked::Locked { until } => Some(LoginRefused::LockedOut(*until)),
                Checked::Throttled { .. } => None,
                _ => Some(LoginRefused::Code),
            };
            if let Some(why) = why {
                tell_failure(visit, operator.name.clone(), why).await?;
            }
            let error = proof::error_of(other);
            refused(visit, error, |status| {
                code_page(visit, &session, status, Some(error))
            })
        }
    }
}

fn code_page(
    visit: &DeskVisit<'_>,
    session: &OperatorSession,
    status: u16,
    error: Option<ProofError>,
) -> Outcome {
    let page = DeskCodePage {
        error,
        csrf_token: csrf_token(session.id.as_str(), PURPOSE),
        action_url: again(visit, CODE_PATH),
        restart_url: again(visit, PATH),
    };
    Ok(visit.html(
        status,
        page.render(&visit.state.pages, &visit.layout(None))?,
    ))
}

/// `GET /admin/login/enrol`.
///
/// # Errors
/// As [`show`].
pub async fn show_enrolment(visit: &DeskVisit<'_>) -> Outcome {
    match half_way(visit).await? {
        Some((operator, session)) if operator.totp.is_none() => {
            enrol_page(visit, (&operator, &session), 200, None).await
        }
        _ => Ok(Reply::see_other(again(visit, PATH))),
    }
}

/// `POST /admin/login/enrol`.
///
/// # Errors
/// As [`submit`].
pub async fn submit_enrolment(visit: &DeskVisit<'_>) -> Outcome {
    let Some((operator, session)) = half_way(visit).await? else {
        return Ok(Reply::see_other(again(visit, PATH)));
    };
    let form = read_form(visit)?;
    check_csrf(&form, session.id.as_str(), PURPOSE)?;
    let who = (&operator, &session);
    let typed = form.get("otp").unwrap_or_default().trim().to_owned();
    if typed.is_empty() {
        return enrol_page(visit, who, 422, Some(ProofError::Missing)).await;
    }
    let (shared, known, begun) = (visit.shared().clone(), operator.clone(), session.clone());
    let (actor, now) = (actor(visit, &operator), visit.now());
    let checked = visit
        .shared()
        .store
        .write(move |tx| -> Result<Checked, StoreError> {
            let checked = authn::confirm(tx, &shared, (&known, &begun), &typed)?;
            if matches!(checked, Checked::Proven(_)) {
                operators::enrolled(tx, &actor, &known.name, now)?;
            }
            Ok(checked)
        })
        .await?;
    match checked {
        Checked::Proven(_) => proven(visit, &operator).await,
        other => {
            let error = proof::error_of(other);
            let (status, _) = proof::status_of(error, visit.now());
            enrol_page(visit, who, status, Some(error)).await
        }
    }
}

async fn enrol_page(
    visit: &DeskVisit<'_>,
    (operator, session): (&Operator, &OperatorSession),
    status: u16,
    error: Option<ProofError>,
) -> Outcome {
    let (shared, begun) = (visit.shared().clone(), session.clone());
    let secret = visit
        .shared()
        .store
        .write(move |tx| authn::pending_secret(tx, &shared, &begun))
        .await?;
    let Some(secret) = secret else {
        return Err(PageFailure::Refused(
            crate::endpoint::Trouble::ServerError,
            "the second factor cannot be made",
        ));
    };
    // Only an empty name has no address, and no operator has one.
    let uri = totp::uri(secret.expose(), "Varco", &operator.name).unwrap_or_default();
    let page = EnrolPage {
        secret: totp::readable(secret.expose()),
        qr: qr::draw(&uri),
        uri,
        error,
        csrf_token: csrf_token(session.id.as_str(), PURPOSE),
        action_url: again(visit, ENROL_PATH),
        in_login: false,
        desk_url: Some(again(visit, PATH)),
    };
    Ok(visit.html(
        status,
        page.render(&visit.state.pages, &visit.layout(None))?,
    ))
}

/// Everything is proven: another session with another cookie.
async fn proven(visit: &DeskVisit<'_>, operator: &Operator) -> Outcome {
    let now = visit.now();
    let session = OperatorSession {
        id: SessionId::random(),
        operator: operator.id.clone(),
        proven: true,
        browser: visit.inbound.user_agent.clone(),
        address: visit.inbound.address.to_string(),
        created_at: now,
        expires_at: now.plus_seconds(SESSION_SECONDS),
    };
    let next = target(visit, operator);
    start(visit, operator, (session, next), "desk.login").await
}

fn refused(visit: &DeskVisit<'_>, error: ProofError, page: impl FnOnce(u16) -> Outcome) -> Outcome {
    let (status, retry) = proof::status_of(error, visit.now());
    let mut reply = page(status)?;
    if let Some(seconds) = retry {
        reply = reply.header("Retry-After", seconds.to_string());
    }
    Ok(reply.noted(
        Note::new(log::Level::Warn, "desk.login_failed").with("reason", proof::name_of(error)),
    ))
}

/// `POST /admin/logout`.
///
/// # Errors
/// As [`submit`].
pub async fn logout(visit: &DeskVisit<'_>) -> Outcome {
    if let Some(id) = visit.session.clone() {
        check_csrf(&read_form(visit)?, id.as_str(), PURPOSE)?;
        visit
            .shared()
            .store
            .write(move |tx| operator_session::end(tx, &id))
            .await?;
    }
    let mut reply = Reply::see_other(PATH.to_owned());
    reply.session = SessionChange::End;
    Ok(reply.noted(Note::new(log::Level::Info, "desk.logout")))
}

fn read_form(visit: &DeskVisit<'_>) -> Result<crate::model::Params, PageFailure> {
    visit.inbound.form.clone().map_err(|_| {
        PageFailure::Refused(
            crate::endpoint::Trouble::InvalidRequest,
            "the form could not be read",
        )
    })
}

/// A step of the login, with where it is to lead.
fn again(visit: &DeskVisit<'_>, path: &str) -> String {
    link(path, &[("to", visit.query().get("to").unwrap_or_default())])
}

fn target(visit: &DeskVisit<'_>, operator: &Operator) -> String {
    visit
        .query()
        .get("to")
        .and_then(own_address)
        .unwrap_or_else(|| first_page(operator.role))
        .to_owned()
}
