//! The registry of a machine that is switched off: hive files, each mounted at the key where Windows would mount it.
//!
//! Shared by the targets `image:DIR` and `hive:FILE=KEY`. A hive is opened when a key in it is asked for first, and keys are
//! looked up, never walked over. What Windows makes anew at every start (`CurrentControlSet`, `HKCR`, a user's
//! `Software\Classes`) is found where it comes from ([`resolve`]); what exists in memory only is unknown.

mod file;
mod memory;
mod read;
mod resolve;
mod stamp;
mod write;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

pub(super) use file::{HiveFile, OpenError};
pub use file::{logs_of as hive_logs, read_hive, read_log};

use crate::{
    files::{
        pinned::Pinned,
        replace::{leftovers, remove_leftovers},
    },
    registry::{KeyName, KeyPath, RootKey, sid},
};

use super::{Answer, KeyFacts, KeyQuery, Reason, TargetError, Unread, Wanted, WriteError, lock::lock_beside};
use resolve::Place;

/// Hive files mounted at keys.
#[derive(Debug)]
pub(super) struct OfflineRegistry {
    mounts: Vec<Mount>,
    /// The folders that hive files are looked for in, into which others may write.
    roots: Vec<PathBuf>,
    allow_dirty: bool,
    /// Whether a change takes a lock beside each hive file that it writes.
    lock_files: bool,
    /// Root keys of which every hive is mounted: what is under no mount there is absent, elsewhere unknown.
    complete: BTreeSet<RootKey>,
    /// Keys where a hive would be mounted that there is none of.
    without_hive: BTreeSet<KeyPath>,
    /// What is mounted, for messages.
    what: String,
    /// Asked immediately before a file is replaced, with the key of its hive: it may refuse.
    guard: fn(&KeyPath) -> Result<(), WriteError>,
}

/// A hive file and the key that its root is.
#[derive(Debug)]
struct Mount {
    key: KeyPath,
    /// Where its file is, or why that is not known.
    file: Result<PathBuf, Unread>,
    /// What came of opening it, once that was tried.
    opened: Option<Result<HiveFile, Unread>>,
}

/// Why there is no answer about a key.
#[derive(Debug)]
pub(super) enum Halt {
    /// It could not be read.
    Unread(Unread),
    /// The target as a whole is refused.
    Refused(TargetError),
}

impl From<Unread> for Halt {
    fn from(why: Unread) -> Self {
        Self::Unread(why)
    }
}

impl OfflineRegistry {
    /// A registry without any hive. `what` names it in messages.
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

    /// Sets what is asked immediately before a file is replaced, and again where that fails: its refusal says why.
    #[cfg_attr(not(windows), allow(dead_code, reason = "elsewhere the machine of the hives does not run"))]
    pub(super) fn guard(&mut self, guard: fn(&KeyPath) -> Result<(), WriteError>) {
        self.guard = guard;
    }

    /// Whether the hive at this key was read.
    #[cfg_attr(not(windows), allow(dead_code, reason = "elsewhere the machine of the hives does not run"))]
    pub(super) fn has_opened(&self, key: &KeyPath) -> bool {
        self.mounted_at(key).is_some_and(|number| matches!(self.mounts[number].opened, Some(Ok(_))))
    }

    /// Says that hive files which are in this folder are reached from there without a link, whenever they are used.
    pub(super) fn look_in(&mut self, root: PathBuf) {
        self.roots.push(root);
    }

    /// Mounts a hive file at a key; or notes why the file that belongs there cannot be had.
    pub(super) fn mount(&mut self, key: KeyPath, file: Result<PathBuf, Unread>) {
        self.mounts.push(Mount { key, file, opened: None });
    }

    /// Says that there is no hive that would be mounted at this key.
    pub(super) fn no_hive(&mut self, key: KeyPath) {
        self.without_hive.insert(key);
    }

    /// Mounts a hive file that is open already.
    pub(super) fn mount_opened(&mut self, key: KeyPath, file: HiveFile) {
        self.mounts.push(Mount { key, file: Ok(file.path().to_owned()), opened: Some(Ok(file)) });
    }

    /// Says that no further hive will be mounted below this root key.
    pub(super) fn complete(&mut self, root: RootKey) {
        self.complete.insert(root);
    }

