//! Sets and deletes the values of a hive's keys.
//!
//! Source: Suhanov's specification of the hive format, "Key values list", "Key value", "Big data".

use super::{
    super::{
        Error, Hive, Node,
        base::NOWHERE,
        bytes::u32_at,
        hash::HashMap,
        name::{stored, upcased},
        node,
        value::{self, DATA_OFFSET, DATA_SIZE, DATA_TYPE, FLAG_COMP_NAME, INLINE, SEGMENT, Storage},
    },
    Editor,
};
use crate::registry::{Data, ValueName, name::upcase};

/// The largest data of a value, in bytes, in a hive of a version before 1.4. It is stored in one cell, for which
/// Windows allows 1 MiB.
const LARGEST_CELL: usize = 1 << 20;
/// The minimum number of values for which the value names of a key are cached between edits.
const MANY: u32 = 16;

impl Editor<'_> {
    /// Sets the value `name` (empty for the default value) of the key at `path`, which must exist. An existing value
    /// keeps the spelling of its name.
    ///
    /// Returns false, and writes nothing, if the value already has this type and data.
    pub fn set_value(&mut self, path: &str, name: &str, data: &Data) -> Result<bool, Error> {
        let node = self.existing(path)?;
        self.set_value_of(node, name, data)
    }

    /// Announces that `count` values will be added to one key, so that its value list grows only once for all of them.
    pub fn expect_values(&mut self, count: usize) {
        self.hive.cache.coming = count;
    }

    /// Sets the value `name` (empty for the default value) of the key `node`, which [`Editor::existing`] returned.
    /// Returns false, and writes nothing, if the value already has this type and data.
    pub fn set_value_of(&mut self, node: Node, name: &str, data: &Data) -> Result<bool, Error> {
        let name = ValueName::new(name)?;
        let limit = if self.hive.minor < 4 { LARGEST_CELL } else { SEGMENT * usize::from(u16::MAX) };
        if data.bytes.len() > limit {
            return Err(Error::TooLarge { what: "the length of the data in bytes", size: data.bytes.len(), limit });
        }
        self.hive.refuse_handle(node)?;
        let wanted = upcased(name.as_str());
        match self.hive.value_known(node, &wanted)? {
            None => self.change(|hive, now| {
                hive.create_value(node.0, name.as_str(), wanted, data)?;
                hive.put_time(node.0, now)
            })?,
            Some(at) => {
                let value = self.hive.value_at(at)?;
                if value.value_type() == data.value_type && self.hive.bytes(&value)? == data.bytes {
                    return Ok(false);
                }
                self.change(|hive, now| {
                    hive.replace_data(node.0, at, data)?;
                    hive.put_time(node.0, now)
                })?;
            }
        }
        Ok(true)
    }

    /// Deletes the value `name` (empty for the default value) of the key at `path`, which must exist. Returns false if
    /// there is no such value.
    pub fn delete_value(&mut self, path: &str, name: &str) -> Result<bool, Error> {
        let node = self.existing(path)?;
        self.delete_value_of(node, name)
    }

    /// Deletes the value `name` (empty for the default value) of the key `node`, which [`Editor::existing`] returned.
    /// Returns false if there is no such value.
    pub fn delete_value_of(&mut self, node: Node, name: &str) -> Result<bool, Error> {
        self.hive.refuse_handle(node)?;
        let wanted = upcased(name);
        let Some(at) = self.hive.value_known(node, &wanted)? else { return Ok(false) };
        self.change(|hive, now| {
            hive.remove_value(node.0, at)?;
            if let Some((of, names)) = &mut hive.cache.values
                && *of == node.0
            {
                names.remove(&wanted);
            }
            hive.put_time(node.0, now)?;
            Ok(true)
        })
    }
}

impl Storage {
    /// Returns the offsets of all cells in which the data of a value is stored.
    pub(super) fn cells(self) -> Vec<u32> {
        match self {
            Self::Inline => Vec::new(),
            Self::Cell(at) => vec![at],
            Self::Segments { record, list, mut segments } => {
                segments.extend([record, list]);
                segments
            }
        }
    }
}

