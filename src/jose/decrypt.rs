//! Decryption with our own keys (RFC 7516 §5.2), hardened as its §11 asks.

use super::algorithm::{ContentEncryption, KeyManagementAlgorithm as Alg};
use super::content::{self, Envelope};
use super::error::listing;
use super::json::parse_bounded;
use super::jwk::PublicKey;
use super::key_agreement::{self as agreement, Key, PartyInfo};
use super::sign::PrivateKey;
use super::unverified::{optional_text, refuse_extensions, required_text};
use super::{JoseError, decode_base64url};
use crate::random;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// Bytes of an encrypted token from outside.
pub const MAX_ENCRYPTED_BYTES: usize = 128 * 1024;
const MAX_HEADER_BYTES: usize = 8 * 1024;
const MAX_HEADER_DEPTH: usize = 8;
/// Private operations that one token may cost.
const MAX_ATTEMPTS: usize = 4;

/// What was in a JWE. Decryption proves nothing about the sender: anybody can encrypt to a public key.
#[derive(Clone, Debug)]
pub struct Decrypted {
    /// Mostly a JWS, to be parsed and verified.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Header `cty`.
    pub cty: Option<String>,
    /// Header `typ`.
    pub typ: Option<String>,
    /// Header `alg`.
    pub algorithm: Alg,
    /// Header `enc`.
    pub encryption: ContentEncryption,
}

struct Jwe<'a> {
    algorithm: Alg,
    encryption: ContentEncryption,
    header: Map<String, Value>,
    encoded_header: &'a str,
    encrypted_key: Vec<u8>,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

/// Decrypts a compact JWE with the key that `kid` names; when it names none of ours (senders set it as they like), with
/// those whose type fits, at most four.
///
/// # Errors
/// For what anybody can see in the token: `TooLarge`, `WrongPartCount`, `NotBase64Url`, the errors of [`parse_bounded`],
/// `CriticalHeader`, `MissingHeader`, `MalformedHeader`, `UnsupportedAlgorithm`, `AlgorithmNotAllowed`. For all that
/// depends on a key: `Decryption`.
pub fn decrypt(
    token: &str,
    keys: &[PrivateKey],
    algorithms: &[Alg],
    encodings: &[ContentEncryption],
) -> Result<Decrypted, JoseError> {
    let jwe = parse(token)?;
    if !algorithms.contains(&jwe.algorithm) {
        return Err(JoseError::AlgorithmNotAllowed {
            expected: listing(algorithms.iter().map(|algorithm| algorithm.as_str())),
            found: jwe.algorithm.as_str(),
        });
    }
    if !encodings.contains(&jwe.encryption) {
        return Err(JoseError::AlgorithmNotAllowed {
            expected: listing(encodings.iter().map(|encryption| encryption.as_str())),
            found: jwe.encryption.as_str(),
        });
    }
    let kid = optional_text(&jwe.header, "kid")?;
    let (cty, typ) = (
        optional_text(&jwe.header, "cty")?,
        optional_text(&jwe.header, "typ")?,
    );
    let agreement = KeyMaterial::read(&jwe.header)?;
    let fits = |key: &&PrivateKey| match &agreement.ephemeral {
        Some(ephemeral) if !jwe.algorithm.is_rsa() => key.kind() == ephemeral.kind(),
        Some(_) | None => key.kind().is_rsa() && jwe.algorithm.is_rsa(),
    };
    let named = |key: &&PrivateKey| kid.as_deref() == Some(key.kid());
    let is_named = keys.iter().filter(fits).any(|key| named(&key));
    keys.iter()
        .filter(fits)
        .filter(|key| !is_named || named(key))
        .take(MAX_ATTEMPTS)
        .find_map(|key| open_with(&jwe, &agreement, key).ok())
        .map(|plaintext| Decrypted {
            plaintext: Zeroizing::new(plaintext),
            cty,
            typ,
            algorithm: jwe.algorithm,
            encryption: jwe.encryption,
        })
        .ok_or(JoseError::Decryption)
}

