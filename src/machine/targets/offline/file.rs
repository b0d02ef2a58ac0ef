//! Opens a hive file, together with its logs if necessary, and replaces it.
//!
//! Source for the files beside a hive: Maxim Suhanov, "Windows registry file format specification", "Types of files".

use super::logs::logs_of;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::stamp::Stamp;
use crate::{
    diag::Hint,
    files::{
        pinned::Pinned,
        read::{read_file, read_open},
        replace::{Prepared, prepare, remove_leftovers},
    },
    format::regf::{Error, Filetime, Hive},
    registry::KeyPath,
    targets::{Answer, KeyFacts, Reason, TargetError, Unread, WriteError},
};

/// A hive file that is open.
#[derive(Debug)]
pub(in crate::targets) struct HiveFile {
    path: PathBuf,
    /// The folder below which the path of the file may contain no link; `None` if the operator named the file itself.
    root: Option<PathBuf>,
    /// The state of the file and its logs when they were read. It shows whether another program has written them since
    /// then.
    stamp: Stamp,
    pub(super) hive: Hive,
    /// The total size in bytes of the class names and security descriptors of all keys that were read since the last
    /// [`HiveFile::describe_anew`]; see [`HiveFile::describe`].
    described: usize,
    /// The number of the current control set and the path of its key, from the key `Select` of this hive; `None` if
    /// kbfix must read them from there when it needs them.
    pub(super) current_set: Option<(u16, KeyPath)>,
}

/// The content of a hive after changes.
#[derive(Debug)]
pub(super) enum NewHive {
    /// A complete file on disk, beside the file that it will replace.
    Written(NewFile),
    /// The bytes of a file that is not written yet.
    Bytes(Vec<u8>),
}

/// A new hive file that is complete on disk, beside the file that it will replace. If it is dropped, it is removed.
#[derive(Debug)]
pub(super) struct NewFile {
    /// The file. It is dropped first, because its path leads through the open folders.
    file: Prepared,
    /// The path to the file that is to be replaced, and the open folders that lead to it.
    reached: Pinned,
}

/// The reason why a hive file was not opened.
#[derive(Debug)]
pub(in crate::targets) enum OpenError {
    /// The file does not exist, access to it is denied, a part of its path is a link, or (on Windows) another program
    /// has it open. The keys of this hive then cannot be read, but those of other hives can.
    Unread(Unread),
    /// The file is damaged or incomplete, or another error occurred when it was read. So the whole target is refused,
    /// unless this is the hive of a user.
    Refused(TargetError),
}

impl HiveFile {
    /// Opens a hive file and, if necessary, its logs.
    ///
    /// On Unix, a hive that was written completely is read on demand. A hive that was not (a dirty hive) is read
    /// together with its logs and recovered in memory. If the logs cannot complete it, it is refused; with
    /// `allow_dirty`, it is read as it is if possible, and never written.
    ///
    /// If `root` is given, no part of the path below that folder may be a link, neither now nor when the file is
    /// replaced.
    ///
    /// # Errors
    /// Returns [`OpenError`].
    pub(in crate::targets) fn open(path: &Path, root: Option<&Path>, allow_dirty: bool) -> Result<Self, OpenError> {
        let file_error = |error| file_error(path, error);
        let reached = Pinned::reach(root, path).map_err(file_error)?;
        let at = reached.path();
        // The stamp is taken before anything is read, so that a write during the read is noticed.
        let stamp = Stamp::of(at).map_err(file_error)?;
        let file = reached.file().map_err(file_error)?;
        // A complete hive does not need its logs, which may be as large as the hive.
        let opened = match complete(file).map_err(file_error)? {
            Ok(Some(hive)) => Ok(hive),
            Ok(None) => {
                let primary = read_open(reached.file().map_err(file_error)?, LARGEST_HIVE).map_err(file_error)?;
                let mut logs = Vec::new();
                for log in logs_of(at).map_err(file_error)? {
                    logs.push(read_log(&log, primary.len()).map_err(|source| refused_io(&beside(path, &log), source))?);
                }
                if allow_dirty { Hive::open_dirty(primary, &logs) } else { Hive::open(primary, &logs) }
            }
            Err(error) => Err(error),
        };
        let hive = opened.map_err(|error| OpenError::Refused(refused(path, &error)))?;
        Ok(Self { path: path.to_owned(), root: root.map(Path::to_owned), stamp, hive, described: 0, current_set: None })
    }

