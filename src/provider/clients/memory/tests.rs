use super::*;
use crate::config::RpTolerance;
use crate::jose::KeySet;
use crate::model::{ClientMetadata, IssuerId, Origin, UserinfoContentType};

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
    memory.follow(Some(&[]), began).await;
    memory.keep(client("a", 10), began).await;
    for second in 1..90 {
        memory.follow(Some(&[]), began + second * SECOND).await;
    }
    let last = began + 89 * SECOND;
    assert!(has(&memory, "a", last + SECOND).await);
    assert!(
        !has(&memory, "a", last + 2 * SECOND).await,
        "the database is out"
    );
    memory.follow(Some(&[]), last + 5 * SECOND).await;
    assert!(
        has(&memory, "a", last + 5 * SECOND).await,
        "it is back, and nothing changed"
    );
}

#[tokio::test]
async fn what_changed_is_dropped_at_every_poll_and_nothing_else_is() {
    let (memory, began) = (Memory::new(), Duration::from_secs(1_000));
    memory.follow(Some(&[]), began).await;
    for name in ["a", "b"] {
        memory.keep(client(name, 10), began).await;
    }
    memory.follow(Some(&[id("a")]), began + SECOND).await;
    assert!(!has(&memory, "a", began + SECOND).await);
    assert!(has(&memory, "b", began + SECOND).await);
    // Read before the change, put into memory after the poll that saw it.
    memory.keep(client("a", 10), began).await;
    memory.follow(Some(&[id("a")]), began + 2 * SECOND).await;
    assert!(!has(&memory, "a", began + 2 * SECOND).await);
}

#[tokio::test]
async fn after_a_gap_or_too_many_changes_everything_is_dropped() {
    let (memory, began) = (Memory::new(), Duration::from_secs(1_000));
    memory.keep(client("a", 10), began).await;
    memory.follow(Some(&[]), began).await;
    assert!(
        !has(&memory, "a", began).await,
        "the first poll does not know what was before"
    );
    memory.keep(client("b", 10), began).await;
    memory.follow(Some(&[]), began + 30 * SECOND).await;
    assert!(!has(&memory, "b", began + 30 * SECOND).await, "a gap");
    memory.keep(client("c", 10), began + 30 * SECOND).await;
    memory.follow(None, began + 31 * SECOND).await;
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
