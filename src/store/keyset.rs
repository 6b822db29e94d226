//! Pages of lists that may be long. A page begins after the last row of the one before: no list is counted or skipped
//! through, and however far down a page is, it costs what the first one costs.
//!
//! The condition is written `a <= ? AND (a < ? OR id < ?)`, over an index of `(a, id)`: the textbook
//! `a < ? OR (a = ? AND id < ?)` scans the table on both databases. To add a list: a filter and a function `search` beside
//! its table, an index of its order, and its line in `tests/plans.rs`, where a test waits for it.

use super::StoreError;
use crate::clock::UtcTime;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A cursor's text that is longer was not made here.
const MAX_TEXT_BYTES: usize = 8_192;

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T, C = TimeCursor> {
    /// At most as many as were asked for.
    pub rows: Vec<T>,
    /// Where the next page begins; absent after the last one.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// Nothing.
    pub(super) fn empty() -> Self {
        Self {
            rows: Vec::new(),
            next: None,
        }
    }

    /// From rows of which one more was fetched than asked for, to know whether there are others.
    pub(super) fn of<R>(
        mut rows: Vec<R>,
        limit: u32,
        decode: impl Fn(R) -> Result<T, StoreError>,
        cursor: impl FnOnce(&T) -> C,
    ) -> Result<Self, StoreError> {
        let size = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let rows = rows
            .into_iter()
            .map(decode)
            .collect::<Result<Vec<_>, _>>()?;
        let next = rows.last().filter(|_| more).map(cursor);
        Ok(Self { rows, next })
    }
}

/// How many rows a page fetches: see [`Page::of`].
pub(super) fn fetched(limit: u32) -> i64 {
    i64::from(limit).saturating_add(1)
}

/// Where a page ended: its last row's place in the order, and its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor<K> {
    /// What the list is ordered by.
    pub key: K,
    /// The row's key, for rows of the same place.
    pub id: String,
}

/// Of a list that is ordered by time.
pub type TimeCursor = Cursor<UtcTime>;
/// Of a list that is ordered by a text.
pub type TextCursor = Cursor<String>;

/// Of a list that is ordered by a growing number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberCursor(pub i64);

/// A cursor as a text for an address. It says where a page begins and nothing about who may see it: whoever makes one up
/// sees rows of their own list.
pub trait CursorText: Serialize + DeserializeOwned {
    /// URL-safe.
    #[must_use]
    fn to_text(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        data_encoding::BASE64URL_NOPAD.encode(&json)
    }

    /// `None` for what no [`CursorText::to_text`] made: the list begins at its beginning then.
    #[must_use]
    fn from_text(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT_BYTES {
            return None;
        }
        let json = data_encoding::BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()?;
        let json = String::from_utf8(json).ok()?;
        // PostgreSQL has no NUL in text.
        if json.contains("\\u0000") {
            return None;
        }
        serde_json::from_str(&json).ok()
    }
}

impl<T: Serialize + DeserializeOwned> CursorText for T {}

/// The end of the texts that begin so; no character is greater than the last one. A range, since LIKE ignores case in
/// SQLite and walks no index.
pub(super) fn end_of_prefix(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

/// A LIKE pattern, escaped with a backslash, for texts that contain this. A letter beyond ASCII stands for any one: the
/// columns have small letters of ASCII only, and `CITTÀ` is looked for as `città`.
pub(super) fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        match character {
            '%' | '_' | '\\' => pattern.extend(['\\', character]),
            _ if character.is_ascii() => pattern.push(character),
            _ => pattern.push('_'),
        }
    }
    pattern.push('%');
    pattern
}

/// A boxed query's page by a column of time, newest first. A macro, since diesel's boxed types name theirs.
macro_rules! newest_first {
    ($query:expr, $table:ident . $time:ident, $after:expr, $limit:expr) => {{
        let mut query = $query
            .order(($table::$time.desc(), $table::id.desc()))
            .limit($limit);
        if let Some(after) = $after {
            query = query
                .filter($table::$time.le(after.key.0))
                .filter($table::$time.lt(after.key.0).or($table::id.lt(&after.id)));
        }
        query
    }};
}
pub(super) use newest_first;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_from_its_text_and_nothing_else_is_one() {
        let cursor = TimeCursor {
            key: UtcTime(-5),
            id: "è/\"".into(),
        };
        let text = cursor.to_text();
        assert_eq!(TimeCursor::from_text(&text), Some(cursor));
        assert_eq!(TextCursor::from_text(&text), None);
        assert_eq!(
            NumberCursor::from_text(&NumberCursor(7).to_text()),
            Some(NumberCursor(7))
        );
        let with_nul = TextCursor {
            key: "a\0".into(),
            id: String::new(),
        };
        for text in [
            "",
            "é",
            "====",
            "e30",
            &with_nul.to_text(),
            &"A".repeat(9_000),
        ] {
            assert_eq!(TextCursor::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_pattern_takes_what_was_typed_literally() {
        assert_eq!(containing(r"50%_\"), r"%50\%\_\\%");
        assert_eq!(containing("città"), "%citt_%");
    }
}
