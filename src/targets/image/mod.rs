//! The target `image:DIR`: the mounted volume of a Windows installation that is not running.
//!
//! The registry is in the hive files below the Windows folder and in those of the users in `ProfileList`. A hive is
//! opened when one of its keys is first asked for. The volume is the drive that `SystemRoot` names; files on another
//! drive are unknown unless a folder was given for that drive. If a hive of the machine itself is missing, its keys are
//! unknown, not absent: Windows cannot start without that hive, so the image is incomplete.

mod events;
mod volume;

use std::{collections::BTreeSet, path::Path, path::PathBuf};

use crate::{
    files::canonical::canonical,
    registry::{KeyPath, RootKey},
};

use super::{
    Answer, EventFacts, EventQuery, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, PolicyFacts, PolicyQuery,
    PolicyStores, Reason, Target, TargetError, Unread, WriteError, WriteFailure,
    drives::Drives,
    lock::lock_beside,
    offline::OfflineRegistry,
    policy::{self, Place, Stores},
    profiles,
};
use volume::Volume;

/// The machine's hives: their files, and the keys at which Windows loads them.
///
/// Source: Microsoft, "Registry Hives".
const HIVES: &[(&str, RootKey, &str)] = &[
    ("SYSTEM", RootKey::Hklm, "SYSTEM"),
    ("SOFTWARE", RootKey::Hklm, "SOFTWARE"),
    ("SAM", RootKey::Hklm, "SAM"),
    ("SECURITY", RootKey::Hklm, "SECURITY"),
    ("DEFAULT", RootKey::Hku, ".DEFAULT"),
];

/// A Windows installation that is not running, as a target.
#[derive(Debug)]
pub struct ImageTarget {
    /// The path as the user gave it.
    named: PathBuf,
    /// The path with links resolved, so that every path of one folder leads to the same lock.
    root: PathBuf,
    volume: Volume,
    allow_dirty: bool,
    registry: OfflineRegistry,
    /// Whether loading the users' hives succeeded; `None` before the first attempt.
    users: Option<Result<(), Unread>>,
}

impl ImageTarget {
    /// Opens the volume whose root folder is `folder`. `drives` are folders with the files of further drives of the
    /// machine.
    ///
    /// With `allow_dirty`, an incompletely written (dirty) hive that its logs cannot complete is read as it is, but
    /// never written.
    ///
    /// # Errors
    /// Returns an error if the volume has no Windows folder, or has two and no `boot.ini` says which of them starts.
    pub fn open(folder: &Path, drives: Drives, allow_dirty: bool) -> Result<Self, TargetError> {
        let root =
            canonical(folder).map_err(|source| TargetError::Io { what: folder.display().to_string(), source })?;
        let mut volume = Volume::open(&root, folder, drives)?;
        let registry = mounted(folder, &mut volume, allow_dirty);
        Ok(Self { named: folder.to_owned(), root, volume, allow_dirty, registry, users: None })
    }

