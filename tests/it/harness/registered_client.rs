//! Clients that `varco rp register` makes at the plain OpenID Connect issuer.

use super::{Answer, Browser, World};
use data_encoding::BASE64;
use serde_json::Value;
use varco::jose::KeySet;
use varco::model::{ClientId, ClientMetadata};

/// Where such a client wants the answer.
pub const CALLBACK: &str = "https://client.example/callback";
/// RFC 7636, appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Of [`VERIFIER`], by S256.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A header or parameter.
pub type Pair<'a> = (&'a str, &'a str);

/// A client as its developer holds it.
pub struct Client {
    pub id: String,
    pub secret: String,
}

impl World {
    pub fn oidc(&self) -> String {
        self.url("/oidc/")
    }

    /// Runs `varco rp register` on this world's configuration.
    pub fn register(&self, method: &str, more: &[&str]) -> Client {
        let issuer = self.oidc();
        let mut words = vec![
            "rp",
            "register",
            "--issuer",
            &issuer,
            "--name",
            "Cliente di prova",
            "--redirect-uri",
            CALLBACK,
            "--auth-method",
            method,
        ];
        words.extend(more);
        let answer = self.command(&words).done();
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Client {
            id: text("client_id"),
            secret: text("client_secret"),
        }
    }

    /// What a later issue's registration will do: metadata beyond the command's options.
    pub fn change_client(
        &self,
        client: &Client,
        change: impl FnOnce(&mut ClientMetadata) + Send + 'static,
    ) {
        let op = self.provider("oidc");
        let (issuer, id) = (op.issuer.clone(), ClientId::new(client.id.clone()));
        self.app
            .shared
            .store
            .write_blocking(move |connection| -> Result<(), varco::store::StoreError> {
                let mut party = varco::store::client::find(connection, &issuer, &id)?.unwrap();
                change(&mut party.metadata);
                varco::store::client::upsert(connection, &party).map(drop)
            })
            .unwrap();
    }

    pub fn authorization_url(&self, client: &Client, changes: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("client_id", client.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "a state"),
            ("nonce", "a nonce"),
        ];
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_empty());
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        format!("{}authorization?{query}", self.oidc())
    }

    /// A code for `ada`.
    pub async fn oidc_code(&self, client: &Client, changes: &[(&str, &str)]) -> String {
        self.oidc_code_with(&mut self.browser(), client, changes)
            .await
    }

    pub async fn oidc_code_with(
        &self,
        browser: &mut Browser,
        client: &Client,
        changes: &[(&str, &str)],
    ) -> String {
        let answer = browser.get(&self.authorization_url(client, changes)).await;
        let mut page = browser.follow(answer, &self.base).await;
        if page.body.contains("name=\"password\"") {
            page = self
                .type_password(browser, &page, ("ada", "ada-demo"))
                .await;
        }
        let answer = self.allow(browser, &page).await;
        assert_eq!(answer.redirected("state").as_deref(), Some("a state"));
        assert_eq!(answer.redirected("iss"), Some(self.oidc()), "RFC 9207");
        answer
            .redirected("code")
            .unwrap_or_else(|| panic!("{}: {:?}", answer.status, answer.location()))
    }

    pub async fn oidc_token(
        &self,
        headers: &[(&str, &str)],
        code: &str,
        more: &[(&str, &str)],
    ) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("code", code),
                ("code_verifier", VERIFIER),
                ("redirect_uri", CALLBACK),
            ])
            .extend_pairs(more)
            .finish();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.send("POST", &format!("{}token", self.oidc()), &all, body)
            .await
    }

    pub async fn oidc_userinfo(&self, access_token: &Value) -> Answer {
        let bearer = format!("Bearer {}", access_token.as_str().unwrap());
        let url = format!("{}userinfo", self.oidc());
        self.send("GET", &url, &[("authorization", &bearer)], "")
            .await
    }

    /// Claims of an id_token or userinfo, once its signature is one of the published keys'.
    pub async fn oidc_verified(&self, token: &str, client: &Client) -> Value {
        use varco::clock::Clock as _;
        use varco::jose::{
            Expectations, ExpiryRule, IssuedAtRule, SignatureAlgorithm, TypRule, Unverified,
        };
        let jwks = self
            .browser()
            .get(&format!("{}jwks.json", self.oidc()))
            .await;
        let keys = KeySet::from_json(&jwks.json()).unwrap();
        let verified = Unverified::parse(token, 16_384).unwrap().verify::<Value>(
            &keys,
            &Expectations {
                kind: "id_token",
                typ: TypRule::Any,
                algorithms: SignatureAlgorithm::ALL,
                kid_required: true,
                issuer: Some(&self.oidc()),
                subject: None,
                audience: Some(&[&client.id]),
                now: self.clock.now(),
                leeway_seconds: 0,
                expiry: ExpiryRule::Required,
                issued_at: IssuedAtRule::Required,
                max_lifetime_seconds: None,
            },
        );
        verified.unwrap().into_claims()
    }
}

pub fn basic(client: &Client, secret: &str) -> String {
    let form =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", form(&client.id), form(secret));
    format!("Basic {}", BASE64.encode(pair.as_bytes()))
}
