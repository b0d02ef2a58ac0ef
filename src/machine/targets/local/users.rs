//! Reads and writes the hives of users who are not logged on.
//!
//! Windows loads a user's hives below `HKU` when the user logs on. The hives of other users are only files in their
//! profiles, which kbfix reads and writes itself, as in an image.
//!
//! Nothing is lost if such a user logs on during the run. Windows opens a loaded hive exclusively, so its file can be
//! neither read nor replaced. kbfix also checks once more that the hive is not loaded, immediately before it replaces
//! the file.
//!
//! Source: Microsoft, "Registry Hives", "RegLoadKey function".

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use windows_sys::Win32::System::Registry::KEY_QUERY_VALUE;

use crate::{
    registry::{Key, KeyPath, RootKey},
    targets::{
        Answer, KeyChange, KeyFacts, KeyQuery, Reason, TargetError, Unread, WriteError, WriteFailure, hku,
        offline::OfflineRegistry,
        profiles::{self, Profile},
    },
};

use super::{disk, place, read};

/// The suffix, in upper case, of the name of the key at which Windows loads the hive with a user's classes, such as
/// `S-1-…_CLASSES`.
const CLASSES: &str = "_CLASSES";

/// The hives of users who are not logged on.
#[derive(Debug, Default)]
pub(super) struct Users {
    /// The users' hives according to `ProfileList`, or the reason why they are not known; `None` until they are first
    /// needed.
    hives: Option<Result<OfflineRegistry, Unread>>,
}

impl Users {
    /// Discards everything that was read. The next question reads `ProfileList` and the hives again.
    pub(super) fn forget(&mut self) {
        self.hives = None;
    }

    /// Answers a question about a key of a user who is not logged on.
    pub(super) fn read(&mut self, query: &KeyQuery) -> Answer<KeyFacts> {
        match self.hives() {
            // A damaged hive of one user must not make the whole machine unreadable.
            Ok(hives) => hives.read(query).unwrap_or_else(|error| Answer::Unread(unread(&error))),
            Err(why) => Answer::Unread(why.clone()),
        }
    }

    /// Makes changes in the hives of users who are not logged on.
    pub(super) fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let Some(first) = changes.first() else { return Ok(()) };
        // The path of each file is resolved and checked again before the write.
        self.forget();
        match self.hives() {
            Ok(hives) => hives.write(changes),
            Err(why) => Err(WriteError::Unsupported { place: first.key.to_string(), detail: why.to_string() }.into()),
        }
    }

    /// Returns an error if the change is in the hives of a user, and kbfix read one of them from its file. The caller
    /// has found out that Windows has loaded a hive of this user since then; Windows may have changed it.
    pub(super) fn refuse_logged_on(&self, change: &KeyChange) -> Result<(), WriteError> {
        let (Some(Ok(hives)), Some(user)) = (&self.hives, user_of(&change.key.path)) else { return Ok(()) };
        if hives_of(&user).iter().any(|hive| hives.has_opened(hive)) { Err(logged_on(&user)) } else { Ok(()) }
    }

    fn hives(&mut self) -> Result<&mut OfflineRegistry, &Unread> {
        self.hives.get_or_insert_with(mounted).as_mut().map_err(|why| &*why)
    }
}

/// Returns whether the key belongs to a user who is not logged on, which means that Windows has loaded neither of the
/// user's two hives. The Default profile counts as such a user.
pub(super) fn is_away(path: &KeyPath) -> bool {
    user_of(path).is_some_and(|user| !hives_of(&user).iter().any(is_loaded))
}

/// Returns the key below `HKU` that is named after the user to whom `path` belongs, or after the Default profile.
/// Returns `None` for all other keys, such as those of services and the system, whose hives Windows loads itself.
fn user_of(path: &KeyPath) -> Option<KeyPath> {
    let hive = hku::of_a_user(path)?.path.below_root().to_ascii_uppercase();
    KeyPath::from_parts(RootKey::Hku, hive.strip_suffix(CLASSES).unwrap_or(&hive)).ok()
}

