//! Looking into an RP takes as long as its superiors do: the form begins it, a page shows how far it is and then what came of
//! it. Where that is kept any node sees it; the check itself lives in one node, and dies with it.
//!
//! ```text
//! POST ─► start ─┬─ New ─────► a task here: examine, its fetches written down every second ─► finish
//!                ├─ Shared ─┐
//!                └─ Full: 503 └─► 303 ─► /admin/rps/check?id=… comes again by itself until it is done
//! ```

use super::CHECK;
use crate::administration::parties::{self, PartyError, PartyKey, failure};
use crate::clock::UtcTime;
use crate::endpoint::{Reply, Trouble, quote};
use crate::federation::evaluation::{FetchOutcome, FetchRecord, Recheck, Recorder};
use crate::model::{Actor, CheckKind, ClientId, RpCheck};
use crate::provider::{ClientError, Examination, Provider};
use crate::random;
use crate::store::rp_check::{self, Started};
use crate::ui::check::view;
use crate::ui::desk::visit::link;
use crate::ui::desk::{Desk, Outcome};
use crate::ui::visit::PageFailure;
use crate::ui::{CheckStepView, Locale};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Checks of one issuer at a time, on all nodes: each may cost dozens of fetches.
const AT_ONCE: u32 = 4;
/// How long what came of one is kept.
const KEPT_SECONDS: i64 = 3600;
/// A node that has not written for so long is gone.
const LEASE_SECONDS: i64 = 30;
/// How often it writes how far it is.
const TICK: Duration = Duration::from_secs(1);
/// Steps that are written down.
const MOST_STEPS: usize = 200;

/// Begins a check, or joins the same one of somebody else.
pub(super) async fn begin(
    desk: &Desk<'_>,
    op: &Arc<Provider>,
    (client_id, kind): (&ClientId, CheckKind),
) -> Outcome {
    let now = desk.now();
    let new = RpCheck {
        id: random::identifier(),
        kind,
        issuer: op.settings.id.clone(),
        client_id: client_id.to_string(),
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
            tokio::spawn(run(Arc::clone(op), desk.actor(), new));
            id
        }
        Started::Shared(id) => id,
        Started::Full => {
            let too_many = "too many examinations are under way";
            return Err(PageFailure::Refused(Trouble::Busy, too_many));
        }
    };
    Ok(Reply::see_other(link(CHECK, &[("id", &id)])))
}

/// Does it, and writes down how far it is.
async fn run(op: Arc<Provider>, actor: Actor, check: RpCheck) {
    let recorder = Recorder::writing();
    let mut work = std::pin::pin!(look(&op, &actor, &check, &recorder));
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
    let accepted = looked
        .as_ref()
        .ok()
        .map(|examination| failure(examination).is_none());
    log::info!(
        "event=check.done issuer={} client_id={} accepted={}",
        op.issuer,
        quote(&check.client_id),
        accepted.unwrap_or_default()
    );
    let result = result_of(&check, looked);
    let (id, now) = (check.id.clone(), op.now());
    let steps = steps_text(&recorder.fetches());
    let kept = op
        .shared
        .store
        .write(move |tx| {
            rp_check::advance(tx, &id, &steps, now)?;
            rp_check::finish(tx, &id, &result.to_string(), now)
        })
        .await;
    if let Err(error) = kept {
        log::warn!("event=check.not_kept reason={}", quote(error));
    }
}

async fn look(
    op: &Arc<Provider>,
    actor: &Actor,
    check: &RpCheck,
    recorder: &Recorder,
) -> Result<Examination, PartyError> {
    let client_id = ClientId::new(check.client_id.as_str());
    let recheck = match check.kind {
        CheckKind::Refresh => {
            let key = PartyKey {
                issuer: op.issuer.clone(),
                client_id,
            };
            return parties::refresh(op, actor, (&key, recorder)).await;
        }
        CheckKind::Fresh => Recheck::Fresh,
        CheckKind::Cached => Recheck::Cached,
    };
    let examined = op.examine_to(&client_id, recheck, recorder).await;
    examined.map_err(|_| PartyError::Busy)
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

/// The steps that are written down.
pub(super) fn steps(check: &RpCheck) -> Vec<CheckStepView> {
    serde_json::from_str(&check.steps).unwrap_or_default()
}

/// In every language: whoever looks at it may have another than whoever asked.
fn result_of(check: &RpCheck, looked: Result<Examination, PartyError>) -> Value {
    let examination = match looked {
        Ok(examination) => examination,
        Err(PartyError::Busy) => return json!({ "error": "busy" }),
        Err(PartyError::Unknown | PartyError::NothingToAsk) => return json!({ "error": "gone" }),
        Err(_) => return json!({ "error": "failed" }),
    };
    // Our own outage is no verdict on the RP.
    if let Some(ClientError::Store(_)) = examination.refusal {
        return json!({ "error": "failed" });
    }
    let views: Map<String, Value> = Locale::ALL
        .into_iter()
        .map(|locale| {
            let view = serde_json::to_value(view(&examination, locale));
            (locale.code().to_owned(), view.unwrap_or_default())
        })
        .collect();
    let refreshed = check.kind == CheckKind::Refresh && failure(&examination).is_none();
    json!({ "views": views, "refreshed": refreshed })
}

/// What came of a check, in a language.
pub(super) struct Ended {
    pub(super) view: Option<Value>,
    pub(super) refreshed: bool,
    pub(super) error: Option<String>,
}

/// What is kept of a check that has ended.
pub(super) fn result(check: &RpCheck, locale: Locale) -> Option<Ended> {
    let kept: Value = serde_json::from_str(check.result.as_deref()?).ok()?;
    let view = kept.get("views").and_then(|views| views.get(locale.code()));
    Some(Ended {
        view: view.cloned(),
        refreshed: kept.get("refreshed") == Some(&Value::Bool(true)),
        error: kept.get("error").and_then(Value::as_str).map(str::to_owned),
    })
}
