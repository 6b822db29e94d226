use super::*;
use crate::clock::UtcTime;
use crate::config::RpTolerance;
use crate::jose::KeySet;
use crate::model::{ClientMetadata, IssuerId, Origin, RpToleranceOverride, UserinfoContentType};

const SECOND: Duration = Duration::from_secs(1);

fn id(name: &str) -> ClientId {
    ClientId::new(format!("https://{name}.example.it"))
}

fn client(name: &str, description_bytes: usize) -> Arc<KnownClient> {
    Arc::new(KnownClient {
        party: RelyingParty {
            issuer: IssuerId::new("https://op.example.it"),
            client_id: id(name),
            metadata: ClientMetadata {
                organization_name: Some("x".repeat(description_bytes)),
                ..ClientMetadata::default()
            },
            jwks: serde_json::json!({"keys": []}),
            origin: Origin::Registered,
            enabled: true,
            tolerance: RpToleranceOverride::default(),
            updated_at: UtcTime(0),
        },
        keys: KeySet::from_keys(Vec::new()),
        tolerance: RpTolerance {
            clock_leeway_seconds: 30,
            missing_exp: false,
            userinfo_content_type: UserinfoContentType::Jwt,
        },
    })
}

/// A poll at that time, which says that these changed, each so often.
async fn follow(memory: &Memory, changed: &[(&str, i64)], at: Duration) {
    let changed = changed.iter().map(|(name, number)| (id(name), *number));
    memory.follow(Some(changed.collect()), poll(at)).await;
}

fn poll(at: Duration) -> Poll {
    Poll {
        begun_at: at,
        ended_at: at,
    }
}

async fn has(memory: &Memory, name: &str, now: Duration) -> bool {
    memory.find(&id(name), now).await.is_some()
}

#[tokio::test]
async fn where_nobody_polls_what_was_read_counts_for_two_seconds() {
    let (memory, began) = (Memory::new(), Duration::from_secs(1_000));
    memory.keep(client("a", 10), began).await;
    assert!(has(&memory, "a", began).await);
    assert!(has(&memory, "a", began + SECOND).await);
    assert!(!has(&memory, "a", began + 2 * SECOND).await);
    memory.keep(client("a", 10), began + 2 * SECOND).await;
    assert!(has(&memory, "a", began + 3 * SECOND).await);
}

#[tokio::test]
async fn polls_keep_it_believed_and_two_seconds_after_the_last_one_it_is_not() {
    let (memory, began) = (Memory::new(), Duration::from_secs(1_000));
    follow(&memory, &[], began).await;
    memory.keep(client("a", 10), began).await;
    for second in 1..90 {
        follow(&memory, &[], began + second * SECOND).await;
    }
    let last = began + 89 * SECOND;
    assert!(has(&memory, "a", last + SECOND).await);
    assert!(
        !has(&memory, "a", last + 2 * SECOND).await,
        "the database is out"
    );
    follow(&memory, &[], last + 5 * SECOND).await;
    assert!(
        has(&memory, "a", last + 5 * SECOND).await,
        "it is back, and nothing changed"
    );
}

#[tokio::test]
async fn what_was_read_before_a_change_was_seen_does_not_count_and_nothing_else() {
    let (memory, began) = (Memory::new(), Duration::from_secs(1_000));
    follow(&memory, &[], began).await;
    for name in ["a", "b"] {
        memory.keep(client(name, 10), began).await;
    }
    follow(&memory, &[("a", 1)], began + SECOND).await;
    assert!(!has(&memory, "a", began + SECOND).await);
    assert!(has(&memory, "b", began + SECOND).await);
    // Read before the change, put into memory after the poll that saw it.
    memory.keep(client("a", 10), began).await;
    assert!(!has(&memory, "a", began + SECOND).await);
    follow(&memory, &[("a", 1)], began + 2 * SECOND).await;
    assert!(!has(&memory, "a", began + 2 * SECOND).await);
    // Nor when the change is not remembered any more.
    follow(&memory, &[], began + 3 * SECOND).await;
    assert!(!has(&memory, "a", began + 3 * SECOND).await);
}

#[tokio::test]
async fn a_change_costs_one_reading_and_two_of_one_second_cost_two() {
    let (memory, began) = (Memory::new(), Duration::from_secs(1_000));
    follow(&memory, &[], began).await;
    memory.keep(client("a", 10), began).await;
    follow(&memory, &[("a", 1)], began + SECOND).await;
    assert!(!has(&memory, "a", began + SECOND).await);
    let read_at = began + SECOND + SECOND / 2;
    memory.keep(client("a", 10), read_at).await;
    for second in 2..60 {
        follow(&memory, &[("a", 1)], began + second * SECOND).await;
        assert!(has(&memory, "a", began + second * SECOND).await, "{second}");
    }
    follow(&memory, &[("a", 2)], began + 60 * SECOND).await;
    assert!(!has(&memory, "a", began + 60 * SECOND).await);
}

#[tokio::test]
async fn a_reading_that_began_while_a_poll_was_asked_may_be_old() {
    let (memory, began) = (Memory::new(), Duration::from_secs(1_000));
    follow(&memory, &[], began).await;
    memory
        .keep(client("a", 10), began + SECOND + SECOND / 2)
        .await;
    let slow = Poll {
        begun_at: began + SECOND,
        ended_at: began + 2 * SECOND,
    };
    memory.follow(Some(vec![(id("a"), 1)]), slow).await;
    assert!(!has(&memory, "a", began + 2 * SECOND).await);
}

#[tokio::test]
async fn after_a_gap_or_too_many_changes_everything_is_dropped() {
    let (memory, began) = (Memory::new(), Duration::from_secs(1_000));
    memory.keep(client("a", 10), began).await;
    follow(&memory, &[], began).await;
    assert!(
        !has(&memory, "a", began).await,
        "the first poll does not know what was before"
    );
    memory.keep(client("b", 10), began).await;
    follow(&memory, &[], began + 30 * SECOND).await;
    assert!(!has(&memory, "b", began + 30 * SECOND).await, "a gap");
    memory.keep(client("c", 10), began + 30 * SECOND).await;
    memory.follow(None, poll(began + 31 * SECOND)).await;
    assert!(!has(&memory, "c", began + 31 * SECOND).await, "too many");
}

#[tokio::test]
async fn the_bound_is_in_bytes_and_the_newest_stay() {
    let (memory, began) = (Memory::new(), Duration::from_secs(1_000));
    for number in 0..200 {
        memory
            .keep(client(&number.to_string(), 100_000), began)
            .await;
    }
    memory.known.run_pending_tasks().await;
    let statistics = memory.statistics();
    assert!(statistics.bytes <= MAX_BYTES, "{statistics:?}");
    assert!((70..90).contains(&statistics.in_memory), "{statistics:?}");
    assert!(has(&memory, "199", began).await);
    assert!(!has(&memory, "0", began).await);
}
