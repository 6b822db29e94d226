//! What tests of the endpoints that RPs call need beside the usual.

use super::{Answer, Browser, Issuer, Tokens, World};
use serde_json::{Value, json};
use std::sync::Arc;
use varco::demo::{LoginOptions, RelyingParty, RelyingPartyKeys};

/// The type of RFC 7523 §2.2.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `client_id` and this assertion, with the fields of the request.
pub fn with_assertion(
    rp: &RelyingParty,
    assertion: &str,
    fields: &[(&str, &str)],
) -> Vec<(String, String)> {
    fields
        .iter()
        .copied()
        .chain([
            ("client_id", rp.entity_id()),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The form with one parameter replaced; an empty value counts as absent.
pub fn replaced(
    mut fields: Vec<(String, String)>,
    name: &str,
    value: &str,
) -> Vec<(String, String)> {
    fields.retain(|(known, _)| known != name);
    fields.push((name.to_owned(), value.to_owned()));
    fields
}

impl Answer {
    /// Asserts a JSON refusal that nobody may store, in ASCII, and that its description says this.
    #[track_caller]
    pub fn is_refused(&self, status: u16, error: &str, says: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store", "{}", self.body);
        assert_eq!(self.error(), error, "{}", self.body);
        let description = self.description();
        assert!(
            description.contains(says),
            "{says:?} is not in: {description}"
        );
        assert!(
            description
                .bytes()
                .all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\'),
            "{description}"
        );
    }

    /// Asserts status 200.
    #[track_caller]
    pub fn granted(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }
}

impl World {
    /// A request with any method, headers and body.
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let mut request = Browser::client()
            .request(method.parse().unwrap(), url)
            .body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            url: response.url().clone(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    /// A login that asks for a refresh token.
    pub async fn offline_login(&self, rp: &RelyingParty, issuer: &Issuer) -> Tokens {
        let options = LoginOptions::default().with_offline_access();
        self.login(rp, issuer, &options).await
    }

    /// Asks about a token.
    pub async fn introspect(&self, rp: &RelyingParty, issuer: &Issuer, token: &str) -> Value {
        let fields = rp.introspection_request(&issuer.metadata, token).unwrap();
        let url = &issuer.metadata.introspection_endpoint;
        self.post(url, &fields).await.granted()
    }

    /// Revokes a token.
    pub async fn revoke(&self, rp: &RelyingParty, issuer: &Issuer, token: &str) -> Answer {
        let fields = rp.revocation_request(&issuer.metadata, token).unwrap();
        self.post(&issuer.metadata.revocation_endpoint, &fields)
            .await
    }

    /// A further RP with the keys of the first, changed, served and attested.
    pub fn further_rp(
        &self,
        path: &str,
        change: impl FnOnce(RelyingParty) -> RelyingParty,
    ) -> Arc<RelyingParty> {
        self.further_rp_with_keys(path, self.rp().keys().clone(), change)
    }

    /// As [`World::further_rp`], with other keys.
    pub fn further_rp_with_keys(
        &self,
        path: &str,
        keys: RelyingPartyKeys,
        change: impl FnOnce(RelyingParty) -> RelyingParty,
    ) -> Arc<RelyingParty> {
        let rp = self.federation.further_relying_party(path, keys).unwrap();
        self.federation.admit(path, change(rp))
    }

    /// The claims of a right assertion.
    pub fn assertion_claims(&self, rp: &RelyingParty, audience: &str) -> Value {
        use varco::clock::Clock as _;
        let now = self.clock.now();
        json!({
            "iss": rp.entity_id(),
            "sub": rp.entity_id(),
            "aud": audience,
            "iat": now.0,
            "exp": now.0 + 60,
            "jti": varco::random::uuid4(),
        })
    }

    /// The claims of a userinfo answer of the RP.
    pub async fn attributes(
        &self,
        rp: &RelyingParty,
        issuer: &Issuer,
        tokens: &Tokens,
    ) -> serde_json::Map<String, Value> {
        let answer = self.userinfo(issuer, &tokens.answer.access_token).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let subject = tokens.id_token["sub"].as_str().unwrap();
        rp.open_userinfo(&issuer.metadata, &answer.body, subject)
            .unwrap()
    }

    /// Moves the database away: an outage, until [`World::database_comes_back`].
    pub fn database_goes_away(&self) {
        self.rename_database("", ".away");
    }

    /// Ends the outage.
    pub fn database_comes_back(&self) {
        self.rename_database(".away", "");
    }

    fn rename_database(&self, from: &str, to: &str) {
        for name in ["varco.db", "varco.db-wal", "varco.db-shm"] {
            let path = |suffix: &str| self.folder.path().join(format!("{name}{suffix}"));
            if path(from).exists() {
                std::fs::rename(path(from), path(to)).unwrap();
            }
        }
    }
}

impl World {
    /// What `varco rp disable` and `enable` do. A node obeys within seconds; one that starts now at once.
    pub fn switch_rp(&self, profile: &str, rp: &RelyingParty, enabled: bool) {
        let issuer = self.provider(profile).issuer.clone();
        let id = varco::model::ClientId::new(rp.entity_id());
        self.app
            .shared
            .store
            .write_blocking(move |connection| -> Result<(), varco::store::StoreError> {
                varco::store::client::set_enabled(connection, &issuer, &id, enabled).map(|_| ())
            })
            .unwrap();
    }
}
