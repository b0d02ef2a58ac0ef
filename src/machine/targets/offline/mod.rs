//! The registry of a Windows that is not running: hive files, each at the key where Windows would load the hive.
//!
//! The targets `image:DIR` and `hive:FILE=KEY` use it, and `local` for users who are not logged on. In an image and for
//! `local`, a hive is opened when kbfix first needs one of its keys. Some keys are links that Windows creates at every
//! start (`CurrentControlSet`, `HKCR`, a user's `Software\Classes`); they are resolved to the keys to which they lead
//! ([`resolve`]). `HKLM\HARDWARE` and some other keys, which Windows creates in memory at every start, are unknown.

mod file;
mod logs;
mod memory;
mod read;
mod resolve;
// Not on Windows, where an open file cannot be replaced.
#[cfg(unix)]
mod source;
mod stamp;
mod write;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

pub(super) use file::{HiveFile, OpenError};
pub use file::{read_hive, read_log};
pub use logs::logs_of as hive_logs;

use crate::{
    files::{
        pinned::Pinned,
        replace::{leftovers, remove_leftovers},
    },
    registry::{KeyName, KeyPath, RootKey, sid},
};

use super::{Answer, KeyFacts, KeyQuery, Reason, TargetError, Unread, ValueSelection, WriteError, lock::lock_beside};
use resolve::Place;

/// Hive files, each mounted at a key, which means that the keys in the hive are below this key.
#[derive(Debug)]
pub(super) struct OfflineRegistry {
    mounts: Vec<Mount>,
    /// Folders with hive files. Other users may be able to write to them, so no path below them may contain a link.
    roots: Vec<PathBuf>,
    allow_dirty: bool,
    /// Whether kbfix takes a lock beside each hive file to which it writes.
    lock_files: bool,
    /// The root keys below which all existing hives are mounted. Below these, a key that is neither in a mounted hive
    /// nor above one is absent. Below any other root key, such a key is unknown, unless it is at or below a key of
    /// `without_hive`.
    complete: BTreeSet<RootKey>,
    /// The keys at which Windows would load a hive, but whose hive file does not exist.
    without_hive: BTreeSet<KeyPath>,
    /// The name of the target in messages.
    what: String,
    /// A function that is called immediately before a hive's file is replaced, with the key at which the hive is
    /// mounted. If it returns an error, the file is not replaced. In `local`, it returns an error if the user has
    /// logged on.
    guard: fn(&KeyPath) -> Result<(), WriteError>,
}

/// A hive file and the key at which its root is mounted.
#[derive(Debug)]
struct Mount {
    key: KeyPath,
    /// The path of the hive file, or the reason why the path is not known.
    file: Result<PathBuf, Unread>,
    /// Whether this is the hive of a user. If such a hive turns out to be damaged when it is opened, its keys are
    /// malformed, but the target as a whole is not refused.
    of_user: bool,
    /// The result of opening the file; `None` before the first attempt.
    opened: Option<Result<HiveFile, Unread>>,
}

/// The reason why the registry returns no answer about a key.
#[derive(Debug)]
pub(super) enum Halt {
    /// The key could not be read.
    Unread(Unread),
    /// The target as a whole is refused, for example because a hive is damaged.
    Refused(TargetError),
}

impl From<Unread> for Halt {
    fn from(why: Unread) -> Self {
        Self::Unread(why)
    }
}

impl OfflineRegistry {
    /// Returns a registry without hives. `what` is the name of the target in messages. For `allow_dirty`, see
    /// [`HiveFile::open`]. `lock_files` says whether kbfix takes a lock beside each hive file to which it writes.
    pub(super) fn new(what: String, allow_dirty: bool, lock_files: bool) -> Self {
        Self {
            mounts: Vec::new(),
            roots: Vec::new(),
            allow_dirty,
            lock_files,
            complete: BTreeSet::new(),
            without_hive: BTreeSet::new(),
            what,
            guard: |_| Ok(()),
        }
    }

    /// Sets the function that is called immediately before a hive file is replaced. If the new file cannot be written,
    /// or the old one cannot be replaced, the function is called again, because its error may explain the failure.
    #[cfg_attr(not(windows), allow(dead_code, reason = "elsewhere the machine of the hives does not run"))]
    pub(super) fn guard(&mut self, guard: fn(&KeyPath) -> Result<(), WriteError>) {
        self.guard = guard;
    }

    /// Returns whether the hive that is mounted at this key is open, which means that kbfix has read it.
    #[cfg_attr(not(windows), allow(dead_code, reason = "elsewhere the machine of the hives does not run"))]
    pub(super) fn has_opened(&self, key: &KeyPath) -> bool {
        self.mounted_at(key).is_some_and(|number| matches!(self.mounts[number].opened, Some(Ok(_))))
    }

