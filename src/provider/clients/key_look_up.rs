//! Following an RP that changes its keys: a signature by an unknown `kid` makes us look for new ones (SPID/CIE FE-9).
//!
//! Anybody can write a `kid` that does not exist, so a look-up is what an attacker gets for free. Three rules keep it cheap
//! for us and for the RP's host, and short for the RP that has really changed its keys:
//!
//! - **Each RP, whoever asks**: one look-up at a time, which all who come meanwhile wait for; after one that found nothing
//!   new a pause of 5 s, which doubles with each further one up to a minute, and is forgotten after ten quiet minutes. So
//!   whoever forges one request just before the RP changes its keys delays it by five seconds; whoever forges without end
//!   delays it by a minute at most, and makes us ask that RP's host once a minute.
//! - **Each source**: four look-ups, then one in ten seconds; its network (IPv6) twice that. Otherwise one machine that forges a request of every known RP
//!   in turn would use up what follows, and honest RPs would be refused as long as it goes on.
//! - **All together**: 32 look-ups, then four a second, four at a time. Only many machines at once get that far; then RPs
//!   that change their keys wait for theirs, and are found at the latest when their chain is renewed.
//!
//! So is one that an operator registered with the address of its keys (OIDC Registration §2): there is no chain, and why the
//! address could not be asked is said to whoever signs with a key that is not known. Otherwise:
//! An RP whose keys are at an address of their own (`jwks_uri`, `signed_jwks_uri`) is asked there only: one fetch. When that
//! finds nothing, the next look-up resolves the chain: the RP may have moved its keys. All of it runs in the known lane.
//! A request that is signed with a known key never waits for any of this; an RP that publishes a key before it signs with
//! it is never refused at all.

use super::{ClientError, KnownClient};
use crate::federation::evaluation::Recorder;
use crate::federation::{EntityId, KeyOwner, Lane, Network, Source};
use crate::jose::{KeySet, Unverified};
use crate::model::{ClientId, Origin, RelyingParty, ResolvedTrust};
use crate::provider::Provider;
use crate::store::{client, renewal};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

/// The pause after the first look-up that found nothing new.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// Earlier look-ups are forgotten when nobody asked for so long.
const QUIET: Duration = Duration::from_secs(600);
/// How long somebody waits for the look-up of another and for a place, together: as long as a resolution takes at most.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// RPs and sources of which is remembered when they last asked.
const MAX_REMEMBERED: u64 = 10_000;
/// Look-ups at a time: half of the known lane, so that renewals go on.
const AT_ONCE: usize = 4;
const OF_A_SOURCE: Rate = Rate {
    burst: 4,
    thousandths_a_second: 100,
};
const OF_A_NETWORK: Rate = Rate {
    burst: 8,
    thousandths_a_second: 200,
};
const OF_ALL: Rate = Rate {
    burst: 32,
    thousandths_a_second: 4_000,
};

/// What one issuer remembers of its look-ups.
pub(in crate::provider) struct KeyLookUps {
    turns: moka::sync::Cache<ClientId, Arc<tokio::sync::Mutex<Turn>>>,
    budget: Mutex<Budget>,
    at_once: Semaphore,
}

/// One RP's look-ups; locked while one is under way.
#[derive(Debug, Default)]
struct Turn {
    /// Those in a row that found nothing new.
    fruitless: u32,
    /// By [`crate::clock::Clock::elapsed`], as all times here: a clock that is set back must not make a pause longer.
    next_at: Duration,
    /// Why the last one could not be had, of an RP whose keys are all at one address.
    failure: Option<ClientError>,
}

struct Budget {
    all: Bucket,
    sources: moka::sync::Cache<Source, Bucket>,
    networks: moka::sync::Cache<Network, Bucket>,
}

struct Rate {
    burst: u64,
    thousandths_a_second: u64,
}

/// What is left of a rate, in thousandths.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: u64,
    at: Duration,
}

impl Bucket {
    /// As much as there is after a long time.
    fn full(rate: &Rate, now: Duration) -> Self {
        Self {
            left: rate.burst.saturating_mul(1000),
            at: now,
        }
    }

