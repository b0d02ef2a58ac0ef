//! The target `image:DIR`: the mounted volume of a Windows installation that is not running.
//!
//! The registry is in the hive files below the Windows folder and in those of the users in `ProfileList`. A hive is
//! opened when one of its keys is first asked for. The volume is the drive that `SystemRoot` names; files on another
//! drive are unknown unless the operator gave a folder for that drive. If a hive of the machine itself is missing, its
//! keys are unknown, not absent: every Windows has this hive, so the image is incomplete.

mod events;
mod policy;
mod volume;
mod write;

use std::{collections::BTreeSet, path::Path, path::PathBuf};

use crate::{
    files::canonical::canonical,
    registry::{KeyPath, PolicyBranch, RootKey},
};

use super::{
    Answer, EventFacts, EventQuery, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, PolicyFacts, PolicyQuery,
    PolicyStores, Reason, Target, TargetError, Unread, WriteError, WriteFailure,
    drives::Drives,
    lock::lock_beside,
    offline::OfflineRegistry,
    policy::{self as stores, Place, Stores},
    profiles,
};
use policy::LocalPolicy;
pub use policy::USERS_POLICY;
use volume::Volume;

/// The hives of the machine, without those of users: the name of each file, and the root key and the name of the key at
/// which Windows loads the hive.
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
    /// The path of the image's folder as in the URI.
    named: PathBuf,
    /// The path of the image's folder with links resolved, so that every path of the folder leads to the same lock.
    root: PathBuf,
    volume: Volume,
    allow_dirty: bool,
    registry: OfflineRegistry,
    /// Whether the list of the users' hives could be read; `None` before the first attempt.
    users: Option<Result<(), Unread>>,
    /// Whether values in the policy branches of `HKLM` are read and written in the local GPO, instead of in the hives.
    through_policy: bool,
    /// The local GPO, or the reason why it could not be read; `None` before the first attempt.
    policy: Option<Result<LocalPolicy, Unread>>,
}

impl ImageTarget {
    /// Opens the image whose volume is mounted at `folder`. `drives` are local folders with the files of the machine's
    /// other drives.
    ///
    /// `allow_dirty` concerns a hive that was not written completely (dirty) and that its logs cannot complete: if it
    /// is true, such a hive is read as it is, but never written; otherwise it is not read.
    ///
    /// # Errors
    /// Returns an error if the folder cannot be read; if it has no Windows folder, or has two and no `boot.ini` says
    /// which of them starts; or if `drives` contains the drive of the volume itself.
    pub fn open(folder: &Path, drives: Drives, allow_dirty: bool) -> Result<Self, TargetError> {
        let root =
            canonical(folder).map_err(|source| TargetError::Io { what: folder.display().to_string(), source })?;
        let mut volume = Volume::open(&root, folder, drives)?;
        let registry = mounted(folder, &mut volume, allow_dirty);
        let named = folder.to_owned();
        let mut image =
            Self { named, root, volume, allow_dirty, registry, users: None, through_policy: false, policy: None };
        if image.volume.has_others() {
            // This finds a folder for the drive of the image itself. A value SystemRoot that cannot be read is no error
            // yet, because perhaps nothing depends on it.
            let _ = image.system_root()?;
        }
        Ok(image)
    }

    /// Sets whether values in the [policy branches](PolicyBranch) of `HKLM` are read and written in the local GPO of
    /// the image, instead of in its hives.
    #[must_use]
    pub fn through_policy(self, through_policy: bool) -> Self {
        Self { through_policy, ..self }
    }

