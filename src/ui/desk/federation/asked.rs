//! `/admin/federation/asked`: what the superiors attest of an issuer of ours, by [`crate::ui::desk::looking`].
//!
//! The issuer is resolved as a stranger would, and what each superior says of it on the way is looked at: the same code
//! that judges relying parties judges us.

use super::{ASKED, PATH, chosen, unknown};
use crate::clock::UtcTime;
use crate::endpoint::quote;
use crate::federation::TrustSettings;
use crate::federation::evaluation::{Evaluated, Evaluation, Recheck, Recorder, StatementRecord};
use crate::jose::{KeyState, RingName};
use crate::keys::state_at;
use crate::model::{CheckKind, Role, RpCheck, StoredKey};
use crate::provider::Provider;
use crate::store::{StoreError, signing_key};
use crate::ui::desk::looking::{self, Looked};
use crate::ui::desk::visit::link;
use crate::ui::desk::{Desk, Outcome, Section};
use crate::ui::{AskedPage, AskedVerdict, AskedView, AttestationView, AttestedView, SuperiorSays};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// What is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Asked(AskedView),
    /// By a fault of ours.
    Failed,
}

/// Begins to ask, or joins who asks already.
pub(super) async fn ask(desk: &Desk<'_>) -> Outcome {
    let op = chosen(desk)?.ok_or_else(unknown)?;
    let trust = op.trust.clone().ok_or_else(unknown)?;
    let own = Arc::clone(op);
    let subject = trust.issuer_entity_id.to_string();
    let subject = (CheckKind::Superiors, subject.as_str());
    looking::begin(desk, op, subject, |recorder| async move {
        let kept = match answers(&own, trust, &recorder).await {
            Ok(asked) => Kept::Asked(asked),
            Err(error) => {
                let (issuer, reason) = (&own.issuer, quote(error));
                log::warn!("event=check.failed issuer={issuer} reason={reason}");
                Kept::Failed
            }
        };
        Looked {
            accepted: matches!(&kept, Kept::Asked(asked) if asked.verdict == AskedVerdict::Attested),
            result: serde_json::to_string(&kept).unwrap_or_default(),
        }
    })
    .await
}

/// How far it is, or what they answered.
pub(super) async fn show(desk: &Desk<'_>) -> Outcome {
    let check = looking::find(desk, ASKED).await?;
    let is_over = check.finished_at.is_some();
    let is_running = check.is_running(desk.now());
    let kept = is_over.then(|| kept(&check));
    let address = link(PATH, &[("issuer", &check.issuer)]);
    let page = AskedPage {
        desk: desk.view(Section::Federation),
        issuer: check.issuer.clone(),
        back_url: address.clone(),
        progress: (!is_over).then(|| looking::progress(desk, &check)),
        operator: check.actor.clone(),
        ended_at: check.finished_at,
        failed: matches!(kept, Some(Kept::Failed)),
        asked: match kept {
            Some(Kept::Asked(asked)) => Some(asked),
            Some(Kept::Failed) | None => None,
        },
        steps: match is_over {
            true => looking::steps(&check),
            false => Vec::new(),
        },
        ask_url: (!is_running && desk.may(Role::Operator)).then_some(address),
    };
    let page = desk.page(200, &page)?;
    Ok(looking::coming_again(desk, &check, page))
}

fn kept(check: &RpCheck) -> Kept {
    let kept = check.result.as_deref().unwrap_or_default();
    serde_json::from_str(kept).unwrap_or_else(|error| {
        let (id, reason) = (quote(&check.id), quote(error));
        log::warn!("event=check.not_understood id={id} reason={reason}");
        Kept::Failed
    })
}

async fn answers(
    op: &Provider,
    mut settings: TrustSettings,
    recorder: &Recorder,
) -> Result<AskedView, StoreError> {
    settings.entity_type = "openid_provider".to_owned();
    settings.required_trust_marks.clear();
    let own = settings.issuer_entity_id.clone();
    let look = (Recheck::Fresh, recorder);
    let evaluated = op.shared.resolver.explain_to(&settings, &own, look).await;
    let (issuer, now) = (op.issuer.clone(), op.now());
    let store = &op.shared.store;
    let mut keys = store
        .read(move |conn| signing_key::search(conn, &issuer))
        .await?;
    keys.retain(|key| {
        key.ring == RingName::Federation
            && matches!(state_at(key, now), Some(KeyState::Current | KeyState::Next))
    });
    let hints = &op.settings.authority_hints;
    Ok(asked(&evaluated, (own.as_str(), hints), (&keys, now)))
}

