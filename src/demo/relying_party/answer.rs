//! What comes back, and its checks (OIDC Core §3.1.2.7, §3.1.3.7, §5.3.4; RFC 9207; SPID/CIE AZ-11, TK-5, UI-2).

use super::{DemoError, PreparedRequest, ProviderMetadata, RelyingParty};
use crate::demo::policy::LEVELS;
use crate::jose::{
    ContentEncryption, Expectations, ExpiryRule, IssuedAtRule, KeyManagementAlgorithm,
    SignatureAlgorithm, TypRule, Unverified, decrypt, parse_bounded,
};
use data_encoding::BASE64URL_NOPAD;
use openssl::hash::{MessageDigest, hash};
use serde_json::{Map, Value};

/// Seconds by which the clocks of provider and relying party may differ.
const LEEWAY_SECONDS: i64 = 30;
const MAX_TOKEN_BYTES: usize = 128 * 1024;
const MAX_ANSWER_BYTES: usize = 256 * 1024;
const MAX_ANSWER_DEPTH: usize = 16;

/// The parameters that the provider sent to the redirect address, by query or by form.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct AuthorizationAnswer {
    /// `code`
    pub code: Option<String>,
    /// `state`
    pub state: Option<String>,
    /// `iss` (RFC 9207)
    pub iss: Option<String>,
    /// `error`
    pub error: Option<String>,
    /// `error_description`
    pub error_description: Option<String>,
}

impl AuthorizationAnswer {
    /// Reads the address that the browser was sent to.
    #[must_use]
    pub fn parse_address(address: &str) -> Self {
        Self::parse_form(address.split_once('?').map_or("", |(_, query)| query))
    }

    /// Reads a query or a form's body. Of a repeated parameter the first counts.
    #[must_use]
    pub fn parse_form(form: &str) -> Self {
        let mut answer = Self::default();
        for (name, value) in url::form_urlencoded::parse(form.as_bytes()) {
            let member = match name.as_ref() {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.iss,
                "error" => &mut answer.error,
                "error_description" => &mut answer.error_description,
                _ => continue,
            };
            member.get_or_insert_with(|| value.into_owned());
        }
        answer
    }

    /// The code, once `state` and `iss` are those of the request.
    ///
    /// # Errors
    /// `Mismatch` for `state` and `iss`, `Refused` for an error answer, `Missing` without `code`.
    pub fn code(&self, prepared: &PreparedRequest) -> Result<&str, DemoError> {
        const ANSWER: &str = "authorization response";
        same(ANSWER, "state", &prepared.state, self.state.as_deref())?;
        same(ANSWER, "iss", &prepared.issuer, self.iss.as_deref())?;
        if let Some(error) = &self.error {
            return Err(DemoError::Refused {
                error: error.clone(),
                description: self.error_description.clone().unwrap_or_default(),
            });
        }
        self.code.as_deref().ok_or(DemoError::Missing {
            token: ANSWER,
            claim: "code",
            expected: "there",
        })
    }
}

/// An answer of the token endpoint (SPID/CIE TK-3).
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct TokenAnswer {
    /// `access_token`
    pub access_token: String,
    /// `token_type`: Bearer
    pub token_type: String,
    /// Seconds that the access token lives.
    pub expires_in: Option<i64>,
    /// `id_token`; absent in some answers to a refresh (SPID/CIE TK-7).
    pub id_token: Option<String>,
    /// `refresh_token`
    pub refresh_token: Option<String>,
}

