//! Reads and replaces the two files of a policy: the policy file, and the `gpt.ini` with its version.

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

/// The largest `gpt.ini` that kbfix reads, in bytes.
const MAX_INI: u64 = 1 << 20;

/// The paths of the files of a policy, and how these files are replaced.
#[derive(Debug)]
pub(super) struct Disk {
    /// The folder below which no link is followed; `None` if the operator named the file itself.
    root: Option<PathBuf>,
    order: Order,
}

/// The order in which the files are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The policy file first: Windows may be running, and processes it as soon as it sees the new version.
    PolicyFirst,
    /// The version first: Windows is not running. After a crash between the two, the policy is still to be changed, and
    /// the next apply does so. In the other order it would be in place with a version that Windows need not process.
    VersionFirst,
}

impl Disk {
    /// Returns the paths for a policy file that the operator named.
    pub(super) fn named() -> Self {
        Self { root: None, order: Order::PolicyFirst }
    }

    /// Returns the paths for a policy file in the folder `root` of a Windows that is not running.
    pub(super) fn offline(root: PathBuf) -> Self {
        Self { root: Some(root), order: Order::VersionFirst }
    }

    /// Removes the files that killed processes left beside `gpt.ini`. The lock of the policy file must be held.
    pub(super) fn remove_leftovers(&self, path: &Path) {
        if let Ok(Some((ini, _))) = self.gpt_ini(path) {
            // Leftover files that cannot be removed do not prevent an apply.
            let _ = remove_leftovers(&ini);
        }
    }

    /// Returns the content of the policy file, and whether the file exists.
    pub(super) fn load(&self, path: &Path, root: RootKey) -> Result<(Document, bool), TargetError> {
        let what = || path.display().to_string();
        let found = self.bytes(path, MAX_FILE as u64);
        let Some(bytes) = found.map_err(|source| TargetError::Io { what: what(), source })? else {
            return Ok((Document::empty(), false));
        };
        let document = Document::parse(bytes, root).map_err(|error| TargetError::Malformed {
            what: what(),
            detail: format!("{error}: {}", error.kind.hint()),
            option: None,
        })?;
        Ok((document, true))
    }

    /// Returns the bytes of a file; `None` if it does not exist.
    fn bytes(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        let opened = Pinned::reach(self.root.as_deref(), path).and_then(|reached| reached.file());
        match opened.and_then(|file| read_open(file, most)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the `gpt.ini` with the version of the file, and the half to which the file belongs. Returns `None` if
    /// the file is not part of a Group Policy object.
    fn gpt_ini(&self, policy: &Path) -> io::Result<Option<(PathBuf, Side)>> {
        let named = |path: &Path| path.file_name()?.to_str().map(str::to_ascii_lowercase);
        let half = policy.parent().unwrap_or(policy);
        let side = match named(half).as_deref() {
            Some("machine") => Side::Machine,
            Some("user") => Side::User,
            _ => return Ok(None),
        };
        let Some(object) = half.parent() else { return Ok(None) };
        let entries = fs::read_dir(object).ok().into_iter().flatten().flatten().map(|entry| entry.path());
        let found = entries.into_iter().find(|path| named(path).as_deref() == Some("gpt.ini"));
        let is_local = named(object).as_deref() == Some("grouppolicy");
        let Some(path) = found.or(is_local.then(|| object.join("gpt.ini"))) else { return Ok(None) };
        // As with the policy file itself, a link stays a link when the file is written. In an image, no link is
        // followed.
        let path = match canonical(&path) {
            _ if self.root.is_some() => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&path).is_err() => path,
            found => found?,
        };
        Ok(Some((path, side)))
    }

    /// Returns why Windows does not process the policy file, as a sentence; `None` if it does, or if this is not known
    /// because the file is not part of a Group Policy object.
    pub(super) fn unprocessed(&self, policy: &Path) -> Option<String> {
        let (path, side) = self.gpt_ini(policy).ok()??;
        let place = path.display();
        let why = match self.bytes(&path, MAX_INI) {
            Ok(None) => format!("{place} does not exist"),
            Ok(Some(bytes)) => format!("{place}: {}", gpt_ini::unprocessed(&bytes, side)?),
            Err(error) => format!("{place}: {error}"),
        };
        Some(format!("Windows does not process {}: {why}", policy.display()))
    }

    /// Returns `gpt.ini` with an increased version.
    fn raised(&self, policy: &Path) -> Result<Option<(PathBuf, Vec<u8>)>, WriteError> {
        let found = self.gpt_ini(policy).map_err(|error| refused(&policy.with_file_name("gpt.ini"), error))?;
        let Some((path, side)) = found else { return Ok(None) };
        let bytes = self.bytes(&path, MAX_INI).map_err(|error| refused(&path, error))?;
        match gpt_ini::raise(&bytes.unwrap_or_default(), side) {
            Ok(raised) => Ok(Some((path, raised))),
            Err(why) => Err(WriteError::Unsupported { place: path.display().to_string(), detail: why.to_string() }),
        }
    }

    /// Returns the files to replace for a policy file that gets these bytes.
    pub(super) fn replacements(&self, path: &Path, bytes: Vec<u8>) -> Result<Replacements, WriteError> {
        let policy = readable(path, bytes, MAX_FILE)?;
        let raised = self.raised(path)?;
        let mut files: Replacements = std::iter::once(policy).chain(raised).collect();
        if self.order == Order::VersionFirst {
            files.reverse();
        }
        Ok(files)
    }

    /// Replaces the files. If one of them cannot be replaced, it and those before it get their old bytes again.
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