    /// Returns the file if the bins (blocks) of its hive are completely filled with cells (records).
    ///
    /// kbfix cannot change any other hive. The hive of a user is checked when it is opened, so that a damaged one only
    /// makes its own keys unreadable, and does not stop changes for other users later.
    ///
    /// # Errors
    /// Returns the reason if the bins are not filled or cannot be read.
    pub(super) fn with_sound_bins(self) -> Result<Self, Unread> {
        match self.hive.check_bins() {
            Ok(()) => Ok(self),
            Err(error) => Err(unusable(&refused(&self.path, &error))),
        }
    }

    /// Returns the path of the hive file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether neither the hive in memory nor the file and its logs have changed since they were read; false if
    /// this cannot be checked.
    pub(super) fn is_as_read(&self) -> bool {
        let reached = Pinned::reach(self.root.as_deref(), &self.path);
        !self.hive.is_changed() && reached.is_ok_and(|reached| self.stamp.is_current(reached.path()))
    }

    /// Adds the size of the key's class name and security descriptor to the total. If the total then exceeds its limit,
    /// replaces both in `facts` with a reason of the kind "malformed".
    ///
    /// The limit is [`DESCRIBED_BEYOND`] and the length of the hive. It protects the memory: keys share security
    /// descriptors, so in a damaged hive of a few megabytes, a hundred thousand keys can have the same one of 64 KiB.
    pub(super) fn describe(&mut self, facts: &mut KeyFacts) {
        let Some(Answer::Present(properties)) = &facts.properties else { return };
        self.described += properties.security.bytes().len() + properties.class.as_ref().map_or(0, String::len);
        if self.described > self.hive.file_len() + DESCRIBED_BEYOND {
            let detail = "the class names and security descriptors of its keys are together larger than the hive: \
                the hive is damaged, or was crafted to exhaust memory";
            facts.properties = Some(Answer::unread(Reason::Malformed, detail));
        }
    }

    /// Sets the total size of class names and security descriptors, which [`HiveFile::describe`] counts, back to zero.
    pub(super) fn describe_anew(&mut self) {
        self.described = 0;
    }

    /// If a part of the file could not be read, returns the error for the target as a whole; `None` if all reads
    /// succeeded.
    pub(super) fn failure(&self) -> Option<TargetError> {
        self.hive.failed_read().map(|error| refused(&self.path, error))
    }

    /// Writes a new file with the edited hive beside the file. The file itself is not replaced yet.
    ///
    /// # Errors
    /// Returns [`WriteError::Unsupported`] for a hive that cannot be written, or the system's error.
    pub(super) fn prepare(&mut self) -> Result<NewFile, WriteError> {
        let Self { path, root, hive, .. } = self;
        let bytes =
            hive.finished_file(Filetime::now()).map_err(|error| unsupported(&path.display().to_string(), &error))?;
        NewFile::write(path, root.as_deref(), bytes)
    }

    /// Returns the bytes of a file that contains the edited hive.
    ///
    /// # Errors
    /// Returns [`WriteError::Unsupported`] for a hive that cannot be written, or an error if a part of it cannot be
    /// read.
    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, WriteError> {
        let place = self.path.display().to_string();
        self.hive.to_bytes(Filetime::now()).map_err(|error| unsupported(&place, &error))
    }