    /// Answers a question. If the key is below `HKU`, the users' hives are mounted first.
    fn read_key(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {
        if query.key.path.root() == RootKey::Hku
            && let Err(why) = self.mount_users()?
        {
            // The hive of the system's own account does not depend on the list of users.
            let own = |sid: &str| sid.eq_ignore_ascii_case(".DEFAULT") || sid.eq_ignore_ascii_case("S-1-5-18");
            if !query.key.path.names().next().is_some_and(own) {
                return Ok(Answer::Unread(why));
            }
        }
        self.registry.read(query)
    }

    /// Mounts the users' hives if one of the changes is in them. Returns an error if another change of the run would
    /// alter which hive belongs to which user.
    fn ready_users(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        if !changes.iter().any(|change| change.key.path.root() == RootKey::Hku) {
            return Ok(());
        }
        let detail = match self.mount_users() {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(detail) = detail {
            return Err(WriteError::Unsupported { place: self.named.display().to_string(), detail });
        }
        match changes.iter().find(|change| profiles::names_hives(change)) {
            Some(change) => {
                let detail = "this key determines where the hives of users are, and other changes of this run are in \
                    those hives and could then not be undone; make the two changes in separate runs";
                Err(WriteError::Unsupported { place: change.key.to_string(), detail: detail.to_owned() })
            }
            None => Ok(()),
        }
    }

    fn mount_users(&mut self) -> Result<Result<(), Unread>, TargetError> {
        if let Some(done) = &self.users {
            return Ok(done.clone());
        }
        let system_root = self.system_root()?;
        let found = profiles::profiles(|query: &KeyQuery| self.registry.read(query), &system_root)?;
        let done = found.map(|profiles| {
            profiles::mount(&mut self.registry, &profiles, "the image", |folder, file| {
                self.volume.find(&format!("{folder}\\{file}"), &system_root)
            });
            self.registry.complete(RootKey::Hku);
        });
        self.users = Some(done.clone());
        Ok(done)
    }

    /// Returns `SystemRoot`, such as `C:\WINDOWS`, and takes the volume's drive letter from it.
    fn system_root(&mut self) -> Result<Result<String, Unread>, TargetError> {
        let found = profiles::system_root(|query: &KeyQuery| self.registry.read(query))?;
        Ok(found.and_then(|root| {
            let absent = || {
                Unread::new(
                    Reason::Unknown,
                    "the image has no value SystemRoot, so its drive letter is \
                not known",
                )
            };
            let root = root.ok_or_else(absent)?;
            self.volume.set_letter(&root)?;
            Ok(root)
        }))
    }
}

/// The policy stores of an image.
struct StoreFiles<'a> {
    registry: &'a mut OfflineRegistry,
    volume: &'a mut Volume,
    system_root: &'a Result<String, Unread>,
}

impl Stores for StoreFiles<'_> {
    fn key(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {
        self.registry.read(query)
    }

    fn bytes(&mut self, place: &Place, folder: &str, most: u64) -> Result<Answer<Vec<u8>>, TargetError> {
        let path = format!("{}\\{}", folder.trim_end_matches('\\'), place.below);
        Ok(self.volume.bytes(&path, most, self.system_root))
    }
}

/// Mounts the machine's own hives, without those of its users.
fn mounted(folder: &Path, volume: &mut Volume, allow_dirty: bool) -> OfflineRegistry {
    let mut registry = OfflineRegistry::new(folder.display().to_string(), allow_dirty, true);
    volume.roots().for_each(|root| registry.look_in(root.to_owned()));
    for (file, root, name) in HIVES {
        let Ok(key) = KeyPath::from_parts(*root, name) else { continue };
        let file = match volume.in_config(file) {
            Answer::Present(path) => Ok(path),
            Answer::Absent => Err(Unread::new(Reason::Unknown, format!("the image has no hive file {file}"))),
            Answer::Unread(why) => Err(why),
        };
        registry.mount(key, file);
    }
    registry
}

impl Target for ImageTarget {
    fn uri(&self) -> String {
        format!("image:{}", self.named.display())
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        queries.iter().map(|query| self.read_key(query)).collect()
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        let system_root = self.system_root()?;
        Ok(paths.iter().map(|path| self.volume.facts(path, &system_root)).collect())
    }

    fn policy_stores(&self) -> PolicyStores {
        PolicyStores::Here
    }

    fn read_policies(&mut self, queries: &[PolicyQuery]) -> Result<Vec<PolicyFacts>, TargetError> {
        let system_root = self.system_root()?;
        let mut files =
            StoreFiles { registry: &mut self.registry, volume: &mut self.volume, system_root: &system_root };
        policy::read(queries, &mut files)
    }

    fn read_events(&mut self, queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
        self.events(queries)
    }

    fn missing_drives(&self) -> BTreeSet<char> {
        self.volume.missing.clone()
    }

    fn control_set(&mut self) -> Result<Answer<u16>, TargetError> {
        self.registry.control_set()
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        let lock = lock_beside(&self.root)?;
        self.volume.forget();
        self.registry = mounted(&self.named, &mut self.volume, self.allow_dirty);
        self.users = None;
        self.registry.remove_leftovers();
        Ok(lock)
    }

    fn refuse_damaged(&mut self, changes: &[KeyChange]) -> Result<(), TargetError> {
        self.registry.refuse_damaged(changes)
    }

    fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        self.ready_users(changes)?;
        self.registry.rehearse(changes)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        self.ready_users(changes)?;
        self.registry.write(changes)
    }
}
