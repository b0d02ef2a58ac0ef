//! Locks a target that is a file or folder, with a lock file beside the target.
//!
//! The target itself cannot be locked: a write replaces it with a rename, and a second process could then hold a lock
//! on the old file. The lock file, `.kbfix-NAME.lock`, is created when the lock is taken, unless it exists. The process
//! that created it removes it when it releases the lock.
//!
//! Other users may be able to write to the folder and create something under that name. Therefore no link is followed
//! and no pipe is opened. An existing file is used only if it is empty, like a file that a killed process left; on
//! Unix, it must also belong to this user and have no second name. A file that this process did not create is never
//! deleted.

#[cfg(not(windows))]
mod unix;
#[cfg(windows)]
mod windows;

use std::{
    fs::{File, Metadata},
    io,
    path::{Path, PathBuf},
};

#[cfg(not(windows))]
use unix::{make, take};
#[cfg(windows)]
use windows::{make, take};

use super::{Lock, TargetError};
use crate::files::replace::own_name;

/// Takes the lock of the file or folder at `path`, without waiting.
///
/// The lock is held until the guard is dropped or the process ends. A caller must read the target after this call, not
/// before. `path` should be canonical, so that every path of the target leads to the same lock.
///
/// # Errors
/// Returns [`TargetError::Locked`] if another process, or another guard of this process, holds the lock, or if others
/// take it again and again. Returns [`TargetError::NoLock`] if the lock file cannot be created or locked, or something
/// else has its name.
pub fn lock_beside(path: &Path) -> Result<Lock, TargetError> {
    let beside = path.with_file_name(format!("{}.lock", own_name(path)));
    match acquire(&beside) {
        Ok(Some(held)) => Ok(Lock::new(held)),
        Ok(None) => Err(TargetError::Locked { what: path.display().to_string() }),
        Err(source) => Err(TargetError::NoLock { what: beside.display().to_string(), source }),
    }
}

/// The maximum number of attempts to take a lock, while other processes take and release it.
const TRIES: usize = 100;

/// An open and locked lock file. Dropping the value releases the lock, and removes the file if [`make`] created it.
#[derive(Debug)]
struct Held {
    #[cfg_attr(windows, allow(dead_code, reason = "Windows removes the file when it is closed"))]
    made: Option<PathBuf>,
    #[cfg_attr(windows, allow(dead_code, reason = "it is open as long as the lock is held"))]
    file: File,
}

#[cfg(not(windows))]
impl Drop for Held {
    fn drop(&mut self) {
        // The file is removed while it is still locked. A process that opens the path from now on creates a new file; a
        // process that has the old file open notices that it is gone. If the removal fails, an empty unlocked file
        // remains, which the next process uses.
        if let Some(path) = &self.made
            && unix::is_same(&self.file, path).unwrap_or(false)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Takes the lock whose lock file is at `path`. Returns `None` if another process, or another guard of this process,
/// holds the lock, or if others took and released it during each of [`TRIES`] attempts.
fn acquire(path: &Path) -> io::Result<Option<Held>> {
    // An attempt fails only if another process removed or created the file between two of the calls here.
    for _ in 0..TRIES {
        match make(path) {
            Ok(made) => return Ok(Some(made)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        match take(path) {
            Ok(Taken::Held(file)) => return Ok(Some(Held { made: None, file })),
            Ok(Taken::ByAnother) => return Ok(None),
            Ok(Taken::Again) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// The result of trying to lock an existing lock file.
enum Taken {
    /// This process holds the lock now.
    Held(File),
    /// Another process, or another guard of this process, holds the lock.
    ByAnother,
    /// Another process removed or replaced the file in the meantime, so the caller must try again.
    #[cfg_attr(windows, allow(dead_code, reason = "on Windows, such a file cannot be opened"))]
    Again,
}

/// Returns the error for something that has the name of the lock file, but cannot be a lock file of this user. `what`
/// says what it is, such as `a folder`.
fn foreign(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!("the lock file is {what}, but must be an empty file of this user"),
    )
}

/// Returns an error of the kind `AlreadyExists` unless the file is an empty regular file.
fn refuse_foreign(metadata: &Metadata) -> io::Result<()> {
    match metadata.file_type() {
        kind if kind.is_symlink() => Err(foreign("a link")),
        kind if kind.is_dir() => Err(foreign("a folder")),
        kind if !kind.is_file() => Err(foreign("a pipe, a socket or a device")),
        _ if metadata.len() > 0 => Err(foreign("a file with content")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::targets::lock::*;

    /// Returns why the lock of the file `a.reg` is refused.
    fn refusal(folder: &Path) -> String {
        match lock_beside(&folder.join("a.reg")) {
            Err(error @ TargetError::NoLock { .. }) => error.to_string(),
            other => panic!("{:?}", other.map(drop)),
        }
    }

    #[test]
    fn one_holds_it_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.reg");
        let held = lock_beside(&path).unwrap();
        assert!(matches!(lock_beside(&path), Err(TargetError::Locked { .. })));
        drop(held);
        drop(lock_beside(&path).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_others_put_there_stays_and_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let lock = dir.path().join(".kbfix-a.reg.lock");
        fs::write(&lock, "precious").unwrap();
        assert!(refusal(dir.path()).contains("the lock file is a file with content"));
        assert_eq!(fs::read(&lock).unwrap(), b"precious");
        fs::remove_file(&lock).unwrap();
        fs::create_dir(&lock).unwrap();
        assert!(refusal(dir.path()).contains("the lock file is a folder"));
        fs::remove_dir(&lock).unwrap();
        // A killed process can leave this empty file. Another program that locks it still finds the same file.
        fs::write(&lock, "").unwrap();
        let held = lock_beside(&dir.path().join("a.reg")).unwrap();
        assert!(matches!(lock_beside(&dir.path().join("a.reg")), Err(TargetError::Locked { .. })));
        drop(held);
        assert!(lock.exists());
        drop(lock_beside(&dir.path().join("a.reg")).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed_and_no_pipe_waited_for() {
        use std::os::unix::{fs::symlink, net::UnixListener};

        let dir = tempfile::tempdir().unwrap();
        let (lock, elsewhere) = (dir.path().join(".kbfix-a.reg.lock"), dir.path().join("elsewhere"));
        symlink(&elsewhere, &lock).unwrap();
        assert!(refusal(dir.path()).contains("the lock file is a link"));
        assert!(!elsewhere.exists());
        fs::write(&elsewhere, "").unwrap();
        assert!(refusal(dir.path()).contains("the lock file is a link"));
        fs::remove_file(&lock).unwrap();
        fs::hard_link(&elsewhere, &lock).unwrap();
        assert!(refusal(dir.path()).contains("a second name"));
        fs::remove_file(&lock).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&lock).status().unwrap().success());
        assert!(refusal(dir.path()).contains("a pipe"));
        fs::remove_file(&lock).unwrap();
        let _socket = UnixListener::bind(&lock).unwrap();
        assert!(refusal(dir.path()).contains("a socket"));
        assert!(lock.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_took_the_place_of_the_lock_is_not_removed() {
        let dir = tempfile::tempdir().unwrap();
        let lock = dir.path().join(".kbfix-a.reg.lock");
        let held = lock_beside(&dir.path().join("a.reg")).unwrap();
        fs::rename(&lock, dir.path().join("moved")).unwrap();
        fs::write(&lock, "precious").unwrap();
        drop(held);
        assert_eq!(fs::read(&lock).unwrap(), b"precious");
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
