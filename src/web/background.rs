//! What goes on beside the requests: new keys, expired rows, chains about to end, a changed certificate.

use super::routes::App;
use super::tls::Certificate;
use crate::clock::UtcTime;
use crate::endpoint::quote;
use crate::federation::EntityId;
use crate::keys;
use crate::model::RelyingParty;
use crate::provider::Provider;
use crate::random;
use crate::store::purge::{PurgeLimits, purge_expired};
use crate::store::{StoreError, client, lease};
use std::sync::Arc;
use std::time::Duration;

/// Key changes are seen by every node within this time.
const KEY_POLL: Duration = Duration::from_secs(2);
/// How often expired rows and ending chains are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(60);
/// A chain is renewed when it ends within this time (SPID/CIE FE-4).
const RENEWAL_SECONDS: i64 = 900;
/// At most so many chains are renewed in one round.
const RENEWALS: u32 = 100;

/// Runs until the server stops.
pub(super) async fn run(app: App, certificate: Option<Arc<Certificate>>) {
    let keys = watch_keys(app.clone(), certificate);
    let housekeeping = keep_house(app);
    tokio::join!(keys, housekeeping);
}

async fn watch_keys(app: App, certificate: Option<Arc<Certificate>>) {
    let mut ticks = tokio::time::interval(KEY_POLL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
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

async fn keep_house(app: App) {
    let holder = random::identifier();
    let mut ticks = tokio::time::interval(HOUSEKEEPING);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match is_ours(&app, &holder).await {
            Ok(true) => {
                purge(&app).await;
                renew(&app).await;
            }
            Ok(false) => {}
            Err(error) => log::warn!("event=housekeeping.skipped reason={}", quote(error)),
        }
    }
}

/// One node at a time.
async fn is_ours(app: &App, holder: &str) -> Result<bool, StoreError> {
    let (holder, now) = (holder.to_owned(), app.shared.clock.now());
    app.shared
        .store
        .write(move |tx| lease::acquire(tx, "housekeeping", &holder, now, 180))
        .await
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
async fn renew(app: &App) {
    let until = app.shared.clock.now().plus_seconds(RENEWAL_SECONDS);
    let found: Result<Vec<RelyingParty>, StoreError> = app
        .shared
        .store
        .read(move |connection| client::expiring_before(connection, until, RENEWALS))
        .await;
    let parties = match found {
        Ok(parties) => parties,
        Err(error) => {
            log::warn!("event=renewal.failed reason={}", quote(error));
            return;
        }
    };
    for party in parties {
        if let Some(op) = app.providers.iter().find(|op| op.issuer == party.issuer) {
            renew_one(op, &party, app.shared.clock.now()).await;
        }
    }
}

async fn renew_one(op: &Provider, party: &RelyingParty, now: UtcTime) {
    let known = EntityId::parse(party.client_id.as_str(), op.shared.server.development).is_ok();
    if !known || !party.enabled {
        return;
    }
    match op.renew(&party.client_id).await {
        Ok(_) => log::info!("event=chain.renewed client_id={}", quote(&party.client_id)),
        Err(error) => log::warn!(
            "event=chain.not_renewed client_id={} at={} reason={}",
            quote(&party.client_id),
            now.to_rfc3339(),
            quote(error.reason())
        ),
    }
}
