//! Looking into something takes as long as others do: a form begins it, a page shows how far it is and then what came of
//! it. Where that is kept any node sees it; the look itself lives in one node, and dies with it.
//!
//! ```text
//! POST ─► begin ─┬─ New ─────► a task here: look, its fetches written down every second ─► what came of it
//!                ├─ Shared ─┐
//!                └─ Full: 503 └─► 303 ─► PAGE?id=… comes again by itself until it is done
//! ```
//!
//! To add something to look into: a [`CheckKind`] with its page in [`page_of`], a handler that calls [`begin`] with what is
//! to be done, and one for the page, which takes the row from [`find`] and sends [`coming_again`].

use super::visit::link;
use super::{Desk, Outcome, federation, rps};
use crate::clock::UtcTime;
use crate::endpoint::{Reply, Trouble, quote};
use crate::federation::evaluation::{FetchOutcome, FetchRecord, Recorder};
use crate::model::{CheckKind, RpCheck};
use crate::provider::Provider;
use crate::random;
use crate::store::rp_check::{self, Started};
use crate::ui::visit::PageFailure;
use crate::ui::{CheckProgressView, CheckStepView};
use std::sync::Arc;
use std::time::Duration;

/// What one issuer has under way at a time, on all nodes: each may cost dozens of fetches.
const AT_ONCE: u32 = 4;
/// How long what came of it is kept.
const KEPT_SECONDS: i64 = 3600;
/// A node that has not written for so long is gone.
const LEASE_SECONDS: i64 = 30;
/// How often it writes how far it is.
const TICK: Duration = Duration::from_secs(1);
/// Steps that are written down.
const MOST_STEPS: usize = 200;
/// How often the page of what goes on comes again by itself.
const REFRESH_SECONDS: &str = "2";

/// What came of a look.
pub(super) struct Looked {
    /// JSON, for the page; in no language, or in every one: whoever looks at it may have another than whoever asked.
    pub(super) result: String,
    /// What was looked at is as it should be: for the log.
    pub(super) accepted: bool,
}

/// The page of what is looked into. No other one shows it: each may show what its own readers may see.
const fn page_of(kind: CheckKind) -> &'static str {
    match kind {
        CheckKind::Fresh | CheckKind::Cached | CheckKind::Refresh => rps::CHECK,
        CheckKind::Superiors => federation::ASKED,
    }
}

/// Begins a look at `subject`, or joins the same one of somebody else. `look` writes its fetches to the recorder.
pub(super) async fn begin<Work>(
    desk: &Desk<'_>,
    op: &Arc<Provider>,
    (kind, subject): (CheckKind, &str),
    look: impl FnOnce(Recorder) -> Work,
) -> Outcome
where
    Work: Future<Output = Looked> + Send + 'static,
{
    let now = desk.now();
    let new = RpCheck {
        id: random::identifier(),
        kind,
        issuer: op.settings.id.clone(),
        client_id: subject.to_owned(),
        actor: desk.operator.name.clone(),
        steps: "[]".to_owned(),
        result: None,
        lease_until: now.plus_seconds(LEASE_SECONDS),
        created_at: now,
        finished_at: None,
        expires_at: now.plus_seconds(KEPT_SECONDS),
    };
    let wanted = new.clone();
    let started = desk
        .shared()
        .store
        .write(move |tx| rp_check::start(tx, &wanted, AT_ONCE))
        .await?;
    let id = match started {
        Started::New => {
            let id = new.id.clone();
            let recorder = Recorder::writing();
            let work = look(recorder.clone());
            tokio::spawn(run(Arc::clone(op), new, recorder, work));
            id
        }
        Started::Shared(id) => id,
        Started::Full => {
            let too_many = "too many examinations are under way";
            return Err(PageFailure::Refused(Trouble::Busy, too_many));
        }
    };
    Ok(Reply::see_other(link(page_of(kind), &[("id", &id)])))
}

