//! Reads facts about files on the disks of this machine, and in local folders that contain the files of another
//! machine's drives.

use std::{
    cmp::Ordering,
    collections::HashMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    files::{canonical::canonical, pinned::Pinned, read::read_open},
    format::pe::{self, Pe, PeError},
    registry::name,
    version::Platform,
};

use super::{Answer, FileFacts, Reason, Unread, short_name};

/// Returns the size, platform and version of the file at `path` on this machine; absent if nothing exists there.
pub fn facts_of(path: &Path) -> Answer<FileFacts> {
    facts_below(None, path)
}

/// Returns the facts about a file; unsupported if `root` is given and a part of the path below it is a link.
fn facts_below(root: Option<&Path>, path: &Path) -> Answer<FileFacts> {
    let opened = Pinned::reach(root, path).and_then(|reached| reached.file());
    match opened.and_then(|file| Ok((file.metadata()?.len(), pe::read_file(file)?))) {
        Ok((size, found)) => facts_in(size, found),
        Err(error) => unread(path, &error),
    }
}

/// Returns the bytes of a file; malformed if more than `most`, unsupported if `path` contains a link below `root`.
pub fn bytes_below(root: &Path, path: &Path, most: u64) -> Answer<Vec<u8>> {
    let opened = Pinned::open(root, path).and_then(|reached| reached.file());
    opened.and_then(|file| read_open(file, most)).map_or_else(|error| unread(path, &error), Answer::Present)
}

fn facts_in(size: u64, found: Result<Pe, PeError>) -> Answer<FileFacts> {
    let (platform, version) = match found {
        Err(PeError::NotPe) => (None, Answer::Absent),
        Err(error @ PeError::Damaged(_)) => (None, Answer::unread(Reason::Malformed, error.to_string())),
        Ok(pe) => {
            let version =
                pe.version.map_or_else(|why| Answer::unread(Reason::Malformed, why.to_string()), Answer::from);
            (platform(pe.machine), version)
        }
    };
    Answer::Present(FileFacts { size, platform, version })
}

fn platform(machine: u16) -> Option<Platform> {
    match machine {
        0x014C => Some(Platform::X86),
        0x8664 => Some(Platform::X64),
        0xAA64 => Some(Platform::Arm64),
        0x0200 => Some(Platform::Ia64),
        _ => None,
    }
}

/// Converts an error about a path into an answer: absent if nothing exists at the path, otherwise the reason.
fn unread<T>(path: &Path, error: &io::Error) -> Answer<T> {
    let is_of_system = error.raw_os_error().is_some();
    let reason = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => return Answer::Absent,
        io::ErrorKind::PermissionDenied => return Answer::unread(Reason::Denied, path.display().to_string()),
        // `Pinned` reports a refused path with this kind of error; errors of the system itself have a code.
        io::ErrorKind::InvalidInput if !is_of_system => return Answer::unread(Reason::Unsupported, error.to_string()),
        kind if is_of_system && kind != io::ErrorKind::IsADirectory => Reason::Unknown,
        _ => Reason::Malformed,
    };
    Answer::unread(reason, format!("{} cannot be read: {error}", path.display()))
}

/// A local folder that contains the files of one drive of another machine, from the drive's root folder on.
///
/// For example, `C:\Windows\a.dll` is read from `FOLDER/Windows/a.dll`; upper and lower case do not matter. Files of
/// other drives are unknown. Paths with `..`, and links that lead out of the folder, are not read. The names in each
/// folder are cached.
#[derive(Debug)]
pub struct DriveFolder {
    letter: char,
    root: PathBuf,
    listings: HashMap<PathBuf, Vec<OsString>>,
}

impl DriveFolder {
    /// Opens the local folder `root`, which contains the files of the drive `C:`.
    ///
    /// # Errors
    /// Returns the system's error if `root` is not a readable folder.
    pub fn open(root: &Path) -> io::Result<Self> {
        Self::of_drive('C', root)
    }

    /// Opens the local folder `root`, which contains the files of the drive `letter`.
    ///
    /// # Errors
    /// Returns the system's error if `root` is not a readable folder.
    pub fn of_drive(letter: char, root: &Path) -> io::Result<Self> {
        let root = canonical(root)?;
        fs::read_dir(&root)?;
        Ok(Self { letter: letter.to_ascii_uppercase(), root, listings: HashMap::new() })
    }

    /// Returns the path of the local folder, with links resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Discards the cached names in folders, so that they are read again.
    pub fn forget(&mut self) {
        self.listings.clear();
    }

