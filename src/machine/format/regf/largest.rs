//! Finds the first page of a hive with a free cell of a given size, without checking all pages.

/// The length of a page in bytes. Hive bins consist of whole pages.
pub(super) const PAGE: u32 = 4096;

/// For each page of a hive, the size of the largest free cell that begins in it, in a form that is fast to search.
#[derive(Debug, Clone)]
pub(super) struct Largest {
    /// A binary tree of maxima. The second half contains the sizes for the pages; every other element is the larger of
    /// its two children.
    tree: Vec<u32>,
}

impl Largest {
    pub(super) fn new(bytes: usize) -> Self {
        let pages = (bytes / PAGE as usize).max(1).next_power_of_two();
        Self { tree: vec![0; pages * 2] }
    }

    pub(super) fn set(&mut self, page: u32, size: u32) {
        let half = self.tree.len() / 2;
        if page as usize >= half {
            let mut wider = Self { tree: vec![0; (page as usize + 1).next_power_of_two() * 2] };
            for (page, size) in self.tree.iter().skip(half).enumerate().filter(|(_, size)| **size > 0) {
                wider.set(page as u32, *size);
            }
            *self = wider;
        }
        let mut i = self.tree.len() / 2 + page as usize;
        if let Some(leaf) = self.tree.get_mut(i) {
            *leaf = size;
        }
        while i > 1 {
            i /= 2;
            let below = |i: usize| self.tree.get(i).copied().unwrap_or(0);
            let larger = below(i * 2).max(below(i * 2 + 1));
            match self.tree.get_mut(i) {
                Some(node) if *node != larger => *node = larger,
                // The nodes above this one are the same as before, too.
                _ => break,
            }
        }
    }

    pub(super) fn raise(&mut self, page: u32, size: u32) {
        if self.tree.get(self.tree.len() / 2 + page as usize).is_none_or(|known| *known < size) {
            self.set(page, size);
        }
    }

    pub(super) fn first(&self, size: u32) -> Option<u32> {
        let half = self.tree.len() / 2;
        let fits = |i: usize| self.tree.get(i).is_some_and(|largest| *largest >= size);
        if !fits(1) {
            return None;
        }
        let mut i = 1;
        while i < half {
            i = if fits(i * 2) { i * 2 } else { i * 2 + 1 };
        }
        Some((i - half) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_with_a_large_cell_is_found() {
        let mut largest = Largest::new(4096 * 3);
        for (page, size) in [(0, 8), (2, 100), (9, 4000)] {
            largest.set(page, size);
        }
        assert_eq!(largest.first(8), Some(0));
        assert_eq!(largest.first(9), Some(2));
        assert_eq!(largest.first(101), Some(9));
        assert_eq!(largest.first(4001), None);
        largest.set(2, 0);
        assert_eq!(largest.first(9), Some(9));
    }
}
