//! Records which structure each cell belongs to, for the part of the hive that was read.
//!
//! A list, a value and its data each belong to one structure; only security records are shared. A damaged or malicious
//! hive can refer to one cell a thousand times, and would then seem a thousand times its size. Therefore the second
//! structure that refers to a cell is an error.

use std::{
    collections::hash_map::Entry,
    sync::{Mutex, PoisonError},
};

use super::{Error, hash::HashMap};

/// The owner of each cell that was read, both as offsets.
#[derive(Debug, Default)]
pub(super) struct Owners(Mutex<HashMap<u32, u32>>);

/// Returns an empty record: a copy of the hive has read nothing yet.
impl Clone for Owners {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Owners {
    /// Discards all owners.
    pub(super) fn forget(&self) {
        let mut owners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !owners.is_empty() {
            *owners = HashMap::default();
        }
    }

    /// Notes that the structure at `owner` refers to the cell at `at`. Returns whether that is new.
    ///
    /// # Errors
    /// Returns an error where another structure refers to the cell.
    pub(super) fn note(&self, structure: &'static str, at: u32, owner: u32) -> Result<bool, Error> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(at) {
            Entry::Vacant(place) => {
                place.insert(owner);
                Ok(true)
            }
            Entry::Occupied(known) if *known.get() == owner => Ok(false),
            Entry::Occupied(_) => Err(Error::cell(structure, at, "two structures refer to it")),
        }
    }
}
