//! Lock files on Unix. A file is locked with flock. If this process created the file, it deletes the file when it
//! releases the lock.

use std::{
    fs::{File, Metadata, Permissions, TryLockError, symlink_metadata},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

use crate::files::without_temporary_path;

use super::{Held, Taken, foreign, refuse_foreign};

/// Creates a lock file and locks it.
///
/// The file gets its name only after it is locked. Otherwise another process could lock it first, and would not remove
/// it afterwards, because that process did not create it.
///
/// # Errors
/// Returns [`io::ErrorKind::AlreadyExists`] if something has this name, locked or not. Returns the system's error if
/// the file cannot be created or locked.
pub(super) fn make(path: &Path) -> io::Result<Held> {
    if symlink_metadata(path).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut prefix = name.to_owned();
    prefix.push("-");
    // Only this user may read the file, because any account that can read it can lock it and block other runs.
    let new = tempfile::Builder::new()
        .prefix(&prefix)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(without_temporary_path)?;
    new.as_file().try_lock()?;
    let file = new.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(Held { made: Some(path.to_owned()), file })
}

/// Locks an existing lock file.
///
/// # Errors
/// Returns [`io::ErrorKind::AlreadyExists`] if the file cannot be a lock file of this user, or the system's error.
pub(super) fn take(path: &Path) -> io::Result<Taken> {
    // The kind of the file is checked before it is opened, because opening a device can have effects.
    refuse_foreign(&symlink_metadata(path)?)?;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    refuse_foreign(&file.metadata()?)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(Taken::ByAnother),
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) if !is_same(&file, path)? => Ok(Taken::Again),
        Ok(()) => match owner_fault(&file.metadata()?) {
            None => Ok(Taken::Held(file)),
            Some(fault) => Err(foreign(&fault)),
        },
    }
}

/// Returns the reason why another account may control the file: it belongs to another user, or has a second name (a
/// hard link). Returns `None` if there is no such reason.
fn owner_fault(metadata: &Metadata) -> Option<String> {
    let own = rustix::process::geteuid().as_raw();
    match (metadata.uid(), metadata.nlink()) {
        (uid, _) if uid != own => Some(format!("a file that belongs to the user with the id {uid}")),
        (_, 2..) => Some("a file with a second name (a hard link)".to_owned()),
        _ => None,
    }
}

/// Returns whether the file at `path` is still the open file.
pub(super) fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    let mine = file.metadata()?;
    match symlink_metadata(path) {
        Ok(theirs) => Ok(mine.dev() == theirs.dev() && mine.ino() == theirs.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
