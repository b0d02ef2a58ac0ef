//! A parameter with its data in this run.

use crate::spec::document::{Literal, ParameterType};

/// A parameter with its data in this run.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) kind: ParameterType,
    /// The operator's choice, or the default. Without either, an example of allowed data.
    pub(super) current: Literal,
    /// Whether the operator chose the data.
    pub(super) is_set: bool,
    /// Whether the data is shown to nobody.
    pub(super) is_sensitive: bool,
    /// A hint for the operator, if the parameter has neither a choice nor a default.
    pub(super) unset: Option<String>,
    /// All allowed data, or the ends of the range.
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
