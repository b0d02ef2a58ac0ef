//! The free cells of a hive, and what an editor remembers of it between edits.
//!
//! Source: "Cell", "Unallocated cell".

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    Error,
    bin::{BIN_HEADER, bin_headers},
    bytes::u32_at,
    largest::{Largest, PAGE},
};

/// The smallest rest of a cell that something is likely to fit into.
const USABLE: u32 = 24;

/// The free cells and the bins of a hive.
#[derive(Debug, Clone)]
pub(super) struct Space {
    /// Free cells: place and size.
    pub(super) free: BTreeMap<u32, u32>,
    /// The same: size and place.
    pub(super) by_size: BTreeSet<(u32, u32)>,
    /// Where bins begin, in order.
    pub(super) bins: Vec<u32>,
    pub(super) largest: Largest,
}

impl Space {
    /// The space of a hive's bins, which must be tiled by cells.
    pub(super) fn of(bins: &[u8]) -> Result<Self, Error> {
        let mut space = Self {
            free: BTreeMap::new(),
            by_size: BTreeSet::new(),
            bins: Vec::new(),
            largest: Largest::new(bins.len()),
        };
        for bin in bin_headers(bins) {
            let (start, size) = bin?;
            space.bins.push(start);
            let (mut at, end) = (start + BIN_HEADER, start + size);
            while at < end {
                let number = u32_at(bins, at as usize).unwrap_or_default().cast_signed();
                let size = number.unsigned_abs();
                if size < 8 || !size.is_multiple_of(8) || size > end - at {
                    return Err(Error::cell("cell", at, "it does not fit into its bin"));
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

    /// How many bytes of the bins, which are `len` bytes long, are in allocated cells.
    pub(super) fn used(&self, len: usize) -> usize {
        let free: usize = self.free.values().map(|size| *size as usize).sum();
        len.saturating_sub(free + self.bins.len() * BIN_HEADER as usize)
    }

    /// Takes a free cell of at least `size` bytes out of the free ones; gives its place and size. The lowest one of just
    /// this size, else the lowest one that leaves a usable rest, else the lowest one.
    pub(super) fn take(&mut self, size: u32) -> Option<(u32, u32)> {
        let exact = self.by_size.range((size, 0)..(size + 1, 0)).next().map(|(size, at)| (*at, *size));
        let (at, found) = exact.or_else(|| self.lowest(size + USABLE)).or_else(|| self.lowest(size))?;
        self.remove(at);
        Some((at, found))
    }

    pub(super) fn lowest(&self, size: u32) -> Option<(u32, u32)> {
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

    /// Beginning and end of the bin around `at`.
    pub(super) fn bin(&self, at: u32, len: u32) -> (u32, u32) {
        let next = self.bins.partition_point(|start| *start <= at);
        (self.bins.get(next.wrapping_sub(1)).copied().unwrap_or(0), self.bins.get(next).copied().unwrap_or(len))
    }
}

/// What the editor remembers of a hive between edits. All of it can be found again in the hive.
#[derive(Debug, Clone, Default)]
pub(super) struct Cache {
    /// Keys whose subkey lists are known to be in order.
    pub(super) sorted: HashSet<u32>,
    /// Keys that may name a largest subkey, value or data that is gone.
    pub(super) stale: HashSet<u32>,
    /// The values of the key that was edited last: their names in upper case, and their places.
    pub(super) values: Option<(u32, HashMap<Vec<u16>, u32>)>,
    /// The security descriptors of the hive, and where the record of each is.
    pub(super) security: Option<HashMap<Vec<u8>, u32>>,
    /// Whether something was deleted since the hive was last written out.
    pub(super) shrunk: bool,
    /// How full the hive was when it was opened or last written out.
    pub(super) session: Option<Fullness>,
}

impl Cache {
    /// Forgets what holds only as long as cells stay where they are.
    pub(super) fn forget_places(&mut self) {
        self.sorted.clear();
        self.values = None;
        self.security = None;
    }
}

/// How long and how full a hive is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fullness {
    /// The length of its bins.
    pub(super) len: usize,
    /// How much of that is in allocated cells.
    pub(super) used: usize,
}
