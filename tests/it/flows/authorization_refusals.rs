//! How `/authorization` says no: by redirect or by page, and with which code (SPID/CIE AZ-12, FE-6, AL-1, AL-4, AL-5).

use crate::harness::{Issuer, World, assert_told};
use data_encoding::BASE64URL_NOPAD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Map, Value, json};
use varco::demo::relying_party::unverified_claims;
use varco::demo::{DemoKeys, LoginOptions, PreparedRequest, RelyingPartyKeys};
use varco::jose::{KeyKind, KeyUse, PrivateKey, SignHeader, SignatureAlgorithm, sign};
use varco::model::ClientId;
use varco::store::{StoreError, client};

/// The request with another request object in place of its own.
fn carrying(world: &World, issuer: &Issuer, token: &str) -> PreparedRequest {
    let options = LoginOptions::default().with_parameter("request", token);
    world.request(issuer, &options)
}

/// The claims of a right request object.
fn right_claims(world: &World, issuer: &Issuer) -> Map<String, Value> {
    let prepared = world.request(issuer, &LoginOptions::default());
    unverified_claims(&prepared.request_object).unwrap()
}

fn unsigned(header: &Value, claims: &Map<String, Value>) -> String {
    let part = |text: String| BASE64URL_NOPAD.encode(text.as_bytes());
    let claims = Value::Object(claims.clone()).to_string();
    format!("{}.{}", part(header.to_string()), part(claims))
}

fn mac(secret: &[u8], digest: MessageDigest, input: &str) -> String {
    let key = PKey::hmac(secret).unwrap();
    let mut signer = Signer::new(digest, &key).unwrap();
    let tag = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
    format!("{input}.{}", BASE64URL_NOPAD.encode(&tag))
}

/// SPID/CIE AL-4, AZ-2: nothing that is not signed by the RP's key is redirected anywhere.
#[actix_web::test]
async fn a_request_object_without_the_rps_signature_is_a_page_and_never_a_redirect() {
    let world = World::start();
    let rp = world.rp();
    let kid = rp.keys().signing.kid().to_owned();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        // The RP is known before: what follows fails for its signature only.
        let right = world.request(&issuer, &LoginOptions::default());
        world.accepted(&right).await;
        let error = "invalid_request_object";
        let claims = right_claims(&world, &issuer);

        for none in ["none", "None", "NONE", "nOnE", ""] {
            let input = unsigned(&json!({"alg": none, "kid": kid}), &claims);
            let prepared = carrying(&world, &issuer, &format!("{input}."));
            world.shown(&prepared, error, "algorithm").await;
        }
        for (alg, digest) in [
            ("HS256", MessageDigest::sha256()),
            ("HS384", MessageDigest::sha384()),
            ("HS512", MessageDigest::sha512()),
        ] {
            // The classic confusion: the public key as the secret of a MAC, in every form it is published in.
            let jwk = rp.keys().signing.public_jwk(KeyUse::Signature, None);
            let der = rp.keys().signing.to_pkcs8_der().unwrap();
            let public = PKey::private_key_from_pkcs8(der.expose()).unwrap();
            for secret in [
                public.public_key_to_pem().unwrap(),
                public.public_key_to_der().unwrap(),
                public.rsa().unwrap().public_key_to_pem_pkcs1().unwrap(),
                serde_json::to_vec(&jwk).unwrap(),
                b"varco".to_vec(),
            ] {
                let input = unsigned(&json!({"alg": alg, "kid": kid}), &claims);
                let prepared = carrying(&world, &issuer, &mac(&secret, digest, &input));
                let fact = format!("algorithm {alg} is not supported");
                world.shown(&prepared, error, &fact).await;
            }
        }
        // A right signature under a wrong name.
        for (alg, fact) in [
            ("ES256", "does not fit algorithm ES256"),
            ("RS384", "algorithm RS384 is not accepted"),
            ("EdDSA", "algorithm EdDSA is not supported"),
            ("RSA1_5", "algorithm RSA1_5 is not supported"),
            ("PS256X", "algorithm PS256X is not supported"),
        ] {
            let options = LoginOptions::default().with_header("alg", alg);
            let prepared = world.request(&issuer, &options);
            world.shown(&prepared, error, fact).await;
        }
        // Changed after it was signed.
        let (input, signature) = right.request_object.rsplit_once('.').unwrap();
        let header = input.split('.').next().unwrap();
        let mut changed = claims.clone();
        changed.insert("nonce".to_owned(), json!("a".repeat(32)));
        let payload = BASE64URL_NOPAD.encode(Value::Object(changed).to_string().as_bytes());
        let forged = format!("{header}.{payload}.{signature}");
        world
            .shown(&carrying(&world, &issuer, &forged), error, "signature")
            .await;
        let cut = format!("{input}.{}", &signature[..signature.len() - 4]);
        world
            .shown(&carrying(&world, &issuer, &cut), error, "signature")
            .await;
        world
            .shown(
                &carrying(&world, &issuer, &format!("{input}.")),
                error,
                "signature",
            )
            .await;
    }
}

