//! Hints: messages that tell the user what to do next.
//!
//! The options that a hint names are data, because each caller writes them differently: `--max-changes 5` on a command
//! line, `max_changes: 5` in an Ansible task.

use schemars::JsonSchema;
use serde::Serialize;

/// A text that tells the user what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub(super) text: String,
    pub(super) options: Vec<NamedOption>,
    pub(super) fix: Option<Fix>,
}

/// An option of a command that a hint names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamedOption {
    /// The option's long name, without dashes.
    pub name: &'static str,
    /// The argument of the option; missing if the option takes no argument, or if the hint says to leave out the
    /// option.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A correction that a program can make in the text that a finding concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fix {
    /// Write the text in quotes.
    Quote,
}

impl Hint {
    /// Returns a hint that consists only of text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), options: Vec::new(), fix: None }
    }

    /// Returns the hint that tells the user to write a text in quotes. `quoted` is that text with its quotes.
    pub fn quote(quoted: &str) -> Self {
        Self { fix: Some(Fix::Quote), ..Self::new(format!("write it in quotes: {quoted}")) }
    }

    /// Adds an option that the hint names.
    #[must_use]
    pub fn with(mut self, option: NamedOption) -> Self {
        self.options.push(option);
        self
    }

    /// Adds an option that the hint names, with its argument.
    #[must_use]
    pub fn option(self, name: &'static str, value: impl Into<String>) -> Self {
        self.with(NamedOption { name, value: Some(value.into()) })
    }

    /// Adds an option that the hint names: one that takes no argument, or that the user should leave out.
    #[must_use]
    pub fn bare_option(self, name: &'static str) -> Self {
        self.with(NamedOption { name, value: None })
    }

    /// Returns the hint with `more` added to its text.
    #[must_use]
    pub fn and(mut self, more: &str) -> Self {
        self.text.push_str(more);
        self
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl std::fmt::Display for NamedOption {
    /// Writes the option as it is written on a command line, such as `--out FILE`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Some(value) => write!(f, "--{} {value}", self.name),
            None => write!(f, "--{}", self.name),
        }
    }
}
