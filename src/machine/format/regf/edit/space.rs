//! Allocates and releases cells of a hive.
//!
//! A new cell is placed at the lowest suitable offset, so that rewritten cells move towards the beginning of the file,
//! and bins at its end become empty. A free cell is merged with its free neighbors in the same bin.
//!
//! Source: Suhanov's specification of the hive format, "Hive bin", "Cell", "Unallocated cell".

use super::super::{
    Error, Hive, base,
    bin::{BIN_HEADER, BIN_SIZE},
    bytes::put,
    free_space::{Cache, Space},
    largest::PAGE,
};

/// The maximum total length of the hive bins in bytes. An offset with its highest bit set is that of a volatile cell,
/// which is not in the file.
const LARGEST_BINS: u32 = 0x7FFF_F000;

impl Hive {
    /// Allocates a cell, writes `bytes` into it, and returns its offset.
    pub(in super::super) fn allocate(&mut self, bytes: &[u8]) -> Result<u32, Error> {
        let too_large = || Error::TooLarge {
            what: "the length of a cell in bytes",
            size: bytes.len(),
            limit: LARGEST_BINS as usize,
        };
        let size = u32::try_from(bytes.len()).ok().filter(|size| *size < LARGEST_BINS).ok_or_else(too_large)?;
        let size = (size + 4).next_multiple_of(8);
        let taken = self.space_mut()?.take(size);
        let place = taken.map_or_else(|| self.grow(size), Ok)?;
        self.fill(place, size, bytes)
    }

    /// Puts a new cell of `size` bytes, which contains `bytes`, at the beginning of the free cell at `at`, which has
    /// `found` bytes. The rest stays free. Returns the offset of the new cell.
    fn fill(&mut self, (at, found): (u32, u32), size: u32, bytes: &[u8]) -> Result<u32, Error> {
        if found > size {
            self.write_size(at + size, found - size)?;
            self.space_mut()?.open(at + size, found - size, size);
        }
        let start = base::SIZE + at as usize;
        let Some(cell) = self.file_mut()?.get_mut(start..start + size as usize) else {
            return Err(Error::cell("cell", at, "the structure extends beyond the end of the hive"));
        };
        cell.fill(0);
        let whole = put(cell, 0, &(-size.cast_signed()).to_le_bytes()) && put(cell, 4, bytes);
        if whole { Ok(at) } else { Err(Error::cell("cell", at, "the cell is too small for the bytes to write")) }
    }

    /// Releases the allocated cell at the offset `at`, which becomes free.
    pub(super) fn release(&mut self, at: u32) -> Result<(), Error> {
        let size = self.cell_size(at)?;
        self.release_range(at, size)
    }

    /// Releases allocated cells, which become free. `cells` are their offsets, in ascending order.
    ///
    /// Adjacent cells are released together: the cells of one key are usually adjacent, and merging each of them with
    /// its free neighbors takes longer.
    pub(super) fn release_all(&mut self, cells: &[u32]) -> Result<(), Error> {
        let mut cells = cells.iter().copied().peekable();
        while let Some(at) = cells.next() {
            let mut size = self.cell_size(at)?;
            let len = self.bins_len() as u32;
            let (_, end) = self.space_mut()?.bin(at, len);
            while let Some(next) = cells.next_if(|next| *next == at + size && *next < end) {
                size += self.cell_size(next)?;
            }
            self.release_range(at, size)?;
        }
        Ok(())
    }

    /// Returns the size in bytes of the allocated cell at the offset `at`, with its size field.
    fn cell_size(&self, at: u32) -> Result<u32, Error> {
        Ok(self.cell("cell", at)?.len() as u32 + 4)
    }

    /// Makes the `size` bytes from the offset `at` on one free cell. They are one or more allocated cells.
    fn release_range(&mut self, mut at: u32, mut size: u32) -> Result<(), Error> {
        let len = self.bins_len() as u32;
        let space = self.space_mut()?;
        space.close();
        let (start, end) = space.bin(at, len);
        if at < start + BIN_HEADER || size > end - at {
            return Err(Error::cell("cell", at, "the cell does not fit into its bin"));
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

    /// Writes `bytes` as the content of the cell at `at`. If the cell does not have exactly the right size, a new cell
    /// is allocated. Returns the offset of the cell.
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

    /// Returns the content of the allocated cell at the offset `at`, to change it.
    pub(super) fn cell_mut(&mut self, at: u32) -> Result<&mut [u8], Error> {
        let len = self.cell("cell", at)?.len();
        let start = base::SIZE + at as usize + 4;
        let cell = self.file_mut()?.get_mut(start..start + len);
        cell.ok_or_else(|| Error::cell("cell", at, "the structure extends beyond the end of the hive"))
    }

    /// Removes the empty bins at the end of the hive, as Windows does when it writes a hive.
    pub(super) fn drop_empty_bins(&mut self) -> Result<(), Error> {
        loop {
            let len = self.bins_len() as u32;
            let space = self.space_mut()?;
            space.close();
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

    /// Adds a bin to the hive, with a free cell of at least `size` bytes. Returns the offset and size of this cell.
    fn grow(&mut self, size: u32) -> Result<(u32, u32), Error> {
        let start = self.bins_len() as u32;
        let limit = LARGEST_BINS as usize;
        let too_large = || Error::TooLarge {
            what: "the length of the hive bins in bytes",
            size: start as usize + size as usize,
            limit,
        };
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
        self.write_size(at, size)?;
        self.space_mut()?.insert(at, size);
        Ok(())
    }

    /// Writes the size field of a free cell.
    fn write_size(&mut self, at: u32, size: u32) -> Result<(), Error> {
        let written = put(self.file_mut()?, base::SIZE + at as usize, &size.cast_signed().to_le_bytes());
        if written { Ok(()) } else { Err(Error::cell("cell", at, "the structure extends beyond the end of the hive")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_neighbours_become_one_cell() {
        let mut hive = Hive::create(super::super::Filetime(0)).unwrap();
        let free = |hive: &mut Hive| {
            let space = hive.space.as_mut().unwrap();
            space.close();
            space.free.clone()
        };
        let before = free(&mut hive);
        let cells: Vec<u32> = (0..5).map(|i| hive.allocate(&[1; 20][..10 + i]).unwrap()).collect();
        for i in [1, 3, 2, 0, 4] {
            hive.release(cells[i]).unwrap();
        }
        assert_eq!(free(&mut hive), before);
        assert!(hive.release(cells[0]).is_err(), "a cell cannot be given back twice");
    }
}