impl TokenAnswer {
    /// Reads the answer's body.
    ///
    /// # Errors
    /// `Refused` for an error answer; `Token` when it is not JSON; `Mismatch` when `token_type` is not `Bearer`.
    pub fn parse(body: &[u8]) -> Result<Self, DemoError> {
        const ANSWER: &str = "token response";
        let json: Value = parse_bounded(body, MAX_ANSWER_BYTES, MAX_ANSWER_DEPTH)
            .map_err(DemoError::token(ANSWER))?;
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        if let Some(error) = text("error") {
            return Err(DemoError::Refused {
                error,
                description: text("error_description").unwrap_or_default(),
            });
        }
        let answer: Self = serde_json::from_value(json).map_err(|_| DemoError::Missing {
            token: ANSWER,
            claim: "access_token",
            expected: "a token of type Bearer",
        })?;
        if answer.token_type.eq_ignore_ascii_case("Bearer") {
            Ok(answer)
        } else {
            same(ANSWER, "token_type", "Bearer", Some(&answer.token_type))?;
            Ok(answer)
        }
    }
}

/// What an id_token must agree with.
#[derive(Clone, Copy, Debug)]
pub struct IdTokenExpectation<'a> {
    /// `nonce` of the request; `None` after a refresh, where it need not be there.
    pub nonce: Option<&'a str>,
    /// The access token that came with it, for `at_hash`.
    pub access_token: &'a str,
    /// The levels asked for; `acr` is at least the lowest of them. Empty: any.
    pub acr_values: &'a [String],
}

impl RelyingParty {
    /// The claims of an id_token, decrypted first when it is encrypted, once everything about it is right: signature by
    /// the provider's keys, `iss`, `aud`, `iat`, `nbf`, `exp`, `nonce`, `at_hash`, `acr`.
    ///
    /// # Errors
    /// The first fact that is wrong.
    pub fn verify_id_token(
        &self,
        provider: &ProviderMetadata,
        id_token: &str,
        expected: &IdTokenExpectation<'_>,
    ) -> Result<Map<String, Value>, DemoError> {
        const TOKEN: &str = "id_token";
        let signed = if id_token.split('.').count() == 5 {
            self.decrypted(TOKEN, id_token)?
        } else {
            id_token.to_owned()
        };
        let (claims, algorithm) = self.verify(provider, TOKEN, &signed)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if let Some(nonce) = expected.nonce {
            same(TOKEN, "nonce", nonce, text("nonce"))?;
        }
        let at_hash = at_hash(algorithm, expected.access_token)?;
        same(TOKEN, "at_hash", &at_hash, text("at_hash"))?;
        check_level(expected.acr_values, text("acr"))?;
        required(TOKEN, "sub", text("sub"))?;
        Ok(claims)
    }

    /// The claims of a userinfo answer (`application/jwt`): decrypted, its signature verified, `sub` that of the id_token.
    ///
    /// # Errors
    /// The first fact that is wrong.
    pub fn open_userinfo(
        &self,
        provider: &ProviderMetadata,
        body: &str,
        subject: &str,
    ) -> Result<Map<String, Value>, DemoError> {
        const TOKEN: &str = "userinfo";
        let signed = self.decrypted(TOKEN, body.trim())?;
        let (claims, _) = self.verify(provider, TOKEN, &signed)?;
        let found = claims.get("sub").and_then(Value::as_str);
        same(TOKEN, "sub", subject, found)?;
        Ok(claims)
    }

    fn decrypted(&self, token: &'static str, encrypted: &str) -> Result<String, DemoError> {
        let keys = std::slice::from_ref(&self.keys.encryption);
        let opened = decrypt(
            encrypted,
            keys,
            KeyManagementAlgorithm::ALL,
            ContentEncryption::ALL,
        )
        .map_err(DemoError::token(token))?;
        same(token, "cty", "JWT", opened.cty.as_deref())?;
        String::from_utf8(opened.plaintext.to_vec()).map_err(|_| DemoError::Missing {
            token,
            claim: "plaintext",
            expected: "a signed token",
        })
    }

    /// `id_token_signed_response_alg` or `userinfo_signed_response_alg`.
    fn response_algorithm(&self, kind: &str) -> SignatureAlgorithm {
        let changed = self
            .metadata_changes
            .get(&format!("{kind}_signed_response_alg"))
            .and_then(Value::as_str)
            .and_then(SignatureAlgorithm::parse);
        changed.unwrap_or_else(|| self.keys.signing.default_signature_algorithm())
    }

