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
    /// For each key, the ids of the specs that updated its values after the key was last created or deleted. For a
    /// value that is missing here, the id of its key in `keys` counts.
    pub(super) values: BTreeMap<Key, SmallMap<ValueName, Rc<str>>>,
    /// For each key, the id of the last spec that planned to create or delete one of its subkeys.
    pub(super) subkeys: BTreeMap<Key, Rc<str>>,
    met: Option<Rc<str>>,
}

impl Planned {
    /// Records that the spec with this id planned a change.
    pub(super) fn add(&mut self, id: &Rc<str>, change: &KeyChange) {
        if change.action == ChangeAction::Update {
            let names = change.values.iter().map(|value| (value.name.clone(), id.clone()));
            self.values.entry(change.key.clone()).or_default().extend(names);
            return;
        }
        // A created or deleted key has no values but those of this change, also if the change does not list a value
        // because an earlier spec had already deleted it.
        self.values.remove(&change.key);
        self.keys.insert(change.key.clone(), id.clone());
        self.subkeys.extend(change.key.parent().map(|parent| (parent, id.clone())));
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

#[cfg(test)]
mod tests {
    use crate::{
        observe::Reader,
        registry::{Data, Key, ValueName},
        targets::{ChangeAction, Facts, KeyChange, ValueChange},
    };

    #[test]
    fn the_last_spec_that_created_or_deleted_a_key_planned_all_of_its_values() {
        let key: Key = r"HKLM\SOFTWARE\K".parse().unwrap();
        let name = |name: &str| ValueName::new(name).unwrap();
        let change = |action, value: &str, before: Option<u32>, after: Option<u32>| {
            let (before, after) = (before.map(Data::dword), after.map(Data::dword));
            KeyChange::new(key.clone(), action, vec![ValueChange { name: name(value), before, after }])
        };
        let facts = Facts::default();
        let reader = Reader::new(&facts);
        let by = |value: &str| reader.planned_by(|| drop(reader.value(&key, &name(value)))).1;
        reader.planned_for("FIRST", &[change(ChangeAction::Update, "gone", Some(1), None)]);
        assert_eq!((by("gone").as_deref(), by("other")), (Some("FIRST"), None));
        // The deletion lists only the values that exist.
        reader.planned_for("SECOND", &[change(ChangeAction::Delete, "other", Some(2), None)]);
        assert_eq!((by("gone").as_deref(), by("other").as_deref()), (Some("SECOND"), Some("SECOND")));
        reader.planned_for("THIRD", &[change(ChangeAction::Create, "other", None, Some(3))]);
        assert_eq!((by("gone").as_deref(), by("other").as_deref()), (Some("THIRD"), Some("THIRD")));
        reader.planned_for("FOURTH", &[change(ChangeAction::Update, "other", Some(3), Some(4))]);
        assert_eq!((by("gone").as_deref(), by("other").as_deref()), (Some("THIRD"), Some("FOURTH")));
    }
}
