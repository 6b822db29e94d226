//! What is wrong with a configuration, all of it at once.

use std::fmt::Write as _;
use std::path::Path;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path of the key, such as `issuer[0].lifetimes.session`, with the environment's name when the value came from there.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What is expected, as a sentence that says what to do.
    pub expected: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}: found {}; expected {}",
            self.key, self.found, self.expected
        )
    }
}

/// Every problem of a configuration; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order of the file, the environment's first.
    pub problems: Vec<Problem>,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        for problem in &self.problems {
            writeln!(text, "  {problem}")?;
        }
        write!(
            f,
            "the configuration has {} problem{}:\n{}`varco config example` prints every key with its default",
            self.problems.len(),
            if self.problems.len() == 1 { "" } else { "s" },
            text
        )
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    pub(super) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        Self::one(
            &file.display().to_string(),
            &error.to_string(),
            "a readable file: `varco config example > varco.toml` makes one, --config names another",
        )
    }

    /// The parser's own message quotes the line, which may hold a secret: only its number and the reason are told.
    pub(super) fn no_toml(text: &str, error: &toml::de::Error) -> Self {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1);
        Self::one(
            &line.map_or_else(|| "the file".to_owned(), |line| format!("line {line}")),
            error.message().trim(),
            "TOML",
        )
    }

    fn one(key: &str, found: &str, expected: &str) -> Self {
        Self {
            problems: vec![Problem {
                key: key.to_owned(),
                found: found.to_owned(),
                expected: expected.to_owned(),
            }],
        }
    }
}

/// Collects problems, and knows which values came from the environment.
#[derive(Debug, Default)]
pub(super) struct Problems {
    list: Vec<Problem>,
    origins: Vec<(String, String)>,
}

impl Problems {
    /// Notes a problem.
    pub(super) fn add(
        &mut self,
        key: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) {
        let key = key.into();
        let shown = match self.origin(&key) {
            Some(name) => format!("{key} (from {name})"),
            None => key,
        };
        self.list.push(Problem {
            key: shown,
            found: found.into(),
            expected: expected.into(),
        });
    }

    /// Notes that the value of `key`, and of everything below it, came from an environment variable.
    pub(super) fn came_from(&mut self, key: String, variable: &str) {
        self.origins.push((key, variable.to_owned()));
    }

    fn origin(&self, key: &str) -> Option<&str> {
        self.origins
            .iter()
            .rev()
            .find(|(path, _)| {
                key.strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
            .map(|(_, name)| name.as_str())
    }

    /// The settings when there were no problems. `settings` is absent only together with a problem.
    pub(super) fn finish<T>(self, settings: Option<T>) -> Result<T, ConfigError> {
        match settings {
            Some(settings) if self.list.is_empty() => Ok(settings),
            _ if self.list.is_empty() => Err(ConfigError::one(
                "(the whole)",
                "an incomplete configuration",
                "every required key",
            )),
            _ => Err(ConfigError {
                problems: self.list,
            }),
        }
    }
}
