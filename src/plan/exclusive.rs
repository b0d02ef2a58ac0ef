//! Keys that hold what a spec names and nothing else: what of their contents goes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    observe::Reader,
    registry::{Key, ValueName},
    spec::{document::Exclusive, is_protected},
    targets::{Unread, ValueChange},
};

use super::desired_state::{Wants, within};

/// What is not named by the spec in keys that hold nothing else.
#[derive(Default)]
pub(super) struct Rest {
    /// Keys in which values that the spec does not name go.
    pub values: BTreeSet<Key>,
    /// The topmost keys that go, with all below them.
    pub keys: BTreeSet<Key>,
    /// What kbfix does not do.
    pub refused: Vec<String>,
    /// What could not be read, so that nothing can be said, and of which key.
    pub unknown: Vec<(Key, String)>,
}

/// Asks what [`rest`] will ask of the key, also where its rule does not count.
pub(super) fn ask(key: &Key, exclusive: Exclusive, reader: &Reader<'_>) {
    match exclusive {
        Exclusive::Values => drop(reader.all_values(key)),
        Exclusive::Tree => drop(reader.tree(key)),
    }
}

/// Works out what goes from the exclusive keys of `wants`.
pub(super) fn rest(wants: &Wants<'_>, reader: &Reader<'_>) -> Rest {
    let mut rest = Rest::default();
    let named = if wants.exclusive.is_empty() { BTreeSet::new() } else { wants.named() };
    for (key, exclusive) in &wants.exclusive {
        // Validation refuses what a spec names; under which name the target has it is known only here.
        if is_protected(key) {
            rest.refused.push(format!("{key} is a key that Windows cannot do without; kbfix never empties it"));
            continue;
        }
        rest.values.insert(key.clone());
        if *exclusive == Exclusive::Values {
            continue;
        }
        match reader.tree(key) {
            Ok(tree) => {
                for below in tree.into_iter().map(|image| image.key) {
                    if named.contains(&below) || below == *key {
                        rest.values.insert(below);
                    } else if within(&below, &rest.keys).is_none() {
                        rest.keys.insert(below);
                    }
                }
            }
            Err(why) => rest.unknown.push((key.clone(), format!("{key}, which is to hold nothing else: {why}"))),
        }
    }
    rest
}

/// The deletion of each value of the key that `is_named` does not know.
///
/// # Errors
/// The first value that could not be read, or why the key's values could not be listed.
pub(super) fn other_values(
    key: &Key,
    is_named: impl Fn(&ValueName) -> bool,
    reader: &Reader<'_>,
) -> Result<Vec<ValueChange>, Unread> {
    let found: BTreeMap<_, _> = reader.all_values(key).known()?.unwrap_or_default();
    let others = found.into_iter().filter(|(name, _)| !is_named(name));
    let gone = others.map(|(name, data)| Ok(ValueChange { name, before: data.known()?, after: None }));
    gone.collect()
}
