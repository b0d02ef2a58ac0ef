//! Opens a file through folders that stay open and were reached without following a link.
//!
//! Between the check of a path and its use, someone who can write to a folder in the path can replace a part of the
//! path by a link. kbfix, which runs as an administrator, would then access another file. To prevent this, the folders
//! are kept open, and [`Pinned::path`] leads through the folder that was checked. (On a Unix system without `/proc`, it
//! does not.)

use std::{
    fs::{File, Metadata, metadata, symlink_metadata},
    io,
    path::{Component, Path, PathBuf},
};

use super::read::not_a_file;

/// The path of a file, and the open folders that lead to it (none if the operator named the file itself). The file
/// itself is not open.
#[derive(Debug)]
pub struct Pinned {
    path: PathBuf,
    #[allow(dead_code, reason = "they are held until this is dropped")]
    held: Vec<File>,
}

impl Pinned {
    /// Opens the folders from `root` down to the file at `path`, which must be below `root`.
    ///
    /// No link is followed on the way, and the file itself must exist and not be a link. Links in `root` itself are
    /// allowed.
    ///
    /// # Errors
    /// Returns the system's error, or one of kind `InvalidInput` if a part of the path is a link or is not a file name,
    /// or the path is not below `root`.
    pub fn open(root: &Path, path: &Path) -> io::Result<Self> {
        Self::walk(root, path, false)
    }

    /// Opens the folders from `root` down to the file at `path`, as [`Pinned::open`] does. The file itself need not
    /// exist, so that it can be created.
    ///
    /// Without a root, nothing is checked and no folder is kept open, as in [`Pinned::reach`].
    ///
    /// # Errors
    /// Returns the errors of [`Pinned::open`].
    pub fn reach_new(root: Option<&Path>, path: &Path) -> io::Result<Self> {
        match root {
            Some(root) => Self::walk(root, path, true),
            None => Self::reach(None, path),
        }
    }

    fn walk(root: &Path, path: &Path, may_be_missing: bool) -> io::Result<Self> {
        let below = path.strip_prefix(root).map_err(|_| wrong(path, "is not below the folder that it must be in"))?;
        let mut at = root.to_owned();
        let mut held = vec![system::open_root(root)?];
        let mut names = below.components().peekable();
        while let Some(name) = names.next() {
            let Component::Normal(name) = name else {
                return Err(wrong(path, "contains `..` or another part that is not a file name"));
            };
            at.push(name);
            let here = &held[held.len() - 1];
            let through = system::path_in(here, name).unwrap_or_else(|| at.clone());
            match symlink_metadata(&through) {
                Ok(metadata) if metadata.is_symlink() => return Err(wrong(&at, "is a link")),
                Err(error) if may_be_missing && names.peek().is_none() && error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(_) => {}
            }
            match names.peek() {
                Some(_) => {
                    let next = system::open_below(here, name, &at)?;
                    held.push(next);
                }
                None => return Ok(Self { path: through, held }),
            }
        }
        Err(wrong(path, "is the folder itself, not a file in it"))
    }

    /// Opens the folders from `root` down to the file at `path`, as [`Pinned::open`] does.
    ///
    /// Without a root, the operator has named the file itself. In this case, nothing is checked, links in the path are
    /// followed as usual, and no folder is kept open.
    ///
    /// # Errors
    /// Returns the errors of [`Pinned::open`].
    pub fn reach(root: Option<&Path>, path: &Path) -> io::Result<Self> {
        match root {
            Some(root) => Self::open(root, path),
            None => Ok(Self { path: path.to_owned(), held: Vec::new() }),
        }
    }

    /// Opens the file for reading. It must be a regular file.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system, one of kind `InvalidInput` if the file has become a link, or one that
    /// says that it is not a regular file.
    pub fn file(&self) -> io::Result<File> {
        let file = match self.held.is_empty() {
            true => {
                // Check this before opening the file, because opening a pipe would wait for a writer.
                refuse_other(&metadata(&self.path)?)?;
                File::open(&self.path)?
            }
            // Windows denies access to a folder that is opened as a file.
            false if symlink_metadata(&self.path)?.is_dir() => return Err(not_a_file()),
            false => system::open_file(&self.path)?,
        };
        refuse_other(&file.metadata()?)?;
        Ok(file)
    }

