//! Our own trust marks: what is published of them, and how new ones come from their issuers (OIDC Federation §8.6).
//!
//! ```text
//! configured marks ─┐                       ┌─ of each type and mark issuer the one issued last,
//! own_trust_mark ───┴─► OwnMarks ─► published ─┴─ unless it has ended
//!       ▲                   │
//!       └── Keeper: about to end, ended, revoked or missing ─► Resolver::request_own_mark, verified as an RP would
//! ```
//!
//! Configured marks stay the beginning: a mark that an operator configures later wins over an older one that was given on
//! request. One node at a time asks; the others notice a new mark as they notice new keys.

use super::renewal::Spread;
use super::{Provider, Task};
use crate::clock::UtcTime;
use crate::config::IssuerSettings;
use crate::federation::{TrustSettings, ValidMark};
use crate::jose::Unverified;
use crate::model::{IssuerId, OwnTrustMark};
use crate::store::{Store, StoreError, own_trust_mark};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Longest trust mark that is put into our entity configuration.
const MAX_BYTES: usize = 16 * 1024;
const DAY_SECONDS: i64 = 86_400;
/// A new mark is asked for this long before the old one ends or earlier, but not in the first three quarters of its life.
const LATEST_SECONDS: i64 = 7 * DAY_SECONDS;
const EARLIEST_SECONDS: i64 = 30 * DAY_SECONDS;
/// How often the issuer of a mark is asked whether it is still active.
const CHECK_SECONDS: i64 = 3600;
/// The pause after a failure, doubled by each further one.
const PAUSE_SECONDS: i64 = 60;
const PAUSE_MAX_SECONDS: i64 = 6 * 3600;
/// For one mark, all issuers that could give it together.
const PATIENCE: Duration = Duration::from_secs(20);
/// After this time a turn begins nothing more.
const TURN: Duration = Duration::from_secs(50);

/// The marks of one issuer.
#[derive(Debug, Default)]
pub(super) struct OwnMarks {
    /// Of the table, when it was read.
    version: i64,
    /// By type and mark issuer, the one issued last, also when it has ended.
    marks: BTreeMap<(String, String), OwnTrustMark>,
}

impl OwnMarks {
    pub(super) fn new(configured: &[OwnTrustMark], version: i64, given: Vec<OwnTrustMark>) -> Self {
        let mut marks: BTreeMap<(String, String), OwnTrustMark> = BTreeMap::new();
        for mark in given.into_iter().chain(configured.iter().cloned()) {
            let key = (mark.mark_type.clone(), mark.mark_issuer.clone());
            let age = |mark: &OwnTrustMark| (mark.issued_at, end_of(mark));
            match marks.get(&key) {
                Some(known) if age(known) >= age(&mark) => {}
                _ => {
                    marks.insert(key, mark);
                }
            }
        }
        Self { version, marks }
    }
}

/// An issuer's configured marks, and those that count of them and of the given ones. Blocks.
pub(super) fn open(
    store: &Store,
    settings: &IssuerSettings,
    issuer: &IssuerId,
) -> Result<(Vec<OwnTrustMark>, OwnMarks), StoreError> {
    let configured: Vec<OwnTrustMark> = settings
        .trust_marks
        .iter()
        .filter_map(|jwt| {
            let mark = read_own_mark(issuer, jwt);
            if mark.is_none() {
                log::warn!("event=own_mark.unreadable issuer={issuer} what=\"a configured trust mark states no type or issuer\"");
            }
            mark
        })
        .collect();
    let of = issuer.clone();
    let (version, given) = store.read_blocking(move |connection| {
        let version = own_trust_mark::version(connection)?;
        Ok::<_, StoreError>((version, own_trust_mark::search(connection, &of)?))
    })?;
    let own = OwnMarks::new(&configured, version, given);
    Ok((configured, own))
}

/// When a mark ends; the end of time when it does not.
fn end_of(mark: &OwnTrustMark) -> UtcTime {
    mark.expires_at.unwrap_or(UtcTime(i64::MAX))
}

