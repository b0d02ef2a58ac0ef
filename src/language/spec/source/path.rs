//! The path to a node in a document: field names and list indexes, from the top down.

use std::{fmt, rc::Rc};

use serde_json::Value;

/// The path to a node of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(in crate::spec) struct Path(pub Vec<Step>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::spec) enum Step {
    /// Goes to a field of a mapping. The name is shared, because the path to a node is part of the paths to all nodes
    /// below it.
    Field(Rc<str>),
    /// Goes to an item of a list, counted from 0.
    Item(usize),
}

impl Path {
    /// Returns the path to the field `name` of this node.
    #[must_use]
    pub(in crate::spec) fn field(&self, name: &str) -> Self {
        self.with(Step::Field(name.into()))
    }

    /// Returns the path to the item with index `at` of this node.
    #[must_use]
    pub(in crate::spec) fn item(&self, at: usize) -> Self {
        self.with(Step::Item(at))
    }

    /// Returns the path that a JSON pointer describes. Only the document can tell whether `values/5` is an item or a
    /// value with the name 5.
    pub(in crate::spec) fn from_pointer(pointer: &str, document: &Value) -> Self {
        let mut path = Self::default();
        let mut node = Some(document);
        for token in pointer.split('/').skip(1) {
            let name = token.replace("~1", "/").replace("~0", "~");
            if let (Some(Value::Array(items)), Ok(at)) = (node, name.parse::<usize>()) {
                node = items.get(at);
                path.push(Step::Item(at));
            } else {
                node = node.and_then(|node| node.get(&name));
                path.push(Step::Field(name.into()));
            }
        }
        path
    }

    /// Goes down one step.
    pub(super) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// Returns the name of the field that the path leads to; `None` if it leads to an item.
    pub(in crate::spec) fn last_field(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// Returns the name of the field in step `at`; `None` if that step goes to an item.
    pub(in crate::spec) fn field_at(&self, at: usize) -> Option<&str> {
        match self.0.get(at) {
            Some(Step::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// Returns the node in `value` that this path leads to.
    pub(in crate::spec) fn get_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Field(name) => value.get_mut(&**name),
            Step::Item(at) => value.get_mut(at),
        })
    }
}

impl fmt::Display for Path {
    /// Formats the path as `registry[0].values.Start`, and the default value as `registry[0].values.""`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if at == 0 => f.write_str(name)?,
                Step::Field(name) if name.is_empty() => f.write_str(".\"\"")?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}
