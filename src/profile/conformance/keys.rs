//! The RP's keys: protocol and federation (SPID/CIE AL-1, AL-2, AL-5, AL-6).

use super::{Check, Finding, absent, checks};
use crate::jose::jwks::{PRIVATE_KEY, RSA_SIZE};
use crate::jose::{KeyKind, KeyManagementAlgorithm, KeySet, KeyUse, PublicKey, SignatureAlgorithm};
use crate::profile::Profile;
use std::collections::BTreeSet;

/// Algorithms that no asymmetric key is for, or that are broken (SPID/CIE AL-4).
const FORBIDDEN: [&str; 5] = ["none", "HS256", "HS384", "HS512", "RSA1_5"];

pub(super) static ROWS: &[Check] = checks! {
    "keys.private", "RFC 7517 §9.2",
        "the published keys are public keys",
        "these keys are known to everybody now: make new ones and publish their public half", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| skipped(keys, Finding::Fail, |reason| reason == PRIVATE_KEY));
    "keys.size", "RFC 7518 §3.3, SPID/CIE AL-5",
        "RSA keys have at least 2048 bits",
        "make a new RSA key of 3072 bits, or an EC key", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| skipped(keys, Finding::Fail, |reason| reason == RSA_SIZE));
    "keys.usable", "SPID/CIE AL-1, AL-2",
        "every published key can be used by the provider",
        "remove the key or replace it by an RSA key or one on P-256 or P-521", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| skipped(keys, Finding::Warning, |reason| ![PRIVATE_KEY, RSA_SIZE].contains(&reason)));
    "keys.curve", "SPID/CIE AL-1",
        "every signing key fits an algorithm of the profile",
        "sign with RSA, P-256 or P-521: the profile has no algorithm for this curve", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| {
            let algorithms = e.profile.signature_algorithms;
            let stated = keys.keys().iter().filter(|key| key.usage() == Some(KeyUse::Signature));
            let faults = stated
                .filter(|key| !algorithms.iter().any(|alg| fits_kind(key, *alg)))
                .map(|key| format!("{} ({})", label(key), key.kind()));
            Finding::unless_any(&faults.collect::<Vec<_>>(), Finding::Warning)
        });
    "keys.use", "RFC 7517 §4.2",
        "every key says whether it signs or encrypts (use)",
        "add use: sig or use: enc to every key", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| labels(keys, Finding::Warning, |key| key.usage().is_none()));
    "keys.alg", "RFC 7517 §4.4, SPID/CIE AL-4",
        "alg, when a key states it, is an algorithm of the profile that fits the key",
        "correct alg or leave it out", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| {
            let faults = |of: Alg| {
                let stated = keys.keys().iter().filter_map(|key| Some((key, key.algorithm()?)));
                let faults = stated.filter(|(key, alg)| judge_alg(e.profile, key, alg) == of);
                faults.map(|(key, alg)| format!("{}: {alg} {}", label(key), of.says())).collect::<Vec<_>>()
            };
            match faults(Alg::Wrong) {
                wrong if wrong.is_empty() => Finding::unless_any(&faults(Alg::Unsupported), Finding::Warning),
                wrong => Finding::Fail(wrong.join(", ")),
            }
        });
    "keys.kid", "RFC 7517 §4.5, SPID/CIE AZ-2",
        "every key has a kid",
        "add a kid, best the RFC 7638 thumbprint", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| {
            // Where request objects are signed, their header names the key.
            let named = e.profile.request_object.is_some();
            let unnamed = || keys.keys().iter().filter(|key| key.kid().is_none());
            let signs = unnamed().any(|key| key.usage() != Some(KeyUse::Encryption));
            let worse = if named && signs { Finding::Fail } else { Finding::Warning };
            Finding::unless_any(&unnamed().map(label).collect::<Vec<_>>(), worse)
        });
    "keys.kid_unique", "RFC 7517 §4.5",
        "different keys have different kids",
        "give every key a kid of its own, best the RFC 7638 thumbprint", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| {
            let faults: BTreeSet<String> = ambiguous(keys).into_iter().map(str::to_owned).collect();
            Finding::unless_any(&faults.into_iter().collect::<Vec<_>>(), Finding::Fail)
        });
    "keys.kid_thumbprint", "RFC 7638, SPID/CIE AL-5",
        "a kid is the RFC 7638 thumbprint of its key",
        "compute the kid with SHA-256 as RFC 7638 says: then it changes with the key and never without", "metadata.openid_relying_party.jwks", italian =>
        |e| e.of_keys(thumbprints);
    "keys.federation", "SPID/CIE AL-6",
        "protocol keys are none of the federation keys",
        "make keys of their own for the protocol: a stolen protocol key must not sign entity configurations", "metadata.openid_relying_party.jwks" =>
        |e| e.of_configuration(|configuration| e.of_keys(|keys| {
            let federation = configuration.keys.keys();
            let federation: BTreeSet<String> = federation.iter().map(PublicKey::thumbprint).collect();
            let shared = keys.keys().iter().filter(|key| federation.contains(&key.thumbprint()));
            Finding::unless_any(&shared.map(label).collect::<Vec<_>>(), Finding::Warning)
        }));
    "keys.sig_and_enc", "RFC 8725 §3.1, SPID/CIE AL-6",
        "no key both signs and encrypts",
        "make one key for signing and another for encryption", "metadata.openid_relying_party.jwks" =>
        |e| e.of_keys(|keys| {
            let of = |usage| -> BTreeSet<String> {
                let keys = keys.keys().iter().filter(|key| key.usage() == Some(usage));
                keys.map(PublicKey::thumbprint).collect()
            };
            let (signing, encrypting) = (of(KeyUse::Signature), of(KeyUse::Encryption));
            let both: Vec<String> = signing.intersection(&encrypting).cloned().collect();
            Finding::unless_any(&both, Finding::Warning)
        });
    "federation_keys.private", "RFC 7517 §9.2",
        "claim jwks has public keys only",
        "these keys are known to everybody now: make new ones and have the superior attest them", "jwks" =>
        |e| e.of_configuration(|c| skipped(&c.keys, Finding::Fail, |reason| reason == PRIVATE_KEY));
    "federation_keys.size", "RFC 7518 §3.3, SPID/CIE AL-5",
        "RSA federation keys have at least 2048 bits",
        "make a new RSA key of 3072 bits, or an EC key, and have the superior attest it", "jwks" =>
        |e| e.of_configuration(|c| skipped(&c.keys, Finding::Fail, |reason| reason == RSA_SIZE));
    "federation_keys.usable", "SPID/CIE AL-1",
        "every federation key can be used",
        "remove the key or replace it by an RSA key or one on P-256 or P-521", "jwks" =>
        |e| e.of_configuration(|c| {
            skipped(&c.keys, Finding::Warning, |reason| ![PRIVATE_KEY, RSA_SIZE].contains(&reason))
        });
    "federation_keys.kid", "OIDC Federation §3.1",
        "every federation key has a kid",
        "add a kid, best the RFC 7638 thumbprint; the header of the statement names it", "jwks" =>
        |e| e.of_configuration(|c| labels(&c.keys, Finding::Fail, |key| key.kid().is_none()));
    "federation_keys.kid_thumbprint", "RFC 7638, SPID/CIE AL-5",
        "a federation key's kid is its RFC 7638 thumbprint",
        "compute the kid with SHA-256 as RFC 7638 says", "jwks" =>
        |e| e.of_configuration(|c| thumbprints(&c.keys));
};

