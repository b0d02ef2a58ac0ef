//! Free cells: where something new goes, and what becomes of what is given back.
//!
//! A cell is taken from the lowest free place that is large enough, so that what is rewritten moves towards the beginning
//! and bins at the end become empty. A free cell grows together with its free neighbours in the same bin.
//!
//! Source: "Hive bin", "Cell", "Unallocated cell".

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        Error, Hive, base,
        bytes::{put, u32_at},
        hive::bin_headers,
    },
    Cache,
    largest::{Largest, PAGE},
};

pub(super) const BIN_HEADER: u32 = 32;
/// Where a bin's header has its size.
pub(super) const BIN_SIZE: usize = 8;
/// The smallest rest of a cell that something is likely to fit into.
const USABLE: u32 = 24;
/// The highest bit of an offset marks volatile cells, which are in no file.
const LARGEST_BINS: u32 = 0x7FFF_F000;

/// The free cells and the bins of a hive.
#[derive(Debug, Clone)]
pub(in super::super) struct Space {
    /// Free cells: place and size.
    free: BTreeMap<u32, u32>,
    /// The same: size and place.
    by_size: BTreeSet<(u32, u32)>,
    /// Where bins begin, in order.
    bins: Vec<u32>,
    largest: Largest,
}

impl Space {
    /// The space of a hive, which must be tiled by bins and cells.
    pub(super) fn of(hive: &Hive) -> Result<Self, Error> {
        let mut space = Self {
            free: BTreeMap::new(),
            by_size: BTreeSet::new(),
            bins: Vec::new(),
            largest: Largest::new(hive.bins_len()),
        };
        let bins = hive.bins()?;
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
    fn take(&mut self, size: u32) -> Option<(u32, u32)> {
        let exact = self.by_size.range((size, 0)..(size + 1, 0)).next().map(|(size, at)| (*at, *size));
        let (at, found) = exact.or_else(|| self.lowest(size + USABLE)).or_else(|| self.lowest(size))?;
        self.remove(at);
        Some((at, found))
    }

    fn lowest(&self, size: u32) -> Option<(u32, u32)> {
        let page = self.largest.first(size)?;
        self.free.range(page * PAGE..).find(|(_, found)| **found >= size).map(|(at, size)| (*at, *size))
    }

    fn insert(&mut self, at: u32, size: u32) {
        self.free.insert(at, size);
        self.by_size.insert((size, at));
        self.largest.raise(at / PAGE, size);
    }

    fn remove(&mut self, at: u32) {
        if let Some(size) = self.free.remove(&at) {
            self.by_size.remove(&(size, at));
        }
        let page = at / PAGE;
        let largest = self.free.range(page * PAGE..(page + 1) * PAGE).map(|(_, size)| *size).max();
        self.largest.set(page, largest.unwrap_or(0));
    }

    /// Beginning and end of the bin around `at`.
    fn bin(&self, at: u32, len: u32) -> (u32, u32) {
        let next = self.bins.partition_point(|start| *start <= at);
        (self.bins.get(next.wrapping_sub(1)).copied().unwrap_or(0), self.bins.get(next).copied().unwrap_or(len))
    }
}

impl Hive {
    /// Allocates a cell for `bytes`, and writes them.
    pub(in super::super) fn allocate(&mut self, bytes: &[u8]) -> Result<u32, Error> {
        let too_large = || Error::TooLarge { what: "a cell", size: bytes.len(), limit: LARGEST_BINS as usize };
        let size = u32::try_from(bytes.len()).ok().filter(|size| *size < LARGEST_BINS).ok_or_else(too_large)?;
        let size = (size + 4).next_multiple_of(8);
        let taken = self.space_mut()?.take(size);
        let place = taken.map_or_else(|| self.grow(size), Ok)?;
        self.fill(place, size, bytes)
    }

    /// Makes an allocated cell of `size` bytes out of a larger one that was taken, and writes `bytes` into it.
    fn fill(&mut self, (at, found): (u32, u32), size: u32, bytes: &[u8]) -> Result<u32, Error> {
        if found > size {
            self.write_free(at + size, found - size)?;
        }
        let start = base::SIZE + at as usize;
        let Some(cell) = self.file_mut()?.get_mut(start..start + size as usize) else {
            return Err(Error::cell("cell", at, "it runs over the end of the hive"));
        };
        cell.fill(0);
        let whole = put(cell, 0, &(-size.cast_signed()).to_le_bytes()) && put(cell, 4, bytes);
        if whole { Ok(at) } else { Err(Error::cell("cell", at, "it is too small for what it should hold")) }
    }

