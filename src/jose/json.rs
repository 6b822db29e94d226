//! JSON from outside, bounded before it is understood.

use super::JoseError;
use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

/// Levels of nesting that any document of the protocol needs at most.
pub const MAX_DEPTH: usize = 32;

/// Parses JSON that nobody has vouched for: refuses more than `max_bytes`, nesting deeper than `max_depth` (counted
/// before any recursive parser runs), and an object with two members of one name at any level (RFC 7515 §4, RFC 8725 §2.4:
/// two parsers would read two documents).
///
/// # Errors
/// `TooLarge`, `TooDeep`, `DuplicateMember`; `MalformedJson` when it is not JSON or no `T`.
pub fn parse_bounded<T: DeserializeOwned>(
    bytes: &[u8],
    max_bytes: usize,
    max_depth: usize,
) -> Result<T, JoseError> {
    check_bounds(bytes, max_bytes, max_depth)?;
    serde_json::from_slice(bytes).map_err(malformed)
}

fn check_bounds(bytes: &[u8], max_bytes: usize, max_depth: usize) -> Result<(), JoseError> {
    if bytes.len() > max_bytes {
        return Err(JoseError::TooLarge {
            limit: max_bytes,
            found: bytes.len(),
        });
    }
    check_depth(bytes, max_depth)?;
    check_members(bytes)
}

fn malformed(error: serde_json::Error) -> JoseError {
    JoseError::MalformedJson(error.to_string())
}

/// Counts brackets outside strings. What is not JSON may be counted wrongly; the parser refuses it afterwards.
fn check_depth(bytes: &[u8], max_depth: usize) -> Result<(), JoseError> {
    let mut depth: usize = 0;
    let mut in_string = false;
    let mut escaped = false;
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (true, b'"') => in_string = false,
            (true, _) => {}
            (false, b'"') => in_string = true,
            (false, b'{' | b'[') => {
                depth = depth.saturating_add(1);
                if depth > max_depth {
                    return Err(JoseError::TooDeep { limit: max_depth });
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            (false, _) => {}
        }
    }
    Ok(())
}

fn check_members(bytes: &[u8]) -> Result<(), JoseError> {
    let duplicate = RefCell::new(None);
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let outcome = Members(&duplicate)
        .deserialize(&mut parser)
        .and_then(|()| parser.end());
    match (duplicate.take(), outcome) {
        (Some(name), _) => Err(JoseError::DuplicateMember(name)),
        (None, outcome) => outcome.map_err(malformed),
    }
}

/// Walks a document, keeps nothing, and notes the first duplicate member's name.
#[derive(Clone, Copy)]
struct Members<'a>(&'a RefCell<Option<String>>);

#[derive(PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        while values.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<Name<'de>>()? {
            if let Some(Name(name)) = names.replace(name) {
                self.0.replace(Some(name.into_owned()));
                return Err(de::Error::custom("duplicate member"));
            }
            members.next_value_seed(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parse(text: &str) -> Result<Value, JoseError> {
        parse_bounded(text.as_bytes(), 1000, 4)
    }

    #[test]
    fn ordinary_json_is_parsed() {
        let text = r#"{"a":[1,-2,0.5,1e300,true,null,"[[[[[[ \" {{{{{"],"b":{"a":{"a":18446744073709551615}}}"#;
        assert_eq!(parse(text).unwrap()["b"]["a"]["a"], json!(u64::MAX));
    }

    #[test]
    fn two_members_of_one_name_are_refused_at_any_level_and_in_any_spelling() {
        for text in [
            r#"{"alg":1,"alg":1}"#,
            r#"{"x":[{"y":{"alg":1,"b":2,"alg":3}}]}"#,
            r#"{"alg":1,"\u0061lg":1}"#,
        ] {
            assert_eq!(
                parse(text),
                Err(JoseError::DuplicateMember("alg".into())),
                "{text}"
            );
        }
    }

    #[test]
    fn deep_nesting_is_refused_before_any_recursion() {
        assert!(parse("[[[[1]]]]").is_ok());
        assert_eq!(parse("[[[[[1]]]]]"), Err(JoseError::TooDeep { limit: 4 }));
        let deep = "[".repeat(5_000_000);
        assert_eq!(
            parse_bounded::<Value>(deep.as_bytes(), usize::MAX, MAX_DEPTH),
            Err(JoseError::TooDeep { limit: MAX_DEPTH })
        );
        assert_eq!(
            parse_bounded::<Value>(r#"{"a":"#.repeat(40).as_bytes(), usize::MAX, MAX_DEPTH),
            Err(JoseError::TooDeep { limit: MAX_DEPTH })
        );
    }

    #[test]
    fn oversize_and_malformed_documents_are_refused() {
        assert_eq!(
            parse_bounded::<Value>(b"[1,2,3]", 6, 4),
            Err(JoseError::TooLarge { limit: 6, found: 7 })
        );
        for text in [
            "",
            "{",
            "[1] 2",
            "{\"a\":}",
            "\u{feff}{}",
            "nul",
            r#""\ud800""#,
            "1e999",
            "]",
        ] {
            assert!(
                matches!(parse(text), Err(JoseError::MalformedJson(_))),
                "{text}"
            );
        }
        assert!(parse_bounded::<Value>(b"\"\xff\"", 10, 4).is_err());
        assert!(parse_bounded::<u8>(b"256", 10, 4).is_err());
    }
}