    fn take(&mut self, rate: &Rate, now: Duration) -> bool {
        // In whole seconds, so that what lies between two that ask in the same one is not lost.
        let elapsed = now.as_secs().saturating_sub(self.at.as_secs());
        let gained = elapsed.saturating_mul(rate.thousandths_a_second);
        let most = rate.burst.saturating_mul(1000);
        self.left = self.left.saturating_add(gained).min(most);
        self.at = now;
        let enough = self.left >= 1000;
        if enough {
            self.left -= 1000;
        }
        enough
    }
}

impl Turn {
    /// Whether it is this RP's turn. From here on it counts as fruitless, also when whoever asked goes away.
    fn begin(&mut self, now: Duration) -> bool {
        if now < self.next_at {
            return false;
        }
        if now > self.next_at.saturating_add(QUIET) {
            self.fruitless = 0;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.fruitless.min(10));
        self.next_at = now.saturating_add(pause.min(LAST_PAUSE));
        self.fruitless = self.fruitless.saturating_add(1);
        true
    }

    fn found(&mut self, now: Duration) {
        self.failure = None;
        self.fruitless = 0;
        self.next_at = now.saturating_add(FIRST_PAUSE);
    }
}

impl KeyLookUps {
    pub(in crate::provider) fn new(now: Duration) -> Self {
        Self {
            turns: moka::sync::Cache::new(MAX_REMEMBERED),
            budget: Mutex::new(Budget {
                all: Bucket::full(&OF_ALL, now),
                sources: moka::sync::Cache::new(MAX_REMEMBERED),
                networks: moka::sync::Cache::new(MAX_REMEMBERED),
            }),
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    fn turn(&self, id: &ClientId) -> Arc<tokio::sync::Mutex<Turn>> {
        self.turns.get_with_by_ref(id, Arc::default)
    }

    /// One of the few places, before the deadline.
    async fn place(&self, deadline: Instant) -> Option<SemaphorePermit<'_>> {
        let place = timeout_at(deadline, self.at_once.acquire()).await;
        place.ok()?.ok()
    }

    /// Whether the source, and all together, may look up now. What the source has spent costs the others nothing.
    fn spend(&self, source: Source, now: Duration) -> bool {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let own = budget.sources.get(&source);
        let mut own = own.unwrap_or_else(|| Bucket::full(&OF_A_SOURCE, now));
        let network = budget.networks.get(&source.network());
        let mut network = network.unwrap_or_else(|| Bucket::full(&OF_A_NETWORK, now));
        let allowed = own.take(&OF_A_SOURCE, now)
            && network.take(&OF_A_NETWORK, now)
            && budget.all.take(&OF_ALL, now);
        budget.sources.insert(source, own);
        budget.networks.insert(source.network(), network);
        allowed
    }
}

/// Where to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `jwks_uri` or `signed_jwks_uri` alone.
    Address,
    /// The whole chain.
    Chain,
}

impl Place {
    fn of(origin: &Origin, trust: &ResolvedTrust, turn: &Turn) -> Self {
        match origin {
            Origin::Explicit(_) => Self::Address,
            // `begin` has counted this look-up already.
            Origin::Federation(_) | Origin::Registered
                if is_inline(trust) || turn.fruitless.is_multiple_of(2) =>
            {
                Self::Chain
            }
            Origin::Federation(_) | Origin::Registered => Self::Address,
        }
    }
}

fn is_inline(trust: &ResolvedTrust) -> bool {
    relying_party(trust).is_none_or(|members| members.contains_key("jwks"))
}

/// Whether an RP cannot change its keys without registering anew: it registered explicitly, and the keys themselves; or an
/// operator wrote them down.
fn is_fixed(party: &RelyingParty) -> bool {
    match &party.origin {
        Origin::Explicit(trust) => is_inline(trust),
        Origin::Federation(_) => false,
        Origin::Registered => registered_address(party).is_none(),
    }
}

/// Where the keys are of an RP that an operator registered.
pub(super) fn registered_address(party: &RelyingParty) -> Option<&str> {
    match party.origin {
        Origin::Registered => party.metadata.jwks_uri.as_deref(),
        Origin::Federation(_) | Origin::Explicit(_) => None,
    }
}

fn relying_party(trust: &ResolvedTrust) -> Option<&Map<String, Value>> {
    trust.metadata.get("openid_relying_party")?.as_object()
}

