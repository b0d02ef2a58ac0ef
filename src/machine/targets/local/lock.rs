//! The lock of the target `local`. It allows only one run of kbfix at a time to change this machine, even with
//! different state folders.

use std::{
    fs::{OpenOptions, TryLockError},
    io,
    path::Path,
};

use crate::targets::{Lock, TargetError};

use super::{FolderError, create_admin_only_dir};

/// Takes the lock of this machine: the file `%ProgramData%\kbfix\lock`. Windows releases it when the process ends, for
/// whatever reason.
///
/// The lock is a file in a folder to which only administrators can write. It is not a mutex, because any user could
/// create a mutex with the same name.
///
/// # Errors
/// Returns [`TargetError::Locked`] if the lock is already held, and [`TargetError::Io`] if the folder or the file
/// cannot be used.
pub(super) fn take() -> Result<Lock, TargetError> {
    let folder = crate::files::state::program_data()
        .map_err(|source| TargetError::Io {
            what: "the folder ProgramData, which contains the lock".to_owned(),
            source,
        })?
        .join("kbfix");
    let failed = |path: &Path, source| TargetError::Io { what: format!("the lock {}", path.display()), source };
    create_admin_only_dir(&folder).map_err(|error| {
        let kind = match &error {
            FolderError::Denied { .. } => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        TargetError::Io { what: "the lock".to_owned(), source: io::Error::new(kind, error) }
    })?;
    let path = folder.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| failed(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock::new(file)),
        Err(TryLockError::WouldBlock) => Err(TargetError::Locked { what: "local".to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(&path, error)),
    }
}