/// The keys of a set that were not read, with a reason that counts here.
fn skipped(keys: &KeySet, worse: fn(String) -> Finding, counts: fn(&str) -> bool) -> Finding {
    let faults: Vec<String> = keys
        .skipped()
        .iter()
        .filter(|key| counts(key.reason))
        .map(|key| format!("{}: {}", key.kid.as_deref().unwrap_or("no kid"), key.reason))
        .collect();
    Finding::unless_any(&faults, worse)
}

fn labels(keys: &KeySet, worse: fn(String) -> Finding, fault: fn(&PublicKey) -> bool) -> Finding {
    let faults: Vec<String> = keys
        .keys()
        .iter()
        .filter(|key| fault(key))
        .map(label)
        .collect();
    Finding::unless_any(&faults, worse)
}

fn label(key: &PublicKey) -> String {
    let thumbprint = || format!("thumbprint {}", key.thumbprint());
    key.kid().map_or_else(thumbprint, str::to_owned)
}

/// The kids that stand for more than one key.
fn ambiguous(keys: &KeySet) -> BTreeSet<&str> {
    let all = keys.keys();
    let is_other = |key: &PublicKey, other: &PublicKey| {
        key.kid() == other.kid() && key.thumbprint() != other.thumbprint()
    };
    all.iter()
        .filter(|key| all.iter().any(|other| is_other(key, other)))
        .filter_map(PublicKey::kid)
        .collect()
}

