//! The queries that the facts do not answer yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    registry::{Key, ValueName},
    targets::{KeyQuery, PolicyScope, ValueSelection, Values},
};

/// The queries that a [`Reader`](super::Reader) could not answer: about keys, files and policy stores.
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

/// The facts that are missing about a key. The query for them also asks whether the key exists.
#[derive(Default)]
pub(super) struct Ask {
    pub(super) names: BTreeSet<ValueName>,
    pub(super) all_values: bool,
    pub(super) subkeys: bool,
    /// Whether all keys below the key, except links, are queried as well.
    pub(super) tree: bool,
    /// Whether the key above is queried as well if the key is absent, and so on, up to the first key that exists or
    /// that was queried before.
    pub(super) above: bool,
}

impl Ask {
    pub(super) fn tree() -> Self {
        Self { all_values: true, subkeys: true, tree: true, ..Self::default() }
    }

    pub(super) fn above() -> Self {
        Self { above: true, ..Self::default() }
    }

    pub(super) fn about(self, key: Key) -> KeyQuery {
        let values = if self.all_values { ValueSelection::All } else { ValueSelection::Names(self.names) };
        KeyQuery { key, values, subkeys: self.subkeys }
    }
}
