//! What goes on beside the requests: new keys, expired rows, chains about to end, mails, a changed certificate.

use super::routes::App;
use super::tls::Certificate;
use crate::administration::Office;
use crate::administration::imports::{Importer, Turn};
use crate::clock::{CLOCK_OFF_SECONDS, ClockWatch};
use crate::endpoint::quote;
use crate::keys;
use crate::mail::Courier;
use crate::provider::{MarkKeeper, Task, follow_changes, renew_all, tell_of_ending_consents};
use crate::store::StoreError;
use crate::store::node::{self, Node};
use crate::store::own_trust_mark;
use crate::store::purge::{PurgeLimits, purge_expired};
use crate::ui::desk;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// Key changes are seen by every node within this time.
const KEY_POLL: Duration = Duration::from_secs(2);
/// Changes of relying parties are obeyed by every node within this time; within two seconds on a machine that is busy, too.
const CHANGE_POLL: Duration = Duration::from_millis(500);
/// A mail leaves within this time.
const MAIL_POLL: Duration = Duration::from_secs(1);
/// A node says so often that it is alive.
const NODE_SIGN: Duration = Duration::from_secs(5);
/// An import begins within this time.
const IMPORT_POLL: Duration = Duration::from_secs(1);
/// Refusals reach the database within this time.
const REFUSAL_FLUSH: Duration = Duration::from_secs(1);
/// How often expired rows and ending chains are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// How old what the overview shows of the busiest RPs, and of bars that have ended, may be, where there is much.
const SUMMING: Duration = Duration::from_secs(300);

/// Runs until the server stops.
pub(super) async fn run(app: App, address: SocketAddr, certificate: Option<Arc<Certificate>>) {
    let keys = watch_keys(app.clone(), certificate);
    // Each by itself: RPs that are slow to answer delay no purge.
    let changes = watch_changes(&app);
    tokio::join!(
        keys,
        changes,
        keep_refusals(&app),
        keep_showing(&app, address),
        keep_mailing(&app),
        keep_purging(&app),
        keep_importing(&app),
        keep_summing(&app),
        keep_renewing(&app),
        keep_telling(&app),
        keep_marks(&app)
    );
}

/// The kill switch: `varco rp disable`, or whatever else changed an RP.
async fn watch_changes(app: &App) {
    let mut ticks = tokio::time::interval(CHANGE_POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        match follow_changes(&app.shared, &app.providers).await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                log::warn!("event=rp_changes.not_polled reason={}", quote(error));
            }
            Err(_still) => {}
        }
    }
}

async fn keep_refusals(app: &App) {
    let mut ticks = tokio::time::interval(REFUSAL_FLUSH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        match app.shared.flush_refusals().await {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                log::warn!("event=refusals.not_written reason={}", quote(error));
            }
            Err(_still) => {}
        }
    }
}

/// Says that this node is alive, and tells operators of a clock that jumps, or is not the database's.
async fn keep_showing(app: &App, address: SocketAddr) {
    let clock = &app.shared.clock;
    let started_at = clock.now();
    let mut watch = ClockWatch::new(clock.as_ref());
    let mut was_off = false;
    let id = crate::random::identifier();
    let mut ticks = tokio::time::interval(NODE_SIGN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(seconds) = watch.jumped(clock.as_ref()) {
            log::warn!("event=clock.jumped seconds={seconds}");
        }
        let mut alive = Node {
            id: id.clone(),
            address: address.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
            seen_at: clock.now(),
            clock_off: None,
        };
        let clock = clock.clone();
        let written = app
            .shared
            .store
            .write(move |tx| -> Result<Option<i64>, StoreError> {
                let database = node::time_of_database(tx)?;
                alive.clock_off = database.map(|time| clock.now().seconds_since(time));
                node::upsert(tx, &alive)?;
                Ok(alive.clock_off)
            });
        match written.await {
            Ok(off) => {
                let off = off.filter(|off| off.saturating_abs() > CLOCK_OFF_SECONDS);
                if let (Some(seconds), false) = (off, was_off) {
                    log::warn!("event=node.clock_off seconds={seconds}");
                }
                was_off = off.is_some();
            }
            Err(error) => log::debug!("event=node.not_shown reason={}", quote(error)),
        }
    }
}

/// Every node does it: a mail is claimed by one.
async fn keep_mailing(app: &App) {
    let shared = &app.shared;
    let Some(settings) = &shared.server.mail else {
        return;
    };
    let courier = Courier {
        store: &shared.store,
        key: &shared.key_encryption_key,
        settings,
        clock: shared.clock.as_ref(),
    };
    let mut ticks = tokio::time::interval(MAIL_POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        match courier.turn().await {
            Ok(_round) => failing = false,
            Err(error) if !failing => {
                failing = true;
                log::warn!("event=mail.not_sent reason={}", quote(error));
            }
            Err(_still) => {}
        }
    }
}

