//! What an RP may choose from.

use crate::oauth::discovery;
use crate::provider::Provider;
use serde_json::{Map, Value};

/// The issuer's `…_supported` lists, as it publishes them: what is registered is what is advertised.
#[derive(Debug)]
pub(super) struct Offer {
    metadata: Map<String, Value>,
}

impl Offer {
    pub(super) fn of(op: &Provider) -> Self {
        Self {
            metadata: discovery::openid_provider(op),
        }
    }

    /// The values of a list, best first; empty: nothing of that kind is offered.
    pub(super) fn values(&self, list: &str) -> Vec<&str> {
        let values = self.metadata.get(list).and_then(Value::as_array);
        let values = values.map(Vec::as_slice).unwrap_or_default();
        values.iter().filter_map(Value::as_str).collect()
    }

    /// Leaves of every list what the same list of `other` has too: the federation's policies, as the RP sees them, may
    /// allow less than the issuer has.
    pub(super) fn narrow(&mut self, other: &Map<String, Value>) {
        for (name, value) in &mut self.metadata {
            let (Value::Array(own), Some(Value::Array(others))) = (value, other.get(name)) else {
                continue;
            };
            own.retain(|item| others.contains(item));
        }
    }
}