/// Does it, and writes down how far it is.
async fn run(
    op: Arc<Provider>,
    check: RpCheck,
    recorder: Recorder,
    work: impl Future<Output = Looked>,
) {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(TICK);
    let (mut written, mut lease) = (0, check.lease_until);
    let looked = loop {
        tokio::select! {
            biased;
            looked = &mut work => break looked,
            _ = ticks.tick() => {
                let (steps, now) = (recorder.fetches(), op.now());
                // Who is alive says so also when nothing happens.
                let is_old = lease.seconds_since(now) < LEASE_SECONDS / 2;
                if steps.len() > written || is_old {
                    written = steps.len();
                    lease = now.plus_seconds(LEASE_SECONDS);
                    note(&op, &check, (steps, lease)).await;
                }
            }
        }
    };
    log::info!(
        "event=check.done issuer={} client_id={} accepted={}",
        op.issuer,
        quote(&check.client_id),
        looked.accepted
    );
    let (id, now) = (check.id, op.now());
    let steps = steps_text(&recorder.fetches());
    let kept = op
        .shared
        .store
        .write(move |tx| {
            rp_check::advance(tx, &id, &steps, now)?;
            rp_check::finish(tx, &id, &looked.result, now)
        })
        .await;
    if let Err(error) = kept {
        log::warn!("event=check.not_kept reason={}", quote(error));
    }
}

async fn note(op: &Provider, check: &RpCheck, (steps, until): (Vec<FetchRecord>, UtcTime)) {
    let (id, steps) = (check.id.clone(), steps_text(&steps));
    let written = op
        .shared
        .store
        .write(move |tx| rp_check::advance(tx, &id, &steps, until))
        .await;
    if let Err(error) = written {
        log::debug!("event=check.not_noted reason={}", quote(error));
    }
}

fn steps_text(fetches: &[FetchRecord]) -> String {
    let step = |fetch: &FetchRecord| {
        let (outcome, detail) = match &fetch.outcome {
            FetchOutcome::Fetched { elapsed_ms, .. } => ("fetched", format!("{elapsed_ms} ms")),
            FetchOutcome::Cached { .. } => ("cached", String::new()),
            FetchOutcome::Failed { reason, .. } => ("failed", reason.clone()),
        };
        CheckStepView {
            what: fetch.what.clone(),
            url: fetch.url.clone(),
            outcome: outcome.to_owned(),
            detail,
        }
    };
    let steps: Vec<CheckStepView> = fetches.iter().take(MOST_STEPS).map(step).collect();
    serde_json::to_string(&steps).unwrap_or_default()
}

/// What the address names by `id`, if `page` is the one that shows it.
pub(super) async fn find(desk: &Desk<'_>, page: &str) -> Result<RpCheck, PageFailure> {
    let id = desk.query().get("id").unwrap_or_default().trim().to_owned();
    let store = &desk.shared().store;
    let found = store.read(move |conn| rp_check::find(conn, &id)).await?;
    let found = found.filter(|check| page_of(check.kind) == page);
    found.ok_or(PageFailure::Refused(
        Trouble::NotFound,
        "there is no such check: what came of one is kept for an hour",
    ))
}

/// The steps that are written down.
pub(super) fn steps(check: &RpCheck) -> Vec<CheckStepView> {
    serde_json::from_str(&check.steps).unwrap_or_default()
}

/// How far it is; or, when its node died, how far it had come.
pub(super) fn progress(desk: &Desk<'_>, check: &RpCheck) -> CheckProgressView {
    CheckProgressView {
        is_running: check.is_running(desk.now()),
        operator: check.actor.clone(),
        began_at: check.created_at,
        steps: steps(check),
        refresh_url: link(page_of(check.kind), &[("id", &check.id)]),
    }
}

/// The page comes again by itself while it goes on.
pub(super) fn coming_again(desk: &Desk<'_>, check: &RpCheck, page: Reply) -> Reply {
    match check.is_running(desk.now()) {
        true => page.header("Refresh", REFRESH_SECONDS),
        false => page,
    }
}
