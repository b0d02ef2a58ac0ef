//! The folder into which a package is copied and from which it is run. Only administrators can write to it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::journal::Store;

use super::PackageError;

const PREFIX: &str = "package-";

/// Creates a new folder for a package in the state folder `state`.
///
/// # Errors
///
/// Returns [`PackageError::Folder`] or [`PackageError::Copy`] if the folder cannot be created, or cannot be trusted.
pub(super) fn make(state: &Path) -> Result<PathBuf, PackageError> {
    fs::create_dir_all(state).map_err(|source| PackageError::Copy { path: state.to_owned(), source })?;
    let folder = state.join(format!("{PREFIX}{}", Store::new_id()));
    make_private(&folder)?;
    Ok(folder)
}

/// Removes the folders of earlier runs from the state folder `state`. A folder remains after a run if, for example, a
/// program that the package started was still using it.
///
/// The caller has locked this machine, so no other run uses one of the folders. Folders that someone else created or
/// could have written to are not removed.
pub fn remove_leftovers(state: &Path) {
    let Ok(entries) = fs::read_dir(state) else { return };
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_str().is_some_and(is_ours) && is_private(&entry.path()) {
            // A folder that is still in use is removed by a later run.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Returns whether kbfix can have given this name to the folder of a package. Such a name consists of `package-`, a
/// time and a random number, as in `package-20270131T120000.123Z-4711`.
fn is_ours(name: &str) -> bool {
    let Some(id) = name.strip_prefix(PREFIX) else { return false };
    let (Some(date), Some(rest)) = (id.get(..8), id.get(8..)) else { return false };
    let is_id = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    date.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with('T') && rest.contains("Z-") && rest.bytes().all(is_id)
}

#[cfg(windows)]
fn make_private(folder: &Path) -> Result<(), PackageError> {
    crate::targets::local::create_admin_only_dir(folder)
        .map_err(|why| PackageError::Folder { path: folder.to_owned(), detail: why.to_string() })
}

#[cfg(not(windows))]
fn make_private(folder: &Path) -> Result<(), PackageError> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(|source| PackageError::Copy { path: folder.to_owned(), source })
}

/// Returns whether the path is a folder (not a link) that only administrators own and can write to.
#[cfg(windows)]
fn is_private(folder: &Path) -> bool {
    // The folder exists already, so this only checks it.
    crate::targets::local::create_admin_only_dir(folder).is_ok()
}

/// Returns whether the path is a folder (not a link) that belongs to this user and to which no other user has access.
#[cfg(not(windows))]
fn is_private(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(folder).is_ok_and(|found| found.is_dir() && found.uid() == own && found.mode() & 0o077 == 0)
}

/// Opens the copy of the package. Until the handle is closed, nobody else can write, rename or remove the copy.
#[cfg(windows)]
pub(super) fn open_held(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_SHARE_READ: u32 = 1;
    File::options().read(true).share_mode(FILE_SHARE_READ).open(path)
}

#[cfg(not(windows))]
pub(super) fn open_held(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o500))?;
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_run_left_is_removed_and_nothing_else() {
        let state = tempfile::tempdir().unwrap();
        let path = |name: &str| state.path().join(name);
        let left = make(state.path()).unwrap();
        fs::write(left.join("update.exe"), "").unwrap();
        for other in ["package-lock-stuff", "package-20270131", "packages", "journal"] {
            make_private(&path(other)).unwrap();
        }
        fs::write(path("package-20270131T120000.123Z-1"), "a file").unwrap();
        remove_leftovers(state.path());
        assert!(!left.exists());
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 5);
        remove_leftovers(&path("none"));
    }

    #[cfg(unix)]
    #[test]
    fn what_others_could_have_made_stays() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let state = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("precious"), "").unwrap();
        symlink(elsewhere.path(), state.path().join("package-20270131T120000.123Z-1")).unwrap();
        let open = state.path().join("package-20270131T120000.123Z-2");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        remove_leftovers(state.path());
        assert!(open.exists() && elsewhere.path().join("precious").exists());
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 2);
    }
}
