//! The clients: each a browser with a session and a connection of its own, and the relying party behind it.

use crate::browser::Browser;
use crate::floor::Sizes;
use crate::http::Answer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use varco::demo::relying_party::{AuthorizationAnswer, IdTokenExpectation, TokenAnswer};
use varco::demo::{DemoFederation, LoginOptions, ProviderMetadata, RelyingParty, credentials};
use varco::jose::{ContentEncryption, KeyManagementAlgorithm};

/// The requests of a login, in order.
pub const STEPS: [&str; 6] = [
    "authorization",
    "login (redirect)",
    "consent page",
    "consent",
    "token",
    "userinfo",
];

/// Durations of the requests, by step.
pub type Latencies = [Vec<Duration>; STEPS.len()];

/// What all clients know.
pub struct Target {
    pub address: String,
    pub federation: DemoFederation,
    pub provider: ProviderMetadata,
}

impl Target {
    pub fn rp(&self) -> &RelyingParty {
        self.federation.relying_party()
    }

    /// The address of an endpoint without its origin.
    fn path<'a>(&self, url: &'a str) -> &'a str {
        url.split_once(&self.address).unwrap().1
    }
}

/// When a slice of load ends: after a time, or when so much was done.
pub struct Budget {
    until: Option<Instant>,
    left: AtomicU32,
}

impl Budget {
    pub fn time(time: Duration) -> Self {
        Self {
            until: Some(Instant::now() + time),
            left: AtomicU32::new(0),
        }
    }

    pub fn count(count: u32) -> Self {
        Self {
            until: None,
            left: AtomicU32::new(count),
        }
    }

    fn take(&self) -> bool {
        match self.until {
            Some(until) => Instant::now() < until,
            None => self
                .left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok(),
        }
    }
}

/// What a client does again and again.
#[derive(Clone, Copy)]
pub enum Action {
    Login,
    Userinfo,
    EntityConfiguration,
}

/// A browser that is logged in, and its relying party's last tokens.
pub struct Client {
    target: Arc<Target>,
    browser: Browser,
    options: LoginOptions,
    access_token: String,
    id_token: String,
    subject: String,
    pub latencies: Latencies,
    pub done: u32,
}

impl Client {
    /// Logs in with a password, once.
    pub fn new(target: Arc<Target>, number: usize) -> Self {
        let (username, password) = credentials()[number % credentials().len()];
        let options = LoginOptions {
            prompt: "consent".to_owned(),
            ..LoginOptions::default()
        };
        let mut client = Self {
            browser: Browser::new(&target.address),
            target,
            options,
            access_token: String::new(),
            id_token: String::new(),
            subject: String::new(),
            latencies: Latencies::default(),
            done: 0,
        };
        client.log_in_with_password(username, password);
        client
    }

