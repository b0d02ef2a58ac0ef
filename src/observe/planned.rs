//! Records which spec of a run planned which change. So a plan can name the earlier spec on which an answer depends.

use std::{collections::BTreeMap, rc::Rc};

use crate::{
    registry::{Key, ValueName},
    small_map::SmallMap,
    targets::{ChangeAction, KeyChange},
};

/// The id of the spec that planned each change so far, and the id of the first spec whose planned change has answered a
/// query since the last [`Self::take_met`].
#[derive(Default, Clone)]
pub(super) struct Planned {
    pub(super) keys: BTreeMap<Key, Rc<str>>,
    /// For each key, the ids of the specs that planned its values. For a value that is missing here, the id of its
    /// key in `keys` counts.
    pub(super) values: BTreeMap<Key, SmallMap<ValueName, Rc<str>>>,
    /// For each key, the id of the last spec that planned to create or delete one of its subkeys.
    pub(super) subkeys: BTreeMap<Key, Rc<str>>,
    met: Option<Rc<str>>,
}

impl Planned {
    /// Records that the spec with this id planned a change.
    pub(super) fn add(&mut self, id: &Rc<str>, change: &KeyChange) {
        let is_update = change.action == ChangeAction::Update;
        if !change.values.is_empty() && (is_update || self.values.contains_key(&change.key)) {
            let names = change.values.iter().map(|value| (value.name.clone(), id.clone()));
            self.values.entry(change.key.clone()).or_default().extend(names);
        }
        if !is_update {
            self.keys.insert(change.key.clone(), id.clone());
            self.subkeys.extend(change.key.parent().map(|parent| (parent, id.clone())));
        }
    }

    /// Returns the id that [`Self::meet`] has recorded, and forgets it, so that the next call of `meet` records another
    /// one. Returns `None` if no id is recorded.
    pub(super) fn take_met(&mut self) -> Option<Rc<str>> {
        self.met.take()
    }

    /// Records the id that `find` returns: the spec whose planned change has answered a query. Does nothing if an id is
    /// already recorded.
    pub(super) fn meet(&mut self, find: impl FnOnce(&Self) -> Option<Rc<str>>) {
        if (!self.keys.is_empty() || !self.values.is_empty()) && self.met.is_none() {
            self.met = find(self);
        }
    }
}