impl Provider {
    /// The RP with other keys than `known` has, when it changed them: because somebody at `source` signed with a key that
    /// `known` does not have. `None`: nothing new was found, or it was not the time to look.
    ///
    /// # Errors
    /// Why the address could not be asked at which an RP that an operator registered has its keys, now or just before: what
    /// `known` lacks may be there.
    pub async fn look_up_keys(
        &self,
        known: &KnownClient,
        source: Source,
    ) -> Result<Option<Arc<KnownClient>>, ClientError> {
        if is_fixed(&known.party) {
            return Ok(None);
        }
        let turn = self.key_look_ups.turn(known.id());
        let deadline = Instant::now() + LONGEST_WAIT;
        let Ok(mut turn) = timeout_at(deadline, turn.lock()).await else {
            return Ok(None);
        };
        match self
            .look_up_in_turn(known, (source, deadline), &mut turn)
            .await
        {
            Some(found) => Ok(Some(found)),
            None => turn.failure.clone().map_or(Ok(None), Err),
        }
    }

    async fn look_up_in_turn(
        &self,
        known: &KnownClient,
        (source, deadline): (Source, Instant),
        turn: &mut Turn,
    ) -> Option<Arc<KnownClient>> {
        let is_new = |client: &Arc<KnownClient>| {
            // The same ones count again, where they had not been asked for too long.
            let had_none = known.keys.keys().is_empty() && !client.keys.keys().is_empty();
            had_none || client.party.jwks != known.party.jwks
        };
        // Whoever had the turn before, or another node, may have found them.
        let current = self
            .clients
            .find(known.id(), self.shared.clock.elapsed())
            .await;
        if let Some(current) = current.as_ref().filter(|current| is_new(current)) {
            return Some(Arc::clone(current));
        }
        let now = self.shared.clock.elapsed();
        if now < turn.next_at || !self.key_look_ups.spend(source, now) {
            return None;
        }
        // Before the turn is begun: who finds no place leaves it to the next one.
        let _one_of_few = self.key_look_ups.place(deadline).await?;
        if !turn.begin(now) {
            return None;
        }
        let party = current
            .as_ref()
            .map_or(&known.party, |current| &current.party);
        let found = match party.origin.trust() {
            None => {
                let found = self.ask_registered(party, &Recorder::silent()).await;
                turn.failure = found.as_ref().err().cloned();
                found
            }
            Some(trust) => match Place::of(&party.origin, trust, turn) {
                Place::Address => self.ask_for_keys(party, trust).await,
                Place::Chain => self.renew(known.id()).await,
            },
        };
        let found = found.ok().filter(is_new)?;
        turn.found(now);
        log::info!("event=rp.keys_changed client_id={}", known.id());
        Some(found)
    }

    /// The keys at the address that the RP's final metadata name.
    async fn ask_for_keys(
        &self,
        party: &RelyingParty,
        resolved: &ResolvedTrust,
    ) -> Result<Arc<KnownClient>, ClientError> {
        let trust = self.trust.as_ref().ok_or(ClientError::Unknown)?;
        let subject = EntityId::parse(party.client_id.as_str(), trust.development)
            .map_err(ClientError::NotAnEntity)?;
        let members = relying_party(resolved).ok_or(ClientError::Unknown)?;
        let owner = KeyOwner {
            subject: &subject,
            metadata: members,
            federation_keys: &attested_keys(resolved),
        };
        let settings = self.tolerant(trust, &party.client_id).await?;
        let keys = self
            .shared
            .resolver
            .fetch_rp_keys(&settings, Lane::Known, owner)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        let facts = self.facts(party.metadata.clone(), keys);
        self.judged(&facts)?;
        self.replace_keys(party, &facts.keys).await
    }

    /// The keys at the address that an operator wrote down.
    pub(super) async fn ask_registered(
        &self,
        party: &RelyingParty,
        recorder: &Recorder,
    ) -> Result<Arc<KnownClient>, ClientError> {
        let url = registered_address(party).ok_or(ClientError::Unknown)?;
        let resolver = &self.shared.resolver;
        let keys = resolver
            .fetch_registered_keys(party.client_id.as_str(), url, recorder)
            .await
            .map_err(|error| ClientError::Trust(Arc::new(error)))?;
        self.replace_keys(party, &keys).await
    }