    /// Returns a path with which the file can be opened. If a folder is kept open and the system has `/proc`, the path
    /// leads through this folder (`/proc/self/fd/…`). If not, it is the ordinary path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn refuse_other(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(not_a_file()) }
}

fn wrong(path: &Path, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{} {what}", path.display()))
}

#[cfg(unix)]
mod system {
    use std::{
        ffi::OsStr,
        fs::{File, metadata},
        io,
        os::{fd::AsRawFd as _, unix::fs::MetadataExt as _},
        path::{Path, PathBuf},
    };

    use rustix::{
        fs::{CWD, Mode, OFlags, openat},
        io::Errno,
    };

    const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

    pub(super) fn open_root(root: &Path) -> io::Result<File> {
        Ok(openat(CWD, root, FOLDER, Mode::empty())?.into())
    }

    /// Opens the folder `name`, which is in the open folder `folder`. Fails with ENOTDIR or ELOOP if `name` is a link.
    pub(super) fn open_below(folder: &File, name: &OsStr, _at: &Path) -> io::Result<File> {
        Ok(openat(folder, name, FOLDER.union(OFlags::NOFOLLOW), Mode::empty())?.into())
    }

    /// Opens a file for reading. Returns an error of kind `InvalidInput` if the last part of the path is a link. If the
    /// file is a pipe, the call does not wait for a writer.
    pub(super) fn open_file(path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match openat(CWD, path, flags, Mode::empty()) {
            Ok(file) => Ok(file.into()),
            Err(Errno::LOOP) => Err(super::wrong(path, "is a link")),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns a path to `name` that leads through the open folder, in Linux's `/proc` (proc_pid_fd(5)).
    ///
    /// Returns `None` if the system has no `/proc`. The caller then uses the ordinary path, in which someone can
    /// replace a folder with a link after [`super::Pinned::open`] has checked it.
    pub(super) fn path_in(folder: &File, name: &OsStr) -> Option<PathBuf> {
        let through = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        let (same, own) = (metadata(&through).ok()?, folder.metadata().ok()?);
        ((same.dev(), same.ino()) == (own.dev(), own.ino())).then(|| through.join(name))
    }
}

#[cfg(windows)]
mod system {
    use std::{
        ffi::OsStr,
        fs::File,
        io,
        os::windows::fs::OpenOptionsExt as _,
        path::{Path, PathBuf},
    };

    use windows_sys::Win32::Storage::FileSystem::{
        FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES,
        FILE_SHARE_READ, FILE_SHARE_WRITE,
    };

    /// Opens a folder so that nobody can rename or delete it while it is open.
    ///
    /// The handle is opened without FILE_SHARE_DELETE and with a right beyond FILE_READ_ATTRIBUTES, so Windows lets
    /// nobody rename or delete the folder. A folder that contains something cannot be turned into a link either,
    /// because Windows does this only to empty folders.
    ///
    /// Source: Microsoft, "Creating and Opening Files" (sharing), "FSCTL_SET_REPARSE_POINT".
    pub(super) fn open_root(root: &Path) -> io::Result<File> {
        File::options()
            .access_mode(FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES)
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT)
            .open(root)
    }

    pub(super) fn open_below(_folder: &File, _name: &OsStr, at: &Path) -> io::Result<File> {
        let file = open_root(at)?;
        if file.metadata()?.is_symlink() { Err(super::wrong(at, "is a link")) } else { Ok(file) }
    }

    pub(super) fn open_file(path: &Path) -> io::Result<File> {
        let file = File::options().read(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)?;
        if file.metadata()?.is_symlink() { Err(super::wrong(path, "is a link")) } else { Ok(file) }
    }

    /// Returns `None`, because Windows has no such path. The caller uses the ordinary path, which stays valid while the
    /// folders are open.
    pub(super) fn path_in(_folder: &File, _name: &OsStr) -> Option<PathBuf> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::files::pinned::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let config = root.path().join("Windows/config");
        fs::create_dir_all(&config).unwrap();
        fs::write(config.join("SYSTEM"), "own").unwrap();
        (root, config)
    }

