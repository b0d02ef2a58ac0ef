//! What a script leaves of the keys that it names, whatever was there before.

use std::collections::BTreeMap;

use crate::registry::{Data, Key, KeyPath, ValueName};

/// The keys that a script leaves its mark on, by where the 64-bit view stores them: a key below `Wow6432Node` is another
/// key than the one of that name in the 64-bit view.
#[derive(Default)]
pub(super) struct Keys(BTreeMap<KeyPath, Left>);

/// A key as one line of the script names it.
#[derive(Clone)]
pub(super) struct Named {
    /// The key as the file spells it.
    pub(super) path: KeyPath,
    /// The line that says so.
    pub(super) line: usize,
    /// How many keys the script had named before.
    pub(super) order: usize,
    /// The control set that the file names, where the key is in one.
    pub(super) set: Option<String>,
}

/// What a script leaves of one key.
pub(super) struct Left {
    /// The first line that counts.
    pub(super) named: Named,
    /// What there is to say.
    pub(super) state: State,
}

/// What a script says of one key in the end.
pub(super) enum State {
    /// It is absent, with all below it.
    Absent,
    /// It is there.
    Present {
        /// These of its values are so, or absent.
        values: BTreeMap<ValueName, (Option<Data>, usize)>,
        /// The line that deleted it, or a key above it, before: it then has these values and no others, and of subkeys
        /// only those that the script makes.
        emptied: Option<usize>,
    },
}

impl Left {
    fn present(named: Named, emptied: Option<usize>) -> Self {
        Self { named, state: State::Present { values: BTreeMap::new(), emptied } }
    }
}

impl Keys {
    /// The keys, each after the one above it.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Left> {
        self.0.values()
    }

    /// The key itself and what the script has left below it.
    pub(super) fn within(&self, path: &KeyPath) -> impl Iterator<Item = &Left> {
        let stored = stored(path);
        self.0.range(stored.clone()..).map_while(move |(key, left)| key.is_within(&stored).then_some(left))
    }

    /// Makes the key, and those above it that the script has deleted; returns what is left of the key.
    pub(super) fn create(&mut self, named: &Named) -> &mut Left {
        let mut at = (stored(&named.path), named.path.clone());
        let stored = at.0.clone();
        let mut missing = Vec::new();
        let emptied = loop {
            match self.0.get(&at.0) {
                Some(Left { state: State::Present { emptied: Some(line), .. }, .. }) => break Some(*line),
                Some(Left { state: State::Absent, named }) => {
                    missing.push(at);
                    break Some(named.line);
                }
                _ => {}
            }
            let above = at.0.parent().map(|stored| (at.1.parent().unwrap_or_else(|| stored.clone()), stored));
            missing.push(at);
            match above {
                Some((path, stored)) => at = (stored, path),
                None => break None,
            }
        };
        // Without a deletion nothing need be said of the keys above: who makes a key makes those.
        for (stored, path) in missing.into_iter().filter(|_| emptied.is_some()) {
            self.0.insert(stored, Left::present(Named { path, ..named.clone() }, emptied));
        }
        self.0.entry(stored).or_insert_with(|| Left::present(named.clone(), emptied))
    }

    /// Deletes the key with all below it.
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
            created |= self.0.remove(&key).is_some_and(|left| matches!(left.state, State::Present { .. }));
        }
        let above = std::iter::successors(stored.parent(), KeyPath::parent).find_map(|key| self.0.get(&key));
        if above.is_some_and(|left| !matches!(left.state, State::Present { emptied: None, .. })) {
            // What is not made in a key that was emptied is absent already.
            return;
        }
        // What was made of the key has made the keys above it, too, and they stay.
        if created && let (Some(path), Some(above)) = (named.path.parent(), stored.parent()) {
            self.0.entry(above).or_insert_with(|| Left::present(Named { path, ..named.clone() }, None));
        }
        self.0.insert(stored, Left { named, state: State::Absent });
    }
}

/// Where a key is, whichever of its names the file uses.
fn stored(path: &KeyPath) -> KeyPath {
    let key = Key::new(path.clone()).one_name(false);
    key.view.stored_at(&key.path)
}
