//! One hive file with its logs: opened, and saved.
//!
//! Source for what lies beside a hive: Maxim Suhanov, "Windows registry file format specification", "Types of files".

use super::logs::logs_of;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::stamp::Stamp;
use crate::{
    files::{
        pinned::Pinned,
        read::read_file,
        replace::{remove_leftovers, replace_file_if},
    },
    format::regf::{Error, Filetime, Hive},
    targets::{Answer, KeyFacts, Reason, TargetError, Unread, WriteError},
};

/// A hive file that was opened.
#[derive(Debug)]
pub(in crate::targets) struct HiveFile {
    path: PathBuf,
    /// The folder that it was found in; none where the operator named the file.
    root: Option<PathBuf>,
    /// What the file and its logs were when they were read.
    stamp: Stamp,
    pub(super) hive: Hive,
    /// How many bytes of class names and security descriptors were answered: see [`HiveFile::describe`].
    described: usize,
}

/// Why a hive file was not opened.
#[derive(Debug)]
pub(in crate::targets) enum OpenError {
    /// It is not there, or may not be read: nothing is known of the keys in it.
    Unread(Unread),
    /// It is damaged or incomplete: the target is refused.
    Refused(TargetError),
}

impl HiveFile {
    /// Opens a hive, of which is read what is asked for; or reads it with its logs, where it was not written completely: it
    /// is then recovered in memory. One that its logs do not complete is refused, or with `allow_dirty` read as it is and
    /// never written. One that was found in the folder `root` is reached from there without a link, now and when it is replaced.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(in crate::targets) fn open(path: &Path, root: Option<&Path>, allow_dirty: bool) -> Result<Self, OpenError> {
        let file_error = |error| file_error(path, error);
        let reached = Pinned::reach(root, path).map_err(file_error)?;
        let at = reached.path();
        // Before anything is read: what somebody writes meanwhile is to be noticed.
        let stamp = Stamp::of(at).map_err(file_error)?;
        let file = open_file(at).map_err(file_error)?;
        // A complete hive needs none of its logs, which may be as large as itself.
        let opened = match complete(file).map_err(file_error)? {
            Ok(Some(hive)) => Ok(hive),
            Ok(None) => {
                let primary = read_hive(at).map_err(file_error)?;
                let mut logs = Vec::new();
                for log in logs_of(at).map_err(file_error)? {
                    logs.push(read_log(&log, primary.len()).map_err(|source| refused_io(&beside(path, &log), source))?);
                }
                if allow_dirty { Hive::open_dirty(primary, &logs) } else { Hive::open(primary, &logs) }
            }
            Err(error) => Err(error),
        };
        let hive = opened.map_err(|error| OpenError::Refused(refused(path, &error)))?;
        Ok(Self { path: path.to_owned(), root: root.map(Path::to_owned), stamp, hive, described: 0 })
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Counts the properties of a key that are answered, and refuses those that are too many. Keys share security descriptors: in a few
    /// megabytes, a hundred thousand keys can have the same one of 64 KiB. Those of real hives come to less than the hive.
    pub(super) fn describe(&mut self, facts: &mut KeyFacts) {
        let Some(Answer::Present(properties)) = &facts.properties else { return };
        self.described += properties.security.bytes().len() + properties.class.as_ref().map_or(0, String::len);
        if self.described > self.hive.file_len() + DESCRIBED_BEYOND {
            let detail = "its keys have more class names and security descriptors together than the whole hive is long: it is \
                          damaged, or made to use up memory";
            facts.properties = Some(Answer::unread(Reason::Malformed, detail));
        }
    }

    /// Begins to count anew.
    pub(super) fn describe_anew(&mut self) {
        self.described = 0;
    }

    /// Why the target as a whole is refused, where a part of the file could not be read.
    pub(super) fn failure(&self) -> Option<TargetError> {
        self.hive.failed_read().map(|error| refused(&self.path, error))
    }

    /// The edited hive as the bytes of a file.
    ///
    /// # Errors
    /// [`WriteError::Unsupported`] for a hive that cannot be written.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, WriteError> {
        let place = self.path.display().to_string();
        self.hive.to_bytes(Filetime::now()).map_err(|error| unsupported(&place, &error))
    }

    /// Puts `bytes` in place of the file, whole, and makes its logs empty. Immediately before, `guard` is asked, and the file and its
    /// logs must be as they were when they were read.
    ///
    /// # Errors
    /// [`WriteError`]; the file is then the old one, or the new one with logs that could not be emptied. [`WriteError::Stale`]:
    /// nothing was written.
    pub(super) fn replace(
        &self,
        bytes: &[u8],
        guard: impl FnOnce() -> Result<(), WriteError>,
    ) -> Result<(), WriteError> {
        let reached =
            Pinned::reach(self.root.as_deref(), &self.path).map_err(|source| write_error(&self.path, source))?;
        let at = reached.path();
        // What cannot be removed is no reason against a change.
        let _ = remove_leftovers(at);
        let mut refused = None;
        let replaced = replace_file_if(at, bytes, || {
            guard().and_then(|()| self.stamp.refuse_other(at, &self.path)).map_err(|error| {
                let told = io::Error::other(error.to_string());
                refused = Some(error);
                told
            })
        });
        if let Some(error) = refused {
            return Err(error);
        }
        replaced.map_err(|source| write_error(&self.path, source))?;
        // See `Hive::logs_after_save`.
        for log in logs_of(at).map_err(|source| write_error(&self.path, source))? {
            empty(&log).map_err(|source| write_error(&beside(&self.path, &log), source))?;
        }
        Ok(())
    }
}