    /// Answers a question about a key, from the hives. If the operator chose the local GPO, keys in the policy branches
    /// of the machine are read from the local GPO instead, and keys in the policy branches of users are unsupported.
    fn read_key(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {
        if self.through_policy {
            match query.key.one_name(false).policy_branch() {
                Some(PolicyBranch::Machine) => {
                    return match self.policy()? {
                        Ok(policy) => policy.read(query),
                        Err(why) => Ok(Answer::Unread(why.clone())),
                    };
                }
                Some(PolicyBranch::User) => return Ok(Answer::unread(Reason::Unsupported, USERS_POLICY)),
                None => {}
            }
        }
        let mut answer = self.read_hives(query)?;
        if let (true, Answer::Present(facts)) = (self.through_policy, &mut answer) {
            policy::add_branch(query, facts);
        }
        Ok(answer)
    }

    fn read_hives(&mut self, query: &KeyQuery) -> Result<Answer<KeyFacts>, TargetError> {
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

    /// Returns the local GPO of the image. Reads it if it is not in memory.
    ///
    /// # Errors
    /// The outer error means that the target as a whole cannot be read; the inner error, that the path of the policy
    /// file is not known.
    fn policy(&mut self) -> Result<&mut Result<LocalPolicy, Unread>, TargetError> {
        let policy = match self.policy.take() {
            Some(policy) => policy,
            None => {
                let system_root = self.system_root()?;
                LocalPolicy::open(&mut self.volume, &system_root)?
            }
        };
        Ok(self.policy.insert(policy))
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

    /// Returns the path of the Windows folder on the machine, such as `C:\WINDOWS`, from the value `SystemRoot`. Also
    /// gives the volume the drive letter of this path.
    ///
    /// # Errors
    /// The inner error means that the path is not known. The outer error means that the target as a whole cannot be
    /// read, or that the operator gave a folder for this drive, whose files are in the image itself.
    fn system_root(&mut self) -> Result<Result<String, Unread>, TargetError> {
        let found = profiles::system_root(|query: &KeyQuery| self.registry.read(query))?;
        if let Ok(Some(root)) = &found
            && let Some(letter) = self.volume.other_drive(root)
        {
            let detail = format!("drive {letter}: is the image itself; leave out the folder for this drive");
            return Err(TargetError::Unsupported { what: self.uri(), detail });
        }
        Ok(found.and_then(|root| {
            let absent = || {
                Unread::new(
                    Reason::Unknown,
                    "the image has no value SystemRoot in HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion, \
                    so its drive letter is not known",
                )
            };
            let root = root.ok_or_else(absent)?;
            self.volume.set_letter(&root)?;
            Ok(root)
        }))
    }
}

/// Gives the code for policy stores access to the keys and files of an image.
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

/// Returns a registry with the machine's own hives, without those of users.
fn mounted(folder: &Path, volume: &mut Volume, allow_dirty: bool) -> OfflineRegistry {
    let mut registry = OfflineRegistry::new(folder.display().to_string(), allow_dirty, true);
    volume.roots().for_each(|root| registry.look_in(root.to_owned()));
    for (file, root, name) in HIVES {
        let Ok(key) = KeyPath::from_parts(*root, name) else { continue };
        let file = match volume.in_config(file) {
            Answer::Present(path) => Ok(path),
            Answer::Absent => {
                Err(Unread::new(Reason::Unknown, format!("the image has no hive file {file} in System32\\config")))
            }
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
        let mut found = stores::read(queries, &mut files)?;
        if self.through_policy {
            found.iter_mut().for_each(policy::leave_out_own);
        }
        Ok(found)
    }

    fn through_policy(&self) -> bool {
        self.through_policy
    }

    fn unprocessed_policy(&self) -> Result<Option<String>, String> {
        match &self.policy {
            Some(Ok(policy)) => policy.unprocessed(),
            _ => Ok(None),
        }
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
        self.policy = None;
        self.registry.remove_leftovers();
        Ok(lock)
    }

    fn refuse_damaged(&mut self, changes: &[KeyChange]) -> Result<(), TargetError> {
        match self.split(changes) {
            Ok((in_hives, _)) => self.registry.refuse_damaged(&in_hives),
            // The rehearsal reports this.
            Err(_) => Ok(()),
        }
    }

    fn rehearse(&mut self, changes: &[KeyChange]) -> Result<(), WriteError> {
        self.rehearse_all(changes)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        self.write_all(changes)
    }
}
