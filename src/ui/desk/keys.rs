//! `/admin/keys`: the rings of every issuer, their rotation, and what the published documents say.

use super::super::dates::day_bounds;
use super::super::visit::PageFailure;
use super::super::{
    Field, IssuerKeysView, KeyView, KeysPage, OutcomeView, PublishedPage, ReasonedPage, RingView,
    RotatePage,
};
use super::visit::link;
use super::{Desk, Outcome, Route, Section};
use crate::administration::keys::{self as administration, Keeper, KeysError};
use crate::clock::UtcTime;
use crate::endpoint::{Reply, Trouble};
use crate::jose::{KeyState, RingName};
use crate::keys::{KeyError, UNSCHEDULED, When, ring_names, state_at};
use crate::model::{Params, Role, StoredKey};
use crate::provider::Provider;
use crate::store::signing_key;
use std::sync::Arc;

pub(super) const PATH: &str = "/admin/keys";
const DOCUMENTS: &str = "/admin/keys/documents";
const ROTATE: &str = "/admin/keys/rotate";
const EMERGENCY: &str = "/admin/keys/emergency";
const RETIRE: &str = "/admin/keys/retire";
/// Keys that have ended are shown, the newest of them.
const ENDED_SHOWN: usize = 5;

pub(super) static ROUTES: [Route; 8] = [
    Route::get(PATH, Role::Viewer, |desk| Box::pin(list(desk))),
    Route::get(DOCUMENTS, Role::Viewer, |desk| Box::pin(documents(desk))),
    Route::get(ROTATE, Role::Operator, |desk| Box::pin(show_rotate(desk))),
    Route::post(ROTATE, Role::Operator, |desk| Box::pin(rotate(desk))),
    Route::get(EMERGENCY, Role::Operator, |desk| {
        Box::pin(show_reasoned(desk, Reasoned::Emergency))
    }),
    Route::post(EMERGENCY, Role::Operator, |desk| {
        Box::pin(do_reasoned(desk, Reasoned::Emergency))
    }),
    Route::get(RETIRE, Role::Operator, |desk| {
        Box::pin(show_reasoned(desk, Reasoned::Retire))
    }),
    Route::post(RETIRE, Role::Operator, |desk| {
        Box::pin(do_reasoned(desk, Reasoned::Retire))
    }),
];

fn nothing() -> PageFailure {
    PageFailure::Refused(Trouble::NotFound, "there is no such issuer, ring or key")
}

/// The issuer that the address names.
pub(super) fn provider<'a>(desk: &'a Desk<'_>) -> Result<&'a Arc<Provider>, PageFailure> {
    let query = desk.query();
    let wanted = query.get("issuer").unwrap_or_default();
    desk.state
        .providers
        .iter()
        .find(|provider| provider.issuer.as_str() == wanted)
        .ok_or_else(nothing)
}

fn ring(query: &Params) -> Result<RingName, PageFailure> {
    [RingName::Protocol, RingName::Federation]
        .into_iter()
        .find(|ring| Some(ring.as_str()) == query.get("ring"))
        .ok_or_else(nothing)
}

async fn stored(desk: &Desk<'_>, op: &Provider) -> Result<Vec<StoredKey>, PageFailure> {
    let issuer = op.issuer.clone();
    Ok(desk
        .shared()
        .store
        .read(move |conn| signing_key::search(conn, &issuer))
        .await?)
}

async fn list(desk: &Desk<'_>) -> Outcome {
    let mut issuers = Vec::new();
    for op in &desk.state.providers {
        let keys = stored(desk, op).await?;
        let id = op.issuer.as_str();
        issuers.push(IssuerKeysView {
            id: id.to_owned(),
            rings: ring_names(&op.settings)
                .iter()
                .map(|ring| ring_view(desk, op, (*ring, &keys)))
                .collect(),
            documents_url: link(DOCUMENTS, &[("issuer", id)]),
            trail_url: link(super::trail::PATH, &[("subject", &format!("keys {id}"))]),
        });
    }
    let page = KeysPage {
        desk: desk.view(Section::Keys),
        issuers,
    };
    desk.page(200, &page)
}