/// The path of the log as it is told: beside the hive at `path`.
fn beside(path: &Path, log: &Path) -> PathBuf {
    log.file_name().map_or_else(|| log.to_owned(), |name| path.with_file_name(name))
}

/// A hive file or a log, whole.
///
/// # Errors
/// The system's error; or that it is no file, or larger than any hive: the offsets in it have 31 bits.
pub fn read_hive(path: &Path) -> io::Result<Vec<u8>> {
    read_file(path, 2 << 30)
}

/// A log of a hive of `hive` bytes, whole.
///
/// # Errors
/// The system's error; or that it is no file, or larger than the log of such a hive: it holds pages that changed since the hive was
/// written, and Windows writes the hive before they are much more than the hive itself. A sparse file can be of any length.
pub fn read_log(path: &Path, hive: usize) -> io::Result<Vec<u8>> {
    read_file(path, (hive as u64).saturating_add(LOG_BEYOND).min(LARGEST_LOG))
}

/// How many bytes of class names and security descriptors are answered beyond the length of the hive.
const DESCRIBED_BEYOND: usize = 16 << 20;

/// How much longer than its hive a log may be, and how long at most.
const LOG_BEYOND: u64 = 64 << 20;
const LARGEST_LOG: u64 = 512 << 20;

/// The hive, if the file was written completely; else none.
#[cfg(unix)]
fn complete(file: fs::File) -> io::Result<Result<Option<Hive>, Error>> {
    Ok(Hive::open_on_demand(std::sync::Arc::new(file)))
}

/// As elsewhere, but the file is read whole and closed: Windows replaces no file that somebody has open, and no user logs on whose
/// hive is. Its beginning is looked at first: a file of any length may be no hive.
#[cfg(not(unix))]
fn complete(mut file: fs::File) -> io::Result<Result<Option<Hive>, Error>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    file.by_ref().take(Hive::BASE_BLOCK as u64).read_to_end(&mut bytes)?;
    let bins = match Hive::bins_of(&bytes) {
        Ok(Some(bins)) => u64::from(bins),
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    file.take(bins).read_to_end(&mut bytes)?;
    let opened = Hive::open_dirty(bytes, &[]);
    Ok(opened.map(|hive| (*hive.state() == crate::format::regf::State::Clean).then_some(hive)))
}

/// An error of the codec, as one of a change.
pub(super) fn unsupported(place: &str, error: &Error) -> WriteError {
    let place = place.to_owned();
    match error {
        Error::Unreadable { .. } => WriteError::Io { place, source: io::Error::other(error.to_string()) },
        Error::Dirty { .. } | Error::ReadOnly => {
            let detail = format!("{error}; such a hive is only read: boot that Windows once, so that it completes it");
            WriteError::Unsupported { place, detail }
        }
        _ => WriteError::Unsupported { place, detail: error.to_string() },
    }
}

/// An error of the codec that refuses the target.
fn refused(path: &Path, error: &Error) -> TargetError {
    let what = path.display().to_string();
    let hint = match error {
        Error::Unreadable { .. } => return TargetError::Io { what, source: io::Error::other(error.to_string()) },
        Error::Dirty { .. } => {
            "; boot that Windows once or copy the file again, or read it as it is with --allow-dirty"
        }
        Error::BaseBlock { .. } => "; copy the file again together with its logs (.LOG, .LOG1, .LOG2)",
        _ => "",
    };
    TargetError::Malformed { what, detail: format!("{error}{hint}") }
}

/// Opens the file. It is looked at before: opening a pipe would wait for somebody to write into it.
fn open_file(path: &Path) -> io::Result<fs::File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    fs::File::open(path)
}

/// An empty log stays as it is.
fn empty(log: &Path) -> io::Result<()> {
    if fs::metadata(log)?.len() == 0 {
        return Ok(());
    }
    let file = fs::File::options().write(true).truncate(true).open(log)?;
    file.sync_all()
}

fn file_error(path: &Path, source: io::Error) -> OpenError {
    match source.kind() {
        io::ErrorKind::NotFound => {
            OpenError::Unread(Unread::new(Reason::Unknown, format!("there is no {}", path.display())))
        }
        io::ErrorKind::PermissionDenied => OpenError::Unread(Unread::new(Reason::Denied, path.display().to_string())),
        // What `Pinned` refuses.
        io::ErrorKind::InvalidInput => OpenError::Unread(Unread::new(Reason::Unsupported, source.to_string())),
        _ if is_in_use(&source) => {
            let detail =
                format!("{} is in use by another program, as the hive of a user who logs on is", path.display());
            OpenError::Unread(Unread::new(Reason::Unknown, detail))
        }
        _ => refused_io(path, source),
    }
}

/// Whether somebody has the file open and shares it with nobody: ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION (Microsoft,
/// "System Error Codes").
fn is_in_use(error: &io::Error) -> bool {
    cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33))
}

fn refused_io(path: &Path, source: io::Error) -> OpenError {
    OpenError::Refused(TargetError::Io { what: path.display().to_string(), source })
}

fn write_error(path: &Path, source: io::Error) -> WriteError {
    let place = path.display().to_string();
    match source.kind() {
        io::ErrorKind::PermissionDenied => WriteError::Denied { place },
        _ => WriteError::Io { place, source },
    }
}
