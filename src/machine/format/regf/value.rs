//! Reads the values (`vk`) of a hive and their data.
//!
//! The data is in the value record itself, in one cell, or in several segments (`db`).
//!
//! Source: Suhanov's specification of the hive format, "Key value" and "Big data".

use std::borrow::Cow;

use super::{
    Error, Hive, RawName, base,
    bytes::{u16_at, u32_at},
};
use crate::registry::{Data, ValueType};

pub(super) const VALUE: &str = "value";
pub(super) const DATA: &str = "data of a value";
pub(super) const BIG: &str = "big data record";
const SEGMENT_OF_DATA: &str = "data segment";
/// The length of a value record in bytes, without the name of the value.
pub(super) const HEADER: usize = 20;
/// The length in bytes of every segment of a value's data except the last one.
///
/// Data that is longer than one segment is divided into segments, if the hive's version of the format supports it.
pub(super) const SEGMENT: usize = 16_344;
/// The bit in the size field of a value that is set if the data is in the value record itself.
pub(super) const INLINE: u32 = 0x8000_0000;

// Offsets of the fields in a value record.
pub(super) const NAME_LENGTH: usize = 2;
pub(super) const DATA_SIZE: usize = 4;
pub(super) const DATA_OFFSET: usize = 8;
pub(super) const DATA_TYPE: usize = 12;
pub(super) const FLAGS: usize = 16;

pub(super) const FLAG_COMP_NAME: u16 = 0x0001;

/// A value of a hive's key.
#[derive(Clone, Copy)]
pub struct ValueNode<'a> {
    pub(super) at: u32,
    /// The content of the value's cell. It was checked to contain at least [`HEADER`] bytes and the name.
    cell: &'a [u8],
}

/// Where the data of a value is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Storage {
    /// The data is in the value record itself.
    Inline,
    /// The data is in one cell; the number is its offset.
    Cell(u32),
    /// The data is in segments. A cell `record` refers to a cell `list`, which lists them. All numbers are offsets of
    /// cells.
    Segments { record: u32, list: u32, segments: Vec<u32> },
}

