//! Recovers a hive: uses its logs to complete a hive that was not written completely, as Windows does when it loads the
//! hive.
//!
//! The hive is completed in memory. Where Windows would replace a damaged bin with an empty one, kbfix refuses the
//! hive, because keys would be lost silently.
//!
//! Source: Suhanov's specification of the hive format, "Format of transaction log files", "Dirty state of a hive",
//! "Multiple transaction log files".

mod entries;
mod marvin;
mod outcome;
mod vector;

pub use outcome::{LogFormat, Recovery};

use super::{
    Error,
    base::{self, BaseBlock, SECTOR},
};

/// The number of bytes that a hive may grow during a recovery, in addition to the total size of its logs.
const SLACK: usize = 1 << 20;

/// A log with a valid base block.
#[derive(Debug, Clone, Copy)]
struct Log<'a> {
    base: BaseBlock,
    bytes: &'a [u8],
}

/// Completes the hive `primary` with those of the `logs` that belong to it. The inner error is the reason why no log
/// could be used; `primary` is then unchanged. The outer error means that `primary` is not a hive.
pub(super) fn recover(primary: &mut Vec<u8>, logs: &[Vec<u8>]) -> Result<Result<Recovery, &'static str>, Error> {
    if logs.iter().all(Vec::is_empty) {
        return Ok(Err("there is no log"));
    }
    let logs: Vec<Log<'_>> = logs.iter().filter_map(|bytes| Log::read(bytes)).collect();
    let Some(base) = BaseBlock::read(primary) else {
        return Err(Error::NotAHive("the file does not begin with the signature `regf`"));
    };
    // New content of a hive comes from its logs, so logs that would make the hive grow by much more than their own size
    // are not trusted.
    let limit = primary.len() + logs.iter().map(|log| log.bytes.len()).sum::<usize>() + SLACK;
    let mut why = "no log has a valid base block of a known format";
    for format in [LogFormat::Entries, LogFormat::Vector] {
        let logs: Vec<Log<'_>> = logs.iter().filter(|log| log.format() == Some(format)).copied().collect();
        if logs.is_empty() {
            continue;
        }
        let done = match format {
            LogFormat::Entries => entries::recover(primary, &base, logs, limit),
            LogFormat::Vector => vector::recover(primary, &base, logs, limit),
        };
        match done {
            Ok(recovery) => {
                base::put_u32(primary, base::PRIMARY_SEQUENCE, recovery.sequence);
                base::put_u32(primary, base::SECONDARY_SEQUENCE, recovery.sequence);
                base::seal(primary);
                return Ok(Ok(recovery));
            }
            Err(reason) => why = reason,
        }
    }
    Ok(Err(why))
}

impl<'a> Log<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let base = BaseBlock::read(bytes)?;
        let whole = base.checksum_holds && base.primary_sequence == base.secondary_sequence;
        (whole && base.supported().is_ok()).then_some(Self { base, bytes })
    }

    fn format(&self) -> Option<LogFormat> {
        match self.base.file_type {
            1 | 2 => Some(LogFormat::Vector),
            6 => Some(LogFormat::Entries),
            _ => None,
        }
    }

    /// Replaces the invalid base block of the hive `primary` with the copy in this log.
    fn restore_base_block(&self, primary: &mut [u8]) {
        if let (Some(place), Some(sector)) = (primary.get_mut(..SECTOR), self.bytes.get(..SECTOR)) {
            place.copy_from_slice(sector);
        }
        base::put_u32(primary, base::FILE_TYPE, base::TYPE_PRIMARY);
    }
}

/// Changes the length of the hive bins in the file `primary` to `size` bytes: cuts bytes off or adds zeros at the end,
/// and writes the new length to the base block.
fn resize(primary: &mut Vec<u8>, size: u32) {
    primary.resize(base::SIZE + size as usize, 0);
    base::put_u32(primary, base::BINS_SIZE, size);
}
