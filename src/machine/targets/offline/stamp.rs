//! Detects whether another program wrote a hive file or its logs after kbfix read them.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read as _},
    path::Path,
    time::SystemTime,
};

use super::logs::logs_of;
use crate::{files::read::not_a_file, targets::WriteError};

/// The length in bytes of the signature and both sequence numbers at the beginning of a hive file. Windows increases
/// the sequence numbers with each write.
const HEAD: u64 = 12;

/// The state of a hive file and its logs at one moment.
///
/// The logs are included, because since Windows 8.1 changes are written to the logs first, and to the hive up to hours
/// later.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The first [`HEAD`] bytes of the hive file. They contain numbers that Windows increases with each write.
    head: Vec<u8>,
    /// For the hive file and each of its logs: the name (empty for the hive file), the length in bytes, and the time of
    /// the last write, if the system knows it.
    files: Vec<(OsString, u64, Option<SystemTime>)>,
}

impl Stamp {
    /// Returns the present state of the hive file at `path` and of its logs. If the folder cannot be listed, it is that
    /// of the hive file only.
    ///
    /// # Errors
    /// Returns the system's error, or an error for something that is not a regular file.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        // Opening a pipe would wait for a writer.
        if !metadata.is_file() {
            return Err(not_a_file());
        }
        let mut head = Vec::new();
        fs::File::open(path)?.take(HEAD).read_to_end(&mut head)?;
        let mut files = vec![(OsString::new(), metadata.len(), metadata.modified().ok())];
        // A complete hive is read without its logs, so it is not an error if the folder cannot be listed.
        for log in logs_of(path).unwrap_or_default() {
            let metadata = fs::metadata(&log)?;
            files.push((log.file_name().unwrap_or_default().to_owned(), metadata.len(), metadata.modified().ok()));
        }
        Ok(Self { head, files })
    }

    /// Returns whether the hive file at `path` and its logs are the same as when this stamp was taken; false if they
    /// cannot be read.
    pub(super) fn is_current(&self, path: &Path) -> bool {
        Self::of(path).is_ok_and(|now| now == *self)
    }

    /// Checks that the hive file at `at` and its logs have not changed since this stamp was taken. `told` is the path
    /// in messages.
    ///
    /// # Errors
    /// Returns [`WriteError::Stale`] if they have changed, or another error if the file can no longer be read.
    pub(super) fn refuse_other(&self, at: &Path, told: &Path) -> Result<(), WriteError> {
        let place = told.display().to_string();
        let now = Self::of(at).map_err(|source| WriteError::Io { place: place.clone(), source })?;
        if now == *self {
            return Ok(());
        }
        let expected = "the hive and its logs unchanged since they were read".to_owned();
        Err(WriteError::Stale { place, expected, found: "a hive that another program has changed".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_length_time_or_sequence_number_is_another_hive() {
        let folder = tempfile::tempdir().unwrap();
        let (hive, log) = (folder.path().join("NTUSER.DAT"), folder.path().join("ntuser.dat.LOG1"));
        fs::write(&hive, [7; 64]).unwrap();
        let stamp = Stamp::of(&hive).unwrap();
        let modified = fs::metadata(&hive).unwrap().modified().unwrap();
        stamp.refuse_other(&hive, &hive).unwrap();
        let written = |bytes: &[u8]| {
            fs::write(&hive, bytes).unwrap();
            fs::File::options().write(true).open(&hive).unwrap().set_modified(modified).unwrap();
            stamp.refuse_other(&hive, &hive)
        };
        written(&[7; 64]).unwrap();
        assert!(stamp.is_current(&hive));
        written(&[7; 65]).unwrap_err();
        assert!(!stamp.is_current(&hive));
        written(&[[7; 8], [8; 8], [7; 8], [7; 8], [7; 8], [7; 8], [7; 8], [7; 8]].concat()).unwrap_err();
        written(&[7; 64]).unwrap();
        fs::File::options().write(true).open(&hive).unwrap().set_modified(SystemTime::now()).unwrap();
        assert!(stamp.refuse_other(&hive, &hive).unwrap_err().to_string().contains("has changed"));
        written(&[7; 64]).unwrap();
        fs::write(&log, "").unwrap();
        stamp.refuse_other(&hive, &hive).unwrap_err();
    }
}
