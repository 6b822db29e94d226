//! Recovery codes (NIST SP 800-63B-4 §3.1.2, look-up secrets): for whoever has not the device at hand.

use super::totp::in_groups;
use crate::model::{AccountId, SecretHash};
use crate::random;

/// How many are given at once.
pub const COUNT: usize = 10;
/// 80 bits each: nobody guesses one, so a plain hash suffices.
const BYTES: usize = 10;
const LETTERS: usize = 16;

/// New codes as people read them: `ABCD EFGH IJKL MNOP`. Shown once; stored as [`hash`].
#[must_use]
pub fn generate() -> Vec<String> {
    (0..COUNT)
        .map(|_| in_groups(&data_encoding::BASE32_NOPAD.encode(&random::bytes::<BYTES>())))
        .collect()
}

/// The form in which a code is stored; `None` when the text can be none. Case, spaces and hyphens do not matter; `0`,
/// `1` and `8`, which Base32 has not, are read as the letters that they resemble.
#[must_use]
pub fn hash(account: &AccountId, typed: &str) -> Option<SecretHash> {
    let code: String = typed
        .chars()
        .filter(|letter| !matches!(letter, ' ' | '-'))
        .map(|letter| match letter.to_ascii_uppercase() {
            '0' => 'O',
            '1' => 'I',
            '8' => 'B',
            other => other,
        })
        .take(LETTERS + 1)
        .collect();
    let fits = code.len() == LETTERS && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then(|| SecretHash::of(&format!("recovery code {account} {code}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_differ_and_are_recognised_however_they_are_typed() {
        let account = AccountId::new("a");
        let codes = generate();
        let hashes: std::collections::HashSet<_> =
            codes.iter().map(|code| hash(&account, code)).collect();
        assert_eq!(hashes.len(), COUNT);
        let first = &codes[0];
        let sloppy = first.to_lowercase().replace(' ', "-").replace('o', "0");
        assert!(hash(&account, first).is_some());
        assert_eq!(hash(&account, &sloppy), hash(&account, first));
        assert_ne!(hash(&AccountId::new("b"), first), hash(&account, first));
    }

    #[test]
    fn what_is_no_code_has_no_hash() {
        let account = AccountId::new("a");
        let long = "A".repeat(5000);
        for text in [
            "",
            "123456",
            "ABCD EFGH IJKL MNO",
            "ABCD EFGH IJKL MNO!",
            &long,
        ] {
            assert_eq!(hash(&account, text), None, "{text}");
        }
    }
}
