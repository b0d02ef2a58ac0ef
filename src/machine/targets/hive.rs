//! The target `hive:FILE=KEY`: a single hive file, and the key at which Windows loads this hive.
//!
//! Keys above the hive exist, but their values are unknown; all other keys outside the hive are unknown. A key with
//! several names is found under each of them, as in an image: `CurrentControlSet` in the hive of `HKLM\SYSTEM`; `HKCR`
//! and the 32-bit view in the hive of `HKLM\SOFTWARE`.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use crate::{
    files::{canonical::canonical, replace::remove_leftovers},
    registry::KeyPath,
};

use super::{
    Answer, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, Reason, Target, TargetError, Unread, WriteError,
    WriteFailure,
    drives::{Drives, file_names},
    lock::lock_beside,
    offline::{HiveFile, OfflineRegistry, OpenError},
};

/// A single hive file as a target.
#[derive(Debug)]
pub struct HiveTarget {
    /// The path of the hive file as in the URI.
    named: PathBuf,
    /// The path of the hive file with links resolved. So every path of the file leads to the same lock, and a write
    /// replaces the file, not a link to it.
    path: PathBuf,
    key: KeyPath,
    drives: Drives,
    /// The drives with files that kbfix needed, but for which the operator gave no folder.
    missing: BTreeSet<char>,
    registry: OfflineRegistry,
}

impl HiveTarget {
    /// Opens the hive file at `path`, whose root Windows loads as the key `key`.
    ///
    /// `allow_dirty` concerns a hive that was not written completely (dirty) and that its logs cannot complete: if it
    /// is true, such a hive is read as it is, but never written; otherwise it is not read.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is damaged, is not a hive, or is a dirty hive that its logs cannot
    /// complete and `allow_dirty` is false.
    pub fn open(path: &Path, key: KeyPath, drives: Drives, allow_dirty: bool) -> Result<Self, TargetError> {
        let what = path.display().to_string();
        let real = canonical(path).map_err(|source| TargetError::Io { what: what.clone(), source })?;
        // Opened here already, so that a wrong file is an error; otherwise all its keys would only be unknown.
        let file = match HiveFile::open(&real, None, allow_dirty) {
            Ok(file) => file,
            Err(OpenError::Refused(error)) => return Err(error),
            Err(OpenError::Unread(why)) => return Err(unread(what, why)),
        };
        let mut registry = OfflineRegistry::new(what, allow_dirty, false);
        registry.mount_opened(key.clone(), file);
        Ok(Self { named: path.to_owned(), path: real, key, drives, missing: BTreeSet::new(), registry })
    }
}

/// Returns the error for a hive file that cannot be read: [`TargetError::Io`], because the file need not be damaged.
fn unread(what: String, why: Unread) -> TargetError {
    let source = match why.reason {
        Reason::Denied => io::ErrorKind::PermissionDenied.into(),
        _ => io::Error::other(why.detail.to_string()),
    };
    TargetError::Io { what, source }
}

impl Target for HiveTarget {
    fn uri(&self) -> String {
        format!("hive:{}={}", self.named.display(), self.key)
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        queries.iter().map(|query| self.registry.read(query)).collect()
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        let mut missing = BTreeSet::new();
        let answers = paths.iter().map(|path| match (self.drives.facts(path), file_names(path)) {
            (Some(facts), _) => facts,
            (None, Ok((letter, _))) => {
                missing.insert(letter);
                let detail = "a hive contains no files; give a folder that contains the files of this drive";
                Answer::unread(Reason::Unknown, detail)
            }
            (None, Err(why)) => Answer::Unread(why),
        });
        let answers = answers.collect();
        self.missing.append(&mut missing);
        Ok(answers)
    }

    fn missing_drives(&self) -> BTreeSet<char> {
        self.missing.clone()
    }

    fn control_set(&mut self) -> Result<Answer<u16>, TargetError> {
        self.registry.control_set()
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        let lock = lock_beside(&self.path)?;
        // It is not an error if leftovers of an earlier run cannot be removed.
        let _ = remove_leftovers(&self.path);
        self.registry.forget();
        self.drives.forget();
        Ok(lock)
    }

    fn refuse_damaged(&mut self, changes: &[KeyChange]) -> Result<(), TargetError> {
        self.registry.refuse_damaged(changes)
    }

    fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        self.registry.rehearse(changes)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        self.registry.write(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hive_that_cannot_be_read_is_not_damaged() {
        let kind = |reason| match unread("a".to_owned(), Unread::new(reason, "b")) {
            TargetError::Io { source, .. } => source.kind(),
            other => panic!("{other}"),
        };
        assert_eq!(kind(Reason::Denied), io::ErrorKind::PermissionDenied);
        assert_eq!(kind(Reason::Unknown), io::ErrorKind::Other);
    }
}
