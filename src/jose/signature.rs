//! The signature operations themselves (RFC 7518 §3).

use super::JoseError;
use super::algorithm::SignatureAlgorithm as Alg;
use super::key_kind::{Curve, KeyKind};
use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKeyRef, Private, Public};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Signer, Verifier};

fn digest(algorithm: Alg) -> MessageDigest {
    match algorithm {
        Alg::Rs256 | Alg::Ps256 | Alg::Es256 => MessageDigest::sha256(),
        Alg::Rs384 | Alg::Ps384 | Alg::Es384 => MessageDigest::sha384(),
        Alg::Rs512 | Alg::Ps512 | Alg::Es512 => MessageDigest::sha512(),
    }
}

/// The curve the algorithm demands; none for RSA.
const fn curve(algorithm: Alg) -> Option<Curve> {
    match algorithm {
        Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => None,
        Alg::Es256 => Some(Curve::P256),
        Alg::Es384 => Some(Curve::P384),
        Alg::Es512 => Some(Curve::P521),
    }
}

const fn is_pss(algorithm: Alg) -> bool {
    matches!(algorithm, Alg::Ps256 | Alg::Ps384 | Alg::Ps512)
}

/// Whether a key of this kind can make or check signatures of this algorithm.
pub(super) fn fits(algorithm: Alg, kind: KeyKind) -> bool {
    kind.curve() == curve(algorithm)
}

/// The raw signature as it stands in a JWS. The key must fit; see [`fits`].
pub(super) fn create(
    algorithm: Alg,
    key: &PKeyRef<Private>,
    input: &[u8],
) -> Result<Vec<u8>, JoseError> {
    let mut signer = Signer::new(digest(algorithm), key)?;
    if is_pss(algorithm) {
        signer.set_rsa_padding(Padding::PKCS1_PSS)?;
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        signer.set_rsa_mgf1_md(digest(algorithm))?;
    }
    let signature = signer.sign_oneshot_to_vec(input)?;
    let Some(curve) = curve(algorithm) else {
        return Ok(signature);
    };
    // openssl speaks DER, JOSE wants both numbers at full length (RFC 7518 §3.4).
    let numbers = EcdsaSig::from_der(&signature)?;
    let length = i32::from(curve.coordinate_bytes());
    let mut raw = numbers.r().to_vec_padded(length)?;
    raw.append(&mut numbers.s().to_vec_padded(length)?);
    Ok(raw)
}

/// Whether the signature is of this key. The key must fit; see [`fits`]. An operation that openssl refuses is a mismatch.
pub(super) fn matches(
    algorithm: Alg,
    key: &PKeyRef<Public>,
    input: &[u8],
    signature: &[u8],
) -> bool {
    check(algorithm, key, input, signature).unwrap_or(false)
}

fn check(
    algorithm: Alg,
    key: &PKeyRef<Public>,
    input: &[u8],
    signature: &[u8],
) -> Result<bool, JoseError> {
    let mut verifier = Verifier::new(digest(algorithm), key)?;
    if is_pss(algorithm) {
        verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
        verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
        verifier.set_rsa_mgf1_md(digest(algorithm))?;
    }
    let Some(curve) = curve(algorithm) else {
        return Ok(signature.len() == key.size() && verifier.verify_oneshot(signature, input)?);
    };
    let length = usize::from(curve.coordinate_bytes());
    let Some((r, s)) = signature.split_at_checked(length) else {
        return Ok(false);
    };
    if s.len() != length {
        return Ok(false);
    }
    let numbers =
        EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?;
    Ok(verifier.verify_oneshot(&numbers.to_der()?, input)?)
}
