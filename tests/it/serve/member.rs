//! A SPID issuer as a process of its own, a member of a federation that the test plays.

use super::process::{Server, own_address, varco, write};
use crate::harness::{Answer, Browser, Schema};
use std::net::TcpListener;
use std::sync::Arc;
use varco::clock::SystemClock;
use varco::demo::relying_party::{AuthorizationAnswer, TokenAnswer};
use varco::demo::{
    self, DemoFederation, DemoKeys, HttpClient, LoginOptions, PreparedRequest, ProviderMetadata,
    RelyingParty,
};
use varco::ui::Pages;

/// Somebody whose name and attributes occur nowhere else.
pub const USER: &str = "{\"username\": \"zx9-benutzer\", \"password\": \"geheim-7q-wort\", \"attributes\": \
    {\"given_name\": \"Wolframina\", \"family_name\": \"Quarzhofer\", \"fiscal_number\": \"TINIT-QRZWFR80A41A952K\", \
    \"email\": \"wolframina@quarz.example.it\"}}\n";
pub const CREDENTIALS: (&str, &str) = ("zx9-benutzer", "geheim-7q-wort");

/// The federation, and the issuer's folder.
pub struct Member {
    pub federation: Arc<DemoFederation>,
    pub folder: tempfile::TempDir,
    pub issuer: String,
    /// Goes when the member goes.
    _schema: Option<Schema>,
}

/// One on SQLite, and one on PostgreSQL where there is a server.
pub fn on_each_database() -> Vec<Member> {
    let mut all = vec![Member::new(None)];
    if let Some(schema) = Schema::create() {
        all.push(Member::new(Some(schema)));
    }
    all
}

impl Member {
    /// Serves trust anchor and RPs, and writes the issuer's configuration and its only user.
    pub fn new(schema: Option<Schema>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let federation = DemoFederation::new(
            &base,
            DemoKeys::generate_fast().unwrap(),
            Arc::new(SystemClock),
            Arc::new(HttpClient::new().unwrap()),
        );
        let federation = Arc::new(federation.unwrap());
        let (served, pages) = (federation.clone(), Arc::new(Pages::new(None).unwrap()));
        let server = actix_web::HttpServer::new(move || {
            let (served, pages) = (served.clone(), pages.clone());
            actix_web::App::new().configure(move |config| demo::routes(config, served, pages))
        });
        actix_web::rt::spawn(
            server
                .workers(1)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run(),
        );

        let folder = tempfile::tempdir().unwrap();
        let address = own_address();
        let issuer = format!("http://{address}/spid/");
        let anchor = federation.trust_anchor().entity_id().to_owned();
        let database = schema
            .as_ref()
            .map_or_else(|| "sqlite://varco.db".to_owned(), Schema::url);
        let text = format!(
            "listen = \"{address}\"\ndatabase_url = \"{database}\"\ndevelopment = true\ndatabase_pool_size = 4\n\
             [[issuer]]\nid = \"{issuer}\"\nfederation_signing_alg = \"ES256\"\nauthority_hints = [\"{anchor}\"]\n\
             required_trust_marks = [\"{}\"]\npassword_levels = [\"SpidL1\", \"SpidL2\"]\n\
             [[issuer.trust_anchor]]\nid = \"{anchor}\"\njwks = '{}'\n",
            federation.relying_party_mark_type(),
            federation.jwks()
        );
        write(folder.path(), "varco.toml", &text);
        write(folder.path(), "users.jsonl", USER);
        let users = folder.path().join("users.jsonl");
        varco(folder.path(), &["user", "import", users.to_str().unwrap()]).done();
        Self {
            federation,
            folder,
            issuer,
            _schema: schema,
        }
    }

    /// Starts the issuer, and lets the federation know it.
    pub async fn serve(&self) -> (Server, ProviderMetadata) {
        self.serve_with(&[]).await
    }

    /// As [`Member::serve`], with variables of the environment.
    pub async fn serve_with(&self, variables: &[(&str, &str)]) -> (Server, ProviderMetadata) {
        let server = Server::start_with(self.folder.path(), variables);
        self.federation.onboard(&self.issuer).await.unwrap();
        let discovered = self.federation.discover(&self.issuer).await.unwrap();
        (server, discovered.provider)
    }

    /// Starts the issuer again; the federation knows it already.
    pub fn restart(&self) -> Server {
        Server::start(self.folder.path())
    }

    pub fn rp(&self) -> &RelyingParty {
        self.federation.relying_party()
    }

    /// A login up to the code.
    pub async fn code(
        &self,
        browser: &mut Browser,
        provider: &ProviderMetadata,
    ) -> (PreparedRequest, String) {
        let options = LoginOptions::default().with_offline_access();
        let prepared = self.rp().authorization_request(provider, &options).unwrap();
        let answer = browser.get(&prepared.url).await;
        let page = browser.follow(answer, &self.issuer).await;
        let (username, password) = CREDENTIALS;
        let form = page
            .form("/login")
            .with("username", username)
            .with("password", password);
        let answer = browser.submit(&page, &form).await;
        let consent = browser.follow(answer, &self.issuer).await;
        let form = consent.form("/consent").with("decision", "allow");
        let answer = browser.submit(&consent, &form).await;
        let code = AuthorizationAnswer::parse_address(&answer.location().unwrap())
            .code(&prepared)
            .unwrap()
            .to_owned();
        (prepared, code)
    }

    /// Presents a code.
    pub async fn present(
        &self,
        provider: &ProviderMetadata,
        prepared: &PreparedRequest,
        code: &str,
    ) -> Answer {
        let form = self.rp().token_request(provider, prepared, code).unwrap();
        Browser::new().post(&provider.token_endpoint, &form).await
    }

    /// A complete login.
    pub async fn tokens(&self, browser: &mut Browser, provider: &ProviderMetadata) -> TokenAnswer {
        let (prepared, code) = self.code(browser, provider).await;
        let answer = self.present(provider, &prepared, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        TokenAnswer::parse(answer.body.as_bytes()).unwrap()
    }

    /// GET userinfo.
    pub async fn userinfo(&self, provider: &ProviderMetadata, access_token: &str) -> Answer {
        let mut browser = Browser::new();
        browser
            .headers
            .push(("authorization", format!("Bearer {access_token}")));
        browser.get(&provider.userinfo_endpoint).await
    }

    /// Whether introspection calls a token active.
    pub async fn is_active(&self, provider: &ProviderMetadata, token: &str) -> bool {
        let form = self.rp().introspection_request(provider, token).unwrap();
        let answer = Browser::new()
            .post(&provider.introspection_endpoint, &form)
            .await;
        answer.json()["active"].as_bool().unwrap()
    }
}
