//! What the check of a hive file found, for people and as a document.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::{Diagnostic, number_of},
    format::regf::{Finding, Hive, Severity, State},
    registry::notation::one_line,
};

/// What was found in a hive file.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "kbfix hive check, version 1")]
pub struct HiveCheck<'a> {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_hive_check: u32,
    /// The file.
    pub file: &'a str,
    /// The minor version of the hive's format.
    pub minor_version: Option<u32>,
    /// The size of its base block and hive bins.
    pub bytes: Option<usize>,
    /// Whether the file was written completely; as the two above, none where it is no hive or cannot be read.
    pub state: Option<FileState>,
    /// What was recovered from the logs, or why nothing was.
    pub logs: Option<String>,
    /// In the order of their offsets.
    pub findings: Vec<Found<'a>>,
    /// Why it was not checked.
    pub diagnostics: Vec<Diagnostic>,
}

/// Whether a hive file was written completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It was.
    Clean,
    /// It was not; its logs completed it, in memory.
    Recovered,
    /// It was not, and no log completes it.
    Dirty,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Found<'a> {
    /// What kind of finding it is, in kebab case.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is in the file.
    pub offset: u64,
    /// What is wrong.
    pub message: &'a str,
}

impl<'a> HiveCheck<'a> {
    /// The findings of a hive.
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

    /// Of a file that could not be checked.
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

    /// As JSON.
    pub fn json(&self) -> String {
        crate::render::json(self)
    }

    /// A line for each finding.
    pub fn human(&self) -> String {
        let mut out = String::new();
        let state = match (self.state, &self.logs) {
            (Some(FileState::Recovered), Some(logs)) => format!("completed in memory by {logs}"),
            (Some(FileState::Dirty), Some(why)) => {
                format!("incomplete, and its logs do not complete it: {why}")
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
