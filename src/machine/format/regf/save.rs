//! Returns a hive as the bytes of a file.
//!
//! The caller writes the bytes into a new file beside the old one, calls fsync, renames the file, and calls fsync on
//! the folder. After that, it empties the logs if [`Hive::logs_after_save`] says so.
//!
//! Source: "Base block", "Hive bin" (note 3), "Dirty state of a hive".

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    Error, Hive, State,
    base::{self, BaseBlock},
    bytes::put,
};

/// The offset in the file of the timestamp in the first bin, which is a copy of the timestamp in the base block.
const BIN_TIMESTAMP: usize = base::SIZE + 20;

/// A point in time as hives store it, in units of 100 ns since 1601, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filetime(pub u64);

impl Filetime {
    /// The seconds from 1601 to 1970.
    const UNIX: u64 = 11_644_473_600;

    /// Returns the present time.
    pub fn now() -> Self {
        SystemTime::now().into()
    }
}

impl From<SystemTime> for Filetime {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self((since.as_secs() + Self::UNIX) * 10_000_000 + u64::from(since.subsec_nanos()) / 100)
    }
}

/// Tells the caller whether to empty the logs of a saved hive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogsAfterSave {
    /// The sequence number of the saved file. Both sequence fields of its base block have this value.
    pub sequence: u32,
    /// Whether to empty `.LOG`, `.LOG1` and `.LOG2` (to length 0) after the new file is in place.
    pub empty: bool,
    /// The reason for `empty`, as a sentence.
    pub reason: &'static str,
}

impl Hive {
    /// Returns the bytes of the whole file, with which to replace the old file. Empty bins at the end are left out.
    ///
    /// Both sequence numbers become one more than the highest number of the hive or an applied log entry. So the file
    /// is clean, and newer than every log entry. Windows ignores logs beside a clean hive. The timestamps of the base
    /// block and the first bin become `now`. A hive that is read-only, or in which an edit failed halfway, is refused.
    pub fn to_bytes(&mut self, now: Filetime) -> Result<Vec<u8>, Error> {
        self.writable()?;
        self.settle()?;
        self.trim()?;
        let file = self.file_mut()?;
        let sequence = next_sequence(file);
        base::put_u32(file, base::PRIMARY_SEQUENCE, sequence);
        base::put_u32(file, base::SECONDARY_SEQUENCE, sequence);
        let stamp = now.0.to_le_bytes();
        if !put(file, base::LAST_WRITTEN, &stamp) || !put(file, BIN_TIMESTAMP, &stamp) {
            return Err(Error::NotAHive("the hive has no bins"));
        }
        base::seal(file);
        let bytes = file.clone();
        self.changed = false;
        Ok(bytes)
    }

    /// Returns what to do with the logs beside the file after the file was saved.
    ///
    /// The saved file is clean, so Windows applies no log to it, whatever the log contains ("Dirty state of a hive").
    /// The logs are emptied nevertheless: if a later write of this hive by Windows fails, older log entries must not be
    /// mistaken for its own. Windows also leaves an empty log if it uses another one.
    pub fn logs_after_save(&self) -> LogsAfterSave {
        let base = self.store.whole().ok().and_then(BaseBlock::read);
        let sequence = base.map_or(0, |base| base.primary_sequence);
        LogsAfterSave {
            sequence,
            empty: true,
            reason: "the saved hive is complete; its logs contain older changes, which must not be applied to it",
        }
    }

    /// Returns an error if the hive must not be changed or written.
    pub(super) fn writable(&self) -> Result<(), Error> {
        match self.state {
            State::Dirty { .. } => Err(Error::ReadOnly),
            _ if self.broken => Err(Error::Broken),
            _ => Ok(()),
        }
    }
}

fn next_sequence(file: &[u8]) -> u32 {
    let base = BaseBlock::read(file);
    let highest = base.map_or(0, |base| base.primary_sequence.max(base.secondary_sequence));
    // After the highest number comes 1, not 0, because Windows begins with 1.
    highest.checked_add(1).unwrap_or(1)
}
