//! The editor: creates, replaces and deletes keys and values in memory.
//!
//! Data that is already as wanted is not written. An impossible edit is refused before anything is changed. If an edit
//! of a damaged hive nevertheless fails halfway, the hive in memory is marked as broken and cannot be saved.

mod class;
mod compact;
mod keys;
mod relocate;
mod security;
mod space;
mod subkeys;
mod values;

use super::{Error, Filetime, Hive, Node, base, bytes::put, free_space::Space};

/// Edits a hive in memory; created by [`Hive::edit`].
///
/// Paths are names joined by backslashes, below the hive's root. Names are compared without regard to case. Each key
/// records the sizes of its largest subkey, value and data. These records are updated when the editor is dropped, or
/// later if it is suspended.
#[derive(Debug)]
pub struct Editor<'a> {
    hive: &'a mut Hive,
    now: Filetime,
}

impl Hive {
    /// Returns an editor. Keys that it changes get `now` as the time of their last write.
    ///
    /// Returns an error for a read-only hive, and for a hive whose cells do not fill its bins: there, a cell that is
    /// marked as free could be in use.
    pub fn edit(&mut self, now: Filetime) -> Result<Editor<'_>, Error> {
        self.writable()?;
        if self.space.is_none() {
            self.store.load()?;
            self.space = Some(Box::new(Space::of(self.bins()?)?));
            self.cache.session = self.fullness();
        }
        Ok(Editor { hive: self, now })
    }

    /// Checks that cells fill the hive's bins, without which [`Hive::edit`] is refused. A file that is read on demand
    /// is read once more for it, and nothing of that is kept.
    ///
    /// # Errors
    /// Returns [`Error`] for the first bin or cell that is wrong, or where the file cannot be read.
    pub fn check_bins(&self) -> Result<(), Error> {
        if self.space.is_some() {
            return Ok(());
        }
        Space::of(self.store.passing()?.get(base::SIZE..).unwrap_or_default()).map(drop)
    }

    /// Updates the sizes that keys record of their largest subkey, value and data, after an editor was suspended.
    ///
    /// # Errors
    /// Returns [`Error`] for a key that cannot be read; the hive is then broken.
    pub fn settle(&mut self) -> Result<(), Error> {
        for node in std::mem::take(&mut self.cache.stale) {
            self.recount(node).inspect_err(|_| self.broken = true)?;
        }
        Ok(())
    }

    /// Writes into the allocated cell at `at`.
    pub(super) fn put(&mut self, at: u32, field: usize, bytes: &[u8]) -> Result<(), Error> {
        let cell = self.cell_mut(at)?;
        if put(cell, field, bytes) {
            Ok(())
        } else {
            Err(Error::cell("cell", at, "the cell is too small for the bytes to write"))
        }
    }

    pub(super) fn put_u16(&mut self, at: u32, field: usize, number: u16) -> Result<(), Error> {
        self.put(at, field, &number.to_le_bytes())
    }

    pub(super) fn put_u32(&mut self, at: u32, field: usize, number: u32) -> Result<(), Error> {
        self.put(at, field, &number.to_le_bytes())
    }

    fn put_time(&mut self, node: u32, now: Filetime) -> Result<(), Error> {
        self.put(node, super::node::LAST_WRITTEN, &now.0.to_le_bytes())
    }
}

impl Editor<'_> {
    /// Returns the hive in its present state.
    pub fn hive(&self) -> &Hive {
        self.hive
    }

    /// Ends these edits without updating the sizes that keys record, because more edits will follow. Updating them
    /// after each of many edits would take quadratic time; [`Hive::settle`] and [`Hive::to_bytes`] update them once.
    pub fn suspend(self) {
        std::mem::forget(self);
    }

    /// Runs the part of an edit that changes the hive. After an error, the hive is marked as broken.
    fn change<T>(&mut self, edit: impl FnOnce(&mut Hive, Filetime) -> Result<T, Error>) -> Result<T, Error> {
        let done = edit(self.hive, self.now);
        match done {
            Ok(_) => {
                self.hive.changed = true;
                self.hive.remnant = 0;
            }
            Err(_) => self.hive.broken = true,
        }
        done
    }

    /// Returns the key at `path`, which must exist. Edits of values do not move it.
    ///
    /// # Errors
    /// Returns [`Error::NoSuchKey`] if the key is absent, or another [`Error`] if it cannot be found or changed.
    pub fn existing(&self, path: &str) -> Result<Node, Error> {
        self.hive.writable()?;
        self.hive.find(path)?.ok_or_else(|| Error::NoSuchKey(path.to_owned()))
    }
}

impl Drop for Editor<'_> {
    fn drop(&mut self) {
        // A failure marks the hive as broken, so it will not be written.
        let _ = self.hive.settle();
    }
}
