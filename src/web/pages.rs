//! The pages of people: their addresses and the handler that all share.

use super::inbound;
use super::outbound::{respond_at, visit};
use super::routes::{IssuerState, only, unreadable};
use super::session;
use crate::endpoint::{FORM, Reply, SessionChange, Trouble};
use crate::model::ErrorCode;
use crate::profile::Path;
use crate::provider::Provider;
use crate::ui::account::{self, Change};
use crate::ui::visit::Visit;
use crate::ui::{HomePage, Page as _, check, consent, history, login};
use actix_session::Session;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};
use std::sync::Arc;

/// The pages of people. Each is a function of a [`Visit`]; the session middleware is around these addresses only.
pub(super) fn register(op: &Arc<Provider>, config: &mut ServiceConfig) {
    let page = |path: &'static str, methods: &'static str| {
        only(methods, path).wrap(session::middleware(op))
    };
    // What developers of relying parties have; elsewhere it does not exist: it fetches what its caller names.
    if op.shared.server.development {
        config.service(form_page(
            page("/check", "GET, POST"),
            PageOf::Check,
            PageOf::CheckForm,
        ));
    }
    for change in [
        Change::AddFactor,
        Change::AddKey,
        Change::RemoveFactor,
        Change::RenewCodes,
        Change::Password,
        Change::Data,
    ] {
        let resource = page(change.path(), "GET, POST");
        config.service(form_page(
            resource,
            PageOf::Change(change),
            PageOf::ChangeForm(change),
        ));
    }
    for form in [
        AccountForm::Sessions,
        AccountForm::Language,
        AccountForm::Rename,
    ] {
        config.service(page(form.path(), "POST").route(web::post().to(
            move |state, http, session, body| {
                people(state, http, session, body, PageOf::AccountForm(form))
            },
        )));
    }
    config
        .service(form_page(
            page("/account/factor/new", "GET, POST"),
            PageOf::NewFactor,
            PageOf::FirstCode,
        ))
        .service(form_page(
            page("/account/key/new", "GET, POST"),
            PageOf::NewKey,
            PageOf::RegisterKey,
        ))
        .service(get_only(page("/account/consents", "GET"), PageOf::Consents))
        .service(get_only(page("/account", "GET"), PageOf::Account))
        .service(get_only(page("/history", "GET"), PageOf::History))
        .service(form_page(
            page("/login", "GET, POST"),
            PageOf::Login,
            PageOf::LoginForm,
        ))
        .service(get_only(page("/login/waiting", "GET"), PageOf::Waiting))
        .service(form_page(
            page("/consent", "GET, POST"),
            PageOf::Consent,
            PageOf::ConsentForm,
        ))
        .service(form_page(
            page("/history/revoke", "GET, POST"),
            PageOf::Revoke,
            PageOf::RevokeForm,
        ))
        .service(get_only(page("/history.csv", "GET"), PageOf::HistoryCsv))
        .service(get_only(page("/history.json", "GET"), PageOf::HistoryJson))
        .service(get_only(page("/", "GET"), PageOf::Home))
        .service(get_only(page("", "GET"), PageOf::Home))
        .service(page("/logout", "POST").route(
            web::post().to(|state, http, session, body| {
                people(state, http, session, body, PageOf::Logout)
            }),
        ));
}

fn get_only<T>(resource: Resource<T>, which: PageOf) -> Resource<T>
where
    T: actix_web::dev::ServiceFactory<
            actix_web::dev::ServiceRequest,
            Config = (),
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
{
    resource.route(
        web::get().to(move |state, http, session, body| people(state, http, session, body, which)),
    )
}

/// A page with a form that posts to its own address.
fn form_page<T>(resource: Resource<T>, shown: PageOf, posted: PageOf) -> Resource<T>
where
    T: actix_web::dev::ServiceFactory<
            actix_web::dev::ServiceRequest,
            Config = (),
            Error = actix_web::Error,
            InitError = (),
        > + 'static,
{
    get_only(resource, shown).route(
        web::post()
            .to(move |state, http, session, body| people(state, http, session, body, posted)),
    )
}

/// A form on the page of the account itself.
#[derive(Clone, Copy)]
enum AccountForm {
    Sessions,
    Language,
    Rename,
}

impl AccountForm {
    fn path(self) -> &'static str {
        match self {
            Self::Sessions => "/account/sessions",
            Self::Language => "/account/language",
            Self::Rename => "/account/factor/rename",
        }
    }

    async fn answer(self, visit: &Visit<'_>) -> Reply {
        match self {
            Self::Sessions => account::end_sessions(visit).await,
            Self::Language => account::choose_language(visit).await,
            Self::Rename => account::rename_factor(visit).await,
        }
    }
}

