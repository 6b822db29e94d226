//! A small authentication service for `[issuer.external_method]`: what stands behind an identity provider's app.
//!
//! ```text
//! Varco ──POST /authentications, signed request──► here ◄──GET /, POST /answer── the person (in reality: the app)
//!       ◄── signed answer: pending, approved … ──
//! ```
//!
//! A page takes the place of the app: it shows who wants to log in where, asks for the number that the login page shows,
//! and has a button to refuse. A real service would reach the person's own device instead, and know who holds it. Nothing
//! is kept beyond the process. The two messages are described in `varco::authn::external::protocol`.
//!
//! ```sh
//! varco demo                                                            # first terminal
//! cargo run --example external_authenticator -- http://127.0.0.1:8000/spid/   # second one
//! ```
//!
//! It says what to write into `varco.toml`.

use actix_web::dev::Server;
use actix_web::web::{self, Data, Form};
use actix_web::{App, HttpResponse, HttpServer};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use varco::authn::external::protocol::{Answer, Request, Status};
use varco::clock::{Clock, SystemClock};
use varco::jose::{KeyKind, KeySet, KeyUse, PrivateKey};

/// Where Varco asks.
pub const PATH: &str = "/authentications";

/// The service.
pub struct Service {
    /// Its own address, which signed messages name: `http://127.0.0.1:9000/authentications`.
    url: String,
    /// The one issuer that it works for.
    issuer: String,
    /// Signs the answers.
    key: PrivateKey,
    clock: Arc<dyn Clock>,
    /// What people have been asked, by transaction.
    asked: Mutex<BTreeMap<String, (Request, Status)>>,
}

impl Service {
    /// A service without people waiting.
    pub fn new(url: String, issuer: String, key: PrivateKey, clock: Arc<dyn Clock>) -> Self {
        Self {
            url,
            issuer,
            key,
            clock,
            asked: Mutex::default(),
        }
    }

    fn asked(&self) -> MutexGuard<'_, BTreeMap<String, (Request, Status)>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request: the first of a transaction begins it, every further one asks how it stands.
    async fn answer(&self, jwt: &str) -> Result<String, Box<dyn Error>> {
        let now = self.clock.now();
        let keys = self.issuer_keys().await?;
        let request = Request::read(jwt, &keys, (&self.issuer, &self.url), now)?;
        let mut asked = self.asked();
        asked.retain(|_, (known, _)| known.txn_exp > now);
        let (_, status) = asked
            .entry(request.txn.clone())
            .or_insert_with(|| (request.clone(), Status::Pending));
        let reached = (*status == Status::Approved).then_some(request.acr.as_str());
        Ok(Answer::to(&request, *status, reached, now).sign(&self.key)?)
    }

    /// The issuer's published keys. A real service would keep them for a while.
    async fn issuer_keys(&self) -> Result<KeySet, Box<dyn Error>> {
        let url = format!("{}/jwks.json", self.issuer.trim_end_matches('/'));
        let text = reqwest::get(url).await?.error_for_status()?.text().await?;
        Ok(KeySet::from_json(&serde_json::from_str(&text)?)?)
    }

    /// What the person did. The wrong number is a refusal: whoever began the login is looking at another page.
    fn decide(&self, decision: &Decision) {
        if let Some((request, status)) = self.asked().get_mut(&decision.txn)
            && *status == Status::Pending
        {
            let same = decision.number.trim() == request.number;
            *status = match decision.decision.as_str() {
                "approve" if same => Status::Approved,
                _ => Status::Denied,
            };
        }
    }

    fn page(&self) -> String {
        let mut html = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>The app</title><h1>The app</h1>".to_owned();
        for (txn, (request, status)) in self.asked().iter() {
            let what = format!("{} at {}: {status:?}", request.username, request.rp_name);
            let what = escaped(&what);
            let txn = escaped(txn);
            let _infallible = match status {
                Status::Pending => write!(
                    html,
                    "<form method=\"post\" action=\"/answer\"><p>Log in as {what}?</p>\
                     <input type=\"hidden\" name=\"txn\" value=\"{txn}\">\
                     <label>Number on the page <input name=\"number\" inputmode=\"numeric\"></label> \
                     <button name=\"decision\" value=\"approve\">It is me</button> \
                     <button name=\"decision\" value=\"deny\">Refuse</button></form>"
                ),
                _ => write!(html, "<p>{what}</p>"),
            };
        }
        html
    }
}

/// What Varco pins: `{"keys": [...]}`.
pub fn jwks(key: &PrivateKey) -> serde_json::Value {
    serde_json::json!({ "keys": [key.public_jwk(KeyUse::Signature, None)] })
}

/// What the page's form posts.
#[derive(Deserialize)]
struct Decision {
    txn: String,
    #[serde(default)]
    number: String,
    decision: String,
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

async fn authentications(service: Data<Service>, jwt: String) -> HttpResponse {
    match service.answer(jwt.trim()).await {
        Ok(answer) => HttpResponse::Ok()
            .content_type("application/jwt")
            .body(answer),
        Err(error) => {
            log::warn!("refused: {error}");
            HttpResponse::BadRequest().body(error.to_string())
        }
    }
}

async fn page(service: Data<Service>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html")
        .body(service.page())
}

async fn answer(service: Data<Service>, decision: Form<Decision>) -> HttpResponse {
    service.decide(&decision);
    HttpResponse::SeeOther()
        .insert_header(("Location", "/"))
        .finish()
}

/// Serves it until the runtime ends.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(service: Arc<Service>, listener: TcpListener) -> std::io::Result<Server> {
    let data = Data::from(service);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .route(PATH, web::post().to(authentications))
            .route("/", web::get().to(page))
            .route("/answer", web::post().to(answer))
    });
    Ok(server.workers(1).listen(listener)?.run())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    const JWKS_FILE: &str = "external-authenticator-jwks.json";
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let mut arguments = std::env::args().skip(1);
    let issuer = arguments
        .next()
        .ok_or("usage: external_authenticator ISSUER [ADDRESS:PORT]")?;
    let listen = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:9000".to_owned());
    let url = format!("http://{listen}{PATH}");
    // A new key at every start: whoever pins it starts after this.
    let key = PrivateKey::generate(KeyKind::P256)?;
    std::fs::write(JWKS_FILE, jwks(&key).to_string())?;
    let service = Service::new(url.clone(), issuer, key, Arc::new(SystemClock));
    log::info!(
        "the app is at http://{listen}/; below its issuer, varco.toml says:\n\
         [issuer.external_method]\nname = \"Example app\"\nurl = \"{url}\"\njwks_file = \"{JWKS_FILE}\""
    );
    serve(Arc::new(service), TcpListener::bind(&listen)?)?.await?;
    Ok(())
}
