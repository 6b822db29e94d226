//! A provider played by the test: it does as told and checks nothing.

use crate::clock::{Clock, ManualClock};
use crate::demo::relying_party::{Form, ProviderMetadata};
use crate::demo::{DemoError, DemoFederation, Http, HttpAnswer, HttpRequest, RelyingParty};
use crate::jose::{EncryptHeader, KeyKind, KeyUse, PrivateKey, SignHeader, encrypt, sign};
use crate::secret::sha256;
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, Weak};

pub const ACCESS_TOKEN: &str = "the-access-token";
pub const SUBJECT: &str = "pairwise-subject";

static RSA: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeyKind::Rsa(2048)).unwrap());

pub struct PlayedProvider {
    pub issuer: String,
    pub federation_key: PrivateKey,
    pub ec_key: PrivateKey,
    pub clock: Arc<ManualClock>,
    /// What was sent to the token, introspection and revocation endpoints.
    pub received: Mutex<Vec<(String, Form)>>,
    /// Changes to the next id_token.
    pub id_token_changes: Mutex<Map<String, Value>>,
    /// The next nonce to answer with.
    pub nonce: Mutex<String>,
    /// Answers with this status and body instead.
    pub refusal: Mutex<Option<(u16, Value)>>,
    federation: OnceLock<Weak<DemoFederation>>,
}

