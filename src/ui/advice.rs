//! Why a relying party was refused, in one plain sentence for its developers, and what to change where in another.
//!
//! Every error, rule and defect has its own words: the matches are exhaustive, so a new one cannot be forgotten. The
//! words are in `locales/*/advice.ftl`; what is said of signed documents and trust marks in `link` and `mark`.

mod fetch;
mod link;
mod mark;
#[cfg(test)]
mod tests;

use super::Locale;
use super::catalog::{Arguments, translate};
use super::dates;
use crate::clock::UtcTime;
use crate::federation::{EntityIdError, PolicyError, PolicyErrorKind, TrustError};
use crate::profile::metadata::MisshapenMetadata;
use crate::profile::{Demand, MetadataFacts, Rule};
use crate::provider::ClientError;
use fluent_bundle::FluentValue;
use std::borrow::Cow;

/// Characters of one argument: others wrote most of them.
const ARGUMENT_MAX: usize = 300;

/// A message of the catalogue with its arguments, not yet in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its key in the catalogue.
    pub key: &'static str,
    arguments: Vec<(&'static str, Argument)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Argument {
    Text(String),
    Number(i64),
    Time(UtcTime),
    /// A phrase of its own, such as `Your entity configuration (https://…)`.
    Phrase(Message),
}

/// What happened and what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What happened.
    pub what: Message,
    /// What to change, and where.
    pub change: Message,
    /// How many other failures there are beside this one.
    pub others: usize,
}

impl Message {
    pub(super) fn new(key: &'static str) -> Self {
        Self {
            key,
            arguments: Vec::new(),
        }
    }

    /// That `rp` is accepted.
    pub(super) fn accepted(rp: &str) -> Self {
        Self::new("advice-accepted").text("rp", rp)
    }

    /// That it is accepted by what was found before, and would not be by what is found now.
    pub(super) fn accepted_for_now(rp: &str) -> Self {
        Self::new("advice-accepted-for-now").text("rp", rp)
    }

    /// That there are other failures.
    pub(super) fn others() -> Self {
        Self::new("advice-others")
    }

    fn with(mut self, name: &'static str, argument: Argument) -> Self {
        self.arguments.push((name, argument));
        self
    }

    fn text(self, name: &'static str, text: &str) -> Self {
        let text = text
            .chars()
            .take(ARGUMENT_MAX)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        self.with(name, Argument::Text(text))
    }

    fn number(self, name: &'static str, number: impl TryInto<i64>) -> Self {
        let number = number.try_into().unwrap_or(i64::MAX);
        self.with(name, Argument::Number(number))
    }

    fn time(self, name: &'static str, time: UtcTime) -> Self {
        self.with(name, Argument::Time(time))
    }

    /// With a second sentence that needs no arguments.
    fn then(self, change: &'static str) -> Advice {
        Advice::new(self, Self::new(change))
    }

    fn phrase(self, name: &'static str, phrase: Self) -> Self {
        self.with(name, Argument::Phrase(phrase))
    }

    /// The message in a language; the key when it misses, which a test forbids.
    #[must_use]
    pub fn say(&self, locale: Locale) -> String {
        let mut arguments = Arguments::new();
        for (name, argument) in &self.arguments {
            let value = match argument {
                Argument::Text(text) => FluentValue::from(text.clone()),
                // As text: a limit of 262144 bytes is not grouped, a year is not a quantity.
                Argument::Number(number) => FluentValue::from(number.to_string()),
                Argument::Time(time) => {
                    FluentValue::from(format!("{} UTC", dates::utc_date_time(locale, *time)))
                }
                Argument::Phrase(phrase) => FluentValue::from(phrase.say(locale)),
            };
            arguments.insert(Cow::Borrowed(*name), value);
        }
        translate(locale, self.key, &arguments).unwrap_or_else(|_| self.key.to_owned())
    }
}

impl Advice {
    fn new(what: Message, change: Message) -> Self {
        Self {
            what,
            change,
            others: 0,
        }
    }

