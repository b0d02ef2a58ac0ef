//! The ring buffer of records after the header of an event log.
//!
//! Positions in the ring are offsets from the end of the header. A log consists of four-byte numbers, none of which is
//! split at the end of the file.

use std::borrow::Cow;

use super::{END, END_SIGNATURE, FILLER, HEADER, SIGNATURE, SMALLEST};

/// The ring buffer of an event log, which contains the records. After its last byte, it continues with its first byte.
pub(super) struct Ring<'a> {
    /// The bytes after the header of the log; their number is a multiple of four.
    bytes: &'a [u8],
}

/// An end record, which is after the newest record of a log and contains the offset of the oldest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// The position in the ring at which the end record begins, in bytes from 0.
    pub(super) at: usize,
    /// The position in the ring at which the oldest record begins, in bytes from 0.
    pub(super) oldest: usize,
    /// The number that the next record of the log gets.
    next: u32,
}

impl<'a> Ring<'a> {
    /// Returns a ring with these bytes, which follow the header of the log.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: &bytes[..bytes.len() / 4 * 4] }
    }

    /// Returns the size of the ring in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the position that is `by` bytes after `at`; after the end of the ring, positions continue at its
    /// beginning.
    pub(super) fn forward(&self, at: usize, by: usize) -> usize {
        (at + by) % self.len()
    }

    /// Returns the distance in bytes from one position forward to another.
    pub(super) fn distance(&self, from: usize, to: usize) -> usize {
        (to + self.len() - from) % self.len()
    }

    /// Converts an offset in the file to a position in the ring. Returns `None` if no four-byte number starts at this
    /// offset.
    pub(super) fn place(&self, offset: u32) -> Option<usize> {
        let at = (offset as usize).checked_sub(HEADER)?;
        (at < self.len() && at.is_multiple_of(4)).then_some(at)
    }

    /// Returns the offset in the file of a position in the ring, as text for messages.
    pub(super) fn offset(&self, at: usize) -> String {
        format!("offset {:#x}", at + HEADER)
    }

    /// Returns the four-byte number at a position; 0 for a position outside the ring.
    pub(super) fn number(&self, at: usize) -> u32 {
        self.bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// Returns the `length` bytes from a position on, also if they cross the end of the ring. The ring must contain
    /// that many bytes.
    pub(super) fn bytes(&self, at: usize, length: usize) -> Cow<'a, [u8]> {
        match self.bytes.get(at..at + length) {
            Some(bytes) => Cow::Borrowed(bytes),
            None => Cow::Owned([&self.bytes[at..], &self.bytes[..at + length - self.len()]].concat()),
        }
    }

    /// Returns whether an end record starts at this position.
    pub(super) fn is_end(&self, at: usize) -> bool {
        self.len() >= END
            && self.number(at) == END as u32
            && (1..).zip(END_SIGNATURE).all(|(n, number)| self.number(self.forward(at, 4 * n)) == number)
    }

    /// Returns the end record at this offset in the file; `None` if there is no valid one.
    pub(super) fn end_at(&self, offset: u32) -> Option<End> {
        self.end(self.place(offset)?)
    }

    /// Returns the end record at this position; `None` if its numbers are not valid for this file.
    fn end(&self, at: usize) -> Option<End> {
        let member = |n: usize| self.number(self.forward(at, 4 * n));
        if !self.is_end(at) || member(9) != END as u32 || self.place(member(6)) != Some(at) {
            return None;
        }
        Some(End { at, oldest: self.place(member(5))?, next: member(7) })
    }

    /// Returns the end record that was written last: the one with the highest number for the next record. A log that
    /// was not closed can still contain older end records.
    pub(super) fn newest_end(&self) -> Option<End> {
        (0..self.len()).step_by(4).filter_map(|at| self.end(at)).max_by_key(|end| end.next)
    }

    /// Returns whether all four-byte numbers in the `length` bytes from a position on are [`FILLER`]. These bytes must
    /// not cross the end of the ring.
    pub(super) fn is_filled(&self, at: usize, length: usize) -> bool {
        (at..at + length).step_by(4).all(|at| self.number(at) == FILLER)
    }

    /// Returns whether the `length` bytes from a position on are all zero, as in a part of a log that was never
    /// written.
    pub(super) fn is_unused(&self, at: usize, length: usize) -> bool {
        (0..length).step_by(4).all(|by| self.number(self.forward(at, by)) == 0)
    }

    /// Searches the `left` bytes from `at` on for the next record after `at`, which is recognized by its signature and
    /// its length. Returns the distance in bytes from `at` to this record, or `left` if there is none.
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
