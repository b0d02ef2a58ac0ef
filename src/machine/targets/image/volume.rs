//! The volume of an image: its Windows folder, its drive letter and its files.

use std::{
    collections::BTreeSet,
    fs::File,
    path::{Path, PathBuf},
};

use crate::{
    files::{pinned::Pinned, read::read_open},
    targets::{
        Answer, FileFacts, Reason, TargetError, Unread,
        drives::{DriveFolder, Drives, split_drive},
    },
};

/// The usual names of the Windows folder: `Windows`, and up to Windows 2000 `WINNT`.
const USUAL: [&str; 2] = ["Windows", "WINNT"];

/// The volume of an image, and local folders that contain the files of the machine's other drives.
#[derive(Debug)]
pub(super) struct Volume {
    system: DriveFolder,
    /// The name of the Windows folder on the volume.
    windows: String,
    others: Drives,
    /// The drives with files that kbfix needed, but for which the operator gave no folder.
    pub(super) missing: BTreeSet<char>,
}

impl Volume {
    /// Opens the volume at `root`. `folder` is the path of the same folder in messages.
    pub(super) fn open(root: &Path, folder: &Path, others: Drives) -> Result<Self, TargetError> {
        let what = folder.display().to_string();
        let mut system = DriveFolder::open(root).map_err(|source| TargetError::Io { what: what.clone(), source })?;
        let windows = windows_folder(&mut system).map_err(|NoWindows { detail, hint }| TargetError::WrongKind {
            what,
            detail,
            hint,
        })?;
        Ok(Self { system, windows, others, missing: BTreeSet::new() })
    }

    /// Discards the cached names in folders, so that they are read again.
    pub(super) fn forget(&mut self) {
        self.system.forget();
        self.others.forget();
    }

    /// Returns the paths of the local folders for all drives, with links resolved.
    pub(super) fn roots(&self) -> impl Iterator<Item = &Path> {
        self.others.roots().chain([self.system.root()])
    }

    /// Returns whether the operator gave folders for other drives.
    pub(super) fn has_others(&self) -> bool {
        self.others.roots().next().is_some()
    }

    /// Returns the drive letter of a path on the machine if the operator gave a folder for this drive, otherwise
    /// `None`.
    pub(super) fn other_drive(&mut self, path: &str) -> Option<char> {
        self.others.of(path)?;
        split_drive(path).map(|(letter, _)| letter)
    }

    /// Returns the path of the folder at which the volume is mounted, with links resolved.
    pub(super) fn system_folder(&self) -> &Path {
        self.system.root()
    }

    /// Sets the volume's drive letter to that of `system_root`, the path of the Windows folder on the machine. Returns
    /// an error if this is not an absolute path with a drive.
    pub(super) fn set_letter(&mut self, system_root: &str) -> Result<(), Unread> {
        let malformed = || {
            let detail = format!(
                "SystemRoot is `{system_root}`, which is not an absolute path with a drive, such as C:\\Windows"
            );
            Unread::new(Reason::Malformed, detail)
        };
        let (letter, _) = split_drive(system_root).ok_or_else(malformed)?;
        self.system.set_letter(letter);
        Ok(())
    }

    /// Returns the local path of a file in `System32\config`, the folder with the machine's hives.
    pub(super) fn in_config(&mut self, file: &str) -> Answer<PathBuf> {
        self.system.find_below([self.windows.as_str(), "System32", "config", file])
    }

    /// Returns the local path of the file or folder that has the path `path` on the machine.
    pub(super) fn find(&mut self, path: &str, system_root: &Result<String, Unread>) -> Answer<PathBuf> {
        match self.drive(path, system_root) {
            Ok(drive) => drive.find(path),
            Err(why) => Answer::Unread(why),
        }
    }

    /// Returns the facts about the file that has the path `path` on the machine.
    pub(super) fn facts(&mut self, path: &str, system_root: &Result<String, Unread>) -> Answer<FileFacts> {
        match self.drive(path, system_root) {
            Ok(drive) => drive.facts(path),
            Err(why) => Answer::Unread(why),
        }
    }