    /// Sets the letter of the drive whose files the folder contains.
    pub fn set_letter(&mut self, letter: char) {
        self.letter = letter.to_ascii_uppercase();
    }

    /// Returns the facts about a file. `path` is the file's absolute path on the other machine, with its drive letter.
    pub fn facts(&mut self, path: &str) -> Answer<FileFacts> {
        self.find(path).and_then(|found| facts_below(Some(&self.root), &found))
    }

    /// Returns the bytes of a file; malformed if there are more than `most`. `path` is its path on the other machine.
    pub fn bytes(&mut self, path: &str, most: u64) -> Answer<Vec<u8>> {
        self.find(path).and_then(|found| bytes_below(&self.root, &found, most))
    }

    /// Opens a file. `path` is the file's absolute path on the other machine, with its drive letter.
    pub fn open_file(&mut self, path: &str) -> Answer<fs::File> {
        self.find(path).and_then(|found| {
            let opened = Pinned::open(&self.root, &found).and_then(|reached| reached.file());
            opened.map_or_else(|error| unread(&found, &error), Answer::Present)
        })
    }

    /// Returns the path of a file or folder as spelled on the local disk. `path` is its path on the other machine.
    pub fn find(&mut self, path: &str) -> Answer<PathBuf> {
        self.names_below_root(path).map_or_else(Answer::Unread, |names| self.find_below(names))
    }

    /// Returns the local path of a file or folder, spelled as on the local disk. `names` are the names in its path on
    /// the other machine, from the drive's root folder on.
    pub fn find_below<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Answer<PathBuf> {
        let mut here = self.root.clone();
        for wanted in names {
            here = match self.step(&here, wanted) {
                Ok(Answer::Present(found)) => found,
                Ok(other) => return other,
                // A file is where a folder should be; systems report different errors for that.
                Err(_) if here.is_file() => return Answer::Absent,
                Err(error) => return unread(&here, &error),
            };
        }
        Answer::Present(here)
    }

    /// Returns the entry of `folder` with the name or short name `wanted` in any letter case, with links resolved. If
    /// two names match, the answer is malformed; if none, absent, or unknown if `wanted` has the form of a short name.
    fn step(&mut self, folder: &Path, wanted: &str) -> io::Result<Answer<PathBuf>> {
        if !self.listings.contains_key(folder) {
            // A file has no entries. Listing one fails on Windows and Unix, but not under Wine.
            if !fs::metadata(folder)?.is_dir() {
                return Ok(Answer::Absent);
            }
            let names: io::Result<Vec<_>> = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect();
            self.listings.insert(folder.to_owned(), names?);
        }
        // A name that is not valid Unicode equals no name that is.
        let same = |found: &&OsString| found.to_str().is_some_and(|n| name::compare(n, wanted) == Ordering::Equal);
        let mut found = self.listings.get(folder).into_iter().flatten().filter(same);
        let Some(first) = found.next() else { return Ok(self.step_by_short_name(folder, wanted)) };
        let path = folder.join(first);
        if let Some(second) = found.next() {
            let (one, two) = (path.display(), folder.join(second));
            let detail = format!("{one} and {} differ only in letter case; rename one of them", two.display());
            return Ok(Answer::unread(Reason::Malformed, detail));
        }
        self.entry(path)
    }

    /// Returns the entry of `folder` with the short (8.3) name `wanted`; absent if `wanted` is not of this form. If no
    /// entry has this short name, the answer is unknown, because many file systems do not report short names.
    fn step_by_short_name(&self, folder: &Path, wanted: &str) -> Answer<PathBuf> {
        if !short_name::is_one(wanted) {
            return Answer::Absent;
        }
        let mut entries = self.listings.get(folder).into_iter().flatten().map(|name| folder.join(name));
        match entries.find(|path| short_name::is_of(path, wanted)) {
            Some(path) => self.entry(path).unwrap_or_else(|error| unread(folder, &error)),
            None => {
                let path = folder.join(wanted);
                let detail = format!("{} is a short (8.3) name, and its long name is not known here", path.display());
                Answer::unread(Reason::Unknown, detail)
            }
        }
    }

