//! A parameter of a spec, with the data that it has in this run.

use std::rc::Rc;

use crate::{
    registry::KeyName,
    spec::document::{Literal, ParameterType},
};

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
    pub(super) others: Rc<[Literal]>,
    /// Whether the parameter has `allowed`. Then `others` contains all data that the parameter allows.
    pub(super) is_list_of_all: bool,
    /// The first data of `current` and `others` that can be neither a key's name nor a part of such a name; `None` if
    /// there is none.
    pub(super) no_name: Option<String>,
}

/// Returns `literal` as text, with the items of a list separated by commas.
pub(super) fn text_of(literal: &Literal) -> String {
    match literal {
        Literal::Number(number) => number.to_string(),
        Literal::Text(text) => text.clone(),
        Literal::List(list) => list.join(","),
    }
}

/// Returns whether `data`, the data of a parameter, can be a key's name or a part of such a name.
pub(super) fn is_part_of_name(data: &str) -> bool {
    KeyName::new(data).is_ok() && !data.contains(|c: char| c == '*' || c.is_control())
}

impl Resolved {
    /// Returns the data in this run, and examples of the data that the parameter could have in other runs: `others`.
    pub(super) fn possible(&self) -> (Literal, Rc<[Literal]>) {
        (self.current.clone(), self.others.clone())
    }

    /// Returns the range of the parameter; `None` if it has none.
    pub(super) fn range(&self) -> Option<(u64, u64)> {
        match &*self.others {
            [Literal::Number(least), Literal::Number(most)] if !self.is_list_of_all => Some((*least, *most)),
            _ => None,
        }
    }

    /// Returns the data in this run as a string. The items of a list are separated by commas.
    pub(super) fn text(&self) -> String {
        text_of(&self.current)
    }

    /// Returns whether the data of the parameter is a string or a number, and not a list. A list cannot be part of a
    /// key's name.
    pub(super) fn is_text_or_number(&self) -> bool {
        self.kind != ParameterType::List
    }
}