    fn verify(
        &self,
        provider: &ProviderMetadata,
        kind: &'static str,
        token: &str,
    ) -> Result<(Map<String, Value>, SignatureAlgorithm), DemoError> {
        let algorithms = [self.response_algorithm(kind)];
        let expectations = Expectations {
            kind,
            typ: TypRule::Any,
            algorithms: &algorithms,
            kid_required: true,
            issuer: Some(&provider.issuer),
            subject: None,
            audience: Some(&[&self.entity_id]),
            now: self.clock.now(),
            leeway_seconds: LEEWAY_SECONDS,
            expiry: ExpiryRule::Required,
            issued_at: IssuedAtRule::Required,
            max_lifetime_seconds: None,
        };
        let verified = Unverified::parse(token, MAX_TOKEN_BYTES)
            .and_then(|token| token.verify(&provider.keys, &expectations))
            .map_err(DemoError::token(kind))?;
        let algorithm = verified.algorithm();
        Ok((verified.into_claims(), algorithm))
    }
}

/// The payload of a signed token that is only shown (access and refresh tokens are the provider's business).
#[must_use]
pub fn unverified_claims(token: &str) -> Option<Map<String, Value>> {
    Unverified::parse(token, MAX_TOKEN_BYTES)
        .and_then(|token| token.unverified_claims())
        .ok()
}

/// The left half of the hash, whose size follows the id_token's algorithm (OIDC Core §3.1.3.6).
fn at_hash(algorithm: SignatureAlgorithm, access_token: &str) -> Result<String, DemoError> {
    use SignatureAlgorithm as Alg;
    let digest = match algorithm {
        Alg::Rs256 | Alg::Ps256 | Alg::Es256 => MessageDigest::sha256(),
        Alg::Rs384 | Alg::Ps384 | Alg::Es384 => MessageDigest::sha384(),
        Alg::Rs512 | Alg::Ps512 | Alg::Es512 => MessageDigest::sha512(),
    };
    let whole =
        hash(digest, access_token.as_bytes()).map_err(|stack| DemoError::Jose(stack.into()))?;
    let (half, _) = whole.split_at(whole.len() / 2);
    Ok(BASE64URL_NOPAD.encode(half))
}

/// SPID/CIE AZ-8: at least the lowest level asked for; a level outside the table equals only itself.
fn check_level(asked: &[String], found: Option<&str>) -> Result<(), DemoError> {
    if asked.is_empty() {
        return Ok(());
    }
    let rank = |uri: &str| LEVELS.iter().position(|level| *level == uri);
    let lowest = asked.iter().filter_map(|uri| rank(uri)).min();
    let enough = match (found.and_then(rank), lowest) {
        (Some(found), Some(lowest)) => found >= lowest,
        _ => found.is_some_and(|found| asked.iter().any(|uri| uri == found)),
    };
    if enough {
        return Ok(());
    }
    Err(DemoError::Mismatch {
        token: "id_token",
        claim: "acr",
        expected: format!("{} or higher", asked.join(" ")),
        found: found.unwrap_or("absent").to_owned(),
    })
}

fn same(
    token: &'static str,
    claim: &'static str,
    expected: &str,
    found: Option<&str>,
) -> Result<(), DemoError> {
    if found == Some(expected) {
        return Ok(());
    }
    Err(DemoError::Mismatch {
        token,
        claim,
        expected: expected.to_owned(),
        found: found.unwrap_or("absent").to_owned(),
    })
}

fn required(
    token: &'static str,
    claim: &'static str,
    found: Option<&str>,
) -> Result<(), DemoError> {
    found.map(|_| ()).ok_or(DemoError::Missing {
        token,
        claim,
        expected: "a string",
    })
}
