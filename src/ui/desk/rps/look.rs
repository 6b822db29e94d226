//! Looking into an RP, by [`crate::ui::desk::looking`]: what is looked at, and what is kept of it.

use crate::administration::parties::{self, PartyError, PartyKey, failure};
use crate::federation::evaluation::{Recheck, Recorder};
use crate::model::{Actor, CheckKind, ClientId, RpCheck};
use crate::provider::{ClientError, Examination, Provider};
use crate::ui::Locale;
use crate::ui::check::view;
use crate::ui::desk::looking::{self, Looked};
use crate::ui::desk::{Desk, Outcome};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Begins a check, or joins the same one of somebody else.
pub(super) async fn begin(
    desk: &Desk<'_>,
    op: &Arc<Provider>,
    (client_id, kind): (&ClientId, CheckKind),
) -> Outcome {
    let (id, actor, own) = (client_id.clone(), desk.actor(), Arc::clone(op));
    let subject = (kind, client_id.as_str());
    looking::begin(desk, op, subject, |recorder| async move {
        let looked = look(&own, &actor, (id, kind), &recorder).await;
        let accepted = looked.as_ref().map(|found| failure(found).is_none());
        Looked {
            accepted: accepted.unwrap_or_default(),
            result: result_of(kind, looked).to_string(),
        }
    })
    .await
}

async fn look(
    op: &Arc<Provider>,
    actor: &Actor,
    (client_id, kind): (ClientId, CheckKind),
    recorder: &Recorder,
) -> Result<Examination, PartyError> {
    let recheck = match kind {
        CheckKind::Refresh => {
            let key = PartyKey {
                issuer: op.issuer.clone(),
                client_id,
            };
            return parties::refresh(op, actor, (&key, recorder)).await;
        }
        CheckKind::Cached => Recheck::Cached,
        CheckKind::Fresh | CheckKind::Superiors => Recheck::Fresh,
    };
    let examined = op.examine_to(&client_id, recheck, recorder).await;
    examined.map_err(|_| PartyError::Busy)
}

/// In every language: whoever looks at it may have another than whoever asked.
fn result_of(kind: CheckKind, looked: Result<Examination, PartyError>) -> Value {
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
    let refreshed = kind == CheckKind::Refresh && failure(&examination).is_none();
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
