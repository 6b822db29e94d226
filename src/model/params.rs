//! Request parameters: query, form and request object alike.

use std::collections::BTreeMap;

/// At most so many parameters are read from one request.
const MAX_PARAMETERS: usize = 64;
/// So many characters of a parameter's name are said in an error.
const MAX_SHOWN: usize = 60;

/// Why parameters could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// RFC 6749 §3.1: a parameter must not be included more than once.
    #[error("parameter {} is repeated", shown(.0))]
    Repeated(String),
    /// More parameters than any request of ours has.
    #[error("too many parameters")]
    TooMany,
    /// The percent-decoded bytes are no UTF-8.
    #[error("parameters are not UTF-8")]
    NotUtf8,
}

/// Parameters by name; every name once; values are text until a request type parses them.
///
/// Empty values count as absent (RFC 6749 §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text: a query string or a form body.
    ///
    /// # Errors
    /// A repeated parameter, more than 64 of them, or bytes that are no UTF-8.
    pub fn parse(encoded: &[u8]) -> Result<Self, ParamError> {
        let mut map = BTreeMap::new();
        for (name, value) in Self::pairs(encoded)? {
            if map.insert(name.clone(), value).is_some() {
                return Err(ParamError::Repeated(name));
            }
        }
        Ok(Self(map))
    }

    /// The pairs as they came, repetitions included.
    ///
    /// # Errors
    /// More than 64 parameters, or bytes that are no UTF-8.
    pub fn pairs(encoded: &[u8]) -> Result<Vec<(String, String)>, ParamError> {
        let mut pairs = Vec::new();
        for pair in encoded
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            if pairs.len() >= MAX_PARAMETERS {
                return Err(ParamError::TooMany);
            }
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            pairs.push((name, value));
        }
        Ok(pairs)
    }

    /// The value of `name`, unless absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All pairs, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Params {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }
}

/// A name that a stranger chose, fit for an `error_description` (RFC 6749 §5.2) and short.
fn shown(name: &str) -> String {
    name.chars()
        .filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\'' | '\\'))
        .take(MAX_SHOWN)
        .collect()
}

fn decode(encoded: &[u8]) -> Result<String, ParamError> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let digits = bytes.as_slice();
                let value = digits.first().zip(digits.get(1)).and_then(|(high, low)| {
                    let text = [*high, *low];
                    u8::from_str_radix(std::str::from_utf8(&text).ok()?, 16).ok()
                });
                match value {
                    Some(value) => {
                        out.push(value);
                        bytes.nth(1);
                    }
                    None => out.push(b'%'),
                }
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).map_err(|_| ParamError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_refused_by_name() {
        assert_eq!(
            Params::parse(b"state=a&scope=openid&state=b"),
            Err(ParamError::Repeated("state".into()))
        );
    }

    #[test]
    fn the_name_of_a_repeated_parameter_is_short_printable_ascii_without_quotes() {
        let name = format!("a%22b%27c%5Cd%0D%0A%C3%A8{}", "x".repeat(100));
        let error = Params::parse(format!("{name}=1&{name}=2").as_bytes()).unwrap_err();
        let expected = format!("parameter abcd{} is repeated", "x".repeat(56));
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_empty_value_counts_as_absent_and_escapes_are_decoded() {
        let params = Params::parse(b"a=&b=x+y%2Fz&c=%zz&d").unwrap();
        assert_eq!(params.get("a"), None);
        assert_eq!(params.get("b"), Some("x y/z"));
        assert_eq!(params.get("c"), Some("%zz"));
        assert_eq!(params.get("d"), None);
    }

    #[test]
    fn bytes_that_are_no_utf8_and_floods_are_refused() {
        assert_eq!(Params::parse(b"a=%ff"), Err(ParamError::NotUtf8));
        let flood: Vec<String> = (0..65).map(|n| format!("p{n}=1")).collect();
        assert_eq!(
            Params::parse(flood.join("&").as_bytes()),
            Err(ParamError::TooMany)
        );
    }
}