impl PlayedProvider {
    pub fn new(issuer: &str, clock: Arc<ManualClock>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            federation_key: PrivateKey::generate(KeyKind::P256).unwrap(),
            ec_key: PrivateKey::generate(KeyKind::P256).unwrap(),
            clock,
            received: Mutex::default(),
            id_token_changes: Mutex::default(),
            nonce: Mutex::default(),
            refusal: Mutex::default(),
            federation: OnceLock::new(),
        }
    }

    pub fn join(&self, federation: &Arc<DemoFederation>) {
        self.federation.set(Arc::downgrade(federation)).unwrap();
    }

    pub fn federation_jwks(&self) -> Value {
        json!({"keys": [self.federation_key.public_jwk(KeyUse::Signature, None)]})
    }

    pub fn metadata(&self) -> Value {
        let endpoint = |name: &str| format!("{}{name}", self.issuer);
        json!({
            "issuer": self.issuer,
            "authorization_endpoint": endpoint("authorization"),
            "token_endpoint": endpoint("token"),
            "userinfo_endpoint": endpoint("userinfo"),
            "introspection_endpoint": endpoint("introspection"),
            "revocation_endpoint": endpoint("revocation"),
            "client_registration_types_supported": ["automatic"],
            "acr_values_supported": crate::demo::policy::LEVELS,
            "id_token_signing_alg_values_supported": ["RS256", "RS384"],
            "jwks": {"keys": [
                RSA.public_jwk(KeyUse::Signature, None),
                self.ec_key.public_jwk(KeyUse::Signature, None),
            ]},
        })
    }

    fn entity_configuration(&self) -> String {
        let now = self.clock.now();
        let claims = json!({
            "iss": self.issuer,
            "sub": self.issuer,
            "iat": now.0,
            "exp": now.plus_seconds(3600).0,
            "jwks": self.federation_jwks(),
            "metadata": {"openid_provider": self.metadata()},
        });
        self.signed("entity-statement+jwt", &claims, &self.federation_key)
    }

    pub fn signed(&self, typ: &str, claims: &Value, key: &PrivateKey) -> String {
        let header = SignHeader {
            alg: key.default_signature_algorithm(),
            typ: Some(typ),
            cty: None,
            kid: key.kid(),
            extra: None,
        };
        sign(&header, claims, key).unwrap()
    }

    /// The key whose algorithm the relying party registered.
    pub fn key_for(&self, relying_party: &RelyingParty) -> &PrivateKey {
        if relying_party.keys().signing.kind().is_rsa() {
            &RSA
        } else {
            &self.ec_key
        }
    }

    /// An id_token that is right but for the changes; `null` removes a claim.
    pub fn id_token(&self, relying_party: &RelyingParty, nonce: &str, changes: &Value) -> String {
        let now = self.clock.now();
        let whole = sha256(ACCESS_TOKEN.as_bytes());
        let mut claims = json!({
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": relying_party.entity_id(),
            "acr": "https://www.spid.gov.it/SpidL2",
            "at_hash": BASE64URL_NOPAD.encode(&whole[..16]),
            "iat": now.0,
            "nbf": now.0,
            "exp": now.plus_seconds(300).0,
            "jti": "1",
            "nonce": nonce,
        });
        change(&mut claims, changes);
        self.signed("JWT", &claims, self.key_for(relying_party))
    }

    /// A userinfo answer that is right but for the changes.
    pub fn userinfo(&self, relying_party: &RelyingParty, changes: &Value) -> String {
        self.userinfo_as(relying_party, changes, Some("JWT"))
    }

    pub fn userinfo_as(
        &self,
        relying_party: &RelyingParty,
        changes: &Value,
        cty: Option<&str>,
    ) -> String {
        let now = self.clock.now();
        let mut claims = json!({
            "iss": self.issuer,
            "sub": SUBJECT,
            "aud": relying_party.entity_id(),
            "iat": now.0,
            "exp": now.plus_seconds(300).0,
            "given_name": "Ada",
            "https://attributes.eid.gov.it/fiscal_number": "TINIT-RSSDAA85T50H501C",
        });
        change(&mut claims, changes);
        let signed = self.signed("JWT", &claims, self.key_for(relying_party));
        let metadata = relying_party.protocol_metadata();
        let text = |name: &str| metadata[name].as_str().unwrap();
        let header = EncryptHeader {
            alg: text("userinfo_encrypted_response_alg").parse().unwrap(),
            enc: text("userinfo_encrypted_response_enc").parse().unwrap(),
            cty,
            typ: None,
        };
        let recipient = relying_party.keys().encryption.public();
        encrypt(&header, &recipient, signed.as_bytes()).unwrap()
    }

    pub fn sent_to(&self, endpoint: &str) -> Vec<Form> {
        let received = self.received.lock().unwrap();
        let to = received.iter().filter(|(url, _)| url.ends_with(endpoint));
        to.map(|(_, fields)| fields.clone()).collect()
    }

    fn answer(&self, request: &HttpRequest<'_>) -> HttpAnswer {
        let federation = self.federation.get().unwrap().upgrade().unwrap();
        let relying_party = federation.relying_party();
        match request {
            HttpRequest::Get { url, bearer: None } if url.contains("/ta/fetch?") => {
                let statement = federation
                    .trust_anchor()
                    .statement_about(&self.issuer, None);
                found(statement.unwrap().unwrap())
            }
            HttpRequest::Get { url, bearer: None } => {
                assert_eq!(
                    *url,
                    format!("{}.well-known/openid-federation", self.issuer)
                );
                found(self.entity_configuration())
            }
            HttpRequest::Get { url, bearer } => {
                assert_eq!(*url, format!("{}userinfo", self.issuer));
                assert_eq!(*bearer, Some(ACCESS_TOKEN));
                found(self.userinfo(relying_party, &json!({})))
            }
            HttpRequest::PostForm { url, fields } => {
                let mut received = self.received.lock().unwrap();
                received.push(((*url).to_owned(), fields.to_vec()));
                found(self.json_answer(url, relying_party).to_string())
            }
        }
    }

    fn json_answer(&self, url: &str, relying_party: &RelyingParty) -> Value {
        if !url.ends_with("token") {
            return json!({"active": true});
        }
        let changes = Value::Object(self.id_token_changes.lock().unwrap().clone());
        let nonce = self.nonce.lock().unwrap().clone();
        json!({
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 900,
            "refresh_token": "the-refresh-token",
            "id_token": self.id_token(relying_party, &nonce, &changes),
        })
    }
}

impl Http for PlayedProvider {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpAnswer, DemoError>> {
        let refusal = self.refusal.lock().unwrap().clone();
        Box::pin(async move {
            Ok(match refusal {
                Some((status, body)) => HttpAnswer {
                    status,
                    content_type: Some("application/json".to_owned()),
                    body: body.to_string().into_bytes(),
                },
                None => self.answer(&request),
            })
        })
    }
}

/// The provider's metadata with other keys than it has.
pub fn with_keys(provider: &ProviderMetadata, keys: crate::jose::KeySet) -> ProviderMetadata {
    ProviderMetadata {
        keys,
        ..provider.clone()
    }
}

fn found(body: String) -> HttpAnswer {
    HttpAnswer {
        status: 200,
        content_type: None,
        body: body.into_bytes(),
    }
}

fn change(claims: &mut Value, changes: &Value) {
    let claims = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.shift_remove(name);
        } else {
            claims.insert(name.clone(), value.clone());
        }
    }
}