    fn log_in_with_password(&mut self, username: &str, password: &str) {
        let target = self.target.clone();
        let prepared = target
            .rp()
            .authorization_request(&target.provider, &self.options)
            .unwrap();
        let answer = self.browser.get(target.path(&prepared.url));
        let path = answer.location().1.to_owned();
        let page = self.browser.get(&path);
        let fields = [
            ("csrf_token", page.hidden("csrf_token")),
            ("username", username),
            ("password", password),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let answer = self.browser.post(&path, &fields);
        assert!(
            answer.location().1.contains("/consent"),
            "{username} is not logged in"
        );
    }

    /// Works until the budget is used up, on a new connection: the server closes idle ones.
    pub fn work(&mut self, action: Action, budget: &Budget) {
        self.browser.connect_again();
        let configuration = "/.well-known/openid-federation";
        let issuer = self.target.provider.issuer.trim_end_matches('/').to_owned();
        let configuration = format!("{}{configuration}", self.target.path(&issuer));
        while budget.take() {
            match action {
                Action::Login => self.log_in(),
                Action::Userinfo => self.read_userinfo(),
                Action::EntityConfiguration => {
                    let answer = self.browser.connection.get(&configuration, "");
                    assert_eq!(answer.status, 200, "{}", answer.body);
                }
            }
            self.done += 1;
        }
    }

    /// A complete login; every token is verified.
    fn log_in(&mut self) {
        let target = self.target.clone();
        let (rp, provider) = (target.rp(), &target.provider);
        let prepared = rp.authorization_request(provider, &self.options).unwrap();
        let answer = self.timed(0, |client| client.browser.get(target.path(&prepared.url)));
        let login = answer.location().1.to_owned();
        let answer = self.timed(1, |client| client.browser.get(&login));
        let consent = answer.location().1.to_owned();
        let page = self.timed(2, |client| client.browser.get(&consent));
        let fields = [
            ("csrf_token", page.hidden("csrf_token")),
            ("decision", "allow"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let answer = self.timed(3, |client| client.browser.post(&consent, &fields));
        let answer = AuthorizationAnswer::parse_address(answer.location().0);
        let code = answer.code(&prepared).unwrap();
        let fields = rp.token_request(provider, &prepared, code).unwrap();
        let path = target.path(&provider.token_endpoint);
        let answer = self.timed(4, |client| {
            client.browser.connection.post(path, "", &fields)
        });
        let tokens = TokenAnswer::parse(answer.body.as_bytes()).unwrap();
        let expected = IdTokenExpectation {
            nonce: Some(&prepared.nonce),
            access_token: &tokens.access_token,
            acr_values: &prepared.acr_values,
        };
        let id_token = tokens.id_token.unwrap();
        let claims = rp.verify_id_token(provider, &id_token, &expected).unwrap();
        claims["sub"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.subject);
        self.access_token = tokens.access_token;
        self.id_token = id_token;
        self.timed(5, Self::read_userinfo);
    }

    fn read_userinfo(&mut self) {
        let answer = self.userinfo();
        let (rp, provider) = (self.target.rp(), &self.target.provider);
        rp.open_userinfo(provider, &answer.body, &self.subject)
            .unwrap();
    }

    fn userinfo(&mut self) -> Answer {
        let bearer = format!("Authorization: Bearer {}\r\n", self.access_token);
        let path = self.target.path(&self.target.provider.userinfo_endpoint);
        let answer = self.browser.connection.get(path, &bearer);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }

    /// One more login, for the lengths of its tokens.
    pub fn sizes(&mut self) -> Sizes {
        let target = self.target.clone();
        let (rp, provider) = (target.rp(), &target.provider);
        self.browser.connect_again();
        let prepared = rp.authorization_request(provider, &self.options).unwrap();
        self.log_in();
        let assertion = rp.client_assertion(&provider.token_endpoint).unwrap();
        let encrypted = self.userinfo().body;
        let keys = std::slice::from_ref(&rp.keys().encryption);
        let opened = varco::jose::decrypt(
            &encrypted,
            keys,
            &[KeyManagementAlgorithm::RsaOaep256],
            &[ContentEncryption::A256CbcHs512],
        )
        .unwrap();
        let userinfo = std::str::from_utf8(&opened.plaintext).unwrap();
        Sizes::of([
            &prepared.request_object,
            &assertion,
            &self.access_token,
            &self.id_token,
            userinfo,
        ])
    }

    fn timed<T>(&mut self, step: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let began = Instant::now();
        let result = work(self);
        self.latencies[step].push(began.elapsed());
        result
    }
}

/// All clients work until the budget is used up; returns how often, and how long it took.
pub fn slice(clients: &mut [Client], action: Action, budget: &Budget) -> (u32, Duration) {
    let before: u32 = clients.iter().map(|client| client.done).sum();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for client in clients.iter_mut() {
            scope.spawn(|| client.work(action, budget));
        }
    });
    let after: u32 = clients.iter().map(|client| client.done).sum();
    (after - before, began.elapsed())
}

/// Runs `work` while the load's cores are as busy as under load: cores of one processor slow each other down.
pub fn beside_busy_cores<T>(target: &Target, cores: usize, work: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let options = LoginOptions::default();
                while !stop.load(Ordering::Relaxed) {
                    let request = target
                        .rp()
                        .authorization_request(&target.provider, &options);
                    std::hint::black_box(request.unwrap());
                }
            });
        }
        let result = work();
        stop.store(true, Ordering::Relaxed);
        result
    })
}
