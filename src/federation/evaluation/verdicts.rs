//! The verdicts upon a document, from the check at which it failed, if it failed.

use super::check::Check;
use super::{Verdict, cut};
use crate::clock::UtcTime;
use serde_json::Value;

/// The checks in their order up to the one that failed; of those that held, `says` tells what was found, or nothing when
/// the check was not needed.
pub(super) fn verdicts(
    order: &[Check],
    failed: Option<(Check, &str)>,
    says: impl Fn(Check) -> Option<String>,
) -> Vec<Verdict> {
    let mut out = Vec::new();
    for check in order {
        match failed {
            Some((failed, fact)) if failed == *check => {
                out.push(Verdict::new(check.name(), false, fact));
                return out;
            }
            _ => out.extend(says(*check).map(|says| Verdict::new(check.name(), true, &says))),
        }
    }
    out
}

impl Verdict {
    pub(super) fn new(check: &'static str, holds: bool, says: &str) -> Self {
        let says = cut(says);
        Self { check, holds, says }
    }
}

/// What a decoded document says, for the checks that held.
pub(super) struct Decoded {
    pub(super) header: Value,
    pub(super) claims: Value,
}

impl Decoded {
    /// What there is to say of a check that held.
    pub(super) fn says(&self, check: Check, now: UtcTime) -> Option<String> {
        let text = |members: &Value, name: &str| members.get(name).map(plain);
        match check {
            Check::Form => Some("a JWS that can be read".to_owned()),
            Check::Algorithm => text(&self.header, "alg"),
            Check::Typ => Some(text(&self.header, "typ").unwrap_or_else(|| "absent".to_owned())),
            Check::Issuer => text(&self.claims, "iss"),
            Check::Subject => text(&self.claims, "sub"),
            Check::Time => Some(self.times(now)),
            Check::Critical => text(&self.claims, "crit"),
            Check::Jwks => Some(format!("{} keys", self.keys())),
            Check::Listed
            | Check::Owner
            | Check::IssuerKeys
            | Check::Key
            | Check::Signature
            | Check::Payload
            | Check::Claims
            | Check::Hints
            | Check::Constraints
            | Check::Policy
            | Check::Delegation
            | Check::Status => None,
        }
    }

    pub(super) fn kid(&self) -> String {
        self.header
            .get("kid")
            .map_or_else(|| "absent".to_owned(), plain)
    }

    fn keys(&self) -> usize {
        let jwks = self.claims.get("jwks").unwrap_or(&self.claims);
        let keys = jwks.get("keys");
        keys.and_then(Value::as_array).map_or(0, Vec::len)
    }

    fn times(&self, now: UtcTime) -> String {
        let time = |name: &str| {
            let seconds = self.claims.get(name).and_then(Value::as_i64);
            seconds.map(|seconds| (UtcTime(seconds), UtcTime(seconds).to_rfc3339()))
        };
        let issued = time("iat").map_or_else(
            || "without iat".to_owned(),
            |(_, at)| format!("issued {at}"),
        );
        match time("exp") {
            Some((end, at)) => {
                let left = end.seconds_since(now);
                format!("{issued}, expires {at} (in {left} s)")
            }
            None => format!("{issued}, does not expire"),
        }
    }
}

/// A value for a sentence: text without quotation marks.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
