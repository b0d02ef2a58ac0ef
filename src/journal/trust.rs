//! Checks that a journal can be trusted: only this account and the administrators can write to it.
//!
//! This is necessary because a journal decides which data a rollback writes and on which target, and because the
//! rollback often runs as an administrator.

use std::{fs::File, io, path::Path};

use crate::files::read::{open_file, read_open};

use super::error::StoreError;

/// Checks that only this account and the administrators can write to the folder. Returns `false` if the folder does not
/// exist.
///
/// # Errors
///
/// Returns [`StoreError::Untrusted`] if someone else can write to it, or the error of the operating system.
pub(super) fn check_folder(path: &Path) -> Result<bool, StoreError> {
    let error = |source| StoreError::Io { path: path.to_owned(), source };
    match folder_fault(path) {
        Ok(None) => Ok(true),
        Ok(Some(fault)) => Err(StoreError::Untrusted { path: path.to_owned(), fault }),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(error(why)),
    }
}

/// Reads a file of at most `most` bytes. Only this account and the administrators may be able to write to it.
///
/// The permissions of the open file are checked, so the file cannot be exchanged between the check and the reading.
///
/// # Errors
///
/// Returns [`StoreError::Untrusted`] if someone else can write to the file. Returns [`StoreError::Io`] if the file is
/// too large, or cannot be read.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, StoreError> {
    let error = |source| StoreError::Io { path: path.to_owned(), source };
    let file = open_file(path, most).map_err(error)?;
    if let Some(fault) = file_fault(&file).map_err(error)? {
        return Err(StoreError::Untrusted { path: path.to_owned(), fault });
    }
    read_open(file, most).map_err(error)
}

#[cfg(unix)]
fn folder_fault(path: &Path) -> io::Result<Option<String>> {
    std::fs::metadata(path).map(|found| fault(&found))
}

#[cfg(unix)]
fn file_fault(file: &File) -> io::Result<Option<String>> {
    file.metadata().map(|found| fault(&found))
}

/// Returns the reason why users other than root and this user can write to the file or folder; `None` if they cannot.
///
/// If the file has an access control list (acl(5)), the group bits of its mode are the upper limit for the named users
/// and groups in this list. So the mode alone is enough to decide.
#[cfg(unix)]
fn fault(found: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let owner = found.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Some(format!(
            "it belongs to the user with the id {owner}, who is neither root nor the user who runs \
            kbfix"
        ));
    }
    let mode = found.mode() & 0o7777;
    (mode & 0o022 != 0).then(|| format!("users other than its owner can write to it (mode {mode:03o})"))
}

#[cfg(windows)]
fn folder_fault(path: &Path) -> io::Result<Option<String>> {
    crate::targets::local::folder_fault(path)
}

#[cfg(windows)]
fn file_fault(file: &File) -> io::Result<Option<String>> {
    crate::targets::local::file_fault(file)
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn what_others_may_write_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, "text").unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        for mode in [0o600, 0o644, 0o444] {
            set(&file, mode);
            assert_eq!(read(&file, 10).unwrap(), b"text");
        }
        for mode in [0o620, 0o602, 0o666] {
            set(&file, mode);
            assert!(matches!(read(&file, 10), Err(StoreError::Untrusted { .. })), "{mode:o}");
        }
        for mode in [0o700, 0o755, 0o750] {
            set(folder.path(), mode);
            assert!(check_folder(folder.path()).unwrap());
        }
        // The sticky bit prevents others from removing files, but not from adding files.
        for mode in [0o770, 0o1777, 0o777, 0o702] {
            set(folder.path(), mode);
            let error = check_folder(folder.path()).unwrap_err().to_string();
            assert!(error.contains(&format!("mode {mode:03o}")), "{error}");
        }
        set(folder.path(), 0o700);
        assert!(!check_folder(&folder.path().join("no")).unwrap());
    }
}
