//! The authorization request (SPID/CIE AZ-2 to AZ-4).

use super::{DemoError, LoginOptions, ProviderMetadata, RelyingParty};
use crate::jose::{KeyKind, PrivateKey, SignHeader, SignatureAlgorithm, sign};
use crate::random;
use crate::secret::sha256;
use data_encoding::BASE64URL_NOPAD;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Map, Value, json};

/// A request that is ready to be sent, and what is needed to check the answer.
#[derive(Clone, Debug)]
pub struct PreparedRequest {
    /// The authorization endpoint.
    pub endpoint: String,
    /// The parameters outside the request object, in order: the body of a POST.
    pub fields: Vec<(String, String)>,
    /// The endpoint with the parameters as its query, for a GET.
    pub url: String,
    /// The signed request object.
    pub request_object: String,
    /// The provider that was asked.
    pub issuer: String,
    /// `state` (the right one, whatever the hooks changed).
    pub state: String,
    /// `nonce` (the right one).
    pub nonce: String,
    /// The PKCE verifier (RFC 7636 §4.1).
    pub code_verifier: String,
    /// The redirect address (the right one).
    pub redirect_uri: String,
    /// The levels asked for.
    pub acr_values: Vec<String>,
}

impl RelyingParty {
    /// Builds a request: the right one, then the changes that `options` asks for, then the signature.
    ///
    /// # Errors
    /// When signing fails, or the provider's authorization endpoint is no URL.
    pub fn authorization_request(
        &self,
        provider: &ProviderMetadata,
        options: &LoginOptions,
    ) -> Result<PreparedRequest, DemoError> {
        let mut prepared = PreparedRequest {
            endpoint: provider.authorization_endpoint.clone(),
            fields: Vec::new(),
            url: String::new(),
            request_object: String::new(),
            issuer: provider.issuer.clone(),
            state: random::token(),
            nonce: random::token(),
            code_verifier: random::token(),
            redirect_uri: self.redirect_uri(options),
            acr_values: options.acr_values.clone(),
        };
        let challenge = BASE64URL_NOPAD.encode(&sha256(prepared.code_verifier.as_bytes()));
        let mut claims = self.request_claims(&prepared, options, &challenge);
        claims.extend(options.claims_override.clone());
        for name in &options.remove {
            claims.shift_remove(name);
        }
        prepared.request_object = self.sign_request_object(&claims, options)?;
        let fields = self.outer_fields(&prepared, options, &challenge);
        let mut url = url::Url::parse(&prepared.endpoint).map_err(|error| DemoError::Http {
            url: prepared.endpoint.clone(),
            reason: error.to_string(),
        })?;
        url.query_pairs_mut().extend_pairs(&fields);
        prepared.url = url.into();
        prepared.fields = fields;
        Ok(prepared)
    }

    fn redirect_uri(&self, options: &LoginOptions) -> String {
        let first = || self.redirect_uris.first().cloned();
        options
            .redirect_uri
            .clone()
            .or_else(first)
            .unwrap_or_default()
    }

