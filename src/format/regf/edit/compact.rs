//! Bins at the end of a hive are emptied after something was deleted: what is left in them moves down into free cells.
//!
//! Lists and data that grew while something new was there may lie behind it once it is gone. Without this, a file would
//! not become as small again as it was. Keys and security records stay where they are: a bin with one of them ends it.

use std::{cmp::Reverse, collections::HashMap};

use super::super::{
    Error, Hive,
    base::NOWHERE,
    bytes::u32_at,
    hive::bin_headers,
    list::List,
    node,
    value::{DATA_OFFSET, Storage},
};

/// A place that refers to a cell: a cell, and where in it.
type Reference = (u32, usize);

impl Hive {
    /// Empties as many bins at the end as it can.
    pub(super) fn compact(&mut self) -> Result<(), Error> {
        let mut cells = self.movable_cells()?;
        let Some(from) = cells.iter().map(|(_, at)| *at).min() else { return Ok(()) };
        // In a damaged hive something else may refer to a cell; there, nothing is moved.
        let Ok(references) = self.references(from) else { return Ok(()) };
        if cells.iter().any(|(_, at)| !references.contains_key(at)) {
            return Ok(());
        }
        // The largest first: they find the fewest places. What fits before all of these bins goes there; for the rest,
        // anything before its own place is better than that.
        cells.sort_unstable_by_key(|(size, at)| (Reverse(*size), *at));
        let mut moved = HashMap::new();
        for limit in [Some(from), None] {
            for (_, at) in &cells {
                let limit = limit.unwrap_or(*at);
                let Some((by, field)) = references.get(at).filter(|_| !moved.contains_key(at)) else { continue };
                let bytes = self.cell("cell", *at)?.to_vec();
                if let Some(to) = self.allocate_below(&bytes, limit, limit != from)? {
                    self.release(*at)?;
                    self.put_u32(moved.get(by).copied().unwrap_or(*by), *field, to)?;
                    moved.insert(*at, to);
                }
            }
        }
        Ok(())
    }

    /// The allocated cells of the bins at the end that have no key and no security record: sizes and places.
    fn movable_cells(&self) -> Result<Vec<(usize, u32)>, Error> {
        let bins = bin_headers(self.bins()?).collect::<Result<Vec<_>, _>>()?;
        let mut found = Vec::new();
        for (start, size) in bins.into_iter().skip(1).rev() {
            let (mut at, known) = (start + 32, found.len());
            while at < start + size {
                let number = u32_at(self.bins()?, at as usize).unwrap_or_default().cast_signed();
                if number < 0 {
                    let cell = self.cell("cell", at)?;
                    if cell.starts_with(b"nk") || cell.starts_with(b"sk") {
                        found.truncate(known);
                        return Ok(found);
                    }
                    found.push((cell.len(), at));
                }
                at = at.saturating_add(number.unsigned_abs().max(8));
            }
        }
        Ok(found)
    }

    /// What refers to each cell from `from` on.
    fn references(&self, from: u32) -> Result<HashMap<u32, Reference>, Error> {
        let mut found = HashMap::new();
        let mut shared = false;
        let mut add = |at: u32, by: u32, field: usize| {
            if at >= from && at != NOWHERE {
                shared |= found.insert(at, (by, field)).is_some();
            }
        };
        for (_, key) in self.walk(self.root()) {
            let key = key?;
            if key.u16(node::CLASS_LENGTH) > 0 {
                add(key.u32(node::CLASS), key.at, node::CLASS);
            }
            if let Some(list) = self.subkey_list(&key)? {
                add(key.u32(node::SUBKEY_LIST), key.at, node::SUBKEY_LIST);
                if let List::Root(root, leaves) = list {
                    leaves.iter().enumerate().for_each(|(i, leaf)| add(*leaf, root, 4 + i * 4));
                }
            }
            if key.value_count() > 0 {
                add(key.u32(node::VALUE_LIST), key.at, node::VALUE_LIST);
            }
            for (i, value) in self.values(key.node())?.enumerate() {
                let value = value?;
                add(value.at, key.u32(node::VALUE_LIST), i * 4);
                match self.storage(&value)? {
                    Storage::Inline => {}
                    Storage::Cell(at) => add(at, value.at, DATA_OFFSET),
                    Storage::Segments { record, list, segments } => {
                        add(record, value.at, DATA_OFFSET);
                        add(list, record, 4);
                        segments.iter().enumerate().for_each(|(i, segment)| add(*segment, list, i * 4));
                    }
                }
            }
        }
        if shared { Err(Error::cell("cell", from, "two structures refer to one cell")) } else { Ok(found) }
    }
}
