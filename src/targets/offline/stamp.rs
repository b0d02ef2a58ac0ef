//! By what a hive file that somebody wrote meanwhile is told from the one that was read.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read as _},
    path::Path,
    time::SystemTime,
};

use super::logs::logs_of;
use crate::targets::WriteError;

/// The signature and both sequence numbers, which Windows raises whenever it writes a hive.
const HEAD: u64 = 12;

/// What a hive file and its logs were at one moment. Windows from 8.1 on writes changes into the logs first, and hours later into
/// the hive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The beginning of the hive.
    head: Vec<u8>,
    /// The hive and its logs: name, length and time of the last write.
    files: Vec<(OsString, u64, Option<SystemTime>)>,
}

impl Stamp {
    /// The stamp of the hive at `path`, as it is now.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        // A pipe would wait for somebody to write into it.
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let mut head = Vec::new();
        fs::File::open(path)?.take(HEAD).read_to_end(&mut head)?;
        let mut files = vec![(OsString::new(), metadata.len(), metadata.modified().ok())];
        // A complete hive is read without its logs, also where its folder may not be listed.
        for log in logs_of(path).unwrap_or_default() {
            let metadata = fs::metadata(&log)?;
            files.push((log.file_name().unwrap_or_default().to_owned(), metadata.len(), metadata.modified().ok()));
        }
        Ok(Self { head, files })
    }

    /// Refuses the hive at `at` where it is no longer as this stamp says. Messages call it `told`.
    ///
    /// # Errors
    /// [`WriteError::Stale`], or that the file cannot be read any more.
    pub(super) fn refuse_other(&self, at: &Path, told: &Path) -> Result<(), WriteError> {
        let place = told.display().to_string();
        let now = Self::of(at).map_err(|source| WriteError::Io { place: place.clone(), source })?;
        if now == *self {
            return Ok(());
        }
        let expected = "the hive and its logs as they were read".to_owned();
        Err(WriteError::Stale { place, expected, found: "a hive that another program wrote since".to_owned() })
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
        written(&[7; 65]).unwrap_err();
        written(&[[7; 8], [8; 8], [7; 8], [7; 8], [7; 8], [7; 8], [7; 8], [7; 8]].concat()).unwrap_err();
        written(&[7; 64]).unwrap();
        fs::File::options().write(true).open(&hive).unwrap().set_modified(SystemTime::now()).unwrap();
        assert!(stamp.refuse_other(&hive, &hive).unwrap_err().to_string().contains("wrote since"));
        written(&[7; 64]).unwrap();
        fs::write(&log, "").unwrap();
        stamp.refuse_other(&hive, &hive).unwrap_err();
    }
}
