//! A hive as the bytes of a file.
//!
//! Writing them is the caller's part: a new file beside the old one, fsync, rename, fsync of the folder; then the logs
//! as [`Hive::logs_after_save`] says.
//!
//! Source: "Base block", "Hive bin" (note 3), "Dirty state of a hive".

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    Error, Hive, State,
    base::{self, BaseBlock},
    bytes::put,
};

/// Where the first bin keeps a copy of the base block's timestamp.
const BIN_TIMESTAMP: usize = base::SIZE + 20;

/// A point in time as a hive stores it: 100 ns since 1601, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filetime(pub u64);

impl Filetime {
    /// Seconds from 1601 to 1970.
    const UNIX: u64 = 11_644_473_600;

    /// Now.
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

/// What to do about the logs of a hive that was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogsAfterSave {
    /// The sequence number of the saved file: both of its sequence numbers are this one.
    pub sequence: u32,
    /// Whether each `.LOG`, `.LOG1` and `.LOG2` is to be made empty (length 0), after the new file is in its place.
    pub empty: bool,
    /// Why, in a sentence.
    pub reason: &'static str,
}

impl Hive {
    /// The whole file, to be saved in place of the old one. Bins at the end that hold nothing are left out.
    ///
    /// Both sequence numbers become one more than the highest that the hive or an applied log entry had, so that the
    /// file is clean, and newer than every log entry: Windows ignores logs beside a clean hive. The base block's and the
    /// first bin's timestamps become `now`. Refused for a hive that is read only, or that an edit left half done.
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
            return Err(Error::NotAHive("it has no bins"));
        }
        base::seal(file);
        let bytes = file.clone();
        self.changed = false;
        Ok(bytes)
    }

    /// What to do about the logs beside the file once it is saved.
    ///
    /// The saved file is clean, so no Windows applies a log to it, whatever is in it ("Dirty state of a hive"). They
    /// are made empty all the same: should Windows later fail while it writes this hive, entries from before our save
    /// must not be there to be mistaken for its own. An empty log is what Windows itself leaves where it uses another.
    pub fn logs_after_save(&self) -> LogsAfterSave {
        let base = self.store.whole().ok().and_then(BaseBlock::read);
        let sequence = base.map_or(0, |base| base.primary_sequence);
        LogsAfterSave {
            sequence,
            empty: true,
            reason: "the saved hive is complete; what its logs hold is older, and must not be applied to it",
        }
    }

    /// An error where the hive must not be changed or written.
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
    // Not 0 after the highest number: Windows begins with 1.
    highest.checked_add(1).unwrap_or(1)
}
