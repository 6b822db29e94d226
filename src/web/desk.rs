//! The addresses of the operator's desk, at the host root, before those of the issuers.

use super::inbound::{self, Site};
use super::outbound::{rendered, write};
use super::routes::{App, only};
use super::session;
use super::upload;
use crate::endpoint::{Body, FORM, Inbound, Method, Note, Reply, SessionChange, Trouble};
use crate::model::ErrorCode;
use crate::ui::desk::{self, DeskState, DeskVisit, Outcome, Route, login};
use actix_session::Session;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::LocalBoxFuture;
use std::collections::BTreeMap;

/// What answers at an address.
#[derive(Clone, Copy)]
enum Answer {
    /// A row of the desk's table.
    Row(&'static Route),
    /// A step of the login, which needs none.
    Step(for<'a> fn(&'a DeskVisit<'a>) -> LocalBoxFuture<'a, Outcome>),
}

/// The steps of the login: path, GET, POST.
const STEPS: [(&str, Option<Answer>, Option<Answer>); 5] = [
    (
        desk::PATH,
        Some(Answer::Step(|visit| Box::pin(login::show(visit)))),
        None,
    ),
    (
        login::PATH,
        Some(Answer::Step(|visit| Box::pin(login::show(visit)))),
        Some(Answer::Step(|visit| Box::pin(login::submit(visit)))),
    ),
    (
        login::CODE_PATH,
        Some(Answer::Step(|visit| Box::pin(login::show_code(visit)))),
        Some(Answer::Step(|visit| Box::pin(login::submit_code(visit)))),
    ),
    (
        login::ENROL_PATH,
        Some(Answer::Step(|visit| Box::pin(login::show_enrolment(visit)))),
        Some(Answer::Step(|visit| {
            Box::pin(login::submit_enrolment(visit))
        })),
    ),
    (
        login::LOGOUT_PATH,
        None,
        Some(Answer::Step(|visit| Box::pin(login::logout(visit)))),
    ),
];

/// Registers every address of the desk.
pub(super) fn register(app: &App, config: &mut ServiceConfig) {
    let mut table: BTreeMap<&'static str, (Option<Answer>, Option<Answer>)> = STEPS
        .into_iter()
        .map(|(path, get, post)| (path, (get, post)))
        .collect();
    for route in desk::routes() {
        let (get, post) = table.entry(route.path).or_default();
        match route.method {
            Method::Get => *get = Some(Answer::Row(route)),
            Method::Post => *post = Some(Answer::Row(route)),
        }
    }
    let state = Data::new(DeskState {
        shared: app.shared.clone(),
        providers: app.providers.clone(),
        pages: app.pages.clone(),
    });
    for (path, (get, post)) in table {
        let methods = match (get, post) {
            (Some(_), Some(_)) => "GET, POST",
            (Some(_), None) => "GET",
            (None, _) => "POST",
        };
        let mut resource = only(methods, path)
            .app_data(state.clone())
            .wrap(session::desk_middleware(&app.shared));
        for (answer, by) in [(get, web::get()), (post, web::post())] {
            let Some(answer) = answer else { continue };
            resource = resource.route(by.to(move |state, http, session, body| {
                people(state, http, session, body, (path, answer))
            }));
        }
        config.service(resource);
    }
    config.service(
        web::resource("/admin/{nothing:.*}")
            .app_data(state)
            .default_service(web::to(nothing)),
    );
}

/// The handler of every address of the desk.
async fn people(
    state: Data<DeskState>,
    http: HttpRequest,
    session: Session,
    payload: Payload,
    (path, answer): (&'static str, Answer),
) -> HttpResponse {
    let current = session::current(&session);
    let read = match answer {
        Answer::Row(route) if route.takes_file && upload::is_multipart(&http) => {
            let inbound = inbound::without_body(site(&state), &http);
            let visit = DeskVisit {
                state: &state,
                inbound: &inbound,
                session: current.as_ref().ok().cloned().flatten(),
                path,
            };
            match desk::may_send_file(&visit, route).await {
                true => upload::read(site(&state), &http, payload).await,
                false => Ok(inbound),
            }
        }
        _ => inbound::read(site(&state), &http, payload, &[FORM]).await,
    };
    let inbound = match read {
        Ok(inbound) => inbound,
        Err(error) => {
            let inbound = inbound::without_body(site(&state), &http);
            let (status, description) = error.answer();
            let trouble = match status {
                413 => Trouble::TooLarge,
                _ => Trouble::InvalidRequest,
            };
            let mut reply = refusal(&inbound, ErrorCode::InvalidRequest, &description, trouble);
            reply.status = status;
            return respond(&state, &inbound, reply, path);
        }
    };
    let Ok(current) = current else {
        let reply = refusal(
            &inbound,
            ErrorCode::TemporarilyUnavailable,
            "the provider cannot reach its database",
            Trouble::Unavailable,
        );
        return respond(&state, &inbound, reply, path);
    };
    let visit = DeskVisit {
        state: &state,
        inbound: &inbound,
        session: current,
        path,
    };
    let reply = match answer {
        Answer::Row(route) => desk::enter(&visit, route).await,
        Answer::Step(step) => match step(&visit).await {
            Ok(reply) => reply,
            Err(failure) => visit.failure(failure),
        },
    };
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
        refusal(
            &inbound,
            ErrorCode::ServerError,
            "the session could not be kept",
            Trouble::ServerError,
        )
    };
    respond(&state, &inbound, reply, path)
}

async fn nothing(state: Data<DeskState>, http: HttpRequest) -> HttpResponse {
    let inbound = inbound::without_body(site(&state), &http);
    let reply = refusal(
        &inbound,
        ErrorCode::NotFound,
        "there is nothing at this address",
        Trouble::NotFound,
    );
    let note = Note::new(log::Level::Info, "http.not_found");
    respond(&state, &inbound, reply.noted(note), "")
}

fn site(state: &DeskState) -> Site<'_> {
    let server = &state.shared.server;
    Site {
        certificate_header: None,
        server,
        cookies: desk::cookie_name(server),
    }
}

fn refusal(inbound: &Inbound, code: ErrorCode, description: &str, trouble: Trouble) -> Reply {
    Reply::refusal(code, description.to_owned(), trouble, inbound.wants_json)
}

/// Writes a reply; refusals are rendered here.
fn respond(
    state: &DeskState,
    inbound: &Inbound,
    mut reply: Reply,
    path: &'static str,
) -> HttpResponse {
    if let Body::Page(page) = &reply.body {
        let visit = DeskVisit {
            state,
            inbound,
            session: None,
            path,
        };
        reply.body = rendered(visit.render(page), &mut reply.status);
    }
    write(reply, !state.shared.server.development)
}
