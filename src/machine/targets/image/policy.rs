//! The local GPO of an image, in which values of the machine's policy branches can be read and written.
//!
//! When the Windows of the image next starts, Group Policy sees that the version in `gpt.ini` has changed, and writes
//! the values of the policy to the registry.

use std::{fs, io, path::PathBuf, slice};

use crate::{
    files::replace::create_inheriting_folder,
    registry::{KeyName, PolicyBranch, RootKey},
    targets::{
        Answer, KeyChange, KeyFacts, KeyQuery, Lock, PolTarget, PolicyFacts, PolicyScope, PolicyStore, Reason,
        Target as _, TargetError, Unread, WriteError, WriteFailure,
        one_file::{self, Prepared},
    },
};

use super::volume::Volume;

/// The reason why kbfix neither reads nor writes a key in a policy branch of users in the local GPO of an image.
pub const USERS_POLICY: &str = "the local GPO has one policy for all users, not one for each user, and in an image \
    kbfix reads and writes only the policy for the machine";

/// The local GPO of an image: its policy file for the machine.
#[derive(Debug)]
pub(super) struct LocalPolicy {
    file: PolTarget,
    /// The folders that must be created before the policy file can be created, topmost first.
    missing: Vec<PathBuf>,
}

impl LocalPolicy {
    /// Reads the machine's policy file of the local GPO. The file need not exist.
    ///
    /// # Errors
    ///
    /// The outer error means that the file is damaged or cannot be read; the inner error, that its path is not known.
    pub(super) fn open(
        volume: &mut Volume,
        system_root: &Result<String, Unread>,
    ) -> Result<Result<Self, Unread>, TargetError> {
        let (path, missing) = match locate(volume, system_root) {
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let file = PolTarget::offline(path, volume.system_folder().to_owned(), RootKey::Hklm)?;
        Ok(Ok(Self { file, missing }))
    }

    pub(super) fn read(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {
        let mut answers = self.file.read_keys(slice::from_ref(query))?;
        Ok(answers.pop().unwrap_or_else(|| Answer::unread(Reason::Unknown, "the policy file was not read")))
    }

    /// Returns the reason why Windows does not process the policy file, as a sentence; `None` if Windows processes it,
    /// or if it has no entries.
    ///
    /// # Errors
    /// Returns a sentence if this is not known.
    pub(super) fn unprocessed(&self) -> Result<Option<String>, String> {
        self.file.unprocessed_policy()
    }

    pub(super) fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        self.file.rehearse(changes)
    }

    /// Prepares a write: creates missing folders, locks the policy file, and makes the changes in memory. After an
    /// error, the created folders and the lock are removed.
    pub(super) fn begin(&mut self, changes: &[KeyChange]) -> Result<Begun<'_>, WriteError> {
        let mut folders = Folders(Vec::new());
        for folder in &self.missing {
            let place = || folder.display().to_string();
            create_inheriting_folder(folder).map_err(|source| match source.kind() {
                io::ErrorKind::PermissionDenied => WriteError::Denied { place: place() },
                _ => WriteError::Io { place: place(), source },
            })?;
            folders.0.push(folder.clone());
        }
        let lock = self.file.lock().map_err(|error| error.refusal(&self.file.place()))?;
        let prepared = one_file::prepare(&mut self.file, changes)?;
        Ok(Begun { file: &mut self.file, prepared, lock, folders })
    }
}

/// Prepared changes of the policy file. If they are dropped without being written, the folders that were created for
/// the file are removed.
pub(super) struct Begun<'a> {
    file: &'a mut PolTarget,
    prepared: Prepared<PolTarget>,
    // Dropped before the folders: the lock is a file in one of them.
    lock: Lock,
    folders: Folders,
}

impl Begun<'_> {
    /// Writes the prepared changes to the policy file.
    pub(super) fn finish(self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let Self { file, prepared, lock, mut folders } = self;
        let written = one_file::replace(file, prepared, changes);
        if written.as_ref().err().is_none_or(|failure| !failure.begun.is_empty()) {
            folders.0.clear();
        }
        // Removed before the folders: the lock is a file in one of them.
        drop(lock);
        written
    }
}

/// Folders that were created for a write. Dropping the list removes those that are still in it and empty.
struct Folders(Vec<PathBuf>);

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // A folder that now contains something is not removed.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Returns the local path of the policy file, and the folders above the file that do not exist, topmost first.
fn locate(volume: &mut Volume, system_root: &Result<String, Unread>) -> Result<(PathBuf, Vec<PathBuf>), Unread> {
    let root = system_root.clone()?;
    let mut on_machine = format!("{}\\System32", root.trim_end_matches('\\'));
    let mut path = match volume.find(&on_machine, system_root) {
        Answer::Present(path) => path,
        Answer::Absent => return Err(Unread::new(Reason::Unknown, format!("the image has no folder {on_machine}"))),
        Answer::Unread(why) => return Err(why),
    };
    let mut missing = Vec::new();
    for name in ["GroupPolicy", "Machine", "Registry.pol"] {
        on_machine = format!("{on_machine}\\{name}");
        path = match volume.find(&on_machine, system_root) {
            Answer::Present(path) => path,
            Answer::Absent => {
                let path = path.join(name);
                if name != "Registry.pol" {
                    missing.push(path.clone());
                }
                path
            }
            Answer::Unread(why) => return Err(why),
        };
    }
    Ok((path, missing))
}

/// Adds the subkey `Policies` to the facts about a key, if this subkey is a policy branch of the machine and `facts`
/// contains the subkeys. The hives may have no such subkey, but the local GPO can contain values in it.
pub(super) fn add_branch(query: &KeyQuery, facts: &mut KeyFacts) {
    let Ok(name) = KeyName::new("Policies") else { return };
    if query.key.child(&name).one_name(false).policy_branch() == Some(PolicyBranch::Machine)
        && let Some(Answer::Present(subkeys)) = &mut facts.subkeys
        && !subkeys.contains(&name)
    {
        subkeys.push(name);
        subkeys.sort();
    }
}

/// Removes the settings of the local GPO for values in the policy branches of the machine. kbfix itself writes these
/// values to the local GPO, so the local GPO is not reported as their owner.
pub(super) fn leave_out_own(facts: &mut PolicyFacts) {
    if facts.scope != PolicyScope::Machine {
        return;
    }
    for store in facts.stores.iter_mut().filter(|store| store.store == PolicyStore::Local) {
        if let Answer::Present(settings) = &mut store.found {
            settings.retain(|setting| setting.key.policy_branch().is_none());
        }
    }
}
