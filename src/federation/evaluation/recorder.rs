//! Writing an [`Evaluation`] while a resolution runs.

use super::check::{Check, OF_MARKS, OF_STATEMENTS};
use super::verdicts::{Decoded, verdicts};
use super::{
    Evaluation, FetchOutcome, FetchRecord, MarkRecord, PathRecord, PolicyRecord, Remembered,
    StatementRecord, Verdict, cut,
};
use crate::clock::UtcTime;
use crate::federation::entity_statement::StatementFault;
use crate::federation::error::RefusedMark;
use crate::jose::shown;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of one document or value that is shown.
const PART_MAX_BYTES: usize = 48 * 1024;
/// Bytes of all of them together.
const ALL_MAX_BYTES: usize = 512 * 1024;
/// Records of one kind; the limits of resolutions stay far below, but for hostile policies and hints.
const RECORDS_MAX: usize = 500;

/// Writes an evaluation, or nothing. Clones write the same one.
#[derive(Clone, Default)]
pub struct Recorder(Option<Arc<Mutex<Recording>>>);

struct Recording {
    evaluation: Evaluation,
    /// The statements of `evaluation.statements`: one is read once and verified perhaps several times.
    documents: Vec<String>,
    bytes_left: usize,
}

/// A statement that was verified.
#[derive(Clone, Copy)]
pub(in crate::federation) struct DocumentRead<'a> {
    pub(in crate::federation) kind: &'static str,
    /// Who should have issued it, and whom it should be about.
    pub(in crate::federation) about: (&'a str, &'a str),
    pub(in crate::federation) url: Option<&'a str>,
    pub(in crate::federation) jws: &'a str,
    /// Whose keys it was verified with, such as `its own keys`.
    pub(in crate::federation) keys: &'a dyn fmt::Display,
    pub(in crate::federation) now: UtcTime,
}

/// A trust mark and what there is to say of the checks that it passed.
#[derive(Clone, Copy)]
pub(in crate::federation) struct MarkSeen<'a> {
    pub(in crate::federation) mark_type: &'a str,
    pub(in crate::federation) issuer: &'a str,
    pub(in crate::federation) anchor: Option<&'a str>,
    pub(in crate::federation) required: bool,
    pub(in crate::federation) jwt: Option<&'a str>,
    /// The owner of its type, when that is not its issuer.
    pub(in crate::federation) owner: Option<&'a str>,
    /// Whether its issuer was asked.
    pub(in crate::federation) asked: bool,
    pub(in crate::federation) now: UtcTime,
}

impl Recorder {
    /// Writes.
    #[must_use]
    pub fn writing() -> Self {
        Self(Some(Arc::new(Mutex::new(Recording {
            evaluation: Evaluation::default(),
            documents: Vec::new(),
            bytes_left: ALL_MAX_BYTES,
        }))))
    }

    /// Writes nothing.
    #[must_use]
    pub const fn silent() -> Self {
        Self(None)
    }

    /// Whether anything is written: what only a record needs is computed only then.
    #[must_use]
    pub const fn is_writing(&self) -> bool {
        self.0.is_some()
    }

    /// What was written so far.
    #[must_use]
    pub fn taken(&self) -> Evaluation {
        let mut taken = Evaluation::default();
        self.write(|recording| taken = recording.evaluation.clone());
        taken
    }

    /// What was asked for so far: for whoever waits.
    #[must_use]
    pub fn fetches(&self) -> Vec<FetchRecord> {
        let mut fetches = Vec::new();
        self.write(|recording| fetches.clone_from(&recording.evaluation.fetches));
        fetches
    }