    /// Gives an allocated cell back.
    pub(super) fn release(&mut self, at: u32) -> Result<(), Error> {
        let mut size = self.cell("cell", at)?.len() as u32 + 4;
        let len = self.bins_len() as u32;
        let mut at = at;
        let space = self.space_mut()?;
        let (start, end) = space.bin(at, len);
        if at < start + BIN_HEADER || size > end - at {
            return Err(Error::cell("cell", at, "it does not fit into its bin"));
        }
        if at + size < end
            && let Some(next) = space.free.get(&(at + size)).copied()
        {
            space.remove(at + size);
            size += next;
        }
        let before = space.free.range(start..at).next_back().map(|(at, size)| (*at, *size));
        if let Some((before, before_size)) = before.filter(|(before, size)| before + size == at) {
            space.remove(before);
            at = before;
            size += before_size;
        }
        self.write_free(at, size)
    }

    /// Makes the cell at `at` hold `bytes`, in place where it has just the right size; gives its new place.
    pub(super) fn rewrite(&mut self, at: u32, bytes: &[u8]) -> Result<u32, Error> {
        let cell = self.cell_mut(at)?;
        if cell.len() == (bytes.len() + 4).next_multiple_of(8) - 4 {
            let (head, tail) = cell.split_at_mut(bytes.len());
            head.copy_from_slice(bytes);
            tail.fill(0);
            return Ok(at);
        }
        self.release(at)?;
        self.allocate(bytes)
    }

    /// What the allocated cell at `at` holds.
    pub(super) fn cell_mut(&mut self, at: u32) -> Result<&mut [u8], Error> {
        let len = self.cell("cell", at)?.len();
        let start = base::SIZE + at as usize + 4;
        let cell = self.file_mut()?.get_mut(start..start + len);
        cell.ok_or_else(|| Error::cell("cell", at, "it runs over the end of the hive"))
    }

    /// Drops the bins at the end that hold nothing, as Windows does when it writes a hive.
    pub(super) fn drop_empty_bins(&mut self) -> Result<(), Error> {
        loop {
            let len = self.bins_len() as u32;
            let space = self.space_mut()?;
            let Some(last) = space.bins.last().copied().filter(|last| *last > 0) else { return Ok(()) };
            if space.free.get(&(last + BIN_HEADER)) != Some(&(len - last - BIN_HEADER)) {
                return Ok(());
            }
            space.remove(last + BIN_HEADER);
            space.bins.pop();
            let file = self.file_mut()?;
            file.truncate(base::SIZE + last as usize);
            base::put_u32(file, base::BINS_SIZE, last);
            base::seal(file);
        }
    }

    pub(super) fn cache(&mut self) -> &mut Cache {
        &mut self.cache
    }

    fn space_mut(&mut self) -> Result<&mut Space, Error> {
        self.space.as_deref_mut().ok_or(Error::ReadOnly)
    }

    /// Adds a bin with a free cell of at least `size` bytes, and takes that.
    fn grow(&mut self, size: u32) -> Result<(u32, u32), Error> {
        let start = self.bins_len() as u32;
        let limit = LARGEST_BINS as usize;
        let too_large = || Error::TooLarge { what: "a hive", size: start as usize + size as usize, limit };
        let bin =
            size.checked_add(BIN_HEADER).and_then(|size| size.checked_next_multiple_of(PAGE)).ok_or_else(too_large)?;
        let end = start.checked_add(bin).filter(|end| *end <= LARGEST_BINS).ok_or_else(too_large)?;
        let file = self.file_mut()?;
        file.resize(base::SIZE + end as usize, 0);
        let header = file.get_mut(base::SIZE + start as usize..).unwrap_or_default();
        let whole = put(header, 0, b"hbin")
            && put(header, 4, &start.to_le_bytes())
            && put(header, BIN_SIZE, &bin.to_le_bytes());
        debug_assert!(whole, "a bin has room for its header");
        base::put_u32(file, base::BINS_SIZE, end);
        base::seal(file);
        self.space_mut()?.bins.push(start);
        Ok((start + BIN_HEADER, bin - BIN_HEADER))
    }

    fn write_free(&mut self, at: u32, size: u32) -> Result<(), Error> {
        if !put(self.file_mut()?, base::SIZE + at as usize, &size.cast_signed().to_le_bytes()) {
            return Err(Error::cell("cell", at, "it runs over the end of the hive"));
        }
        self.space_mut()?.insert(at, size);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_neighbours_become_one_cell() {
        let mut hive = Hive::create(super::super::Filetime(0)).unwrap();
        let free = |hive: &Hive| hive.space.as_ref().map(|space| space.free.clone()).unwrap();
        let before = free(&hive);
        let cells: Vec<u32> = (0..5).map(|i| hive.allocate(&[1; 20][..10 + i]).unwrap()).collect();
        for i in [1, 3, 2, 0, 4] {
            hive.release(cells[i]).unwrap();
        }
        assert_eq!(free(&hive), before);
        assert!(hive.release(cells[0]).is_err(), "a cell cannot be given back twice");
    }
}
