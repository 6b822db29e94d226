//! Time, passed in: the only module that reads the system clock.

use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
