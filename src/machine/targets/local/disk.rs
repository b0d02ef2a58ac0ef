//! Reads facts about files on the disks of this machine, and refuses paths that lead to another machine.
//!
//! Opening a path on another machine sends that machine this user's credentials. The path itself can name a machine
//! (`\\server\share`), a drive letter can be mapped to a share, and a symbolic link or junction can lead to one.
//! Therefore kbfix checks the type of the drive, and resolves the path from the top down: each link is replaced with
//! its target before anything below it is accessed.
//!
//! Sources: Microsoft, "GetDriveTypeW function", "Symbolic Link Effects on File Systems Functions", "Naming Files,
//! Paths, and Namespaces".
#![allow(unsafe_code)]

use std::{
    fs,
    os::windows::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf, Prefix},
};

use windows_sys::Win32::Storage::FileSystem::GetDriveTypeW;

use crate::targets::{Answer, FileFacts, Reason, Unread, drives};

/// The maximum number of links in one path, as in Windows (63 reparse points).
const MOST_LINKS: usize = 63;
/// The drive type that GetDriveTypeW returns for a network drive.
const DRIVE_REMOTE: u32 = 4;

/// Returns size, platform and version of a file. The path is not redirected by WOW64, because kbfix is a 64-bit
/// program.
pub(super) fn file_facts(path: &str) -> Answer<FileFacts> {
    resolved(path).map_or_else(Answer::Unread, |path| drives::facts_of(&path))
}

/// Returns the bytes of a file; malformed if it has more than `most` bytes. `below` is its path below `folder`, which
/// is a folder of this machine.
///
/// No link below the folder is followed: the folder can be a profile, whose user may have put a link there.
pub(super) fn bytes(folder: &str, below: &str, most: u64) -> Answer<Vec<u8>> {
    let folder = match resolved(folder) {
        Ok(folder) => folder,
        Err(why) => return Answer::Unread(why),
    };
    match drives::bytes_below(&folder, &folder.join(below), most) {
        Answer::Absent if root(&folder).is_some_and(|drive| !matches!(drive.try_exists(), Ok(true))) => {
            Answer::unread(Reason::Unknown, format!("the drive of {} does not exist now", folder.display()))
        }
        answer => answer,
    }
}

/// Returns an absolute path on a drive of this machine, with its links resolved.
///
/// Parts that do not exist, or cannot be checked, stay as they are.
///
/// # Errors
/// Returns an error if the path leads to another machine, outside the drives and volumes, or through too many links, or
/// if it is not an absolute path with a drive letter.
pub(super) fn resolved(path: &str) -> Result<PathBuf, Unread> {
    let elsewhere = |detail: String| Unread::new(Reason::Unsupported, detail);
    let mut found = PathBuf::from(path);
    let is_on_drive = matches!(prefix(&found), Some(Prefix::Disk(_))) && found.is_absolute();
    if !is_on_drive {
        return Err(elsewhere(format!(
            "{path} is not a path on a disk of this machine; such a path looks like \
            C:\\Windows\\a.dll"
        )));
    }
    for _ in 0..=MOST_LINKS {
        if let Some(root) = root(&found).filter(|root| is_remote(root)) {
            let detail =
                format!("{path} is on {}, a drive of another machine, which kbfix does not open", root.display());
            return Err(elsewhere(detail));
        }
        let Some((link, target)) = first_link(&found) else { return Ok(found) };
        let below = found.strip_prefix(&link).unwrap_or(Path::new("")).to_owned();
        // A relative link target is relative to the folder that contains the link.
        let target = link.parent().unwrap_or(&link).join(target);
        if !is_local(&target) {
            let detail = format!(
                "{} is a link to {}, outside the disks of this machine; kbfix does not follow it",
                link.display(),
                target.display()
            );
            return Err(elsewhere(detail));
        }
        found = target.join(below);
    }
    Err(elsewhere(format!("{path} leads through more links than Windows follows")))
}

/// Returns the topmost link in a path and the target of this link; `None` if the path contains no link.
fn first_link(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut above = PathBuf::new();
    for component in path.components() {
        above.push(component);
        // The call fails for anything that is not a link.
        if let Ok(target) = fs::read_link(&above) {
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

/// Returns whether a path begins with a drive letter or a volume name. A drive letter can nevertheless be mapped to
/// another machine.
fn is_local(path: &Path) -> bool {
    match prefix(path) {
        Some(Prefix::Disk(_) | Prefix::VerbatimDisk(_)) => true,
        Some(Prefix::Verbatim(name)) => {
            name.to_str().is_some_and(|name| name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("Volume{")))
        }
        _ => false,
    }
}

/// Returns the root of the path's drive or volume, such as `C:\`; `None` if the path has no root.
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
