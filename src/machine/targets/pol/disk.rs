//! Reads and replaces the two files of a Group Policy object: the policy file, and `gpt.ini`, which contains the
//! version.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    files::{
        canonical::canonical,
        pinned::Pinned,
        read::read_open,
        replace::{remove_leftovers, replace_inheriting_file},
    },
    format::{
        gpt_ini::{self, Side},
        pol::{Document, MAX_FILE},
    },
    registry::RootKey,
    targets::{
        TargetError, WriteError,
        one_file::{NotReplaced, Replacements, readable, refused},
    },
};

/// The size in bytes of the largest `gpt.ini` that kbfix reads.
const MAX_INI: u64 = 1 << 20;

/// Returns the path of the `gpt.ini` that a write to this policy file changes or creates; `None` if a write changes
/// none, or if the path cannot be determined.
pub fn gpt_ini_of(policy: &Path) -> Option<PathBuf> {
    Disk::named().gpt_ini(policy).ok().flatten().map(|(path, _)| path)
}

/// How a policy file and its `gpt.ini` are found and replaced: where links are followed, and which is replaced first.
#[derive(Debug)]
pub(super) struct Disk {
    /// The folder below which no link is followed; `None` if the operator named the policy file itself.
    root: Option<PathBuf>,
    order: Order,
}

/// The order in which the policy file and `gpt.ini` are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The policy file first. Windows may be running, and it processes the file as soon as it sees the new version in
    /// `gpt.ini`.
    PolicyFirst,
    /// The version in `gpt.ini` first. Windows is not running.
    ///
    /// If the process is killed between the two writes, the policy file is unchanged, and the next apply changes it.
    /// With the other order, the policy file would be changed, but Windows would not process it, because the version
    /// would be the old one.
    VersionFirst,
}

impl Disk {
    /// Returns how to find and replace a policy file that the operator named: links are followed, and the policy file
    /// is replaced before `gpt.ini`.
    pub(super) fn named() -> Self {
        Self { root: None, order: Order::PolicyFirst }
    }

    /// Returns how to find and replace a policy file of a Windows that is not running: no link below the folder `root`
    /// is followed, and `gpt.ini` is replaced before the policy file.
    pub(super) fn offline(root: PathBuf) -> Self {
        Self { root: Some(root), order: Order::VersionFirst }
    }

    /// Removes the temporary files that killed processes left beside `gpt.ini`. The caller must hold the lock of the
    /// policy file.
    pub(super) fn remove_leftovers(&self, path: &Path) {
        if let Ok(Some((ini, _))) = self.gpt_ini(path) {
            // Leftover files that cannot be removed do not prevent an apply.
            let _ = remove_leftovers(&ini);
        }
    }

    /// Returns the content of the policy file, and whether the file exists. A missing file has no entries.
    pub(super) fn load(&self, path: &Path, root: RootKey) -> Result<(Document, bool), TargetError> {
        let what = || path.display().to_string();
        let found = self.bytes(path, MAX_FILE as u64);
        let Some(bytes) = found.map_err(|source| TargetError::Io { what: what(), source })? else {
            return Ok((Document::empty(), false));
        };
        let document = Document::parse(bytes, root).map_err(|error| TargetError::Malformed {
            what: what(),
            detail: error.to_string(),
            hint: Some(error.kind.hint().into()),
        })?;
        Ok((document, true))
    }

