//! Lock files on Unix: locked with flock, and removed by name.

use std::{
    fs::{File, Metadata, Permissions, TryLockError, symlink_metadata},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::fs::OFlags;

use super::{Held, Taken, foreign, refuse_foreign};

/// Creates the file and locks it. The file gets its name only when it is already locked, so that no other process can
/// lock it first. A process that did not create the file would not remove it afterwards.
///
/// # Errors
/// Returns [`io::ErrorKind::AlreadyExists`] if there is a file of this name, locked or not; the system's error if no
/// file can be created.
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
    let new =
        tempfile::Builder::new().prefix(&prefix).permissions(Permissions::from_mode(0o600)).tempfile_in(folder)?;
    new.as_file().try_lock()?;
    let file = new.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(Held { made: Some(path.to_owned()), file })
}

/// Locks the existing file.
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

/// Returns why another account may have control of the file: because it belongs to another user, or has a second name
/// (a hard link).
fn owner_fault(metadata: &Metadata) -> Option<String> {
    let own = rustix::process::geteuid().as_raw();
    match (metadata.uid(), metadata.nlink()) {
        (uid, _) if uid != own => Some(format!("a file that belongs to the user with the id {uid}")),
        (_, 2..) => Some("a file with a second name (a hard link)".to_owned()),
        _ => None,
    }
}

/// Returns whether `path` still names the open file.
pub(super) fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    let mine = file.metadata()?;
    match symlink_metadata(path) {
        Ok(theirs) => Ok(mine.dev() == theirs.dev() && mine.ino() == theirs.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
