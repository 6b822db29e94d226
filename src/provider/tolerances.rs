//! Which tolerances were needed, and by whom (SPID/CIE FE-12): at most one line a day for each, so that an operator
//! can tell the RP what to mend, and switch the tolerance off again when the line no longer comes.

use super::{KnownClient, Provider};
use crate::clock::UtcTime;
use crate::model::ClientId;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// At most so many uses are remembered; beyond, some are logged once more.
const MAX_REMEMBERED: usize = 10_000;
/// What every clock may be off without anybody having to mend it: the default of `clock_leeway_seconds`.
const USUAL_LEEWAY_SECONDS: i64 = 30;
const DAY_SECONDS: i64 = 86_400;

/// A tolerance that an RP needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tolerance {
    /// A time that only `clock_leeway_seconds` beyond the default lets pass.
    ClockLeeway,
    /// A request object without `exp`.
    MissingExp,
    /// Userinfo as `application/jose`.
    UserinfoContentType,
}

impl Tolerance {
    /// The key of the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClockLeeway => "clock_leeway_seconds",
            Self::MissingExp => "missing_exp",
            Self::UserinfoContentType => "userinfo_content_type",
        }
    }

    const fn mend(self) -> &'static str {
        match self {
            Self::ClockLeeway => "set its clock by NTP and write iat and exp in UTC",
            Self::MissingExp => "put exp into its request objects",
            Self::UserinfoContentType => "accept application/jwt from userinfo",
        }
    }
}

/// What was logged on which day.
#[derive(Debug, Default)]
pub(super) struct ToleranceLog(Mutex<HashMap<(ClientId, Tolerance), i64>>);

impl ToleranceLog {
    fn is_first_of_day(&self, client: &ClientId, tolerance: Tolerance, now: UtcTime) -> bool {
        let day = now.0.div_euclid(DAY_SECONDS);
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() >= MAX_REMEMBERED {
            logged.retain(|_, logged_on| *logged_on == day);
        }
        if logged.len() >= MAX_REMEMBERED {
            logged.clear();
        }
        logged.insert((client.clone(), tolerance), day) != Some(day)
    }
}

impl Provider {
    /// Logs that an RP needed a tolerance, once a day.
    pub fn tolerance_used(&self, client: &KnownClient, tolerance: Tolerance) {
        if !self
            .tolerances
            .is_first_of_day(client.id(), tolerance, self.now())
        {
            return;
        }
        log::warn!(
            "event=tolerance.used issuer={} client_id={} name={:?} tolerance={} mend=\"the RP should {}\"",
            self.issuer,
            client.id(),
            client.name("it"),
            tolerance.as_str(),
            tolerance.mend()
        );
    }

    /// As [`Provider::tolerance_used`], when accepted times need more than the default leeway.
    pub fn times_accepted(
        &self,
        client: &KnownClient,
        issued_at: Option<UtcTime>,
        expires_at: Option<UtcTime>,
    ) {
        let now = self.now();
        let leeway = USUAL_LEEWAY_SECONDS;
        let is_ahead = issued_at.is_some_and(|at| at > now.plus_seconds(leeway));
        let is_over = expires_at.is_some_and(|at| at.plus_seconds(leeway) <= now);
        if is_ahead || is_over {
            self.tolerance_used(client, Tolerance::ClockLeeway);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_logged_once_a_day_for_each_rp() {
        // SPID/CIE FE-12
        let log = ToleranceLog::default();
        let (one, other) = (ClientId::new("https://a"), ClientId::new("https://b"));
        let first = |client, tolerance, at| log.is_first_of_day(client, tolerance, UtcTime(at));
        assert!(first(&one, Tolerance::MissingExp, 10));
        assert!(!first(&one, Tolerance::MissingExp, 20));
        assert!(first(&one, Tolerance::ClockLeeway, 20));
        assert!(first(&other, Tolerance::MissingExp, 20));
        assert!(first(&one, Tolerance::MissingExp, DAY_SECONDS));
    }
}