    /// Returns the path with links resolved. If `path` is a link, the answer is unsupported if it leads out of the
    /// folder of the drive, and malformed if it cannot be followed.
    fn entry(&self, path: PathBuf) -> io::Result<Answer<PathBuf>> {
        if !fs::symlink_metadata(&path)?.is_symlink() {
            return Ok(Answer::Present(path));
        }
        match canonical(&path) {
            Ok(real) if real.starts_with(&self.root) => Ok(Answer::Present(real)),
            Ok(_) => {
                let detail = format!("{} is a link that leads out of {}", path.display(), self.root.display());
                Ok(Answer::unread(Reason::Unsupported, detail))
            }
            Err(error) => {
                let detail = format!("{} is a link that cannot be followed: {error}", path.display());
                Ok(Answer::unread(Reason::Malformed, detail))
            }
        }
    }

    /// Splits a path of the other machine into the names below the drive's root folder. Returns an error if the path is
    /// not valid or is on another drive.
    fn names_below_root<'a>(&self, path: &'a str) -> Result<Vec<&'a str>, Unread> {
        let (drive, names) = file_names(path)?;
        if drive != self.letter {
            let detail =
                format!("the given folder contains the files of drive {}:, not of drive {drive}:", self.letter);
            return Err(Unread::new(Reason::Unknown, detail));
        }
        Ok(names)
    }
}

/// Local folders that contain the files of another machine's drives.
#[derive(Debug, Default)]
pub struct Drives(Vec<DriveFolder>);

impl Drives {
    /// Opens local folders. Each pair is the letter of a drive, and the local folder with the files of this drive.
    ///
    /// # Errors
    /// Returns the path of the first folder that cannot be read, and the system's error.
    pub fn open<'a>(folders: impl IntoIterator<Item = (char, &'a Path)>) -> Result<Self, (PathBuf, io::Error)> {
        let one = |(letter, root): (char, &Path)| {
            DriveFolder::of_drive(letter, root).map_err(|error| (root.to_owned(), error))
        };
        folders.into_iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the local folder for the drive in `path`, the first if there are several; `None` if there is none.
    pub fn of(&mut self, path: &str) -> Option<&mut DriveFolder> {
        let (letter, _) = split_drive(path)?;
        self.0.iter_mut().find(|drive| drive.letter == letter)
    }

    /// Returns the paths of the local folders, with links resolved.
    pub fn roots(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(DriveFolder::root)
    }

    /// Returns the facts about a file; `None` if there is no local folder for its drive.
    pub fn facts(&mut self, path: &str) -> Option<Answer<FileFacts>> {
        self.of(path).map(|drive| drive.facts(path))
    }

    /// Discards the cached names in folders, so that they are read again.
    pub fn forget(&mut self) {
        self.0.iter_mut().for_each(DriveFolder::forget);
    }
}

/// Splits an absolute path into its drive letter, in upper case, and the names below the drive's root folder.
///
/// # Errors
/// Returns an error if the path does not begin with a drive and `\` or `/`, or contains an invalid file name.
pub fn file_names(path: &str) -> Result<(char, Vec<&str>), Unread> {
    let unsupported = |why: &str| Unread::new(Reason::Unsupported, format!("`{path}` {why}"));
    let (drive, rest) = split_drive(path).ok_or_else(|| unsupported("is not an absolute path with a drive"))?;
    let names: Vec<&str> = rest.split(['\\', '/']).filter(|name| !name.is_empty()).collect();
    let forbidden = [':', '\0', '*', '?', '"', '<', '>', '|'];
    if names.iter().any(|name| matches!(*name, "." | "..") || name.contains(forbidden)) {
        return Err(unsupported("has a part that is not a file name"));
    }
    Ok((drive, names))
}