    /// Advice on why `rp` is refused.
    #[must_use]
    pub fn on(rp: &str, error: &ClientError) -> Self {
        match error {
            ClientError::Unknown => Self::new(
                Message::new("advice-unknown").text("rp", rp),
                Message::new("advice-unknown-do"),
            ),
            ClientError::Disabled => Self::new(
                Message::new("advice-disabled").text("rp", rp),
                Message::new("advice-disabled-do").text("rp", rp),
            ),
            ClientError::Ended(ended) => match &ended.refusal {
                Some(refusal) => Self::on(rp, refusal),
                None => Message::new("advice-ended")
                    .text("rp", rp)
                    .text("fact", &ended.to_string())
                    .then("advice-ended-do"),
            },
            ClientError::RegistrationExpired(end) => Message::new("advice-expired")
                .text("rp", rp)
                .time("end", *end)
                .then("advice-expired-do"),
            ClientError::NotAnEntity(fact) => entity_id(rp, *fact),
            ClientError::Trust(error) => Self::on_trust(rp, error),
            ClientError::Metadata(misshapen) => shape(rp, misshapen),
            ClientError::Rule(rule) => broken_rule(rp, rule),
            ClientError::Keys(error) => keys_of(rp, "jwks", &error.to_string()),
            ClientError::Store(_) => Self::new(
                Message::new("advice-store"),
                Message::new("advice-store-do"),
            ),
        }
    }

    /// Advice on why no trust chain of `rp` holds: of several failures, the most telling one.
    #[must_use]
    pub fn on_trust(rp: &str, error: &TrustError) -> Self {
        let mut leaves = Vec::new();
        collect(error, &mut leaves);
        // The last maximum of the reversed list is the first of the list: the nearest.
        let telling = leaves.iter().rev().copied().max_by_key(|leaf| rank(leaf));
        Self {
            others: leaves.len().saturating_sub(1),
            ..one(rp, telling.unwrap_or(error))
        }
    }

    /// Both sentences, and that there are others.
    #[must_use]
    pub fn say(&self, locale: Locale) -> String {
        let mut text = format!("{} {}", self.what.say(locale), self.change.say(locale));
        if self.others > 0 {
            text.push(' ');
            text.push_str(&Message::others().say(locale));
        }
        text
    }
}

/// The failures that have none below them, the nearest first.
fn collect<'a>(error: &'a TrustError, leaves: &mut Vec<&'a TrustError>) {
    match error {
        TrustError::NoPath { failures, .. } if !failures.is_empty() => {
            for failure in failures {
                collect(failure, leaves);
            }
        }
        leaf => leaves.push(leaf),
    }
}

/// How much a failure tells: who came further up the chain knows more, and what was refused more than what was not reached.
fn rank(error: &TrustError) -> u8 {
    match error {
        TrustError::Policy { .. } | TrustError::RpKeys { .. } => 9,
        TrustError::Constraint { .. } => 8,
        TrustError::TrustMark { .. } => 7,
        TrustError::BrokenLink(_) | TrustError::EntityType { .. } => 6,
        TrustError::EntityId { .. } | TrustError::NoFetchEndpoint { .. } => 5,
        TrustError::Fetch { .. } | TrustError::Anchor { .. } => 4,
        TrustError::NoAuthorityHints { .. }
        | TrustError::TooManyHints { .. }
        | TrustError::TooManyFetches { .. } => 3,
        TrustError::NoAnchor { .. } | TrustError::TimedOut { .. } => 2,
        TrustError::ProvidedChain(_) => 1,
        TrustError::Busy | TrustError::NoPath { .. } => 0,
    }
}

fn one(rp: &str, error: &TrustError) -> Advice {
    let say = Message::new;
    match error {
        TrustError::Busy => say("advice-busy").then("advice-busy-do"),
        TrustError::TimedOut { subject, seconds } => say("advice-timed_out")
            .text("subject", subject)
            .number("seconds", *seconds)
            .then("advice-timed_out-do"),
        TrustError::Fetch { error, .. } => fetch::advice(error),
        TrustError::BrokenLink(broken) => link::advice(rp, broken),
        TrustError::EntityId { id, fact } => entity_id(id, *fact),
        TrustError::TrustMark {
            subject,
            required,
            refused,
            ..
        } => mark::advice(subject, required, refused),
        TrustError::Policy { issuer, error } => policy(issuer, error),
        TrustError::Constraint {
            issuer,
            constraint,
            fact,
        } => constraint_of(issuer, constraint, fact),
        TrustError::EntityType {
            subject,
            entity_type,
        } => lacks_type(subject, entity_type),
        TrustError::NoFetchEndpoint { entity } => no_fetch_endpoint(entity),
        TrustError::NoAuthorityHints { entity } => say("advice-no_hints")
            .text("entity", entity)
            .then("advice-no_hints-do"),
        TrustError::TooManyHints {
            entity,
            found,
            limit,
        } => say("advice-too_many_hints")
            .text("entity", entity)
            .number("found", *found)
            .number("limit", *limit)
            .then("advice-too_many_hints-do"),
        TrustError::TooManyFetches { subject, limit } => say("advice-too_many_fetches")
            .text("subject", subject)
            .number("limit", *limit)
            .then("advice-too_many_fetches-do"),
        TrustError::NoAnchor { subject } | TrustError::NoPath { subject, .. } => {
            say("advice-no_anchor")
                .text("subject", subject)
                .then("advice-no_anchor-do")
        }
        TrustError::Anchor { anchor, fact } => say("advice-anchor")
            .text("anchor", anchor)
            .text("fact", fact)
            .then("advice-anchor-do"),
        TrustError::ProvidedChain(fact) => say("advice-provided_chain")
            .text("fact", fact)
            .then("advice-provided_chain-do"),
        TrustError::RpKeys {
            subject,
            member,
            fact,
            ..
        } => keys_of(subject, member, fact),
    }
}

