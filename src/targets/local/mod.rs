//! The live registry and the disks of this Windows machine: `local`.
//!
//! Keys are opened through crate windows-registry, each once for all that is asked of it or changed in it. [`raw`] adds
//! the calls that crate lacks, [`error`] says what the system's codes mean. The hive of a user who is not logged on is a file,
//! which [`users`] reads and writes. A symbolic link (REG_LINK) is followed as the system follows it, which is how
//! `CurrentControlSet` works.

mod error;
mod lock;
mod properties;
mod raw;
mod read;
mod sddl;
mod secure;
mod users;
mod write;

use std::path::{Component, Path, Prefix};

use windows_registry::Key as Handle;
use windows_sys::Win32::System::Registry::{KEY_WOW64_32KEY, KEY_WOW64_64KEY};

use crate::registry::{Key, RootKey, View};

use super::{
    Answer, FileFacts, KeyChange, KeyFacts, KeyQuery, Lock, Reason, Target, TargetError, Unread, WriteFailure,
};
use error::Code;

pub use secure::{
    FolderError, check_admin_only_dir, create_admin_only_dir, create_private_dir, file_fault, folder_fault,
};

/// This machine: its registry as it runs, and the files on its disks.
#[derive(Debug, Default)]
pub struct LocalTarget {
    users: users::Users,
}

impl LocalTarget {
    /// This machine. Nothing is opened until something is asked.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Target for LocalTarget {
    fn uri(&self) -> String {
        "local".to_owned()
    }

    fn read_keys(&mut self, queries: &[KeyQuery]) -> Result<Vec<Answer<KeyFacts>>, TargetError> {
        let mut buffer = raw::Buffer::new();
        let one = |query: &KeyQuery| match read::key_facts(query, &mut buffer) {
            Answer::Absent if users::is_away(&query.key.path) => self.users.read(query),
            answer => answer,
        };
        Ok(queries.iter().map(one).collect())
    }

    fn read_files(&mut self, paths: &[String]) -> Result<Vec<Answer<FileFacts>>, TargetError> {
        Ok(paths.iter().map(|path| file_facts(path)).collect())
    }

    fn lock(&mut self) -> Result<Lock, TargetError> {
        let lock = lock::take()?;
        self.users.forget();
        Ok(lock)
    }

    fn write(&mut self, changes: &[KeyChange]) -> Result<(), WriteFailure> {
        let mut buffer = raw::Buffer::new();
        let (away, here): (Vec<_>, Vec<_>) =
            changes.iter().cloned().partition(|change| users::is_away(&change.key.path));
        let refused =
            here.iter().try_for_each(|change| self.users.refuse_logged_on(change)).map_err(WriteFailure::from);
        // Files first: where one cannot be replaced, the live registry is as it was.
        let written = refused.and_then(|()| self.users.write(&away));
        // What is read from now on is the present state, whatever came of it.
        self.users.forget();
        written?;
        let mut begun = away;
        here.into_iter().try_for_each(|change| {
            let mut is_begun = false;
            let written = write::key_change(&change, &mut buffer, &mut is_begun);
            if is_begun || written.is_ok() {
                begun.push(change);
            }
            written.map_err(|error| WriteFailure { error, begun: std::mem::take(&mut begun) })
        })
    }
}

/// Opens a key that is there, in its view, with these rights.
///
/// # Errors
/// The system's code.
fn open(key: &Key, access: u32) -> Result<Handle, Code> {
    let root = match key.path.root() {
        RootKey::Hkcr => windows_registry::CLASSES_ROOT,
        RootKey::Hkcu => windows_registry::CURRENT_USER,
        RootKey::Hklm => windows_registry::LOCAL_MACHINE,
        RootKey::Hku => windows_registry::USERS,
        RootKey::Hkcc => windows_registry::CURRENT_CONFIG,
    };
    Code::of(root.options().access(access | view_flag(key.view)).open(key.path.below_root()))
}

/// The right that names a view. On 32-bit Windows both name the one view that it has.
fn view_flag(view: View) -> u32 {
    match view {
        View::Bits64 => KEY_WOW64_64KEY,
        View::Bits32 => KEY_WOW64_32KEY,
    }
}

/// Size, platform and version of one file on a disk of this machine. kbfix is a 64-bit program, so that WOW64 redirects
/// none of its paths. A path to another machine is not followed: that would send it this user's credentials.
fn file_facts(path: &str) -> Answer<FileFacts> {
    path_on_disk(path).map_or_else(Answer::Unread, crate::targets::drives::facts_of)
}

/// The path, where it is absolute and begins with a drive.
fn path_on_disk(path: &str) -> Result<&Path, Unread> {
    let on_disk = matches!(
        Path::new(path).components().next(),
        Some(Component::Prefix(prefix)) if matches!(prefix.kind(), Prefix::Disk(_)) && Path::new(path).is_absolute()
    );
    if on_disk {
        return Ok(Path::new(path));
    }
    let detail = format!("{path} is not a path on a disk of this machine, such as C:\\Windows\\a.dll");
    Err(Unread::new(Reason::Unsupported, detail))
}
