//! Reads and applies logs of a hive in the old format.
//!
//! Such a log contains a bitmap that marks the changed pages of 512 bytes (`DIRT`), and these pages.
//!
//! Source: Suhanov's specification of the hive format, "Old format" under "Format of transaction log files" and under
//! "Multiple transaction log files".

use super::{
    super::{
        base::{self, BaseBlock, SECTOR},
        bytes::u64_at,
    },
    Log, LogFormat, Recovery, resize,
};

const PAGE: usize = 512;
/// The offset of the first bin's timestamp in the file. This timestamp is a copy of that in the base block.
const BIN_TIMESTAMP: usize = base::SIZE + 20;

/// Applies the log that belongs to the hive; if two logs belong to it, the newer one, as Windows 8 and later do.
///
/// Returns the reason, and leaves `primary` unchanged, if no log belongs to the hive, or if that log is damaged or
/// would make the hive bins longer than `limit` bytes.
pub(super) fn recover(
    primary: &mut Vec<u8>,
    base: &BaseBlock,
    logs: Vec<Log<'_>>,
    limit: usize,
) -> Result<Recovery, &'static str> {
    let written = if base.checksum_holds { Some(base.last_written) } else { u64_at(primary, BIN_TIMESTAMP) };
    let fitting = logs.into_iter().filter(|log| Some(log.base.last_written) == written);
    // If two logs have the same sequence number, the first one is used: LOG1 before LOG2.
    let log =
        fitting.reduce(|best, log| if log.base.primary_sequence > best.base.primary_sequence { log } else { best });
    let log = log.ok_or("the log and the hive were not written at the same time")?;
    let pages =
        Pages::read(&log).filter(|_| log.base.bins_size as usize <= limit).ok_or("the log is cut short or damaged")?;

    if !base.checksum_holds {
        log.restore_base_block(primary);
    }
    resize(primary, log.base.bins_size);
    let mut count = 0;
    for (at, page) in pages.iter() {
        let start = base::SIZE + at;
        if let Some(place) = primary.get_mut(start..start + PAGE) {
            place.copy_from_slice(page);
            count += 1;
        }
    }
    Ok(Recovery {
        format: LogFormat::Vector,
        entries: 1,
        pages: count,
        sequence: log.base.primary_sequence,
        base_block: !base.checksum_holds,
    })
}

struct Pages<'a> {
    bitmap: &'a [u8],
    pages: &'a [u8],
}

impl<'a> Pages<'a> {
    /// Reads the bitmap and the pages of a log; returns `None` if the log is truncated or damaged.
    fn read(log: &Log<'a>) -> Option<Self> {
        if !log.base.bins_size.is_multiple_of(4096) {
            return None;
        }
        let sector = SECTOR * (log.base.clustering.clamp(1, 8) as usize);
        let vector = log.bytes.get(sector..)?.strip_prefix(b"DIRT")?;
        let bitmap = vector.get(..log.base.bins_size as usize / PAGE / 8)?;
        let start = (sector + 4 + bitmap.len()).next_multiple_of(sector);
        let pages = log.bytes.get(start..)?;
        let count: usize = bitmap.iter().map(|byte| byte.count_ones() as usize).sum();
        (pages.len() >= count * PAGE).then_some(Self { bitmap, pages })
    }

    /// Returns the pages to write: the offset of each page from the first hive bin, and its bytes.
    fn iter(&self) -> impl Iterator<Item = (usize, &'a [u8])> {
        let dirty =
            self.bitmap.iter().enumerate().flat_map(|(i, byte)| {
                (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| (i * 8 + bit) * PAGE)
            });
        dirty.zip(self.pages.chunks_exact(PAGE))
    }
}
