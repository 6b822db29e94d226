//! What a command tells: lines for people, or one JSON document.
//!
//! Much of it was written by others, and a terminal obeys control characters: none of them leaves this file.

use super::Failure;
use serde_json::Value;
use std::io::Write;

/// Collects what is told until the command is done.
pub(super) struct Output {
    /// `--json`.
    pub(super) json: bool,
    lines: Vec<String>,
    document: Option<Value>,
    failure: Option<String>,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            lines: Vec::new(),
            document: None,
            failure: None,
        }
    }

    /// A line (or several) for people.
    pub(super) fn text(&mut self, text: &str) {
        self.lines.push(text.to_owned());
    }

    /// The document for programs.
    pub(super) fn json(&mut self, document: Value) {
        self.document = Some(document);
    }

    /// The command failed although it has something to tell.
    pub(super) fn failed(&mut self, message: String) {
        self.failure = Some(message);
    }

    /// A table with aligned columns.
    pub(super) fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) {
        let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
        let mut widths = vec![0; heads.len()];
        for row in std::iter::once(&heads).chain(rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        for row in std::iter::once(&heads).chain(rows) {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            self.lines.push(cells.join("  ").trim_end().to_owned());
        }
    }

    /// Writes it.
    pub(super) fn finish(self, out: &mut dyn Write) -> Result<(), Failure> {
        match self.document {
            Some(document) if self.json => {
                let json = harmless(&format!("{document:#}"), |letter| {
                    // Such a letter can only be inside a string (RFC 8259 §7).
                    format!("\\u{:04x}", u32::from(letter))
                });
                writeln!(out, "{json}")?;
            }
            _ => {
                for line in &self.lines {
                    let line = harmless(line, |_| char::REPLACEMENT_CHARACTER.to_string());
                    writeln!(out, "{line}")?;
                }
            }
        }
        out.flush()?;
        self.failure
            .map_or(Ok(()), |message| Err(Failure::Failed(message)))
    }
}

/// One line of what others wrote, at most 2,000 characters of it: a line break must not begin a line of ours.
pub(super) fn one_line(text: &str) -> String {
    let visible = |letter: char| match letter {
        '\n' => char::REPLACEMENT_CHARACTER,
        letter => letter,
    };
    text.chars().take(2000).map(visible).collect()
}

/// The text with the letters replaced that move a terminal's cursor or change the order of what is read.
fn harmless(text: &str, replaced: impl Fn(char) -> String) -> String {
    let acts = |letter: char| {
        let reorders = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        letter.is_control() && letter != '\n' || reorders
    };
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match acts(letter) {
            true => written.push_str(&replaced(letter)),
            false => written.push(letter),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_wrote_cannot_drive_the_terminal() {
        let hostile = "a\u{1b}[2J\u{7f}\u{9b}31m\u{202e}b";
        for as_json in [false, true] {
            let mut output = Output::new(as_json);
            output.text(hostile);
            output.table(&[hostile], &[vec![hostile.to_owned()]]);
            let document = json!({ hostile: [hostile] });
            output.json(document.clone());
            let mut written = Vec::new();
            output.finish(&mut written).unwrap();
            let written = String::from_utf8(written).unwrap();
            let acts = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!written.contains(acts), "{written:?}");
            if as_json {
                assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), document);
            }
        }
        assert_eq!(one_line("a\nACCEPTED").lines().count(), 1);
    }
}