    fn write(&self, write: impl FnOnce(&mut Recording)) {
        if let Some(recording) = &self.0 {
            write(&mut recording.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    pub(in crate::federation) fn fetch(
        &self,
        what: &dyn fmt::Display,
        url: &str,
        outcome: FetchOutcome,
    ) {
        self.write(|recording| {
            let record = FetchRecord {
                what: cut(&what.to_string()),
                url: cut(url),
                outcome: outcome.bounded(),
            };
            recording.push(record, |evaluation| &mut evaluation.fetches);
        });
    }

    pub(in crate::federation) fn remembered(&self, remembered: Remembered) {
        self.write(|recording| recording.evaluation.remembered = Some(remembered));
    }

    /// A statement's verdicts; of one that was read before, whether it holds with these keys too.
    pub(in crate::federation) fn statement(
        &self,
        read: DocumentRead<'_>,
        fault: Option<&StatementFault>,
    ) {
        self.write(|recording| {
            let mut known = recording.documents.iter();
            let Some(position) = known.position(|jws| jws == read.jws) else {
                recording.read_statement(read, fault);
                return;
            };
            let verdict = match fault {
                None => Verdict::new(
                    "attestation",
                    true,
                    &format!("it is verified by {}", read.keys),
                ),
                Some(fault) => {
                    let says = format!("{} (with {})", fault.fact, read.keys);
                    Verdict::new("attestation", false, &says)
                }
            };
            recording.add_verdict(position, verdict);
        });
    }

    /// A constraint that a statement or an anchor's configuration demands, and what came of it on one path.
    pub(in crate::federation) fn constraint(
        &self,
        jws: &str,
        (constraint, holds, says): (&'static str, bool, fmt::Arguments<'_>),
    ) {
        self.write(|recording| {
            let mut known = recording.documents.iter();
            if let Some(position) = known.position(|document| document == jws) {
                recording.add_verdict(position, Verdict::new(constraint, holds, &says.to_string()));
            }
        });
    }

    pub(in crate::federation) fn mark(&self, seen: MarkSeen<'_>, refused: Option<&RefusedMark>) {
        self.write(|recording| {
            let (header, claims) = shown(seen.jwt.unwrap_or_default(), PART_MAX_BYTES);
            let decoded = Decoded { header, claims };
            let failed = refused.map(|refused| (refused.check, refused.fact.as_str()));
            let verdicts = verdicts(&OF_MARKS, failed, |check| match check {
                Check::Listed => Some(format!(
                    "{} lets {} issue marks of this type",
                    seen.anchor?, seen.issuer
                )),
                Check::IssuerKeys => seen.anchor.map(|anchor| match anchor == seen.issuer {
                    true => "the trust anchor's own".to_owned(),
                    false => format!("attested by {anchor}"),
                }),
                _ if seen.anchor.is_none() && check != Check::Form => None,
                Check::Signature => Some(format!("verified with kid {}", decoded.kid())),
                Check::Delegation => seen.owner.map(|owner| format!("by the owner {owner}")),
                Check::Status => seen.asked.then(|| "its issuer says active".to_owned()),
                other => decoded.says(other, seen.now),
            });
            let record = MarkRecord {
                mark_type: cut(seen.mark_type),
                issuer: cut(seen.issuer),
                anchor: seen.anchor.map(str::to_owned),
                required: seen.required,
                claims: recording.kept(decoded.claims),
                verdicts,
            };
            recording.push(record, |evaluation| &mut evaluation.trust_marks);
        });
    }

    /// A path: entities from the subject upwards, whether an anchor ends it, and why it does not hold.
    pub(in crate::federation) fn path<'a>(
        &self,
        entities: impl IntoIterator<Item = &'a str>,
        reaches_anchor: bool,
        error: Option<&dyn fmt::Display>,
    ) {
        self.write(|recording| {
            let record = PathRecord {
                entities: entities.into_iter().map(cut).collect(),
                reaches_anchor,
                chosen: reaches_anchor && error.is_none(),
                error: error.map(|error| cut(&error.to_string())),
            };
            recording.push(record, |evaluation| &mut evaluation.paths);
        });
    }

    /// The metadata before policies; what was written of an earlier path's policies goes.
    pub(in crate::federation) fn declared(&self, metadata: &Map<String, Value>) {
        self.write(|recording| {
            recording.evaluation.policies.clear();
            recording.evaluation.final_metadata = None;
            let kept = recording.kept_metadata(metadata);
            recording.evaluation.declared_metadata = Some(kept);
        });
    }

    pub(in crate::federation) fn policy(&self, record: PolicyRecord) {
        self.write(|recording| {
            let record = PolicyRecord {
                path: cut(&record.path),
                value: recording.kept(record.value),
                before: record.before.map(|value| recording.kept(value)),
                after: record.after.map(|value| recording.kept(value)),
                ..record
            };
            recording.push(record, |evaluation| &mut evaluation.policies);
        });
    }

    pub(in crate::federation) fn resolved(&self, metadata: &Map<String, Value>) {
        self.write(|recording| {
            let kept = recording.kept_metadata(metadata);
            recording.evaluation.final_metadata = Some(kept);
        });
    }
}

impl Recording {
    fn push<T>(&mut self, record: T, list: impl Fn(&mut Evaluation) -> &mut Vec<T>) {
        let list = list(&mut self.evaluation);
        if list.len() < RECORDS_MAX {
            list.push(record);
        } else {
            self.evaluation.left_out = self.evaluation.left_out.saturating_add(1);
        }
    }

    fn add_verdict(&mut self, position: usize, verdict: Verdict) {
        if let Some(statement) = self.evaluation.statements.get_mut(position)
            && !statement.verdicts.contains(&verdict)
            && statement.verdicts.len() < RECORDS_MAX
        {
            statement.verdicts.push(verdict);
        }
    }

    fn read_statement(&mut self, read: DocumentRead<'_>, fault: Option<&StatementFault>) {
        if self.documents.len() >= RECORDS_MAX {
            return;
        }
        let (header, claims) = shown(read.jws, PART_MAX_BYTES);
        let decoded = Decoded { header, claims };
        let failed = fault.map(|fault| (fault.check, fault.fact.as_str()));
        let verdicts = verdicts(&OF_STATEMENTS, failed, |check| match check {
            Check::Key => Some(format!("kid {} of {}", decoded.kid(), read.keys)),
            Check::Signature => Some(format!("verified with kid {}", decoded.kid())),
            other => decoded.says(other, read.now),
        });
        let record = StatementRecord {
            kind: read.kind,
            issuer: cut(read.about.0),
            subject: cut(read.about.1),
            url: read.url.map(cut),
            size_bytes: read.jws.len(),
            header: self.kept(decoded.header),
            claims: self.kept(decoded.claims),
            verdicts,
        };
        if read.jws.len() > PART_MAX_BYTES {
            self.evaluation.left_out = self.evaluation.left_out.saturating_add(1);
        }
        self.documents.push(read.jws.to_owned());
        self.evaluation.statements.push(record);
    }

    /// A value, unless it is too much.
    fn kept(&mut self, value: Value) -> Value {
        let size = value.to_string().len();
        if size > PART_MAX_BYTES || size > self.bytes_left {
            self.evaluation.left_out = self.evaluation.left_out.saturating_add(1);
            return Value::Null;
        }
        self.bytes_left = self.bytes_left.saturating_sub(size);
        value
    }

    fn kept_metadata(&mut self, metadata: &Map<String, Value>) -> Map<String, Value> {
        let kept = metadata
            .iter()
            .map(|(entity_type, members)| (cut(entity_type), self.kept(members.clone())));
        kept.collect()
    }
}
