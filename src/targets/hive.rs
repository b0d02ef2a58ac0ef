//! The target `hive:FILE=KEY`: one hive file by itself, mounted at the key where Windows has it.
//!
//! About every other key it answers unknown. What stands in it for others is as in an image: `CurrentControlSet` with
//! `HKLM\SYSTEM`, `HKCR` and the 32-bit view with `HKLM\SOFTWARE`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{files::replace::remove_leftovers, registry::KeyPath};

use super::{
    Answer, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, Reason, Target, TargetError, WriteError, WriteFailure,
    drives::Drives,
    lock::lock_beside,
    offline::{HiveFile, OfflineRegistry, OpenError},
};

/// One hive file as a target.
#[derive(Debug)]
pub struct HiveTarget {
    /// As the user named it.
    named: PathBuf,
    /// Where it is, links followed, so that all names of one file share a lock and an edit keeps the link.
    path: PathBuf,
    key: KeyPath,
    drives: Drives,
    registry: OfflineRegistry,
}

impl HiveTarget {
    /// Reads the hive at `path`, whose root is the key `key`. With `allow_dirty`, one that was not written completely
    /// and that its logs do not complete is read as it is, and never written.
    ///
    /// # Errors
    /// When it cannot be read, or is no hive.
    pub fn open(path: &Path, key: KeyPath, drives: Drives, allow_dirty: bool) -> Result<Self, TargetError> {
        let what = path.display().to_string();
        let real = fs::canonicalize(path).map_err(|source| TargetError::Io { what: what.clone(), source })?;
        // Opened here already, so that a wrong file is refused and not taken for keys that are unknown.
        let file = match HiveFile::open(&real, None, allow_dirty) {
            Ok(file) => file,
            Err(OpenError::Refused(error)) => return Err(error),
            Err(OpenError::Unread(why)) => return Err(TargetError::Malformed { what, detail: why.to_string() }),
        };
        let mut registry = OfflineRegistry::new(what, allow_dirty, false);
        registry.mount_opened(key.clone(), file);
        Ok(Self { named: path.to_owned(), path: real, key, drives, registry })
    }
}

impl Target for HiveTarget {
    fn uri(&self) -> String {
        format!("hive:{}={}", self.named.display(), self.key)
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        queries.iter().map(|query| self.registry.read(query)).collect()
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        let unknown = || Answer::unread(Reason::Unknown, "a hive holds no files; give the drive's with --drive C=DIR");
        Ok(paths.iter().map(|path| self.drives.facts(path).unwrap_or_else(unknown)).collect())
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        let lock = lock_beside(&self.path)?;
        // What cannot be removed is no reason against an apply.
        let _ = remove_leftovers(&self.path);
        self.registry.forget();
        self.drives.forget();
        Ok(lock)
    }

    fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        self.registry.rehearse(changes)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        self.registry.write(changes)
    }
}
