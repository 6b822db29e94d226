//! What goes on beside the requests: new keys, expired rows, chains about to end, a changed certificate.

use super::routes::App;
use super::tls::Certificate;
use crate::endpoint::quote;
use crate::keys;
use crate::provider::{Pauses, Provider, Renewal, follow_changes};
use crate::random;
use crate::store::client::Due;
use crate::store::purge::{PurgeLimits, purge_expired};
use crate::store::{StoreError, lease};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};

/// Key changes are seen by every node within this time.
const KEY_POLL: Duration = Duration::from_secs(2);
/// Changes of relying parties are obeyed by every node within this time, and at most as much again when it fails once.
const CHANGE_POLL: Duration = Duration::from_secs(1);
/// How often expired rows and ending chains are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// A node that has ended is replaced after this time.
const LEASE_SECONDS: i64 = 180;
/// At most so many RPs of an issuer are resolved anew in one round.
const RENEWALS: usize = 100;
/// At most so many at once.
const AT_ONCE: usize = 8;

/// Runs until the server stops.
pub(super) async fn run(app: App, certificate: Option<Arc<Certificate>>) {
    let keys = watch_keys(app.clone(), certificate);
    // Each by itself: RPs that are slow to answer delay no purge.
    let changes = watch_changes(&app);
    tokio::join!(keys, changes, keep_purging(&app), keep_renewing(&app));
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

/// The turns of a task that one node at a time does now and then.
struct Turns<'a> {
    app: &'a App,
    name: &'static str,
    holder: String,
    ticks: Interval,
}

impl<'a> Turns<'a> {
    fn new(app: &'a App, name: &'static str) -> Self {
        let mut ticks = tokio::time::interval(HOUSEKEEPING);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            app,
            name,
            holder: random::identifier(),
            ticks,
        }
    }

    /// Waits for the next turn that is ours.
    async fn next(&mut self) {
        loop {
            self.ticks.tick().await;
            match self.is_ours().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => log::warn!(
                    "event=housekeeping.skipped task={} reason={}",
                    self.name,
                    quote(error)
                ),
            }
        }
    }

    async fn is_ours(&self) -> Result<bool, StoreError> {
        let shared = &self.app.shared;
        let (name, holder, now) = (self.name, self.holder.clone(), shared.clock.now());
        shared
            .store
            .write(move |tx| lease::acquire(tx, name, &holder, now, LEASE_SECONDS))
            .await
    }
}

async fn keep_purging(app: &App) {
    let mut turns = Turns::new(app, "purge");
    loop {
        turns.next().await;
        purge(app).await;
    }
}

async fn keep_renewing(app: &App) {
    let mut turns = Turns::new(app, "renewal");
    let mut pauses = Pauses::default();
    loop {
        turns.next().await;
        renew(app, &mut pauses).await;
    }
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

/// SPID/CIE FE-4: logins never wait for this; a failure keeps the old chain until its end.
async fn renew(app: &App, pauses: &mut Pauses) {
    let now = app.shared.clock.now();
    let mut renewals = Vec::new();
    for op in &app.providers {
        let provider = op.clone();
        let found: Result<Vec<Due>, StoreError> = app
            .shared
            .store
            .read(move |connection| provider.due(connection, now))
            .await;
        match found {
            Ok(found) => {
                let found = pauses.without(found, now).into_iter().take(RENEWALS);
                renewals.extend(found.map(|due| renew_one(op.clone(), due)));
            }
            Err(error) => log::warn!("event=renewal.failed reason={}", quote(error)),
        }
    }
    let failed: Vec<Option<Due>> = stream::iter(renewals)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let now = app.shared.clock.now();
    for due in failed.iter().flatten() {
        pauses.begin(due, now);
    }
}

/// The RP, if it has to be tried again.
async fn renew_one(op: Arc<Provider>, due: Due) -> Option<Due> {
    let client_id = quote(&due.client_id);
    match op.renew_due(due.clone()).await {
        Renewal::Renewed => {
            log::info!("event=chain.renewed client_id={client_id}");
            None
        }
        Renewal::Withdrawn(error) => {
            log::warn!(
                "event=rp.withdrawn client_id={client_id} reason={}",
                quote(error.reason())
            );
            None
        }
        Renewal::Failed(error) => {
            log::warn!(
                "event=chain.not_renewed client_id={client_id} until={} reason={}",
                due.expires_at.to_rfc3339(),
                quote(error.reason())
            );
            Some(due)
        }
    }
}
