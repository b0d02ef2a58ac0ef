//! Moves cells of a hive, and updates all fields that contain their offsets.
//!
//! Cells are moved only in a hive without errors, because there all references to a cell are known. A cell without
//! references is not moved, because it is not known what uses it.
//!
//! Source: Suhanov's specification of the hive format, the fields that contain offsets, in "Base block", "Key node",
//! "Key value", "Key security", "Big data" and the subkey lists.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::{
    Error, Hive, KeyNode,
    base::{self, NOWHERE},
    bin::BIN_SIZE,
    bytes::put,
    free_space::Space,
    list::List,
    node, security,
    value::{DATA_OFFSET, Storage},
};

/// A field that contains the offset of a cell.
#[derive(Debug, Clone, Copy)]
struct Reference {
    to: u32,
    /// The cell that contains the field; [`NOWHERE`] if the field is in the base block.
    by: u32,
    field: usize,
}

/// All fields of a hive that contain the offset of a cell.
#[derive(Debug)]
pub(super) struct References(Vec<Reference>);

/// The planned moves of cells, and the free space after them.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// The new offset of each moved cell, by its old offset.
    pub(super) cells: HashMap<u32, u32>,
    /// The cells that are free after the moves, as offsets and sizes.
    pub(super) free: Vec<(u32, u32)>,
    /// The length in bytes of all hive bins after the moves.
    pub(super) len: u32,
    /// The bin that becomes shorter: its offset and its new size; `None` if no bin does.
    pub(super) cut: Option<(u32, u32)>,
}

impl References {
    /// Finds all fields of the hive that contain the offset of a cell, starting at the root key.
    pub(super) fn of(hive: &Hive) -> Result<Self, Error> {
        let mut found = Self(vec![Reference { to: hive.root, by: NOWHERE, field: base::ROOT }]);
        for (depth, key) in hive.walk(hive.root()) {
            let key = key?;
            if depth > 0 {
                found.add(key.u32(node::PARENT), key.at, node::PARENT);
            }
            found.key(hive, &key)?;
        }
        found.ring(hive)?;
        Ok(found)
    }

    /// Returns the offsets of the cells to which a reference leads.
    pub(super) fn cells(&self) -> HashSet<u32> {
        self.0.iter().map(|reference| reference.to).collect()
    }

    fn add(&mut self, to: u32, by: u32, field: usize) {
        self.0.push(Reference { to, by, field });
    }

    /// Adds the references in a key, its lists and its values.
    fn key(&mut self, hive: &Hive, key: &KeyNode<'_>) -> Result<(), Error> {
        self.add(key.security(), key.at, node::SECURITY);
        if key.u32(node::CLASS) != NOWHERE {
            self.add(key.u32(node::CLASS), key.at, node::CLASS);
        }
        if let Some(list) = hive.subkey_list(key)? {
            self.add(key.u32(node::SUBKEY_LIST), key.at, node::SUBKEY_LIST);
            for (i, leaf) in list.leaves().iter().enumerate() {
                if let List::Root(root, _) = &list {
                    self.add(*leaf, *root, 4 + i * 4);
                }
                let leaf = hive.leaf(*leaf)?;
                leaf.keys().enumerate().for_each(|(i, key)| self.add(key, leaf.at, 4 + i * leaf.kind.step()));
            }
        }
        if key.value_count() > 0 {
            self.add(key.u32(node::VALUE_LIST), key.at, node::VALUE_LIST);
        }
        for (i, value) in hive.values(key.node())?.enumerate() {
            let value = value?;
            self.add(value.at, key.u32(node::VALUE_LIST), i * 4);
            match hive.storage(&value)? {
                Storage::Inline => {}
                Storage::Cell(data) => self.add(data, value.at, DATA_OFFSET),
                Storage::Segments { record, list, segments } => {
                    self.add(record, value.at, DATA_OFFSET);
                    self.add(list, record, 4);
                    segments.iter().enumerate().for_each(|(i, segment)| self.add(*segment, list, i * 4));
                }
            }
        }
        Ok(())
    }

    /// Adds the references with which the security records form their ring.
    fn ring(&mut self, hive: &Hive) -> Result<(), Error> {
        let first = hive.key(hive.root())?.security();
        let (mut at, mut seen) = (first, HashSet::new());
        while seen.insert(at) {
            let record = hive.security_at(at)?;
            self.add(record.next, at, security::NEXT);
            self.add(record.previous, at, security::PREVIOUS);
            at = record.next;
        }
        Ok(())
    }
}

impl Hive {
    /// Moves the cells and updates all references to them. If this fails halfway, the hive is marked as broken.
    pub(super) fn relocate(&mut self, moves: &Moves, references: &References) -> Result<(), Error> {
        let mut cells = BTreeMap::new();
        for (from, to) in &moves.cells {
            cells.insert(*to, self.cell("cell", *from)?.to_vec());
        }
        self.broken = true;
        let file = self.file_mut()?;
        file.truncate(base::SIZE + moves.len as usize);
        base::put_u32(file, base::BINS_SIZE, moves.len);
        if let Some((start, size)) = moves.cut {
            base::put_u32(file, base::SIZE + start as usize + BIN_SIZE, size);
        }
        base::seal(file);
        for (at, size) in &moves.free {
            self.write_head(*at, size.cast_signed())?;
        }
        for (at, bytes) in cells {
            self.write_head(at, -(bytes.len() as u32 + 4).cast_signed())?;
            self.put(at, 0, &bytes)?;
        }
        let moved = |at: u32| moves.cells.get(&at).copied();
        for Reference { to, by, field } in &references.0 {
            let Some(to) = moved(*to) else { continue };
            if *by == NOWHERE {
                let file = self.file_mut()?;
                base::put_u32(file, *field, to);
                base::seal(file);
                self.root = to;
            } else {
                self.put_u32(moved(*by).unwrap_or(*by), *field, to)?;
            }
        }
        self.cache.forget_places();
        self.last_above.forget();
        self.space = Some(Box::new(Space::of(self.bins()?)?));
        self.broken = false;
        Ok(())
    }

    /// Writes the size field of the cell at the offset `at`. The number is negative for an allocated cell.
    fn write_head(&mut self, at: u32, number: i32) -> Result<(), Error> {
        let written = put(self.file_mut()?, base::SIZE + at as usize, &number.to_le_bytes());
        if written { Ok(()) } else { Err(Error::cell("cell", at, "the structure extends beyond the end of the hive")) }
    }
}
