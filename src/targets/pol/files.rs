//! The two files of a change: the policy file, and the `gpt.ini` with its version.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    files::{
        pinned::Pinned,
        read::read_open,
        replace::{remove_leftovers, replace_file},
    },
    format::{
        gpt_ini::{self, Side},
        pol::{Document, MAX_FILE},
    },
    registry::RootKey,
    targets::{Lock, TargetError, WriteError, lock::lock_beside},
};

/// The largest `gpt.ini` that kbfix reads, in bytes.
const MAX_INI: u64 = 1 << 20;

/// Where the files of a policy are.
#[derive(Debug)]
pub(super) struct Files {
    /// The policy file, with links resolved. All names of one file therefore share a lock, and a write keeps the link.
    pub(super) path: PathBuf,
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

/// A file that is to be replaced, with its bytes before (`None` if it did not exist) and after.
#[derive(Debug)]
struct Replacement {
    path: PathBuf,
    limit: u64,
    before: Option<Vec<u8>>,
    after: Vec<u8>,
}

/// The files of one change.
#[derive(Debug, Default)]
pub(in crate::targets) struct Replacements(Vec<Replacement>);

/// Why the files of a change could not be replaced.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: WriteError,
    /// Whether all files have their bytes of before.
    pub(super) is_restored: bool,
}

impl Files {
    /// Returns the files of a policy file that the operator named.
    pub(super) fn named(path: PathBuf) -> Self {
        Self { path, root: None, order: Order::PolicyFirst }
    }

    /// Returns the files of a policy file in the folder `root` of a Windows that is not running.
    pub(super) fn offline(path: PathBuf, root: PathBuf) -> Self {
        Self { path, root: Some(root), order: Order::VersionFirst }
    }

    /// Takes the lock of the policy file, and removes what killed processes left beside the two files.
    pub(super) fn lock(&self) -> Result<Lock, TargetError> {
        let lock = lock_beside(&self.path)?;
        // Leftover files that cannot be removed do not prevent an apply.
        let _ = remove_leftovers(&self.path);
        if let Some((ini, _)) = self.gpt_ini() {
            let _ = remove_leftovers(&ini);
        }
        Ok(lock)
    }

    /// Returns the content of the policy file, and whether the file exists.
    pub(super) fn load(&self, root: RootKey) -> Result<(Document, bool), TargetError> {
        let what = || self.path.display().to_string();
        let found = self.bytes(&self.path, MAX_FILE as u64);
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
    fn gpt_ini(&self) -> Option<(PathBuf, Side)> {
        let half = self.path.parent()?;
        let side = match half.file_name()?.to_str()? {
            name if name.eq_ignore_ascii_case("Machine") => Side::Machine,
            name if name.eq_ignore_ascii_case("User") => Side::User,
            _ => return None,
        };
        let object = half.parent()?;
        let found = fs::read_dir(object).ok()?.flatten().map(|entry| entry.path()).find(|path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.eq_ignore_ascii_case("gpt.ini"))
        });
        let is_local = object
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.eq_ignore_ascii_case("GroupPolicy"));
        found.or(is_local.then(|| object.join("gpt.ini"))).map(|path| (path, side))
    }

    /// Returns why Windows does not process the policy file, as a sentence; `None` if it does, or if this is not known
    /// because the file is not part of a Group Policy object.
    pub(super) fn unprocessed(&self) -> Option<String> {
        let (path, side) = self.gpt_ini()?;
        let place = path.display();
        let why = match self.bytes(&path, MAX_INI) {
            Ok(None) => format!("{place} does not exist"),
            Ok(Some(bytes)) => format!("{place}: {}", gpt_ini::unprocessed(&bytes, side)?),
            Err(error) => format!("{place}: {error}"),
        };
        Some(format!("Windows does not process {}: {why}", self.path.display()))
    }

    /// Returns the replacement of `gpt.ini` by one with an increased version.
    fn raised(&self) -> Result<Option<Replacement>, WriteError> {
        let Some((path, side)) = self.gpt_ini() else { return Ok(None) };
        let place = path.display().to_string();
        let before = self.bytes(&path, MAX_INI).map_err(|error| refused(place.clone(), error))?;
        match gpt_ini::raise(before.as_deref().unwrap_or_default(), side) {
            Ok(after) => Ok(Some(Replacement { path, limit: MAX_INI, before, after })),
            Err(why) => Err(WriteError::Unsupported { place, detail: why.to_string() }),
        }
    }

    /// Returns the replacements for a policy file that gets these bytes.
    pub(super) fn replacements(&self, bytes: Vec<u8>) -> Result<Replacements, WriteError> {
        let place = self.path.display().to_string();
        let limit = MAX_FILE as u64;
        if bytes.len() > MAX_FILE {
            let detail = format!("the file would have {} bytes, and kbfix reads no more than {MAX_FILE}", bytes.len());
            return Err(WriteError::Unsupported { place, detail });
        }
        let before = self.bytes(&self.path, limit).map_err(|error| refused(place, error))?;
        let mut files = vec![Replacement { path: self.path.clone(), limit, before, after: bytes }];
        let at = if self.order == Order::VersionFirst { 0 } else { 1 };
        if let Some(raised) = self.raised()? {
            files.insert(at, raised);
        }
        Ok(Replacements(files))
    }

    /// Replaces the files. If one of them cannot be replaced, those before it get their bytes of before again.
    pub(super) fn replace(&self, files: &Replacements) -> Result<(), Failed> {
        for (at, file) in files.0.iter().enumerate() {
            if let Err(source) = self.put(&file.path, &file.after) {
                let error = refused(file.path.display().to_string(), source);
                let is_restored = files.0[..=at].iter().rev().fold(true, |all, one| self.restore(one).is_ok() && all);
                return Err(Failed { error, is_restored });
            }
        }
        Ok(())
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        replace_file(Pinned::reach_new(self.root.as_deref(), path)?.path(), bytes)
    }

    fn restore(&self, file: &Replacement) -> io::Result<()> {
        if self.bytes(&file.path, file.limit)? == file.before {
            return Ok(());
        }
        match &file.before {
            Some(bytes) => self.put(&file.path, bytes),
            None => fs::remove_file(&file.path),
        }
    }
}

fn refused(place: String, source: io::Error) -> WriteError {
    match source.kind() {
        io::ErrorKind::PermissionDenied => WriteError::Denied { place },
        _ => WriteError::Io { place, source },
    }
}
