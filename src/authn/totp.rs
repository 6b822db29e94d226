//! Time-based one-time codes (RFC 6238) as every app makes them: SHA-1, six digits, 30 seconds.

use crate::clock::UtcTime;
use crate::secret;
use data_encoding::BASE32_NOPAD;
use totp_rs::{Algorithm, Builder, Totp, TotpError};

/// Digits of a code.
const DIGITS: u8 = 6;
const LETTERS: usize = 6;
/// RFC 6238 §5.2: the time step X.
pub const STEP_SECONDS: i64 = 30;
/// RFC 6238 §5.2: a clock that is a step off, and a code that was typed slowly.
const DRIFT_STEPS: u16 = 1;

/// The time step of the code, if it is right at `now` or one step off. Whether the step was spent before is the
/// database's to say.
#[must_use]
pub fn step_of(key: &[u8], code: &str, now: UtcTime) -> Option<i64> {
    let now = u64::try_from(now.0).ok()?;
    let step = generator(key).build_noncompliant().check(code, now)?;
    i64::try_from(step).ok()
}

/// The step of the code, if it is right within so many steps of `now`; the nearest one. It proves nothing: for telling
/// people that a clock is wrong.
pub(super) fn step_near(key: &[u8], code: &str, now: UtcTime, steps: i64) -> Option<i64> {
    let is_code = code.len() == LETTERS && code.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code {
        return None;
    }
    let here = now.0.div_euclid(STEP_SECONDS);
    let candidates =
        (0..=steps).flat_map(|off| [here.saturating_add(off), here.saturating_sub(off)]);
    candidates.filter(|step| *step >= 0).find(|step| {
        let shown = code_at(key, UtcTime(step.saturating_mul(STEP_SECONDS)));
        secret::equal(shown.as_bytes(), code.as_bytes())
    })
}

/// The code that an app shows at `now`.
#[must_use]
pub fn code_at(secret: &[u8], now: UtcTime) -> String {
    let now = u64::try_from(now.0).unwrap_or_default();
    generator(secret)
        .build_noncompliant()
        .generate(now)
        .to_string()
}

/// The address that an app reads from a QR code: `otpauth://totp/ISSUER:NAME?secret=…&issuer=ISSUER`.
///
/// # Errors
/// The name is empty.
pub fn uri(secret: &[u8], issuer: &str, username: &str) -> Result<String, TotpError> {
    // A colon would end the issuer; the apps show both only.
    let plain = |text: &str| text.replace(':', " ");
    // An imported secret may be shorter than the 128 bits that `build` asks for.
    let totp: Totp = generator(secret)
        .with_issuer(Some(plain(issuer)))
        .with_account_name(plain(username))
        .build_noncompliant();
    totp.to_url()
}

/// A secret for people to type: Base32 in groups of four.
#[must_use]
pub fn readable(secret: &[u8]) -> String {
    in_groups(&BASE32_NOPAD.encode(secret))
}

/// Text in groups of four, which people read and type better.
pub(super) fn in_groups(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    for (number, letter) in text.chars().enumerate() {
        if number > 0 && number % 4 == 0 {
            out.push(' ');
        }
        out.push(letter);
    }
    out
}

fn generator(secret: &[u8]) -> Builder {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(DRIFT_STEPS)
        .with_step_duration(STEP_SECONDS.unsigned_abs())
        .with_secret(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    /// RFC 6238 appendix B, whose codes have eight digits: ours are their last six.
    #[test]
    fn the_codes_of_the_rfc() {
        for (time, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let code = &code[2..];
            assert_eq!(code_at(SECRET, UtcTime(time)), code, "{time}");
            assert_eq!(step_of(SECRET, code, UtcTime(time)), Some(time / 30));
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off_in_either_direction_and_not_two() {
        let now = UtcTime(1_111_111_111);
        for (off, accepted) in [
            (-61, false),
            (-30, true),
            (0, true),
            (30, true),
            (60, false),
        ] {
            let code = code_at(SECRET, now.plus_seconds(off));
            let step = step_of(SECRET, &code, now);
            let expected = accepted.then_some((now.0 + off) / STEP_SECONDS);
            assert_eq!(step, expected, "{off}");
        }
    }

    #[test]
    fn a_code_of_another_time_is_found_within_the_hour_and_the_nearest_one() {
        let now = UtcTime(1_111_111_111);
        for (off, found) in [
            (0, true),
            (-3600, true),
            (3600, true),
            (3630, false),
            (-3660, false),
        ] {
            let code = code_at(SECRET, now.plus_seconds(off));
            let step = found.then_some((now.0 + off) / STEP_SECONDS);
            assert_eq!(step_near(SECRET, &code, now, 120), step, "{off}");
        }
        for text in ["", "05047", "0504711", "05047x", "०५०४७१"] {
            assert_eq!(step_near(SECRET, text, now, 120), None, "{text}");
        }
        assert!(step_near(SECRET, &code_at(SECRET, UtcTime(0)), UtcTime(60), 120).is_some());
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "1", "+50471", "1405047", "05047 ", "०५०४७१", "abcdef"] {
            assert_eq!(
                step_of(SECRET, text, UtcTime(1_111_111_111)),
                None,
                "{text}"
            );
        }
        assert_eq!(step_of(SECRET, "050471", UtcTime(-1)), None);
    }

    #[test]
    fn the_address_for_apps_names_issuer_person_and_secret() {
        let uri = uri(&SECRET[..10], "Identità: prova", "ada@example.it").unwrap();
        let url = url::Url::parse(&uri).unwrap();
        assert_eq!((url.scheme(), url.host_str()), ("otpauth", Some("totp")));
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        assert!(pairs.contains(&("secret".into(), BASE32_NOPAD.encode(&SECRET[..10]))));
        assert!(pairs.contains(&("issuer".into(), "Identità  prova".into())));
        assert_eq!(readable(b"1234567890"), "GEZD GNBV GY3T QOJQ");
    }
}