    /// Replaces the file with the new hive, and empties its logs.
    ///
    /// Immediately before that, `guard` is called, and the file and its logs are checked: nobody may have changed them
    /// since they were read. If the new file cannot be written or the old one cannot be replaced, `guard` is called
    /// again, because its error may explain the failure. After the replacement, `guard` is not called: its error would
    /// hide that the file was replaced.
    ///
    /// # Errors
    /// Returns [`WriteError`]. After [`WriteError::Stale`], the file is unchanged. After any other error, it may have
    /// been replaced, and its logs may not be empty.
    pub(super) fn replace(&self, new: NewHive, guard: impl Fn() -> Result<(), WriteError>) -> Result<(), WriteError> {
        let explained = |error| guard().err().unwrap_or(error);
        let new = match new {
            NewHive::Written(file) => file,
            NewHive::Bytes(bytes) => NewFile::write(&self.path, self.root.as_deref(), &bytes).map_err(explained)?,
        };
        let at = new.reached.path();
        guard()?;
        self.stamp.refuse_other(at, &self.path).map_err(explained)?;
        let renamed = new.file.rename().map_err(|source| explained(write_error(&self.path, source)))?;
        renamed.sync().map_err(|source| write_error(&self.path, source))?;
        // See `Hive::logs_after_save`.
        for log in logs_of(at).map_err(|source| write_error(&self.path, source))? {
            empty(&log).map_err(|source| write_error(&beside(&self.path, &log), source))?;
        }
        Ok(())
    }
}

impl NewFile {
    /// Writes a new file beside the file at `path`. No part of the path below `root` may be a link.
    fn write(path: &Path, root: Option<&Path>, bytes: &[u8]) -> Result<Self, WriteError> {
        let reached = Pinned::reach(root, path).map_err(|source| write_error(path, source))?;
        // It is not an error if leftovers of an earlier run cannot be removed.
        let _ = remove_leftovers(reached.path());
        let file = prepare(reached.path(), bytes).map_err(|source| write_error(path, source))?;
        Ok(Self { file, reached })
    }
}

/// Returns the path of a log for messages: the file name of `log`, in the folder of the hive file `path`.
fn beside(path: &Path, log: &Path) -> PathBuf {
    log.file_name().map_or_else(|| log.to_owned(), |name| path.with_file_name(name))
}

/// Returns the bytes of a hive file.
///
/// # Errors
/// Returns the system's error, or an error for something that is not a regular file or is larger than 2 GiB. No hive is
/// larger, because offsets in a hive have 31 bits.
pub fn read_hive(path: &Path) -> io::Result<Vec<u8>> {
    read_file(path, LARGEST_HIVE)
}

/// The size in bytes of the largest possible hive: offsets in a hive have 31 bits.
const LARGEST_HIVE: u64 = 2 << 30;

/// Returns the bytes of a transaction log. `hive` is the size of its hive in bytes.
///
/// A log contains the pages that changed since the hive was written, so it need not be much larger than the hive. kbfix
/// reads no log that is more than 64 MiB larger than its hive, or larger than 512 MiB: a damaged file must not exhaust
/// the memory.
///
/// # Errors
/// Returns the system's error, or an error for something that is not a regular file or is too large for a log of this
/// hive.
pub fn read_log(path: &Path, hive: usize) -> io::Result<Vec<u8>> {
    read_file(path, (hive as u64).saturating_add(LOG_BEYOND).min(LARGEST_LOG))
}

/// The number of bytes by which the returned class names and security descriptors may exceed the length of the hive.
const DESCRIBED_BEYOND: usize = 16 << 20;

/// The number of bytes by which a log may be larger than its hive.
const LOG_BEYOND: u64 = 64 << 20;
const LARGEST_LOG: u64 = 512 << 20;

/// Returns the hive in a file; `None` if the hive was not written completely (dirty).
///
/// # Errors
/// There is no outer error. The inner error concerns the content of the file, or says that it could not be read.
#[cfg(unix)]
fn complete(file: fs::File) -> io::Result<Result<Option<Hive>, Error>> {
    Ok(Hive::open_on_demand(std::sync::Arc::new(file)))
}

