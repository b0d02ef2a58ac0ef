//! What a reader was asked: the queries that are still open, and the answers that consist of several parts.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    registry::{Data, Key, KeyProperties, ValueName},
    targets::{KeyQuery, PolicyScope, PolicySetting, PolicyStore, Unread, ValueSelection, Values},
};

/// The keys that were queried.
#[derive(Debug, Default)]
pub struct Reads {
    pub(super) keys: BTreeSet<Key>,
    /// The keys whose subkeys were queried.
    pub(super) lists: BTreeSet<Key>,
}

impl Reads {
    /// Returns the keys that were queried.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().chain(&self.lists)
    }

    /// Returns whether the change can change the answer to one of the queries.
    pub fn concern(&self, change: &crate::targets::KeyChange) -> bool {
        self.keys.contains(&change.key) || change.key.parent().is_some_and(|parent| self.lists.contains(&parent))
    }
}

#[derive(Default)]
pub(super) struct Missing {
    pub(super) keys: BTreeMap<Key, Ask>,
    pub(super) files: BTreeSet<String>,
    pub(super) policies: BTreeMap<PolicyScope, Values>,
}

impl Missing {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.files.is_empty() && self.policies.is_empty()
    }
}

/// The setting of a policy store for a value, as [`Reader::policies`] returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The store.
    pub store: PolicyStore,
    /// The path of the store's file.
    pub path: String,
    /// Its setting, or why it could not be read.
    pub says: Result<PolicySetting, Unread>,
}

#[derive(Default)]
pub(super) struct Ask {
    pub(super) names: BTreeSet<ValueName>,
    pub(super) all_values: bool,
    pub(super) subkeys: bool,
    /// Whether everything below the key is queried as well.
    pub(super) tree: bool,
}

impl Ask {
    pub(super) fn tree() -> Self {
        Self { names: BTreeSet::new(), all_values: true, subkeys: true, tree: true }
    }

    pub(super) fn about(self, key: Key) -> KeyQuery {
        let values = if self.all_values { ValueSelection::All } else { ValueSelection::Names(self.names) };
        KeyQuery { key, values, subkeys: self.subkeys }
    }
}

/// A key with its values and properties, as [`Reader::tree`] lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyImage {
    /// The key.
    pub key: Key,
    /// The key's properties; `None` if the target does not have them.
    pub properties: Option<KeyProperties>,
    /// The key's values.
    pub values: Vec<(ValueName, Data)>,
}
