//! What our tokens say, and their signatures (SPID/CIE TK-4, TK-5, TK-6, RFC 9068, OIDC Core §2).

use crate::clock::UtcTime;
use crate::jose::{
    self, ContentEncryption, EncryptHeader, JoseError, KeyManagementAlgorithm, PrivateKey,
    PublicKey, SignHeader, SignatureAlgorithm,
};
use crate::model::{ClientMetadata, Grant, Token};
use crate::profile::{self, Path};
use crate::provider::{KnownClient, Provider};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `typ` of access tokens (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// `typ` of refresh tokens: no other token passes for one.
pub const REFRESH_TOKEN_TYPE: &str = "rt+jwt";

/// A key of ours with the algorithm to use it with.
#[derive(Clone, Debug)]
pub struct SigningChoice {
    /// The algorithm.
    pub algorithm: SignatureAlgorithm,
    /// The key.
    pub key: PrivateKey,
}

impl SigningChoice {
    /// The choice for an algorithm name of RP metadata; RS256 when the RP names none (SPID/CIE UI-2).
    ///
    /// `None`: the profile does not have the algorithm, or the ring has no key for it.
    #[must_use]
    pub fn for_name(op: &Provider, name: Option<&str>) -> Option<Self> {
        let algorithm = match name {
            None => profile::DEFAULT_SIGNATURE,
            Some(name) => SignatureAlgorithm::parse(name)?,
        };
        if !op.profile.signature_algorithms.contains(&algorithm) {
            return None;
        }
        let key = op.rings().protocol.signing_key(algorithm)?.clone();
        Some(Self { algorithm, key })
    }

    /// Signs claims.
    ///
    /// # Errors
    /// openssl failed.
    pub fn sign(
        &self,
        typ: Option<&str>,
        cty: Option<&str>,
        claims: &impl Serialize,
    ) -> Result<String, JoseError> {
        jose::sign(
            &SignHeader {
                alg: self.algorithm,
                typ,
                cty,
                kid: self.key.kid(),
                extra: None,
            },
            claims,
            &self.key,
        )
    }
}

/// An RP's encryption key with the algorithms to use it with.
#[derive(Clone, Debug)]
pub struct EncryptionTarget {
    key: PublicKey,
    alg: KeyManagementAlgorithm,
    enc: ContentEncryption,
}

impl EncryptionTarget {
    /// For the userinfo of an RP (SPID/CIE UI-2): its metadata's algorithms, or RSA-OAEP and A256CBC-HS512.
    ///
    /// `None`: the RP has no key that fits.
    #[must_use]
    pub fn for_userinfo(client: &KnownClient) -> Option<Self> {
        let metadata = client.metadata();
        Self::from_names(
            client,
            metadata.userinfo_encrypted_response_alg.as_deref(),
            metadata.userinfo_encrypted_response_enc.as_deref(),
        )
    }

    /// For the id_token of an RP that asks for it (SPID/CIE TK-5).
    #[must_use]
    pub fn for_id_token(client: &KnownClient) -> Option<Self> {
        let metadata = client.metadata();
        Self::from_names(
            client,
            metadata.id_token_encrypted_response_alg.as_deref(),
            metadata.id_token_encrypted_response_enc.as_deref(),
        )
    }

    fn from_names(client: &KnownClient, alg: Option<&str>, enc: Option<&str>) -> Option<Self> {
        let alg = match alg {
            None => profile::DEFAULT_KEY_MANAGEMENT,
            Some(name) => KeyManagementAlgorithm::parse(name)?,
        };
        let enc = match enc {
            None => profile::DEFAULT_CONTENT_ENCRYPTION,
            Some(name) => ContentEncryption::parse(name)?,
        };
        let key = client.keys.encryption_key(alg)?.clone();
        Some(Self { key, alg, enc })
    }

    /// A nested JWT (RFC 7519 §5.2).
    ///
    /// # Errors
    /// openssl failed.
    pub fn seal(&self, token: &str) -> Result<String, JoseError> {
        jose::encrypt(
            &EncryptHeader {
                alg: self.alg,
                enc: self.enc,
                cty: Some("JWT"),
                typ: None,
            },
            &self.key,
            token.as_bytes(),
        )
    }
}

/// SPID/CIE TK-4, RFC 9068 §2.2.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    iss: String,
    sub: String,
    aud: Vec<String>,
    /// Whose it is.
    pub client_id: String,
    scope: String,
    /// The key of the row.
    pub jti: String,
    iat: UtcTime,
    exp: UtcTime,
}

/// SPID/CIE TK-6.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RefreshTokenClaims {
    iss: String,
    sub: String,
    aud: Vec<String>,
    /// Whose it is.
    pub client_id: String,
    /// The key of the row.
    pub jti: String,
    iat: UtcTime,
    exp: UtcTime,
}

