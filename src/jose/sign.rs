//! Our own keys, and signing with them (RFC 7515 §5.1).
//!
//! A key is decoded once and shared: decoding PKCS#8 per signature costs three times the signature.

use super::algorithm::SignatureAlgorithm;
use super::jwk::{PublicKey, number};
use super::key_kind::{Curve, KeyKind, KeyUse, RSA_BITS};
use super::{JoseError, encode_base64url, signature};
use crate::secret::Secret;
use data_encoding::BASE64URL_NOPAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::EcKey;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::rsa::{Rsa, RsaPrivateKeyBuilder};
use serde::Serialize;
use serde::ser::{Error as _, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;

struct Inner {
    key: PKey<Private>,
    kid: String,
    public: PublicKey,
}

/// A private key, decoded; a clone shares it. `Debug` shows the `kid` only.
#[derive(Clone)]
pub struct PrivateKey(Arc<Inner>);

impl PrivateKey {
    /// Makes a new key. RSA-4096 takes seconds: not on an async thread.
    ///
    /// # Errors
    /// `UnusableKey` for RSA sizes out of [`RSA_BITS`]; `Crypto`.
    pub fn generate(kind: KeyKind) -> Result<Self, JoseError> {
        Self::from_key(new_key(kind)?)
    }

    /// Reads a PKCS#8 `PrivateKeyInfo` in DER (RFC 5958), not encrypted.
    ///
    /// # Errors
    /// `UnusableKey` when it is none or of another kind. The halves are not compared: for RSA that costs a tenth of a
    /// second, and what is read here was sealed by us.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, JoseError> {
        let key = PKey::private_key_from_pkcs8(der)
            .map_err(|_| JoseError::UnusableKey("not a PKCS#8 private key"))?;
        Self::from_key(key)
    }

    /// Writes PKCS#8 `PrivateKeyInfo` in DER; seal it before it leaves memory (see [`super::keyring::KeyEncryptionKey`]).
    ///
    /// # Errors
    /// `Crypto`.
    pub fn to_pkcs8_der(&self) -> Result<Secret<Vec<u8>>, JoseError> {
        Ok(Secret::new(self.0.key.private_key_to_pkcs8()?))
    }

    /// Reads a private JWK (RFC 7518 §6.2.2, §6.3.2): EC with `d`, RSA with `d`, `p`, `q`, `dp`, `dq` and `qi`. Its `kid`
    /// is not taken over; see [`PrivateKey::kid`].
    ///
    /// # Errors
    /// `UnusableKey`, `NotBase64Url`, `Crypto`.
    pub fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        let is_rsa = jwk.get("kty").and_then(Value::as_str) == Some("RSA");
        let key = if is_rsa {
            rsa_from_jwk(jwk)?
        } else {
            ec_from_jwk(jwk)?
        };
        check_consistency(&key)?;
        Self::from_key(key)
    }

    fn from_key(key: PKey<Private>) -> Result<Self, JoseError> {
        let kind = KeyKind::of(&key)?;
        let public = PublicKey::from_jwk(&public_members(&key, kind)?)?;
        let kid = public.thumbprint();
        let public = public.described(Some(&kid), None, None);
        Ok(Self(Arc::new(Inner { key, kid, public })))
    }

    /// The public half with its `kid`, without `use` and `alg`.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.0.public.clone()
    }

    /// RFC 7638 thumbprint (SPID/CIE AL-5).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    /// Type and size.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.0.public.kind()
    }

    /// The public JWK to publish.
    #[must_use]
    pub fn public_jwk(&self, usage: KeyUse, algorithm: Option<&str>) -> Value {
        self.0
            .public
            .described(Some(self.kid()), Some(usage), algorithm)
            .to_jwk()
    }

    /// RS256 for RSA, else the curve's one algorithm.
    #[must_use]
    pub fn default_signature_algorithm(&self) -> SignatureAlgorithm {
        match self.kind() {
            KeyKind::Rsa(_) => SignatureAlgorithm::Rs256,
            KeyKind::P256 => SignatureAlgorithm::Es256,
            KeyKind::P384 => SignatureAlgorithm::Es384,
            KeyKind::P521 => SignatureAlgorithm::Es512,
        }
    }

    /// Whether the key can sign so.
    #[must_use]
    pub fn supports(&self, algorithm: SignatureAlgorithm) -> bool {
        signature::fits(algorithm, self.kind())
    }

    pub(super) fn key(&self) -> &PKeyRef<Private> {
        &self.0.key
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("kid", &self.kid())
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}

/// A new key without what a [`PrivateKey`] knows of itself: an ephemeral key needs no thumbprint.
pub(super) fn new_key(kind: KeyKind) -> Result<PKey<Private>, JoseError> {
    match (kind, kind.curve()) {
        (_, Some(curve)) => Ok(PKey::from_ec_key(EcKey::generate(&*curve.group()?)?)?),
        (KeyKind::Rsa(bits), None) if RSA_BITS.contains(&bits) => {
            Ok(PKey::from_rsa(Rsa::generate(bits)?)?)
        }
        (_, None) => Err(JoseError::UnusableKey("RSA keys have 2048 to 8192 bits")),
    }
}

