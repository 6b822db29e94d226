//! What the registry says of somebody, changed by operators.

use super::{UserError, custom_attributes, tell};
use crate::accounts::import;
use crate::administration::office::Office;
use crate::clock::UtcTime;
use crate::config::ServerSettings;
use crate::model::{Account, AccountId, Actor};
use crate::store::{DbConn, account};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const EMAIL: &str = "email";
const EMAIL_VERIFIED: &str = "email_verified";

/// Attributes by their canonical names.
///
/// # Errors
/// `Wrong`, with every fault.
pub fn check_attributes(
    settings: &ServerSettings,
    claims: &Map<String, Value>,
) -> Result<Map<String, Value>, UserError> {
    let mut faults = Vec::new();
    let custom = custom_attributes(settings);
    let attributes = import::read_attributes(claims, &custom, &mut faults);
    if faults.is_empty() {
        Ok(attributes)
    } else {
        Err(UserError::Wrong(faults))
    }
}

/// Says what attributes are, so that two operators do not undo each other's changes.
#[must_use]
pub fn version(attributes: &Map<String, Value>) -> String {
    let text = Value::Object(attributes.clone()).to_string();
    BASE64URL_NOPAD.encode(&crate::secret::sha256(text.as_bytes()))
}

/// Other attributes for somebody.
#[derive(Clone, Debug)]
pub struct Edit {
    /// All of them, as [`check_attributes`] returns them.
    pub new: Map<String, Value>,
    /// What they were when they were looked at ([`version`]); absent: whatever they were.
    pub version: Option<String>,
    /// Whether somebody said now that the address is the person's. Otherwise another address is not verified because the
    /// earlier one was.
    pub vouches: bool,
}

/// What an [`Edit`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// The names of what is different, by name.
    pub changed: Vec<String>,
    /// The address is another one, and therefore not verified any more.
    pub unverified: bool,
}

/// Changes attributes; the trail keeps those that changed, and the person is told of those that logins hang on.
///
/// # Errors
/// `Unknown`, `ChangedMeanwhile`.
pub fn edit(
    conn: &mut DbConn,
    (actor, office): (&Actor, &Office),
    (id, wanted): (&AccountId, &Edit),
    now: UtcTime,
) -> Result<Edited, UserError> {
    let before = account::find(conn, id)?.ok_or(UserError::Unknown)?;
    let mut new = wanted.new.clone();
    let unverified = !wanted.vouches && is_vouched_for_another(&before.attributes, &new);
    if unverified {
        new.insert(EMAIL_VERIFIED.to_owned(), Value::Bool(false));
    }
    let changed = differences(&before.attributes, &new);
    if (wanted.version.as_ref()).is_some_and(|seen| *seen != version(&before.attributes)) {
        return Err(UserError::ChangedMeanwhile(changed));
    }
    if changed.is_empty() {
        return Ok(Edited::default());
    }
    let told = (
        Some(only(&before.attributes, &changed)),
        Some(only(&new, &changed)),
    );
    let after = Account {
        attributes: new,
        updated_at: now,
        ..before.clone()
    };
    account::update(conn, &after)?;
    tell(conn, actor, ("user.attributes", id), told, now)?;
    office.tell(conn, (&before, &after, false), now)?;
    Ok(Edited {
        changed,
        unverified,
    })
}

/// Whether an address would be verified only because the one before it was.
fn is_vouched_for_another(before: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    let is_verified = |of: &Map<String, Value>| of.get(EMAIL_VERIFIED) == Some(&json!(true));
    before.get(EMAIL) != new.get(EMAIL) && is_verified(before) && is_verified(new)
}

/// Those of these names.
pub(in crate::administration) fn only(of: &Map<String, Value>, names: &[String]) -> Value {
    let kept = of.iter().filter(|(name, _)| names.contains(name));
    Value::Object(
        kept.map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    )
}

/// The names of attributes that are different, by name.
#[must_use]
pub fn differences(one: &Map<String, Value>, other: &Map<String, Value>) -> Vec<String> {
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    names
        .into_iter()
        .filter(|name| one.get(*name) != other.get(*name))
        .cloned()
        .collect()
}