fn constraint_of(issuer: &str, constraint: &str, fact: &str) -> Advice {
    let what = Message::new("advice-constraint")
        .text("constraint", constraint)
        .text("issuer", issuer)
        .text("fact", fact);
    Advice::new(
        what,
        Message::new("advice-constraint-do").text("issuer", issuer),
    )
}

fn lacks_type(subject: &str, entity_type: &str) -> Advice {
    let what = Message::new("advice-entity_type").text("subject", subject);
    Advice::new(
        what.text("type", entity_type),
        Message::new("advice-entity_type-do").text("type", entity_type),
    )
}

fn no_fetch_endpoint(entity: &str) -> Advice {
    Advice::new(
        Message::new("advice-no_fetch_endpoint").text("entity", entity),
        Message::new("advice-no_fetch_endpoint-do").text("entity", entity),
    )
}

fn keys_of(subject: &str, member: &str, fact: &str) -> Advice {
    Message::new("advice-rp_keys")
        .text("subject", subject)
        .text("member", member)
        .text("fact", fact)
        .then("advice-rp_keys-do")
}

fn entity_id(id: &str, fact: EntityIdError) -> Advice {
    let what = match fact {
        EntityIdError::TooLong => "advice-entity_id-too_long",
        EntityIdError::NotAUrl => "advice-entity_id-not_a_url",
        EntityIdError::NotHttps => "advice-entity_id-not_https",
        EntityIdError::UserInformation => "advice-entity_id-user_information",
        EntityIdError::QueryOrFragment => "advice-entity_id-query_or_fragment",
    };
    Advice::new(
        Message::new(what).text("id", id),
        Message::new("advice-entity_id-do"),
    )
}

fn policy(issuer: &str, error: &PolicyError) -> Advice {
    Advice::new(
        Message::new("advice-policy")
            .text("issuer", issuer)
            .text("path", &error.path)
            .text("operator", &error.operator)
            .text("fact", &error.reason),
        match error.kind {
            PolicyErrorKind::InvalidMetadata => Message::new("advice-policy-metadata-do")
                .text("path", &error.path)
                .text("issuer", issuer),
            PolicyErrorKind::InvalidPolicy => {
                Message::new("advice-policy-policy-do").text("issuer", issuer)
            }
        },
    )
}

fn shape(rp: &str, misshapen: &MisshapenMetadata) -> Advice {
    Advice::new(
        Message::new("advice-shape")
            .text("rp", rp)
            .text("member", misshapen.member)
            .text("expected", misshapen.expected),
        member_change(misshapen.member),
    )
}

fn member_change(member: &str) -> Message {
    Message::new("advice-member-do").text("member", member)
}

/// Advice on a rule of the profile that final metadata breaks (SPID/CIE FE-10).
fn broken_rule(rp: &str, rule: &Rule<MetadataFacts>) -> Advice {
    let say = |key| Message::new(key).text("rp", rp).text("member", rule.member);
    let what = match rule.demand {
        Demand::Present => say("advice-rule-present"),
        Demand::RedirectUris => say("advice-rule-redirect_uris"),
        Demand::Contains(value) => say("advice-rule-contains").text("value", value),
        Demand::Only(values) => say("advice-rule-only").text("values", values),
        Demand::Is(value) => say("advice-rule-is").text("value", value),
        Demand::OneOf(values) => say("advice-rule-one_of").text("values", values),
        Demand::SigningKey => say("advice-rule-signing_key"),
        Demand::EncryptionKey(algorithm) => {
            say("advice-rule-encryption_key").text("algorithm", algorithm)
        }
    };
    Advice::new(what, member_change(rule.member))
}
