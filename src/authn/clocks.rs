//! Codes that are right at another time: the clock of a phone, or the server's own, is wrong. People are told so; such a
//! code never lets anybody in.
//!
//! ```text
//! code ──right now──► spent ──► counts                     (one that somebody was told of before: used before)
//!   └──right within an hour──► told why, burnt, counted as a wrong one
//!   └──anything else──► wrong
//! ```
//!
//! Saying so would be an oracle: whoever guesses a code of the future learns that it is one, and waits. So a code that
//! somebody was told of is burnt, and is refused also when its time comes; what is known of one code says nothing of the
//! next. It counts as a wrong one, so that twenty of them a day are judged (RFC 6238 §6 would move the clock instead:
//! that accepts more codes, for whoever guesses too).

use super::second_factor::Checked;
use super::totp::{self, STEP_SECONDS};
use crate::clock::UtcTime;
use crate::model::{ClientId, IssuerId};
use crate::store::replay::{self, ReplayKey};
use crate::store::{DbConn, StoreError};

/// How far a clock may be off for its owner to be told.
const TOLD_STEPS: i64 = 120;
/// RFC 6238 §5.2: a code counts one step early too.
const EARLY_STEPS: i64 = 1;
/// How much longer than its time a burnt code is remembered: the server's clock may go back.
const REMEMBERED_SECONDS: i64 = 86_400;

/// An app whose code is judged.
#[derive(Clone, Copy)]
pub(super) struct App<'a> {
    /// Which one: `totp …`, unique among all people and operators.
    pub(super) name: &'a str,
    /// Its secret.
    pub(super) secret: &'a [u8],
    /// The step that was spent last.
    pub(super) last_step: Option<i64>,
}

/// What a code is.
pub(super) enum Judged {
    /// Right now: of this step, which is still to be spent.
    Right(i64),
    /// Right, and refused with the reason.
    Refused(Checked),
    /// Wrong.
    Wrong,
}

impl App<'_> {
    /// Judges a code, and burns it where the answer says more than that it is wrong.
    pub(super) fn judge(
        &self,
        conn: &mut DbConn,
        code: &str,
        now: UtcTime,
    ) -> Result<Judged, StoreError> {
        if let Some(step) = totp::step_of(self.secret, code, now) {
            return Ok(if self.is_burnt(conn, step)? {
                Judged::Refused(self.spent(now))
            } else {
                Judged::Right(step)
            });
        }
        let behind = self.server_is_behind_until(now);
        // The server may be behind by more than an hour: what was spent last says where the right time is.
        let last = self.last_step.unwrap_or_default();
        let step = totp::step_near(self.secret, code, now, TOLD_STEPS).or_else(|| {
            let then = UtcTime(last.saturating_mul(STEP_SECONDS));
            behind.and_then(|_| totp::step_near(self.secret, code, then, TOLD_STEPS))
        });
        let Some(step) = step else {
            return Ok(Judged::Wrong);
        };
        self.burn(conn, step, now)?;
        Ok(Judged::Refused(match behind {
            Some(until) => self.server(until, now),
            None => self.phone(
                step.saturating_sub(step_at(now))
                    .saturating_mul(STEP_SECONDS),
            ),
        }))
    }

    /// What is said of a code whose step, or a later one, was spent.
    pub(super) fn spent(&self, now: UtcTime) -> Checked {
        match self.server_is_behind_until(now) {
            Some(until) => self.server(until, now),
            None => Checked::UsedBefore,
        }
    }

    /// A step was spent whose time has not come: it had when it was spent. When the next one counts.
    fn server_is_behind_until(&self, now: UtcTime) -> Option<UtcTime> {
        let last = self.last_step?;
        (last > step_at(now).saturating_add(EARLY_STEPS))
            .then(|| UtcTime(last.saturating_mul(STEP_SECONDS)))
    }

    fn server(&self, until: UtcTime, now: UtcTime) -> Checked {
        log::error!(
            "event=clock.behind seconds={} seen_by=\"{}\"",
            until.seconds_since(now),
            self.name
        );
        Checked::ServerBehind { until }
    }

    fn phone(&self, seconds: i64) -> Checked {
        log::warn!(
            "event=second_factor.clock_off seconds={seconds} app=\"{}\"",
            self.name
        );
        Checked::ClockOff { seconds }
    }

    fn burn(&self, conn: &mut DbConn, step: i64, now: UtcTime) -> Result<(), StoreError> {
        let ends = UtcTime(step.saturating_mul(STEP_SECONDS)).max(now);
        self.burnt(step, |key| {
            replay::insert(conn, key, None, ends.plus_seconds(REMEMBERED_SECONDS))
        })?;
        Ok(())
    }

    fn is_burnt(&self, conn: &mut DbConn, step: i64) -> Result<bool, StoreError> {
        self.burnt(step, |key| replay::is_used(conn, key))
    }

    /// A factor is the same at every issuer.
    fn burnt<T>(&self, step: i64, with: impl FnOnce(&ReplayKey<'_>) -> T) -> T {
        with(&ReplayKey {
            issuer: &IssuerId::new(""),
            client_id: &ClientId::new(self.name),
            purpose: "one-time code of another time",
            value: &step.to_string(),
        })
    }
}

/// By how many seconds the clock of an app is ahead, whose first code is not right now but within the hour. Whoever types
/// it sees the secret, so that there is nothing to learn.
pub(super) fn seconds_off(secret: &[u8], code: &str, now: UtcTime) -> Option<i64> {
    let step = totp::step_near(secret, code, now, TOLD_STEPS)?;
    Some(
        step.saturating_sub(step_at(now))
            .saturating_mul(STEP_SECONDS),
    )
}

fn step_at(time: UtcTime) -> i64 {
    time.0.div_euclid(STEP_SECONDS)
}
