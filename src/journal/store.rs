//! The state folder, which holds the journals.

use super::error::StoreError;
use std::{
    fs::{self, OpenOptions},
    hash::{BuildHasher as _, RandomState},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::{
    files::replace::create_private_file,
    format::json,
    plan::file::{from_canonical, sealed_text, unseal},
    targets::Address,
};

use super::{Event, Header, Journal, trust};

/// The largest journal that kbfix reads, in bytes.
const MOST: u64 = 1 << 30;

/// The state folder. Journals are in its subfolder `journal`.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    /// Whether this is the default folder. On Windows, only administrators may write to the default folder, and kbfix
    /// sets and checks these permissions.
    #[cfg_attr(not(windows), allow(dead_code, reason = "on other systems every state folder gets the same mode"))]
    is_default: bool,
}

impl Store {
    /// Returns the state folder at the path `named`, or else the default state folder.
    ///
    /// The default is `%ProgramData%\kbfix` on Windows. On other systems it is `$XDG_STATE_HOME/kbfix`, or
    /// `~/.local/state/kbfix` if that variable does not contain an absolute path. Returns `None` if `named` is `None`
    /// and the system or the environment names no such folder.
    pub fn new(named: Option<&Path>) -> Option<Self> {
        match named {
            Some(root) => Some(Self { root: root.to_owned(), is_default: false }),
            None => crate::files::state::default_folder().map(|root| Self { root, is_default: true }),
        }
    }

    /// Returns the path of the state folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns a phrase which says that the state folder does not exist; `None` if it exists.
    pub fn missing(&self) -> Option<String> {
        let root = self.root.display();
        (!self.root.exists()).then(|| format!("the folder {root} does not exist, so it contains no journals"))
    }

    /// Checks that a journal of changes to this target could be written, as far as this is possible without leaving
    /// anything on disk.
    ///
    /// # Errors
    ///
    /// Returns the reason why [`Store::begin`] would fail, as far as it is found.
    pub fn check(&self, target: &Address) -> Result<(), StoreError> {
        can_contain(target)?;
        self.trusted()?;
        let folder = self.journals();
        let there = folder.ancestors().find(|path| fs::symlink_metadata(path).is_ok()).unwrap_or(Path::new("."));
        match tempfile::tempfile_in(there) {
            Ok(_) => Ok(()),
            Err(source) => Err(StoreError::Io { path: there.to_owned(), source }),
        }
    }