    /// Returns the bytes of a file; `None` if it does not exist. More than `most` bytes are an error.
    fn bytes(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        let opened = Pinned::reach(self.root.as_deref(), path).and_then(|reached| reached.file());
        match opened.and_then(|file| read_open(file, most)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the path of the `gpt.ini` that belongs to a policy file, and the half of the Group Policy object
    /// (machine or user) to which the policy file belongs. Returns `None` if the policy file is not part of a Group
    /// Policy object.
    ///
    /// It is part of one if its folder is named `Machine` or `User`, and if the folder above contains a `gpt.ini` or is
    /// named `GroupPolicy`, as that of the local GPO. In the latter folder, `gpt.ini` need not exist.
    ///
    /// # Errors
    /// Returns the system's error, and the folder or file that it concerns. If the folder above cannot be listed, it is
    /// not known whether it contains a `gpt.ini` in some letter case.
    fn gpt_ini(&self, policy: &Path) -> Result<Option<(PathBuf, Side)>, (PathBuf, io::Error)> {
        let named = |path: &Path| path.file_name()?.to_str().map(str::to_ascii_lowercase);
        let half = policy.parent().unwrap_or(policy);
        let side = match named(half).as_deref() {
            Some("machine") => Side::Machine,
            Some("user") => Side::User,
            _ => return Ok(None),
        };
        let Some(object) = half.parent() else { return Ok(None) };
        let found = match files_in(object) {
            Ok(files) => files.into_iter().find(|path| named(path).as_deref() == Some("gpt.ini")),
            // An image need not contain the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err((object.to_owned(), error)),
        };
        let is_local = named(object).as_deref() == Some("grouppolicy");
        let Some(path) = found.or(is_local.then(|| object.join("gpt.ini"))) else { return Ok(None) };
        // As with the policy file itself, a link stays a link when the file is written. In an image, no link is
        // followed.
        let path = match canonical(&path) {
            _ if self.root.is_some() => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&path).is_err() => path,
            found => found.map_err(|error| (path, error))?,
        };
        Ok(Some((path, side)))
    }

    /// Returns the reason in `gpt.ini` why Windows does not process the policy file, as a sentence; this can be that
    /// `gpt.ini` does not exist. Returns `None` if there is no such reason, or if the file is not part of a Group
    /// Policy object.
    ///
    /// # Errors
    ///
    /// Returns a sentence if `gpt.ini` cannot be read, so that it is not known whether Windows processes the policy
    /// file.
    pub(super) fn unprocessed(&self, policy: &Path) -> Result<Option<String>, String> {
        let of = policy.display();
        let unknown = |path: &Path, error: &dyn std::fmt::Display| {
            format!("it is not known whether Windows processes {of}: {}: {error}", path.display())
        };
        let found = self.gpt_ini(policy).map_err(|(path, error)| unknown(&path, &error))?;
        let Some((path, side)) = found else { return Ok(None) };
        let place = path.display();
        let why = match self.bytes(&path, MAX_INI).map_err(|error| unknown(&path, &error))? {
            None => Some(format!("{place} does not exist")),
            Some(bytes) => {
                let why = gpt_ini::unprocessed(&bytes, side).map_err(|error| unknown(&path, &error))?;
                why.map(|why| format!("{place}: {why}"))
            }
        };
        Ok(why.map(|why| format!("Windows does not process {of}: {why}")))
    }

    /// Returns the path of `gpt.ini`, and the content that it must get so that Windows processes the changed policy
    /// file. Returns `None` if the policy file is not part of a Group Policy object.
    fn raised(&self, policy: &Path) -> Result<Option<(PathBuf, Vec<u8>)>, WriteError> {
        let found = self.gpt_ini(policy).map_err(|(path, error)| refused(&path, error))?;
        let Some((path, side)) = found else { return Ok(None) };
        let bytes = self.bytes(&path, MAX_INI).map_err(|error| refused(&path, error))?;
        match gpt_ini::raise(&bytes.unwrap_or_default(), side) {
            Ok(raised) => Ok(Some((path, raised))),
            Err(why) => Err(WriteError::Unsupported { place: path.display().to_string(), detail: why.to_string() }),
        }
    }

    /// Returns the files to replace, in order, if the policy file gets the content `bytes`.
    pub(super) fn replacements(&self, path: &Path, bytes: Vec<u8>) -> Result<Replacements, WriteError> {
        let policy = readable(path, bytes, MAX_FILE)?;
        let raised = self.raised(path)?;
        let mut files: Replacements = std::iter::once(policy).chain(raised).collect();
        if self.order == Order::VersionFirst {
            files.reverse();
        }
        Ok(files)
    }

    /// Replaces the files. If one of them cannot be replaced, kbfix tries to restore its old bytes and those of the
    /// files before it; the error says whether this succeeded.
    pub(super) fn replace(&self, files: &Replacements) -> Result<(), NotReplaced> {
        let mut begun: Vec<(&Path, Option<Vec<u8>>)> = Vec::new();
        for (path, bytes) in files {
            let replaced = self.bytes(path, MAX_FILE as u64).and_then(|before| {
                begun.push((path, before));
                replace_inheriting_file(Pinned::reach_new(self.root.as_deref(), path)?.path(), bytes)
            });
            if let Err(source) = replaced {
                let is_restored = begun
                    .iter()
                    .rev()
                    .fold(true, |all, (path, before)| self.restore(path, before.as_deref()).is_ok() && all);
                return Err(NotReplaced { error: refused(path, source), is_restored });
            }
        }
        Ok(())
    }

    fn restore(&self, path: &Path, before: Option<&[u8]>) -> io::Result<()> {
        if self.bytes(path, MAX_FILE as u64)?.as_deref() == before {
            return Ok(());
        }
        let reached = Pinned::reach_new(self.root.as_deref(), path)?;
        match before {
            Some(bytes) => replace_inheriting_file(reached.path(), bytes),
            None => fs::remove_file(reached.path()),
        }
    }
}

/// Returns the paths of the files and folders in a folder.
fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect()
}
