//! Public keys (JWK) and key sets (JWKS), RFC 7517, read key by key.
//!
//! One key that is not understood must not hide the others (RFC 7517 §5): it is skipped and remembered with its reason,
//! so that an operator can be told why a `kid` is unknown.

use super::algorithm::KeyManagementAlgorithm;
use super::json::{MAX_DEPTH, parse_bounded};
use super::{JoseError, decode_base64url};
use biscuit::jwk::{
    AlgorithmParameters, EllipticCurve, EllipticCurveKeyParameters, RSAKeyParameters,
};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, PKeyRef, Public};
use openssl::rsa::Rsa;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// Bytes of a key set from outside.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;
/// Keys of a set that are read; further ones are skipped.
pub const MAX_KEYS: usize = 32;
/// RSA moduli in bits: below, too weak (SPID/CIE AL-5); above, verification would cost too much.
pub const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// base64url characters of one number of a key: 8192 bits and some.
const MAX_NUMBER_CHARACTERS: usize = 1400;
const MAX_RSA_EXPONENT_BITS: i32 = 33;
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Type and size of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA with this many bits in the modulus.
    Rsa(u32),
    /// Elliptic curve P-256.
    P256,
    /// Elliptic curve P-384.
    P384,
    /// Elliptic curve P-521.
    P521,
}

impl KeyKind {
    /// The kind of this text, as `Display` writes it: `RSA-2048`, `P-256`, `P-384`, `P-521`; case does not matter.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        match upper.as_str() {
            "P-256" => Some(Self::P256),
            "P-384" => Some(Self::P384),
            "P-521" => Some(Self::P521),
            other => {
                let bits = other.strip_prefix("RSA-")?.parse().ok()?;
                RSA_BITS.contains(&bits).then_some(Self::Rsa(bits))
            }
        }
    }

    /// Bits of the RSA modulus or of the curve's field.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Rsa(bits) => bits,
            Self::P256 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }

    /// Whether this is an RSA key.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa(_))
    }

    /// The curve, unless it is an RSA key.
    pub(super) const fn curve(self) -> Option<Curve> {
        match self {
            Self::Rsa(_) => None,
            Self::P256 => Some(Curve::P256),
            Self::P384 => Some(Curve::P384),
            Self::P521 => Some(Curve::P521),
        }
    }

    pub(super) fn of<T>(key: &PKeyRef<T>) -> Result<Self, JoseError>
    where
        T: openssl::pkey::HasPublic,
    {
        if let Ok(rsa) = key.rsa() {
            let bits = u32::try_from(rsa.n().num_bits()).unwrap_or_default();
            if !RSA_BITS.contains(&bits) {
                return Err(JoseError::UnusableKey(
                    "an RSA key of fewer than 2048 or more than 8192 bits",
                ));
            }
            return Ok(Self::Rsa(bits));
        }
        let ec = key
            .ec_key()
            .map_err(|_| JoseError::UnusableKey("neither an RSA nor an EC key"))?;
        match ec.group().curve_name() {
            Some(Nid::X9_62_PRIME256V1) => Ok(Self::P256),
            Some(Nid::SECP384R1) => Ok(Self::P384),
            Some(Nid::SECP521R1) => Ok(Self::P521),
            _ => Err(JoseError::UnusableKey(
                "a curve other than P-256, P-384 and P-521",
            )),
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA-{bits}"),
            Self::P256 | Self::P384 | Self::P521 => write!(f, "P-{}", self.bits()),
        }
    }
}

/// What is needed of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(super) const fn nid(self) -> Nid {
        match self {
            Self::P256 => Nid::X9_62_PRIME256V1,
            Self::P384 => Nid::SECP384R1,
            Self::P521 => Nid::SECP521R1,
        }
    }

    /// Bytes of a coordinate (RFC 7518 §6.2.1.2) and of half a signature (§3.4).
    pub(super) const fn coordinate_bytes(self) -> u8 {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    pub(super) fn group(self) -> Result<EcGroup, JoseError> {
        Ok(EcGroup::from_curve_name(self.nid())?)
    }
}

/// What a key is for: member `use` (RFC 7517 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyUse {
    /// `sig`
    Signature,
    /// `enc`
    Encryption,
}