fn ring_view(desk: &Desk<'_>, op: &Provider, (ring, keys): (RingName, &[StoredKey])) -> RingView {
    let (now, may) = (desk.now(), desk.may(Role::Operator));
    let mut ended = 0;
    let keys = keys
        .iter()
        .rev()
        .filter(|key| key.ring == ring)
        .filter(|key| {
            let is_over = state_at(key, now).is_none();
            ended += usize::from(is_over);
            !is_over || ended <= ENDED_SHOWN
        })
        .map(|key| key_view(op, key, (now, may)))
        .collect();
    let address = [("issuer", op.issuer.as_str()), ("ring", ring.as_str())];
    RingView {
        name: ring.as_str(),
        keys,
        rotate_url: may.then(|| link(ROTATE, &address)),
    }
}

fn key_view(op: &Provider, key: &StoredKey, (now, may): (UtcTime, bool)) -> KeyView {
    let state = state_at(key, now);
    let address = [("issuer", op.issuer.as_str()), ("kid", key.kid.as_str())];
    KeyView {
        kid: key.kid.clone(),
        kind: key.kind.clone(),
        usage: if key.usage == "enc" { "enc" } else { "sig" },
        state: state.map_or("ended", KeyState::as_str),
        created_at: key.created_at,
        signs_from: (key.activates_at != UNSCHEDULED).then_some(key.activates_at),
        retired_at: key.retired_at,
        ends_at: key.ends_at,
        retire_url: (may && state.is_some()).then(|| link(RETIRE, &address)),
    }
}

async fn documents(desk: &Desk<'_>) -> Outcome {
    let op = provider(desk)?;
    let page = PublishedPage {
        desk: desk.view(Section::Keys),
        issuer: op.issuer.to_string(),
        documents: super::published::all(op),
        back_url: PATH,
    };
    desk.page(200, &page)
}

async fn show_rotate(desk: &Desk<'_>) -> Outcome {
    rotate_page(desk, 200, Wrong::default()).await
}

/// What is wrong with the form of a rotation.
#[derive(Default)]
struct Wrong {
    error: Option<String>,
    day: Option<String>,
    reason: Option<String>,
}

async fn rotate_page(desk: &Desk<'_>, status: u16, wrong: Wrong) -> Outcome {
    let op = provider(desk)?;
    let ring = ring(&desk.query())?;
    let now = desk.now();
    let keys = stored(desk, op).await?;
    let waiting = keys
        .iter()
        .find(|key| key.ring == ring && state_at(key, now) == Some(KeyState::Next));
    let since = waiting.map_or(now, |key| key.created_at);
    let published = since.plus_seconds(op.settings.lifetimes.entity_configuration);
    let planned = waiting
        .map(|key| key.activates_at)
        .filter(|at| *at != UNSCHEDULED);
    let typed = |name: &str, error: Option<String>| Field {
        value: desk.field(name).to_owned(),
        error,
    };
    let address = [("issuer", op.issuer.as_str()), ("ring", ring.as_str())];
    let page = RotatePage {
        desk: desk.view(Section::Keys),
        issuer: op.issuer.to_string(),
        ring: ring.as_str(),
        waiting: waiting.is_some(),
        planned,
        earliest: (ring == RingName::Protocol).then(|| published.max(now)),
        at: desk.field("when") == "at",
        day: typed("day", wrong.day),
        hour: typed("hour", None),
        reason: typed("reason", wrong.reason),
        error: wrong.error,
        action_url: link(ROTATE, &address),
        emergency_url: link(EMERGENCY, &address),
        back_url: PATH,
    };
    desk.page(status, &page)
}

