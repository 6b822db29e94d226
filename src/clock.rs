//! Time, passed in: the only module that reads the system clock.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Seconds by which the clocks of two nodes may differ.
pub const CLOCKS_APART_SECONDS: i64 = 60;
/// Seconds by which a clock differs from another one, or has jumped, before operators are told.
pub const CLOCK_OFF_SECONDS: i64 = 5;

/// Whole seconds since 1970-01-01T00:00:00Z, the unit of every time in protocol messages and in the database.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UtcTime(pub i64);

impl UtcTime {
    /// This time plus `seconds`; saturates, so that hostile values cannot overflow.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this time; negative when `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whether something of this time says that a clock went back, or that another node's is wrong: its age is not known,
    /// so that it does not count.
    #[must_use]
    pub fn is_of_the_future(self, now: Self) -> bool {
        self.seconds_since(now) > CLOCKS_APART_SECONDS
    }

    /// `2026-01-31T09:00:00Z`; the raw number when it is no calendar date.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        chrono::DateTime::from_timestamp(self.0, 0).map_or_else(
            || self.0.to_string(),
            |time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
        )
    }
}

impl From<i64> for UtcTime {
    fn from(seconds: i64) -> Self {
        Self(seconds)
    }
}

impl From<UtcTime> for i64 {
    fn from(time: UtcTime) -> Self {
        time.0
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> UtcTime;

    /// The time since some beginning; never goes back when somebody sets the clock: for how long something counts.
    fn elapsed(&self) -> Duration;
}

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UtcTime {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the system clock"
        )]
        let now = chrono::Utc::now();
        UtcTime(now.timestamp())
    }

    fn elapsed(&self) -> Duration {
        BEGAN.elapsed()
    }
}

/// Notices when somebody sets a clock.
#[derive(Debug)]
pub struct ClockWatch {
    seen: (UtcTime, Duration),
}

impl ClockWatch {
    /// Begins.
    #[must_use]
    pub fn new(clock: &dyn Clock) -> Self {
        Self {
            seen: (clock.now(), clock.elapsed()),
        }
    }

    /// By how many seconds the clock has jumped since the last call, forward or (negative) back, if that is worth telling.
    pub fn jumped(&mut self, clock: &dyn Clock) -> Option<i64> {
        let (now, elapsed) = (clock.now(), clock.elapsed());
        let went = now.seconds_since(self.seen.0);
        let passed = elapsed.saturating_sub(self.seen.1).as_secs();
        self.seen = (now, elapsed);
        let jump = went.saturating_sub(i64::try_from(passed).unwrap_or(i64::MAX));
        (jump.saturating_abs() > CLOCK_OFF_SECONDS).then_some(jump)
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicI64,
    elapsed: AtomicU64,
}

impl ManualClock {
    /// Starts at `time`.
    #[must_use]
    pub fn starting_at(time: UtcTime) -> Self {
        Self {
            now: AtomicI64::new(time.0),
            elapsed: AtomicU64::new(0),
        }
    }

    /// Moves forward; when negative, somebody sets the clock back, and no time goes by.
    pub fn advance_seconds(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
        let passed = u64::try_from(seconds).unwrap_or_default();
        self.elapsed.fetch_add(passed, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UtcTime {
        UtcTime(self.now.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.elapsed.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_noticed_and_one_that_goes_is_not() {
        let clock = ManualClock::starting_at(UtcTime(1_000_000));
        let mut watch = ClockWatch::new(&clock);
        assert_eq!(watch.jumped(&clock), None);
        clock.advance_seconds(3_600);
        assert_eq!(watch.jumped(&clock), None, "time went by");
        clock.advance_seconds(-4);
        assert_eq!(watch.jumped(&clock), None, "a small correction");
        clock.advance_seconds(-600);
        assert_eq!(watch.jumped(&clock), Some(-600));
        assert_eq!(watch.jumped(&clock), None, "told once");
    }

    #[test]
    fn a_time_is_of_the_future_only_beyond_what_nodes_may_differ_by() {
        let now = UtcTime(1_000_000);
        assert!(!now.is_of_the_future(now));
        assert!(!now.plus_seconds(60).is_of_the_future(now));
        assert!(now.plus_seconds(61).is_of_the_future(now));
        assert!(UtcTime(i64::MAX).is_of_the_future(UtcTime(i64::MIN)));
    }
}
