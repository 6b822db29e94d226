//! One public key (JWK, RFC 7517 §4, RFC 7518 §6).

use super::key_kind::{Curve, KeyKind, KeyUse, RSA_BITS, RSA_SIZE};
use super::{JoseError, decode_base64url};
use biscuit::jwk::{
    AlgorithmParameters, EllipticCurve, EllipticCurveKeyParameters, RSAKeyParameters,
};
use openssl::bn::BigNum;
use openssl::ec::EcKey;
use openssl::pkey::{PKey, PKeyRef, Public};
use openssl::rsa::Rsa;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// base64url characters of one number of a key: 8192 bits and some.
const MAX_NUMBER_CHARACTERS: usize = 1400;
const MAX_RSA_EXPONENT_BITS: i32 = 33;
/// Why a key with private members is skipped.
pub const PRIVATE_KEY: &str = "it has private members";
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public key that can be used: RSA of an accepted size, or a point on an accepted curve.
#[derive(Clone)]
pub struct PublicKey {
    kid: Option<String>,
    usage: Option<KeyUse>,
    algorithm: Option<String>,
    kind: KeyKind,
    parameters: Arc<AlgorithmParameters>,
    key: Arc<PKey<Public>>,
}

impl PublicKey {
    /// Reads one JWK. Members that are not needed (`x5c`, `key_ops` …) are ignored; an unknown `alg` is kept, and such a
    /// key then fits no algorithm.
    ///
    /// # Errors
    /// `UnusableKey` with the reason: private members, unknown `kty` or `crv`, RSA sizes out of bounds, coordinates not
    /// of the curve's exact length (RFC 7518 §6.2.1.2) or not on the curve, `kid`, `use` or `alg` of another form.
    pub fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        let members = jwk
            .as_object()
            .ok_or(JoseError::UnusableKey("not a JSON object"))?;
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(JoseError::UnusableKey(PRIVATE_KEY));
        }
        let kid = text_member(members, "kid", "kid is not a string")?;
        let algorithm = text_member(members, "alg", "alg is not a string")?;
        let usage = text_member(members, "use", "use is not a string")?
            .map(|name| {
                KeyUse::parse(&name).ok_or(JoseError::UnusableKey("use is neither sig nor enc"))
            })
            .transpose()?;
        let (parameters, key) = match members.get("kty").and_then(Value::as_str) {
            Some("RSA") => rsa_key(jwk)?,
            Some("EC") => ec_key(jwk)?,
            _ => return Err(JoseError::UnusableKey("kty is neither RSA nor EC")),
        };
        Ok(Self {
            kid,
            usage,
            algorithm,
            kind: KeyKind::of(&key)?,
            parameters: Arc::new(parameters),
            key: Arc::new(key),
        })
    }

    /// Member `kid`: opaque (SPID/CIE AL-5).
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Member `use`.
    #[must_use]
    pub const fn usage(&self) -> Option<KeyUse> {
        self.usage
    }

    /// Member `alg` as it came.
    #[must_use]
    pub fn algorithm(&self) -> Option<&str> {
        self.algorithm.as_deref()
    }

    /// Type and size.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Bits of the RSA modulus or of the curve's field.
    #[must_use]
    pub const fn bits(&self) -> u32 {
        self.kind.bits()
    }

    /// RFC 7638 thumbprint with SHA-256, base64url; not necessarily the key's `kid`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        // Serialising four strings into memory cannot fail; an empty kid would match nothing.
        self.parameters
            .thumbprint(&biscuit::digest::SHA256)
            .unwrap_or_default()
    }

    /// The JWK with its public members, `kid`, `use` and `alg`.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        let mut members = match serde_json::to_value(&*self.parameters) {
            Ok(Value::Object(members)) => members,
            Ok(_) | Err(_) => Map::new(),
        };
        let common = [
            ("kid", self.kid()),
            ("use", self.usage.map(KeyUse::as_str)),
            ("alg", self.algorithm()),
        ];
        for (name, value) in common {
            if let Some(value) = value {
                members.insert(name.to_owned(), value.into());
            }
        }
        Value::Object(members)
    }

    /// The same key with these members.
    #[must_use]
    pub fn described(
        &self,
        kid: Option<&str>,
        usage: Option<KeyUse>,
        algorithm: Option<&str>,
    ) -> Self {
        Self {
            kid: kid.map(str::to_owned),
            usage,
            algorithm: algorithm.map(str::to_owned),
            ..self.clone()
        }
    }

    /// Whether the key may be used so, as far as `use` and `alg` say; the type of key is another question.
    pub(super) fn is_meant_for(&self, usage: KeyUse, algorithm: &str) -> bool {
        self.usage.is_none_or(|meant| meant == usage)
            && self.algorithm().is_none_or(|meant| meant == algorithm)
    }

    pub(super) fn key(&self) -> &PKeyRef<Public> {
        &self.key
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("kid", &self.kid)
            .field("usage", &self.usage)
            .field("algorithm", &self.algorithm)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

fn text_member(
    members: &Map<String, Value>,
    name: &str,
    reason: &'static str,
) -> Result<Option<String>, JoseError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(JoseError::UnusableKey(reason)),
    }
}