/// Day and time in Italian legal time; a time that is not there is the day's beginning.
fn chosen(day: &str, hour: &str) -> Option<UtcTime> {
    let (start, end) = day_bounds(day)?;
    if hour.is_empty() {
        return Some(start);
    }
    let (hours, minutes) = hour.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let fits = (0..24).contains(&hours) && (0..60).contains(&minutes);
    let at = start.plus_seconds(hours * 3600 + minutes * 60);
    (fits && at < end).then_some(at)
}

async fn rotate(desk: &Desk<'_>) -> Outcome {
    let when = match desk.field("when") {
        "at" => match chosen(desk.field("day"), desk.field("hour")) {
            Some(at) => When::At(at),
            None => {
                let wrong = Wrong {
                    day: Some(desk.text("desk-rotate-day-invalid")),
                    ..Wrong::default()
                };
                return rotate_page(desk, 422, wrong).await;
            }
        },
        _ => When::Soonest,
    };
    let ring = ring(&desk.query())?;
    match change(desk, Deed::Rotate(ring, when)).await? {
        Ok(true) => Ok(desk.done(PATH, &[], "keys_replanned")),
        Ok(false) => Ok(done(desk)),
        Err(error) => {
            let text = Some(message(desk, &error)?);
            let wrong = match error {
                KeysError::Reason | KeysError::NoReason => Wrong {
                    reason: text,
                    ..Wrong::default()
                },
                KeysError::Past | KeysError::TooFar => {
                    let wrong = Wrong {
                        day: text,
                        ..Wrong::default()
                    };
                    return rotate_page(desk, 422, wrong).await;
                }
                KeysError::Keys(_) => Wrong {
                    error: text,
                    ..Wrong::default()
                },
            };
            rotate_page(desk, 409, wrong).await
        }
    }
}

fn done(desk: &Desk<'_>) -> Reply {
    desk.done(PATH, &[], "keys_changed")
}

/// What is done to keys.
enum Deed {
    Rotate(RingName, When),
    Retire(String, bool),
}

/// Does it, off the threads that answer: making a key takes long. True: a rotation that was planned before is replaced.
async fn change(desk: &Desk<'_>, deed: Deed) -> Result<Result<bool, KeysError>, PageFailure> {
    let op = Arc::clone(provider(desk)?);
    let (actor, now, reason) = (desk.actor(), desk.now(), desk.field("reason").to_owned());
    let done = tokio::task::spawn_blocking(move || {
        let keeper = Keeper {
            store: &op.shared.store,
            settings: &op.settings,
            key_encryption_key: Some(&op.shared.key_encryption_key),
            actor: &actor,
            reason: &reason,
            now,
        };
        match deed {
            Deed::Rotate(ring, when) => administration::rotate(&keeper, ring, when)
                .map(|changes| changes.iter().any(|change| change.was.is_some())),
            Deed::Retire(kid, at_once) => {
                administration::retire(&keeper, &kid, at_once).map(|_| false)
            }
        }
    })
    .await;
    match done {
        Ok(Err(KeysError::Keys(KeyError::Store(error)))) => Err(error.into()),
        Ok(done) => Ok(done),
        Err(_) => Err(PageFailure::Refused(
            Trouble::ServerError,
            "the keys could not be changed",
        )),
    }
}

fn message(desk: &Desk<'_>, error: &KeysError) -> Result<String, PageFailure> {
    Ok(match error {
        KeysError::NoReason => desk.text("desk-keys-no-reason"),
        KeysError::Reason => desk.text("desk-keys-reason-long"),
        KeysError::Past => desk.text("desk-rotate-day-past"),
        KeysError::TooFar => desk.text("desk-rotate-day-far"),
        KeysError::Keys(KeyError::LastOfItsKind { .. }) => desk.text("desk-keys-last"),
        KeysError::Keys(KeyError::Changed) => desk.text("desk-keys-changed"),
        KeysError::Keys(KeyError::Unknown { .. }) => return Err(nothing()),
        KeysError::Keys(other) => other.to_string(),
    })
}

/// What a reason and a tick are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reasoned {
    Emergency,
    Retire,
}

