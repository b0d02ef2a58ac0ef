//! The ring buffer of records after the header of a log.
//!
//! Places are offsets from the end of the header. A log consists of four-byte numbers, which never cross the boundary
//! between the end of the file and the header.

use std::borrow::Cow;

use super::{END, END_SIGNATURE, FILLER, HEADER, SIGNATURE, SMALLEST};

/// The records of a log.
pub(super) struct Ring<'a> {
    /// The bytes after the header; their number is a multiple of four.
    bytes: &'a [u8],
}

/// An end record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// The place of the end record.
    pub(super) at: usize,
    /// The place of the oldest record.
    pub(super) oldest: usize,
    /// The number of the next record.
    next: u32,
}

impl<'a> Ring<'a> {
    /// Returns the ring with these bytes, which follow the header.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: &bytes[..bytes.len() / 4 * 4] }
    }

    /// Returns the size in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the place `by` bytes after `at`.
    pub(super) fn forward(&self, at: usize, by: usize) -> usize {
        (at + by) % self.len()
    }

    /// Returns the distance from one place forward to another.
    pub(super) fn distance(&self, from: usize, to: usize) -> usize {
        (to + self.len() - from) % self.len()
    }

    /// Returns the place with this offset in the file; `None` if no number starts there.
    pub(super) fn place(&self, offset: u32) -> Option<usize> {
        let at = (offset as usize).checked_sub(HEADER)?;
        (at < self.len() && at.is_multiple_of(4)).then_some(at)
    }

    /// Returns the offset of a place in the file, for messages.
    pub(super) fn offset(&self, at: usize) -> String {
        format!("offset {:#x}", at + HEADER)
    }

    /// Returns the number at a place.
    pub(super) fn number(&self, at: usize) -> u32 {
        self.bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// Returns `length` bytes that start at a place, even across the end of the file. The ring must contain that many
    /// bytes.
    pub(super) fn bytes(&self, at: usize, length: usize) -> Cow<'a, [u8]> {
        match self.bytes.get(at..at + length) {
            Some(bytes) => Cow::Borrowed(bytes),
            None => Cow::Owned([&self.bytes[at..], &self.bytes[..at + length - self.len()]].concat()),
        }
    }

    /// Returns whether an end record starts here.
    pub(super) fn is_end(&self, at: usize) -> bool {
        self.len() >= END
            && self.number(at) == END as u32
            && (1..).zip(END_SIGNATURE).all(|(n, number)| self.number(self.forward(at, 4 * n)) == number)
    }

    /// Returns the end record at this offset in the file.
    pub(super) fn end_at(&self, offset: u32) -> Option<End> {
        self.end(self.place(offset)?)
    }

    /// Returns the end record here, if its numbers are valid for this file.
    fn end(&self, at: usize) -> Option<End> {
        let member = |n: usize| self.number(self.forward(at, 4 * n));
        if !self.is_end(at) || member(9) != END as u32 || self.place(member(6)) != Some(at) {
            return None;
        }
        Some(End { at, oldest: self.place(member(5))?, next: member(7) })
    }

    /// Returns the end record with the highest record number. A log that was not closed may still contain older end
    /// records.
    pub(super) fn newest_end(&self) -> Option<End> {
        (0..self.len()).step_by(4).filter_map(|at| self.end(at)).max_by_key(|end| end.next)
    }

    /// Returns whether all numbers from a place on are fillers.
    pub(super) fn is_filled(&self, at: usize, length: usize) -> bool {
        (at..at + length).step_by(4).all(|at| self.number(at) == FILLER)
    }

    /// Returns whether nothing was ever written in the `length` bytes from a place on.
    pub(super) fn is_unused(&self, at: usize, length: usize) -> bool {
        (0..length).step_by(4).all(|by| self.number(self.forward(at, by)) == 0)
    }

    /// Returns the distance in bytes to the next record; `left` if there is none in the next `left` bytes.
    pub(super) fn to_next(&self, at: usize, left: usize) -> usize {
        let is_record = |by: &usize| {
            let length = self.number(self.forward(at, *by)) as usize;
            self.number(self.forward(at, by + 4)) == SIGNATURE
                && length >= SMALLEST
                && length.is_multiple_of(4)
                && length <= left - by
        };
        (4..left).step_by(4).find(is_record).unwrap_or(left)
    }
}
