//! Formats the findings of a hive check, as text for people and as JSON.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::{Diagnostic, number_of},
    format::regf::{Finding, Hive, Severity, State},
    registry::notation::one_line,
};

/// The findings about the structure of a hive file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "kbfix hive check, version 1")]
pub struct HiveCheck<'a> {
    /// The version of the format of this document: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_hive_check: u32,
    /// The path of the hive file.
    pub file: &'a str,
    /// The minor version of the hive's format; null if the file is not a hive or cannot be read.
    pub minor_version: Option<u32>,
    /// The size of the base block and all hive bins, in bytes; null if the file is not a hive or cannot be read.
    pub bytes: Option<usize>,
    /// Whether the file was written completely; null if the file is not a hive or cannot be read.
    pub state: Option<FileState>,
    /// The changes that were recovered from the hive's logs, or the reason why nothing was recovered; null if no
    /// recovery was needed.
    pub logs: Option<String>,
    /// The findings, sorted by offset, at most 20,000 with the same code. If there are more, a finding at offset 0
    /// contains the number of the others.
    pub findings: Vec<Found<'a>>,
    /// Errors that say why the file could not be checked.
    pub diagnostics: Vec<Diagnostic>,
}

/// Whether a hive file was written completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// The file was written completely.
    Clean,
    /// The file was not written completely, but its logs completed it in memory.
    Recovered,
    /// The file was not written completely, and no log can complete it.
    Dirty,
}

/// One place where the hive deviates from the format.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Found<'a> {
    /// The stable code of the finding, in kebab-case.
    pub code: &'static str,
    /// Whether the finding is an error, or a harmless deviation (an oddity).
    pub severity: Severity,
    /// The offset of the deviation in the file, in bytes.
    pub offset: u64,
    /// A description of the deviation, as a sentence.
    pub message: &'a str,
}

impl<'a> HiveCheck<'a> {
    /// Returns the document about a hive that was checked.
    pub fn new(file: &'a str, hive: &Hive, findings: &'a [Finding]) -> Self {
        let (state, logs) = match hive.state() {
            State::Clean => (FileState::Clean, None),
            State::Recovered(recovery) => (FileState::Recovered, Some(recovery.to_string())),
            State::Dirty { why } => (FileState::Dirty, Some((*why).to_owned())),
        };
        let found = |finding: &'a Finding| Found {
            code: finding.code,
            severity: finding.severity,
            offset: finding.offset,
            message: &finding.message,
        };
        Self {
            minor_version: Some(hive.minor_version()),
            bytes: Some(hive.file_len()),
            state: Some(state),
            logs,
            findings: findings.iter().map(found).collect(),
            ..Self::not_checked(file, Vec::new())
        }
    }

    /// Returns the document about a file that could not be checked.
    pub fn not_checked(file: &'a str, diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            kbfix_hive_check: 1,
            file,
            minor_version: None,
            bytes: None,
            state: None,
            logs: None,
            findings: Vec::new(),
            diagnostics,
        }
    }

    /// Formats the document as JSON.
    pub fn json(&self) -> String {
        crate::render::json(self)
    }

    /// Formats the document as text, with a line for each finding.
    pub fn human(&self) -> String {
        let mut out = String::new();
        let state = match (self.state, &self.logs) {
            (Some(FileState::Recovered), Some(logs)) => format!("completed in memory from {logs}"),
            (Some(FileState::Dirty), Some(why)) => {
                format!("incomplete, and its logs cannot complete it: {why}")
            }
            _ => "complete".to_owned(),
        };
        let file = one_line(self.file);
        let (minor_version, bytes) = (self.minor_version.unwrap_or_default(), self.bytes.unwrap_or_default());
        let _ = writeln!(out, "{file}: a hive of version 1.{minor_version}, {bytes} bytes, {state}");
        for found in &self.findings {
            let word = match found.severity {
                Severity::Oddity => "oddity",
                Severity::Error => "error",
            };
            let _ = writeln!(out, "{:#010x}  {word}: {} ({})", found.offset, one_line(found.message), found.code);
        }
        let errors = self.findings.iter().filter(|found| found.severity == Severity::Error).count();
        let oddities = number_of(self.findings.len() - errors, "oddity");
        let _ = writeln!(out, "{}, {oddities}", number_of(errors, "error"));
        out
    }
}
