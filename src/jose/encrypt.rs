//! Encryption to a recipient's public key: JWE compact serialization (RFC 7516 §5.1).

use super::algorithm::{ContentEncryption, KeyManagementAlgorithm as Alg};
use super::content::{self, Envelope};
use super::jwk::PublicKey;
use super::key_agreement::{self as agreement, Key, PartyInfo};
use super::key_kind::KeyUse;
use super::sign::{new_key, public_members};
use super::{JoseError, encode_base64url};
use crate::random;
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

/// The header of a JWE that we make; `kid` is the recipient's key's.
#[derive(Clone, Copy, Debug)]
pub struct EncryptHeader<'a> {
    /// Must fit the recipient's key.
    pub alg: Alg,
    /// How the content is encrypted.
    pub enc: ContentEncryption,
    /// `JWT` when the plaintext is a token (RFC 7519 §5.2).
    pub cty: Option<&'a str>,
    /// Usually none.
    pub typ: Option<&'a str>,
}

#[derive(Serialize)]
struct WireHeader<'a> {
    alg: Alg,
    enc: ContentEncryption,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cty: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epk: Option<Value>,
}

/// The content key and what lets the recipient find it.
struct Agreed {
    content_key: Key,
    encrypted_key: Vec<u8>,
    ephemeral: Option<Value>,
}

/// Encrypts `plaintext` to `recipient`; see [`super::KeySet::encryption_key`] for choosing one.
///
/// # Errors
/// `UnsuitableKey` when type, `use` or `alg` of the key do not fit; `Crypto`.
pub fn encrypt(
    header: &EncryptHeader<'_>,
    recipient: &PublicKey,
    plaintext: &[u8],
) -> Result<String, JoseError> {
    let fits = recipient.kind().is_rsa() == header.alg.is_rsa()
        && recipient.is_meant_for(KeyUse::Encryption, header.alg.as_str());
    if !fits {
        return Err(JoseError::UnsuitableKey {
            kid: recipient.kid().map(str::to_owned),
            algorithm: header.alg.as_str(),
        });
    }
    let agreed = agree(header, recipient)?;
    let wire = WireHeader {
        alg: header.alg,
        enc: header.enc,
        kid: recipient.kid(),
        typ: header.typ,
        cty: header.cty,
        epk: agreed.ephemeral,
    };
    let json =
        serde_json::to_vec(&wire).map_err(|error| JoseError::MalformedJson(error.to_string()))?;
    let encoded_header = encode_base64url(&json);
    let iv = random::byte_vec(usize::from(content::iv_bytes(header.enc)));
    let envelope = Envelope {
        iv: &iv,
        associated_data: encoded_header.as_bytes(),
    };
    let (ciphertext, tag) = content::seal(header.enc, &agreed.content_key, envelope, plaintext)?;
    Ok([
        encoded_header,
        encode_base64url(&agreed.encrypted_key),
        encode_base64url(&iv),
        encode_base64url(&ciphertext),
        encode_base64url(&tag),
    ]
    .join("."))
}

fn agree(header: &EncryptHeader<'_>, recipient: &PublicKey) -> Result<Agreed, JoseError> {
    let new_content_key = || {
        Zeroizing::new(random::byte_vec(usize::from(content::key_bytes(
            header.enc,
        ))))
    };
    if header.alg.is_rsa() {
        let content_key = new_content_key();
        return Ok(Agreed {
            encrypted_key: agreement::oaep_encrypt(header.alg, recipient.key(), &content_key)?,
            content_key,
            ephemeral: None,
        });
    }
    let ephemeral = new_key(recipient.kind())?;
    let secret = agreement::shared_secret(&ephemeral, recipient.key())?;
    let agreed = agreement::agreed_key(header.alg, header.enc, &secret, PartyInfo::default())?;
    let (content_key, encrypted_key) = if header.alg == Alg::EcdhEs {
        (agreed, Vec::new())
    } else {
        let content_key = new_content_key();
        let wrapped = content::wrap(&agreed, &content_key)?;
        (content_key, wrapped)
    };
    Ok(Agreed {
        content_key,
        encrypted_key,
        ephemeral: Some(public_members(&ephemeral, recipient.kind())?),
    })
}