    /// Returns the bytes of the file that has the path `path` on the machine; malformed if there are more than `most`.
    pub(super) fn bytes(&mut self, path: &str, most: u64, system_root: &Result<String, Unread>) -> Answer<Vec<u8>> {
        match self.drive(path, system_root) {
            Ok(drive) => drive.bytes(path, most),
            Err(why) => Answer::Unread(why),
        }
    }

    /// Opens the file that has the path `path` on the machine.
    pub(super) fn open_file(&mut self, path: &str, system_root: &Result<String, Unread>) -> Answer<File> {
        match self.drive(path, system_root) {
            Ok(drive) => drive.open_file(path),
            Err(why) => Answer::Unread(why),
        }
    }

    fn drive(&mut self, path: &str, system_root: &Result<String, Unread>) -> Result<&mut DriveFolder, Unread> {
        let unsupported = || Unread::new(Reason::Unsupported, format!("`{path}` is not an absolute path with a drive"));
        // Asked before the borrow, because a borrow that is returned lasts until the end of the function.
        if self.others.of(path).is_some() {
            return self.others.of(path).ok_or_else(unsupported);
        }
        let (letter, _) = split_drive(path).ok_or_else(unsupported)?;
        let (own, _) = split_drive(system_root.as_ref().map_err(Clone::clone)?).ok_or_else(unsupported)?;
        if letter == own {
            return Ok(&mut self.system);
        }
        self.missing.insert(letter);
        let detail = format!(
            "the image only contains drive {own}: of the machine; give a folder that contains the files of drive {letter}:"
        );
        Err(Unread::new(Reason::Unknown, detail))
    }
}

/// The reason why the Windows folder of a volume is not known, and what to do.
struct NoWindows {
    detail: String,
    hint: &'static str,
}

/// Returns the name of the Windows folder: the folder that `boot.ini` starts, or else the only folder of [`USUAL`].
/// Only folders with a `System32\config` count.
///
/// # Errors
/// Returns [`NoWindows`] if there is no such folder, if there are two, or if a folder cannot be read.
fn windows_folder(system: &mut DriveFolder) -> Result<String, NoWindows> {
    if let Some(name) = boot_folder(system)
        && has_hives(system, &name)?
    {
        return Ok(name);
    }
    let mut found = Vec::new();
    for name in USUAL {
        if has_hives(system, name)? {
            found.push(name);
        }
    }
    let none = |detail: &str, hint| Err(NoWindows { detail: detail.to_owned(), hint });
    match found.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] if matches!(system.find_below(["System32", "config"]), Answer::Present(_)) => {
            none("this is the Windows folder itself", "give the folder above it, the root of the volume")
        }
        [] => {
            none("this folder contains no Windows/System32/config", "give the root folder of a mounted Windows volume")
        }
        several => {
            let names = several.join(" and ");
            let detail = format!("this volume has two Windows folders, {names}, and no boot.ini says which one starts");
            none(&detail, "add the boot.ini of this Windows, or use a copy of the volume without the other folder")
        }
    }
}

fn has_hives(system: &mut DriveFolder, name: &str) -> Result<bool, NoWindows> {
    match system.find_below([name, "System32", "config"]) {
        Answer::Present(path) => Ok(path.is_dir()),
        Answer::Absent => Ok(false),
        Answer::Unread(why) => {
            let hint = "check that you may read this folder, and that its path contains no link";
            Err(NoWindows { detail: why.to_string(), hint })
        }
    }
}

/// The size in bytes of the largest `boot.ini` that kbfix reads.
const MAX_BOOT_INI: u64 = 1 << 20;

/// Returns the name of the Windows folder that `boot.ini` starts, from a line such as
/// `default=multi(0)disk(0)rdisk(0)partition(1)\WINDOWS`. Returns `None` if kbfix cannot read such a line, or it names
/// no folder directly below the root folder.
///
/// Source: Microsoft, "Overview of the Boot.ini File".
fn boot_folder(system: &mut DriveFolder) -> Option<String> {
    let Answer::Present(path) = system.find_below(["boot.ini"]) else { return None };
    let file = Pinned::open(system.root(), &path).and_then(|reached| reached.file()).ok()?;
    let bytes = read_open(file, MAX_BOOT_INI).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let default = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("default"))?;
    let (_, folder) = default.1.trim().split_once('\\')?;
    let name = folder.trim_matches('\\');
    (!name.is_empty() && !name.contains('\\')).then(|| name.to_owned())
}
