//! How sender and recipient come to one key: RSAES-OAEP (RFC 7518 §4.3) and ECDH-ES (§4.6).

use super::JoseError;
use super::algorithm::{ContentEncryption, KeyManagementAlgorithm as Alg};
use super::content;
use openssl::derive::Deriver;
use openssl::md::Md;
use openssl::pkey::{PKeyRef, Private, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sha::Sha256;
use zeroize::Zeroizing;

/// A key that is wiped when dropped.
pub(super) type Key = Zeroizing<Vec<u8>>;

fn set_oaep<T>(context: &mut PkeyCtx<T>, algorithm: Alg) -> Result<(), JoseError> {
    let digest = if algorithm == Alg::RsaOaep256 {
        Md::sha256()
    } else {
        Md::sha1()
    };
    context.set_rsa_padding(Padding::PKCS1_OAEP)?;
    context.set_rsa_oaep_md(digest)?;
    context.set_rsa_mgf1_md(digest)?;
    Ok(())
}

pub(super) fn oaep_encrypt(
    algorithm: Alg,
    key: &PKeyRef<Public>,
    content_key: &[u8],
) -> Result<Vec<u8>, JoseError> {
    let mut context = PkeyCtx::new(key)?;
    context.encrypt_init()?;
    set_oaep(&mut context, algorithm)?;
    let mut encrypted = Vec::new();
    context.encrypt_to_vec(content_key, &mut encrypted)?;
    Ok(encrypted)
}

pub(super) fn oaep_decrypt(
    algorithm: Alg,
    key: &PKeyRef<Private>,
    encrypted: &[u8],
) -> Result<Key, JoseError> {
    let mut context = PkeyCtx::new(key)?;
    context.decrypt_init()?;
    set_oaep(&mut context, algorithm)?;
    let mut content_key = Zeroizing::new(Vec::new());
    context.decrypt_to_vec(encrypted, &mut content_key)?;
    Ok(content_key)
}

/// The shared secret Z: the x coordinate at full length.
pub(super) fn shared_secret(
    own: &PKeyRef<Private>,
    peer: &PKeyRef<Public>,
) -> Result<Key, JoseError> {
    let mut deriver = Deriver::new(own)?;
    deriver.set_peer(peer)?;
    Ok(Zeroizing::new(deriver.derive_to_vec()?))
}

/// What both parties know besides the secret: header members `apu` and `apv`, decoded.
#[derive(Clone, Copy, Default)]
pub(super) struct PartyInfo<'a> {
    pub(super) apu: &'a [u8],
    pub(super) apv: &'a [u8],
}

/// The key that the agreement yields: for `ECDH-ES` the content key, else the one that wraps it.
pub(super) fn agreed_key(
    algorithm: Alg,
    encryption: ContentEncryption,
    secret: &[u8],
    party: PartyInfo<'_>,
) -> Result<Key, JoseError> {
    let (name, bytes) = match algorithm {
        Alg::EcdhEs => (encryption.as_str(), content::key_bytes(encryption)),
        Alg::EcdhEsA128Kw => (algorithm.as_str(), 16),
        Alg::EcdhEsA256Kw => (algorithm.as_str(), 32),
        Alg::RsaOaep | Alg::RsaOaep256 => return Err(JoseError::Decryption),
    };
    derive(secret, name, party, bytes)
}

/// Concat KDF (NIST SP 800-56A §5.8.1 as RFC 7518 §4.6.2 uses it) with SHA-256.
fn derive(
    secret: &[u8],
    algorithm_id: &str,
    party: PartyInfo<'_>,
    bytes: u8,
) -> Result<Key, JoseError> {
    let mut key = Zeroizing::new(Vec::with_capacity(96));
    for round in 1_u32.. {
        if key.len() >= usize::from(bytes) {
            break;
        }
        let mut hash = Sha256::new();
        hash.update(&round.to_be_bytes());
        hash.update(secret);
        for field in [algorithm_id.as_bytes(), party.apu, party.apv] {
            let length = u32::try_from(field.len()).map_err(|_| JoseError::Decryption)?;
            hash.update(&length.to_be_bytes());
            hash.update(field);
        }
        hash.update(&u32::from(bytes).saturating_mul(8).to_be_bytes());
        key.extend_from_slice(&hash.finish());
    }
    key.truncate(usize::from(bytes));
    Ok(key)
}