/// What there is to say of a resolution of `own`, whose superiors are `hints`.
fn asked(
    evaluated: &Evaluated,
    (own, hints): (&str, &[String]),
    (keys, now): (&[StoredKey], UtcTime),
) -> AskedView {
    let evaluation = &evaluated.evaluation;
    let of_us = evaluation
        .statements
        .iter()
        .filter(|one| one.subject == own);
    let (ours, theirs): (Vec<_>, Vec<_>) = of_us.partition(|one| one.issuer == own);
    let mut attestations: Vec<AttestationView> = theirs
        .into_iter()
        .map(|statement| attestation(statement, keys, now))
        .collect();
    let is_read = ours.iter().any(|one| fault(one).is_none());
    for hint in hints {
        if !attestations.iter().any(|one| one.superior == *hint) {
            attestations.push(without_statement(evaluation, own, hint));
        }
    }
    let problem = evaluated.outcome.as_ref().err();
    AskedView {
        verdict: match is_read {
            true => verdict(&attestations, problem.is_some()),
            false => AskedVerdict::Own,
        },
        attestations,
        problem: problem.map(crate::federation::TrustError::description),
    }
}

/// What most needs to be mended.
fn verdict(attestations: &[AttestationView], has_problem: bool) -> AskedVerdict {
    let any = |says| attestations.iter().any(|one| one.says == says);
    let mut stated = attestations
        .iter()
        .filter(|one| one.says == SuperiorSays::Statement);
    let lacks_a_key = |one: &AttestationView| one.keys.iter().any(|key| !key.attested);
    if !any(SuperiorSays::Statement) {
        AskedVerdict::Nobody
    } else if stated.clone().any(|one| one.fault.is_some()) {
        AskedVerdict::Fault
    } else if stated.any(lacks_a_key) {
        AskedVerdict::Missing
    } else if any(SuperiorSays::Nothing) {
        AskedVerdict::Silent
    } else if has_problem {
        AskedVerdict::Chain
    } else {
        AskedVerdict::Attested
    }
}

fn fault(statement: &StatementRecord) -> Option<String> {
    let mut verdicts = statement.verdicts.iter();
    let fault = verdicts.find(|verdict| !verdict.holds);
    fault.map(|verdict| verdict.says.clone())
}

fn attestation(statement: &StatementRecord, keys: &[StoredKey], now: UtcTime) -> AttestationView {
    let attested: Vec<&str> = statement
        .claims
        .pointer("/jwks/keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|key| key.get("kid").and_then(Value::as_str))
        .collect();
    let fault = fault(statement);
    let expires_at = statement.claims.get("exp").and_then(Value::as_i64);
    AttestationView {
        superior: statement.issuer.clone(),
        says: SuperiorSays::Statement,
        expires_at: expires_at.map(UtcTime),
        keys: keys
            .iter()
            .map(|key| AttestedView {
                attested: fault.is_none() && attested.contains(&key.kid.as_str()),
                kid: key.kid.clone(),
                state: state_at(key, now)
                    .map_or("ended", KeyState::as_str)
                    .to_owned(),
            })
            .collect(),
        fault,
    }
}

/// A superior of which nothing was read: the path through it ended there, or none was followed.
fn without_statement(evaluation: &Evaluation, own: &str, hint: &str) -> AttestationView {
    let mut paths = evaluation.paths.iter();
    let ended = paths.find_map(|path| match path.entities.as_slice() {
        [first, second, ..] if first == own && second == hint => path.error.clone(),
        _ => None,
    });
    AttestationView {
        superior: hint.to_owned(),
        says: match ended {
            Some(_) => SuperiorSays::Nothing,
            None => SuperiorSays::NotAsked,
        },
        expires_at: None,
        fault: ended,
        keys: Vec::new(),
    }
}