/// What a mark says of itself. It is ours: whoever reads it verifies it.
pub(super) fn read_own_mark(issuer: &IssuerId, jwt: &str) -> Option<OwnTrustMark> {
    let claims: Map<String, Value> = Unverified::parse(jwt, MAX_BYTES)
        .ok()?
        .unverified_claims()
        .ok()?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(UtcTime);
    Some(OwnTrustMark {
        issuer: issuer.clone(),
        mark_type: ["trust_mark_type", "trust_mark_id", "id"]
            .into_iter()
            .find_map(text)?,
        mark_issuer: text("iss")?,
        jwt: jwt.to_owned(),
        issued_at: time("iat").unwrap_or(UtcTime(0)),
        expires_at: time("exp"),
        obtained_at: UtcTime(0),
    })
}

impl Provider {
    /// The marks to publish now: none that has ended.
    #[must_use]
    pub fn own_trust_marks(&self) -> Vec<OwnTrustMark> {
        let (marks, now) = (self.own_marks.load(), self.now());
        let good = marks.marks.values().filter(|mark| now < end_of(mark));
        good.cloned().collect()
    }

    /// Reads the marks again if there is another version of them than the one in memory; then the entity configuration
    /// is signed anew.
    ///
    /// # Errors
    /// The database failed; the old marks stay.
    pub async fn refresh_own_marks(&self, version: i64) -> Result<bool, StoreError> {
        if self.own_marks.load().version == version {
            return Ok(false);
        }
        let issuer = self.issuer.clone();
        let given: Result<Vec<OwnTrustMark>, StoreError> = self
            .shared
            .store
            .read(move |connection| own_trust_mark::search(connection, &issuer))
            .await;
        let marks = OwnMarks::new(&self.configured_marks, version, given?);
        self.own_marks.store(Arc::new(marks));
        self.documents.entity_configuration.forget();
        Ok(true)
    }
}

/// A mark that is needed: the one that we have, or a type of which we have none.
struct Wanted {
    mark_type: String,
    current: Option<OwnTrustMark>,
}

impl Wanted {
    fn issuer(&self) -> Option<&str> {
        self.current.as_ref().map(|mark| mark.mark_issuer.as_str())
    }

    /// Why a new one is needed; `None`: it is not.
    fn need(&self, spread: &Spread, now: UtcTime) -> Option<&'static str> {
        let Some(mark) = &self.current else {
            return Some("there is none");
        };
        let end = mark.expires_at?;
        let life = end.seconds_since(mark.issued_at).max(0);
        let latest = LATEST_SECONDS.min(life / 8);
        let earliest = EARLIEST_SECONDS.min(life / 4);
        let asked_from = end.plus_seconds(-latest - spread.part_of(earliest - latest));
        match now {
            now if now >= end => Some("it has ended"),
            now if now >= asked_from => Some("it ends soon"),
            _ => None,
        }
    }

    /// Whether its operator has to know that there is no new one yet.
    fn is_urgent(&self, now: UtcTime) -> bool {
        let end = self.current.as_ref().map(end_of);
        end.is_none_or(|end| end.seconds_since(now) <= LATEST_SECONDS)
    }

    /// Whether `given` may take the place of what we have: never an older one, nor the same again.
    fn is_improved_by(&self, given: &OwnTrustMark, is_revoked: bool) -> bool {
        self.current.as_ref().is_none_or(|current| {
            given.jwt != current.jwt
                && given.issued_at >= current.issued_at
                && (is_revoked || end_of(given) > end_of(current))
        })
    }
}

/// What the node that asks remembers of a mark.
struct Memory {
    failures: u32,
    not_before: UtcTime,
    check_at: UtcTime,
}

/// Keeps the marks of all issuers of a process good, when it is this node's turn.
pub struct MarkKeeper {
    task: Task,
    memories: HashMap<(IssuerId, String, Option<String>), Memory>,
}

impl Default for MarkKeeper {
    fn default() -> Self {
        Self {
            task: Task::new("own_trust_marks"),
            memories: HashMap::new(),
        }
    }
}

impl MarkKeeper {
    /// Asks for what is needed now; answers how many new marks came.
    pub async fn turn(&mut self, providers: &[Arc<Provider>]) -> usize {
        let end = Instant::now() + TURN;
        let mut obtained = 0;
        for op in providers {
            let Some(trust) = &op.trust else { continue };
            let wanted = op.wanted_marks();
            if wanted.is_empty() || !self.task.is_ours(&op.shared).await {
                continue;
            }
            for wanted in wanted {
                if Instant::now() < end && self.keep(op, trust, &wanted).await {
                    obtained += 1;
                }
            }
        }
        obtained
    }

