//! What an operator tolerates of one RP, in place of the configuration (SPID/CIE FE-12): its kit has a peculiarity, and people
//! have to log in until that is mended. Every node obeys as it does the switch.

use super::{PartyError, PartyKey, tell};
use crate::clock::UtcTime;
use crate::model::{Actor, RpToleranceOverride, UserinfoContentType};
use crate::store::{DbConn, client, client_desk};
use serde_json::json;

/// The clock of an RP may be off so far, at most: local time that is written as UTC, with daylight saving. The
/// configuration can go further.
pub const MOST_LEEWAY_SECONDS: i64 = 4 * 3600;

/// One of the tolerances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ToleranceField {
    /// Seconds.
    ClockLeeway,
    /// `true` or `false`.
    MissingExp,
    /// A media type.
    UserinfoContentType,
}

impl ToleranceField {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::ClockLeeway,
        Self::MissingExp,
        Self::UserinfoContentType,
    ];

    /// Its key in the configuration, its name in the form and in message keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClockLeeway => "clock_leeway_seconds",
            Self::MissingExp => "missing_exp",
            Self::UserinfoContentType => "userinfo_content_type",
        }
    }

    /// What can be written there.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::ClockLeeway => {
                "--clock-leeway-seconds: expected a whole number from 0 to 14400 (four hours)"
            }
            Self::MissingExp => "--missing-exp: expected true or false",
            Self::UserinfoContentType => {
                "--userinfo-content-type: expected application/jwt or application/jose"
            }
        }
    }

    /// As text; empty where the configuration counts.
    #[must_use]
    pub fn text_of(self, tolerance: &RpToleranceOverride) -> String {
        let text = match self {
            Self::ClockLeeway => tolerance.clock_leeway_seconds.map(|own| own.to_string()),
            Self::MissingExp => tolerance.missing_exp.map(|own| own.to_string()),
            Self::UserinfoContentType => tolerance
                .userinfo_content_type
                .map(|own| own.as_str().to_owned()),
        };
        text.unwrap_or_default()
    }
}

/// Reads what was typed; an empty text leaves it to the configuration.
///
/// # Errors
/// The fields that cannot be understood.
pub fn read_tolerance<'t>(
    text: impl Fn(ToleranceField) -> &'t str,
) -> Result<RpToleranceOverride, Vec<ToleranceField>> {
    let mut wrong = Vec::new();
    let mut read = RpToleranceOverride::default();
    for field in ToleranceField::ALL {
        let text = text(field).trim();
        if text.is_empty() {
            continue;
        }
        let understood = match field {
            ToleranceField::ClockLeeway => {
                let seconds = text.parse().ok();
                read.clock_leeway_seconds =
                    seconds.filter(|seconds| (0..=MOST_LEEWAY_SECONDS).contains(seconds));
                read.clock_leeway_seconds.is_some()
            }
            ToleranceField::MissingExp => {
                read.missing_exp = text.parse().ok();
                read.missing_exp.is_some()
            }
            ToleranceField::UserinfoContentType => {
                let known = [UserinfoContentType::Jwt, UserinfoContentType::Jose];
                read.userinfo_content_type = known.into_iter().find(|kind| kind.as_str() == text);
                read.userinfo_content_type.is_some()
            }
        };
        if !understood {
            wrong.push(field);
        }
    }
    if wrong.is_empty() {
        Ok(read)
    } else {
        Err(wrong)
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerated {
    /// It is as it should be.
    Saved,
    /// Somebody else changed it since it was `seen`: this is how it is.
    Changed(RpToleranceOverride),
}

/// Sets what is tolerated of an RP, from what the operator saw to what they want.
///
/// # Errors
/// `Unknown`.
pub fn tolerate(
    conn: &mut DbConn,
    actor: &Actor,
    (key, seen, wanted): (&PartyKey, &RpToleranceOverride, &RpToleranceOverride),
    now: UtcTime,
) -> Result<Tolerated, PartyError> {
    let found = client::find(conn, &key.issuer, &key.client_id)?.ok_or(PartyError::Unknown)?;
    if found.tolerance == *wanted {
        return Ok(Tolerated::Saved);
    }
    let is_as_seen = found.tolerance == *seen;
    if !is_as_seen || !client_desk::set_tolerance(conn, key.parts(), seen, wanted)? {
        let current = client::find_tolerance(conn, &key.issuer, &key.client_id)?;
        return Ok(Tolerated::Changed(current));
    }
    tell(
        conn,
        actor,
        ("rp.tolerate", key),
        (Some(json!(seen)), Some(json!(wanted))),
        now,
    )?;
    Ok(Tolerated::Saved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        clock: &str,
        exp: &str,
        kind: &str,
    ) -> Result<RpToleranceOverride, Vec<ToleranceField>> {
        let texts = [clock.to_owned(), exp.to_owned(), kind.to_owned()];
        read_tolerance(|field| match field {
            ToleranceField::ClockLeeway => &texts[0],
            ToleranceField::MissingExp => &texts[1],
            ToleranceField::UserinfoContentType => &texts[2],
        })
    }

    #[test]
    fn tolerances_are_bounded_and_nothing_else_than_what_is_known() {
        // SPID/CIE FE-12
        let all = read(" 7200 ", "true", "application/jose").unwrap();
        for field in ToleranceField::ALL {
            assert!(!field.text_of(&all).is_empty());
        }
        assert_eq!(read("", "", ""), Ok(RpToleranceOverride::default()));
        assert!(read("0", "false", "application/jwt").is_ok());
        for clock in ["-1", "14401", "1e3", "9999999999999999999", "x"] {
            assert_eq!(read(clock, "", ""), Err(vec![ToleranceField::ClockLeeway]));
        }
        let wrong = read("14400", "yes", "text/html");
        let expected = [
            ToleranceField::MissingExp,
            ToleranceField::UserinfoContentType,
        ];
        assert_eq!(wrong, Err(expected.to_vec()));
    }
}
