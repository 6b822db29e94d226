use super::{Answer, Browser, World};
use serde_json::{Map, Value};
use varco::demo::relying_party::{AuthorizationAnswer, IdTokenExpectation, TokenAnswer};
use varco::demo::{LoginOptions, PreparedRequest, ProviderMetadata, RelyingParty};

/// An issuer as an RP sees it.
pub struct Issuer {
    /// What its documents say.
    pub metadata: ProviderMetadata,
    /// `spid` or `cie`.
    pub profile: &'static str,
}

/// What a complete login gave the RP.
pub struct Tokens {
    pub answer: TokenAnswer,
    /// The verified id_token.
    pub id_token: Map<String, Value>,
    pub prepared: PreparedRequest,
}

impl World {
    /// Discovers one of the issuers over HTTP, as an RP does.
    pub async fn issuer(&self, profile: &'static str) -> Issuer {
        let id = format!("{}/{profile}/", self.base);
        let discovered = self.federation.discover(&id).await.unwrap();
        Issuer {
            metadata: discovered.provider,
            profile,
        }
    }

    /// Starts a login and answers the page that the browser ends at: login, consent, or a refusal.
    pub async fn authorize(&self, browser: &mut Browser, prepared: &PreparedRequest) -> Answer {
        let answer = browser.get(&prepared.url).await;
        browser.follow(answer, &self.base).await
    }

    /// Types username and password into the login page.
    pub async fn type_password(
        &self,
        browser: &mut Browser,
        login_page: &Answer,
        (username, password): (&str, &str),
    ) -> Answer {
        let form = login_page
            .form("/login")
            .with("username", username)
            .with("password", password);
        let answer = browser.submit(login_page, &form).await;
        let within = format!("{}/", self.base);
        match answer.location() {
            Some(next)
                if ["/consent", "/history", "/account", "/login"]
                    .iter()
                    .any(|page| next.contains(page)) =>
            {
                browser.follow(answer, &within).await
            }
            _ => answer,
        }
    }

    /// Presses "allow" on the consent page; the answer is the redirect (or the form) to the RP.
    pub async fn allow(&self, browser: &mut Browser, consent_page: &Answer) -> Answer {
        let mut form = consent_page.form("/consent").with("decision", "allow");
        if consent_page.body.contains("name=\"offline_access\"") {
            form = form.with("offline_access", "on");
        }
        browser.submit(consent_page, &form).await
    }

    /// A login up to the code, as `ada`, with a new browser.
    pub async fn code(
        &self,
        rp: &RelyingParty,
        issuer: &Issuer,
        options: &LoginOptions,
    ) -> (PreparedRequest, String) {
        let mut browser = self.browser();
        self.code_with(&mut browser, rp, issuer, options).await
    }

    /// As [`World::code`], with a browser that may be logged in.
    pub async fn code_with(
        &self,
        browser: &mut Browser,
        rp: &RelyingParty,
        issuer: &Issuer,
        options: &LoginOptions,
    ) -> (PreparedRequest, String) {
        let prepared = rp.authorization_request(&issuer.metadata, options).unwrap();
        let mut page = self.authorize(browser, &prepared).await;
        if page.body.contains("name=\"password\"") {
            page = self
                .type_password(browser, &page, ("ada", "ada-demo"))
                .await;
        }
        let answer = self.allow(browser, &page).await;
        let location = answer
            .location()
            .unwrap_or_else(|| panic!("no redirect ({}): {}", answer.status, answer.body));
        let code = AuthorizationAnswer::parse_address(&location)
            .code(&prepared)
            .unwrap()
            .to_owned();
        (prepared, code)
    }

    /// POSTs a form of the RP to an endpoint.
    pub async fn post(&self, url: &str, fields: &[(String, String)]) -> Answer {
        self.browser().post(url, fields).await
    }

    /// A complete login as `ada`.
    pub async fn login(
        &self,
        rp: &RelyingParty,
        issuer: &Issuer,
        options: &LoginOptions,
    ) -> Tokens {
        let (prepared, code) = self.code(rp, issuer, options).await;
        self.redeem(rp, issuer, prepared, &code).await
    }

    /// Redeems a code and verifies what comes.
    pub async fn redeem(
        &self,
        rp: &RelyingParty,
        issuer: &Issuer,
        prepared: PreparedRequest,
        code: &str,
    ) -> Tokens {
        let fields = rp.token_request(&issuer.metadata, &prepared, code).unwrap();
        let answer = self.post(&issuer.metadata.token_endpoint, &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = TokenAnswer::parse(answer.body.as_bytes()).unwrap();
        let id_token = rp
            .verify_id_token(
                &issuer.metadata,
                answer.id_token.as_deref().unwrap(),
                &IdTokenExpectation {
                    nonce: Some(&prepared.nonce),
                    access_token: &answer.access_token,
                    acr_values: &prepared.acr_values,
                },
            )
            .unwrap();
        Tokens {
            answer,
            id_token,
            prepared,
        }
    }

    /// GET userinfo with a bearer token.
    pub async fn userinfo(&self, issuer: &Issuer, access_token: &str) -> Answer {
        let mut browser = self.browser();
        browser
            .headers
            .push(("authorization", format!("Bearer {access_token}")));
        browser.get(&issuer.metadata.userinfo_endpoint).await
    }
}
