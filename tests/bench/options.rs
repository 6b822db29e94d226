//! What the environment asks for.

use std::time::Duration;

/// Durations are those of one round.
#[derive(Clone, Debug)]
pub struct Options {
    /// `spid` or `cie`.
    pub profile: String,
    pub rounds: u32,
    /// Concurrent browsers, a connection each.
    pub clients: u32,
    /// In all rounds together; absent: as many as fit the time.
    pub logins: Option<u32>,
    pub login_time: Duration,
    pub userinfo_time: Duration,
    pub configuration_time: Duration,
    /// One kind of load alone.
    pub hold: Option<String>,
}

impl Options {
    pub fn from_environment() -> Self {
        let text = |name: &str| std::env::var(name).ok();
        let number = |name: &str| text(name).map(|value| value.parse::<u32>().unwrap());
        Self {
            profile: text("VARCO_BENCH_PROFILE").unwrap_or_else(|| "spid".to_owned()),
            rounds: number("VARCO_BENCH_ROUNDS").unwrap_or(30),
            clients: number("VARCO_BENCH_CLIENTS").unwrap_or(16),
            logins: number("VARCO_BENCH_LOGINS"),
            login_time: Duration::from_millis(700),
            userinfo_time: Duration::from_millis(300),
            configuration_time: Duration::from_millis(150),
            hold: text("VARCO_BENCH_HOLD"),
        }
    }
}
