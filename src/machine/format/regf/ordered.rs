//! Records which subkey lists were read from beginning to end and found to be sound and sorted.
//!
//! If a binary search does not find a key in such a list, the key is absent. In any other list, all keys are read
//! before the key is reported as absent. Without this record, looking up many absent keys below one key would read all
//! of its subkeys each time.

use std::sync::{Mutex, PoisonError};

use super::hash::{HashSet, SMALL_TABLE};

/// The keys whose lists were found to be sorted, as offsets.
#[derive(Debug, Default)]
pub(super) struct Ordered(Mutex<HashSet<u32>>);

/// Returns an empty record, because nothing of the copied hive was read yet.
impl Clone for Ordered {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Ordered {
    /// Records that the lists of the key at `key` are sorted.
    pub(super) fn note(&self, key: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Returns whether the lists of the key at `key` are known to be sorted.
    pub(super) fn knows(&self, key: u32) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// Discards the whole record, because the hive is about to change.
    pub(super) fn forget(&self) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.capacity() <= SMALL_TABLE {
            known.clear();
        } else {
            *known = HashSet::default();
        }
    }
}