    async fn replace_keys(
        &self,
        party: &RelyingParty,
        keys: &KeySet,
    ) -> Result<Arc<KnownClient>, ClientError> {
        let (read, jwks, now) = (party.clone(), keys.to_json(), self.now());
        let read_at = self.shared.clock.elapsed();
        let next = self.schedule(&RelyingParty {
            updated_at: now,
            ..party.clone()
        });
        let is_registered = matches!(party.origin, Origin::Registered);
        let stored: Result<Option<RelyingParty>, ClientError> = self
            .shared
            .store
            .write(move |tx| {
                let stored = client::replace_keys(tx, &read, &jwks, now)?;
                if let (Some(_), Some(next), true) = (&stored, &next, is_registered) {
                    renewal::insert(tx, next)?;
                }
                Ok(stored)
            })
            .await;
        match stored? {
            Some(stored) => self.remember(stored, read_at).await,
            None => Err(ClientError::Unknown),
        }
    }
}

/// The RP's federation keys as its superior attests them, from the chain that was verified when it was stored.
fn attested_keys(resolved: &ResolvedTrust) -> KeySet {
    let statement = resolved
        .chain
        .get(1)
        .map(String::as_str)
        .unwrap_or_default();
    let claims: Map<String, Value> = Unverified::parse(statement, statement.len())
        .and_then(|statement| statement.unverified_claims())
        .unwrap_or_default();
    let jwks = claims.get("jwks");
    jwks.and_then(|jwks| KeySet::from_json(jwks).ok())
        .unwrap_or_else(|| KeySet::from_keys(Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    fn source(last: u8) -> Source {
        Source::of(std::net::IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn pauses_grow_to_a_minute_and_end_with_new_keys_or_quiet() {
        let mut turn = Turn::default();
        let after = |now: Duration, seconds| now + Duration::from_secs(seconds);
        let mut now = Duration::from_secs(1_000_000);
        for pause in [5, 10, 20, 40, 60, 60] {
            assert!(turn.begin(now));
            assert!(!turn.begin(after(now, pause - 1)));
            now = after(now, pause);
        }
        assert!(turn.begin(now));
        turn.found(now);
        assert!(turn.begin(after(now, 5)), "as at the beginning");
        assert!(turn.begin(after(now, 10)));
        assert!(!turn.begin(after(now, 19)));
        assert!(turn.begin(after(now, 1000)));
        assert!(turn.begin(after(now, 1005)), "forgotten when quiet");
    }

    #[test]
    fn one_source_spends_its_own_share_and_many_the_share_of_all() {
        let after = |seconds: u64| Duration::from_secs(1_000_000 + seconds);
        let now = after(0);
        let look_ups = KeyLookUps::new(now);
        let spent = |from, at| (0..100).filter(|_| look_ups.spend(from, at)).count();
        assert_eq!(spent(source(1), now), 4);
        assert_eq!(spent(source(2), now), 4, "the others have theirs");
        assert_eq!(spent(source(1), after(9)), 0);
        assert_eq!(spent(source(1), after(10)), 1);
        let all: usize = (3..100).map(|n| spent(source(n), after(10))).sum();
        assert_eq!(all, 31, "32 for all, refilled since");
        assert_eq!(spent(source(200), after(11)), 4, "four a second");
        assert_eq!(spent(source(201), after(11)), 0);
        assert_eq!(spent(source(201), now), 0, "a clock set back gives nothing");
    }

    #[test]
    fn the_sources_of_one_network_spend_what_it_has() {
        let now = Duration::from_secs(1_000_000);
        let look_ups = KeyLookUps::new(now);
        let link = |n: u16| Source::of(Ipv6Addr::new(0x2001, 0xdb8, 1, n, 0, 0, 0, 1).into());
        let spent = (0..100).filter(|n| look_ups.spend(link(*n), now)).count();
        assert_eq!(spent, 8);
        assert!(look_ups.spend(source(1), now));
    }

    #[tokio::test]
    async fn nobody_waits_for_a_place_without_end() {
        let look_ups = KeyLookUps::new(Duration::ZERO);
        let soon = || Instant::now() + Duration::from_millis(10);
        let mut held = Vec::new();
        for _ in 0..AT_ONCE {
            held.push(look_ups.place(soon()).await.unwrap());
        }
        assert!(look_ups.place(soon()).await.is_none());
        held.pop();
        assert!(look_ups.place(soon()).await.is_some());
    }
}
