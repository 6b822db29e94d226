//! Thousands of damaged tokens and key sets: none may be accepted with other content, none may panic.

use super::*;

/// A small generator with a fixed start: the same mutations in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.roll(3) {
            let position = self.roll(bytes.len());
            if position >= bytes.len() {
                bytes.push(b'A');
                continue;
            }
            match self.roll(5) {
                0 => bytes[position] = u8::try_from(self.roll(256)).unwrap(),
                1 => bytes[position] ^= 1 << self.roll(8),
                2 => drop(bytes.remove(position)),
                3 => bytes.insert(position, b"._-A\"{}[]:,0"[self.roll(12)]),
                _ if self.roll(20) == 0 => bytes.truncate(position),
                _ => {}
            }
        }
    }

    /// Changes the text itself, or one of its parts below base64url.
    fn mutate_token(&mut self, token: &str) -> String {
        if self.roll(2) == 0 {
            let mut bytes = token.as_bytes().to_vec();
            self.mutate(&mut bytes);
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        let position = self.roll(parts.len());
        let mut bytes = decode_base64url(&parts[position], "part").unwrap();
        self.mutate(&mut bytes);
        parts[position] = encode_base64url(&bytes);
        parts.join(".")
    }
}

#[test]
fn no_damaged_signed_token_is_accepted() {
    let keys = public_set(&[&KEYS.rsa, &KEYS.p256]);
    let lenient = Expectations {
        kid_required: false,
        issuer: None,
        subject: None,
        audience: None,
        leeway_seconds: i64::MAX,
        expiry: ExpiryRule::Optional,
        issued_at: IssuedAtRule::Optional,
        max_lifetime_seconds: None,
        ..expectations()
    };
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for good in [
        sign_claims(&good_claims(), &KEYS.rsa),
        sign_claims(&good_claims(), &KEYS.p256),
    ] {
        for _ in 0..4000 {
            let damaged = dice.mutate_token(&good);
            if damaged != good {
                let outcome = verify_token(&damaged, &keys, &lenient);
                assert!(outcome.is_err(), "{damaged}");
            }
            if let Ok(parsed) = Unverified::parse(&damaged, MAX_BYTES) {
                let _ = parsed.unverified_claims::<Value>();
            }
        }
    }
}

#[test]
fn no_damaged_encrypted_token_is_opened() {
    let ours = [KEYS.rsa.clone(), KEYS.p256.clone()];
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let pairs = [
        (
            KeyManagementAlgorithm::RsaOaep256,
            ContentEncryption::A256CbcHs512,
            500,
        ),
        (
            KeyManagementAlgorithm::EcdhEsA256Kw,
            ContentEncryption::A256CbcHs512,
            2000,
        ),
        (
            KeyManagementAlgorithm::EcdhEs,
            ContentEncryption::A128Gcm,
            2000,
        ),
    ];
    for (alg, enc, times) in pairs {
        let header = EncryptHeader {
            alg,
            enc,
            cty: None,
            typ: None,
        };
        let key = if alg.is_rsa() { &KEYS.rsa } else { &KEYS.p256 };
        let good = encrypt(&header, &key.public(), b"secret").unwrap();
        for _ in 0..times {
            let damaged = dice.mutate_token(&good);
            let outcome = decrypt(
                &damaged,
                &ours,
                KeyManagementAlgorithm::ALL,
                ContentEncryption::ALL,
            );
            assert!(damaged == good || outcome.is_err(), "{damaged}");
        }
    }
}

#[test]
fn no_damaged_key_set_panics() {
    let good = json!({"keys": [KEYS.rsa.public().to_jwk(), KEYS.p256.public().to_jwk(), KEYS.p521.public().to_jwk()]});
    let good = good.to_string().into_bytes();
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for _ in 0..4000 {
        let mut damaged = good.clone();
        dice.mutate(&mut damaged);
        if let Ok(keys) = KeySet::from_slice(&damaged) {
            assert!(keys.keys().len() <= 3);
            let _ = keys.to_json();
        }
    }
}