/// SPID/CIE AL-5: keys come from the RP's metadata, never from the token.
#[actix_web::test]
async fn keys_that_the_token_brings_or_that_belong_to_another_are_worth_nothing() {
    let world = World::start();
    let rp = world.rp();
    let stranger = PrivateKey::generate(KeyKind::P256).unwrap();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let claims = right_claims(&world, &issuer);
        let error = "invalid_request_object";
        let mut extra = Map::new();
        extra.insert(
            "jwk".to_owned(),
            stranger.public_jwk(KeyUse::Signature, None),
        );
        extra.insert(
            "jku".to_owned(),
            json!(world.url("/rp-aggregated/jwks.json")),
        );
        extra.insert("x5u".to_owned(), json!("https://attacker.example/x"));
        let signed = |key: &PrivateKey, kid: &str| {
            let header = SignHeader {
                alg: key.default_signature_algorithm(),
                typ: Some("JWT"),
                cty: None,
                kid,
                extra: Some(&extra),
            };
            sign(&header, &claims, key).unwrap()
        };
        let token = signed(&stranger, stranger.kid());
        world
            .shown(&carrying(&world, &issuer, &token), error, "no key with kid")
            .await;
        let token = signed(&stranger, rp.keys().signing.kid());
        world
            .shown(&carrying(&world, &issuer, &token), error, "does not fit")
            .await;
        // Another RP of the same federation, with its own good key.
        let other = &world.federation.aggregated_relying_party().keys().signing;
        let token = signed(other, other.kid());
        world
            .shown(&carrying(&world, &issuer, &token), error, "no key with kid")
            .await;
        // The RP's keys for other purposes.
        let federation = &rp.keys().federation;
        let token = signed(federation, federation.kid());
        world
            .shown(&carrying(&world, &issuer, &token), error, "no key with kid")
            .await;
        let encryption = &rp.keys().encryption;
        let token = signed(encryption, encryption.kid());
        world
            .shown(&carrying(&world, &issuer, &token), error, "does not fit")
            .await;
        // An extension that must be understood.
        let options = LoginOptions::default().with_header("crit", json!(["exp"]));
        let prepared = world.request(&issuer, &options);
        world
            .shown(&prepared, error, "header crit is not supported")
            .await;
    }
}

/// SPID/CIE AL-1: the six published algorithms.
#[actix_web::test]
async fn request_objects_of_all_six_algorithms_are_accepted() {
    let world = World::start();
    let keys = |kind| RelyingPartyKeys {
        signing: PrivateKey::generate(kind).unwrap(),
        ..DemoKeys::generate_fast().unwrap().aggregated_relying_party
    };
    let rp = |path: &str, kind| {
        let rp = world.federation.further_relying_party(path, keys(kind));
        world.federation.admit(path, rp.unwrap())
    };
    let p521 = rp("rp-p521", KeyKind::P521);
    let p256 = rp("rp-p256", KeyKind::P256);
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for (rp, alg) in [
            (world.rp(), SignatureAlgorithm::Rs256),
            (world.rp(), SignatureAlgorithm::Rs512),
            (world.rp(), SignatureAlgorithm::Ps256),
            (world.rp(), SignatureAlgorithm::Ps512),
            (&*p256, SignatureAlgorithm::Es256),
            (&*p521, SignatureAlgorithm::Es512),
        ] {
            let options = LoginOptions::default().with_header("alg", alg.as_str());
            let prepared = world.request_of(rp, &issuer, &options);
            world.accepted(&prepared).await;
        }
    }
}

