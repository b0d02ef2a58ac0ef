//! Records which subkey lists were read completely and found to be valid and sorted.
//!
//! If a binary search does not find a key in such a list, the key is absent. In any other list, all keys are read
//! before the key is reported as absent. Without this record, each look-up of an absent key would read all subkeys of
//! its parent.

use std::sync::{Mutex, PoisonError};

use super::hash::{HashSet, SMALL_TABLE};

/// The offsets of the keys whose subkey lists were found to be sorted.
#[derive(Debug, Default)]
pub(super) struct Ordered(Mutex<HashSet<u32>>);

/// Returns an empty record, because nothing in the copy of the hive was read yet.
impl Clone for Ordered {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Ordered {
    /// Records that the subkey lists of the key at this offset are sorted.
    pub(super) fn note(&self, key: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Returns whether the subkey lists of the key at this offset are known to be sorted.
    pub(super) fn knows(&self, key: u32) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// Discards what is known about all keys, because the hive is about to change.
    pub(super) fn forget(&mut self) {
        let known = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if known.capacity() <= SMALL_TABLE {
            known.clear();
        } else {
            *known = HashSet::default();
        }
    }
}
