//! A production configuration behind a reverse proxy: https identifiers, several issuers, forwarded addresses.

use super::process::{Server, varco, write};
use crate::harness::{Answer, Browser};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use std::path::Path;

/// The proxy is this test, and writes X-Forwarded-For and X-Forwarded-Host.
const OURS: &str = "trusted_proxies = [\"127.0.0.1/32\"]";
const HOST: &str = "login.example.it";
const USER: &str = "{\"username\": \"ada\", \"password\": \"ada-demo\", \"attributes\": {\"given_name\": \"Ada\"}}\n";

/// A configuration of plain OpenID Connect issuers, with keys and a user.
fn prepare(folder: &Path, proxies: &str, ids: &[&str]) {
    let mut text =
        format!("listen = \"127.0.0.1:0\"\npublic_url = \"https://{HOST}\"\n{proxies}\n");
    for id in ids {
        text.push_str(&format!(
            "[[issuer]]\nid = \"{id}\"\nprofile = \"oidc\"\npairwise_salt = \"kP8sX0yq2mZr7cVw\"\n"
        ));
    }
    write(folder, "varco.toml", &text);
    write(folder, "users.jsonl", USER);
    varco(folder, &["keys", "init"]).done();
    let users = folder.join("users.jsonl");
    varco(folder, &["user", "import", users.to_str().unwrap()]).done();
}

/// The reverse proxy: https addresses of the issuer become those of the process.
struct Proxy<'a> {
    server: &'a Server,
    browser: Browser,
}

impl<'a> Proxy<'a> {
    fn new(server: &'a Server, headers: &[(&'static str, &str)]) -> Self {
        let mut browser = Browser::new();
        browser.headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        Self { server, browser }
    }

    fn inner(&self, url: &str) -> String {
        url.replacen(&format!("https://{HOST}"), &self.server.url(""), 1)
    }

    async fn get(&mut self, url: &str) -> Answer {
        let mut answer = self.browser.get(&self.inner(url)).await;
        while let Some(next) = answer.location() {
            let inner = self.inner(&next);
            if !inner.starts_with(&self.server.url("/")) {
                break;
            }
            answer = self.browser.get(&inner).await;
        }
        answer
    }

    async fn submit(&mut self, page: &Answer, form: &crate::harness::Form) -> Answer {
        let answer = self.browser.submit(page, form).await;
        match answer.location().map(|next| self.inner(&next)) {
            Some(next) if next.starts_with(&self.server.url("/")) => self.get(&next).await,
            _ => answer,
        }
    }
}

/// A login by code and PKCE; the answer of userinfo.
async fn login(proxy: &mut Proxy<'_>, issuer: &str, client_id: &str) -> Value {
    let verifier = varco::random::token();
    let challenge = BASE64URL_NOPAD.encode(&openssl::sha::sha256(verifier.as_bytes()));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", client_id)
        .append_pair("response_type", "code")
        .append_pair("scope", "openid profile")
        .append_pair("redirect_uri", "https://rp.example.it/callback")
        .append_pair("state", "a-state")
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .finish();
    let page = proxy.get(&format!("{issuer}/authorization?{query}")).await;
    let form = page
        .form("/login")
        .with("username", "ada")
        .with("password", "ada-demo");
    let consent = proxy.submit(&page, &form).await;
    let form = consent.form("/consent").with("decision", "allow");
    let answer = proxy.submit(&consent, &form).await;
    let location = answer
        .location()
        .unwrap_or_else(|| panic!("{}", answer.body));
    assert!(
        location.starts_with("https://rp.example.it/callback?"),
        "{location}"
    );
    let code = answer.redirected("code").unwrap();
    let fields: Vec<(String, String)> = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", &code),
        ("code_verifier", &verifier),
        ("redirect_uri", "https://rp.example.it/callback"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let url = proxy.inner(&format!("{issuer}/token"));
    let tokens = Browser::new().post(&url, &fields).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let id_token = tokens.json()["id_token"].as_str().unwrap().to_owned();
    let claims = varco::demo::relying_party::unverified_claims(&id_token).unwrap();
    assert_eq!(claims["iss"], *issuer);
    let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
    let mut program = Browser::new();
    program
        .headers
        .push(("authorization", format!("Bearer {token}")));
    let userinfo = program
        .get(&proxy.inner(&format!("{issuer}/userinfo")))
        .await;
    assert_eq!(userinfo.status, 200, "{}", userinfo.body);
    userinfo.json()
}

#[actix_web::test]
async fn a_production_issuer_behind_a_proxy_serves_a_whole_login_of_an_imported_user() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = format!("https://{HOST}/oidc");
    prepare(folder.path(), OURS, &[&issuer]);
    let registered = varco(
        folder.path(),
        &[
            "--json",
            "rp",
            "register",
            "--issuer",
            &issuer,
            "--client-id",
            "the-rp",
            "--name",
            "Un servizio",
            "--redirect-uri",
            "https://rp.example.it/callback",
            "--auth-method",
            "none",
        ],
    );
    assert!(registered.done().contains("the-rp"));
    let server = Server::start(folder.path());
    // The client wrote the first of the addresses, and the other header.
    for (forwarded_for, address) in [
        ("203.0.113.5, 198.51.100.7", "198.51.100.7"),
        ("198.51.100.8, 127.0.0.1", "198.51.100.8"),
        ("2001:db8::5", "2001:db8::5"),
    ] {
        let headers = [
            ("x-forwarded-for", forwarded_for),
            ("x-forwarded-host", HOST),
            ("forwarded", "for=192.0.2.66;host=evil.example.it"),
        ];
        let mut proxy = Proxy::new(&server, &headers);
        let claims = login(&mut proxy, &issuer, "the-rp").await;
        assert_eq!(claims["given_name"], "Ada");
        let names: Vec<&String> = proxy.browser.cookies.keys().collect();
        assert!(
            names.iter().all(|name| name.starts_with("__Host-varco-")),
            "{names:?}"
        );
        let history = proxy.get(&format!("{issuer}/history")).await;
        let rows = history.accesses();
        assert!(
            rows.iter()
                .any(|row| row.contains(address) && row.contains("Un servizio")),
            "{rows:?}"
        );
        assert!(!history.body.contains("192.0.2.66") && !history.body.contains("203.0.113.5"));
        assert!(!history.body.contains("class=\"development\""));
        assert_eq!(
            history.header("strict-transport-security"),
            "max-age=63072000"
        );
    }
    let discovery = server.url("/oidc/.well-known/openid-configuration");
    let document = Browser::new().get(&discovery).await.json();
    assert_eq!(document["issuer"], issuer);
    assert_eq!(document["token_endpoint"], format!("{issuer}/token"));
    // Keys are changed while it runs (no restart), and what was published stays published.
    let signing = |jwks: Value| -> Vec<String> {
        let keys = jwks["keys"].as_array().unwrap().clone();
        keys.iter()
            .filter(|key| key["use"] == "sig")
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    };
    let jwks = server.url("/oidc/jwks.json");
    let before = signing(Browser::new().get(&jwks).await.json());
    varco(
        folder.path(),
        &[
            "keys", "rotate", "--issuer", &issuer, "--now", "--reason", "stolen",
        ],
    )
    .done();
    server.line("event=keys.reloaded");
    let after = signing(Browser::new().get(&jwks).await.json());
    assert!(
        before.iter().all(|kid| after.contains(kid)),
        "{before:?} {after:?}"
    );
    assert!(after.len() > before.len());
    let mut proxy = Proxy::new(&server, &[("x-forwarded-for", "203.0.113.9")]);
    assert_eq!(
        login(&mut proxy, &issuer, "the-rp").await["given_name"],
        "Ada"
    );
}

