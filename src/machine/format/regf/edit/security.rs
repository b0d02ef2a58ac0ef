//! Edits the security records of a hive. Keys with the same security descriptor share a record.
//!
//! A record contains the number of the keys that use it. When no key uses it any more, it is removed from the ring of
//! records.
//!
//! Source: Suhanov's specification of the hive format, "Key security".

use super::{
    super::{
        Error, Hive,
        hash::HashMap,
        node,
        security::{HEADER, NEXT, PREVIOUS, REFERENCES, SECURITY, SIZE},
    },
    Editor,
};

impl Editor<'_> {
    /// Sets the security descriptor, in self-relative form, of the key at `path`. Returns false if the key already has
    /// this descriptor.
    pub fn set_security(&mut self, path: &str, descriptor: &[u8]) -> Result<bool, Error> {
        let node = self.existing(path)?;
        if self.hive.security_descriptor(node)? == descriptor {
            return Ok(false);
        }
        let old = self.hive.key(node)?.u32(node::SECURITY);
        let found = self.hive.find_security(old, descriptor)?;
        self.change(|hive, now| {
            let new = match found {
                Some(at) => {
                    hive.reference(at)?;
                    at
                }
                None => hive.add_security(old, descriptor)?,
            };
            hive.put_u32(node.0, node::SECURITY, new)?;
            hive.unreference(old)?;
            hive.put_time(node.0, now)?;
            Ok(true)
        })
    }
}

impl Hive {
    /// Returns the offset of the security record with this descriptor, in the ring that contains the record `first`;
    /// `None` if the ring has no such record.
    ///
    /// The records of the ring are read only once and then cached for all edits.
    fn find_security(&mut self, first: u32, descriptor: &[u8]) -> Result<Option<u32>, Error> {
        if self.cache.security.is_none() {
            self.cache.security = Some(self.descriptors(first)?);
        }
        Ok(self.cache.security.as_ref().and_then(|known| known.get(descriptor).copied()))
    }

    /// Returns the descriptors of all records in the ring that contains the record `first`, each with the offset of its
    /// record.
    fn descriptors(&self, first: u32) -> Result<HashMap<Vec<u8>, u32>, Error> {
        let mut known = HashMap::default();
        let mut at = first;
        // A ring cannot have more records than fit into the file. A ring in a damaged file may never return to its
        // start.
        for _ in 0..=self.file_len() / HEADER {
            let record = self.security_at(at)?;
            known.entry(record.descriptor.to_vec()).or_insert(at);
            at = record.next;
            if at == first {
                return Ok(known);
            }
        }
        Err(Error::cell(SECURITY, first, "the security records do not form a ring"))
    }

    /// Adds a security record for one key to the ring, after the record at the offset `previous`. Returns the offset of
    /// the new record.
    fn add_security(&mut self, previous: u32, descriptor: &[u8]) -> Result<u32, Error> {
        let next = self.security_at(previous)?.next;
        let mut cell = vec![0; HEADER];
        let mut put = |at: usize, bytes: &[u8]| cell[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"sk");
        put(NEXT, &next.to_le_bytes());
        put(PREVIOUS, &previous.to_le_bytes());
        put(REFERENCES, &1_u32.to_le_bytes());
        put(SIZE, &(descriptor.len() as u32).to_le_bytes());
        cell.extend(descriptor);
        let at = self.allocate(&cell)?;
        self.put_u32(previous, NEXT, at)?;
        self.put_u32(next, PREVIOUS, at)?;
        if let Some(known) = &mut self.cache.security {
            known.insert(descriptor.to_vec(), at);
        }
        Ok(at)
    }

    /// Adds one to the number of keys that use the security record at the offset `at`.
    pub(super) fn reference(&mut self, at: u32) -> Result<(), Error> {
        let references = self.security_at(at)?.references;
        let more = references
            .checked_add(1)
            .ok_or_else(|| Error::cell(SECURITY, at, "the number of keys that use the security record is too large"))?;
        self.put_u32(at, REFERENCES, more)
    }

    /// Subtracts one from the number of keys that use the security record at the offset `at`. Removes the record when
    /// the number reaches zero, unless it is the only record of the ring.
    pub(super) fn unreference(&mut self, at: u32) -> Result<(), Error> {
        let record = self.security_at(at)?;
        let (references, next, previous) = (record.references, record.next, record.previous);
        if references > 1 || next == at {
            return self.put_u32(at, REFERENCES, references.saturating_sub(1));
        }
        if self.security_at(next)?.previous != at || self.security_at(previous)?.next != at {
            return Err(Error::cell(SECURITY, at, "the security records do not form a ring"));
        }
        self.put_u32(previous, NEXT, next)?;
        self.put_u32(next, PREVIOUS, previous)?;
        let descriptor = self.security_at(at)?.descriptor.to_vec();
        if let Some(known) = &mut self.cache.security
            && known.get(&descriptor) == Some(&at)
        {
            known.remove(&descriptor);
        }
        self.release(at)
    }
}
