//! How many fetches of a resolution follow one another: what a first login waits for.

use super::*;
use crate::federation::fetch::{FetchLimits, Fetching};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Answers slowly enough for every fetch that can begin at the same time to have begun.
struct Rounds {
    inner: Arc<MapFetch>,
    done: AtomicUsize,
    deepest: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

impl Rounds {
    fn of(world: &World) -> Arc<Self> {
        Arc::new(Self {
            inner: world.fetch.clone(),
            done: AtomicUsize::new(0),
            deepest: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
        })
    }

    /// A round longer than the longest of those whose answers were there when it was asked.
    fn timed<'a>(&'a self, answer: Fetching<'a>) -> Fetching<'a> {
        Box::pin(async move {
            let round = self.done.load(Ordering::SeqCst) + 1;
            self.deepest.fetch_max(round, Ordering::SeqCst);
            let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_open.fetch_max(open, Ordering::SeqCst);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            let answer = answer.await;
            self.open.fetch_sub(1, Ordering::SeqCst);
            self.done.fetch_max(round, Ordering::SeqCst);
            answer
        })
    }
}

impl Fetch for Rounds {
    fn get_in<'a>(&'a self, lane: Lane, url: &'a str, accept: &'a str) -> Fetching<'a> {
        self.timed(self.inner.get_in(lane, url, accept))
    }

    fn post_form<'a>(
        &'a self,
        url: &'a str,
        fields: &'a [(String, String)],
        accept: &'a str,
    ) -> Fetching<'a> {
        self.timed(self.inner.post_form(url, fields, accept))
    }
}

/// Rounds of a first resolution, and of one when the anchor's configuration is at hand.
async fn rounds(world: &World) -> (usize, usize, usize) {
    let fetch = Rounds::of(world);
    let resolver = Resolver::new(fetch.clone(), world.clock.clone(), world.limits.clone());
    let rp = id(RP);
    let resolved = resolver.resolve(&world.settings, &rp, HERE, None).await;
    assert!(resolved.is_ok(), "{resolved:?}");
    let cold = fetch.deepest.swap(0, Ordering::SeqCst);
    fetch.done.store(0, Ordering::SeqCst);
    assert!(resolver.renew(&world.settings, &rp).await.is_ok());
    let warm = fetch.deepest.load(Ordering::SeqCst);
    (cold, warm, fetch.most_open.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_first_login_waits_for_no_more_rounds_than_the_chain_is_deep() {
    // SPID/CIE FE-1: the RP's configuration and its marks come first, then whom it names.
    let (cold, warm, _) = rounds(&World::new()).await;
    assert_eq!((cold, warm), (3, 2), "RP; anchor; statement");
    let (cold, warm, _) = rounds(&World::aggregated()).await;
    assert_eq!(
        (cold, warm),
        (4, 3),
        "RP; anchor; intermediate; both statements at once"
    );
}

#[tokio::test]
async fn superiors_are_asked_at_the_same_time() {
    let world = World::aggregated();
    let others = ["https://sb.example.it", "https://sc.example.it"];
    world.relying_party(&[others[0], others[1], SA], nothing);
    for other in others {
        world.configuration(other, |claims| {
            claims.insert(
                "authority_hints".into(),
                json!(["https://nobody.example.it"]),
            );
        });
        world.statement(other, RP, nothing);
    }
    let (cold, _, open) = rounds(&world).await;
    assert!(open >= 3, "{open} at a time");
    assert!(cold <= 5, "{cold} rounds");
    assert!(FetchLimits::default().per_source <= open);
}