    async fn keep(&mut self, op: &Provider, trust: &TrustSettings, wanted: &Wanted) -> bool {
        let now = op.now();
        let spread = Spread::of(&op.issuer, &wanted.mark_type);
        let key = (
            op.issuer.clone(),
            wanted.mark_type.clone(),
            wanted.issuer().map(str::to_owned),
        );
        let memory = self.memories.entry(key).or_insert_with(|| Memory {
            failures: 0,
            not_before: now,
            check_at: now.plus_seconds(spread.part_of(CHECK_SECONDS)),
        });
        if now < memory.not_before {
            return false;
        }
        let mut need = wanted.need(&spread, now).map(str::to_owned);
        let mut is_revoked = false;
        if let (None, Some(mark)) = (&need, &wanted.current)
            && now >= memory.check_at
        {
            memory.check_at = now.plus_seconds(CHECK_SECONDS);
            need = op.refusal_of(trust, mark).await;
            is_revoked = need.is_some();
        }
        let Some(need) = need else {
            memory.failures = 0;
            return false;
        };
        let outcome = op.request_mark(trust, wanted, is_revoked).await;
        let (mark_type, issuer) = (&wanted.mark_type, &op.issuer);
        match outcome {
            Ok(()) => {
                memory.failures = 0;
                log::info!(
                    "event=own_mark.obtained issuer={issuer} mark_type={mark_type:?} need={need:?}"
                );
                true
            }
            Err(reason) => {
                let pause = (PAUSE_SECONDS << memory.failures.min(16)).min(PAUSE_MAX_SECONDS);
                let pause = pause + spread.part_of(pause / 4);
                memory.failures = memory.failures.saturating_add(1);
                memory.not_before = now.plus_seconds(pause);
                // What was revoked stays wanted after the pause.
                memory.check_at = memory.check_at.min(memory.not_before);
                let level = match is_revoked || wanted.is_urgent(now) {
                    true => log::Level::Warn,
                    false => log::Level::Info,
                };
                log::log!(
                    level,
                    "event=own_mark.not_renewed issuer={issuer} mark_type={mark_type:?} need={need:?} reason={reason:?}"
                );
                false
            }
        }
    }
}

impl Provider {
    fn wanted_marks(&self) -> Vec<Wanted> {
        let own = self.own_marks.load();
        let mut wanted: Vec<Wanted> = own
            .marks
            .values()
            .map(|mark| Wanted {
                mark_type: mark.mark_type.clone(),
                current: Some(mark.clone()),
            })
            .collect();
        for mark_type in &self.settings.trust_mark_types {
            if !wanted.iter().any(|known| known.mark_type == *mark_type) {
                wanted.push(Wanted {
                    mark_type: mark_type.clone(),
                    current: None,
                });
            }
        }
        wanted
    }

    /// Why a mark of ours does not hold any more; `None` also when nobody can say.
    async fn refusal_of(&self, trust: &TrustSettings, mark: &OwnTrustMark) -> Option<String> {
        let checked = self.shared.resolver.check_own_mark(trust, &mark.jwt);
        match tokio::time::timeout(PATIENCE, checked).await {
            Ok(Err(fault)) if !fault.temporary => Some(fault.fact),
            Ok(_) | Err(_) => None,
        }
    }

    async fn request_mark(
        &self,
        trust: &TrustSettings,
        wanted: &Wanted,
        is_revoked: bool,
    ) -> Result<(), String> {
        let resolver = &self.shared.resolver;
        let asked = resolver.request_own_mark(trust, &wanted.mark_type, wanted.issuer());
        let given = tokio::time::timeout(PATIENCE, asked)
            .await
            .map_err(|_| format!("no answer within {} seconds", PATIENCE.as_secs()))??;
        let given = self.as_own(&given).ok_or("the mark is too large")?;
        if !wanted.is_improved_by(&given, is_revoked) {
            return Err("its issuer gives none that is newer and lasts longer".to_owned());
        }
        let version: Result<i64, StoreError> = self
            .shared
            .store
            .write(move |tx| {
                own_trust_mark::upsert(tx, &given)?;
                own_trust_mark::version(tx)
            })
            .await;
        let version = version.map_err(|error| error.to_string())?;
        let refreshed = self.refresh_own_marks(version).await;
        refreshed.map(|_| ()).map_err(|error| error.to_string())
    }

