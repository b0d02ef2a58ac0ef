//! A parameter of a spec, with the data that it has in this run.

use crate::spec::document::{Literal, ParameterType};

/// A parameter, and the data that it has in this run.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) kind: ParameterType,
    /// The data of the parameter in this run: the operator's setting, otherwise the default, otherwise an example of
    /// allowed data.
    pub(super) current: Literal,
    /// Whether the operator set the parameter.
    pub(super) is_set: bool,
    /// Whether the data of the parameter is sensitive.
    pub(super) is_sensitive: bool,
    /// If the operator did not set the parameter and it has no default: a hint that says what the operator can set.
    /// Otherwise `None`.
    pub(super) unset: Option<String>,
    /// The data in the parameter's `allowed`, or the two ends of its `range`; empty if it has neither.
    pub(super) others: Vec<Literal>,
    /// Whether `others` is a list of all data that the parameter allows.
    pub(super) is_list_of_all: bool,
}

impl Resolved {
    /// Returns the data in this run, and the data that the parameter could have in other runs.
    pub(super) fn possible(&self) -> (Literal, Vec<Literal>) {
        (self.current.clone(), self.others.clone())
    }

    /// Returns the range of the parameter; `None` if it has none.
    pub(super) fn range(&self) -> Option<(u64, u64)> {
        match self.others.as_slice() {
            [Literal::Number(least), Literal::Number(most)] if !self.is_list_of_all => Some((*least, *most)),
            _ => None,
        }
    }

    /// Returns the data in this run as a string. The items of a list are separated by commas.
    pub(super) fn text(&self) -> String {
        match &self.current {
            Literal::Number(number) => number.to_string(),
            Literal::Text(text) => text.clone(),
            Literal::List(list) => list.join(","),
        }
    }

    /// Returns whether the parameter can be a part of a key's name: it must not be a list.
    pub(super) fn is_text_or_number(&self) -> bool {
        self.kind != ParameterType::List
    }
}