/// SPID/CIE FE-6: an RP that cannot be recognised has no verified redirect URI.
#[actix_web::test]
async fn an_rp_that_cannot_be_recognised_gets_a_page_with_the_code_of_its_failure() {
    let world = World::start();
    let federation = &world.federation;
    let keys = || DemoKeys::generate_fast().unwrap().relying_party;
    let further = |path: &str| federation.further_relying_party(path, keys()).unwrap();
    let stranger = federation.host("rp-stranger", further("rp-stranger"));
    let unmarked = further("rp-unmarked").with_trust_marks(Vec::new());
    let unmarked = federation.admit("rp-unmarked", unmarked);
    let implicit = further("rp-implicit").with_metadata("grant_types", json!(["implicit"]));
    let implicit = federation.admit("rp-implicit", implicit);
    let keyless = further("rp-keyless").with_metadata("jwks", json!({"keys": []}));
    let keyless = federation.admit("rp-keyless", keyless);
    // Nobody serves its configuration.
    let absent = further("rp-absent");
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        for (rp, error, fact) in [
            (&*stranger, "invalid_client", "ta"),
            (&*unmarked, "unauthorized_client", "trust mark"),
            (&*implicit, "unauthorized_client", "grant_types"),
            (&*keyless, "invalid_client", "jwks"),
            (&absent, "temporarily_unavailable", "rp-absent"),
        ] {
            let prepared = world.request_of(rp, &issuer, &LoginOptions::default());
            world.shown(&prepared, error, fact).await;
        }
        for id in [
            "not a url",
            "http://rp.example.it/",
            "https://rp.example.it/#x",
            "javascript:alert(1)",
        ] {
            let options = LoginOptions::default()
                .with_claim("client_id", id)
                .with_claim("iss", id);
            let prepared = world.request(&issuer, &options);
            world.shown(&prepared, "invalid_client", "client_id").await;
        }
    }
}

/// SPID/CIE FE-6: the redirect URI of an earlier chain that is still valid may be told.
#[actix_web::test]
async fn a_known_rp_is_told_by_its_valid_chain_until_it_ends() {
    let world = World::start();
    let wrong = LoginOptions::default().without_claim("nonce");
    let mut issuers = Vec::new();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let right = world.request(&issuer, &LoginOptions::default());
        world.accepted(&right).await;
        issuers.push(issuer);
    }
    world
        .federation
        .trust_anchor()
        .expel(world.rp().entity_id());
    for issuer in &issuers {
        let prepared = world.request(issuer, &wrong);
        world.told(&prepared, "invalid_request", "nonce").await;
    }
    // Chains live a day or two in the demonstration: a week later there is none left.
    let issuer = world.issuer("spid").await;
    world.clock.advance_seconds(7 * 86_400);
    let prepared = world.request(&issuer, &wrong);
    let page = world.browser().get(&prepared.url).await;
    assert_eq!((page.status, page.location()), (400, None), "{}", page.body);
}

