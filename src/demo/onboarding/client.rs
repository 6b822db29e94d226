//! The other terminal: gives an order to the demonstration that runs with a data folder.

use super::{FILE, Onboarding, Order};
use crate::demo::{DemoError, HttpClient};
use serde_json::Value;
use std::path::Path;

/// Why there is no answer. `Display` says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// No demonstration ever ran with this folder.
    #[error(
        "{folder}: no demonstration has run with this data folder; start it in another terminal with \
         `varco demo --data {folder}`, or name its folder with --data"
    )]
    NeverRan {
        /// The data folder.
        folder: String,
    },
    /// The file that a running demonstration writes is damaged.
    #[error("{file}: {reason}; start the demonstration again, it writes the file anew")]
    File {
        /// Which.
        file: String,
        /// Why.
        reason: String,
    },
    /// Nobody listens.
    #[error(
        "the demonstration of {folder} does not answer at {address} ({reason}); start it in another terminal with \
         `varco demo --data {folder}`"
    )]
    NotRunning {
        /// The data folder.
        folder: String,
        /// Where it ran.
        address: String,
        /// Why there is no connection.
        reason: String,
    },
    /// Somebody else listens at the address, or the demonstration was started with another folder.
    #[error(
        "what runs at {address} is not the demonstration of {folder}; name the folder that it was started with: --data DIR"
    )]
    OtherFolder {
        /// The data folder.
        folder: String,
        /// What was asked.
        address: String,
    },
    /// The demonstration refuses; its words.
    #[error("{0}")]
    Refused(String),
    /// The HTTP client cannot be made.
    #[error("{0}")]
    Client(DemoError),
}

/// Gives an order; the answer is what the order's kind answers (a [`super::Joined`], a list of [`super::Member`]s).
///
/// # Errors
/// What happened, and what to do.
pub async fn order(folder: &Path, order: &Order) -> Result<Value, NoAnswer> {
    let shown = || folder.display().to_string();
    let path = folder.join(FILE);
    let file = |reason: String| NoAnswer::File {
        file: path.display().to_string(),
        reason,
    };
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(NoAnswer::NeverRan { folder: shown() });
        }
        Err(error) => return Err(file(error.to_string())),
    };
    let Onboarding { address, token } =
        serde_json::from_slice(&text).map_err(|error| file(error.to_string()))?;
    let client = HttpClient::new().map_err(NoAnswer::Client)?;
    let order = serde_json::to_value(order).map_err(|error| file(error.to_string()))?;
    let answer = client
        .order(&format!("{address}/ta/members"), &token, &order)
        .await
        .map_err(|error| NoAnswer::NotRunning {
            folder: shown(),
            address: address.clone(),
            reason: error.to_string(),
        })?;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = body.get("error_description").and_then(Value::as_str);
    match (answer.status, said) {
        (200, _) => Ok(body),
        (400, Some(said)) => Err(NoAnswer::Refused(said.to_owned())),
        _ => Err(NoAnswer::OtherFolder {
            folder: shown(),
            address,
        }),
    }
}
