//! The editor: keys and values created, replaced and deleted, in memory.
//!
//! What is equal already is not written. What cannot be done is refused before anything is changed; should an edit fail
//! half way all the same, on a damaged hive, the hive in memory is marked broken and cannot be saved.

mod class;
mod compact;
mod keys;
mod relocate;
mod security;
mod space;
mod subkeys;
mod values;

use super::{Error, Filetime, Hive, Node, bytes::put, free_space::Space};

/// Changes a hive in memory; made by [`Hive::edit`].
///
/// Paths are names joined by backslashes, below the hive's root; names compare without case. What a key says about its
/// largest subkey, value and data is brought up to date when the editor is dropped, or later where it is suspended.
#[derive(Debug)]
pub struct Editor<'a> {
    hive: &'a mut Hive,
    now: Filetime,
}

impl Hive {
    /// Begins to change the hive; keys that are changed get `now` as their time. Refused for a hive that is read only,
    /// and for one whose cells do not tile its bins, since no free cell of it could be trusted.
    pub fn edit(&mut self, now: Filetime) -> Result<Editor<'_>, Error> {
        self.writable()?;
        if self.space.is_none() {
            self.store.load()?;
            self.space = Some(Box::new(Space::of(self.bins()?)?));
            self.cache.session = self.fullness();
        }
        Ok(Editor { hive: self, now })
    }

    /// Brings up to date what keys say about their largest subkey, value and data, where an editor was suspended.
    ///
    /// # Errors
    /// [`Error`] for a key that cannot be read; the hive is then broken.
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
            Err(Error::cell("cell", at, "it is too small for what it should hold"))
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
    /// The hive as it is now.
    pub fn hive(&self) -> &Hive {
        self.hive
    }

    /// Ends these edits for now: more will follow. To count what a key holds after each of many edits of it would take as long as the
    /// square of their number; [`Hive::settle`] and [`Hive::to_bytes`] do it once.
    pub fn suspend(self) {
        std::mem::forget(self);
    }

    /// Runs the part of an edit that changes the hive.
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

    fn existing(&self, path: &str) -> Result<Node, Error> {
        self.hive.writable()?;
        self.hive.find(path)?.ok_or_else(|| Error::NoSuchKey(path.to_owned()))
    }
}

impl Drop for Editor<'_> {
    fn drop(&mut self) {
        // That it failed is remembered: a broken hive is not written.
        let _ = self.hive.settle();
    }
}
