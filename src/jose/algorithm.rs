//! The algorithms that exist here (RFC 7518 §3.1, §4.1, §5.1; SPID/CIE AL-1 to AL-4).
//!
//! `none`, `HS256/384/512` and `RSA1_5` have no variant: no allow-list, metadata or header of ours can hold them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// An algorithm name that does not exist here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an algorithm that is supported here")]
pub struct UnknownAlgorithm;

macro_rules! algorithms {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl $name {
            /// Every variant, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The JOSE name, as in headers and metadata.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The algorithm of this JOSE name; names are case-sensitive (RFC 7515 §4.1.1).
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl FromStr for $name {
            type Err = UnknownAlgorithm;
            fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
                Self::parse(name).ok_or(UnknownAlgorithm)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::parse(&name).ok_or_else(|| de::Error::custom(UnknownAlgorithm))
            }
        }
    };
}

algorithms! {
    /// `alg` of a JWS (RFC 7518 §3.1, SPID/CIE AL-1).
    SignatureAlgorithm {
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        Rs256 = "RS256",
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        Rs384 = "RS384",
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        Rs512 = "RS512",
        /// RSASSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// RSASSA-PSS with SHA-384.
        Ps384 = "PS384",
        /// RSASSA-PSS with SHA-512.
        Ps512 = "PS512",
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// ECDSA on P-384 with SHA-384.
        Es384 = "ES384",
        /// ECDSA on P-521 with SHA-512.
        Es512 = "ES512",
    }
}

algorithms! {
    /// `alg` of a JWE (RFC 7518 §4.1, SPID/CIE AL-2).
    KeyManagementAlgorithm {
        /// RSAES-OAEP with SHA-1 and MGF1 with SHA-1.
        RsaOaep = "RSA-OAEP",
        /// RSAES-OAEP with SHA-256 and MGF1 with SHA-256.
        RsaOaep256 = "RSA-OAEP-256",
        /// ECDH-ES, the agreed key encrypts the content.
        EcdhEs = "ECDH-ES",
        /// ECDH-ES, the agreed key wraps the content key by AES-128 key wrap.
        EcdhEsA128Kw = "ECDH-ES+A128KW",
        /// ECDH-ES, the agreed key wraps the content key by AES-256 key wrap.
        EcdhEsA256Kw = "ECDH-ES+A256KW",
    }
}

algorithms! {
    /// `enc` of a JWE (RFC 7518 §5.1, SPID/CIE AL-3).
    ContentEncryption {
        /// AES-128-CBC with HMAC-SHA-256.
        A128CbcHs256 = "A128CBC-HS256",
        /// AES-256-CBC with HMAC-SHA-512.
        A256CbcHs512 = "A256CBC-HS512",
        /// AES-128-GCM.
        A128Gcm = "A128GCM",
        /// AES-256-GCM.
        A256Gcm = "A256GCM",
    }
}

impl KeyManagementAlgorithm {
    /// Whether the recipient's key is an RSA key; else it is an EC key.
    pub(super) const fn is_rsa(self) -> bool {
        matches!(self, Self::RsaOaep | Self::RsaOaep256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_to_what_they_print() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
        }
        for algorithm in KeyManagementAlgorithm::ALL {
            assert_eq!(
                serde_json::json!(algorithm),
                serde_json::json!(algorithm.as_str())
            );
        }
        for algorithm in ContentEncryption::ALL {
            assert_eq!(
                serde_json::from_value::<ContentEncryption>(serde_json::json!(algorithm)).unwrap(),
                *algorithm
            );
        }
    }

    #[test]
    fn weak_algorithms_do_not_exist() {
        for name in [
            "none", "None", "HS256", "HS384", "HS512", "rs256", "RS256 ", "",
        ] {
            assert_eq!(SignatureAlgorithm::parse(name), None, "{name}");
        }
        for name in ["RSA1_5", "dir", "A128KW", "PBES2-HS256+A128KW"] {
            assert_eq!(KeyManagementAlgorithm::parse(name), None, "{name}");
        }
    }
}
