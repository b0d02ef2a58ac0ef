//! The free cells of a hive, and the cache of the hive's editor.
//!
//! Source: Suhanov's specification of the hive format, "Cell", "Unallocated cell".

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Error,
    bin::{BIN_HEADER, bin_headers},
    bytes::u32_at,
    hash::{HashMap, HashSet},
    largest::{Largest, PAGE},
};

/// The size in bytes from which the rest of a free cell, after a new cell was cut from it, is likely to be useful.
const USABLE: u32 = 24;

/// The free cells and the bins of a hive.
#[derive(Debug, Clone)]
pub(super) struct Space {
    /// The size of each free cell, by its offset.
    pub(super) free: BTreeMap<u32, u32>,
    /// The same free cells as pairs of size and offset, ordered by size.
    pub(super) by_size: BTreeSet<(u32, u32)>,
    /// The offsets of the bins, in order.
    pub(super) bins: Vec<u32>,
    pub(super) largest: Largest,
    /// The free cell from which the last new cell was cut; `None` if there is none. It is in none of the other fields:
    /// most new cells are cut from it, and updating the other fields each time would take longer than all else.
    open: Option<Open>,
}

/// A free cell from which new cells are cut.
#[derive(Debug, Clone, Copy)]
struct Open {
    at: u32,
    size: u32,
    /// For a new cell of this size or more, this is known to be the suitable free cell with the lowest offset.
    least: u32,
}

impl Space {
    /// Finds the free cells in the bins of a hive. Returns an error if there is no bin, or if the cells do not fill the
    /// bins.
    pub(super) fn of(bins: &[u8]) -> Result<Self, Error> {
        let mut space = Self {
            free: BTreeMap::new(),
            by_size: BTreeSet::new(),
            bins: Vec::new(),
            largest: Largest::new(bins.len()),
            open: None,
        };
        for bin in bin_headers(bins) {
            let (start, size) = bin?;
            space.bins.push(start);
            let (mut at, end) = (start + BIN_HEADER, start + size);
            while at < end {
                let number = u32_at(bins, at as usize).unwrap_or_default().cast_signed();
                let size = number.unsigned_abs();
                if size < 8 || !size.is_multiple_of(8) || size > end - at {
                    return Err(Error::cell("cell", at, "the cell does not fit into its bin"));
                }
                if number > 0 {
                    space.insert(at, size);
                }
                at += size;
            }
        }
        if space.bins.is_empty() {
            return Err(Error::cell("hive bin", 0, "there is none"));
        }
        Ok(space)
    }

    /// Returns the number of bytes in allocated cells. `len` is the length of all hive bins.
    pub(super) fn used(&self, len: usize) -> usize {
        let open = self.open.iter().map(|open| &open.size);
        let free: usize = self.free.values().chain(open).map(|size| *size as usize).sum();
        len.saturating_sub(free + self.bins.len() * BIN_HEADER as usize)
    }

    /// Removes a free cell of at least `size` bytes from the free cells. Returns its offset and size; `None` if there
    /// is no such cell.
    ///
    /// Prefers a cell of exactly this size, then one that leaves a usable remainder, then any other. Of several such
    /// cells, takes the one with the lowest offset.
    pub(super) fn take(&mut self, size: u32) -> Option<(u32, u32)> {
        let exact = |space: &Self| space.by_size.range((size, 0)..(size + 1, 0)).next().map(|(size, at)| (*at, *size));
        let mut found = exact(self);
        if found.is_none() {
            let is_lowest = |open: &mut Open| open.least <= size && open.size >= size + USABLE;
            if let Some(open) = self.open.take_if(is_lowest) {
                return Some((open.at, open.size));
            }
            self.close();
            found = exact(self).or_else(|| self.lowest(size + USABLE)).or_else(|| self.lowest(size));
        }
        self.remove(found?.0);
        found
    }

    /// Sets the free cell from which the next new cells are cut: `size` bytes from the offset `at` on. They are the
    /// rest of a free cell from which a new cell of `cut` bytes was cut.
    pub(super) fn open(&mut self, at: u32, size: u32, cut: u32) {
        self.close();
        self.open = Some(Open { at, size, least: cut });
    }

    /// Moves the cell from which new cells are cut, if there is one, to the other free cells.
    pub(super) fn close(&mut self) {
        if let Some(Open { at, size, .. }) = self.open.take() {
            self.insert(at, size);
        }
    }

    fn lowest(&self, size: u32) -> Option<(u32, u32)> {
        let page = self.largest.first(size)?;
        self.free.range(page * PAGE..).find(|(_, found)| **found >= size).map(|(at, size)| (*at, *size))
    }

    pub(super) fn insert(&mut self, at: u32, size: u32) {
        self.free.insert(at, size);
        self.by_size.insert((size, at));
        self.largest.raise(at / PAGE, size);
    }

    pub(super) fn remove(&mut self, at: u32) {
        if let Some(size) = self.free.remove(&at) {
            self.by_size.remove(&(size, at));
        }
        let page = at / PAGE;
        let largest = self.free.range(page * PAGE..(page + 1) * PAGE).map(|(_, size)| *size).max();
        self.largest.set(page, largest.unwrap_or(0));
    }

    /// Returns the start and end of the bin that contains the offset `at`. `len` is the length of all hive bins.
    pub(super) fn bin(&self, at: u32, len: u32) -> (u32, u32) {
        let next = self.bins.partition_point(|start| *start <= at);
        (self.bins.get(next.wrapping_sub(1)).copied().unwrap_or(0), self.bins.get(next).copied().unwrap_or(len))
    }
}

/// Data that the editor of a hive keeps between edits. All of it can be computed again from the hive.
#[derive(Debug, Clone, Default)]
pub(super) struct Cache {
    /// The offsets of the keys whose subkey lists are known to be sorted.
    pub(super) sorted: HashSet<u32>,
    /// The offsets of the keys whose stored sizes (of the largest subkey, value or data) may be out of date.
    pub(super) stale: HashSet<u32>,
    /// The offset of the key with many values that was edited last, and its values: their names in upper case, and
    /// their offsets. `None` if they are not known.
    pub(super) values: Option<(u32, HashMap<Vec<u16>, u32>)>,
    /// The number of values that will be added to one key next.
    pub(super) coming: usize,
    /// The security descriptors of the hive, each with the offset of its security record; `None` if they were not read
    /// yet.
    pub(super) security: Option<HashMap<Vec<u8>, u32>>,
    /// Whether a key or value was deleted, or data became shorter, since the hive was last written.
    pub(super) shrunk: bool,
    /// The fullness of the hive before the first edit, or when it was last written.
    pub(super) session: Option<Fullness>,
}

impl Cache {
    /// Removes the data that becomes invalid when cells are moved.
    pub(super) fn forget_places(&mut self) {
        self.sorted.clear();
        self.values = None;
        self.security = None;
    }
}

/// The length of a hive, and how much of it is in use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fullness {
    /// The length of all hive bins in bytes.
    pub(super) len: usize,
    /// The number of bytes in allocated cells.
    pub(super) used: usize,
}
