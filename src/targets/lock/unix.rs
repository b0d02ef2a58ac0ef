//! Lock files on Unix: locked with flock, and removed by name.

use std::{
    fs::{File, Metadata, TryLockError, symlink_metadata},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
    thread,
    time::Duration,
};

use rustix::fs::OFlags;

use super::{Held, Taken, foreign, refuse_foreign};

/// The age from which on an unlocked lock file counts as left over by a killed process. A younger one may just have
/// been created by another process that is about to lock it.
const ORPHAN: Duration = Duration::from_millis(50);

/// Creates the file and locks it; returns `None` where another process locked it first.
pub(super) fn make(path: &Path) -> io::Result<Option<Held>> {
    // Only this user may read the file: any account that could read it could lock it and so block others.
    let file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    let mut held = Held { made: Some(path.to_owned()), file };
    match held.file.try_lock() {
        Ok(()) => Ok(Some(held)),
        Err(TryLockError::WouldBlock) => {
            held.made = None;
            Ok(None)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Locks the existing file.
pub(super) fn take(path: &Path) -> io::Result<Taken> {
    // The kind of the file is checked before it is opened, because opening a device can have effects.
    refuse_foreign(&symlink_metadata(path)?)?;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    refuse_foreign(&metadata)?;
    // If this lock were taken away from the file's creator, the file would remain, because only its creator removes it.
    if metadata.modified()?.elapsed().is_ok_and(|age| age < ORPHAN) {
        thread::sleep(ORPHAN / 20);
        return Ok(Taken::Again);
    }
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