impl Hive {
    /// Reads the value record at the offset `at`.
    pub(super) fn value_at(&self, at: u32) -> Result<ValueNode<'_>, Error> {
        let cell = self.record(VALUE, at, b"vk", HEADER)?;
        let value = ValueNode { at, cell };
        let len = value.u16(NAME_LENGTH);
        if cell.len() < HEADER + usize::from(len) {
            return Err(Error::cell(VALUE, at, "the name extends beyond the end of the cell"));
        }
        if value.u16(FLAGS) & FLAG_COMP_NAME == 0 && !len.is_multiple_of(2) {
            return Err(Error::cell(VALUE, at, "the UTF-16 name has an odd number of bytes"));
        }
        Ok(value)
    }

    /// Returns the bytes of a value's data.
    pub fn bytes<'a>(&'a self, value: &ValueNode<'a>) -> Result<Cow<'a, [u8]>, Error> {
        let storage = self.storage(value)?;
        match &storage {
            Storage::Inline => {}
            Storage::Cell(at) => drop(self.own(DATA, *at, value.at)?),
            Storage::Segments { record, list, segments } => {
                if self.own(BIG, *record, value.at)? {
                    self.own("list of data segments", *list, *record)?;
                    segments.iter().try_for_each(|at| self.own(SEGMENT_OF_DATA, *at, *record).map(drop))?;
                }
            }
        }
        self.bytes_in(value, storage)
    }

    /// Returns the bytes of a value's data, which are stored in `storage`. The caller knows that no other value uses
    /// `storage`.
    pub(super) fn bytes_in<'a>(&'a self, value: &ValueNode<'a>, storage: Storage) -> Result<Cow<'a, [u8]>, Error> {
        let size = value.size();
        match storage {
            Storage::Inline => Ok(Cow::Borrowed(value.cell.get(DATA_OFFSET..DATA_OFFSET + size).unwrap_or_default())),
            Storage::Cell(at) => {
                let bytes = self.cell(DATA, at)?.get(..size);
                bytes
                    .map(Cow::Borrowed)
                    .ok_or_else(|| Error::cell(DATA, at, "the structure extends beyond the end of its cell"))
            }
            Storage::Segments { segments, .. } => {
                let mut bytes = Vec::with_capacity(size);
                for at in segments {
                    let wanted = SEGMENT.min(size - bytes.len());
                    let segment = self.cell(SEGMENT_OF_DATA, at)?.get(..wanted);
                    bytes.extend_from_slice(segment.ok_or_else(|| {
                        Error::cell(SEGMENT_OF_DATA, at, "the structure extends beyond the end of its cell")
                    })?);
                }
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// Returns a value's type and data.
    pub fn data(&self, value: &ValueNode<'_>) -> Result<Data, Error> {
        Ok(Data::new(value.value_type(), self.bytes(value)?.into_owned()))
    }

    /// Returns where a value's data is stored. Returns an error if the size of the data is impossible, or the list of
    /// segments is not valid.
    pub(super) fn storage(&self, value: &ValueNode<'_>) -> Result<Storage, Error> {
        let (size, at) = (value.size(), value.u32(DATA_OFFSET));
        if value.u32(DATA_SIZE) & INLINE != 0 {
            if size > 4 {
                return Err(Error::cell(VALUE, value.at, "more than 4 bytes of data do not fit into the record"));
            }
            return Ok(Storage::Inline);
        }
        if size == 0 {
            return Ok(Storage::Inline);
        }
        // This is checked before memory is reserved for the data.
        if size > self.bins_len() {
            return Err(Error::cell(VALUE, value.at, "the data is larger than the hive"));
        }
        if size <= SEGMENT || self.minor < 4 {
            return Ok(Storage::Cell(at));
        }
        let record = self.record(BIG, at, b"db", 8)?;
        let (count, list) = (u16_at(record, 2).unwrap_or_default(), u32_at(record, 4).unwrap_or_default());
        let count = usize::from(count);
        if count != size.div_ceil(SEGMENT) {
            return Err(Error::cell(BIG, at, "the number of segments does not match the size of the data"));
        }
        let cell = self.cell("list of data segments", list)?;
        let Some(elements) = cell.get(..count * 4) else {
            return Err(Error::cell("list of data segments", list, "the structure extends beyond the end of its cell"));
        };
        let segments: Vec<u32> = elements.chunks_exact(4).filter_map(|e| u32_at(e, 0)).collect();
        let mut sorted = segments.clone();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::cell(BIG, at, "the list of data segments contains a segment twice"));
        }
        Ok(Storage::Segments { record: at, list, segments })
    }
}

impl<'a> ValueNode<'a> {
    pub(super) fn u16(&self, at: usize) -> u16 {
        u16_at(self.cell, at).unwrap_or_default()
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        u32_at(self.cell, at).unwrap_or_default()
    }

    /// Returns the value name, which is empty for the default value.
    pub fn name(&self) -> RawName<'a> {
        let end = HEADER + usize::from(self.u16(NAME_LENGTH));
        let bytes = self.cell.get(HEADER..end).unwrap_or_default();
        RawName::new(bytes, self.u16(FLAGS) & FLAG_COMP_NAME != 0)
    }

    /// Returns the value name as a string. Returns an error if the name is not valid UTF-16.
    pub fn name_text(&self) -> Result<String, Error> {
        let offset = u64::from(self.at) + base::SIZE as u64;
        self.name().text().map_err(|_| Error::NotUnicode { structure: VALUE, offset })
    }

    /// Returns the type of the data.
    pub fn value_type(&self) -> ValueType {
        ValueType(self.u32(DATA_TYPE))
    }

    /// Returns the size of the data in bytes.
    pub fn size(&self) -> usize {
        (self.u32(DATA_SIZE) & !INLINE) as usize
    }
}

impl std::fmt::Debug for ValueNode<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ValueNode({:?} at {:#x})", self.name(), self.at)
    }
}