impl Hive {
    /// Returns an error if the key is a predefined handle. Such a key has no values; the field for their number
    /// contains the handle.
    fn refuse_handle(&self, node: Node) -> Result<(), Error> {
        let key = self.key(node)?;
        if key.flags() & node::FLAG_PREDEF_HANDLE == 0 {
            return Ok(());
        }
        Err(Error::cell(node::KEY, node.0, "the key is a predefined handle, which has no values"))
    }

    /// Returns the offset of the value `wanted` (its name in upper case); `None` if the key does not have it. Uses the
    /// cache if the key has many values.
    fn value_known(&mut self, node: Node, wanted: &[u16]) -> Result<Option<u32>, Error> {
        let key = self.key(node)?;
        if key.value_count() >= MANY {
            if self.cache.values.as_ref().is_none_or(|(of, _)| *of != node.0) {
                let mut names = HashMap::default();
                for value in self.values(node)? {
                    let Ok(value) = value else { return self.value_found(node, wanted) };
                    names.entry(value.name().units().map(upcase).collect()).or_insert(value.at);
                }
                self.cache.values = Some((node.0, names));
            }
            if let Some((_, names)) = &self.cache.values {
                return Ok(names.get(wanted).copied());
            }
        }
        self.value_found(node, wanted)
    }

    fn value_found(&self, node: Node, wanted: &[u16]) -> Result<Option<u32>, Error> {
        let key = self.key(node)?;
        Ok(self.value_place(&key, wanted)?.map(|(_, value)| value.at))
    }

    fn create_value(&mut self, node: u32, name: &str, wanted: Vec<u16>, data: &Data) -> Result<(), Error> {
        let key = self.key(Node(node))?;
        let (count, list_at) = (key.value_count(), key.u32(node::VALUE_LIST));
        self.value_list(&key)?;
        let (stored, latin1) = stored(name);

        let mut cell = vec![0; value::HEADER];
        let (size, offset) = self.store(&data.bytes)?;
        let mut put = |at: usize, bytes: &[u8]| cell[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"vk");
        put(value::NAME_LENGTH, &(stored.len() as u16).to_le_bytes());
        put(DATA_SIZE, &size.to_le_bytes());
        put(DATA_OFFSET, &offset);
        put(DATA_TYPE, &data.value_type.0.to_le_bytes());
        put(value::FLAGS, &(if latin1 { FLAG_COMP_NAME } else { 0 }).to_le_bytes());
        cell.extend(&stored);
        let at = self.allocate(&cell)?;

        let list_at = self.append_to_list(list_at, count, at)?;
        self.put_u32(node, node::VALUE_LIST, list_at)?;
        self.put_u32(node, node::VALUES, count + 1)?;
        self.raise(node, node::MAX_VALUE_NAME, wanted.len() * 2)?;
        self.raise(node, node::MAX_VALUE_DATA, data.bytes.len())?;
        if let Some((of, names)) = &mut self.cache.values
            && *of == node
        {
            names.insert(wanted, at);
        }
        Ok(())
    }

    /// Adds the offset `at` of a value to a value list with `count` elements. Returns the offset of the list, which may
    /// have moved.
    ///
    /// If it is known how many values will be added, the list gets room for all of them. A long list gets room for more
    /// than one value in any case, because copying it for each new value would take quadratic time.
    fn append_to_list(&mut self, list_at: u32, count: u32, at: u32) -> Result<u32, Error> {
        let len = count as usize * 4;
        if count == 0 {
            let mut list = at.to_le_bytes().to_vec();
            list.resize(std::mem::take(&mut self.cache.coming).max(1) * 4, 0);
            return self.allocate(&list);
        }
        let cell = self.cell_mut(list_at)?;
        if let Some(place) = cell.get_mut(len..len + 4) {
            place.copy_from_slice(&at.to_le_bytes());
            return Ok(list_at);
        }
        let mut list = cell.get(..len).unwrap_or_default().to_vec();
        list.extend(at.to_le_bytes());
        let coming = std::mem::take(&mut self.cache.coming).saturating_sub(1) * 4;
        list.resize(list.len() + if count >= MANY { coming.max(list.len() / 4) } else { coming }, 0);
        self.rewrite(list_at, &list)
    }

