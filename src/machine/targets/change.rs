//! Changes of keys and values. A [`KeyChange`] groups changes of values in one key, so that the key is opened only once
//! for them.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::registry::{Data, Key, KeyProperties, ValueName, notation};

/// The kind of a change to a key or a value. The state "not configured" in a policy file counts as present.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "Action")]
pub enum ChangeAction {
    /// The key or value is absent before the change and present after it.
    Create,
    /// The key or value is present before and after the change.
    Update,
    /// The key or value is present before the change and absent after it.
    Delete,
}

/// The change of one key and its values.
///
/// - `create`: the key is absent before (its parent exists, or an earlier change creates it); each value has only
///   `after`.
/// - `update`: the key exists before and after.
/// - `delete`: the key exists before, and earlier changes have deleted its subkeys; each of its values is listed, with
///   only `before`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// The key to change.
    #[serde(flatten)]
    pub key: Key,
    /// What happens to the key itself: it is created, deleted, or present before and after the change.
    pub action: ChangeAction,
    /// The class name and security descriptor of the key: for a deleted key, the present ones; for a created key, the
    /// ones to set. `None` for an updated key, for a key that a spec creates, and if the target stores none. A key that
    /// is created with `None` inherits its security from its parent key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<KeyProperties>,
    /// The changes of the key's values.
    pub values: Vec<ValueChange>,
    /// The names of the values whose data is sensitive. In a report, such data has `hidden: true` instead of `bytes`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sensitive: BTreeSet<ValueName>,
}

/// The change of one value. `before` and `after` differ, and at least one of them is not `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueChange {
    /// The value name; empty for the default value.
    pub name: ValueName,
    /// The data before the change; `null` if the value is absent then.
    pub before: Option<Data>,
    /// The data after the change; `null` if the value is absent then.
    pub after: Option<Data>,
}

impl ValueChange {
    /// Returns whether the value is created, updated or deleted.
    pub fn action(&self) -> ChangeAction {
        match (&self.before, &self.after) {
            (None, _) => ChangeAction::Create,
            (_, None) => ChangeAction::Delete,
            _ => ChangeAction::Update,
        }
    }
}

impl KeyChange {
    /// Returns a change without class name and security descriptor, and without sensitive values.
    pub fn new(key: Key, action: ChangeAction, values: Vec<ValueChange>) -> Self {
        Self { key, action, properties: None, values, sensitive: BTreeSet::new() }
    }

    /// Returns the number of keys and values that the change creates, updates or deletes.
    pub fn size(&self) -> usize {
        self.values.len() + usize::from(self.action != ChangeAction::Update)
    }

    /// Returns the change that undoes this change.
    pub fn inverse(&self) -> Self {
        let action = match self.action {
            ChangeAction::Create => ChangeAction::Delete,
            ChangeAction::Update => ChangeAction::Update,
            ChangeAction::Delete => ChangeAction::Create,
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

    /// Returns the text that a message shows for `data` of the value `name`; `None` is shown as `absent`. For sensitive
    /// data, the text does not contain the bytes.
    pub fn message(&self, name: &ValueName, data: Option<&Data>) -> String {
        notation::message(data, self.sensitive.contains(name))
    }

    /// Returns the key and the value name as messages show them.
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
        let mut change = KeyChange::new(key, ChangeAction::Update, Vec::new());
        assert_eq!(change.message(&name, Some(&Data::sz("x"))), "REG_SZ \"x\"");
        change.sensitive.insert(ValueName::new("TOKEN").unwrap());
        for change in [&change, &change.inverse()] {
            assert_eq!(change.message(&name, Some(&Data::sz("x"))), "REG_SZ (hidden)");
            assert_eq!(change.message(&name, None), "absent");
        }
    }
}
