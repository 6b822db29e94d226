//! Mutation tests of everything that strangers may write: entity statements, policies, chains, trust marks, status
//! answers and key sets.
//!
//! ```text
//! corpus (*.json) ─► mutate the JSON ─► sign with the key that belongs there ─► verify ─► promises
//! ```
//!
//! A case is one JSON document, so that whatever is found can be written down and replayed; keys are made anew in every
//! process and signatures last of all, so that mutations reach what stands behind the signature. A new kind of input: a
//! target here with its promises, and a case in the corpus.

mod federation;
mod key_set;
mod mutation;
mod policy;
mod signing;

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// What a case did, in few words; the promises held.
pub type Outcome = Result<String, String>;

/// One input.
#[derive(Clone, Debug)]
pub struct Case {
    /// Of the corpus' file that it comes from.
    pub name: String,
    /// Which code reads it: `policy`, `federation` or `key_set`.
    target: String,
    /// Whether it is accepted as it stands in the corpus.
    accepted: bool,
    input: Value,
}

impl Case {
    /// Reads a file of the corpus, or a failure that was written down.
    pub fn from_text(text: &str) -> Self {
        let case: Value = serde_json::from_str(text).unwrap();
        let member = |name: &str| case[name].as_str().unwrap().to_owned();
        Self {
            name: member("name"),
            target: member("target"),
            accepted: case["accepted"].as_bool().unwrap(),
            input: case["input"].clone(),
        }
    }

    /// The case as a file.
    pub fn to_text(&self) -> String {
        let case = serde_json::json!({
            "name": self.name,
            "target": self.target,
            "accepted": self.accepted,
            "input": self.input,
        });
        serde_json::to_string_pretty(&case).unwrap()
    }
}

/// The seeds, in the order of their names.
fn corpus() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file| Case::from_text(&std::fs::read_to_string(file).unwrap());
    files.into_iter().map(read).collect()
}

/// Makes cases and runs them.
pub struct Fuzzer {
    random: fastrand::Rng,
    seeds: Vec<Case>,
    federation: federation::Target,
    outcomes: BTreeMap<String, u64>,
}

impl Fuzzer {
    /// The same seed makes the same cases.
    pub fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            seeds: corpus(),
            federation: federation::Target::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// A mutated case of the corpus.
    pub fn next_case(&mut self) -> Case {
        let mut case = self.seeds[self.random.usize(..self.seeds.len())].clone();
        let other = &self.seeds[self.random.usize(..self.seeds.len())];
        for _ in 0..=self.random.usize(..4) {
            mutation::mutate(&mut case.input, &other.input, &mut self.random);
        }
        case
    }

    /// Runs a case.
    ///
    /// # Errors
    /// The promise that it breaks.
    pub fn run(&mut self, case: &Case) -> Outcome {
        let outcome = catch_unwind(AssertUnwindSafe(|| match case.target.as_str() {
            "policy" => policy::run(&case.input),
            "key_set" => key_set::run(&case.input),
            _ => self.federation.run(&case.input),
        }));
        let outcome = outcome.unwrap_or_else(|_| Err("it panics".to_owned()))?;
        let counter = self.outcomes.entry(format!("{}: {outcome}", case.target));
        *counter.or_default() += 1;
        Ok(outcome)
    }

    /// Whether every case of the corpus is accepted or refused as it says.
    ///
    /// # Errors
    /// The one that is not.
    pub fn check_corpus(&mut self) -> Result<(), String> {
        for case in self.seeds.clone() {
            let outcome = self.run(&case).map_err(|e| format!("{}: {e}", case.name))?;
            if outcome.starts_with("accepted") != case.accepted {
                return Err(format!("{}: {outcome}", case.name));
            }
        }
        Ok(())
    }

    /// How often each outcome was seen: what the mutations reached.
    pub fn summary(&self) -> String {
        let lines = self.outcomes.iter();
        let lines = lines.map(|(outcome, count)| format!("{count:>9}  {outcome}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Texts of errors go to logs and pages: one line, and short whatever caused them.
fn check_text(text: &str, max: usize) -> Result<(), String> {
    if text.chars().count() > max {
        return Err(format!("an error text has {} characters", text.len()));
    }
    Ok(())
}

/// The values of a member as a set: arrays without order and repetition, `scope` as its words.
fn as_set(name: &str, value: &Value) -> Value {
    let mut values: Vec<String> = match value {
        Value::String(text) if name == "scope" => {
            let words = text.split_ascii_whitespace();
            words.map(|word| Value::from(word).to_string()).collect()
        }
        Value::Array(values) => values.iter().map(Value::to_string).collect(),
        plain => return plain.clone(),
    };
    values.sort();
    values.dedup();
    Value::from(values)
}

/// Metadata of all entity types, for comparisons.
fn as_sets(metadata: &Map<String, Value>) -> BTreeMap<(String, String), Value> {
    let mut all = BTreeMap::new();
    for (entity_type, parameters) in metadata {
        for (name, value) in parameters.as_object().into_iter().flatten() {
            let at = (entity_type.clone(), name.clone());
            all.insert(at, as_set(name, value));
        }
    }
    all
}
