//! Diagnostics: findings about what the user gave, each with a stable code, a place and a way on.
//!
//! A diagnostic is data; [`crate::render`] prints it. An operation that cannot go on returns an error instead; where that
//! error is about a file, it is reported as a diagnostic too, so that every message has the same parts.

mod codes;
pub mod text;

use schemars::JsonSchema;
use serde::Serialize;

pub use codes::{CODES, Code};

/// A number of things: `1 key`, `2 keys`, `0 oddities`.
pub fn number_of(n: usize, what: &str) -> String {
    match (n, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        // `key` takes an s, as each word that has a vowel there.
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{n} {stem}ies"),
        _ => format!("{n} {what}s"),
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostic {
    /// The stable code, in kebab-case; `docs/reference/diagnostics.md` explains each.
    pub code: Code,
    /// Whether it stops the operation.
    pub severity: Severity,
    /// What is wrong: expected and found.
    pub message: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Whether a finding stops the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It goes on.
    Warning,
    /// It stops.
    Error,
}

/// A place in a text file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// The file's path as given; `-` for standard input.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters of the line are meant; at least 1.
    pub length: usize,
    /// The text of the line, without its line break.
    pub source: String,
}

impl Diagnostic {
    /// An error without place and hint.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), place: None, hint: None }
    }

    /// A warning without place and hint.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// With its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
