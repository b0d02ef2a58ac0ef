//! A parameter of the run: what it is, and what else it could be.

use crate::spec::document::{Literal, ParameterType};

/// A parameter, with what it is in this run.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) kind: ParameterType,
    /// What the operator chose, or the default. Without either, an example that it allows.
    pub(super) current: Literal,
    /// Whether the operator chose it.
    pub(super) is_set: bool,
    /// Whether it is shown to nobody.
    pub(super) is_sensitive: bool,
    /// What the operator has to do, where it is not known what it is.
    pub(super) unset: Option<String>,
    /// What else it could be: all that is allowed, or the ends of its range.
    pub(super) others: Vec<Literal>,
}

impl Resolved {
    /// What it is, and what else it could be.
    pub(super) fn possible(&self) -> (Literal, Vec<Literal>) {
        (self.current.clone(), self.others.clone())
    }

    /// What it is, as text.
    pub(super) fn text(&self) -> String {
        match &self.current {
            Literal::Number(number) => number.to_string(),
            Literal::Text(text) => text.clone(),
            Literal::List(list) => list.join(","),
        }
    }

    /// Whether it can stand in a path.
    pub(super) fn is_text_or_number(&self) -> bool {
        self.kind != ParameterType::List
    }
}
