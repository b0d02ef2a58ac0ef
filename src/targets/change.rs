//! What is to be changed: one [`KeyChange`] for each key, so that a key is opened once.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::{Data, Key, KeyProperties, ValueName, notation};

/// What happens to a key or a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Was absent, will be there.
    Create,
    /// Is there before and after.
    Update,
    /// Was there, will be absent.
    Delete,
}

/// The change of one key and of values in it.
///
/// - `create`: the key is absent before (its parent is there, or created by an earlier change); each value has only `after`.
/// - `update`: the key is there before and after.
/// - `delete`: the key is there before, has no subkeys left by then, and each of its values is listed with only `before`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// What happens to the key itself.
    pub action: Action,
    /// The class name and security descriptor: of a key that is deleted as they were, of one that is created as they shall be.
    /// None where the target has none; a key that is created then has the security that the key above it hands down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<KeyProperties>,
    /// What happens to its values.
    pub values: Vec<ValueChange>,
    /// The names of its values whose data is shown to nobody. In a report `bytes` is missing from that data, and `hidden` is true.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sensitive: BTreeSet<ValueName>,
}

/// The change of one value. Never both `None`, never both the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueChange {
    /// The value name; empty for the default value.
    pub name: ValueName,
    /// Its data before; `null`: absent.
    pub before: Option<Data>,
    /// Its data after; `null`: absent.
    pub after: Option<Data>,
}

impl ValueChange {
    /// Create, update or delete, as `before` and `after` say.
    pub fn action(&self) -> Action {
        match (&self.before, &self.after) {
            (None, _) => Action::Create,
            (_, None) => Action::Delete,
            _ => Action::Update,
        }
    }
}

impl KeyChange {
    /// A change without a word on the key's properties.
    pub fn new(key: Key, action: Action, values: Vec<ValueChange>) -> Self {
        Self { key, action, properties: None, values, sensitive: BTreeSet::new() }
    }

    /// The change that undoes this one.
    pub fn inverse(&self) -> Self {
        let action = match self.action {
            Action::Create => Action::Delete,
            Action::Update => Action::Update,
            Action::Delete => Action::Create,
        };
        let values = self.values.iter().map(|v| ValueChange {
            name: v.name.clone(),
            before: v.after.clone(),
            after: v.before.clone(),
        });
        Self {
            key: self.key.clone(),
            action,
            properties: self.properties.clone(),
            values: values.collect(),
            sensitive: self.sensitive.clone(),
        }
    }

    /// Returns data of the value as messages have it: without the bytes where it is sensitive.
    pub fn message(&self, name: &ValueName, data: Option<&Data>) -> String {
        notation::message(data, self.sensitive.contains(name))
    }

    /// The key and a value name, as messages name a place.
    pub fn place(&self, name: &ValueName) -> String {
        format!("{} {}", self.key, notation::value_name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_only_the_type_of_sensitive_data() {
        let key = Key::new("HKLM\\SOFTWARE\\X".parse().unwrap());
        let name = ValueName::new("Token").unwrap();
        let mut change = KeyChange::new(key, Action::Update, Vec::new());
        assert_eq!(change.message(&name, Some(&Data::sz("x"))), "REG_SZ \"x\"");
        change.sensitive.insert(ValueName::new("TOKEN").unwrap());
        for change in [&change, &change.inverse()] {
            assert_eq!(change.message(&name, Some(&Data::sz("x"))), "REG_SZ (hidden)");
            assert_eq!(change.message(&name, None), "absent");
        }
    }
}
