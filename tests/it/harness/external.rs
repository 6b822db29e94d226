//! Authentication services: the one of `examples/`, and ones that answer what a test wants.

use super::{LEVELS, World, WorldBuilder, claims_of, signed};
use crate::harness::{Answer, Browser};
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use varco::authn::external::protocol::ANSWER_TYPE;
use varco::config::{Enrolment, ExternalMethodSettings};
use varco::demo::LoginOptions;
use varco::jose::{KeyKind, PrivateKey};
use varco::model::Method;

/// Settings of a service that signs with this key.
pub fn external_method(url: &str, key: &PrivateKey) -> ExternalMethodSettings {
    ExternalMethodSettings {
        name: BTreeMap::from([(String::new(), "App Esempio".to_owned())]),
        url: url.to_owned(),
        jwks: super::public_keys(&[key]),
        levels: vec![LEVELS[1].to_owned()],
        levels_alone: Vec::new(),
        timeout_seconds: 180,
        amr: vec!["mca"],
    }
}

impl World {
    /// A world whose issuers have an external method.
    pub fn with_external(settings: &ExternalMethodSettings) -> WorldBuilder {
        let settings = settings.clone();
        Self::with_levels(Enrolment::Operator).issuers(move |issuer| {
            issuer.external_method = Some(settings.clone());
            issuer.second_factors.push(Method::External);
        })
    }
}

/// A browser at the step after ada's password, in a login at level 2.
pub async fn step_page(world: &World) -> (Browser, Answer) {
    let issuer = world.issuer("spid").await;
    let options = LoginOptions {
        prompt: "consent login".to_owned(),
        acr_values: vec![LEVELS[1].to_owned()],
        ..LoginOptions::default()
    };
    let prepared = world.request(&issuer, &options);
    let (mut browser, page) = world.accepted(&prepared).await;
    let page = world.type_password(&mut browser, &page, super::ADA).await;
    (browser, page)
}

/// What a request is answered with, given its claims: status, content type, body.
pub type Respond =
    Box<dyn FnMut(&Hostile, &Map<String, Value>) -> (u16, &'static str, String) + Send>;

/// A service that does what a test says.
#[derive(Clone)]
pub struct Hostile {
    pub url: String,
    pub key: PrivateKey,
    /// The requests so far, as they came.
    pub requests: Arc<Mutex<Vec<String>>>,
    respond: Arc<Mutex<Option<Respond>>>,
}

impl Hostile {
    /// One that answers every request with 500.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Self {
            url: format!("http://{}/app", listener.local_addr().unwrap()),
            key: PrivateKey::generate(KeyKind::P256).unwrap(),
            requests: Arc::default(),
            respond: Arc::default(),
        };
        let data = service.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::new(data.clone()))
                .route("/app", web::post().to(Self::answer))
        });
        let server = server.workers(1).disable_signals();
        actix_web::rt::spawn(server.listen(listener).unwrap().run());
        service
    }

    async fn answer(service: Data<Self>, jwt: String) -> HttpResponse {
        service.requests.lock().unwrap().push(jwt.clone());
        let mut respond = service.respond.lock().unwrap();
        let Some(respond) = respond.as_mut() else {
            return HttpResponse::InternalServerError().finish();
        };
        let (status, content_type, body) = respond(&service, &claims_of(&jwt));
        HttpResponse::build(status.try_into().unwrap())
            .content_type(content_type)
            .body(body)
    }

    /// From now on it answers so.
    pub fn respond(
        &self,
        respond: impl FnMut(&Self, &Map<String, Value>) -> (u16, &'static str, String) + Send + 'static,
    ) {
        *self.respond.lock().unwrap() = Some(Box::new(respond));
    }

    /// From now on it answers a signed answer, changed.
    pub fn claim(
        &self,
        status: &'static str,
        mut change: impl FnMut(&mut Map<String, Value>) + Send + 'static,
    ) {
        self.respond(move |service, request| {
            let mut answer = answer_to(request, status);
            change(&mut answer);
            let jwt = signed(Some(ANSWER_TYPE), &Value::Object(answer), &service.key);
            (200, "application/jwt", jwt)
        });
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

/// The claims of a right answer; an approval at the level that was asked for.
pub fn answer_to(request: &Map<String, Value>, status: &str) -> Map<String, Value> {
    let mut answer = json!({
        "iss": request["aud"],
        "aud": request["iss"],
        "sub": request["sub"],
        "txn": request["txn"],
        "nonce": request["jti"],
        "jti": varco::random::uuid4(),
        "iat": request["iat"],
        "exp": request["exp"],
        "status": status,
    });
    if status == "approved" {
        answer["acr"] = request["acr"].clone();
    }
    answer.as_object().unwrap().clone()
}