/// Returns the drive letter of an absolute path, in upper case, and the text after its colon; `None` for other paths.
pub fn split_drive(path: &str) -> Option<(char, &str)> {
    let (drive, rest) = path.split_once(':')?;
    let mut letters = drive.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_alphabetic() && rest.starts_with(['\\', '/']) => {
            Some((letter.to_ascii_uppercase(), rest))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::targets::drives::*;

    fn drive() -> (tempfile::TempDir, DriveFolder) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("Program Files/Exchsrvr")).unwrap();
        fs::write(dir.path().join("Program Files/Exchsrvr/Exprox.DLL"), b"no pe").unwrap();
        let drive = DriveFolder::open(dir.path()).unwrap();
        (dir, drive)
    }

    fn reason<T>(answer: &Answer<T>) -> Option<Reason> {
        match answer {
            Answer::Unread(why) => Some(why.reason),
            _ => None,
        }
    }

    #[test]
    fn a_file_is_found_without_regard_to_case() {
        let (_dir, mut drive) = drive();
        let expected = FileFacts { size: 5, platform: None, version: Answer::Absent };
        for path in [
            r"C:\Program Files\Exchsrvr\exprox.dll",
            r"c:\PROGRAM FILES\exchsrvr\\EXPROX.dll",
            "C:/program files/Exchsrvr/exprox.dll",
        ] {
            assert_eq!(drive.facts(path), Answer::Present(expected.clone()), "{path}");
        }
        assert_eq!(drive.facts(r"C:\Program Files\no.dll"), Answer::Absent);
        assert_eq!(drive.facts(r"C:\no\no.dll"), Answer::Absent);
        assert!([r"C:\no~1 of many\no.dll", r"C:\no~x.a.b"].iter().all(|path| drive.facts(path) == Answer::Absent));
        assert_eq!(drive.facts(r"C:\Program Files\Exchsrvr\exprox.dll\no.dll"), Answer::Absent);
        assert_eq!(reason(&drive.facts(r"C:\Program Files")), Some(Reason::Malformed));
    }

    #[test]
    fn what_is_not_below_the_folder_is_not_read() {
        let (_dir, mut drive) = drive();
        assert_eq!(reason(&drive.facts(r"D:\Program Files\a.dll")), Some(Reason::Unknown));
        for path in
            [r"C:\..\etc\passwd", r"C:\Program Files\..\x", r"\\server\share\x", r"Windows\x", "C:x", r"C:\a:b", ""]
        {
            assert_eq!(reason(&drive.facts(path)), Some(Reason::Unsupported), "{path}");
        }
        assert!(DriveFolder::open(Path::new("/nonexistent")).is_err());
    }

    #[test]
    fn what_a_short_name_stands_for_is_not_known() {
        let (dir, mut drive) = drive();
        for path in [r"C:\NOTHER~1\exchsrvr\exprox.dll", r"C:\Program Files\noth~12.dll", r"C:\PRO~1.X"] {
            assert_eq!(reason(&drive.facts(path)), Some(Reason::Unknown), "{path}");
        }
        // A long name that has the form of a short one.
        fs::create_dir(dir.path().join("Notes~1")).unwrap();
        drive.forget();
        assert_eq!(drive.facts(r"C:\NOTES~1\no.dll"), Answer::Absent);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_is_put_in_place_of_what_was_found_is_not_followed() {
        use std::os::unix::fs::symlink;
        let (dir, mut drive) = drive();
        let (other, _) = self::drive();
        let found = match drive.find(r"C:\Program Files\Exchsrvr\exprox.dll") {
            Answer::Present(found) => found,
            other => panic!("{other:?}"),
        };
        let root = drive.root().to_owned();
        assert!(matches!(facts_below(Some(&root), &found), Answer::Present(_)));
        fs::rename(&found, dir.path().join("moved")).unwrap();
        symlink(other.path().join("Program Files/Exchsrvr/Exprox.DLL"), &found).unwrap();
        assert_eq!(reason(&facts_below(Some(&root), &found)), Some(Reason::Unsupported));
        fs::rename(dir.path().join("Program Files"), dir.path().join("P")).unwrap();
        symlink(other.path().join("Program Files"), dir.path().join("Program Files")).unwrap();
        assert_eq!(reason(&facts_below(Some(&root), &found)), Some(Reason::Unsupported));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_ambiguous_names() {
        use std::os::unix::fs::symlink;
        let (dir, mut drive) = drive();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("a.dll"), b"x").unwrap();
        symlink(outside.path(), dir.path().join("Out")).unwrap();
        symlink("Program Files", dir.path().join("In")).unwrap();
        symlink("nowhere", dir.path().join("Broken")).unwrap();
        fs::write(dir.path().join("two"), b"").unwrap();
        fs::write(dir.path().join("TWO"), b"").unwrap();
        assert_eq!(reason(&drive.facts(r"C:\out\a.dll")), Some(Reason::Unsupported));
        assert!(matches!(drive.facts(r"C:\in\exchsrvr\exprox.dll"), Answer::Present(_)));
        assert_eq!(reason(&drive.facts(r"C:\broken\a.dll")), Some(Reason::Malformed));
        assert_eq!(reason(&drive.facts(r"C:\two")), Some(Reason::Malformed));
        assert_eq!(reason(&unread::<()>(Path::new("EIO"), &io::Error::from_raw_os_error(5))), Some(Reason::Unknown));
    }
}