/// SPID/CIE AZ-12: the official example of every code that a request can cause; the other codes have tests of their
/// own here (`unauthorized_client`, `temporarily_unavailable`) and in `interaction` (`access_denied`).
#[actix_web::test]
async fn every_official_error_example_gets_its_code() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let options = LoginOptions::default;
        for (options, error, fact) in [
            (options().without_claim("nonce"), "invalid_request", "nonce"),
            (
                options()
                    .with_claim("scope", "profile email")
                    .with_parameter("scope", "profile email"),
                "invalid_scope",
                "openid",
            ),
            (
                options().with_claim("response_type", "id_token"),
                "unsupported_response_type",
                "response_type must be code",
            ),
            (
                options().with_claim("prompt", "none"),
                "login_required",
                "prompt is none",
            ),
            (
                options().with_parameter("request_uri", "https://x"),
                "request_uri_not_supported",
                "request_uri",
            ),
            (
                options().with_parameter("registration", "{}"),
                "registration_not_supported",
                "registration",
            ),
            (
                options().with_claim("aud", "https://other.example.it"),
                "invalid_request_object",
                "claim aud is https://other.example.it, expected",
            ),
        ] {
            let prepared = world.request(&issuer, &options);
            let answer = world.told(&prepared, error, fact).await;
            assert_eq!(answer.status, 303);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        // consent_required: somebody is logged in.
        let mut browser = world.browser();
        world
            .code_with(&mut browser, world.rp(), &issuer, &options())
            .await;
        let prepared = world.request(&issuer, &options().with_claim("prompt", "none"));
        let answer = browser.get(&prepared.url).await;
        assert_told(&answer, &prepared, "consent_required", "consent");
    }
}

/// SPID/CIE AZ-12: a refusal changes nothing; the mended request of the same browser goes through.
#[actix_web::test]
async fn a_refused_request_object_is_not_spent() {
    let world = World::start();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let prepared = world.request(&issuer, &LoginOptions::default());
        let without_scope: Vec<_> = prepared
            .fields
            .iter()
            .filter(|(name, _)| name != "scope")
            .cloned()
            .collect();
        let answer = world
            .browser()
            .post(&prepared.endpoint, &without_scope)
            .await;
        assert_told(&answer, &prepared, "invalid_request", "scope");
        world.accepted(&prepared).await;
    }
}

/// SPID/CIE AZ-12, FE-6: our own outage is 503 and says when to come back; it is not the RP's fault, and no RP is told.
#[actix_web::test]
async fn a_database_that_does_not_answer_is_temporarily_unavailable() {
    let world = World::start();
    let mut requests = Vec::new();
    for profile in ["spid", "cie"] {
        let issuer = world.issuer(profile).await;
        let known = world.request(&issuer, &LoginOptions::default());
        world.accepted(&known).await;
        let options = LoginOptions::default();
        let unknown = world.federation.aggregated_relying_party();
        requests.push(world.request(&issuer, &options));
        requests.push(world.request_of(unknown, &issuer, &options));
    }
    world.app.shared.store.close().await;
    for prepared in &requests {
        let mut program = world.browser();
        program
            .headers
            .push(("accept", "application/json".to_owned()));
        let answer = program.get(&prepared.url).await;
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert_eq!(answer.error(), "temporarily_unavailable");
        assert!(answer.description().contains("database"));
        assert_ne!(answer.header("retry-after"), "");
        let page = world.browser().get(&prepared.url).await;
        assert_eq!((page.status, page.location()), (503, None));
        assert_ne!(page.header("retry-after"), "");
    }
}

/// SPID/CIE FE-6: an RP that the operator switched off is told nothing, whatever its chain is worth.
#[actix_web::test]
async fn an_rp_that_is_switched_off_gets_a_page() {
    for (profile, other) in [("spid", "cie"), ("cie", "spid")] {
        let world = World::start();
        let issuer = world.issuer(other).await;
        let right = world.request(&issuer, &LoginOptions::default());
        world.accepted(&right).await;
        // What one issuer has learnt becomes the switched-off row of the other, which has not met the RP yet.
        let from = world.provider(other).issuer.clone();
        let to = world.provider(profile).issuer.clone();
        let client_id = ClientId::new(world.rp().entity_id());
        let copied = world
            .app
            .shared
            .store
            .write(move |tx| -> Result<(), StoreError> {
                let mut row = client::find(tx, &from, &client_id)?.unwrap();
                row.issuer = to;
                row.enabled = false;
                client::upsert(tx, &row).map(drop)
            });
        copied.await.unwrap();
        let issuer = world.issuer(profile).await;
        for options in [
            LoginOptions::default(),
            LoginOptions::default().without_claim("nonce"),
        ] {
            let prepared = world.request(&issuer, &options);
            world
                .shown(&prepared, "unauthorized_client", "disabled")
                .await;
        }
    }
}
