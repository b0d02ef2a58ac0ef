//! What the operator chose for parameters.

use std::collections::BTreeMap;

/// The data of one parameter, as it was given.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// As text, in which a comma parts the strings of a list.
    Text(String),
    /// As a list, whose strings may have commas.
    List(Vec<String>),
}

impl<T: Into<String>> From<T> for Setting {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// What the operator chose for parameters: name and data. A name that no spec of the run declares is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    given: BTreeMap<String, Setting>,
    for_validation: bool,
}

impl Settings {
    /// None yet. A parameter without default must be among them.
    pub fn new() -> Self {
        Self::default()
    }

    /// None yet, and none needed, to check a spec or to plan those of a run that can be planned: a parameter without default counts as each data that it allows.
    pub fn for_validation() -> Self {
        Self { for_validation: true, ..Self::default() }
    }

    /// Adds one; the last of a name counts.
    pub fn insert(&mut self, name: impl Into<String>, data: impl Into<Setting>) {
        self.given.insert(name.into(), data.into());
    }

    /// The data for the parameter `name`.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.given.get(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// Whether a parameter without default may stay unset.
    pub(crate) fn may_be_unset(&self) -> bool {
        self.for_validation
    }
}

impl<N: Into<String>, D: Into<Setting>> FromIterator<(N, D)> for Settings {
    fn from_iter<I: IntoIterator<Item = (N, D)>>(pairs: I) -> Self {
        let mut settings = Self::new();
        for (name, data) in pairs {
            settings.insert(name, data);
        }
        settings
    }
}