/// SPID/CIE TK-5.
#[derive(Clone, Debug, Serialize)]
pub struct IdTokenClaims {
    iss: String,
    sub: String,
    aud: String,
    acr: String,
    at_hash: String,
    /// RFC 8176.
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<UtcTime>,
    iat: UtcTime,
    nbf: UtcTime,
    exp: UtcTime,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    #[serde(flatten)]
    attributes: Map<String, Value>,
}

/// The claims of an access token's row.
#[must_use]
pub fn access_token(op: &Provider, grant: &Grant, token: &Token) -> AccessTokenClaims {
    AccessTokenClaims {
        iss: op.settings.id.clone(),
        sub: grant.subject.clone(),
        aud: vec![op.url(Path::Userinfo)],
        client_id: grant.client_id.to_string(),
        scope: grant.request.scope.join(" "),
        jti: token.id.to_string(),
        iat: token.issued_at,
        exp: token.expires_at,
    }
}

/// The claims of a refresh token's row.
#[must_use]
pub fn refresh_token(op: &Provider, grant: &Grant, token: &Token) -> RefreshTokenClaims {
    RefreshTokenClaims {
        iss: op.settings.id.clone(),
        sub: grant.subject.clone(),
        aud: vec![op.url(Path::Token)],
        client_id: grant.client_id.to_string(),
        jti: token.id.to_string(),
        iat: token.issued_at,
        exp: token.expires_at,
    }
}

/// What an id_token needs beside the grant.
#[derive(Clone, Debug)]
pub struct IdTokenPlan {
    /// The level to state.
    pub acr: String,
    /// Attributes that were asked for it (SPID/CIE AZ-9).
    pub attributes: Map<String, Value>,
    /// How to sign.
    pub signing: SigningChoice,
    /// Whether to encrypt.
    pub encryption: Option<EncryptionTarget>,
    /// End of its life.
    pub expires_at: UtcTime,
    /// Now.
    pub issued_at: UtcTime,
}

impl IdTokenPlan {
    /// Signs, and encrypts when the RP asked for it.
    ///
    /// # Errors
    /// openssl failed.
    pub fn issue(
        &self,
        op: &Provider,
        grant: &Grant,
        access_token: &str,
    ) -> Result<String, JoseError> {
        let claims = IdTokenClaims {
            iss: op.settings.id.clone(),
            sub: grant.subject.clone(),
            aud: grant.client_id.to_string(),
            acr: self.acr.clone(),
            at_hash: left_half_hash(self.signing.algorithm, access_token),
            amr: op.profile.amr.then(|| grant.methods.amr(op.external_amr())),
            auth_time: op.profile.auth_time.then_some(grant.authenticated_at),
            iat: self.issued_at,
            nbf: self.issued_at,
            exp: self.expires_at,
            jti: crate::random::uuid4(),
            nonce: grant.request.nonce.clone(),
            attributes: self.attributes.clone(),
        };
        let signed = self.signing.sign(Some("JWT"), None, &claims)?;
        match &self.encryption {
            None => Ok(signed),
            Some(target) => target.seal(&signed),
        }
    }
}

/// `at_hash` (OIDC Core §3.1.3.6): the left half of the hash that the algorithm names.
#[must_use]
pub fn left_half_hash(algorithm: SignatureAlgorithm, token: &str) -> String {
    let bytes = token.as_bytes();
    let hash = match algorithm {
        SignatureAlgorithm::Rs256 | SignatureAlgorithm::Ps256 | SignatureAlgorithm::Es256 => {
            openssl::sha::sha256(bytes).to_vec()
        }
        SignatureAlgorithm::Rs384 | SignatureAlgorithm::Ps384 | SignatureAlgorithm::Es384 => {
            openssl::sha::sha384(bytes).to_vec()
        }
        SignatureAlgorithm::Rs512 | SignatureAlgorithm::Ps512 | SignatureAlgorithm::Es512 => {
            openssl::sha::sha512(bytes).to_vec()
        }
    };
    let half = hash.get(..hash.len() / 2).unwrap_or_default();
    BASE64URL_NOPAD.encode(half)
}

/// The signature of access and refresh tokens, which only we read: RS256.
#[must_use]
pub fn own_signing(op: &Provider) -> Option<SigningChoice> {
    SigningChoice::for_name(op, None)
}

/// Whether the RP's id_token is to be encrypted, and how; `Err` when it asks for what cannot be done.
///
/// # Errors
/// The RP asks for encryption but has no key that fits.
pub fn id_token_encryption(
    op: &Provider,
    client: &KnownClient,
) -> Result<Option<EncryptionTarget>, &'static str> {
    let metadata: &ClientMetadata = client.metadata();
    // issuer.encrypt_id_token only publishes the algorithms (SPID/CIE MD-3); in SPID nothing is encrypted (TK-5).
    let wanted =
        op.profile.id_token_encryption && metadata.id_token_encrypted_response_alg.is_some();
    if !wanted {
        return Ok(None);
    }
    EncryptionTarget::for_id_token(client).map(Some).ok_or(
        "RP metadata: jwks must hold an encryption key that fits id_token_encrypted_response_alg",
    )
}