    /// Returns the path of the folder with the journals, in the state folder.
    pub fn journals(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Checks that only this account and the administrators can write to the state folder and its subfolder `journal`.
    /// Returns whether both folders exist.
    fn trusted(&self) -> Result<bool, StoreError> {
        #[cfg(windows)]
        if self.is_default {
            let error = |source| StoreError::Io { path: self.root.clone(), source };
            if !crate::targets::local::check_admin_only_dir(&self.root).map_err(io::Error::other).map_err(error)? {
                return Ok(false);
            }
        }
        Ok(trust::check_folder(&self.root)? && trust::check_folder(&self.journals())?)
    }

    /// Creates the state folder and its subfolder `journal`, if they are missing. Only this account and the
    /// administrators can write to them.
    ///
    /// # Errors
    ///
    /// Fails if a journal cannot contain the address of this target, if the folder cannot be created, or if others can
    /// write to the existing folder.
    pub fn create(&self, target: &Address) -> Result<(), StoreError> {
        can_contain(target)?;
        // Check this first, so that nothing is created in a folder that is then refused.
        if self.trusted()? {
            return Ok(());
        }
        let folder = self.journals();
        self.make(&folder).map_err(|source| StoreError::Io { path: folder.clone(), source })?;
        self.trusted().map(drop)
    }

    /// Creates a journal with this header, as the first line of its file. When this function returns, the line is
    /// complete on disk.
    ///
    /// The function sets the id of the header. This id sorts after the ids of all journals in the folder, even if the
    /// clock was set back.
    ///
    /// # Errors
    ///
    /// Fails if the folder cannot be used, if the line is too long or cannot be written, or if no later id is possible.
    /// In these cases, no journal remains.
    pub fn begin(&self, mut header: Header) -> Result<Journal, StoreError> {
        self.create(&header.target)?;
        let folder = self.journals();
        loop {
            header.id = self.next_id()?;
            let path = folder.join(format!("{}.jsonl", header.id));
            let error = |source| StoreError::Io { path: path.clone(), source };
            let line = first_line(&header).map_err(|e| error(e.into()))?;
            // Leave room for events, so that the journal can be read again.
            if line.len() as u64 > MOST / 2 {
                return Err(error(io::Error::other(
                    "the journal would be too large for kbfix to read; apply or retire fewer specs at once",
                )));
            }
            match create_private_file(&path, &line) {
                Ok(()) => return Ok(Journal { path, header, events: Vec::new() }),
                // Another process has used this name. The next id is later than that of the other journal.
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
                Err(why) => return Err(error(why)),
            }
        }
    }

    #[cfg(unix)]
    fn make(&self, folder: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        // Journals hold registry data, which may be confidential.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    #[cfg(windows)]
    fn make(&self, folder: &Path) -> io::Result<()> {
        if self.is_default {
            crate::targets::local::create_admin_only_dir(&self.root).map_err(io::Error::other)?;
        } else if !self.root.exists() {
            // By default, for example, every user can write to a new folder directly below the root of a drive.
            self.root.parent().map_or(Ok(()), fs::create_dir_all)?;
            crate::targets::local::create_private_dir(&self.root)?;
        }
        fs::create_dir_all(folder)
    }

    /// Returns a new id: the present time to the millisecond, and a random number.
    pub fn new_id() -> String {
        id_at(Timestamp::now())
    }

    /// Returns the id of the next journal. It contains the present time, or the time one millisecond after that in the
    /// name of the newest journal, if this is later.
    fn next_id(&self) -> Result<String, StoreError> {
        let now = Timestamp::now();
        let newest =
            self.names()?.into_iter().rev().find_map(|path| Some((time_in(path.file_name()?.to_str()?)?, path)));
        let time = match newest {
            None => now,
            Some((time, path)) => {
                let next = time.ok().and_then(|time| time.checked_add(SignedDuration::from_millis(1)).ok());
                next.ok_or(StoreError::LastOfAll { path })?.max(now)
            }
        };
        Ok(id_at(time))
    }

    /// Returns the paths of the journal files, sorted by name, so that the oldest journal is the first.
    fn names(&self) -> Result<Vec<PathBuf>, StoreError> {
        let folder = self.journals();
        let error = |source| StoreError::Io { path: folder.clone(), source };
        let mut paths = Vec::new();
        for entry in fs::read_dir(&folder).map_err(error)? {
            let path = entry.map_err(error)?.path();
            if path.extension().is_some_and(|e| e == "jsonl") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Returns all journals, oldest first, and an error for each file that could not be read as a journal.
    ///
    /// # Errors
    ///
    /// Fails if the folder exists but cannot be listed, or if someone else can write to it.
    pub fn list(&self) -> Result<(Vec<Journal>, Vec<StoreError>), StoreError> {
        let paths = if self.trusted()? { self.names()? } else { Vec::new() };
        let (mut journals, mut damaged) = (Vec::new(), Vec::new());
        for path in paths {
            match Self::read(&path) {
                Ok(journal) => journals.push(journal),
                Err(why) => damaged.push(why),
            }
        }
        Ok((journals, damaged))
    }

    /// Returns all journals, newest first, with an error for each file that cannot be read as a journal. Each journal
    /// is read when the iterator reaches it.
    ///
    /// # Errors
    ///
    /// Fails if the folder exists but cannot be listed, or if someone else can write to it.
    pub fn newest_first(&self) -> Result<impl Iterator<Item = Result<Journal, StoreError>>, StoreError> {
        let paths = if self.trusted()? { self.names()? } else { Vec::new() };
        Ok(paths.into_iter().rev().map(|path| Self::read(&path)))
    }

    /// Reads a journal. `name` is the name of a journal in this folder (with or without `.jsonl`), or the path of a
    /// file.
    ///
    /// # Errors
    ///
    /// Fails if there is no such journal, or if it is damaged, cannot be read, or can be written by someone else.
    pub fn find(&self, name: &str) -> Result<Journal, StoreError> {
        let bare = name.strip_suffix(".jsonl").unwrap_or(name);
        let folder = self.journals();
        let by_name = folder.join(format!("{bare}.jsonl"));
        let is_name = !name.contains(['/', '\\']) && by_name.is_file();
        if is_name {
            self.trusted()?;
        }
        match Self::read(if is_name { &by_name } else { Path::new(name) }) {
            Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let has_folder = folder.exists();
                Err(StoreError::Missing { name: name.to_owned(), folder, has_folder })
            }
            found => found,
        }
    }

    pub(super) fn read(path: &Path) -> Result<Journal, StoreError> {
        let path = path.to_owned();
        let malformed = |line, detail: String| StoreError::Malformed { path: path.clone(), line, detail };
        let bytes = trust::read(&path, MOST)?;
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
        let (_, first) = lines.next().ok_or_else(|| malformed(1, "the file is empty".to_owned()))?;
        let header = json::text(first.trim_ascii_end()).and_then(header).map_err(|detail| malformed(1, detail))?;
        let mut events = Vec::new();
        for (at, line) in lines {
            match event(line) {
                Ok(event) => events.push(event),
                // The process ended while it was adding an event. That event is lost, but the header is complete.
                Err(_) if is_cut(line) => {}
                Err(detail) => return Err(malformed(at + 1, detail)),
            }
        }
        Ok(Journal { path, header, events })
    }
}

/// Parses a line of a journal after the first.
fn event(line: &[u8]) -> Result<Event, String> {
    let line = json::text(line.trim_ascii_end())?;
    json::check(line).and_then(|()| serde_json::from_str(line)).map_err(|error| in_line(&error))
}

/// Returns whether the last line of a journal is incomplete, because the process ended while it was writing the line. A
/// line that is complete except for its line break is not incomplete: an editor may have removed the line break.
fn is_cut(line: &[u8]) -> bool {
    !line.ends_with(b"\n") && serde_json::from_slice::<IgnoredAny>(line).is_err()
}

/// Returns the message of an error in one line of a journal, without the line number. For serde_json, this number is
/// always 1; [`StoreError::Malformed`] contains the number of the line in the journal.
fn in_line(error: &serde_json::Error) -> String {
    format!("{} at column {}", json::fault(error), error.column())
}

/// Returns an id that contains this time and a random number, so that two processes at the same time get different ids.
fn id_at(time: Timestamp) -> String {
    let time: String = format!("{time:.3}").chars().filter(|c| !matches!(c, '-' | ':')).collect();
    // The standard library has no random numbers except for its hash maps.
    let random = RandomState::new().hash_one(std::process::id()) as u32;
    format!("{time}-{random}")
}

/// Parses the time in a journal's file name. Returns `None` if the name does not have the form of a journal's name, and
/// an error if its digits are not a valid time.
fn time_in(name: &str) -> Option<Result<Timestamp, jiff::Error>> {
    let time = name.get(..20).filter(|_| name.as_bytes().get(20) == Some(&b'-'))?;
    let form = "DDDDDDDDTDDDDDD.DDDZ";
    let fits =
        form.bytes().zip(time.bytes()).all(|(form, b)| if form == b'D' { b.is_ascii_digit() } else { b == form });
    fits.then(|| time.parse())
}

/// Checks that a journal, which is JSON, can contain the paths in the address.
fn can_contain(target: &Address) -> Result<(), StoreError> {
    let mut folders = target.files.iter().chain(target.drives.values());
    match folders.find(|folder| folder.to_str().is_none()) {
        Some(folder) => Err(StoreError::NotUnicode { path: folder.clone() }),
        None => Ok(()),
    }
}

/// Returns the first line of a journal: the header, with a digest. Because of the digest, a rollback never restores
/// data from a damaged file.
fn first_line(header: &Header) -> serde_json::Result<Vec<u8>> {
    let mut line = sealed_text(header)?;
    line.push(b'\n');
    Ok(line)
}

fn header(line: &str) -> Result<Header, String> {
    json::check(line).map_err(|e| in_line(&e))?;
    let version: Version = serde_json::from_str(line).map_err(|e| in_line(&e))?;
    match version.kbfix_journal {
        Some(version) if version == 1 => {}
        Some(version) => {
            return Err(format!(
                "its `kbfix_journal` is {version}, but this version of kbfix only reads \
            1"
            ));
        }
        None => return Err("it has no member `kbfix_journal`, so it is not a journal of kbfix".to_owned()),
    }
    let (written, content, rest) = unseal(line).ok_or("it has no member `digest`, or this member is not a string")?;
    if written != content {
        return Err(format!(
            "it was altered or damaged: it contains the digest {written}, but the digest of its content is {content}"
        ));
    }
    from_canonical(&rest)
}

/// The member of a header that contains the version of the journal format.
#[derive(Deserialize)]
struct Version {
    kbfix_journal: Option<Value>,
}

pub(super) fn append(path: &Path, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    let mut file = OpenOptions::new().read(true).append(true).open(path)?;
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    // The new event must start on its own line. Remove a line that a crash left incomplete, but never the header.
    if last != [b'\n'] {
        let whole = fs::read(path)?;
        match whole.iter().rposition(|b| *b == b'\n') {
            Some(at) if is_cut(&whole[at + 1..]) => {
                OpenOptions::new().write(true).open(path)?.set_len(at as u64 + 1)?;
            }
            _ => line.insert(0, b'\n'),
        }
    }
    file.write_all(&line)?;
    file.sync_all()
}
