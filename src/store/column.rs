//! From columns to values and back. What cannot be understood is [`StoreError::Corrupt`], never a guess.

use super::StoreError;
use crate::jose::RingName;
use crate::model::{CodeState, MailState, TokenKind, TokenState};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An enum kept as text.
pub(super) trait TextEnum: Copy + 'static {
    /// Every value with its text.
    const TEXTS: &'static [(Self, &'static str)];
    /// The text of this value; the match is exhaustive.
    fn as_text(self) -> &'static str;
}

/// Implements [`TextEnum`]: a new variant without a text does not compile.
macro_rules! text_enum {
    ($type:ty { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl $crate::store::column::TextEnum for $type {
            const TEXTS: &'static [(Self, &'static str)] = &[$((Self::$variant, $text)),+];

            fn as_text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }
    };
}
pub(super) use text_enum;

text_enum!(CodeState { Issued => "issued", Redeemed => "redeemed" });
text_enum!(TokenKind { Access => "access", Refresh => "refresh" });
text_enum!(TokenState { Live => "live", Rotated => "rotated", Revoked => "revoked" });
text_enum!(MailState { Queued => "queued", Sent => "sent", Failed => "failed" });
text_enum!(RingName { Protocol => "protocol", Federation => "federation" });

/// Which row is being read: for the error when it cannot be understood.
pub(super) struct Row<'a> {
    pub(super) table: &'static str,
    pub(super) key: &'a str,
}

impl Row<'_> {
    pub(super) fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt {
            table: self.table,
            column,
            key: self.key.to_owned(),
        }
    }

    pub(super) fn text_enum<T: TextEnum>(
        &self,
        column: &'static str,
        text: &str,
    ) -> Result<T, StoreError> {
        T::TEXTS
            .iter()
            .find(|(_, known)| *known == text)
            .map(|(value, _)| *value)
            .ok_or_else(|| self.corrupt(column))
    }

    pub(super) fn json<T: DeserializeOwned>(
        &self,
        column: &'static str,
        text: &str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|_| self.corrupt(column))
    }

    pub(super) fn sha256(
        &self,
        column: &'static str,
        bytes: &[u8],
    ) -> Result<[u8; 32], StoreError> {
        bytes.try_into().map_err(|_| self.corrupt(column))
    }
}

/// JSON text of a value. Our types have no maps with other keys than text, so serde_json has nothing to refuse.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| {
        StoreError::Query(diesel::result::Error::SerializationError(Box::new(error)))
    })
}

/// Text for a column that only people read. PostgreSQL has no NUL in text, and refuses the statement.
pub(super) fn free_text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Whether a key that came from outside can be in the database at all: PostgreSQL has no NUL in text, and an error for
/// it would look like an outage.
pub(super) fn can_be_stored(key: &str) -> bool {
    !key.contains('\0')
}

/// SHA-256 over several texts; the lengths keep (`ab`, `c`) and (`a`, `bc`) apart.
pub(super) fn hash_of(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(part.len().to_string().as_bytes());
        bytes.push(b':');
        bytes.extend_from_slice(part.as_bytes());
    }
    crate::secret::sha256(&bytes).to_vec()
}

/// A key of bytes, for an error message.
pub(super) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