async fn show_reasoned(desk: &Desk<'_>, what: Reasoned) -> Outcome {
    reasoned_page(desk, what, (200, None, None)).await
}

async fn reasoned_page(
    desk: &Desk<'_>,
    what: Reasoned,
    (status, error, reason_error): (u16, Option<String>, Option<String>),
) -> Outcome {
    let op = provider(desk)?;
    let query = desk.query();
    let fact = |key: &str, value: &str| OutcomeView {
        name: desk.text(key),
        value: value.to_owned(),
    };
    let mut facts = vec![fact("desk-session-issuer", op.issuer.as_str())];
    let (name, action_url) = match what {
        Reasoned::Emergency => {
            let ring = ring(&query)?;
            let name = desk.text(&format!("desk-ring-{}", ring.as_str()));
            facts.push(fact("desk-keys-ring", &name));
            let address = [("issuer", op.issuer.as_str()), ("ring", ring.as_str())];
            ("emergency", link(EMERGENCY, &address))
        }
        Reasoned::Retire => {
            let kid = query.get("kid").unwrap_or_default();
            let keys = stored(desk, op).await?;
            let known = keys.iter().find(|key| key.kid == kid).ok_or_else(nothing)?;
            facts.push(fact("desk-key-kid", &known.kid));
            let address = [("issuer", op.issuer.as_str()), ("kid", kid)];
            ("retire", link(RETIRE, &address))
        }
    };
    let sure = (what == Reasoned::Emergency || desk.may(Role::Administrator)).then(|| Field {
        value: desk.text(&format!("desk-keys-sure-{name}")),
        error: None,
    });
    let page = ReasonedPage {
        desk: desk.view(Section::Keys),
        title: desk.text(&format!("desk-keys-title-{name}")),
        error,
        explanations: vec![desk.text(&format!("desk-keys-explain-{name}"))],
        facts,
        reason: Field {
            value: desk.field("reason").to_owned(),
            error: reason_error,
        },
        reason_required: what == Reasoned::Emergency,
        sure,
        button: desk.text(&format!("desk-keys-title-{name}")),
        action_url,
        back_url: PATH.to_owned(),
    };
    desk.page(status, &page)
}

async fn do_reasoned(desk: &Desk<'_>, what: Reasoned) -> Outcome {
    let sure = desk.field("sure") == "yes";
    let deed = match what {
        Reasoned::Emergency if !sure => {
            let error = Some(desk.text("desk-keys-not-sure"));
            return reasoned_page(desk, what, (422, error, None)).await;
        }
        Reasoned::Emergency => Deed::Rotate(ring(&desk.query())?, When::Immediately),
        Reasoned::Retire => {
            let kid = desk.query().get("kid").unwrap_or_default().to_owned();
            Deed::Retire(kid, sure && desk.may(Role::Administrator))
        }
    };
    match change(desk, deed).await? {
        Ok(_) => Ok(done(desk)),
        Err(error) => {
            let text = Some(message(desk, &error)?);
            let (error, reason_error) = match error {
                KeysError::Reason | KeysError::NoReason => (None, text),
                KeysError::Past | KeysError::TooFar | KeysError::Keys(_) => (text, None),
            };
            reasoned_page(desk, what, (409, error, reason_error)).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn a_chosen_time_is_one_of_its_day() {
        let start = chosen("2026-12-01", "").unwrap();
        assert_eq!(start.to_rfc3339(), "2026-11-30T23:00:00Z");
        assert_eq!(
            chosen("2026-12-01", "03:30"),
            Some(start.plus_seconds(12_600))
        );
        for (day, hour) in [
            ("", "03:30"),
            ("2026-02-30", ""),
            ("2026-12-01", "24:00"),
            ("2026-12-01", "-1:00"),
            ("2026-12-01", "3"),
            ("2026-12-01", "99999999999999999999:00"),
        ] {
            assert_eq!(chosen(day, hour), None, "{day} {hour}");
        }
    }
}
