//! Reads the security records (`sk`) of a hive.
//!
//! Each contains a security descriptor that keys share, and the number of these keys. The records form a ring.
//!
//! Source: Suhanov's specification of the hive format, "Key security".

use super::{Error, Hive, Node, bytes::u32_at, node};

pub(super) const SECURITY: &str = "security record";
/// The length of a security record in bytes, without its security descriptor.
pub(super) const HEADER: usize = 20;
pub(super) const NEXT: usize = 4;
pub(super) const PREVIOUS: usize = 8;
pub(super) const REFERENCES: usize = 12;
pub(super) const SIZE: usize = 16;

/// A security record of a hive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Security<'a> {
    pub(super) next: u32,
    pub(super) previous: u32,
    pub(super) references: u32,
    pub(super) descriptor: &'a [u8],
}

impl Hive {
    /// Returns the security record at the offset `at`.
    pub(super) fn security_at(&self, at: u32) -> Result<Security<'_>, Error> {
        let cell = self.record(SECURITY, at, b"sk", HEADER)?;
        let field = |at| u32_at(cell, at).unwrap_or_default();
        let descriptor = (field(SIZE) as usize).checked_add(HEADER).and_then(|end| cell.get(HEADER..end));
        Ok(Security {
            next: field(NEXT),
            previous: field(PREVIOUS),
            references: field(REFERENCES),
            descriptor: descriptor
                .ok_or_else(|| Error::cell(SECURITY, at, "the structure extends beyond the end of its cell"))?,
        })
    }

    /// Returns the security descriptor of a key, in self-relative form.
    pub fn security_descriptor(&self, node: Node) -> Result<&[u8], Error> {
        let at = self.key(node)?.u32(node::SECURITY);
        Ok(self.security_at(at)?.descriptor)
    }
}
