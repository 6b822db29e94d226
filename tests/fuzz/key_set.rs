//! Key sets: whatever is inside, what was read can be written and read again.

use super::{Outcome, check_text};
use serde_json::Value;
use varco::jose::{KeySet, PublicKey};

/// Keys of a set that may be read.
const KEYS_MAX: usize = 32;

/// Reads a key set twice.
pub fn run(input: &Value) -> Outcome {
    let read = match KeySet::from_slice(input.to_string().as_bytes()) {
        Ok(read) => read,
        Err(error) => {
            check_text(&error.to_string(), 10_000)?;
            return Ok("refused".to_owned());
        }
    };
    if read.keys().len() > KEYS_MAX {
        return Err(format!("{} keys were read", read.keys().len()));
    }
    let again = KeySet::from_json(&read.to_json()).map_err(|error| error.to_string())?;
    let names = |set: &KeySet| -> Vec<String> {
        let keys = set.keys().iter();
        keys.map(PublicKey::thumbprint).collect()
    };
    if names(&read) != names(&again) {
        return Err("the keys are others when they are read again".to_owned());
    }
    let usable = if read.keys().is_empty() {
        "none"
    } else {
        "some"
    };
    Ok(format!("accepted, {usable} usable"))
}
