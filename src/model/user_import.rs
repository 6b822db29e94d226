use super::Actor;
use crate::clock::UtcTime;

/// Where an import of people is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// Its file is being read.
    Reading,
    /// Its file was judged; nothing was written, and somebody has to say that it shall be.
    Ready,
    /// It is being applied.
    Running,
    /// Every line that was to be applied is.
    Done,
    /// Somebody stopped it; what was applied before stays.
    Cancelled,
    /// What was kept of its file cannot be opened; what was applied before stays.
    Failed,
}

/// What an import brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    /// People of the identity registry.
    People,
    /// Relying parties.
    Parties,
}

/// An import of people, or of relying parties: of these a line is an entry of the file.
#[derive(Clone, Debug)]
pub struct UserImport {
    /// The key.
    pub id: String,
    /// What it brings.
    pub kind: ImportKind,
    /// Where it is.
    pub state: ImportState,
    /// What the file was called.
    pub name: String,
    /// Who began it; then who let it be applied.
    pub actor: Actor,
    /// Whether lines that are wrong are left out; otherwise there are none.
    pub skips: bool,
    /// Lines that can be applied.
    pub valid_lines: i64,
    /// Lines that cannot.
    pub bad_lines: i64,
    /// What is wrong, JSON.
    pub problems: String,
    /// Lines that were applied.
    pub done_lines: i64,
    /// People who were not known before.
    pub added: i64,
    /// People who were.
    pub updated: i64,
    /// When its file arrived.
    pub created_at: UtcTime,
    /// When it was let be applied.
    pub started_at: Option<UtcTime>,
    /// When it ended.
    pub finished_at: Option<UtcTime>,
    /// When it is forgotten.
    pub expires_at: UtcTime,
}
