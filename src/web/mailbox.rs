//! `/mailbox/`: what would have been sent, where there is no mail server. It exists in development only.

use super::outbound;
use super::routes::App;
use crate::config::MailDelivery;
use crate::endpoint::quote;
use crate::mail;
use crate::model::{MailMessage, MailState};
use crate::random;
use crate::store::{StoreError, mail_message};
use crate::ui::{Brand, Layout, Locale, MailView, MailboxPage, Page as _};
use actix_web::http::header;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

const PATH: &str = "/mailbox/";
/// Mails on the page.
const MOST: u32 = 50;
/// As the pages of the issuers name it in development.
const LANGUAGE_COOKIE: &str = "varco-lang";

/// Mounts it, where mails go nowhere else.
pub(super) fn register(app: &App, config: &mut ServiceConfig) {
    let server = &app.shared.server;
    let mailbox = server
        .mail
        .as_ref()
        .is_some_and(|mail| matches!(mail.delivery, MailDelivery::Mailbox));
    if server.development && mailbox {
        config.route(PATH, web::get().to(show));
    }
}

async fn show(app: Data<App>, http: HttpRequest) -> HttpResponse {
    let found = app.shared.store.read(|conn| -> Result<_, StoreError> {
        let mut all = mail_message::search(conn, MailState::Queued, None, MOST)?;
        all.extend(mail_message::search(conn, MailState::Sent, None, MOST)?);
        Ok(all)
    });
    let mut mails = match found.await {
        Ok(mails) => mails,
        Err(error) => {
            log::error!("event=mailbox.unreadable reason={}", quote(error));
            return HttpResponse::ServiceUnavailable().finish();
        }
    };
    mails.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
    mails.truncate(usize::try_from(MOST).unwrap_or(usize::MAX));
    let page = MailboxPage {
        mails: mails.iter().filter_map(|mail| view(&app, mail)).collect(),
    };
    match page.render(&app.pages, &layout(&http)) {
        Ok(html) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::CONTENT_SECURITY_POLICY, outbound::strict_policy()))
            .body(html),
        Err(error) => {
            log::error!("event=page.failed reason={}", quote(error));
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// One that cannot be opened is left out: another key file made it.
fn view(app: &App, message: &MailMessage) -> Option<MailView> {
    let text = mail::open(&app.shared.key_encryption_key, message).ok()?;
    Some(MailView {
        id: message.id.clone(),
        to: text.to,
        subject: text.subject,
        body: text.body,
        at: message.created_at,
    })
}

fn layout(http: &HttpRequest) -> Layout {
    let chosen = url::form_urlencoded::parse(http.query_string().as_bytes())
        .find(|(name, _)| name == "lang")
        .map(|(_, value)| value.into_owned());
    let kept = http.cookie(LANGUAGE_COOKIE);
    let accepted = http.headers().get(header::ACCEPT_LANGUAGE);
    Layout {
        locale: Locale::choose(
            chosen.as_deref(),
            &[],
            kept.as_ref().map(actix_web::cookie::Cookie::value),
            accepted.and_then(|value| value.to_str().ok()),
        ),
        issuer_path: String::new(),
        organization_name: "Varco".to_owned(),
        logo_url: None,
        style_url: None,
        policy_url: None,
        attribute_names: Default::default(),
        profile_brand: Brand::demo(),
        language_links: Locale::ALL
            .iter()
            .map(|locale| (*locale, format!("{PATH}?lang={}", locale.code())))
            .collect(),
        request_id: random::identifier(),
        development: true,
        signed_in_as: None,
        nav: false,
    }
}
