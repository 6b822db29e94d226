//! A good RP passes every row; for every row there is a change that makes exactly that row not pass.

mod verdicts;

use super::*;
use crate::jose::{KeyKind, KeyUse, PrivateKey, SignHeader, SignatureAlgorithm, sign};
use crate::profile::{PROFILES, metadata};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::LazyLock;

const RP: &str = "https://rp.example.it";
const MARK: &str = "https://ta.example.it/openid_relying_party/public/";
const NOW: UtcTime = UtcTime(1_800_000_000);

static FEDERATION: LazyLock<PrivateKey> = LazyLock::new(|| generate(KeyKind::P256));
static SIGNING: LazyLock<PrivateKey> = LazyLock::new(|| generate(KeyKind::P256));
static ENCRYPTION: LazyLock<PrivateKey> = LazyLock::new(|| generate(KeyKind::Rsa(2048)));
static P384: LazyLock<PrivateKey> = LazyLock::new(|| generate(KeyKind::P384));

fn generate(kind: KeyKind) -> PrivateKey {
    PrivateKey::generate(kind).unwrap()
}

fn sig(key: &PrivateKey) -> Value {
    key.public_jwk(KeyUse::Signature, None)
}

fn enc(key: &PrivateKey) -> Value {
    key.public_jwk(KeyUse::Encryption, None)
}

fn mark(changes: &Value) -> Value {
    let mut claims = json!({
        "iss": "https://ta.example.it", "sub": RP, "trust_mark_type": MARK,
        "iat": NOW.0 - 86_400, "exp": NOW.0 + 90 * 86_400,
    });
    merge(&mut claims, changes);
    let header = SignHeader {
        alg: SignatureAlgorithm::Es256,
        typ: Some("trust-mark+jwt"),
        cty: None,
        kid: FEDERATION.kid(),
        extra: None,
    };
    let jws = sign(&header, &claims, &FEDERATION).unwrap();
    json!([{ "trust_mark_type": MARK, "trust_mark": jws }])
}

/// Members of `changes` replace; null removes.
fn merge(target: &mut Value, changes: &Value) {
    let members = target.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            Value::Object(_) if members.contains_key(name) => {
                merge(members.get_mut(name).unwrap(), value);
            }
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
}

fn good() -> Value {
    json!({
        "header": { "typ": "entity-statement+jwt", "alg": "ES256", "kid": FEDERATION.kid() },
        "claims": {
            "iss": RP, "sub": RP, "iat": NOW.0 - 60, "exp": NOW.0 + 86_400,
            "jwks": { "keys": [sig(&FEDERATION)] },
            "authority_hints": ["https://ta.example.it"],
            "trust_marks": mark(&json!({})),
            "metadata": {
                "federation_entity": {
                    "organization_name": "Comune di Prova",
                    "contacts": ["pec@comune.example.it"],
                    "homepage_uri": "https://comune.example.it",
                    "policy_uri": "https://comune.example.it/privacy",
                    "logo_uri": "https://comune.example.it/logo.svg",
                },
                "openid_relying_party": {
                    "client_name": "Servizio di prova",
                    "client_id": RP,
                    "redirect_uris": ["https://rp.example.it/callback", "it.example.rp:/callback"],
                    "application_type": "native",
                    "response_types": ["code"],
                    "grant_types": ["authorization_code", "refresh_token"],
                    "token_endpoint_auth_method": "private_key_jwt",
                    "client_registration_types": ["automatic", "explicit"],
                    "subject_type": "pairwise",
                    "scope": "openid",
                    "request_object_signing_alg": "ES256",
                    "userinfo_signed_response_alg": "RS256",
                    "userinfo_encrypted_response_alg": "RSA-OAEP-256",
                    "userinfo_encrypted_response_enc": "A256CBC-HS512",
                    "jwks": { "keys": [sig(&SIGNING), enc(&ENCRYPTION)] },
                },
            },
        },
    })
}

fn examined(document: &Value, profile: &'static Profile) -> Examined {
    let object = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    let claims = document.get("claims").unwrap();
    let declared = object(claims.get("metadata")).unwrap_or_default();
    let last = object(document.get("last")).unwrap_or_else(|| declared.clone());
    let jwks = last.get(RELYING_PARTY).and_then(|of| of.get("jwks"));
    let keys = jwks.map(|jwks| KeySet::from_json(jwks).unwrap());
    Examined {
        entity_id: RP.to_owned(),
        profile,
        development: false,
        now: NOW,
        required_trust_marks: vec![MARK.to_owned()],
        configuration: Configuration::read(document.get("header").unwrap(), claims),
        facts: metadata::of_entity(&last).map(|metadata| MetadataFacts {
            metadata,
            keys: keys.unwrap_or_default(),
            development: false,
            profile,
        }),
        keys_were_read: true,
        declared,
        last,
    }
}

