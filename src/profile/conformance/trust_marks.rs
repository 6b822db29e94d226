//! The trust marks in the entity configuration, as far as they can be judged without their issuers (SPID/CIE TM-1).

use super::{Check, Examined, Finding, absent, checks, show};
use crate::clock::UtcTime;
use crate::jose::Unverified;
use serde_json::{Map, Value};

/// A mark that ends sooner wants to be renewed now.
const SOON_SECONDS: i64 = 7 * 86_400;
/// Bytes of a mark.
const MARK_MAX: usize = 64 * 1024;
/// Marks that are looked at.
const MARKS_MAX: usize = 16;
/// The member's final name and the older ones.
const TYPE_NAMES: [&str; 3] = ["trust_mark_type", "trust_mark_id", "id"];

pub(super) static ROWS: &[Check] = checks! {
    "trust_marks.required", "SPID/CIE FE-1",
        "trust_marks has a mark of a type that this provider asks for",
        "ask the trust anchor (or the mark's issuer) for the mark and add it to trust_marks", "trust_marks", refuses =>
        |e| e.of_configuration(|c| {
            if e.required_trust_marks.is_empty() {
                return Finding::NotApplicable("this provider asks for none");
            }
            let types: Vec<String> = marks(&c.claims).iter().filter_map(Mark::kind).collect();
            let has = types.iter().any(|kind| e.required_trust_marks.contains(kind));
            Finding::fail_unless(has, list(&types))
        });
    "trust_marks.claims", "SPID/CIE TM-1",
        "every trust mark has iss, sub, iat and its type",
        "ask the mark's issuer for a complete one", "trust_marks" =>
        |e| each(e, Finding::Fail, |_, mark| {
            let untyped = mark.inner_kind().is_none().then_some("trust_mark_type");
            let missing: Vec<&str> = ["iss", "sub", "iat"]
                .into_iter()
                .filter(|name| !mark.claims.contains_key(*name))
                .chain(untyped)
                .collect();
            (!missing.is_empty()).then(|| format!("{} has no {}", mark.label(), list(&missing)))
        });
    "trust_marks.sub", "SPID/CIE FE-1, TM-1",
        "every trust mark was issued to this RP",
        "publish only marks whose sub is the entity identifier, byte for byte", "trust_marks" =>
        |e| each(e, Finding::Fail, |e, mark| {
            let sub = mark.claims.get("sub").map(show)?;
            (sub != e.entity_id).then(|| format!("{} is of {sub}", mark.label()))
        });
    "trust_marks.exp", "SPID/CIE TM-1",
        "no trust mark has expired",
        "replace the mark by a new one of its issuer", "trust_marks" =>
        |e| each(e, Finding::Fail, |e, mark| {
            let exp = mark.expires()?;
            (exp <= e.now).then(|| format!("{} expired {}", mark.label(), exp.to_rfc3339()))
        });
    "trust_marks.soon", "SPID/CIE TM-1, FE-4",
        "no trust mark ends within a week",
        "fetch the new mark from its issuer in time", "trust_marks" =>
        |e| each(e, Finding::Warning, |e, mark| {
            let exp = mark.expires()?;
            let soon = exp > e.now && exp < e.now.plus_seconds(SOON_SECONDS);
            soon.then(|| format!("{} ends {}", mark.label(), exp.to_rfc3339()))
        });
    "trust_marks.type_name", "OIDC Federation §7.1, SPID/CIE TM-1",
        "the type is called trust_mark_type, beside older names or alone",
        "call the member trust_mark_type; trust_mark_id and id are names of drafts", "trust_marks" =>
        |e| each(e, Finding::Warning, |_, mark| {
            let older = mark.inner_kind().is_some() && !mark.claims.contains_key("trust_mark_type");
            older.then(|| mark.label())
        });
};

/// Judges every mark: `fault` says what is wrong with one.
fn each(
    examined: &Examined,
    worse: fn(String) -> Finding,
    fault: fn(&Examined, &Mark) -> Option<String>,
) -> Finding {
    examined.of_configuration(|configuration| {
        let marks = marks(&configuration.claims);
        if marks.is_empty() {
            return Finding::NotApplicable("there are no trust marks");
        }
        let faults: Vec<String> = marks
            .iter()
            .filter_map(|mark| fault(examined, mark))
            .collect();
        Finding::unless_any(&faults, worse)
    })
}

/// A mark as it is written: nothing of it is verified here.
struct Mark {
    wrapper: Map<String, Value>,
    claims: Map<String, Value>,
}

fn marks(claims: &Map<String, Value>) -> Vec<Mark> {
    let list = claims.get("trust_marks").and_then(Value::as_array);
    let read = |wrapper: &Value| {
        let wrapper = wrapper.as_object()?.clone();
        let jwt = wrapper.get("trust_mark").and_then(Value::as_str);
        let claims = jwt.and_then(|jwt| {
            let unverified = Unverified::parse(jwt, MARK_MAX).ok()?;
            unverified.unverified_claims().ok()
        });
        let claims = claims.unwrap_or_default();
        Some(Mark { wrapper, claims })
    };
    list.into_iter()
        .flatten()
        .take(MARKS_MAX)
        .filter_map(read)
        .collect()
}

impl Mark {
    fn inner_kind(&self) -> Option<String> {
        kind_in(&self.claims)
    }

    fn kind(&self) -> Option<String> {
        self.inner_kind().or_else(|| kind_in(&self.wrapper))
    }

    fn label(&self) -> String {
        self.kind().unwrap_or_else(|| "a mark".to_owned())
    }

    fn expires(&self) -> Option<UtcTime> {
        self.claims.get("exp")?.as_i64().map(UtcTime)
    }
}

fn kind_in(members: &Map<String, Value>) -> Option<String> {
    TYPE_NAMES
        .into_iter()
        .find_map(|name| members.get(name)?.as_str().map(str::to_owned))
}

fn list<T: AsRef<str>>(items: &[T]) -> String {
    if items.is_empty() {
        return absent();
    }
    let all: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    all.join(", ")
}
