//! Further nodes of a world: the same issuers on the same database, served at another address.

use super::{Answer, Browser, Issuer, World};
use std::sync::Arc;
use varco::accounts::PasswordHasher;
use varco::demo::relying_party::AuthorizationAnswer;
use varco::demo::{LoginOptions, RelyingParty};
use varco::federation::{Fetch, ResolutionLimits, Resolver};
use varco::provider::{OverviewSums, Provider, Refusals, Shared};
use varco::web::{App, Running};

/// A further node of a world.
pub struct Node {
    world_base: String,
    base: String,
    pub app: App,
    _running: Running,
}

impl World {
    /// A node with nothing in memory yet.
    pub fn another_node(&self) -> Node {
        self.node(self.app.shared.clone())
    }

    /// A node with a network of its own.
    pub fn node_with(&self, fetch: Arc<dyn Fetch>, limits: ResolutionLimits) -> Node {
        let known = &self.app.shared;
        self.node(Arc::new(Shared {
            store: known.store.clone(),
            clock: known.clock.clone(),
            resolver: Resolver::new(fetch, known.clock.clone(), limits),
            passwords: PasswordHasher::default(),
            key_encryption_key: known.key_encryption_key.clone(),
            refusals: Refusals::default(),
            overview: OverviewSums::default(),
            server: known.server.clone(),
        }))
    }

    fn node(&self, shared: Arc<Shared>) -> Node {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let opened = self.app.providers.iter().map(|op| {
            let settings = op.settings.clone();
            Arc::new(Provider::open(shared.clone(), settings).unwrap())
        });
        let app = App {
            providers: opened.collect(),
            shared,
            pages: self.app.pages.clone(),
        };
        let running = varco::web::serve(app.clone(), listener, |_| {}).unwrap();
        Node {
            world_base: self.base.clone(),
            base,
            app,
            _running: running,
        }
    }
}

impl Node {
    /// Where this node serves an address of the world.
    pub fn url(&self, published: &str) -> String {
        published.replacen(&self.world_base, &self.base, 1)
    }

    /// One of its issuers.
    pub fn provider(&self, profile: &str) -> &Arc<Provider> {
        let mut providers = self.app.providers.iter();
        providers.find(|op| op.profile.name == profile).unwrap()
    }

    /// A login at this node up to the tokens, as `ada`; without a password when the browser is logged in.
    pub async fn login(
        &self,
        browser: &mut Browser,
        (rp, issuer): (&RelyingParty, &Issuer),
        options: &LoginOptions,
    ) {
        let prepared = rp.authorization_request(&issuer.metadata, options).unwrap();
        let answer = browser.get(&self.url(&prepared.url)).await;
        let mut page = self.follow(browser, answer).await;
        if page.body.contains("name=\"password\"") {
            let form = page.form("/login").with("username", "ada");
            let answer = browser
                .submit(&page, &form.with("password", "ada-demo"))
                .await;
            page = self.follow(browser, answer).await;
        }
        let form = page.form("/consent").with("decision", "allow");
        let answer = browser.submit(&page, &form).await;
        let location = answer.location().unwrap();
        let answer = AuthorizationAnswer::parse_address(&location);
        let code = answer.code(&prepared).unwrap();
        let fields = rp.token_request(&issuer.metadata, &prepared, code).unwrap();
        let endpoint = self.url(&issuer.metadata.token_endpoint);
        let answer = Browser::new().post(&endpoint, &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    async fn follow(&self, browser: &mut Browser, mut answer: Answer) -> Answer {
        while let Some(next) = answer
            .location()
            .filter(|next| next.starts_with(&self.world_base) || next.starts_with(&self.base))
        {
            answer = browser.get(&self.url(&next)).await;
        }
        answer
    }
}