/// biscuit turns text of any length into a number; this looks at the length first.
fn check_length(jwk: &Value, names: [&str; 2]) -> Result<(), JoseError> {
    let short = |name| {
        jwk.get(name)
            .and_then(Value::as_str)
            .is_some_and(|text| text.len() <= MAX_NUMBER_CHARACTERS)
    };
    if names.into_iter().all(short) {
        Ok(())
    } else {
        Err(JoseError::UnusableKey(
            "a member of the key is missing or too long",
        ))
    }
}

fn rsa_key(jwk: &Value) -> Result<(AlgorithmParameters, PKey<Public>), JoseError> {
    check_length(jwk, ["n", "e"])?;
    let parameters: RSAKeyParameters = serde::Deserialize::deserialize(jwk)
        .map_err(|_| JoseError::UnusableKey("n or e is not a base64url number"))?;
    let modulus = BigNum::from_slice(&parameters.n.to_bytes_be())?;
    let exponent = BigNum::from_slice(&parameters.e.to_bytes_be())?;
    let bits = u32::try_from(modulus.num_bits()).unwrap_or_default();
    if !RSA_BITS.contains(&bits) {
        return Err(JoseError::UnusableKey(RSA_SIZE));
    }
    if !modulus.is_odd() {
        return Err(JoseError::UnusableKey("an even RSA modulus"));
    }
    // One bit is the exponent 1, with which a signature is its own message.
    if !exponent.is_odd() || !(2..=MAX_RSA_EXPONENT_BITS).contains(&exponent.num_bits()) {
        return Err(JoseError::UnusableKey(
            "an RSA exponent that is even, 1 or longer than 33 bits",
        ));
    }
    let key = PKey::from_rsa(Rsa::from_public_components(modulus, exponent)?)?;
    Ok((AlgorithmParameters::RSA(parameters), key))
}

fn ec_key(jwk: &Value) -> Result<(AlgorithmParameters, PKey<Public>), JoseError> {
    check_length(jwk, ["x", "y"])?;
    let parameters: EllipticCurveKeyParameters = serde::Deserialize::deserialize(jwk)
        .map_err(|_| JoseError::UnusableKey("crv, x or y is not understood"))?;
    let curve = match parameters.curve {
        EllipticCurve::P256 => Curve::P256,
        EllipticCurve::P384 => Curve::P384,
        EllipticCurve::P521 => Curve::P521,
        EllipticCurve::Curve25519 | EllipticCurve::Curve448 => {
            return Err(JoseError::UnusableKey(
                "a curve other than P-256, P-384 and P-521",
            ));
        }
    };
    let length = usize::from(curve.coordinate_bytes());
    if parameters.x.len() != length || parameters.y.len() != length {
        return Err(JoseError::UnusableKey(
            "a coordinate that has not the curve's length",
        ));
    }
    let (x, y) = (
        BigNum::from_slice(&parameters.x)?,
        BigNum::from_slice(&parameters.y)?,
    );
    let group = curve.group()?;
    // A point off the curve lets key agreement leak our private key (RFC 8725 §3.4). openssl checks it here: EC_KEY_new(3),
    // EC_KEY_set_public_key_affine_coordinates; checking again would double the time.
    let key = EcKey::from_public_key_affine_coordinates(&group, &x, &y)
        .map_err(|_| JoseError::UnusableKey("a point that is not on the curve"))?;
    Ok((
        AlgorithmParameters::EllipticCurve(parameters),
        PKey::from_ec_key(key)?,
    ))
}

/// A number of a JWK that biscuit does not read for us.
pub(super) fn number(jwk: &Value, name: &'static str) -> Result<BigNum, JoseError> {
    let text = jwk
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| text.len() <= MAX_NUMBER_CHARACTERS)
        .ok_or(JoseError::UnusableKey(
            "a member of the key is missing or too long",
        ))?;
    Ok(BigNum::from_slice(&decode_base64url(text, name)?)?)
}
