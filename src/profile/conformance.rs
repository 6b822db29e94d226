//! The conformance report: an RP as an examiner of the profile would judge it, row by row.
//!
//! The profile's own rules, which refuse logins, are rows of the report by the very same predicates; the further rows
//! ask what a provider tolerates and an examiner does not.
//!
//! ```text
//! Examined ─► Profile::metadata_rules (refuse logins)      ─┐
//!          ─► entity_configuration::ROWS, trust_marks::ROWS ├─► report: Vec<Row>, problems of the policies are named
//!          ─► relying_party::ROWS, keys::ROWS …            ─┘
//! ```
//!
//! One more row: a `Check` in the table of its subject, and a mutation in `tests.rs`, which fails without one. What
//! differs from profile to profile is taken from the [`Profile`]; a row that the Italian texts alone ask for is `italian`.

mod entity_configuration;
mod keys;
mod redirect_uris;
mod relying_party;
mod rule_rows;
#[cfg(test)]
mod tests;
mod trust_marks;

use super::metadata::MisshapenMetadata;
use super::{MetadataFacts, Profile, Rule};
use crate::clock::UtcTime;
use crate::jose::KeySet;
use crate::model::ClientMetadata;
use serde::Serialize;
use serde_json::{Map, Value};

/// Characters of what was found that a row repeats: others wrote it.
const FOUND_MAX: usize = 200;

/// The entity type that is examined.
const RELYING_PARTY: &str = "openid_relying_party";

/// An RP with all that is looked at.
#[derive(Debug)]
pub struct Examined {
    /// Its entity identifier or `client_id`.
    pub entity_id: String,
    /// The profile that judges.
    pub profile: &'static Profile,
    /// Loopback addresses are no fault.
    pub development: bool,
    /// The time.
    pub now: UtcTime,
    /// One mark of any of these types is needed; empty: none is.
    pub required_trust_marks: Vec<String>,
    /// Its entity configuration; none for an RP that an operator registered.
    pub configuration: Option<Configuration>,
    /// Its metadata by entity type as it declares them.
    pub declared: Map<String, Value>,
    /// The same after the policies; equal to the former when no chain holds.
    pub last: Map<String, Value>,
    /// The members that the provider uses of it, and the keys; or that one has the wrong type.
    pub facts: Result<MetadataFacts, MisshapenMetadata>,
    /// The keys of the facts are the RP's; otherwise nobody could read them, and nothing is said of them.
    pub keys_were_read: bool,
}

/// An entity configuration as it was read, whether it holds or not.
#[derive(Debug)]
pub struct Configuration {
    /// The decoded header.
    pub header: Map<String, Value>,
    /// The decoded payload.
    pub claims: Map<String, Value>,
    /// Claim `jwks`: the federation keys.
    pub keys: KeySet,
}

impl Configuration {
    /// From the decoded parts; none unless both are objects.
    #[must_use]
    pub fn read(header: &Value, claims: &Value) -> Option<Self> {
        let keys = claims.get("jwks").map(KeySet::from_json);
        Some(Self {
            header: header.as_object()?.clone(),
            claims: claims.as_object()?.clone(),
            keys: keys.and_then(Result::ok).unwrap_or_default(),
        })
    }
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As asked.
    Pass,
    /// Accepted, but it should be changed.
    Warning,
    /// Not as asked.
    Fail,
    /// There is nothing to judge.
    NotApplicable,
}

impl Verdict {
    /// Every verdict, the worst first.
    pub const ALL: [Self; 4] = [Self::Fail, Self::Warning, Self::Pass, Self::NotApplicable];

    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warning => "warning",
            Self::Fail => "fail",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// One row of a report. The texts are technical English.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What the row is called: `redirect_uris.wildcard`, `rule.redirect_uris.present`.
    pub name: String,
    /// The clauses.
    pub rule: &'static str,
    /// What is asked.
    pub asks: &'static str,
    /// Whether logins are refused when it fails.
    pub refuses_logins: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to change; none when it passes.
    pub change: Option<String>,
    /// Which member of the entity configuration it is about, such as `metadata.openid_relying_party.redirect_uris`.
    pub place: String,
    /// The policies changed that member: what the RP had declared.
    pub before_policies: Option<Value>,
}

