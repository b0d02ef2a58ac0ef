//! Remembers which spec of a run planned which change, so that a plan can name the spec on which an answer depends.

use std::{collections::BTreeMap, rc::Rc};

use super::reader::Reader;
use crate::{
    registry::{Key, ValueName},
    targets::{ChangeAction, KeyChange},
};

/// The changes planned so far: the spec that planned each, and the spec whose plan the latest answers depend on.
#[derive(Default, Clone)]
pub(super) struct Planned {
    pub(super) keys: BTreeMap<Key, Rc<str>>,
    pub(super) values: BTreeMap<Key, BTreeMap<ValueName, Rc<str>>>,
    /// For each key, the spec that creates or deletes one of its subkeys.
    pub(super) subkeys: BTreeMap<Key, Rc<str>>,
    met: Option<Rc<str>>,
}

impl Reader<'_> {
    /// Records which spec planned a change, for [`Reader::planned_by`].
    pub fn planned_for(&self, id: &Rc<str>, change: &KeyChange) {
        let planned = &mut *self.planned.borrow_mut();
        if !change.values.is_empty() {
            let names = change.values.iter().map(|value| (value.name.clone(), id.clone()));
            planned.values.entry(change.key.clone()).or_default().extend(names);
        }
        if change.action != ChangeAction::Update {
            planned.keys.insert(change.key.clone(), id.clone());
            planned.subkeys.extend(change.key.parent().map(|parent| (parent, id.clone())));
        }
    }

    /// Runs `ask`; also returns the id of the earlier spec whose planned change supplied one of its answers (the first
    /// such answer), if any.
    pub fn planned_by<T>(&self, ask: impl FnOnce() -> T) -> (T, Option<String>) {
        self.planned.borrow_mut().met = None;
        let answer = ask();
        (answer, self.planned.borrow_mut().met.take().map(|id| id.to_string()))
    }

    pub(super) fn meet(&self, find: impl FnOnce(&Planned) -> Option<Rc<str>>) {
        let mut planned = self.planned.borrow_mut();
        if (planned.keys.is_empty() && planned.values.is_empty()) || planned.met.is_some() {
            return;
        }
        planned.met = find(&planned);
    }
}
