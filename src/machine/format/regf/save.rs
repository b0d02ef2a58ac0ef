//! Converts a hive in memory to the bytes of a file.
//!
//! The caller writes the bytes into a new file beside the old one, calls fsync, renames the file, and calls fsync on
//! the folder. If [`Hive::logs_after_save`] says so, the caller then empties the logs.
//!
//! Source: Suhanov's specification of the hive format, "Base block", "Hive bin" (note 3), "Dirty state of a hive".

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    Error, Hive, State,
    base::{self, BaseBlock},
    bytes::put,
};

/// The offset of the first bin's timestamp in the file. This timestamp is a copy of that in the base block.
const BIN_TIMESTAMP: usize = base::SIZE + 20;

/// A point in time as hives store it, in units of 100 ns since 1601, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filetime(pub u64);

impl Filetime {
    /// The number of seconds from 1601, where times in hives begin, to 1970, where Unix time begins.
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

/// Says whether to empty the logs of a hive after the hive was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogsAfterSave {
    /// The sequence number in the saved file. Both sequence fields of its base block contain this number.
    pub sequence: u32,
    /// Whether to empty `.LOG`, `.LOG1` and `.LOG2` (truncate them to 0 bytes) after the old file was replaced.
    pub empty: bool,
    /// The reason for the value of `empty`, as a sentence.
    pub reason: &'static str,
}

impl Hive {
    /// Returns the bytes of the file with which to replace the hive's old file. Empty bins at the end are left out.
    ///
    /// Both sequence numbers become one higher than that of the hive and of every applied log entry. The file is
    /// therefore complete and newer than its logs, and Windows ignores the logs. The timestamps of the base block and
    /// the first bin become `now`.
    ///
    /// Returns an error if the hive is read-only, if an edit failed halfway, or if a part of the hive cannot be
    /// read.
    pub fn to_bytes(&mut self, now: Filetime) -> Result<Vec<u8>, Error> {
        self.finished_file(now).map(<[u8]>::to_vec)
    }

    /// Returns the bytes of the file as [`Hive::to_bytes`] does, but without a copy: a hive can be large.
    pub(crate) fn finished_file(&mut self, now: Filetime) -> Result<&[u8], Error> {
        self.writable()?;
        self.settle()?;
        self.trim()?;
        let file = self.file_mut()?;
        let sequence = next_sequence(file);
        base::put_u32(file, base::PRIMARY_SEQUENCE, sequence);
        base::put_u32(file, base::SECONDARY_SEQUENCE, sequence);
        let stamp = now.0.to_le_bytes();
        if !put(file, base::LAST_WRITTEN, &stamp) || !put(file, BIN_TIMESTAMP, &stamp) {
            return Err(Error::NotAHive("the file is too short: nothing follows its base block"));
        }
        base::seal(file);
        self.changed = false;
        self.store.whole()
    }

    /// Returns whether to empty the logs beside the file after the file was saved. At present, the answer is always
    /// yes.
    ///
    /// Windows applies no log to the saved file, because the file is complete ("Dirty state of a hive"). kbfix empties
    /// the logs nevertheless: if a later write of this hive by Windows fails, Windows must not take old log entries for
    /// those of the failed write. Windows also leaves unused logs empty.
    pub fn logs_after_save(&self) -> LogsAfterSave {
        let base = self.store.whole().ok().and_then(BaseBlock::read);
        let sequence = base.map_or(0, |base| base.primary_sequence);
        LogsAfterSave {
            sequence,
            empty: true,
            reason: "the saved hive is complete; its logs contain older changes, which must not be applied to it",
        }
    }

    /// Returns an error if the hive must not be changed or saved: it is read-only, or an edit failed halfway.
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