fn parse(token: &str) -> Result<Jwe<'_>, JoseError> {
    if token.len() > MAX_ENCRYPTED_BYTES {
        return Err(JoseError::TooLarge {
            limit: MAX_ENCRYPTED_BYTES,
            found: token.len(),
        });
    }
    let mut parts = token.splitn(7, '.');
    let mut part = || parts.next();
    let (Some(encoded_header), Some(key), Some(iv), Some(ciphertext), Some(tag), None) =
        (part(), part(), part(), part(), part(), part())
    else {
        return Err(JoseError::WrongPartCount {
            expected: 5,
            found: token.splitn(7, '.').count(),
        });
    };
    let json = decode_base64url(encoded_header, "the header")?;
    let header: Map<String, Value> = parse_bounded(&json, MAX_HEADER_BYTES, MAX_HEADER_DEPTH)?;
    refuse_extensions(&header)?;
    let (alg, enc) = (
        required_text(&header, "alg")?,
        required_text(&header, "enc")?,
    );
    Ok(Jwe {
        algorithm: Alg::parse(&alg).ok_or(JoseError::UnsupportedAlgorithm { found: alg })?,
        encryption: ContentEncryption::parse(&enc)
            .ok_or(JoseError::UnsupportedAlgorithm { found: enc })?,
        header,
        encoded_header,
        encrypted_key: decode_base64url(key, "the encrypted key")?,
        iv: decode_base64url(iv, "the initialization vector")?,
        ciphertext: decode_base64url(ciphertext, "the ciphertext")?,
        tag: decode_base64url(tag, "the authentication tag")?,
    })
}

/// The header members of ECDH-ES (RFC 7518 §4.6.1).
struct KeyMaterial {
    ephemeral: Option<PublicKey>,
    apu: Vec<u8>,
    apv: Vec<u8>,
}

impl KeyMaterial {
    fn read(header: &Map<String, Value>) -> Result<Self, JoseError> {
        let bytes = |name| {
            optional_text(header, name)?
                .map_or_else(|| Ok(Vec::new()), |text| decode_base64url(&text, name))
        };
        Ok(Self {
            // A point off the curve would leak our key bit by bit: it is refused as any other failure.
            ephemeral: header
                .get("epk")
                .map(|jwk| PublicKey::from_jwk(jwk).map_err(|_| JoseError::Decryption))
                .transpose()?,
            apu: bytes("apu")?,
            apv: bytes("apv")?,
        })
    }
}

fn open_with(
    jwe: &Jwe<'_>,
    material: &KeyMaterial,
    key: &PrivateKey,
) -> Result<Vec<u8>, JoseError> {
    let content_key = content_key(jwe, material, key)?;
    let envelope = Envelope {
        iv: &jwe.iv,
        associated_data: jwe.encoded_header.as_bytes(),
    };
    content::open(
        jwe.encryption,
        &content_key,
        envelope,
        &jwe.ciphertext,
        &jwe.tag,
    )
}

/// When unwrapping fails, a random key takes the place of the content key: then the rest takes as long and fails in the
/// same way as with a wrong ciphertext (RFC 7516 §11.5).
fn content_key(jwe: &Jwe<'_>, material: &KeyMaterial, key: &PrivateKey) -> Result<Key, JoseError> {
    let length = usize::from(content::key_bytes(jwe.encryption));
    let substitute = Zeroizing::new(random::byte_vec(length));
    let or_substitute = |unwrapped: Result<Key, JoseError>| {
        unwrapped
            .ok()
            .filter(|key| key.len() == length)
            .unwrap_or(substitute)
    };
    if jwe.algorithm.is_rsa() {
        return Ok(or_substitute(agreement::oaep_decrypt(
            jwe.algorithm,
            key.key(),
            &jwe.encrypted_key,
        )));
    }
    let ephemeral = material
        .ephemeral
        .as_ref()
        .filter(|ephemeral| ephemeral.kind() == key.kind())
        .ok_or(JoseError::Decryption)?;
    let secret = agreement::shared_secret(key.key(), ephemeral.key())?;
    let party = PartyInfo {
        apu: &material.apu,
        apv: &material.apv,
    };
    let agreed = agreement::agreed_key(jwe.algorithm, jwe.encryption, &secret, party)?;
    if jwe.algorithm != Alg::EcdhEs {
        return Ok(or_substitute(content::unwrap(&agreed, &jwe.encrypted_key)));
    }
    // RFC 7516 §5.2, step 10: with direct agreement the encrypted key is empty.
    if jwe.encrypted_key.is_empty() {
        Ok(agreed)
    } else {
        Err(JoseError::Decryption)
    }
}