    fn as_own(&self, mark: &ValidMark) -> Option<OwnTrustMark> {
        let mark = read_own_mark(&self.issuer, &mark.jwt)?;
        let obtained_at = self.now();
        Some(OwnTrustMark {
            obtained_at,
            ..mark
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://op.example.it";

    fn mark(jwt: &str, issued_at: i64, expires_at: Option<i64>) -> OwnTrustMark {
        OwnTrustMark {
            issuer: IssuerId::new(ISSUER),
            mark_type: "https://ta.example.it/op".to_owned(),
            mark_issuer: "https://ta.example.it".to_owned(),
            jwt: jwt.to_owned(),
            issued_at: UtcTime(issued_at),
            expires_at: expires_at.map(UtcTime),
            obtained_at: UtcTime(0),
        }
    }

    fn wanted(current: OwnTrustMark) -> Wanted {
        Wanted {
            mark_type: current.mark_type.clone(),
            current: Some(current),
        }
    }

    #[test]
    fn of_configured_and_given_marks_the_one_issued_last_counts() {
        let chosen = |configured: OwnTrustMark, given: OwnTrustMark| {
            let own = OwnMarks::new(&[configured], 1, vec![given]);
            let marks: Vec<String> = own.marks.into_values().map(|mark| mark.jwt).collect();
            marks.join(" ")
        };
        let given = mark("given", 10, Some(100));
        assert_eq!(chosen(mark("old", 5, Some(200)), given.clone()), "given");
        assert_eq!(chosen(mark("new", 11, Some(50)), given.clone()), "new");
        assert_eq!(chosen(mark("endless", 10, None), given.clone()), "endless");
        assert_eq!(
            chosen(mark("shorter", 10, Some(99)), given.clone()),
            "given"
        );
        let mut other = mark("other", 1, None);
        other.mark_issuer = "https://another.example.it".to_owned();
        assert_eq!(chosen(other, given), "other given");
    }

    #[test]
    fn a_mark_is_asked_for_in_the_last_quarter_of_its_life_at_a_time_of_its_own() {
        for (life, from, until) in [
            (365 * DAY_SECONDS, 335 * DAY_SECONDS, 358 * DAY_SECONDS),
            (8 * 3600, 6 * 3600, 7 * 3600),
        ] {
            let wanted = wanted(mark("a", 0, Some(life)));
            let mut begins = Vec::new();
            for number in 0..100 {
                let name = format!("https://ta.example.it/{number}");
                let spread = Spread::of(&IssuerId::new(ISSUER), &name);
                assert_eq!(wanted.need(&spread, UtcTime(from - 1)), None);
                assert_eq!(wanted.need(&spread, UtcTime(until)), Some("it ends soon"));
                assert_eq!(wanted.need(&spread, UtcTime(life)), Some("it has ended"));
                let middle = UtcTime((from + until) / 2);
                begins.push(wanted.need(&spread, middle).is_some());
            }
            let early = begins.iter().filter(|begun| **begun).count();
            assert!(
                (30..70).contains(&early),
                "{early} of 100 in the first half"
            );
        }
        let spread = Spread::of(&IssuerId::new(ISSUER), "a");
        assert_eq!(
            wanted(mark("a", 0, None)).need(&spread, UtcTime(i64::MAX)),
            None
        );
    }

    #[test]
    fn an_older_a_shorter_or_the_same_mark_replaces_none() {
        let wanted = wanted(mark("now", 10, Some(100)));
        for (given, improves, improves_a_revoked_one) in [
            (mark("now", 10, Some(100)), false, false),
            (mark("older", 9, Some(200)), false, false),
            (mark("shorter", 11, Some(100)), false, true),
            (mark("longer", 10, Some(101)), true, true),
            (mark("endless", 11, None), true, true),
        ] {
            assert_eq!(wanted.is_improved_by(&given, false), improves, "{given:?}");
            let revoked = wanted.is_improved_by(&given, true);
            assert_eq!(revoked, improves_a_revoked_one, "{given:?}");
        }
    }
}
