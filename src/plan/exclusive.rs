//! Finds the contents of exclusive keys that the spec does not name, and that must therefore be deleted.

use std::collections::BTreeSet;

use crate::{
    observe::Reader,
    registry::{Key, ValueName},
    spec::{document::Exclusive, is_protected},
    targets::{Unread, ValueChange},
};

use super::desired_state::{DesiredState, within};

/// What must be deleted because the spec does not name it, although it is in or below an `exclusive` key.
#[derive(Default)]
pub(super) struct Rest {
    /// The keys in which every value that the spec does not name is deleted.
    pub values: BTreeSet<Key>,
    /// The keys to delete, with everything below them.
    pub keys: BTreeSet<Key>,
    /// For each exclusive key whose contents kbfix refuses to delete, the reason as a sentence.
    pub refused: Vec<String>,
    /// Keys whose contents could not be read, each with the reason.
    pub unknown: Vec<(Key, String)>,
}

/// Requests the facts about the key that [`rest`] needs if the rule about the key applies. They are requested in any
/// case, so that a snapshot contains them.
pub(super) fn ask(key: &Key, exclusive: Exclusive, reader: &Reader<'_>) {
    match exclusive {
        Exclusive::Values => drop(reader.all_values(key)),
        Exclusive::Tree => drop(reader.tree(key)),
    }
}

/// Returns everything that must be deleted from the exclusive keys in `wants`.
pub(super) fn rest(wants: &DesiredState<'_>, reader: &Reader<'_>) -> Rest {
    let mut rest = Rest::default();
    let named = if wants.exclusive.is_empty() { BTreeSet::new() } else { wants.named() };
    for (key, exclusive) in &wants.exclusive {
        // Validation refuses the protected keys that a spec names; the canonical name of this key is known only here.
        if is_protected(key) {
            rest.refused.push(format!("Windows needs the key {key}, so kbfix never deletes its contents"));
            continue;
        }
        rest.values.insert(key.clone());
        if *exclusive == Exclusive::Values {
            continue;
        }
        match reader.tree(key) {
            Ok(tree) => {
                for below in tree.into_iter().map(|image| image.key) {
                    if within(&below, &wants.spared_trees).is_some() {
                        continue;
                    }
                    if named.contains(&below) || below == *key {
                        rest.values.insert(below);
                    } else if within(&below, &rest.keys).is_none() {
                        rest.keys.insert(below);
                    }
                }
            }
            Err(why) => {
                let why =
                    format!("the content of {key}, which must contain only what the spec names, is not known: {why}");
                rest.unknown.push((key.clone(), why));
            }
        }
    }
    rest
}

/// Returns a deletion for each value in the key for which `is_named` is false; none if the key is absent.
///
/// # Errors
///
/// Returns the reason why a value, or the list of the key's values, could not be read.
pub(super) fn other_values(
    key: &Key,
    is_named: impl Fn(&ValueName) -> bool,
    reader: &Reader<'_>,
) -> Result<Vec<ValueChange>, Unread> {
    let found = reader.all_values(key).known()?.unwrap_or_default();
    let others = found.into_iter().filter(|(name, _)| !is_named(name));
    let gone = others.map(|(name, data)| Ok(ValueChange { name, before: data.state()?, after: None }));
    gone.collect()
}