    fn request_claims(
        &self,
        prepared: &PreparedRequest,
        options: &LoginOptions,
        challenge: &str,
    ) -> Map<String, Value> {
        let now = self.clock.now();
        let mut claims = Map::new();
        let mut set = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        set("iss", json!(self.entity_id));
        set("aud", json!([prepared.issuer]));
        set("client_id", json!(self.entity_id));
        set("response_type", json!("code"));
        set("scope", json!(options.scope));
        set("redirect_uri", json!(prepared.redirect_uri));
        set("state", json!(prepared.state));
        set("nonce", json!(prepared.nonce));
        set("code_challenge", json!(challenge));
        set("code_challenge_method", json!("S256"));
        set("prompt", json!(options.prompt));
        set("acr_values", json!(options.acr_values.join(" ")));
        set("iat", json!(now.0));
        set("exp", json!(now.plus_seconds(options.lifetime_seconds).0));
        set("jti", json!(random::uuid4()));
        if let Some(mode) = &options.response_mode {
            set("response_mode", json!(mode));
        }
        if let Some(locales) = &options.ui_locales {
            set("ui_locales", json!(locales));
        }
        let asked = [
            ("userinfo", &options.userinfo_claims),
            ("id_token", &options.id_token_claims),
        ];
        let asked: Map<String, Value> = asked
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(place, names)| {
                let names = names.iter().map(|name| (name.clone(), Value::Null));
                (place.to_owned(), Value::Object(names.collect()))
            })
            .collect();
        if !asked.is_empty() {
            set("claims", Value::Object(asked));
        }
        claims
    }

    fn outer_fields(
        &self,
        prepared: &PreparedRequest,
        options: &LoginOptions,
        challenge: &str,
    ) -> Vec<(String, String)> {
        let right = [
            ("client_id", self.entity_id.as_str()),
            ("response_type", "code"),
            ("scope", options.scope.as_str()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
            ("request", &prepared.request_object),
        ];
        let mut fields: Vec<(String, String)> = right
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (name, value) in &options.outer_override {
            match fields.iter_mut().find(|(existing, _)| existing == name) {
                Some((_, existing)) => existing.clone_from(value),
                None => fields.push((name.clone(), value.clone())),
            }
        }
        fields.retain(|(name, _)| !options.outer_remove.contains(name));
        fields
    }

    fn sign_request_object(
        &self,
        claims: &Map<String, Value>,
        options: &LoginOptions,
    ) -> Result<String, DemoError> {
        let key = &self.keys.signing;
        let mut header = Map::new();
        header.insert(
            "alg".to_owned(),
            json!(key.default_signature_algorithm().as_str()),
        );
        header.insert("typ".to_owned(), json!("JWT"));
        header.insert("kid".to_owned(), json!(key.kid()));
        header.extend(options.header_override.clone());
        for name in &options.header_remove {
            header.shift_remove(name);
        }
        sign_with_header(&header, claims, key)
    }
}

/// Signs with any header, right or wrong. A header that [`sign`] can write is written by it; any other gets the key's
/// default signature over exactly that header, and `alg: none` an empty one.
///
/// # Errors
/// When signing fails.
pub(crate) fn sign_with_header(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
    key: &PrivateKey,
) -> Result<String, DemoError> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let absent_or_text = |name: &str| header.get(name).is_none_or(Value::is_string);
    let algorithm = text("alg").and_then(SignatureAlgorithm::parse);
    let algorithm = algorithm.filter(|algorithm| key.supports(*algorithm));
    if let (Some(alg), Some(kid), true, true) = (
        algorithm,
        text("kid"),
        absent_or_text("typ"),
        absent_or_text("cty"),
    ) {
        let mut extra = header.clone();
        for name in ["alg", "typ", "cty", "kid"] {
            extra.shift_remove(name);
        }
        let header = SignHeader {
            alg,
            typ: text("typ"),
            cty: text("cty"),
            kid,
            extra: Some(&extra),
        };
        return Ok(sign(&header, claims, key)?);
    }
    let encode = |value: &Map<String, Value>| {
        BASE64URL_NOPAD.encode(Value::Object(value.clone()).to_string().as_bytes())
    };
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = if text("alg").is_some_and(|alg| alg.eq_ignore_ascii_case("none")) {
        Vec::new()
    } else {
        raw_signature(input.as_bytes(), key)?
    };
    Ok(format!("{input}.{}", BASE64URL_NOPAD.encode(&signature)))
}

/// RS256 or ES256 over any bytes. `jose` signs only headers that are right, which is its point; a relying party that
/// sends wrong ones on purpose needs the bare operation.
fn raw_signature(input: &[u8], key: &PrivateKey) -> Result<Vec<u8>, DemoError> {
    let failed = |stack: openssl::error::ErrorStack| DemoError::Jose(stack.into());
    let der = key.to_pkcs8_der()?;
    let private = PKey::private_key_from_pkcs8(der.expose()).map_err(failed)?;
    let mut signer = Signer::new(MessageDigest::sha256(), &private).map_err(failed)?;
    let signature = signer.sign_oneshot_to_vec(input).map_err(failed)?;
    if key.kind() != KeyKind::P256 {
        return Ok(signature);
    }
    let numbers = EcdsaSig::from_der(&signature).map_err(failed)?;
    let mut raw = numbers.r().to_vec_padded(32).map_err(failed)?;
    raw.append(&mut numbers.s().to_vec_padded(32).map_err(failed)?);
    Ok(raw)
}
