//! A parameter with its data in this run.

use crate::spec::document::{Literal, ParameterType};

/// A parameter, and the data that it has in this run.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) kind: ParameterType,
    /// The data that the operator chose, or the default. Without either, an example of allowed data.
    pub(super) current: Literal,
    /// Whether the operator chose the data.
    pub(super) is_set: bool,
    /// Whether the data is sensitive.
    pub(super) is_sensitive: bool,
    /// A hint for the operator, if the parameter has no default and the operator chose nothing.
    pub(super) unset: Option<String>,
    /// The other data that the parameter allows; for a range, its two ends.
    pub(super) others: Vec<Literal>,
}

impl Resolved {
    /// Returns the current data, and other data that is possible.
    pub(super) fn possible(&self) -> (Literal, Vec<Literal>) {
        (self.current.clone(), self.others.clone())
    }

    /// Returns the current data as a string.
    pub(super) fn text(&self) -> String {
        match &self.current {
            Literal::Number(number) => number.to_string(),
            Literal::Text(text) => text.clone(),
            Literal::List(list) => list.join(","),
        }
    }

    /// Returns whether the parameter can be part of a key's name.
    pub(super) fn is_text_or_number(&self) -> bool {
        self.kind != ParameterType::List
    }
}