/// Returns the keys at which Windows loads the two hives of a user.
fn hives_of(user: &KeyPath) -> Vec<KeyPath> {
    let classes = KeyPath::from_parts(RootKey::Hku, &format!("{}{CLASSES}", user.below_root()));
    [user.clone()].into_iter().chain(classes).collect()
}

/// Returns whether Windows has loaded the hive of this key. If the key cannot be opened, although it is not absent, the
/// hive counts as loaded.
fn is_loaded(hive: &KeyPath) -> bool {
    let opened = place::open(&Key::new(hive.clone()), KEY_QUERY_VALUE);
    !matches!(opened, Err(place::Closed::Code(code)) if code.is_absent())
}

/// Mounts the hives of all users with a profile. A hive is opened only when kbfix needs one of its keys.
fn mounted() -> Result<OfflineRegistry, Unread> {
    let mut questions = read::Questions::new();
    let mut ask = |query: &KeyQuery| Ok(read::key_facts(query, &mut questions));
    let absent = || {
        Unread::new(
            Reason::Unknown,
            "the registry of this machine has no value SystemRoot in HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion",
        )
    };
    let system_root = profiles::system_root(&mut ask).unwrap_or_else(|error| Err(unread(&error)));
    let system_root = system_root.and_then(|root| root.ok_or_else(absent));
    let found = profiles::profiles(&mut ask, &system_root).unwrap_or_else(|error| Err(unread(&error)))?;
    // The lock of the machine excludes other applies. A lock file beside the hive would be in a folder where the user
    // could create a link.
    let mut registry = OfflineRegistry::new("this machine".to_owned(), false, false);
    registry.guard(refuse_loaded);
    // A profile belongs to its user, who may put a link into it at any time.
    found.iter().filter_map(Profile::folder).for_each(|folder| registry.look_in(folder.into()));
    profiles::mount(&mut registry, &found, "this machine", find);
    Ok(registry)
}

/// Returns an error if Windows has loaded a hive of the user to whom this key belongs. This function is called
/// immediately before the hive's file is replaced, and after a replacement fails.
fn refuse_loaded(hive: &KeyPath) -> Result<(), WriteError> {
    match user_of(hive) {
        Some(user) if !is_away(&user) => Err(logged_on(&user)),
        _ => Ok(()),
    }
}

fn logged_on(user: &KeyPath) -> WriteError {
    WriteError::Stale {
        place: user.to_string(),
        expected: "a user who is not logged on".to_owned(),
        found: "a user who has logged on since the hive was read".to_owned(),
    }
}

/// Returns the local path of a file in the folder of a profile. A folder on another machine is not accessed, because
/// that would send this user's credentials to that machine.
fn find(folder: &str, file: &str) -> Answer<PathBuf> {
    // The path of the profile folder may contain links, so it is used as given. Inside a profile no link is allowed.
    if let Err(why) = disk::resolved(folder) {
        return Answer::Unread(why);
    }
    let path = Path::new(folder).join(file);
    if let Some(link) = profiles::link_on_the_way(Path::new(folder), &path) {
        let detail = format!("{} is a link, which kbfix does not follow in a profile", link.display());
        return Answer::unread(Reason::Unsupported, detail);
    }
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let drive = path.ancestors().last().unwrap_or(&path);
            match drive.exists() {
                true => Answer::Absent,
                false => Answer::unread(Reason::Unknown, format!("the drive {} does not exist now", drive.display())),
            }
        }
        // If anything else prevents access, opening the file reports it.
        _ => Answer::Present(path),
    }
}

fn unread(error: &TargetError) -> Unread {
    let reason = match error {
        TargetError::Malformed { .. } | TargetError::WrongKind { .. } => Reason::Malformed,
        TargetError::Unsupported { .. } | TargetError::TooMuch { .. } => Reason::Unsupported,
        TargetError::Io { .. }
        | TargetError::NoLock { .. }
        | TargetError::Locked { .. }
        | TargetError::Remote { .. } => Reason::Unknown,
    };
    Unread::new(reason, error.to_string())
}