fn thumbprints(keys: &KeySet) -> Finding {
    let ambiguous = ambiguous(keys);
    let of_its_own = |key: &&PublicKey| key.kid().is_some_and(|kid| !ambiguous.contains(kid));
    let faults: Vec<String> = keys
        .keys()
        .iter()
        .filter(of_its_own)
        .filter(|key| key.kid() != Some(&key.thumbprint()))
        .map(|key| {
            format!(
                "{}, expected {}",
                key.kid().map_or_else(absent, str::to_owned),
                key.thumbprint()
            )
        })
        .collect();
    Finding::unless_any(&faults, Finding::Warning)
}

/// Whether a key of this type and curve can make such signatures.
fn fits_kind(key: &PublicKey, algorithm: SignatureAlgorithm) -> bool {
    use SignatureAlgorithm::{Es256, Es384, Es512, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    match algorithm {
        Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512 => key.kind().is_rsa(),
        Es256 => key.kind() == KeyKind::P256,
        Es384 => key.kind() == KeyKind::P384,
        Es512 => key.kind() == KeyKind::P521,
    }
}

/// As [`fits_kind`], and the key is not meant for another algorithm.
pub(super) fn signs(key: &PublicKey, algorithm: SignatureAlgorithm) -> bool {
    fits_kind(key, algorithm) && key.algorithm().is_none_or(|alg| alg == algorithm.as_str())
}

/// What is to be said of the algorithm that a key states.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alg {
    Fits,
    /// It is none that this provider has: the key serves nothing here.
    Unsupported,
    /// It cannot be meant for this key, or must be refused (SPID/CIE AL-4).
    Wrong,
}

impl Alg {
    const fn says(self) -> &'static str {
        match self {
            Self::Fits => "fits",
            Self::Unsupported => "is not supported here",
            Self::Wrong => "does not fit the key",
        }
    }
}

fn judge_alg(profile: &Profile, key: &PublicKey, alg: &str) -> Alg {
    let signature = SignatureAlgorithm::parse(alg);
    let management = KeyManagementAlgorithm::parse(alg);
    let signs = signature.is_some_and(|alg| fits_kind(key, alg));
    let encrypts =
        management.is_some_and(|alg| key.kind().is_rsa() == alg.as_str().starts_with("RSA"));
    let fits = match key.usage() {
        Some(KeyUse::Signature) => signs,
        Some(KeyUse::Encryption) => encrypts,
        None => signs || encrypts,
    };
    let published = signature.is_some_and(|alg| profile.signature_algorithms.contains(&alg))
        || management.is_some_and(|alg| profile.key_management.contains(&alg));
    match (signature.is_some() || management.is_some(), fits) {
        (true, true) if published => Alg::Fits,
        (true, true) => Alg::Unsupported,
        (true, false) => Alg::Wrong,
        (false, _) if FORBIDDEN.contains(&alg) => Alg::Wrong,
        (false, _) => Alg::Unsupported,
    }
}
