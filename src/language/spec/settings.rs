//! The data that the operator chooses for the parameters of specs.

use std::collections::BTreeMap;

/// The data that the operator chooses for one parameter.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// One string. If the parameter is a number, the string contains the number in decimal or as `0x…`. If the
    /// parameter is a list, commas separate its items in the string.
    Text(String),
    /// A list of strings, which may contain commas. Only valid for a parameter that is a list.
    List(Vec<String>),
}

impl<T: Into<String>> From<T> for Setting {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// The data that the operator chooses for parameters, by parameter name. All specs of a run that declare a name get the
/// same data. If no spec of the run declares a name, loading the specs reports an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    given: BTreeMap<String, Setting>,
    for_validation: bool,
}

impl Settings {
    /// Creates empty settings. Loading a spec reports an error for each parameter that has neither a setting nor a
    /// default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates empty settings with which a parameter may have neither a setting nor a default, for example to validate
    /// specs. If a parameter is unset, the checks of its spec use data that the parameter allows.
    pub fn for_validation() -> Self {
        Self { for_validation: true, ..Self::default() }
    }

    /// Sets the data of the parameter `name`. Replaces data that was set before.
    pub fn insert(&mut self, name: impl Into<String>, data: impl Into<Setting>) {
        self.given.insert(name.into(), data.into());
    }

    /// Returns the data that the operator chose for the parameter `name`; `None` if there is none.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.given.get(name)
    }

    /// Returns the names of the parameters that the operator set, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    /// Returns whether specs can be loaded even if a parameter has neither a setting nor a default, as after
    /// `Settings::for_validation`.
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