    #[test]
    fn a_file_is_reached_below_the_root_only() {
        let (root, config) = folder();
        let file = config.join("SYSTEM");
        let pinned = Pinned::open(root.path(), &file).unwrap();
        assert_eq!(fs::read(pinned.path()).unwrap(), b"own");
        assert_eq!(pinned.path().file_name(), file.file_name());
        let missing = Pinned::open(root.path(), &config.join("none")).unwrap_err();
        assert!(Pinned::reach_new(Some(root.path()), &config.join("none")).unwrap().path().ends_with("none"));
        assert!(Pinned::reach_new(Some(root.path()), &config.join("no/none")).is_err());
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        for path in [root.path().to_owned(), root.path().join("../x"), PathBuf::from("/elsewhere")] {
            assert_eq!(Pinned::open(root.path(), &path).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{path:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_takes_the_place_of_a_folder_is_not_followed() {
        use std::os::unix::fs::symlink;
        let (root, config) = folder();
        let (_other, elsewhere) = folder();
        fs::write(elsewhere.join("SYSTEM"), "precious").unwrap();
        let file = config.join("SYSTEM");
        let pinned = Pinned::open(root.path(), &file).unwrap();
        fs::rename(&config, root.path().join("moved")).unwrap();
        symlink(&elsewhere, &config).unwrap();
        crate::files::replace::replace_file(pinned.path(), b"new").unwrap();
        assert_eq!(fs::read(elsewhere.join("SYSTEM")).unwrap(), b"precious");
        assert_eq!(fs::read(root.path().join("moved/SYSTEM")).unwrap(), b"new");
        let refused = Pinned::open(root.path(), &file).unwrap_err();
        assert!(refused.to_string().ends_with("config is a link"), "{refused}");
        fs::remove_file(&config).unwrap();
        fs::create_dir(&config).unwrap();
        symlink(elsewhere.join("SYSTEM"), &file).unwrap();
        assert!(Pinned::open(root.path(), &file).unwrap_err().to_string().ends_with("SYSTEM is a link"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_takes_the_place_of_the_file_is_not_opened() {
        use std::{io::Read as _, os::unix::fs::symlink};
        let (root, config) = folder();
        let file = config.join("SYSTEM");
        let pinned = Pinned::open(root.path(), &file).unwrap();
        let mut text = String::new();
        pinned.file().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "own");
        fs::remove_file(&file).unwrap();
        symlink("/etc/passwd", &file).unwrap();
        assert_eq!(pinned.file().unwrap_err().kind(), io::ErrorKind::InvalidInput);
        fs::remove_file(&file).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &file,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        // Opening the pipe as usual would wait for a writer.
        assert_eq!(pinned.file().unwrap_err().to_string(), "it is not a file");
        // A file that the operator names may be a link.
        let link = root.path().join("link");
        fs::write(root.path().join("named"), "x").unwrap();
        symlink("named", &link).unwrap();
        assert!(Pinned::reach(None, &link).unwrap().file().is_ok());
    }

    #[cfg(windows)]
    #[test]
    fn a_folder_that_is_held_cannot_be_renamed() {
        let (root, config) = folder();
        let pinned = Pinned::open(root.path(), &config.join("SYSTEM")).unwrap();
        assert!(fs::rename(&config, root.path().join("moved")).is_err());
        crate::files::replace::replace_file(pinned.path(), b"new").unwrap();
        drop(pinned);
        fs::rename(&config, root.path().join("moved")).unwrap();
    }
}