/// One examiner's check.
struct Check {
    name: &'static str,
    rule: &'static str,
    asks: &'static str,
    change: &'static str,
    place: &'static str,
    /// Logins are refused when it fails: by the verification of the chain, not by the profile's rules.
    refuses_logins: bool,
    /// SPID and CIE alone ask for it.
    italian_only: bool,
    judge: fn(&Examined) -> Finding,
}

impl Check {
    const fn refuses(self) -> Self {
        Self {
            refuses_logins: true,
            ..self
        }
    }

    const fn italian(self) -> Self {
        Self {
            italian_only: true,
            ..self
        }
    }

    fn applies_to(&self, profile: &Profile) -> bool {
        !self.italian_only || profile.federation.compulsory
    }
}

/// What a check found.
enum Finding {
    Pass(String),
    Warning(String),
    Fail(String),
    NotApplicable(&'static str),
}

/// What is said of keys that are elsewhere, when they could not be had.
const UNREAD: Finding = Finding::NotApplicable("the keys could not be read");

/// `name, rule, asks, change, place [, refuses] [, italian] => judge` of a row.
macro_rules! checks {
    ($($name:literal, $rule:literal, $asks:literal, $change:literal, $place:literal $(, $trait:ident)* => $judge:expr;)*) => {
        &[$(Check {
            name: $name,
            rule: $rule,
            asks: $asks,
            change: $change,
            place: $place,
            refuses_logins: false,
            italian_only: false,
            judge: $judge,
        }$(.$trait())*),*]
    };
}
use checks;

/// The examiner's tables, in the order of the report.
static TABLES: &[&[Check]] = &[
    entity_configuration::ROWS,
    trust_marks::ROWS,
    relying_party::ROWS,
    redirect_uris::ROWS,
    keys::ROWS,
];

/// Judges an RP: the rules that refuse logins first, then the examiner's rows.
#[must_use]
pub fn report(examined: &Examined) -> Vec<Row> {
    let rules = examined.profile.metadata_rules.iter();
    let mut rows: Vec<Row> = rules.map(|rule| examined.rule(rule)).collect();
    let checks = TABLES.iter().copied().flatten();
    let checks = checks.filter(|check| check.applies_to(examined.profile));
    rows.extend(checks.map(|check| examined.check(check)));
    rows
}

/// How often a verdict is in a report.
#[must_use]
pub fn count(rows: &[Row], verdict: Verdict) -> usize {
    rows.iter().filter(|row| row.verdict == verdict).count()
}

impl Examined {
    fn rule(&self, rule: &'static Rule<MetadataFacts>) -> Row {
        let place = format!("metadata.{RELYING_PARTY}.{}", rule.member);
        let stated = || self.last(rule.member).map_or_else(absent, show);
        let finding = match &self.facts {
            Err(_) => Finding::NotApplicable("the metadata cannot be read"),
            Ok(_) if rule_rows::is_about_keys(rule) && !self.keys_were_read => UNREAD,
            Ok(facts) if (rule.holds)(facts) => Finding::Pass(stated()),
            Ok(_) => Finding::Fail(stated()),
        };
        self.row(
            Row {
                name: rule_rows::name(rule),
                rule: rule.source,
                asks: rule.says,
                refuses_logins: true,
                verdict: Verdict::Pass,
                found: String::new(),
                change: Some(rule_rows::change(rule)),
                place,
                before_policies: None,
            },
            finding,
        )
    }

    fn check(&self, check: &Check) -> Row {
        self.row(
            Row {
                name: check.name.to_owned(),
                rule: check.rule,
                asks: check.asks,
                refuses_logins: check.refuses_logins,
                verdict: Verdict::Pass,
                found: String::new(),
                change: Some(check.change.to_owned()),
                place: check.place.to_owned(),
                before_policies: None,
            },
            (check.judge)(self),
        )
    }

