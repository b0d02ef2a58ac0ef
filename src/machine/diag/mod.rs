//! Diagnostics: errors and warnings for the user, each with a stable code, and often a place in a file and a hint.
//!
//! A diagnostic is data; `kbfix::render` prints it. An operation that cannot continue returns an error of its own type;
//! an error about a file is also reported as a diagnostic, so that every message has the same parts.

mod codes;
mod exit;
mod hint;
pub mod text;

use schemars::JsonSchema;
use serde::Serialize;

pub use codes::{CODES, Code};
pub use exit::Exit;
pub use hint::{Fix, Hint, NamedOption};

/// Returns a count with its noun: `1 key`, `2 keys`, `0 oddities`.
pub fn number_of(n: usize, what: &str) -> String {
    match (n, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        // A `y` after a vowel stays, as in `keys`.
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{n} {stem}ies"),
        _ => format!("{n} {what}s"),
    }
}

/// An error or a warning for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostic {
    /// The stable code, in kebab-case. `docs/reference/diagnostics.md` explains each code.
    pub code: Code,
    /// Whether the diagnostic prevents the operation or a part of it.
    pub severity: Severity,
    /// The message: what is wrong, what was expected and what was found.
    pub message: String,
    /// The place in the file; `None` if the message does not concern a place in a text file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The text that tells the user what to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The options that the hint names. The text of the hint does not contain them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<NamedOption>,
    /// The correction that the hint describes, if a program can make it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Fix>,
}

/// Whether a diagnostic prevents the operation or a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The operation continues.
    Warning,
    /// The operation, or a part of it, cannot be done.
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
    /// The number of characters that the finding covers; at least 1.
    pub length: usize,
    /// The text of the line, without its line break. Empty if the line is long or contains sensitive data.
    pub source: String,
}

impl Diagnostic {
    /// Returns an error without a place or hint.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            place: None,
            hint: None,
            options: Vec::new(),
            fix: None,
        }
    }

    /// Returns a warning without a place or hint.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Sets the place in a text file that the diagnostic is about.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Sets the hint, which tells the user what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.set_hint(hint);
        self
    }

    /// Replaces the hint, with its options and its correction.
    pub fn set_hint(&mut self, hint: impl Into<Hint>) {
        let Hint { text, options, fix } = hint.into();
        (self.hint, self.options, self.fix) = (Some(text), options, fix);
    }

    /// Returns the text of the hint. If the hint names options, they follow in parentheses, as they are written on a
    /// command line. Returns `None` if there is no hint.
    pub fn advice(&self) -> Option<String> {
        let options: Vec<_> = self.options.iter().map(ToString::to_string).collect();
        let hint = self.hint.as_ref()?;
        Some(if options.is_empty() { hint.clone() } else { format!("{hint} ({})", options.join(" ")) })
    }
}
