//! What a file changed about people who were known: as if it had been changed one by one. Their sessions end, they are told,
//! and the trail names each of them.

use crate::accounts::import::Changed;
use crate::administration::office::Office;
use crate::administration::users::{self, differences, end_sessions, only};
use crate::clock::UtcTime;
use crate::model::{Actor, Deed};
use crate::store::{DbConn, StoreError};
use serde_json::{Map, Value, json};

/// What the trail says of a secret.
const CHANGED: &str = "changed";

/// Does all that, for those about whom something is different, in the transaction that wrote them.
///
/// # Errors
/// The database's.
pub(super) fn tell_all(
    tx: &mut DbConn,
    (actor, office): (&Actor, &Office),
    (import, known): (&str, &[Changed]),
    now: UtcTime,
) -> Result<(), StoreError> {
    for one in known {
        tell(tx, (actor, office), (import, one), now)?;
    }
    Ok(())
}

fn tell(
    tx: &mut DbConn,
    (actor, office): (&Actor, &Office),
    (import, changed): (&str, &Changed),
    now: UtcTime,
) -> Result<(), StoreError> {
    let (before, after) = (&changed.before, &changed.after);
    let (mut was, mut is) = (Map::new(), Map::new());
    let other_password = before.password_hash != after.password_hash;
    if other_password {
        let had_one = before.password_hash.is_some();
        was.insert("password".to_owned(), Value::Bool(had_one));
        is.insert("password".to_owned(), json!(CHANGED));
    }
    if changed.factor_given {
        is.insert("totp_secret".to_owned(), json!(CHANGED));
    }
    if before.enabled != after.enabled {
        was.insert("enabled".to_owned(), Value::Bool(before.enabled));
        is.insert("enabled".to_owned(), Value::Bool(after.enabled));
    }
    let names = differences(&before.attributes, &after.attributes);
    if !names.is_empty() {
        was.insert("attributes".to_owned(), only(&before.attributes, &names));
        is.insert("attributes".to_owned(), only(&after.attributes, &names));
    }
    if is.is_empty() {
        return Ok(());
    }
    if other_password || (before.enabled && !after.enabled) {
        let ended = end_sessions(tx, &after.id, None, now)?;
        is.insert("sessions_ended".to_owned(), json!(ended));
    }
    is.insert("import".to_owned(), json!(import));
    let deed = Deed {
        action: "user.import",
        subject: users::subject(&after.id),
        before: Some(Value::Object(was)),
        after: Some(Value::Object(is)),
    };
    crate::administration::record(tx, actor, &deed, now)?;
    office.tell(tx, (before, after, changed.factor_given), now)
}
