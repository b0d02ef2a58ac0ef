//! Security records: counted, and taken out of their ring with the last key that used them.

use super::super::{
    Error, Hive,
    security::{NEXT, PREVIOUS, REFERENCES, SECURITY},
};

impl Hive {
    /// Counts one more key that uses the record at `at`.
    pub(super) fn reference(&mut self, at: u32) -> Result<(), Error> {
        let references = self.security_at(at)?.references;
        let more =
            references.checked_add(1).ok_or_else(|| Error::cell(SECURITY, at, "its count of keys is too large"))?;
        self.put_u32(at, REFERENCES, more)
    }

    /// Counts one key less, and gives the record back when none is left.
    pub(super) fn unreference(&mut self, at: u32) -> Result<(), Error> {
        let record = self.security_at(at)?;
        let (references, next, previous) = (record.references, record.next, record.previous);
        if references > 1 || next == at {
            return self.put_u32(at, REFERENCES, references.saturating_sub(1));
        }
        if self.security_at(next)?.previous != at || self.security_at(previous)?.next != at {
            return Err(Error::cell(SECURITY, at, "the ring of security records is broken"));
        }
        self.put_u32(previous, NEXT, next)?;
        self.put_u32(next, PREVIOUS, previous)?;
        self.release(at)
    }
}
