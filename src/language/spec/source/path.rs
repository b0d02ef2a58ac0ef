//! The path to a node in a YAML document: the field names and list indexes from the root to the node.

use std::{fmt, rc::Rc};

use serde_json::Value;

/// The steps from the root of a YAML document to one of its nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(in crate::spec) struct Path(pub Vec<Step>);

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::spec) enum Step {
    /// The step from a mapping to the data of the field with this name. The name is shared, because many paths contain
    /// it.
    Field(Rc<str>),
    /// The step from a list to the item with this index, counted from 0.
    Item(usize),
}

impl Path {
    /// Returns the path to the field `name` of the mapping at this path.
    #[must_use]
    pub(in crate::spec) fn field(&self, name: &str) -> Self {
        self.with(Step::Field(name.into()))
    }

    /// Returns the path to the item with index `at` of the list at this path.
    #[must_use]
    pub(in crate::spec) fn item(&self, at: usize) -> Self {
        self.with(Step::Item(at))
    }

    /// Converts a JSON pointer to a path. `document` is needed because in `values/5`, 5 can be an index or a field
    /// name.
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

    /// Adds a step to the end of the path.
    pub(super) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// Returns the field name in the last step of the path; `None` if the last step is an item of a list, or if the
    /// path has no steps.
    pub(in crate::spec) fn last_field(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// Returns the field name in the step with index `at`, counted from 0; `None` if this step is an item of a list, or
    /// if the path is shorter.
    pub(in crate::spec) fn field_at(&self, at: usize) -> Option<&str> {
        match self.0.get(at) {
            Some(Step::Field(name)) => Some(name),
            _ => None,
        }
    }

    /// Returns the part of the JSON `value` that is at this path; `None` if there is no such part.
    pub(in crate::spec) fn get_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(value, |value, step| match step {
            Step::Field(name) => value.get_mut(&**name),
            Step::Item(at) => value.get_mut(at),
        })
    }
}

impl fmt::Display for Path {
    /// Formats the path as `registry[0].values.Start`. An empty field name becomes `""`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) => {
                    let dot = if at == 0 { "" } else { "." };
                    let name = if name.is_empty() { "\"\"" } else { name };
                    write!(f, "{dot}{name}")?;
                }
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn an_empty_field_name_is_visible_in_every_step() {
        assert_eq!(Path::default().field("").to_string(), "\"\"");
        assert_eq!(Path::default().field("values").field("").item(2).to_string(), "values.\"\"[2]");
    }
}
