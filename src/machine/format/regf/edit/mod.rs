//! The editor of a hive: creates, replaces and deletes keys and values in memory.
//!
//! An edit that would not change anything writes nothing. An edit that is not possible is refused before anything is
//! changed. If an edit of a damaged hive nevertheless fails halfway, the hive in memory is marked as broken and cannot
//! be saved.

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
/// stores the sizes of its largest subkey, value and data. These sizes are updated when the editor is dropped, or later
/// if [`Editor::suspend`] is called.
#[derive(Debug)]
pub struct Editor<'a> {
    hive: &'a mut Hive,
    now: Filetime,
}

impl Hive {
    /// Returns an editor of the hive. Keys that it changes get `now` as the time of their last write.
    ///
    /// Returns an error for a hive that is read-only, broken or cannot be read, and for a hive whose bins are not
    /// filled with cells: there, a cell that is marked as free could be in use.
    pub fn edit(&mut self, now: Filetime) -> Result<Editor<'_>, Error> {
        self.writable()?;
        if self.space.is_none() {
            self.store.load()?;
            self.space = Some(Box::new(Space::of(self.bins()?)?));
            self.cache.session = self.fullness();
        }
        Ok(Editor { hive: self, now })
    }

    /// Checks that cells fill the hive's bins; otherwise [`Hive::edit`] refuses the hive.
    ///
    /// If the file is read on demand, it is read completely for this check, but not kept in memory.
    ///
    /// # Errors
    /// Returns [`Error`] for the first bin or cell that is wrong, or if the file cannot be read.
    pub fn check_bins(&self) -> Result<(), Error> {
        if self.space.is_some() {
            return Ok(());
        }
        Space::of(self.store.passing()?.get(base::SIZE..).unwrap_or_default()).map(drop)
    }

    /// Updates the sizes that keys store for their largest subkey, value and data, after [`Editor::suspend`].
    ///
    /// # Errors
    /// Returns [`Error`] for a key that cannot be read; the hive is then marked as broken.
    pub fn settle(&mut self) -> Result<(), Error> {
        for node in std::mem::take(&mut self.cache.stale) {
            self.recount(node).inspect_err(|_| self.broken = true)?;
        }
        Ok(())
    }

    /// Writes `bytes` into the allocated cell at the offset `at`, from its byte number `field` on.
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
    /// Returns the hive with all edits so far.
    pub fn hive(&self) -> &Hive {
        self.hive
    }

    /// Drops the editor without updating the sizes that keys store, because more edits will follow.
    ///
    /// [`Hive::settle`] and [`Hive::to_bytes`] update the sizes once for all edits. Updating them after each of many
    /// edits would take quadratic time.
    pub fn suspend(self) {
        std::mem::forget(self);
    }

    /// Calls `edit`, which changes the hive. If it returns an error, the hive is marked as broken.
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

    /// Returns the key at `path`, which must exist. The result stays valid while only values are edited.
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
