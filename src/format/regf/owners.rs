//! Which structure a cell belongs to, as far as the hive was read.
//!
//! A list, a value and its data belong to one structure each; only security records are shared. A hive that was damaged, or made
//! so, can name one cell a thousand times, and would then read as a thousand times its size: the second structure that refers to a
//! cell is an error.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, PoisonError},
};

use super::Error;

/// The owner of each cell that was read, by their places.
#[derive(Debug, Default)]
pub(super) struct Owners(Mutex<HashMap<u32, u32>>);

/// A copy has read nothing yet.
impl Clone for Owners {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Owners {
    /// Forgets all of them.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = HashMap::new();
    }

    /// Notes that the structure at `owner` refers to the cell at `at`. Returns whether that is new.
    ///
    /// # Errors
    /// Where another structure refers to the cell.
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
