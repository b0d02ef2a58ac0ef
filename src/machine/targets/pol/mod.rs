//! The target `pol:FILE[=HKLM|HKCU]`: a registry policy file, from which Group Policy sets registry values.
//!
//! A value has three states in this target: data (an entry sets it), absent (an entry deletes it), and not configured
//! (no entry concerns it, so Group Policy leaves it as it is). A value that is not configured may exist or not on the
//! machine. So a condition about such a value is unknown, and so is one about a key if the file neither deletes the key
//! nor sets anything in or below it. A change can lead from any of these states to any other, so that changes can be
//! rolled back.
//!
//! - All other values of a key are treated as one value named `**DelVals.`: absent if the file deletes them,
//!   otherwise not configured. So a key that must contain no other values gets that entry.
//! - If the file sets a value only if the value is absent (`**soft.`), the answer about it is "unsupported". If an
//!   entry is not valid, the answer about every key that the file could contain is "malformed", because the entry may
//!   concern this key.
//! - The subkeys of a key can be listed only if the file deletes the key, or a key above it, first. So kbfix deletes a
//!   key only if this is so, and a later entry creates the key again.
//! - A file that does not exist is treated as a policy file without entries, and the first change creates it. Its
//!   folder must exist.
//! - If the file is in a folder `Machine` or `User` with a `gpt.ini` in the folder above, each write increases the
//!   version in `gpt.ini`. Otherwise Windows would not notice the change. If the folder above is named `GroupPolicy`, a
//!   missing `gpt.ini` is created.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    files::{canonical::canonical, read::not_a_file},
    format::pol::{Document, Setting},
    registry::{Data, KeyName, KeyPath, RootKey, ValueName},
    small_map::SmallMap,
};

use super::{
    Answer, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, Reason, Target, TargetError, Unread, ValueSelection,
    WriteError, WriteFailure,
    one_file::{self, Loaded},
};
use disk::Disk;

pub use disk::gpt_ini_of;

mod disk;
mod write;

const OTHER_VALUES: &str = KeyFacts::OTHER_VALUES;

/// A registry policy file as a target.
#[derive(Debug)]
pub struct PolTarget {
    /// The path of the policy file as the user gave it.
    named: PathBuf,
    root: RootKey,
    disk: Disk,
    file: Loaded<Document>,
    exists: bool,
}

impl PolTarget {
    /// Reads the policy file at `path`, whose keys are below `root`.
    ///
    /// # Errors
    ///
    /// Returns [`TargetError::Malformed`] if the file is damaged, and [`TargetError::Io`] if it cannot be read or its
    /// folder does not exist.
    pub fn open(path: &Path, root: RootKey) -> Result<Self, TargetError> {
        let io = |source| TargetError::Io { what: path.display().to_string(), source };
        let real = match canonical(path) {
            // A missing file is an empty policy, but a missing folder shows that the path is wrong.
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => {
                let name = path.file_name().ok_or_else(|| io(not_a_file()))?;
                let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
                canonical(above)
                    .map_err(|source| TargetError::Io { what: above.display().to_string(), source })?
                    .join(name)
            }
            found => found.map_err(io)?,
        };
        Self::of(path.to_owned(), real, Disk::named(), root)
    }

    /// Reads the policy file at `path` of a Windows that is not running. The file and its folder need not exist.
    ///
    /// The file is below the folder `volume`, and no link below that folder is followed.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Self::open`].
    pub(super) fn offline(path: PathBuf, volume: PathBuf, root: RootKey) -> Result<Self, TargetError> {
        Self::of(path.clone(), path, Disk::offline(volume), root)
    }

    fn of(named: PathBuf, real: PathBuf, disk: Disk, root: RootKey) -> Result<Self, TargetError> {
        let (document, exists) = disk.load(&real, root)?;
        Ok(Self { named, root, disk, file: Loaded::new(real, document), exists })
    }

    /// Returns the path of the policy file as text for messages.
    pub(super) fn place(&self) -> String {
        self.file.place()
    }