/// Every node does it: an import is claimed by one.
async fn keep_importing(app: &App) {
    let shared = &app.shared;
    let office = Office::of(&shared.server, &shared.key_encryption_key);
    let importer = Importer::new(office);
    let with = (&shared.store, &shared.key_encryption_key, &shared.passwords);
    let mut ticks = tokio::time::interval(IMPORT_POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        loop {
            match importer.turn(with, shared.clock.now()).await {
                Ok(Turn::Applied(..)) => failing = false,
                Ok(Turn::Finished(id)) => log::info!("event=import.done import={id}"),
                // The log has said why; the others go on.
                Ok(Turn::Failed(_)) => {}
                Ok(Turn::Idle) => break,
                Err(error) => {
                    if !failing {
                        failing = true;
                        log::warn!("event=import.waits reason={}", quote(error));
                    }
                    break;
                }
            }
        }
    }
}

/// Every node for itself, on a thread that may block: SQLite would keep a thread that serves.
async fn keep_summing(app: &App) {
    let mut ticks = tokio::time::interval(SUMMING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let shared = app.shared.clone();
        match tokio::task::spawn_blocking(move || desk::sum_up(&shared)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::warn!("event=dashboard.not_summed reason={}", quote(error)),
            Err(error) => log::error!("event=dashboard.not_summed reason={}", quote(error)),
        }
    }
}

async fn watch_keys(app: App, certificate: Option<Arc<Certificate>>) {
    let mut ticks = tokio::time::interval(KEY_POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(certificate) = &certificate {
            certificate.refresh();
        }
        match app.shared.store.read(keys::keyring_version).await {
            Ok(version) => refresh_keys(&app, version).await,
            Err(error) => log::warn!("event=keys.not_polled reason={}", quote(error)),
        }
        match app.shared.store.read(own_trust_mark::version).await {
            Ok(version) => refresh_marks(&app, version).await,
            Err(error) => log::warn!("event=own_marks.not_polled reason={}", quote(error)),
        }
    }
}

async fn refresh_marks(app: &App, version: i64) {
    for op in &app.providers {
        match op.refresh_own_marks(version).await {
            Ok(false) => {}
            Ok(true) => log::info!("event=own_marks.reloaded issuer={}", op.issuer),
            Err(error) => log::warn!("event=own_marks.kept_old reason={}", quote(error)),
        }
    }
}

async fn refresh_keys(app: &App, version: i64) {
    let now = app.shared.clock.now();
    for op in &app.providers {
        let rings = op.rings();
        let due = rings.next_change.is_some_and(|at| at <= now);
        if rings.version == version && !due {
            continue;
        }
        let provider = op.clone();
        let loaded = tokio::task::spawn_blocking(move || provider.reload_keys()).await;
        match loaded {
            Ok(Ok(())) => log::info!("event=keys.reloaded issuer={}", op.issuer),
            Ok(Err(error)) => {
                log::error!(
                    "event=keys.kept_old issuer={} reason={}",
                    op.issuer,
                    quote(error)
                );
            }
            Err(error) => log::error!("event=keys.kept_old reason={}", quote(error)),
        }
    }
}

async fn keep_purging(app: &App) {
    let task = Task::new("purge");
    let mut ticks = housekeeping();
    loop {
        ticks.tick().await;
        if task.is_ours(&app.shared).await {
            purge(app).await;
        }
    }
}

async fn keep_renewing(app: &App) {
    let task = Task::new("renewal");
    let mut ticks = housekeeping();
    loop {
        ticks.tick().await;
        if task.is_ours(&app.shared).await {
            renew_all(&app.providers).await;
        }
    }
}

async fn keep_telling(app: &App) {
    let task = Task::new("ending_consents");
    let mut ticks = housekeeping();
    loop {
        ticks.tick().await;
        if app.shared.server.mail.is_none() || !task.is_ours(&app.shared).await {
            continue;
        }
        match tell_of_ending_consents(&app.shared, &app.providers).await {
            Ok(told) => log::debug!("event=ending_consents.told letters={told}"),
            Err(error) => log::warn!("event=ending_consents.failed reason={}", quote(error)),
        }
    }
}

async fn keep_marks(app: &App) {
    let mut keeper = MarkKeeper::default();
    let mut ticks = housekeeping();
    loop {
        ticks.tick().await;
        keeper.turn(&app.providers).await;
    }
}

fn housekeeping() -> Interval {
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn purge(app: &App) {
    let limits = PurgeLimits {
        history_retention_days: i64::from(app.shared.server.history_retention_days),
    };
    match purge_expired(&app.shared.store, app.shared.clock.now(), limits).await {
        Ok(count) => log::debug!("event=purged rows={}", count.total()),
        Err(error) => log::warn!("event=purge.failed reason={}", quote(error)),
    }
}
