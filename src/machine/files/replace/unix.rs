//! Gives a new file the owner, mode and extended attributes of the file that it replaces.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::unix::fs::{MetadataExt as _, fchown},
    path::Path,
};

use tempfile::NamedTempFile;
use xattr::FileExt as _;

/// The extended attributes in which NTFS drivers of Linux show permissions, flags such as *hidden*, and the creation
/// time. The drivers leave these attributes out when a program lists the attributes of a file.
///
/// Sources: ntfs-3g(8), "Extended attributes"; Linux, `fs/ntfs3/xattr.c`.
const NTFS: [&str; 4] = ["system.ntfs_acl", "system.ntfs_attrib", "system.ntfs_crtime", "system.ntfs_security"];

/// Copies the owner, the mode and the extended attributes of the file at `path`, if it exists, to `new`.
///
/// Attributes that normally only the system sets (`security.`, `trusted.`) are not copied if the system refuses it.
///
/// # Errors
/// Returns the system's error.
pub(super) fn like_the_old_one(new: &NamedTempFile, path: &Path) -> io::Result<()> {
    let new = new.as_file();
    let old = match std::fs::metadata(path) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mine = new.metadata()?;
    if (mine.uid(), mine.gid()) != (old.uid(), old.gid()) {
        fchown(new, Some(old.uid()), Some(old.gid()))?;
    }
    // The mode is set after the owner, because a change of owner clears bits of the mode.
    new.set_permissions(old.permissions())?;
    // The attributes are set after the mode, because an access control list in them determines the mode.
    for name in names(path)? {
        copy(&name, new, path)?;
    }
    Ok(())
}

/// The attributes of [`NTFS`] that contain permissions.
const PERMISSIONS: [&str; 2] = ["system.ntfs_acl", "system.ntfs_security"];

/// Copies what [`like_the_old_one`] copies. If there is no file at `path`, copies the NTFS permissions of its folder
/// instead.
///
/// On Linux, a new file on NTFS does not inherit the permissions of its folder: ntfs-3g gives everyone all rights.
///
/// # Errors
/// Returns the system's error.
pub(super) fn like_the_old_one_or_folder(new: &NamedTempFile, path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => inherit(new.as_file(), super::folder_of(path)),
        _ => like_the_old_one(new, path),
    }
}

/// Copies the NTFS permissions of a folder to a new file or folder in it. Does nothing if the folder has none, as on
/// another file system.
///
/// # Errors
/// Returns the system's error.
pub(super) fn inherit(new: &File, folder: &Path) -> io::Result<()> {
    PERMISSIONS.iter().try_for_each(|name| copy(OsStr::new(name), new, folder))
}

fn names(path: &Path) -> io::Result<Vec<OsString>> {
    let listed = match xattr::list_deref(path) {
        Ok(listed) => listed.collect(),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(listed.into_iter().chain(NTFS.map(OsString::from)).collect())
}

fn copy(name: &OsStr, new: &File, path: &Path) -> io::Result<()> {
    let wanted = match xattr::get_deref(path, name) {
        Ok(Some(wanted)) => wanted,
        // The attribute does not exist, or this file system does not support it.
        Ok(None) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
        Err(error) => return Err(error),
    };
    if new.get_xattr(name).ok().flatten().as_ref() == Some(&wanted) {
        return Ok(());
    }
    let set = new.set_xattr(name, &wanted);
    let bytes = name.as_encoded_bytes();
    if bytes.starts_with(b"security.") || bytes.starts_with(b"trusted.") { Ok(()) } else { set }
}