    /// Removes the element with this index from a value list with `count` elements. Returns the offset of the list,
    /// which may have moved, or [`NOWHERE`] if the list is empty now.
    fn remove_from_list(&mut self, list_at: u32, count: u32, index: usize) -> Result<u32, Error> {
        if count <= 1 {
            self.release(list_at)?;
            return Ok(NOWHERE);
        }
        let cell = self.cell_mut(list_at)?;
        let room = cell.len();
        let Some(list) = cell.get_mut(..count as usize * 4) else {
            return Err(Error::cell("value list", list_at, "the structure extends beyond the end of its cell"));
        };
        list.copy_within(index * 4 + 4.., index * 4);
        let (list, last) = list.split_at_mut(list.len() - 4);
        last.fill(0);
        if count > MANY && room <= list.len() * 2 {
            return Ok(list_at);
        }
        let list = list.to_vec();
        self.rewrite(list_at, &list)
    }

    fn replace_data(&mut self, node: u32, at: u32, data: &Data) -> Result<(), Error> {
        let value = self.value_at(at)?;
        let old = value.size();
        let storage = self.storage(&value)?;
        let (size, offset) = match storage {
            Storage::Cell(cell) if data.bytes.len() > 4 && !self.segmented(data.bytes.len()) => {
                (data.bytes.len() as u32, self.rewrite(cell, &data.bytes)?.to_le_bytes())
            }
            storage => {
                for cell in storage.cells() {
                    self.release(cell)?;
                }
                self.store(&data.bytes)?
            }
        };
        self.put_u32(at, DATA_SIZE, size)?;
        self.put(at, DATA_OFFSET, &offset)?;
        self.put_u32(at, DATA_TYPE, data.value_type.0)?;
        if data.bytes.len() < old {
            self.cache.shrunk = true;
            self.cache.stale.insert(node);
        }
        self.raise(node, node::MAX_VALUE_DATA, data.bytes.len())
    }

    fn remove_value(&mut self, node: u32, at: u32) -> Result<(), Error> {
        let value = self.value_at(at)?;
        for cell in self.storage(&value)?.cells() {
            self.release(cell)?;
        }
        self.release(at)?;
        let key = self.key(Node(node))?;
        let (count, list_at) = (key.value_count(), key.u32(node::VALUE_LIST));
        // The search starts at the end, where the values are that were added last: a rollback removes them one after
        // the other.
        let Some(index) = self.value_list(&key)?.chunks_exact(4).rposition(|element| u32_at(element, 0) == Some(at))
        else {
            return Err(Error::cell("value list", list_at, "the value is not in the value list"));
        };
        let list_at = self.remove_from_list(list_at, count, index)?;
        self.put_u32(node, node::VALUE_LIST, list_at)?;
        self.put_u32(node, node::VALUES, count - 1)?;
        self.cache.shrunk = true;
        self.cache.stale.insert(node);
        Ok(())
    }

    fn segmented(&self, len: usize) -> bool {
        len > SEGMENT && self.minor >= 4
    }

    /// Stores data in the value record if it has at most 4 bytes, otherwise in new cells. Returns the size field of the
    /// record, and the field that contains the data itself or the offset of its cell.
    fn store(&mut self, bytes: &[u8]) -> Result<(u32, [u8; 4]), Error> {
        let size = bytes.len() as u32;
        if bytes.len() <= 4 {
            let mut inline = [0; 4];
            inline[..bytes.len()].copy_from_slice(bytes);
            return Ok((size | INLINE, inline));
        }
        if !self.segmented(bytes.len()) {
            return Ok((size, self.allocate(bytes)?.to_le_bytes()));
        }
        let mut list = Vec::new();
        for segment in bytes.chunks(SEGMENT) {
            // Windows gives every segment, even the last one, a cell for 16344 bytes and four more. Some readers
            // (hivex, libregf) drop the end of a segment's cell and rely on that.
            let mut cell = segment.to_vec();
            cell.resize(SEGMENT + 4, 0);
            list.extend(self.allocate(&cell)?.to_le_bytes());
        }
        let mut record = Vec::from(*b"db");
        record.extend((list.len() as u16 / 4).to_le_bytes());
        record.extend(self.allocate(&list)?.to_le_bytes());
        Ok((size, self.allocate(&record)?.to_le_bytes()))
    }

    fn raise(&mut self, node: u32, field: usize, len: usize) -> Result<(), Error> {
        if self.key(Node(node))?.u32(field) < len as u32 { self.put_u32(node, field, len as u32) } else { Ok(()) }
    }
}
