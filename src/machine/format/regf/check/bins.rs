//! Checks that the hive bins fill the file, and that cells fill each bin.

use super::{
    super::{bin::bin_headers, bytes::u32_at},
    Cell, Checker,
};

impl Checker<'_> {
    pub(super) fn bins(&mut self) {
        for bin in bin_headers(self.bins) {
            match bin {
                Ok((at, size)) => self.cells_of_bin(at, at + size),
                Err(error) => return self.add_error("bin-header", 0, &error),
            }
        }
    }

    fn cells_of_bin(&mut self, bin: u32, end: u32) {
        let mut at = bin + 32;
        let mut after_free = false;
        while at < end {
            let number = u32_at(self.bins, at as usize).unwrap_or_default().cast_signed();
            let size = number.unsigned_abs();
            if size < 8 || !size.is_multiple_of(8) || size > end - at {
                return self.add("cell-tiling", at, format!("a cell of {size} bytes does not fit into its bin"));
            }
            let free = number > 0;
            if free && after_free {
                self.add("free-cells-adjacent", at, "this free cell follows another free cell");
            }
            if let Some(cell) = self.cells.get_mut(at as usize / 8) {
                *cell = if free { Cell::Free } else { Cell::Allocated };
            }
            after_free = free;
            at += size;
        }
    }
}