    /// Adds a folder with hive files. No part of the path from this folder to a hive file may be a link.
    pub(super) fn look_in(&mut self, root: PathBuf) {
        self.roots.push(root);
    }

    /// Mounts a hive file at a key. If `file` is an error, it is the reason why the keys of this hive cannot be read.
    pub(super) fn mount(&mut self, key: KeyPath, file: Result<PathBuf, Unread>) {
        self.mounts.push(Mount { key, file, of_user: false, opened: None });
    }

    /// Mounts a hive file of a user.
    ///
    /// A user can damage their own hive file, and changes for other users must still be possible. Therefore, if the
    /// file turns out to be damaged when it is opened, only its keys cannot be read.
    pub(super) fn mount_user(&mut self, key: KeyPath, file: Result<PathBuf, Unread>) {
        self.mounts.push(Mount { key, file, of_user: true, opened: None });
    }

    /// Records that the hive file for this key does not exist, so the key is absent.
    pub(super) fn no_hive(&mut self, key: KeyPath) {
        self.without_hive.insert(key);
    }

    /// Mounts, at a key, a hive file that is already open.
    pub(super) fn mount_opened(&mut self, key: KeyPath, file: HiveFile) {
        self.mounts.push(Mount { key, file: Ok(file.path().to_owned()), of_user: false, opened: Some(Ok(file)) });
    }

    /// Records that all existing hives below this root key are mounted; see the field `complete`.
    pub(super) fn complete(&mut self, root: RootKey) {
        self.complete.insert(root);
    }

    /// Discards everything that was read. The next question reads the files again.
    pub(super) fn forget(&mut self) {
        for mount in &mut self.mounts {
            mount.opened = None;
        }
    }

    /// Discards the hives that another program has written since they were read, and those that are changed in memory
    /// or could not be opened. The next question reads their files again. Returns whether there were such hives.
    fn forget_stale(&mut self) -> bool {
        let mut found = false;
        for mount in &mut self.mounts {
            found |= mount.opened.take_if(|opened| !opened.as_ref().is_ok_and(HiveFile::is_as_read)).is_some();
        }
        found
    }

