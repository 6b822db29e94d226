//! Content encryption (RFC 7518 §5) and AES key wrap (§4.4). Lengths are checked before openssl is called: it accepts
//! truncated GCM tags, and its binding panics on short keys and initialisation vectors.

use super::JoseError;
use super::algorithm::ContentEncryption as Enc;
use crate::secret::equal;
use openssl::cipher::Cipher as KeyWrapCipher;
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{self, Cipher};
use zeroize::Zeroizing;

const GCM_TAG_BYTES: usize = 16;

/// How an `enc` works.
enum Scheme {
    Gcm(Cipher),
    /// Cipher and the hash of the MAC; the key's first half is for the MAC (RFC 7518 §5.2.2.1).
    CbcHmac(Cipher, MessageDigest),
}

fn scheme(encryption: Enc) -> Scheme {
    match encryption {
        Enc::A128Gcm => Scheme::Gcm(Cipher::aes_128_gcm()),
        Enc::A256Gcm => Scheme::Gcm(Cipher::aes_256_gcm()),
        Enc::A128CbcHs256 => Scheme::CbcHmac(Cipher::aes_128_cbc(), MessageDigest::sha256()),
        Enc::A256CbcHs512 => Scheme::CbcHmac(Cipher::aes_256_cbc(), MessageDigest::sha512()),
    }
}

/// Bytes of the content key.
pub(super) const fn key_bytes(encryption: Enc) -> u8 {
    match encryption {
        Enc::A128Gcm => 16,
        Enc::A128CbcHs256 | Enc::A256Gcm => 32,
        Enc::A256CbcHs512 => 64,
    }
}

/// Bytes of the initialisation vector.
pub(super) const fn iv_bytes(encryption: Enc) -> u8 {
    match encryption {
        Enc::A128Gcm | Enc::A256Gcm => 12,
        Enc::A128CbcHs256 | Enc::A256CbcHs512 => 16,
    }
}

/// The parts of a JWE that content encryption reads, besides the key.
#[derive(Clone, Copy)]
pub(super) struct Envelope<'a> {
    pub(super) iv: &'a [u8],
    /// The encoded header (RFC 7516 §5.1, step 14).
    pub(super) associated_data: &'a [u8],
}

fn lengths_fit(encryption: Enc, key: &[u8], iv: &[u8]) -> bool {
    key.len() == usize::from(key_bytes(encryption)) && iv.len() == usize::from(iv_bytes(encryption))
}

/// Ciphertext and tag.
pub(super) fn seal(
    encryption: Enc,
    key: &[u8],
    envelope: Envelope<'_>,
    plaintext: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), JoseError> {
    if !lengths_fit(encryption, key, envelope.iv) {
        return Err(JoseError::Crypto(
            "content key or iv of the wrong length".to_owned(),
        ));
    }
    match scheme(encryption) {
        Scheme::Gcm(cipher) => {
            let mut tag = vec![0; GCM_TAG_BYTES];
            let (iv, aad) = (Some(envelope.iv), envelope.associated_data);
            let ciphertext = symm::encrypt_aead(cipher, key, iv, aad, plaintext, &mut tag)?;
            Ok((ciphertext, tag))
        }
        Scheme::CbcHmac(cipher, digest) => {
            let (mac_key, encryption_key) = halves(key);
            let ciphertext = symm::encrypt(cipher, encryption_key, Some(envelope.iv), plaintext)?;
            let tag = mac(digest, mac_key, envelope, &ciphertext)?;
            Ok((ciphertext, tag))
        }
    }
}

/// The plaintext; `Decryption` whatever is wrong.
pub(super) fn open(
    encryption: Enc,
    key: &[u8],
    envelope: Envelope<'_>,
    ciphertext: &[u8],
    tag: &[u8],
) -> Result<Vec<u8>, JoseError> {
    if !lengths_fit(encryption, key, envelope.iv) {
        return Err(JoseError::Decryption);
    }
    let plaintext = match scheme(encryption) {
        Scheme::Gcm(cipher) => {
            if tag.len() != GCM_TAG_BYTES {
                return Err(JoseError::Decryption);
            }
            let (iv, aad) = (Some(envelope.iv), envelope.associated_data);
            symm::decrypt_aead(cipher, key, iv, aad, ciphertext, tag)
        }
        Scheme::CbcHmac(cipher, digest) => {
            let (mac_key, encryption_key) = halves(key);
            let expected =
                mac(digest, mac_key, envelope, ciphertext).map_err(|_| JoseError::Decryption)?;
            // The MAC first: what CBC padding says must not depend on a text nobody vouches for.
            if !equal(&expected, tag) {
                return Err(JoseError::Decryption);
            }
            symm::decrypt(cipher, encryption_key, Some(envelope.iv), ciphertext)
        }
    };
    plaintext.map_err(|_| JoseError::Decryption)
}

fn halves(key: &[u8]) -> (&[u8], &[u8]) {
    key.split_at_checked(key.len() / 2).unwrap_or_default()
}

/// RFC 7518 §5.2.2.1: MAC over associated data, iv, ciphertext and the bit length of the first; its first half is the tag.
fn mac(
    digest: MessageDigest,
    key: &[u8],
    envelope: Envelope<'_>,
    ciphertext: &[u8],
) -> Result<Vec<u8>, JoseError> {
    let bits = u64::try_from(envelope.associated_data.len())
        .unwrap_or(u64::MAX)
        .saturating_mul(8);
    let hmac_key = PKey::hmac(key)?;
    let mut signer = Signer::new(digest, &hmac_key)?;
    signer.update(envelope.associated_data)?;
    signer.update(envelope.iv)?;
    signer.update(ciphertext)?;
    signer.update(&bits.to_be_bytes())?;
    let mut tag = signer.sign_to_vec()?;
    tag.truncate(key.len());
    Ok(tag)
}

fn key_wrap_cipher(key: &[u8]) -> Result<&'static openssl::cipher::CipherRef, JoseError> {
    match key.len() {
        16 => Ok(KeyWrapCipher::aes_128_wrap()),
        32 => Ok(KeyWrapCipher::aes_256_wrap()),
        _ => Err(JoseError::Crypto(
            "wrapping key of the wrong length".to_owned(),
        )),
    }
}

/// RFC 3394 key wrap.
pub(super) fn wrap(wrapping_key: &[u8], content_key: &[u8]) -> Result<Vec<u8>, JoseError> {
    let mut context = CipherCtx::new()?;
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    context.encrypt_init(
        Some(key_wrap_cipher(wrapping_key)?),
        Some(wrapping_key),
        None,
    )?;
    let mut wrapped = Vec::new();
    context.cipher_update_vec(content_key, &mut wrapped)?;
    context.cipher_final_vec(&mut wrapped)?;
    Ok(wrapped)
}

/// RFC 3394 key unwrap.
pub(super) fn unwrap(wrapping_key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, JoseError> {
    // The shortest that the algorithm knows; openssl's answer to less is not relied upon.
    if wrapped.len() < 24 || !wrapped.len().is_multiple_of(8) {
        return Err(JoseError::Decryption);
    }
    let mut context = CipherCtx::new()?;
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    context.decrypt_init(
        Some(key_wrap_cipher(wrapping_key)?),
        Some(wrapping_key),
        None,
    )?;
    let mut key = Zeroizing::new(Vec::new());
    context.cipher_update_vec(wrapped, &mut key)?;
    context.cipher_final_vec(&mut key)?;
    Ok(key)
}
