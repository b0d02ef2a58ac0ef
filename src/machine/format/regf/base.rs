//! The base block: the first 4096 bytes of a hive.
//!
//! Source: Suhanov's specification of the hive format, "Base block", and its note 2 for the checksum.

use super::{
    Error,
    bytes::{put, u32_at, u64_at},
};

pub(super) use super::bytes::BASE_BLOCK_SIZE as SIZE;

/// The length in bytes of the first sector of the base block, which the checksum covers. A log begins with a copy of
/// this sector.
pub(super) const SECTOR: usize = 512;
/// The value of an offset field that refers to no cell.
pub(super) const NOWHERE: u32 = u32::MAX;

pub(super) const PRIMARY_SEQUENCE: usize = 4;
pub(super) const SECONDARY_SEQUENCE: usize = 8;
pub(super) const LAST_WRITTEN: usize = 12;
pub(super) const MAJOR: usize = 20;
pub(super) const MINOR: usize = 24;
pub(super) const FILE_TYPE: usize = 28;
pub(super) const FILE_FORMAT: usize = 32;
pub(super) const ROOT: usize = 36;
pub(super) const BINS_SIZE: usize = 40;
pub(super) const CLUSTERING: usize = 44;
pub(super) const FLAGS: usize = 144;
pub(super) const CHECKSUM: usize = 508;

/// The file type in the base block of a primary file. Logs have other types.
pub(super) const TYPE_PRIMARY: u32 = 0;

/// The fields of a base block that a reader needs. They may be invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BaseBlock {
    pub(super) primary_sequence: u32,
    pub(super) secondary_sequence: u32,
    pub(super) last_written: u64,
    pub(super) major: u32,
    pub(super) minor: u32,
    pub(super) file_type: u32,
    pub(super) root: u32,
    pub(super) bins_size: u32,
    pub(super) clustering: u32,
    pub(super) checksum_holds: bool,
}

impl BaseBlock {
    /// Reads the base block in the first sector of a primary file or a log. Returns `None` if the signature is missing
    /// or the bytes are too short.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let sector = bytes.get(..SECTOR)?;
        if !sector.starts_with(b"regf") {
            return None;
        }
        Some(Self {
            primary_sequence: u32_at(sector, PRIMARY_SEQUENCE)?,
            secondary_sequence: u32_at(sector, SECONDARY_SEQUENCE)?,
            last_written: u64_at(sector, LAST_WRITTEN)?,
            major: u32_at(sector, MAJOR)?,
            minor: u32_at(sector, MINOR)?,
            file_type: u32_at(sector, FILE_TYPE)?,
            root: u32_at(sector, ROOT)?,
            bins_size: u32_at(sector, BINS_SIZE)?,
            clustering: u32_at(sector, CLUSTERING)?,
            checksum_holds: u32_at(sector, CHECKSUM)? == checksum(sector),
        })
    }

    /// Returns whether the hive was not written completely or its base block is damaged, so that it must be recovered
    /// from its logs ("Dirty state of a hive").
    pub(super) fn is_dirty(&self) -> bool {
        !self.checksum_holds || self.primary_sequence != self.secondary_sequence
    }

    /// Returns an error if kbfix does not support the hive's version of the format.
    pub(super) fn supported(&self) -> Result<(), Error> {
        if self.major == 1 && (3..=6).contains(&self.minor) {
            Ok(())
        } else {
            Err(Error::Version { major: self.major, minor: self.minor })
        }
    }
}

/// Returns the checksum of the first 508 bytes of a base block.
pub(super) fn checksum(sector: &[u8]) -> u32 {
    let words = sector.iter().take(CHECKSUM).copied().collect::<Vec<u8>>();
    let sum = words.chunks_exact(4).fold(0, |sum, word| sum ^ u32_at(word, 0).unwrap_or_default());
    match sum {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// Writes a number into the base block. The caller must then call [`seal`], which corrects the checksum.
pub(super) fn put_u32(file: &mut [u8], at: usize, number: u32) {
    let written = put(file, at, &number.to_le_bytes());
    debug_assert!(written, "a hive in memory has a whole base block");
}

/// Computes the checksum of the base block and writes it.
pub(super) fn seal(file: &mut [u8]) {
    let sum = checksum(file);
    put_u32(file, CHECKSUM, sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_never_0_or_all_ones() {
        let mut sector = vec![0; SECTOR];
        assert_eq!(checksum(&sector), 1);
        sector[..4].fill(0xFF);
        assert_eq!(checksum(&sector), 0xFFFF_FFFE);
        sector[4] = 1;
        assert_eq!(checksum(&sector), 0xFFFF_FFFE);
        sector[4] = 0x10;
        assert_eq!(checksum(&sector), 0xFFFF_FFEF);
    }
}