impl KeyUse {
    /// The JWK name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "sig",
            Self::Encryption => "enc",
        }
    }

    /// The use of this JWK name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "sig" => Some(Self::Signature),
            "enc" => Some(Self::Encryption),
            _ => None,
        }
    }
}

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
            return Err(JoseError::UnusableKey("it has private members"));
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
        return Err(JoseError::UnusableKey(
            "an RSA key of fewer than 2048 or more than 8192 bits",
        ));
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
    // The point must be on the curve: otherwise key agreement leaks our private key (RFC 8725 §3.4).
    let key = EcKey::from_public_key_affine_coordinates(&group, &x, &y)
        .and_then(|key| key.check_key().map(|()| key))
        .map_err(|_| JoseError::UnusableKey("a point that is not on the curve"))?;
    Ok((
        AlgorithmParameters::EllipticCurve(parameters),
        PKey::from_ec_key(key)?,
    ))
}

/// A key of a set that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its `kid`, when it is a string.
    pub kid: Option<String>,
    /// Why; fixed text.
    pub reason: &'static str,
}

#[derive(Debug, Default)]
struct Keys {
    keys: Vec<PublicKey>,
    skipped: Vec<SkippedKey>,
}

/// The usable keys of a JWKS, decoded once; a clone shares them.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Arc<Keys>);

impl KeySet {
    /// Parses a JWKS from outside: at most [`MAX_KEY_SET_BYTES`], duplicate members refused.
    ///
    /// # Errors
    /// Those of [`parse_bounded`], and of [`KeySet::from_json`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, JoseError> {
        let document: Value = parse_bounded(bytes, MAX_KEY_SET_BYTES, MAX_DEPTH)?;
        Self::from_json(&document)
    }

    /// Reads `{"keys": […]}` that was parsed already. Keys that cannot be used are skipped; the set may be empty.
    ///
    /// # Errors
    /// `MalformedJson` when there is no array `keys`.
    pub fn from_json(document: &Value) -> Result<Self, JoseError> {
        let Some(Value::Array(jwks)) = document.get("keys") else {
            return Err(JoseError::MalformedJson(
                "a key set has no array keys".to_owned(),
            ));
        };
        let mut read = Keys::default();
        for (position, jwk) in jwks.iter().enumerate() {
            if position >= MAX_KEYS {
                read.skipped
                    .push(skipped(jwk, "all keys after the first 32"));
                break;
            }
            match PublicKey::from_jwk(jwk) {
                Ok(key) => read.keys.push(key),
                Err(JoseError::UnusableKey(reason)) => read.skipped.push(skipped(jwk, reason)),
                Err(_) => read.skipped.push(skipped(jwk, "openssl refuses it")),
            }
        }
        Ok(Self(Arc::new(read)))
    }

    /// A set of these keys.
    #[must_use]
    pub fn from_keys(keys: Vec<PublicKey>) -> Self {
        Self(Arc::new(Keys {
            keys,
            skipped: Vec::new(),
        }))
    }

    /// The usable keys in the document's order.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.0.keys
    }

    /// The keys that were not read, each with its reason.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.0.skipped
    }

    /// The first key of this `kid`.
    #[must_use]
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.keys().iter().find(|key| key.kid() == Some(kid))
    }

    /// The keys that may verify signatures: `use` is `sig` or absent.
    pub fn signing_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys()
            .iter()
            .filter(|key| key.usage() != Some(KeyUse::Encryption))
    }

    /// The key to encrypt with: one with `use` `enc` if there is any, else one without `use`; of a type that fits, and
    /// whose `alg`, if there is one, is this one.
    #[must_use]
    pub fn encryption_key(&self, algorithm: KeyManagementAlgorithm) -> Option<&PublicKey> {
        let fits = |key: &&PublicKey| {
            key.kind().is_rsa() == algorithm.is_rsa()
                && key.is_meant_for(KeyUse::Encryption, algorithm.as_str())
        };
        let stated = |key: &&PublicKey| key.usage() == Some(KeyUse::Encryption);
        let candidates = || self.keys().iter().filter(fits);
        candidates().find(stated).or_else(|| candidates().next())
    }

    /// `{"keys": […]}` of the usable keys.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let keys: Vec<Value> = self.keys().iter().map(PublicKey::to_jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}

fn skipped(jwk: &Value, reason: &'static str) -> SkippedKey {
    SkippedKey {
        kid: jwk.get("kid").and_then(Value::as_str).map(str::to_owned),
        reason,
    }
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