    /// Answers one question about a key.
    ///
    /// # Errors
    /// Returns [`TargetError`] for a hive with a problem of the kind [`OpenError::Refused`], or if a part of an open
    /// hive file cannot be read. But if the problem is found when the hive of a user is opened, there is no error: the
    /// keys of this hive are malformed.
    pub(super) fn read(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {
        let answer = self.answer(query);
        self.judged(answer)
    }

    /// Returns the number of the current control set, which the key `HKLM\SYSTEM\Select` contains.
    ///
    /// # Errors
    /// Returns the errors of [`Self::read`].
    pub(super) fn control_set(&mut self) -> Result<Answer<u16>, TargetError> {
        let number = self.current_control_set().map(Answer::Present);
        self.judged(number)
    }

    fn judged<T>(&self, answer: Result<Answer<T>, Halt>) -> Result<Answer<T>, TargetError> {
        // After a failed read, no part of the file is reliable, not only the key that was asked for.
        if let Some(error) = self.opened_files().find_map(HiveFile::failure) {
            return Err(error);
        }
        match answer {
            Ok(answer) => Ok(answer),
            Err(Halt::Unread(why)) => Ok(Answer::Unread(why)),
            Err(Halt::Refused(error)) => Err(error),
        }
    }

    fn answer(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, Halt> {
        let place = self.resolve(&query.key)?;
        self.answer_at(&place, query)
    }

    /// Answers one question about a key that was already found.
    fn answer_at(&mut self, place: &Place, query: &KeyQuery) -> Result<Answer<KeyFacts>, Halt> {
        match place {
            Place::In { node: None, .. } | Place::Absent => Ok(Answer::Absent),
            Place::In { mount, node: Some(node), .. } => {
                let file = self.opened(*mount)?;
                let mut answer = read::key_facts(&file.hive, *node, query);
                if let Answer::Present(facts) = &mut answer {
                    file.describe(facts);
                }
                Ok(answer)
            }
            Place::Above(path) => self.above(path, query).map(Answer::Present).map_err(Halt::Unread),
        }
    }

    /// Returns the facts about a key above the mounted hives, such as `HKLM`. Such a key exists, but its values are
    /// unknown. Its subkeys are known only if the root key is in `complete`.
    ///
    /// # Errors
    /// Returns the reason if the query asks for all values.
    fn above(&self, path: &KeyPath, query: &KeyQuery) -> Result<KeyFacts, Unread> {
        let unknown = || Unread::new(Reason::Unknown, format!("{} contains only a part of {path}", self.what));
        let whole = self.complete.contains(&path.root());
        let values = match &query.values {
            ValueSelection::Names(names) => {
                names.iter().map(|name| (name.clone(), Answer::Unread(unknown()))).collect()
            }
            ValueSelection::All => return Err(unknown()),
        };
        let subkeys = match (query.subkeys, whole) {
            (false, _) => None,
            (true, true) => Some(Answer::Present(self.mounted_below(path))),
            (true, false) => Some(Answer::Unread(unknown())),
        };
        Ok(KeyFacts { values, subkeys, ..KeyFacts::default() })
    }

    fn mounted_below(&self, path: &KeyPath) -> Vec<KeyName> {
        let names = self.mounts.iter().filter_map(|mount| mount.key.relative_to(path)?.split('\\').next());
        // Windows has no key for the Default profile, so it is not listed. Otherwise a spec for the keys of all users
        // would include it.
        let names = names.filter(|name| !sid::is_default_profile(name));
        let mut names: Vec<_> = names.filter_map(|name| KeyName::new(name).ok()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Returns the index of the innermost mounted hive that contains `path`; `None` if no hive contains it.
    fn mount_of(&self, path: &KeyPath) -> Option<usize> {
        let holding = self.mounts.iter().enumerate().filter(|(_, mount)| path.is_within(&mount.key));
        holding.max_by_key(|(_, mount)| mount.key.depth()).map(|(number, _)| number)
    }

    /// Returns the index of the hive that is mounted at this key itself; `None` if there is none.
    fn mounted_at(&self, key: &KeyPath) -> Option<usize> {
        self.mounts.iter().position(|mount| mount.key == *key)
    }

    /// Removes temporary files that killed processes left beside the hives. If the lock of a hive cannot be taken, its
    /// files are not removed, because another process may be writing them.
    pub(super) fn remove_leftovers(&self) {
        let files = self.mounts.iter().filter_map(|mount| mount.file.as_ref().ok());
        for reached in files.filter_map(|path| Pinned::reach(root_of(&self.roots, path), path).ok()) {
            let path = reached.path();
            if leftovers(path).is_ok_and(|found| !found.is_empty())
                && let Ok(_held) = lock_beside(path)
            {
                // It is not an error if leftovers cannot be removed.
                let _ = remove_leftovers(path);
            }
        }
    }

    /// Resets the total size of the returned class names and security descriptors, which is limited
    /// ([`HiveFile::describe`]). Called before changes are made or undone in memory, because the same keys are then
    /// read again.
    fn ask_anew(&mut self) {
        for mount in &mut self.mounts {
            if let Some(Ok(file)) = &mut mount.opened {
                file.describe_anew();
            }
        }
    }

    fn opened_files(&self) -> impl Iterator<Item = &HiveFile> {
        self.mounts.iter().filter_map(|mount| mount.opened.as_ref()?.as_ref().ok())
    }

    /// Returns the mounted hive with this index, and opens its file if necessary.
    fn opened(&mut self, number: usize) -> Result<&mut HiveFile, Halt> {
        let allow_dirty = self.allow_dirty;
        let mount = &mut self.mounts[number];
        if mount.opened.is_none() {
            let opened = match &mount.file {
                Err(why) => Err(why.clone()),
                Ok(path) => match HiveFile::open(path, root_of(&self.roots, path), allow_dirty) {
                    Ok(file) if mount.of_user => file.with_sound_bins(),
                    Ok(file) => Ok(file),
                    Err(OpenError::Unread(why)) => Err(why),
                    Err(OpenError::Refused(error)) if mount.of_user => Err(file::unusable(&error)),
                    Err(OpenError::Refused(error)) => return Err(Halt::Refused(error)),
                },
            };
            mount.opened = Some(opened);
        }
        match &mut mount.opened {
            Some(Ok(file)) => Ok(file),
            Some(Err(why)) => Err(Halt::Unread(why.clone())),
            None => Err(Halt::Unread(Unread::new(Reason::Unknown, format!("{} was not opened", mount.key)))),
        }
    }
}

/// Returns the innermost of the folders `roots` that contains the file; `None` if none contains it.
fn root_of<'a>(roots: &'a [PathBuf], path: &Path) -> Option<&'a Path> {
    let holding = roots.iter().filter(|root| path.starts_with(root));
    holding.max_by_key(|root| root.components().count()).map(PathBuf::as_path)
}