    fn read_key(&self, query: &KeyQuery) -> Result<Answer<KeyFacts>, Unread> {
        let path = self.resolve(&query.key)?;
        let state = self.file.document.key(&path);
        if state.key_deleted && !state.present {
            return Ok(Answer::Absent);
        }
        let subkeys = match (query.subkeys, state.key_deleted) {
            (false, _) => None,
            (true, true) => Some(Answer::Present(self.subkeys(&path))),
            (true, false) => Some(Answer::unread(
                Reason::NotConfigured,
                "a policy file does not show which subkeys a key has, so kbfix can neither find its subkeys by `*` \
                 nor delete the key",
            )),
        };
        let set = self.file.document.values(&path);
        let answer = |name: &ValueName| {
            if name.as_str().eq_ignore_ascii_case(OTHER_VALUES) {
                return if state.values_deleted { Answer::Absent } else { Answer::not_configured() };
            }
            match set.get(name) {
                Some(Setting::Data(data)) => Answer::Present((*data).clone()),
                Some(Setting::Soft(_)) => Answer::unread(
                    Reason::Unsupported,
                    "the policy file sets this value only if the value is absent (`**soft.`)",
                ),
                Some(Setting::Deleted) => Answer::Absent,
                Some(Setting::Nothing) | None if state.values_deleted => Answer::Absent,
                Some(Setting::Nothing) | None => Answer::not_configured(),
            }
        };
        let mut values: SmallMap<ValueName, Answer<Data>> = SmallMap::new();
        match &query.values {
            ValueSelection::Names(names) => values.extend(names.iter().map(|name| {
                let spelled = set.get_key_value(name).map_or(name, |(found, _)| *found);
                (spelled.clone(), answer(name))
            })),
            ValueSelection::All => {
                let others = ValueName::new(OTHER_VALUES).ok();
                let all = set.keys().copied().chain(&others).map(|name| (name.clone(), answer(name)));
                // Unless all values are deleted, the list must also show the single values that are.
                values.extend(all.filter(|(_, answer)| !state.values_deleted || *answer != Answer::Absent));
            }
        }
        let none = || {
            Answer::unread(
                Reason::Unknown,
                "a policy file does not contain class names and security \
            descriptors",
            )
        };
        let properties = (query.values == ValueSelection::All).then(none);
        // The root key itself always exists.
        let is_known = state.present || path.below_root().is_empty();
        let unsure = (!is_known).then(|| {
            Unread::new(
                Reason::NotConfigured,
                "the policy file sets nothing in or below this key, so it is not known whether the key exists",
            )
        });
        Ok(Answer::Present(KeyFacts { values, unsure, properties, subkeys }))
    }

    /// Returns the path that the key has in the policy file.
    ///
    /// # Errors
    /// Returns the reason if the file cannot contain the key, or if kbfix cannot read one of the file's entries, which
    /// may concern any key.
    fn resolve(&self, key: &crate::registry::Key) -> Result<KeyPath, Unread> {
        let path = key.one_name(false).stored();
        if path.root() != self.root {
            let detail =
                format!("a policy file for {} cannot contain settings for {}", self.root.short(), path.root().short());
            return Err(Unread::new(Reason::Unknown, detail));
        }
        match self.file.document.unreadable() {
            Some(why) => {
                Err(Unread::new(Reason::Malformed, format!("kbfix cannot read an entry of the policy file: {why}")))
            }
            None => Ok(path),
        }
    }

    fn subkeys(&self, path: &KeyPath) -> Vec<KeyName> {
        let below = self.file.document.keys().filter(|key| key.is_within(path) && self.file.document.key(key).present);
        let first = below.filter_map(|key| {
            let below = key.relative_to(path)?;
            KeyName::new(below.split('\\').next()?).ok()
        });
        BTreeSet::from_iter(first).into_iter().collect()
    }
}

impl Target for PolTarget {
    fn uri(&self) -> String {
        format!("pol:{}={}", self.named.display(), self.root.short())
    }

    fn missing_file(&self) -> Option<&Path> {
        (!self.exists).then_some(self.named.as_path())
    }

    fn unprocessed_policy(&self) -> Result<Option<String>, String> {
        match self.file.document.entries().next() {
            Some(_) => self.disk.unprocessed(&self.file.path),
            None => Ok(None),
        }
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        one_file::refresh(self)?;
        Ok(queries.iter().map(|query| self.read_key(query).unwrap_or_else(Answer::Unread)).collect())
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        let unknown = || Answer::unread(Reason::Unknown, "a policy file does not contain files");
        Ok(paths.iter().map(|_| unknown()).collect())
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        let lock = one_file::lock(self)?;
        self.disk.remove_leftovers(&self.file.path);
        Ok(lock)
    }

    fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        one_file::rehearse(self, changes)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        one_file::write(self, changes)?;
        self.exists |= !changes.is_empty();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
