//! A lock on a target that is a file, held in a file beside it.
//!
//! The target itself cannot carry the lock: it is replaced by a rename, and a second process would then hold a lock on
//! the old file. The file beside it is there only while the lock is held, so that nothing is left behind.

use std::{
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use super::{Lock, TargetError};

/// Takes the lock of the file (or folder) at `path`, which is held in `path.lock` until the guard is dropped, also by a
/// process that is killed. It does not wait. A caller reads the target after this, not before.
///
/// `path` should be canonical, so that two names of one file are one lock.
///
/// # Errors
/// [`TargetError::Locked`] when another process, or another guard of this one, holds it; [`TargetError::NoLock`] when
/// the file beside the target cannot be made.
pub fn lock_beside(path: &Path) -> Result<Lock, TargetError> {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".lock");
    let beside = path.with_file_name(name);
    match acquire(&beside) {
        Ok(Some(held)) => Ok(Lock::new(held)),
        Ok(None) => Err(TargetError::Locked { what: path.display().to_string() }),
        Err(source) => Err(TargetError::NoLock { what: beside.display().to_string(), source }),
    }
}

/// The open lock file; where the system does not remove it by itself, dropping this does.
struct Held {
    _file: File,
    #[cfg_attr(windows, allow(dead_code))]
    path: PathBuf,
}

#[cfg(not(windows))]
impl Drop for Held {
    fn drop(&mut self) {
        // Removed while still locked: who opens it now makes a new file, and who has it open sees that it is gone.
        // A failure leaves an empty file without a lock, which the next one takes over.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// `None`: somebody else holds it.
#[cfg(not(windows))]
fn acquire(path: &Path) -> io::Result<Option<Held>> {
    use std::fs::TryLockError;
    // Each round that fails means that another holder removed the file between our opening and locking it.
    for _ in 0..100 {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) if is_same(&file, path)? => return Ok(Some(Held { _file: file, path: path.to_owned() })),
            Ok(()) => {}
        }
    }
    Ok(None)
}

/// Whether `path` still names the open file.
#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let mine = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(theirs) => Ok(mine.dev() == theirs.dev() && mine.ino() == theirs.ino()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// `None`: somebody else holds it.
///
/// Windows refuses to open a file that is shared with nobody, and deletes it when its only handle is closed: the file
/// exists exactly as long as the lock is held.
#[cfg(windows)]
fn acquire(path: &Path) -> io::Result<Option<Held>> {
    use std::{os::windows::fs::OpenOptionsExt as _, thread, time::Duration};

    use windows_sys::Win32::{
        Foundation::{ERROR_SHARING_VIOLATION, GENERIC_READ, GENERIC_WRITE},
        Storage::FileSystem::{DELETE, FILE_FLAG_DELETE_ON_CLOSE},
    };
    let mut options = File::options();
    options.create(true).truncate(false).write(true).share_mode(0);
    options.access_mode(GENERIC_READ | GENERIC_WRITE | DELETE).custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
    let mut tries = 0;
    loop {
        match options.open(path) {
            Ok(file) => return Ok(Some(Held { _file: file, path: path.to_owned() })),
            Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION as i32) => return Ok(None),
            // A file that is being deleted answers access denied for a moment.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && tries < 10 => {
                tries += 1;
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::targets::lock::*;

    #[test]
    fn one_holds_it_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.reg");
        let held = lock_beside(&path).unwrap();
        assert!(matches!(lock_beside(&path), Err(TargetError::Locked { .. })));
        drop(held);
        drop(lock_beside(&path).unwrap());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn many_that_try_at_once_never_hold_it_together() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.reg");
        let (inside, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        if let Ok(_held) = lock_beside(&path) {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                            taken.fetch_add(1, Ordering::SeqCst);
                            inside.fetch_sub(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert!(taken.load(Ordering::SeqCst) > 0);
    }
}
