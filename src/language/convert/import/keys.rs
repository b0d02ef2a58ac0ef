//! A model of the keys that a script changes. The model does not depend on the state of the keys before the script.

use std::collections::BTreeMap;

use crate::registry::{Data, Key, KeyPath, ValueName};

/// The keys that a script changes, by the path at which the 64-bit view stores them. So a key below `Wow6432Node` is
/// different from the key of the same name in the 64-bit view.
#[derive(Default)]
pub(super) struct Keys(BTreeMap<KeyPath, Left>);

/// A key, as a line of the script names it.
#[derive(Clone)]
pub(super) struct Named {
    /// The key as the file spells it.
    pub(super) path: KeyPath,
    /// The number of the line that names the key.
    pub(super) line: usize,
    /// The number of keys that the script named before this one.
    pub(super) order: usize,
    /// The control set in the spelling of the file, if the key is in a control set.
    pub(super) set: Option<String>,
}

/// The final state of one key.
pub(super) struct Left {
    /// The first line that contributes to this state.
    pub(super) named: Named,
    /// The state.
    pub(super) state: State,
}

/// The state that a key has after the script.
pub(super) enum State {
    /// The key is absent, with everything below it.
    Absent,
    /// The key exists.
    Present {
        /// The values that the script names, each with its line.
        values: BTreeMap<ValueName, (LeftValue, usize)>,
        /// The effect of the script on the other values and subkeys of the key.
        others: Others,
        /// Whether the script creates the key, even if it sets no value in it.
        created: bool,
    },
}

/// The state that a value has after the script.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum LeftValue {
    /// The value has this data.
    Data(Data),
    /// The value has this data if it was absent before the script. Otherwise it stays as it was.
    IfAbsent(Data),
    /// The value is absent.
    Deleted,
}

/// The effect of the script on values and subkeys that it does not name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Other values and subkeys stay as they are.
    Stay,
    /// Other values are deleted, and other subkeys stay.
    ValuesGone,
    /// Other values and subkeys are deleted, because the script deletes the key and then creates it again.
    Gone,
    /// Other values and subkeys are deleted, because the script deletes a key above.
    GoneAbove,
}

impl Left {
    fn present(named: Named, others: Others) -> Self {
        Self { named, state: State::Present { values: BTreeMap::new(), others, created: true } }
    }

    /// Returns whether the script deleted the key with its subkeys.
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
    /// Returns the state of each key, in an order in which a key comes after the keys above it.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Left> {
        self.0.values()
    }

    /// Returns how many keys and values there are.
    pub(super) fn parts(&self) -> usize {
        let values = |left: &Left| match &left.state {
            State::Absent => 0,
            State::Present { values, .. } => values.len(),
        };
        self.0.values().map(|left| 1 + values(left)).sum()
    }

    /// Returns the state of the key and of the keys below it.
    pub(super) fn within(&self, path: &KeyPath) -> impl Iterator<Item = &Left> {
        let stored = stored(path);
        self.0.range(stored.clone()..).map_while(move |(key, left)| key.is_within(&stored).then_some(left))
    }

    /// Returns the nearest key, at `path` or above it, that the script deleted. The script may have created it again
    /// later.
    pub(super) fn deleted(&self, path: &KeyPath) -> Option<&Left> {
        self.emptied(&stored(path)).map(|(_, left)| left)
    }

    fn emptied(&self, stored: &KeyPath) -> Option<(KeyPath, &Left)> {
        let at_and_above = std::iter::successors(Some(stored.clone()), KeyPath::parent);
        at_and_above.filter_map(|key| self.0.get(&key).map(|left| (key, left))).find(|(_, left)| left.is_emptied())
    }

    /// Creates the key, and those keys above it that the script deleted; returns the state of the key.
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

    /// Returns the state of a key in which something is deleted, without creating it; `None` if the key is absent.
    pub(super) fn find(&mut self, named: &Named) -> Option<&mut Left> {
        let stored = stored(&named.path);
        if !self.0.contains_key(&stored) && self.emptied(&stored).is_none() {
            let state = State::Present { values: BTreeMap::new(), others: Others::Stay, created: false };
            self.0.insert(stored.clone(), Left { named: named.clone(), state });
        }
        self.0.get_mut(&stored)
    }

    /// Deletes the key with everything below it.
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
            // In a key that was deleted and created again, everything else is already absent.
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

/// Returns the path at which a key is stored, whichever of its names the file uses.
fn stored(path: &KeyPath) -> KeyPath {
    let key = Key::new(path.clone()).one_name(false);
    key.view.stored_at(&key.path)
}
