//! Files on the disks of this machine, and on no other machine's.
//!
//! Whoever opens a path that leads to another machine sends it this user's credentials. A path says so itself (`\\server\share`);
//! a letter can be mapped to a share, and a symbolic link or junction can lead to one. So the drive is asked for its type, and the
//! path is looked at from the top down, where each link is replaced by what it leads to before anything below it is touched.
//!
//! Sources: Microsoft, "GetDriveTypeW function", "Symbolic Link Effects on File Systems Functions", "Naming Files, Paths, and
//! Namespaces".
#![allow(unsafe_code)]

use std::{
    fs,
    os::windows::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf, Prefix},
};

use windows_sys::Win32::Storage::FileSystem::GetDriveTypeW;

use crate::targets::{Answer, FileFacts, Reason, Unread, drives};

/// As many links as Windows follows in one path (63 reparse points).
const MOST_LINKS: usize = 63;
/// What GetDriveTypeW says of a network drive.
const DRIVE_REMOTE: u32 = 4;

/// Returns size, platform and version of one file. kbfix is a 64-bit program, so that WOW64 redirects none of its paths.
pub(super) fn file_facts(path: &str) -> Answer<FileFacts> {
    resolved(path).map_or_else(Answer::Unread, |path| drives::facts_of(&path))
}

/// Returns the path without links in it, where it is absolute, begins with a drive and stays on this machine. What is not
/// there, or cannot be looked at, is left as it is.
///
/// # Errors
/// That it leads elsewhere.
pub(super) fn resolved(path: &str) -> Result<PathBuf, Unread> {
    let elsewhere = |detail: String| Unread::new(Reason::Unsupported, detail);
    let mut found = PathBuf::from(path);
    let is_on_drive = matches!(prefix(&found), Some(Prefix::Disk(_))) && found.is_absolute();
    if !is_on_drive {
        return Err(elsewhere(format!("{path} is not a path on a disk of this machine, such as C:\\Windows\\a.dll")));
    }
    for _ in 0..=MOST_LINKS {
        if let Some(root) = root(&found).filter(|root| is_remote(root)) {
            let detail =
                format!("{path} is on {}, a drive of another machine, which kbfix does not open", root.display());
            return Err(elsewhere(detail));
        }
        let Some((link, target)) = first_link(&found) else { return Ok(found) };
        let below = found.strip_prefix(&link).unwrap_or(Path::new("")).to_owned();
        // A relative target begins where the link is.
        let target = link.parent().unwrap_or(&link).join(target);
        if !is_local(&target) {
            let detail = format!("{} is a link to {}, which kbfix does not follow", link.display(), target.display());
            return Err(elsewhere(detail));
        }
        found = target.join(below);
    }
    Err(elsewhere(format!("{path} has more links in it than Windows follows")))
}

/// The topmost link of a path, and where it leads.
fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut above = PathBuf::new();
    for component in path.components() {
        above.push(component);
        let is_link = fs::symlink_metadata(&above).is_ok_and(|metadata| metadata.is_symlink());
        if is_link && let Ok(target) = fs::read_link(&above) {
            return Some((above, target));
        }
    }
    None
}

fn prefix(path: &Path) -> Option<Prefix<'_>> {
    match path.components().next()? {
        Component::Prefix(prefix) => Some(prefix.kind()),
        _ => None,
    }
}

/// Whether a path names a drive or a volume of this machine. A drive can still be mapped.
fn is_local(path: &Path) -> bool {
    match prefix(path) {
        Some(Prefix::Disk(_) | Prefix::VerbatimDisk(_)) => true,
        Some(Prefix::Verbatim(name)) => {
            name.to_str().is_some_and(|name| name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("Volume{")))
        }
        _ => false,
    }
}

/// The root of the path's drive or volume, such as `C:\`.
fn root(path: &Path) -> Option<PathBuf> {
    let mut components = path.components();
    Some(Path::new(components.next()?.as_os_str()).join(components.next()?.as_os_str()))
}

fn is_remote(root: &Path) -> bool {
    let root: Vec<u16> = root.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: `root` ends with a NUL.
    unsafe { GetDriveTypeW(root.as_ptr()) == DRIVE_REMOTE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_may_lead_to_a_drive_or_volume_of_this_machine_only() {
        for path in [r"C:\x", r"\\?\D:\x", r"\\?\Volume{e2464851-0000-0000-0000-100000000000}\x"] {
            assert!(is_local(Path::new(path)), "{path}");
        }
        for path in [r"\\server\share\x", r"\\?\UNC\server\share", r"\\.\pipe\x", r"\\?\GLOBALROOT\Device\Mup\x", r"\x"]
        {
            assert!(!is_local(Path::new(path)), "{path}");
        }
        assert_eq!(root(Path::new(r"C:\a\b")).as_deref(), Some(Path::new(r"C:\")));
        assert!(!is_remote(Path::new(r"C:\")));
    }
}
