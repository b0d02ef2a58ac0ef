//! Finds conflicts between a later spec and the earlier specs of a run: the later spec would undo a setting of an
//! earlier one, or would create a key that a `*` of an earlier one matches.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    observe::{Reader, Reads},
    registry::{Key, ValueName},
    spec::Spec,
    targets::{ChangeAction, KeyChange},
};

use super::{desired_state::DesiredState, rules};

/// The specs of a run that were planned earlier, indexed by the keys and values that they set.
///
/// A run can have hundreds of specs about the same keys. The index avoids checking each change against each earlier
/// spec.
#[derive(Default)]
pub(super) struct Earlier<'a> {
    specs: Vec<One<'a>>,
    present: BTreeMap<&'a Key, Vec<usize>>,
    absent: BTreeMap<&'a Key, Vec<usize>>,
    exclusive: BTreeMap<&'a Key, Vec<usize>>,
    values: BTreeMap<&'a Key, BTreeMap<&'a ValueName, Vec<usize>>>,
    /// For each key that was queried for an earlier spec, the positions of these specs. Contains only specs with a `*`
    /// that can match a key which a later spec creates.
    read: BTreeMap<&'a Key, Vec<usize>>,
    /// For each key whose subkeys were listed for an earlier spec, the positions of these specs. Contains only specs
    /// with a `*` that can match a key which a later spec creates.
    listed: BTreeMap<&'a Key, Vec<usize>>,
}

struct One<'a> {
    spec: &'a Spec,
    wants: &'a DesiredState<'a>,
}

impl<'a> Earlier<'a> {
    /// Adds an earlier spec that is in desired state, or will be after its changes. `reads` contains the keys that were
    /// queried for it; `None` if it has no `*` that can match a key which a later spec creates.
    pub(super) fn add(&mut self, spec: &'a Spec, wants: &'a DesiredState<'a>, reads: Option<&'a Reads>) {
        let at = self.specs.len();
        wants.present.iter().for_each(|key| self.present.entry(key).or_default().push(at));
        wants.absent.iter().for_each(|key| self.absent.entry(key).or_default().push(at));
        wants.exclusive.keys().for_each(|key| self.exclusive.entry(key).or_default().push(at));
        for (key, rules) in &wants.values {
            let values = self.values.entry(key).or_default();
            for rule in rules {
                let specs = values.entry(&rule.name).or_default();
                if specs.last() != Some(&at) {
                    specs.push(at);
                }
            }
        }
        if let Some(reads) = reads {
            reads.keys().for_each(|key| self.read.entry(key).or_default().push(at));
            reads.lists().for_each(|key| self.listed.entry(key).or_default().push(at));
        }
        self.specs.push(One { spec, wants });
    }

    /// Returns one message for each setting that an earlier spec requires and `changes` would undo.
    pub(super) fn undone(&self, changes: &[KeyChange], reader: &Reader<'_>) -> Vec<String> {
        let mut clashes = Vec::new();
        for change in changes {
            for One { spec, wants } in self.about(change).into_iter().filter_map(|at| self.specs.get(at)) {
                let undone = wants.undone_by(change, reader).into_iter();
                let clash = |(place, what)| format!("{place}: {}, earlier in this run, requires {what}", spec.id);
                clashes.extend(undone.map(clash));
            }
        }
        clashes
    }

    /// Returns the positions of the earlier specs that require something in the key or values that this change
    /// concerns.
    fn about(&self, change: &KeyChange) -> BTreeSet<usize> {
        let key = &change.key;
        let mut about = BTreeSet::new();
        about.extend(self.present.get(key).into_iter().flatten());
        let values = self.values.get(key);
        for value in &change.values {
            about.extend(values.and_then(|values| values.get(&value.name)).into_iter().flatten());
        }
        if !self.absent.is_empty() || !self.exclusive.is_empty() {
            for above in std::iter::successors(Some(key.clone()), Key::parent) {
                about.extend([&self.absent, &self.exclusive].into_iter().filter_map(|keys| keys.get(&above)).flatten());
            }
        }
        about
    }

    /// Returns one message for each key for which an earlier spec would have to make further changes after `changes`,
    /// because a `*` of the earlier spec matches a key that `changes` creates.
    pub(super) fn left_out(&self, changes: &[KeyChange], reader: &Reader<'_>) -> Vec<String> {
        if !changes.iter().any(|change| change.action == ChangeAction::Create) {
            return Vec::new();
        }
        let mut again: BTreeSet<usize> = BTreeSet::new();
        for change in changes {
            again.extend(self.read.get(&change.key).into_iter().flatten());
            again.extend(change.key.parent().and_then(|parent| self.listed.get(&parent)).into_iter().flatten());
        }
        let changes_of = |One { spec, .. }: &One<'a>| {
            let clash = |change: KeyChange| {
                format!("{}: a `*` of {}, earlier in this run, would match this key", change.key, spec.id)
            };
            rules::evaluate(spec, reader).changes.into_iter().map(clash).collect::<Vec<_>>()
        };
        again.into_iter().filter_map(|at: usize| self.specs.get(at)).flat_map(changes_of).collect()
    }
}