#[derive(Clone, Copy)]
enum PageOf {
    Home,
    Account,
    Change(Change),
    ChangeForm(Change),
    NewFactor,
    FirstCode,
    NewKey,
    RegisterKey,
    AccountForm(AccountForm),
    Consents,
    Login,
    LoginForm,
    Waiting,
    Consent,
    ConsentForm,
    History,
    HistoryCsv,
    HistoryJson,
    Revoke,
    RevokeForm,
    Logout,
    Check,
    CheckForm,
}

impl PageOf {
    fn path(self) -> &'static str {
        match self {
            Self::Home => "/",
            Self::Account => "/account",
            Self::Change(change) | Self::ChangeForm(change) => change.path(),
            Self::NewFactor | Self::FirstCode => "/account/factor/new",
            Self::NewKey | Self::RegisterKey => "/account/key/new",
            Self::AccountForm(form) => form.path(),
            Self::Consents => "/account/consents",
            Self::Login | Self::LoginForm => "/login",
            // No page to come back to.
            Self::Waiting => "",
            Self::Consent | Self::ConsentForm => "/consent",
            Self::History => "/history",
            Self::HistoryCsv => "/history.csv",
            Self::HistoryJson => "/history.json",
            Self::Revoke | Self::RevokeForm => "/history/revoke",
            Self::Logout => "/logout",
            Self::Check | Self::CheckForm => "/check",
        }
    }

    async fn answer(self, visit: &Visit<'_>) -> Reply {
        match self {
            Self::Home => home(visit),
            Self::Account => account::show(visit).await,
            Self::Change(change) => account::confirm(visit, change).await,
            Self::ChangeForm(change) => account::submit(visit, change).await,
            Self::NewFactor => account::new_factor(visit).await,
            Self::FirstCode => account::first_code(visit).await,
            Self::NewKey => account::new_key(visit).await,
            Self::RegisterKey => account::register_key(visit).await,
            Self::AccountForm(form) => form.answer(visit).await,
            Self::Consents => account::consents(visit).await,
            Self::Login => login::show(visit).await,
            Self::LoginForm => login::submit(visit).await,
            Self::Waiting => login::waiting(visit).await,
            Self::Consent => consent::show(visit).await,
            Self::ConsentForm => consent::submit(visit).await,
            Self::History => history::show(visit).await,
            Self::HistoryCsv => history::export(visit, history::Format::Csv).await,
            Self::HistoryJson => history::export(visit, history::Format::Json).await,
            Self::Revoke => history::confirm_revocation(visit).await,
            Self::RevokeForm => history::revoke(visit).await,
            Self::Logout => history::logout(visit).await,
            Self::Check => check::show(visit).await,
            Self::CheckForm => check::submit(visit).await,
        }
    }
}

/// The handler of every page.
async fn people(
    state: Data<IssuerState>,
    http: HttpRequest,
    session: Session,
    payload: Payload,
    which: PageOf,
) -> HttpResponse {
    let inbound = match inbound::read(&*state.op, &http, payload, &[FORM]).await {
        Ok(inbound) => inbound,
        Err(error) => return unreadable(&state, &http, &error, true),
    };
    let Ok(current) = session::current(&session) else {
        let reply = Reply::refusal(
            ErrorCode::TemporarilyUnavailable,
            "the provider cannot reach its database".to_owned(),
            Trouble::Unavailable,
            inbound.wants_json,
        );
        return respond_at(&state, &inbound, reply, which.path());
    };
    let visit = visit(&state, &inbound, current, which.path());
    let reply = which.answer(&visit).await;
    let kept = match &reply.session {
        SessionChange::Keep => true,
        SessionChange::Start(id) => session::start(&session, id),
        SessionChange::End => {
            session.purge();
            true
        }
    };
    let reply = if kept {
        reply
    } else {
        Reply::refusal(
            ErrorCode::ServerError,
            "the session could not be kept".to_owned(),
            Trouble::ServerError,
            inbound.wants_json,
        )
    };
    respond_at(&state, &inbound, reply, which.path())
}

fn home(visit: &Visit<'_>) -> Reply {
    let op = visit.op;
    let page = HomePage {
        issuer: op.settings.id.clone(),
        history_url: visit.link("/history", &[]),
        account_url: visit.link("/account", &[]),
        metadata_url: Some(op.url(Path::OpenidConfiguration)),
    };
    let layout = visit.layout(visit.locale(&[]), None, true);
    match page.render(visit.pages, &layout) {
        Ok(html) => visit.html(200, html),
        Err(error) => visit.failure(error.into()),
    }
}