/// Mails of a demonstration can be read by everybody.
#[actix_web::test]
async fn outside_development_there_is_no_mailbox() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = format!("https://{HOST}/oidc");
    prepare(folder.path(), OURS, &[&issuer]);
    let server = Server::start(folder.path());
    let mut proxy = Proxy::new(&server, &[("x-forwarded-host", HOST)]);
    let page = proxy.get(&format!("{issuer}/history")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    for path in [
        "/mailbox",
        "/mailbox/",
        "/mailbox/?lang=en",
        "/oidc/mailbox/",
    ] {
        let none = proxy.get(&format!("https://{HOST}{path}")).await;
        assert_eq!(none.status, 404, "{path}: {}", none.body);
    }
}

const SEVERAL: [&str; 5] = [
    "https://login.example.it",
    "https://login.example.it/a",
    "https://login.example.it/a/b/",
    "https://other.example.it/a",
    "https://other.example.it:8443/a",
];

/// Which issuer answers a request for a path with these headers.
async fn who(server: &Server, path: &str, headers: &[(&'static str, &str)]) -> Option<String> {
    let mut browser = Browser::new();
    for (name, value) in headers {
        browser.headers.push((*name, (*value).to_owned()));
    }
    let url = server.url(&format!("{path}/.well-known/openid-configuration"));
    let answer = browser.get(&url).await;
    if answer.status == 404 {
        return None;
    }
    Some(answer.json()["issuer"].as_str().unwrap().to_owned())
}

#[actix_web::test]
async fn issuers_are_told_apart_by_authority_and_longest_path_and_strangers_forward_nothing() {
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path(), OURS, &SEVERAL);
    let trusting = Server::start(folder.path());
    for (path, host, expected) in [
        ("", "login.example.it", Some(SEVERAL[0])),
        ("/a", "login.example.it", Some(SEVERAL[1])),
        ("/a", "LOGIN.example.it", Some(SEVERAL[1])),
        ("/a/b", "login.example.it", Some(SEVERAL[2])),
        ("/a", "other.example.it", Some(SEVERAL[3])),
        ("/a", "other.example.it:8443", Some(SEVERAL[4])),
        ("", "other.example.it", None),
        ("/a/b", "other.example.it", None),
        ("/ab", "login.example.it", None),
        ("/a", "evil.example.it", None),
        ("/a", "login.example.it.evil", None),
    ] {
        for header in ["host", "x-forwarded-host"] {
            let found = who(&trusting, path, &[(header, host)]).await;
            assert_eq!(found.as_deref(), expected, "{path} {header}: {host}");
        }
    }
    drop(trusting);
    let text = std::fs::read_to_string(folder.path().join("varco.toml")).unwrap();
    let both = [
        ("host", "login.example.it"),
        ("x-forwarded-host", "evil.example.it, other.example.it"),
        (
            "forwarded",
            "host=login.example.it, for=_x;host=\"other.example.it:8443\"",
        ),
    ];
    for (configured, expected) in [
        (OURS.to_owned(), SEVERAL[3]),
        (
            format!("{OURS}\nforwarded_header = \"forwarded\""),
            SEVERAL[4],
        ),
        ("trusted_proxies = [\"10.0.0.0/8\"]".to_owned(), SEVERAL[1]),
        (String::new(), SEVERAL[1]),
    ] {
        write(
            folder.path(),
            "varco.toml",
            &text.replace(OURS, &configured),
        );
        let server = Server::start(folder.path());
        let found = who(&server, "/a", &both).await;
        assert_eq!(found.as_deref(), Some(expected), "{configured}");
    }
}