    fn row(&self, mut row: Row, finding: Finding) -> Row {
        let (verdict, found) = match finding {
            Finding::Pass(found) => (Verdict::Pass, found),
            Finding::Warning(found) => (Verdict::Warning, found),
            Finding::Fail(found) => (Verdict::Fail, found),
            Finding::NotApplicable(why) => (Verdict::NotApplicable, why.to_owned()),
        };
        row.verdict = verdict;
        row.found = bounded(&found);
        match verdict {
            Verdict::Warning | Verdict::Fail => row.before_policies = self.changed(&row.place),
            Verdict::Pass | Verdict::NotApplicable => row.change = None,
        }
        row
    }

    /// What the RP declares at `metadata.<entity type>.<member>`, when the policies made something else of it.
    fn changed(&self, place: &str) -> Option<Value> {
        let mut parts = place.strip_prefix("metadata.")?.splitn(2, '.');
        let (entity_type, member) = (parts.next()?, parts.next()?);
        let before = self.declared.get(entity_type).and_then(|of| of.get(member));
        let after = self.last.get(entity_type).and_then(|of| of.get(member));
        (before != after).then(|| before.cloned().unwrap_or(Value::Null))
    }

    /// Whether the profile's own rules judge this member: then no other row repeats what they say.
    fn is_ruled(&self, member: &str) -> bool {
        let mut rules = self.profile.metadata_rules.iter();
        rules.any(|rule| rule.member == member)
    }

    /// A member of the RP's final metadata.
    fn last(&self, member: &str) -> Option<&Value> {
        self.last.get(RELYING_PARTY)?.get(member)
    }

    fn text(&self, member: &str) -> Option<&str> {
        self.last(member)?.as_str()
    }

    fn entity(&self, member: &str) -> Option<&Value> {
        self.last.get("federation_entity")?.get(member)
    }

    /// Judges the entity configuration, if there is one.
    fn of_configuration(&self, judge: impl FnOnce(&Configuration) -> Finding) -> Finding {
        match &self.configuration {
            Some(configuration) => judge(configuration),
            None => Finding::NotApplicable("there is no entity configuration"),
        }
    }

    /// Judges the metadata, if it can be read.
    fn of_metadata(&self, judge: impl FnOnce(&ClientMetadata) -> Finding) -> Finding {
        match &self.facts {
            Ok(facts) => judge(&facts.metadata),
            Err(_) => Finding::NotApplicable("the metadata cannot be read"),
        }
    }

    /// Judges the protocol keys.
    fn of_keys(&self, judge: impl FnOnce(&KeySet) -> Finding) -> Finding {
        match &self.facts {
            Ok(_) if !self.keys_were_read => UNREAD,
            Ok(facts) => judge(&facts.keys),
            Err(_) => Finding::NotApplicable("the metadata cannot be read"),
        }
    }
}

impl Finding {
    fn fail_unless(holds: bool, found: impl Into<String>) -> Self {
        match holds {
            true => Self::Pass(found.into()),
            false => Self::Fail(found.into()),
        }
    }

    fn warn_unless(holds: bool, found: impl Into<String>) -> Self {
        match holds {
            true => Self::Pass(found.into()),
            false => Self::Warning(found.into()),
        }
    }

    /// Passes when nothing is out of order; else as `worse` says, with the list.
    fn unless_any(faults: &[String], worse: fn(String) -> Self) -> Self {
        match faults.is_empty() {
            true => Self::Pass("as asked".to_owned()),
            false => worse(faults.join(", ")),
        }
    }
}

fn absent() -> String {
    "absent".to_owned()
}

fn show(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One line: the beginning of what others wrote.
fn bounded(text: &str) -> String {
    let mut line: String = text
        .chars()
        .take(FOUND_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(FOUND_MAX).is_some() {
        line.push('…');
    }
    line
}
