//! The values that the operator chooses for the parameters of specs.

use std::collections::BTreeMap;

/// The data that the operator gives for one parameter.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// A string, in which commas separate the items of a list.
    Text(String),
    /// A list, whose strings may contain commas.
    List(Vec<String>),
}

impl<T: Into<String>> From<T> for Setting {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// The data that the operator chooses for parameters, by name. A name that no spec of the run declares is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    given: BTreeMap<String, Setting>,
    for_validation: bool,
}

impl Settings {
    /// Creates empty settings. A parameter without a default is an error until it is added.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates empty settings in which a parameter without a default may stay unset. This is for validating a spec, and
    /// for planning those specs of a run that can be planned. Such a parameter then represents all data that it allows.
    pub fn for_validation() -> Self {
        Self { for_validation: true, ..Self::default() }
    }

    /// Adds a setting; replaces an earlier one with the same name.
    pub fn insert(&mut self, name: impl Into<String>, data: impl Into<Setting>) {
        self.given.insert(name.into(), data.into());
    }

    /// Returns the data that was chosen for the parameter `name`.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.given.get(name)
    }

    /// Returns the names of the parameters, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// Returns whether a parameter without a default may stay unset.
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
