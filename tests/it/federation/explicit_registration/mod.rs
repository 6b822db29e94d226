//! OIDC Federation §12.2: RPs of the federation register themselves at a plain OpenID Connect issuer.

mod attacks;
mod lifetime;
mod metadata;
mod replacement;
mod story;

use crate::harness::{Answer, World, claims_of};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use varco::demo::{RelyingParty, RelyingPartyKeys};
use varco::jose::{KeySet, SignHeader, sign};

const STATEMENT: &str = "application/entity-statement+jwt";
const CHAIN: &str = "application/trust-chain+json";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

impl World {
    fn op(&self) -> String {
        self.url("/oidc/")
    }

    /// An RP of the federation that registers explicitly and stays plain: no encryption, a secret for the token endpoint.
    /// Its superior has no policy for it.
    fn plain_rp(&self, path: &str) -> RelyingParty {
        let rp = self.plain_rp_with(path, self.rp().keys().clone());
        self.attest(&rp, Map::new());
        rp
    }

    /// The same with keys that nobody attests yet.
    fn plain_rp_with(&self, path: &str, keys: RelyingPartyKeys) -> RelyingParty {
        let mut rp = self.federation.further_relying_party(path, keys).unwrap();
        for (name, value) in [
            ("token_endpoint_auth_method", json!("client_secret_basic")),
            ("userinfo_signed_response_alg", Value::Null),
            ("userinfo_encrypted_response_alg", Value::Null),
            ("userinfo_encrypted_response_enc", Value::Null),
        ] {
            rp = rp.with_metadata(name, value);
        }
        rp
    }

    async fn post_registration(&self, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        let url = self.url("/oidc/registration");
        self.send("POST", &url, &[("content-type", content_type)], body)
            .await
    }

    /// Posts a fresh entity configuration of the RP.
    async fn ask_to_register(&self, rp: &RelyingParty) -> Answer {
        let request = rp.registration_request(&self.op()).unwrap();
        self.post_registration(STATEMENT, request).await
    }

    /// What the issuer registered, once its answer is verified with the keys that its superior attests.
    fn registered(&self, rp: &RelyingParty, answer: &Answer) -> Map<String, Value> {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(
            answer.header("content-type"),
            "application/explicit-registration-response+jwt"
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        let rings = self.provider("oidc").rings();
        let keys = KeySet::from_json(rings.federation.published_jwks()).unwrap();
        let anchor = self.federation.trust_anchor().entity_id();
        rp.verify_registration(&self.op(), &keys, anchor, &answer.body)
            .unwrap()
    }

    /// Registers the RP; its metadata as registered.
    async fn register_rp(&self, rp: &RelyingParty) -> Value {
        let answer = self.ask_to_register(rp).await;
        self.registered(rp, &answer)["metadata"]["openid_relying_party"].take()
    }

    /// An authorization request of plain OpenID Connect.
    fn plain_request(&self, rp: &RelyingParty) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("client_id", rp.entity_id()),
                ("redirect_uri", rp.redirect_uris()[0].as_str()),
                ("response_type", "code"),
                ("scope", "openid profile"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
                ("state", "a state"),
            ])
            .finish();
        format!("{}authorization?{query}", self.op())
    }

    /// A code for `ada`, with a new browser.
    async fn plain_code(&self, rp: &RelyingParty) -> String {
        let mut browser = self.browser();
        let answer = browser.get(&self.plain_request(rp)).await;
        let page = browser.follow(answer, &self.base).await;
        let answer = self.log_in_and_allow(&mut browser, &page).await;
        answer
            .redirected("code")
            .unwrap_or_else(|| panic!("{}: {:?}", answer.status, answer.location()))
    }

    async fn plain_token(
        &self,
        rp: &RelyingParty,
        code: &str,
        headers: &[(&str, &str)],
        more: &[(String, String)],
    ) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("code", code),
                ("code_verifier", VERIFIER),
                ("redirect_uri", rp.redirect_uris()[0].as_str()),
            ])
            .extend_pairs(more)
            .finish();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.send("POST", &format!("{}token", self.op()), &all, body)
            .await
    }

    async fn token_with_secret(&self, rp: &RelyingParty, code: &str, secret: &str) -> Answer {
        let basic = basic(rp, secret);
        self.plain_token(rp, code, &[("authorization", &basic)], &[])
            .await
    }

    /// The claims of userinfo as plain JSON.
    async fn plain_userinfo(&self, token: &Value) -> Value {
        let mut browser = self.browser();
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
        browser.headers.push(("authorization", bearer));
        browser
            .get(&format!("{}userinfo", self.op()))
            .await
            .granted()
    }
}

fn basic(rp: &RelyingParty, secret: &str) -> String {
    let form =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", form(rp.entity_id()), form(secret));
    format!("Basic {}", BASE64.encode(pair.as_bytes()))
}

fn secret_of(registered: &Value) -> String {
    registered["client_secret"].as_str().unwrap().to_owned()
}

/// The RP's chain as it would post it: the request, what the anchor says of the RP, the anchor's configuration.
fn chain_of(world: &World, rp: &RelyingParty) -> Vec<String> {
    let request = rp.registration_request(&world.op()).unwrap();
    [vec![request], superiors_of(world, rp.entity_id())].concat()
}

/// The chain above an entity below the anchor.
fn superiors_of(world: &World, entity: &str) -> Vec<String> {
    let anchor = world.federation.trust_anchor();
    vec![
        anchor.statement_about(entity, None).unwrap().unwrap(),
        anchor.entity_configuration().unwrap(),
    ]
}

/// A request signed anew, with more members in its header.
fn with_header(rp: &RelyingParty, request: &str, members: &Value) -> String {
    let key = &rp.keys().federation;
    let header = SignHeader {
        alg: key.default_signature_algorithm(),
        typ: Some("entity-statement+jwt"),
        cty: None,
        kid: key.kid(),
        extra: members.as_object(),
    };
    sign(&header, &claims_of(request), key).unwrap()
}
