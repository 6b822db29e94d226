//! Types, sizes, curves and uses of keys.

use super::JoseError;
use openssl::ec::EcGroup;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKeyRef};
use std::fmt;

/// RSA moduli in bits: below, too weak (SPID/CIE AL-5); above, verification would cost too much.
pub const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// Why a key of another size is skipped.
pub const RSA_SIZE: &str = "an RSA key of fewer than 2048 or more than 8192 bits";

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

    pub(super) fn of<T: HasPublic>(key: &PKeyRef<T>) -> Result<Self, JoseError> {
        if let Ok(rsa) = key.rsa() {
            let bits = u32::try_from(rsa.n().num_bits()).unwrap_or_default();
            if !RSA_BITS.contains(&bits) {
                return Err(JoseError::UnusableKey(RSA_SIZE));
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
