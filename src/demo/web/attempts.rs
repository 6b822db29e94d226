//! The logins under way at the demonstration's relying parties, in memory.

use crate::clock::{Clock, UtcTime};
use crate::demo::relying_party::{
    AuthorizationAnswer, PreparedRequest, ProviderMetadata, TokenAnswer,
};
use crate::secret::equal;
use crate::ui::DemoStep;
use serde_json::{Map, Value};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Logins kept at a time; the oldest make room.
const MAX_ATTEMPTS: usize = 10_000;
/// Seconds that a login is kept: longer than anybody types, short enough to look at the result.
const ATTEMPT_SECONDS: i64 = 2 * 3600;

/// What came of a login, and of the actions after it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What each step said.
    pub steps: Vec<DemoStep>,
    /// The person, from userinfo and id_token.
    pub claims: Map<String, Value>,
    /// The tokens that are good, as far as the relying party knows.
    pub tokens: Option<TokenAnswer>,
    /// `sub` of the id_token.
    pub subject: Option<String>,
    /// `error` and `error_description` of what failed.
    pub error: Option<(String, String)>,
}

/// One login.
#[derive(Debug)]
pub struct Attempt {
    /// The path of the relying party that began it.
    pub relying_party: String,
    /// The provider.
    pub provider: ProviderMetadata,
    /// The request.
    pub prepared: PreparedRequest,
    /// What was done so far, before the browser came back.
    pub first_steps: Vec<DemoStep>,
    /// What the browser brought back; the first answer counts.
    pub answer: Option<AuthorizationAnswer>,
    /// What came of it; `None` until the answer was looked at.
    pub outcome: Option<Outcome>,
    browser: String,
}

impl Attempt {
    /// A login that has just begun in the browser with this cookie.
    #[must_use]
    pub fn begun(
        browser: &str,
        relying_party: &str,
        provider: ProviderMetadata,
        prepared: PreparedRequest,
        first_steps: Vec<DemoStep>,
    ) -> Self {
        Self {
            relying_party: relying_party.to_owned(),
            provider,
            prepared,
            first_steps,
            answer: None,
            outcome: None,
            browser: browser.to_owned(),
        }
    }

    /// Whether this browser began it at this relying party.
    #[must_use]
    pub fn is_of(&self, relying_party: &str, browser: &str) -> bool {
        self.relying_party == relying_party && equal(self.browser.as_bytes(), browser.as_bytes())
    }
}

/// A login that several requests of its browser may ask for at once: they take turns.
pub type SharedAttempt = Arc<tokio::sync::Mutex<Attempt>>;

#[derive(Default)]
struct Kept {
    by_state: HashMap<String, SharedAttempt>,
    by_age: VecDeque<(UtcTime, String)>,
}

/// The logins under way, by `state`.
pub struct Attempts {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

impl Attempts {
    /// None yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            kept: Mutex::default(),
        }
    }

    /// Keeps a login.
    pub fn insert(&self, attempt: Attempt) {
        let now = self.clock.now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.drop_old(now, MAX_ATTEMPTS.saturating_sub(1));
        let state = attempt.prepared.state.clone();
        kept.by_age.push_back((now, state.clone()));
        let shared = Arc::new(tokio::sync::Mutex::new(attempt));
        kept.by_state.insert(state, shared);
    }

    /// The login with this `state`, unless it is too old.
    #[must_use]
    pub fn find(&self, state: &str) -> Option<SharedAttempt> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.drop_old(self.clock.now(), MAX_ATTEMPTS);
        kept.by_state.get(state).cloned()
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.by_state.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Kept {
    fn drop_old(&mut self, now: UtcTime, limit: usize) {
        while let Some((begun, state)) = self.by_age.front() {
            let is_old = now.seconds_since(*begun) >= ATTEMPT_SECONDS;
            if !is_old && self.by_age.len() <= limit {
                return;
            }
            self.by_state.remove(state);
            self.by_age.pop_front();
        }
    }
}
