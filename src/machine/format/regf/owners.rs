//! Records which structure of a hive refers to each cell, for the part of the hive that was read.
//!
//! Only one structure may refer to a list, a value or its data. A damaged or malicious hive can refer to one cell a
//! thousand times; reading all references would then take a thousand times as much time and memory. Therefore kbfix
//! returns an error for the second structure that refers to a cell. Security records, which keys share, are excepted.

use std::{
    collections::hash_map::Entry,
    sync::{Mutex, PoisonError},
};

use super::{
    Error,
    hash::{HashMap, SMALL_TABLE},
};

/// For the offset of each cell that was read, the offset of the structure that refers to it.
#[derive(Debug, Default)]
pub(super) struct Owners(Mutex<HashMap<u32, u32>>);

/// Returns an empty record, because nothing in the copy of the hive was read yet.
impl Clone for Owners {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Owners {
    /// Discards what was recorded about all cells: which structure refers to each of them.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = HashMap::default();
    }

    /// Discards the whole record, before a change of the hive. An editor makes many changes, so a small table is kept
    /// for the next record.
    pub(super) fn forget_for_change(&mut self) {
        let owners = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if owners.capacity() <= SMALL_TABLE {
            owners.clear();
        } else {
            *owners = HashMap::default();
        }
    }

    /// Records that the structure at the offset `owner` refers to the cell at the offset `at`. Returns true if this
    /// reference is new, and false if it was already recorded.
    ///
    /// # Errors
    /// Returns an error if another structure already refers to the cell.
    pub(super) fn note(&self, structure: &'static str, at: u32, owner: u32) -> Result<bool, Error> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(at) {
            Entry::Vacant(place) => {
                place.insert(owner);
                Ok(true)
            }
            Entry::Occupied(known) if *known.get() == owner => Ok(false),
            Entry::Occupied(_) => Err(Error::cell(structure, at, "two structures refer to the same cell")),
        }
    }
}