fn not_passed(rows: &[Row]) -> Vec<&str> {
    let bad = |row: &&Row| matches!(row.verdict, Verdict::Fail | Verdict::Warning);
    rows.iter()
        .filter(bad)
        .map(|row| row.name.as_str())
        .collect()
}

/// A row of the tests: the report's row, and what to change of the good RP.
type Mutation = (&'static str, Value);

fn rp(changes: Value) -> Value {
    json!({ "claims": { "metadata": { "openid_relying_party": changes } } })
}

fn keys(keys: &[Value]) -> Value {
    rp(json!({ "jwks": { "keys": keys } }))
}

fn claims(changes: Value) -> Value {
    json!({ "claims": changes })
}

fn entity(changes: Value) -> Value {
    claims(json!({ "metadata": { "federation_entity": changes } }))
}

/// The same key with other members.
fn with(key: &Value, changes: &Value) -> Value {
    let mut key = key.clone();
    merge(&mut key, changes);
    key
}

#[rustfmt::skip]
fn rules() -> Vec<Mutation> {
    vec![
        ("rule.redirect_uris.present", rp(json!({"redirect_uris": []}))),
        ("rule.redirect_uris.form", rp(json!({"redirect_uris": ["http://rp.example.it/callback"]}))),
        ("rule.response_types.contains", rp(json!({"response_types": []}))),
        ("rule.grant_types.only", rp(json!({"grant_types": ["authorization_code", "implicit"]}))),
        ("rule.token_endpoint_auth_method.value", rp(json!({"token_endpoint_auth_method": "client_secret_post"}))),
        ("rule.client_registration_types.contains", rp(json!({"client_registration_types": ["explicit"]}))),
        ("rule.jwks.signing_key", keys(&[enc(&ENCRYPTION)])),
        ("rule.id_token_signed_response_alg.known", rp(json!({"id_token_signed_response_alg": "HS256"}))),
        ("rule.userinfo_signed_response_alg.known", rp(json!({"userinfo_signed_response_alg": "none"}))),
        ("rule.request_object_signing_alg.known", rp(json!({"request_object_signing_alg": "EdDSA"}))),
        ("rule.token_endpoint_auth_signing_alg.known", rp(json!({"token_endpoint_auth_signing_alg": "HS512"}))),
        ("rule.userinfo_encrypted_response_enc.known", rp(json!({"userinfo_encrypted_response_enc": "A192GCM"}))),
        ("rule.id_token_encrypted_response_enc.known", rp(json!({
            "id_token_encrypted_response_enc": "A192GCM", "id_token_encrypted_response_alg": "RSA-OAEP"}))),
        ("rule.jwks.encryption_key.userinfo_encrypted_response_alg", keys(&[sig(&SIGNING)])),
        ("rule.jwks.encryption_key.id_token_encrypted_response_alg", rp(json!({
            "id_token_encrypted_response_alg": "ECDH-ES", "jwks": {"keys": [sig(&SIGNING), enc(&ENCRYPTION)]}}))),
        ("rule.userinfo_encrypted_response_alg.known", rp(json!({"userinfo_encrypted_response_alg": "RSA1_5"}))),
        ("rule.id_token_encrypted_response_alg.known", rp(json!({"id_token_encrypted_response_alg": "RSA1_5"}))),
    ]
}

#[rustfmt::skip]
fn rows() -> Vec<Mutation> {
    let (signing, encryption, federation) = (sig(&SIGNING), enc(&ENCRYPTION), sig(&FEDERATION));
    let uris = |uris: &[&str]| rp(json!({ "redirect_uris": uris }));
    let federation_keys = |keys: &[Value]| claims(json!({ "jwks": { "keys": keys } }));
    let marks = |changes: Value| claims(json!({ "trust_marks": mark(&changes) }));
    let small = json!({"kty": "RSA", "use": "sig", "kid": "small", "e": "AQAB", "n": format!("{}w", "u".repeat(170))});
    let odd = json!({"kty": "OKP", "crv": "Ed25519", "kid": "odd", "x": "AAAA"});
    let private = |key: &Value| with(key, &json!({"d": "AAAA", "kid": "private"}));
    vec![
        ("statement.typ", json!({"header": {"typ": "JWT"}})),
        ("statement.alg", json!({"header": {"alg": "ES384"}})),
        ("statement.kid", json!({"header": {"kid": null}})),
        ("statement.iss_sub", claims(json!({"sub": format!("{RP}/")}))),
        ("statement.iat", claims(json!({"iat": NOW.0 + 3600}))),
        ("statement.exp", claims(json!({"exp": NOW.0 - 1, "iat": NOW.0 - 3600}))),
        ("statement.lifetime", claims(json!({"exp": NOW.0 + 60 * 86_400}))),
        ("statement.authority_hints", claims(json!({"authority_hints": []}))),
        ("statement.leaf", claims(json!({"constraints": {}}))),
        ("statement.metadata", claims(json!({"metadata": {"openid_relying_party": null}}))),
        ("federation_entity.organization_name", entity(json!({"organization_name": null}))),
        ("federation_entity.contacts", entity(json!({"contacts": "pec@comune.example.it"}))),
        ("federation_entity.homepage_uri", entity(json!({"homepage_uri": null}))),
        ("federation_entity.policy_uri", entity(json!({"policy_uri": "privacy.html"}))),
        ("federation_entity.logo_uri", entity(json!({"logo_uri": "https://comune.example.it/logo.png"}))),
        ("trust_marks.required", marks(json!({"trust_mark_type": "https://ta.example.it/other/"}))),
        ("trust_marks.claims", marks(json!({"iat": null}))),
        ("trust_marks.sub", marks(json!({"sub": "https://other.example.it"}))),
        ("trust_marks.exp", marks(json!({"exp": NOW.0 - 1}))),
        ("trust_marks.soon", marks(json!({"exp": NOW.0 + 3600}))),
        ("trust_marks.type_name", marks(json!({"trust_mark_type": null, "id": MARK}))),
        ("relying_party.shape", rp(json!({"redirect_uris": "https://rp.example.it/callback"}))),
        ("relying_party.client_name", rp(json!({"client_name": null}))),
        ("relying_party.client_id", rp(json!({"client_id": "https://other.example.it"}))),
        ("relying_party.response_types", rp(json!({"response_types": ["code", "id_token"]}))),
        ("relying_party.grant_types", rp(json!({"grant_types": ["refresh_token"]}))),
        ("relying_party.application_type", rp(json!({"application_type": "web"}))),
        ("relying_party.subject_type", rp(json!({"subject_type": "public"}))),
        ("relying_party.client_registration_types", rp(json!({"client_registration_types": null}))),
        ("relying_party.token_endpoint_auth_method", rp(json!({"token_endpoint_auth_method": null}))),
        ("relying_party.scope", rp(json!({"scope": "openid phone"}))),
        ("relying_party.keys_once", rp(json!({"jwks_uri": "https://rp.example.it/jwks"}))),
        ("algorithms.userinfo_stated", rp(json!({"userinfo_signed_response_alg": null}))),
        ("algorithms.enc_without_alg", rp(json!({"id_token_encrypted_response_enc": "A128CBC-HS256"}))),
        ("algorithms.id_token_encryption", rp(json!({"id_token_encrypted_response_alg": "RSA-OAEP"}))),
        ("algorithms.enc_published", rp(json!({"userinfo_encrypted_response_enc": "A128GCM"}))),
        ("algorithms.request_encryption", rp(json!({"request_object_encryption_alg": "RSA-OAEP"}))),
        ("algorithms.signing_key", rp(json!({"request_object_signing_alg": "ES512"}))),
        ("redirect_uris.host", uris(&["https://192.0.2.1/callback"])),
        ("redirect_uris.wildcard", uris(&["https://rp.example.it/*"])),
        ("redirect_uris.credentials", uris(&["https://u:p@rp.example.it/callback"])),
        ("redirect_uris.custom_scheme", uris(&["myapp:/callback"])),
        ("redirect_uris.once", uris(&["https://rp.example.it/a", "https://rp.example.it/a"])),
        ("redirect_uris.same_host", uris(&["https://rp.example.it.evil.example/callback"])),
        ("keys.private", keys(&[signing.clone(), encryption.clone(), private(&signing)])),
        ("keys.size", keys(&[signing.clone(), encryption.clone(), small.clone()])),
        ("keys.usable", keys(&[signing.clone(), encryption.clone(), odd.clone()])),
        ("keys.curve", keys(&[signing.clone(), encryption.clone(), sig(&P384)])),
        ("keys.use", keys(&[with(&signing, &json!({"use": null})), encryption.clone()])),
        ("keys.alg", keys(&[signing.clone(), encryption.clone(), with(&enc(&FEDERATION_LIKE), &json!({"alg": "RSA-OAEP"}))])),
        ("keys.kid", keys(&[with(&signing, &json!({"kid": null})), encryption.clone()])),
        ("keys.kid_unique", keys(&[with(&signing, &json!({"kid": "1"})), with(&encryption, &json!({"kid": "1"}))])),
        ("keys.kid_thumbprint", keys(&[with(&signing, &json!({"kid": "key-1"})), encryption.clone()])),
        ("keys.federation", keys(&[federation.clone(), encryption.clone()])),
        ("keys.sig_and_enc", keys(&[signing.clone(), encryption.clone(), enc(&SIGNING)])),
        ("federation_keys.private", federation_keys(&[federation.clone(), private(&federation)])),
        ("federation_keys.size", federation_keys(&[federation.clone(), small.clone()])),
        ("federation_keys.usable", federation_keys(&[federation.clone(), odd])),
        ("federation_keys.kid", federation_keys(&[federation.clone(), with(&sig(&FEDERATION_LIKE), &json!({"kid": null}))])),
        ("federation_keys.kid_thumbprint", federation_keys(&[federation.clone(), with(&sig(&FEDERATION_LIKE), &json!({"kid": "1"}))])),
    ]
}

static FEDERATION_LIKE: LazyLock<PrivateKey> = LazyLock::new(|| generate(KeyKind::P256));

#[test]
fn a_good_relying_party_passes_every_row_of_every_profile() {
    for profile in PROFILES {
        let rows = report(&examined(&good(), profile));
        assert_eq!(not_passed(&rows), [""; 0], "{}", profile.name);
        assert!(count(&rows, Verdict::Pass) > 30, "{}", profile.name);
    }
}

#[test]
fn every_row_has_a_change_that_makes_exactly_that_row_not_pass() {
    let spid = Profile::find("spid").unwrap();
    let cie = Profile::find("cie").unwrap();
    let mut exercised = BTreeSet::new();
    let all = rules().into_iter().map(|case| (cie, case));
    for (profile, (name, changes)) in all.chain(rows().into_iter().map(|case| (spid, case))) {
        let mut document = good();
        merge(&mut document, &changes);
        let rows = report(&examined(&document, profile));
        let found = not_passed(&rows);
        // An unknown key management algorithm has no key that fits it either, and metadata without an RP has no members.
        let follows = |other: &&str| match name {
            "statement.metadata" => !other.starts_with("statement."),
            _ => {
                name.ends_with("encrypted_response_alg.known")
                    && other.starts_with("rule.jwks.encryption_key.")
            }
        };
        let found: Vec<&str> = found.into_iter().filter(|name| !follows(name)).collect();
        assert_eq!(found, [name]);
        let row = rows.iter().find(|row| row.name == name).unwrap();
        assert!(
            row.change
                .as_deref()
                .is_some_and(|change| change != row.asks)
        );
        exercised.insert(name.to_owned());
    }
    exercised.insert("relying_party.keys_place".to_owned());
    let names: BTreeSet<String> = [spid, cie]
        .into_iter()
        .flat_map(|profile| report(&examined(&good(), profile)))
        .map(|row| row.name)
        .collect();
    assert_eq!(exercised, names);
}

#[test]
fn what_a_policy_broke_is_said_to_be_the_policys() {
    // SPID/CIE FE-3
    let mut document = good();
    let mut last = document
        .pointer("/claims/metadata")
        .cloned()
        .unwrap_or_default();
    merge(
        &mut last,
        &json!({"openid_relying_party": {"grant_types": ["implicit"]}}),
    );
    merge(&mut document, &json!({ "last": last }));
    let rows = report(&examined(&document, Profile::find("spid").unwrap()));
    let row = rows.iter().find(|row| row.name == "rule.grant_types.only");
    let row = row.unwrap();
    assert_eq!(row.verdict, Verdict::Fail);
    assert_eq!(row.found, r#"["implicit"]"#);
    let declared = json!(["authorization_code", "refresh_token"]);
    assert_eq!(row.before_policies, Some(declared));
}

#[test]
fn what_others_wrote_is_one_short_line() {
    let mut document = good();
    let typ = format!("a\n\u{1b}[31m{}", "x".repeat(10_000));
    merge(&mut document, &json!({"header": {"typ": typ}}));
    let rows = report(&examined(&document, Profile::find("spid").unwrap()));
    let row = rows.iter().find(|row| row.name == "statement.typ").unwrap();
    assert!(row.found.chars().count() <= FOUND_MAX + 1);
    assert!(!row.found.contains(char::is_control));
}

#[test]
fn an_rp_that_an_operator_registered_has_no_entity_to_judge() {
    let mut examined = examined(&good(), Profile::find("oidc").unwrap());
    examined.configuration = None;
    let rows = report(&examined);
    assert_eq!(not_passed(&rows), [""; 0]);
    let applicable = |row: &Row| row.verdict != Verdict::NotApplicable;
    assert!(
        !rows
            .iter()
            .any(|row| row.name.starts_with("statement.") && applicable(row))
    );
    assert!(
        rows.iter()
            .any(|row| row.name.starts_with("redirect_uris.") && applicable(row))
    );
}
