//! What a command tells: lines for people, or one JSON document.

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
            Some(document) if self.json => writeln!(out, "{document:#}")?,
            _ => {
                for line in &self.lines {
                    writeln!(out, "{line}")?;
                }
            }
        }
        out.flush()?;
        self.failure
            .map_or(Ok(()), |message| Err(Failure::Failed(message)))
    }
}
