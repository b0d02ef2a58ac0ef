//! Records the path that was found last in a hive, and the key at its end.
//!
//! An apply changes many keys below one key, and each of them is looked up several times. With this record, the keys
//! above them are looked up only once.

use std::sync::{Mutex, PoisonError};

/// The path below the hive's root that was found last, and the offset of the key at its end; `None` if nothing is
/// recorded. No key on the path is a symbolic link.
#[derive(Debug, Default)]
pub(super) struct LastAbove(Mutex<Option<(String, u32)>>);

/// Returns an empty record, because nothing in the copy of the hive was read yet.
impl Clone for LastAbove {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl LastAbove {
    /// Records the offset of the key at `path`.
    pub(super) fn note(&self, path: &str, key: u32) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((path.to_owned(), key));
    }

    /// Returns the offset of the key at `path`; `None` unless this path, in this spelling, was recorded last.
    pub(super) fn get(&self, path: &str) -> Option<u32> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(known, _)| known == path).map(|(_, key)| *key)
    }

    /// Discards the recorded path and offset, because a key is about to be deleted or moved.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