/// Returns the hive in a file; `None` if the hive was not written completely (dirty).
///
/// On Windows, the file is read as a whole and closed, because Windows cannot replace an open file, and a user whose
/// hive file is open cannot log on. The base block is checked first, so that a large file that is not a hive is not
/// read.
///
/// # Errors
/// The outer error is the system's; the inner error concerns the content of the file.
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

/// Converts an error of the hive format into the error of a change. `place` is the key, value or file in the message.
pub(super) fn unsupported(place: &str, error: &Error) -> WriteError {
    let place = place.to_owned();
    match error {
        Error::Unreadable { .. } => WriteError::Io { place, source: io::Error::other(error.to_string()) },
        Error::Dirty { .. } | Error::ReadOnly => {
            let detail = format!(
                "{error}. kbfix can read such a hive but not change it; to change it, start the Windows of this hive once, so that it completes the hive"
            );
            WriteError::Unsupported { place, detail }
        }
        _ => WriteError::Unsupported { place, detail: error.to_string() },
    }
}

/// Converts an error of the hive format into the error for the target as a whole.
fn refused(path: &Path, error: &Error) -> TargetError {
    let what = path.display().to_string();
    let hint = match error {
        Error::Unreadable { .. } => return TargetError::Io { what, source: io::Error::other(error.to_string()) },
        Error::Dirty { .. } => {
            let hint = "start the Windows of this hive once, or copy the file again together with its logs (.LOG, .LOG1, \
                .LOG2); or allow kbfix to read the hive as it is";
            Some(Hint::new(hint).bare_option("allow-dirty"))
        }
        Error::BaseBlock { .. } => Some(Hint::new("copy the file again together with its logs (.LOG, .LOG1, .LOG2)")),
        Error::NotAHive(_) => {
            Some(Hint::new("use a complete and undamaged hive file, such as Windows/System32/config/SYSTEM"))
        }
        _ => None,
    };
    TargetError::Malformed { what, detail: error.to_string(), hint }
}

/// Returns the reason why the keys of a hive cannot be read, for an error of the hive's file.
pub(super) fn unusable(error: &TargetError) -> Unread {
    // A file that could not be read may be a sound hive.
    let reason = if matches!(error, TargetError::Io { .. }) { Reason::Unknown } else { Reason::Malformed };
    Unread::new(reason, error.to_string())
}

/// Empties a log, unless it is already empty.
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
        // The kind of error with which `Pinned` refuses a path.
        io::ErrorKind::InvalidInput => OpenError::Unread(Unread::new(Reason::Unsupported, source.to_string())),
        _ if is_in_use(&source) => {
            let detail =
                format!("{} is in use by another program, for example because its user is logged on", path.display());
            OpenError::Unread(Unread::new(Reason::Unknown, detail))
        }
        _ => refused_io(path, source),
    }
}

/// Returns whether the error means that another program has the file open without sharing, or has locked a part of it:
/// on Windows, ERROR_SHARING_VIOLATION or ERROR_LOCK_VIOLATION (Microsoft, "System Error Codes").
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

#[cfg(all(test, unix))]
mod tests {
    use crate::targets::offline::file::*;

    #[test]
    fn a_hive_of_a_user_that_cannot_be_read_is_unknown_and_not_malformed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("NTUSER.DAT");
        fs::write(&path, Hive::create(Filetime::now()).unwrap().to_bytes(Filetime::now()).unwrap()).unwrap();
        let hive = HiveFile::open(&path, None, false).unwrap();
        // The bins are read from the file only now.
        fs::File::options().write(true).open(&path).unwrap().set_len(Hive::BASE_BLOCK as u64).unwrap();
        assert_eq!(hive.with_sound_bins().unwrap_err().reason, Reason::Unknown);
    }
}
