//! Finds conflicts between a later spec and the earlier specs of a run: the later spec would undo a setting of an
//! earlier one, or would create a key that an earlier one would then have to change, mostly because of a `*`.

use std::collections::BTreeSet;

use crate::{
    observe::{Reader, Reads},
    registry::{Key, ValueName},
    spec::Spec,
    targets::{ChangeAction, KeyChange},
};

use super::{
    desired_state::{DesiredState, within},
    evaluation::Evaluation,
    rules,
};

/// The specs of a run that were planned earlier, indexed by the keys and values that they set.
///
/// A run can have hundreds of specs about the same keys. The index avoids checking each change against each earlier
/// spec.
#[derive(Default)]
pub(super) struct Earlier<'a> {
    specs: Vec<One<'a>>,
    present: OfKeys<'a>,
    absent: OfKeys<'a>,
    exclusive: OfKeys<'a>,
    /// The values for which there are rules, each with the index in `specs` of a spec that has such a rule.
    values: BTreeSet<(&'a Key, &'a ValueName, usize)>,
    /// The keys that were queried to plan earlier specs. Only specs with a `*` in the key of a rule are included.
    read: OfKeys<'a>,
    /// The keys whose subkeys were queried to plan earlier specs. Only specs with a `*` in the key of a rule are
    /// included.
    listed: OfKeys<'a>,
}

/// Keys, each with the index of a spec in [`Earlier::specs`]. There are many keys, and usually one spec for each, so
/// there is no list of specs for each key.
type OfKeys<'a> = BTreeSet<(&'a Key, usize)>;

struct One<'a> {
    spec: &'a Spec,
    wants: &'a DesiredState<'a>,
}

impl<'a> Earlier<'a> {
    /// Adds an earlier spec that is in desired state, or will be after its changes. `reads` contains the keys that were
    /// queried to plan the spec; `None` if it is the only spec, or if no key of its rules has a `*`.
    pub(super) fn add(&mut self, spec: &'a Spec, wants: &'a DesiredState<'a>, reads: Option<&'a Reads>) {
        let at = self.specs.len();
        let of_spec = |key| (key, at);
        self.present.extend(wants.present.iter().map(of_spec));
        self.absent.extend(wants.absent.iter().map(of_spec));
        self.exclusive.extend(wants.exclusive.keys().map(of_spec));
        for (key, rules) in &wants.values {
            self.values.extend(rules.iter().map(|rule| (key, &rule.name, at)));
        }
        if let Some(reads) = reads {
            self.read.extend(reads.keys().map(of_spec));
            self.listed.extend(reads.lists().map(of_spec));
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

    /// Returns the indexes in `specs` of the earlier specs that may require something of this key or its values,
    /// because they have rules for the key or its values, or for a key above.
    fn about(&self, change: &KeyChange) -> BTreeSet<usize> {
        let key = &change.key;
        let mut about = BTreeSet::new();
        about.extend(of(key, &self.present));
        if !self.values.is_empty() {
            for value in &change.values {
                let name = &value.name;
                about.extend(self.values.range((key, name, 0)..=(key, name, usize::MAX)).map(|(.., at)| *at));
            }
        }
        if !self.absent.is_empty() || !self.exclusive.is_empty() {
            for above in std::iter::successors(Some(key.clone()), Key::parent) {
                about.extend(of(&above, &self.absent).chain(of(&above, &self.exclusive)));
            }
        }
        about
    }

    /// Returns one message for each new key that an earlier spec would have to change after `changes`. A key is new if
    /// `changes` creates it or a key above it. Only keys count that a `*` of the earlier spec matches, and keys below
    /// such a key.
    pub(super) fn left_out(&self, changes: &[KeyChange], reader: &Reader<'_>) -> Vec<String> {
        let created = changes.iter().filter(|change| change.action == ChangeAction::Create);
        let created: BTreeSet<Key> = created.map(|change| change.key.clone()).collect();
        if created.is_empty() {
            return Vec::new();
        }
        let mut again: BTreeSet<usize> = BTreeSet::new();
        for change in changes {
            again.extend(of(&change.key, &self.read));
            if let Some(parent) = change.key.parent().filter(|_| !self.listed.is_empty()) {
                again.extend(of(&parent, &self.listed));
            }
        }
        let changes_of = |One { spec, .. }: &One<'a>| {
            let clash = |key: &Key| {
                format!(
                    "{key}: {}, earlier in this run, would have to change this key after the changes of this spec, \
                     because its `*` matches the key",
                    spec.id
                )
            };
            let Evaluation { changes, starred, .. } = rules::evaluate(spec, reader);
            // The earlier spec can have further changes for other reasons, such as a `when` that is now true.
            let is_new_match = |key: &&Key| within(key, &created).is_some() && within(key, &starred).is_some();
            changes.iter().map(|change| &change.key).filter(is_new_match).map(clash).collect::<Vec<_>>()
        };
        again.into_iter().filter_map(|at: usize| self.specs.get(at)).flat_map(changes_of).collect()
    }
}

/// Returns the indexes in [`Earlier::specs`] of the specs that `keys` lists for this key.
fn of<'k>(key: &'k Key, keys: &'k OfKeys<'k>) -> impl Iterator<Item = usize> {
    keys.range((key, 0)..=(key, usize::MAX)).map(|(_, at)| *at)
}