/// A written-down key whose halves do not belong together would sign what nobody can verify.
fn check_consistency(key: &PKeyRef<Private>) -> Result<(), JoseError> {
    let consistent = match (key.rsa(), key.ec_key()) {
        (Ok(rsa), _) => rsa.check_key().unwrap_or(false),
        (Err(_), Ok(ec)) => ec.check_key().is_ok(),
        (Err(_), Err(_)) => false,
    };
    if consistent {
        Ok(())
    } else {
        Err(JoseError::UnusableKey(
            "its private and public parts do not belong together",
        ))
    }
}

/// The public JWK members of an openssl key.
pub(super) fn public_members<T: HasPublic>(
    key: &PKeyRef<T>,
    kind: KeyKind,
) -> Result<Value, JoseError> {
    let Some(curve) = kind.curve() else {
        let rsa = key.rsa()?;
        return Ok(json!({
            "kty": "RSA",
            "n": encode_base64url(&rsa.n().to_vec()),
            "e": encode_base64url(&rsa.e().to_vec()),
        }));
    };
    let ec = key.ec_key()?;
    let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
    let mut context = BigNumContext::new()?;
    ec.public_key()
        .affine_coordinates(ec.group(), &mut x, &mut y, &mut context)?;
    let length = i32::from(curve.coordinate_bytes());
    Ok(json!({
        "kty": "EC",
        "crv": curve.name(),
        "x": encode_base64url(&x.to_vec_padded(length)?),
        "y": encode_base64url(&y.to_vec_padded(length)?),
    }))
}

fn rsa_from_jwk(jwk: &Value) -> Result<PKey<Private>, JoseError> {
    let number = |name| number(jwk, name);
    let rsa = RsaPrivateKeyBuilder::new(number("n")?, number("e")?, number("d")?)?
        .set_factors(number("p")?, number("q")?)?
        .set_crt_params(number("dp")?, number("dq")?, number("qi")?)?
        .build();
    Ok(PKey::from_rsa(rsa)?)
}

fn ec_from_jwk(jwk: &Value) -> Result<PKey<Private>, JoseError> {
    let curve = match jwk.get("crv").and_then(Value::as_str) {
        Some("P-256") => Curve::P256,
        Some("P-384") => Curve::P384,
        Some("P-521") => Curve::P521,
        _ => {
            return Err(JoseError::UnusableKey(
                "neither an RSA key nor one on P-256, P-384 or P-521",
            ));
        }
    };
    let group = curve.group()?;
    let public =
        EcKey::from_public_key_affine_coordinates(&group, &*number(jwk, "x")?, &*number(jwk, "y")?)
            .map_err(|_| JoseError::UnusableKey("a point that is not on the curve"))?;
    let key = EcKey::from_private_components(&group, &*number(jwk, "d")?, public.public_key())?;
    Ok(PKey::from_ec_key(key)?)
}

/// The header of a token that we sign. `alg` is first on the wire.
#[derive(Clone, Copy, Debug)]
pub struct SignHeader<'a> {
    /// Must fit the key.
    pub alg: SignatureAlgorithm,
    /// `at+jwt`, `entity-statement+jwt` …
    pub typ: Option<&'a str>,
    /// `JWT` when the payload is a token.
    pub cty: Option<&'a str>,
    /// Usually [`PrivateKey::kid`].
    pub kid: &'a str,
    /// Further members, such as `trust_chain`; none of those above.
    pub extra: Option<&'a Map<String, Value>>,
}

impl Serialize for SignHeader<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("alg", &self.alg)?;
        if let Some(typ) = self.typ {
            members.serialize_entry("typ", typ)?;
        }
        if let Some(cty) = self.cty {
            members.serialize_entry("cty", cty)?;
        }
        members.serialize_entry("kid", self.kid)?;
        for (name, value) in self.extra.into_iter().flatten() {
            if matches!(name.as_str(), "alg" | "typ" | "cty" | "kid") {
                return Err(S::Error::custom("an extra header member is set already"));
            }
            members.serialize_entry(name, value)?;
        }
        members.end()
    }
}

/// Signs `claims`, serialised as JSON, to a JWS in compact serialization.
///
/// # Errors
/// `UnsuitableKey` when the key does not fit `alg`; `MalformedJson` when the claims cannot be serialised; `Crypto`.
pub fn sign(
    header: &SignHeader<'_>,
    claims: &impl Serialize,
    key: &PrivateKey,
) -> Result<String, JoseError> {
    if !key.supports(header.alg) {
        return Err(JoseError::UnsuitableKey {
            kid: Some(key.kid().to_owned()),
            algorithm: header.alg.as_str(),
        });
    }
    let header_json = to_json(header)?;
    let claims_json = to_json(claims)?;
    let mut token = String::with_capacity(
        BASE64URL_NOPAD
            .encode_len(header_json.len().saturating_add(claims_json.len()))
            .saturating_add(BASE64URL_NOPAD.encode_len(key.0.key.size()))
            .saturating_add(4),
    );
    BASE64URL_NOPAD.encode_append(&header_json, &mut token);
    token.push('.');
    BASE64URL_NOPAD.encode_append(&claims_json, &mut token);
    let signature = signature::create(header.alg, key.key(), token.as_bytes())?;
    token.push('.');
    BASE64URL_NOPAD.encode_append(&signature, &mut token);
    Ok(token)
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, JoseError> {
    serde_json::to_vec(value).map_err(|error| JoseError::MalformedJson(error.to_string()))
}