    /// Forgets what was read: the next question reads the files again.
    pub(super) fn forget(&mut self) {
        for mount in &mut self.mounts {
            mount.opened = None;
        }
    }

    /// Answers one question.
    ///
    /// # Errors
    /// [`TargetError`] for a hive that is damaged as a whole, incomplete, or on a disk that fails.
    pub(super) fn read(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {
        let answer = self.answer(query);
        // A read that failed is no property of the key that was asked for: the whole file cannot be relied upon.
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
        match self.resolve(&query.key)? {
            Place::In { node: None, .. } => Ok(Answer::Absent),
            Place::In { mount, node: Some(node), .. } => {
                let file = self.opened(mount)?;
                let mut answer = read::key_facts(&file.hive, node, query);
                if let Answer::Present(facts) = &mut answer {
                    file.describe(facts);
                }
                Ok(answer)
            }
            Place::Above(path) => self.above(&path, query).map(Answer::Present).map_err(Halt::Unread),
            Place::Absent => Ok(Answer::Absent),
        }
    }

    /// What is known of a key above the mounts: that it is there.
    fn above(&self, path: &KeyPath, query: &KeyQuery) -> Result<KeyFacts, Unread> {
        let unknown = || Unread::new(Reason::Unknown, format!("{} does not hold all of {path}", self.what));
        let whole = self.complete.contains(&path.root());
        let values = match &query.values {
            Wanted::Names(names) => names.iter().map(|name| (name.clone(), Answer::Unread(unknown()))).collect(),
            Wanted::All => return Err(unknown()),
        };
        let subkeys = match (query.subkeys, whole) {
            (false, _) => None,
            (true, true) => Some(self.mounted_below(path)),
            (true, false) => return Err(unknown()),
        };
        Ok(KeyFacts { values, subkeys, ..KeyFacts::default() })
    }

    fn mounted_below(&self, path: &KeyPath) -> Vec<KeyName> {
        let names = self.mounts.iter().filter_map(|mount| mount.key.relative_to(path)?.split('\\').next());
        // Windows has no such key: who asks for all users' keys does not mean it.
        let names = names.filter(|name| !sid::is_default_profile(name));
        let mut names: Vec<_> = names.filter_map(|name| KeyName::new(name).ok()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The number of the mount that holds `path`.
    fn mount_of(&self, path: &KeyPath) -> Option<usize> {
        let holding = self.mounts.iter().enumerate().filter(|(_, mount)| path.is_within(&mount.key));
        holding.max_by_key(|(_, mount)| mount.key.depth()).map(|(number, _)| number)
    }

    /// The number of the mount whose key is `key`.
    fn mounted_at(&self, key: &KeyPath) -> Option<usize> {
        self.mounts.iter().position(|mount| mount.key == *key)
    }

    /// Removes what killed processes left beside the hives, of those that nobody else has locked.
    pub(super) fn remove_leftovers(&self) {
        let files = self.mounts.iter().filter_map(|mount| mount.file.as_ref().ok());
        for reached in files.filter_map(|path| Pinned::reach(root_of(&self.roots, path), path).ok()) {
            let path = reached.path();
            if leftovers(path).is_ok_and(|found| !found.is_empty())
                && let Ok(_held) = lock_beside(path)
            {
                // What cannot be removed is no reason against an apply.
                let _ = remove_leftovers(path);
            }
        }
    }

    /// What is asked from here on is asked once more.
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

    /// The hive of a mount, opened where it was not yet.
    fn opened(&mut self, number: usize) -> Result<&mut HiveFile, Halt> {
        let allow_dirty = self.allow_dirty;
        let mount = &mut self.mounts[number];
        if mount.opened.is_none() {
            let opened = match &mount.file {
                Err(why) => Err(why.clone()),
                Ok(path) => match HiveFile::open(path, root_of(&self.roots, path), allow_dirty) {
                    Ok(file) => Ok(file),
                    Err(OpenError::Unread(why)) => Err(why),
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

/// The folder that the file was found in: the innermost of `roots` that it is below.
fn root_of<'a>(roots: &'a [PathBuf], path: &Path) -> Option<&'a Path> {
    let holding = roots.iter().filter(|root| path.starts_with(root));
    holding.max_by_key(|root| root.components().count()).map(PathBuf::as_path)
}
