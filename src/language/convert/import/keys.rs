//! A model of the registry keys that an imported file changes: the final state of these keys, whatever they contained
//! before.

use std::collections::BTreeMap;

use crate::registry::{Data, Key, KeyPath, ValueName};

/// The keys that an imported file changes. Each key is stored under its path in the 64-bit view, so a key in the 32-bit
/// view has `Wow6432Node` in its path.
#[derive(Default)]
pub(super) struct Keys(BTreeMap<KeyPath, Left>);

/// A key, and the line of the imported file because of which the model contains the key: the line names the key or a
/// key below it.
#[derive(Clone)]
pub(super) struct Named {
    /// The key as the file spells it, but in `CurrentControlSet` instead of a numbered control set.
    pub(super) path: KeyPath,
    /// The number of the line of the imported file because of which the model contains the key; for a `Registry.pol`,
    /// the number of the entry.
    pub(super) line: usize,
    /// The number of sections of a `.reg` file, or of entries of a policy, before the one with this line. The rules of
    /// the spec are in this order.
    pub(super) order: usize,
    /// The name of the control set that contains the key, in the spelling of the file; `None` if the key is in no
    /// control set.
    pub(super) set: Option<String>,
}

/// The state of one key after all lines of the file.
pub(super) struct Left {
    /// The key, with its line for messages. If the key stays absent, this is the line that deletes the key.
    pub(super) named: Named,
    /// The final state of the key.
    pub(super) state: State,
}

/// The state of a key after all lines of the file.
pub(super) enum State {
    /// The key is absent, with everything below it.
    Absent,
    /// The key exists.
    Present {
        /// The values of this key that the file sets or deletes, each with its final state and the number of the line
        /// that determines this state. If `others` says that all other values are deleted, deleted values are left out.
        values: BTreeMap<ValueName, (LeftValue, usize)>,
        /// The effect of the file on the other values and subkeys of this key.
        others: Others,
        /// Whether the file creates the key. False if the file only deletes values in it.
        created: bool,
    },
}

/// The state of a value after all lines of the file.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum LeftValue {
    /// The value has this data.
    Data(Data),
    /// The value has this data if it was absent before the import. Otherwise it keeps its data.
    IfAbsent(Data),
    /// The value is absent.
    Deleted,
}

/// The effect of the file on those values and subkeys of a key that the file does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Other values and subkeys stay as they are.
    Stay,
    /// Other values are deleted, and other subkeys stay.
    ValuesGone,
    /// Other values and subkeys are deleted, because the file deletes the key and then creates it again.
    Gone,
    /// Other values and subkeys are deleted, because the file deletes a key above this key.
    GoneAbove,
}

impl Left {
    fn present(named: Named, others: Others) -> Self {
        Self { named, state: State::Present { values: BTreeMap::new(), others, created: true } }
    }

    /// Returns whether the file deletes the previous content of the key, because it deletes the key or a key above it.
    /// The file may have created the key again after the deletion.
    fn is_emptied(&self) -> bool {
        !matches!(self.state, State::Present { others: Others::Stay | Others::ValuesGone, .. })
    }

    fn create(&mut self) {
        if let State::Present { created, .. } = &mut self.state {
            *created = true;
        }
    }
}

impl Keys {
    /// Returns the state of each key. A key comes after the keys above it.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Left> {
        self.0.values()
    }

    /// Returns the number of keys in this model plus the number of values in these keys that the file sets or deletes.
    pub(super) fn parts(&self) -> usize {
        let values = |left: &Left| match &left.state {
            State::Absent => 0,
            State::Present { values, .. } => values.len(),
        };
        self.0.values().map(|left| 1 + values(left)).sum()
    }

    /// Returns the states of the key at `path` and of the keys below it, as far as the model contains them.
    pub(super) fn within(&self, path: &KeyPath) -> impl Iterator<Item = &Left> {
        let stored = stored(path);
        self.0.range(stored.clone()..).map_while(move |(key, left)| key.is_within(&stored).then_some(left))
    }

    /// Returns the state of the nearest key, at `path` or above it, whose previous content the file deletes; `None` if
    /// there is no such key. The file may have created the key again after the deletion.
    pub(super) fn deleted(&self, path: &KeyPath) -> Option<&Left> {
        self.emptied(&stored(path)).map(|(_, left)| left)
    }

    fn emptied(&self, stored: &KeyPath) -> Option<(KeyPath, &Left)> {
        let at_and_above = std::iter::successors(Some(stored.clone()), KeyPath::parent);
        at_and_above.filter_map(|key| self.0.get(&key).map(|left| (key, left))).find(|(_, left)| left.is_emptied())
    }

    /// Creates the key, and also those keys above it that the file deleted. Returns the state of the key.
    pub(super) fn create(&mut self, named: &Named) -> &mut Left {
        let stored = stored(&named.path);
        // If no key above was deleted, the keys above need no entry, because creating a key creates them.
        if let Some((top, left)) = self.emptied(&stored) {
            let absent = matches!(left.state, State::Absent);
            let mut at = Some((stored.clone(), named.path.clone()));
            while let Some((key, path)) = at {
                let is_top = key == top;
                at = key.parent().filter(|_| !is_top).map(|above| (above.clone(), path.parent().unwrap_or(above)));
                let others = if is_top { Others::Gone } else { Others::GoneAbove };
                if !is_top || absent {
                    self.0.insert(key, Left::present(Named { path, ..named.clone() }, others));
                }
            }
        }
        let left = self.0.entry(stored).or_insert_with(|| Left::present(named.clone(), Others::Stay));
        left.create();
        left
    }

    /// Returns the state of a key, so that the caller can delete values in it. If the model lacks the key, adds it as a
    /// key that the file does not create. Returns `None` if the model lacks the key because the file deletes a key
    /// above it: then there is nothing to delete.
    pub(super) fn find(&mut self, named: &Named) -> Option<&mut Left> {
        let stored = stored(&named.path);
        if !self.0.contains_key(&stored) && self.emptied(&stored).is_none() {
            let state = State::Present { values: BTreeMap::new(), others: Others::Stay, created: false };
            self.0.insert(stored.clone(), Left { named: named.clone(), state });
        }
        self.0.get_mut(&stored)
    }

    /// Deletes the key and everything below it.
    pub(super) fn delete(&mut self, named: Named) {
        let stored = stored(&named.path);
        let below: Vec<KeyPath> = self
            .0
            .range(stored.clone()..)
            .map(|(key, _)| key)
            .take_while(|key| key.is_within(&stored))
            .cloned()
            .collect();
        let mut created = false;
        for key in below {
            created |=
                self.0.remove(&key).is_some_and(|left| matches!(left.state, State::Present { created: true, .. }));
        }
        if stored.parent().is_some_and(|above| self.emptied(&above).is_some()) {
            // Below a key that the file deletes, everything that the file does not create again is already absent.
            return;
        }
        // Creating something in this key also created the keys above it, and those stay.
        let above = named.path.parent().filter(|path| path.depth() > 0).zip(stored.parent());
        if let Some((path, above)) = above.filter(|_| created) {
            let left = || Left::present(Named { path, ..named.clone() }, Others::Stay);
            self.0.entry(above).or_insert_with(left).create();
        }
        self.0.insert(stored, Left { named, state: State::Absent });
    }
}

/// Returns the path of the key in the 64-bit view. The result is the same for all names of one key.
fn stored(path: &KeyPath) -> KeyPath {
    let key = Key::new(path.clone()).one_name(false);
    key.view.stored_at(&key.path)
}
