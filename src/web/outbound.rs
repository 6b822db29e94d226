//! From [`Reply`] to actix-web's response.

use super::routes::IssuerState;
use crate::endpoint::{Body, CookieChange, Inbound, Reply, quote};
use crate::model::SessionId;
use crate::ui::PageError;
use crate::ui::visit::Visit;
use actix_web::HttpResponse;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header;
use std::sync::OnceLock;

/// Writes a reply. Pages are rendered here, in the visitor's language.
pub(super) fn respond(state: &IssuerState, inbound: &Inbound, reply: Reply) -> HttpResponse {
    respond_at(state, inbound, reply, "")
}

/// As [`respond`], for the page at a path below the issuer: its language switch leads there again.
pub(super) fn respond_at(
    state: &IssuerState,
    inbound: &Inbound,
    mut reply: Reply,
    path: &'static str,
) -> HttpResponse {
    let page = std::mem::replace(&mut reply.body, Body::Bytes("", Vec::new()));
    reply.body = match page {
        Body::Bytes(content_type, bytes) => Body::Bytes(content_type, bytes),
        Body::Page(page) => {
            if let crate::endpoint::Page::FormPost { action, .. } = page.as_ref() {
                reply
                    .form_actions
                    .extend(crate::ui::visit::origin_of(action));
            }
            let visit = visit(state, inbound, None, path);
            let html = visit.render(&page, &reply.ui_locales);
            rendered(html, &mut reply.status)
        }
    };
    write(reply, !state.op.shared.server.development)
}

/// A rendered page, or that it could not be rendered.
pub(super) fn rendered(html: Result<String, PageError>, status: &mut u16) -> Body {
    match html {
        Ok(html) => Body::Bytes("text/html; charset=utf-8", html.into_bytes()),
        Err(error) => {
            log::error!("event=page.failed reason={}", quote(error));
            *status = 500;
            Body::Bytes("text/plain; charset=utf-8", b"server_error".to_vec())
        }
    }
}

/// Writes a reply that is rendered; `secure`: its cookies go over TLS only.
pub(super) fn write(mut reply: Reply, secure: bool) -> HttpResponse {
    let body = std::mem::replace(&mut reply.body, Body::Bytes("", Vec::new()));
    let (content_type, bytes) = match body {
        Body::Bytes(content_type, bytes) => (content_type, bytes),
        // Rendered before.
        Body::Page(_) => ("", Vec::new()),
    };
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in &reply.headers {
        response.insert_header((*name, value.as_str()));
    }
    if !bytes.is_empty() {
        response.insert_header((header::CONTENT_TYPE, content_type));
    }
    if content_type.starts_with("text/html") {
        response.insert_header((header::CONTENT_SECURITY_POLICY, policy(&reply)));
    }
    for change in &reply.cookies {
        response.cookie(cookie(change, secure));
    }
    let note = reply.note.take();
    let mut response = response.body(bytes);
    if let Some(note) = note {
        response.extensions_mut().insert(note);
    }
    response
}

/// A visit for the handlers of pages.
pub(super) fn visit<'a>(
    state: &'a IssuerState,
    inbound: &'a Inbound,
    session: Option<SessionId>,
    path: &'static str,
) -> Visit<'a> {
    Visit {
        op: &state.op,
        pages: &state.pages,
        inbound,
        session,
        path,
        ui_locales: OnceLock::new(),
    }
}

/// Nothing inline, nothing from elsewhere; forms lead to us and to the redirect URI that this page may answer to.
fn policy(reply: &Reply) -> String {
    let list = |extra: &[String]| -> String {
        extra
            .iter()
            // An origin is made of a parsed URL; this only makes sure of it.
            .filter(|origin| !origin.contains([';', ',', ' ', '\'', '"']))
            .map(|origin| format!(" {origin}"))
            .collect()
    };
    format!(
        "default-src 'none'; {}style-src 'self'; font-src 'self' data:; script-src 'self'; \
         img-src 'self' data:{}; form-action 'self'{}; base-uri 'none'; frame-ancestors 'none'",
        if reply.connects {
            "connect-src 'self'; "
        } else {
            ""
        },
        list(&reply.images),
        list(&reply.form_actions),
    )
}

/// The policy of a page without forms and foreign images.
pub(super) fn strict_policy() -> String {
    policy(&Reply::bytes(200, "text/html; charset=utf-8", Vec::new()))
}

fn cookie(change: &CookieChange, secure: bool) -> Cookie<'static> {
    let (name, value, seconds) = match change {
        CookieChange::Set(name, value, seconds) => (name.clone(), value.clone(), *seconds),
        CookieChange::Remove(name) => (name.clone(), String::new(), 0),
    };
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(secure)
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(seconds))
        .finish()
}
