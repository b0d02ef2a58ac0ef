//! Records which subkey lists were read from beginning to end and found to be sound and sorted.
//!
//! A key that a binary search does not find in such a list is absent; in any other list all keys are read before that is
//! said. Without this record, each of many absent keys below one key would read all that are there.

use std::sync::{Mutex, PoisonError};

use super::hash::HashSet;

/// The keys with such lists, as offsets.
#[derive(Debug, Default)]
pub(super) struct Ordered(Mutex<HashSet<u32>>);

/// Returns an empty record: a copy of the hive has read nothing yet.
impl Clone for Ordered {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Ordered {
    /// Notes that the lists of the key at `key` are sorted.
    pub(super) fn note(&self, key: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Returns whether the lists of the key at `key` are known to be sorted.
    pub(super) fn knows(&self, key: u32) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// Discards all: the hive is about to change.
    pub(super) fn forget(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.is_empty() {
            *known = HashSet::default();
        }
    }
}
