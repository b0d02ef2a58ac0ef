//! Reads and applies logs of a hive in the new format.
//!
//! Such a log consists of entries (`HvLE`), each with changed pages of the hive and with hashes of its content.
//!
//! Source: Suhanov's specification of the hive format, "New format" under "Format of transaction log files" and under
//! "Multiple transaction log files".

use super::{
    super::{
        base::{self, BaseBlock, SECTOR},
        bytes::{u32_at, u64_at},
    },
    Log, LogFormat, Recovery,
    marvin::marvin32,
    resize,
};

const HEADER: usize = 40;
/// The maximum total length of the hive bins in bytes. An offset with its highest bit set is that of a volatile cell,
/// which is not in the file.
const LARGEST: u32 = 0x7FFF_F000;

/// The maximum number of bytes that a hive may grow in total while its logs are applied, as a multiple of the largest
/// length that is allowed for it. The limit protects against malicious logs, which shrink and grow a hive in turn.
const MOST_GROWTHS: usize = 16;

/// An entry of a log, whose hashes are correct.
#[derive(Debug)]
pub(in super::super) struct Entry<'a> {
    /// The sequence number of the entry. The number of the next entry is higher by one.
    pub(in super::super) sequence: u32,
    /// The flags of the entry. If the lowest bit is set, pending transactions lock the hive.
    pub(in super::super) flags: u32,
    /// The length of all hive bins, in bytes, after the entry was applied.
    pub(in super::super) bins_size: u32,
    /// The pages to write: the offset of each page from the first hive bin, and its bytes.
    pub(in super::super) pages: Vec<(u32, &'a [u8])>,
    size: usize,
}

impl<'a> Entry<'a> {
    /// Reads the entry at the beginning of `bytes`; returns `None` if it is incomplete or invalid.
    pub(in super::super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let header = bytes.get(..HEADER)?;
        let size = u32_at(header, 4)? as usize;
        if !header.starts_with(b"HvLE") || size < SECTOR || !size.is_multiple_of(SECTOR) {
            return None;
        }
        let body = bytes.get(HEADER..size)?;
        if u64_at(header, 24)? != marvin32(body) || u64_at(header, 32)? != marvin32(header.get(..32)?) {
            return None;
        }
        let bins_size = u32_at(header, 16)?;
        if !bins_size.is_multiple_of(4096) || bins_size > LARGEST {
            return None;
        }
        let count = u32_at(header, 20)? as usize;
        let (references, mut rest) = body.split_at_checked(count.checked_mul(8)?)?;
        let mut pages = Vec::with_capacity(count);
        for reference in references.chunks_exact(8) {
            let (at, len) = (u32_at(reference, 0)?, u32_at(reference, 4)?);
            let page;
            (page, rest) = rest.split_at_checked(len as usize)?;
            if at.checked_add(len)? > bins_size {
                return None;
            }
            pages.push((at, page));
        }
        Some(Self { sequence: u32_at(header, 12)?, flags: u32_at(header, 8)?, bins_size, pages, size })
    }

    /// Returns the valid entries of a log with consecutive sequence numbers, starting with the number in the base block
    /// of the log. Ends before the first entry after which the hive bins would be longer than `limit` bytes.
    fn all(log: &Log<'a>, limit: usize) -> Vec<Self> {
        let mut rest = log.bytes.get(SECTOR..).unwrap_or_default();
        let mut expected = log.base.primary_sequence;
        let mut entries = Vec::new();
        while let Some(entry) = Self::read(rest).filter(|e| e.sequence == expected && e.bins_size as usize <= limit) {
            rest = rest.get(entry.size..).unwrap_or_default();
            expected = expected.wrapping_add(1);
            entries.push(entry);
        }
        entries
    }
}

/// Applies the entries of the logs that are not older than the hive, in the order of their sequence numbers, up to the
/// first number that is missing. If the base block of the hive is invalid, applies only those of the latest log.
/// `limit` is the largest length in bytes that an entry may give the hive bins.
///
/// If the logs cannot be used, returns the reason and leaves `primary` unchanged.
pub(super) fn recover(
    primary: &mut Vec<u8>,
    base: &BaseBlock,
    logs: Vec<Log<'_>>,
    limit: usize,
) -> Result<Recovery, &'static str> {
    let mut logs: Vec<(Log<'_>, Vec<Entry<'_>>)> = logs.into_iter().map(|log| (log, Entry::all(&log, limit))).collect();
    if logs.iter().all(|(_, entries)| entries.is_empty()) {
        return Err("none of the logs contains a valid entry");
    }
    // Logs whose changes the primary file already contains are not applied again.
    if base.checksum_holds {
        logs.retain(|(log, entries)| log.base.primary_sequence >= base.secondary_sequence && !entries.is_empty());
        if logs.is_empty() {
            return Err("the entries of the logs are older than the hive");
        }
        logs.sort_by_key(|(log, _)| log.base.primary_sequence);
    } else {
        // If there is no valid base block to compare with, Windows trusts only the log with the latest entries.
        let latest = logs
            .into_iter()
            .filter(|(_, entries)| !entries.is_empty())
            .max_by_key(|(log, _)| log.base.primary_sequence);
        logs = latest.into_iter().collect();
    }

    // Each time the hive grows, the new part is filled with zeros. Entries that shrink and grow the hive in turn could
    // therefore cause very many bytes to be written.
    let mut len = primary.len();
    let mut grown = 0_usize;
    for (_, entries) in &logs {
        for entry in entries {
            let next = base::SIZE + entry.bins_size as usize;
            grown = grown.saturating_add(next.saturating_sub(len));
            len = next;
        }
    }
    if grown > limit.saturating_mul(MOST_GROWTHS) {
        return Err("the entries of the logs shrink and grow the hive too often");
    }
    if let Some((log, _)) = logs.first().filter(|_| !base.checksum_holds) {
        log.restore_base_block(primary);
    }
    let mut done =
        Recovery { format: LogFormat::Entries, entries: 0, pages: 0, sequence: 0, base_block: !base.checksum_holds };
    for (_, entries) in logs {
        for entry in entries {
            if done.entries > 0 && entry.sequence != done.sequence.wrapping_add(1) {
                break;
            }
            apply(primary, &entry);
            done.entries += 1;
            done.pages += entry.pages.len();
            done.sequence = entry.sequence;
        }
    }
    Ok(done)
}

fn apply(primary: &mut Vec<u8>, entry: &Entry<'_>) {
    resize(primary, entry.bins_size);
    for (at, page) in &entry.pages {
        let start = base::SIZE + *at as usize;
        if let Some(place) = primary.get_mut(start..start + page.len()) {
            place.copy_from_slice(page);
        }
    }
    // Only the first bit of an entry's flags is used.
    let flags = u32_at(primary, base::FLAGS).unwrap_or_default() & !1 | entry.flags & 1;
    base::put_u32(primary, base::FLAGS, flags);
}
