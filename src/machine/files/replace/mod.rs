//! Replaces a file so that a crash leaves either the complete old file or the complete new file.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
#[cfg(unix)]
use unix::{inherit, like_the_old_one, like_the_old_one_or_folder};
#[cfg(windows)]
use windows::{like_the_old_one, like_the_old_one as like_the_old_one_or_folder};

use crate::registry::notation::hex_digits;

use super::without_temporary_path;

/// Replaces the file at `path` with `bytes`, or creates it.
///
/// After a crash at any moment, there is either the complete old file (or none, if there was none) or the complete new
/// one. A temporary file, whose name begins with [`own_name`], may remain beside it; [`remove_leftovers`] removes it.
///
/// Permissions and owner are kept (on Windows, the owner only if this user may set it). On Unix, the extended
/// attributes are kept too, except those in `security.` and `trusted.` that this user may not set. A symbolic link is
/// replaced, not followed: to replace the file to which a link leads, pass the canonical path.
///
/// # Errors
/// Returns the system's error. The old file is then still there, unless only the sync of the folder failed: then the
/// new file is in place, but may not be on disk yet.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    prepare(path, bytes)?.put_in_place()
}

/// A new file that is complete on disk, in the folder of the file that it is to replace. If this struct is dropped
/// before [`Prepared::put_in_place`] is called, the new file is removed.
#[derive(Debug)]
pub struct Prepared {
    file: NamedTempFile,
    /// The path of the file to replace.
    path: PathBuf,
}

impl Prepared {
    /// Moves the new file to its final path, where it replaces the old file, if there is one.
    ///
    /// # Errors
    /// Returns the system's error. The old file is then still there, unless only the sync of the folder failed: then
    /// the new file is in place.
    pub fn put_in_place(self) -> io::Result<()> {
        self.rename()?.sync()
    }

    /// Moves the new file to its final path, as [`Prepared::put_in_place`] does, but does not sync the folder.
    ///
    /// # Errors
    /// Returns the system's error. The old file is then still there.
    pub fn rename(self) -> io::Result<Renamed> {
        persist(self.file, &self.path)?;
        Ok(Renamed(self.path))
    }
}

/// A new file that [`Prepared::rename`] has moved to its final path. The contained path is this path.
#[derive(Debug)]
#[must_use]
pub struct Renamed(PathBuf);

impl Renamed {
    /// Syncs the folder, so that the new file is on disk under its final path.
    ///
    /// # Errors
    /// Returns the system's error. The new file is in place, but may not be on disk yet.
    pub fn sync(self) -> io::Result<()> {
        sync_folder(folder_of(&self.0))
    }
}

/// Writes `bytes` to a new file beside the file at `path`. [`Prepared::put_in_place`] then replaces the file at `path`
/// with it. Together, both calls do the same as [`replace_file`].
///
/// # Errors
/// Returns the system's error.
pub fn prepare(path: &Path, bytes: &[u8]) -> io::Result<Prepared> {
    prepare_by(path, |file| file.write_all(bytes), 0o666, like_the_old_one)
}

/// Replaces a file as [`replace_file`] does. If the file did not exist before, it inherits the NTFS permissions of its
/// folder, if this has any: on Linux, the system does not do that.
///
/// # Errors
/// Returns the errors of [`replace_file`].
pub fn replace_inheriting_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    prepare_by(path, |file| file.write_all(bytes), 0o666, like_the_old_one_or_folder)?.put_in_place()
}

/// Creates a folder that inherits the NTFS permissions of the folder above it, if this has any: on Linux, the system
/// does not do that.
///
/// # Errors
/// Returns the system's error; no new folder is left then.
pub fn create_inheriting_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)?;
    #[cfg(unix)]
    fs::File::open(path).and_then(|folder| inherit(&folder, folder_of(path))).inspect_err(|_| {
        let _ = fs::remove_dir(path);
    })?;
    Ok(())
}

/// Replaces a file as [`replace_file`] does. If the file did not exist before, the new file gets mode 0600 (on Unix).
///
/// # Errors
/// Returns the errors of [`replace_file`].
pub fn replace_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_private_file_by(path, |file| file.write_all(bytes))
}

/// Replaces a file as [`replace_private_file`] does. The function `write` writes the new content.
///
/// # Errors
/// Returns the errors of [`replace_file`] and of `write`.
pub fn replace_private_file_by(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    prepare_by(path, write, 0o600, like_the_old_one)?.put_in_place()
}

/// Creates the file at `path` with mode 0600 (on Unix), and syncs it to disk. Never replaces an existing file.
///
/// # Errors
/// Returns `AlreadyExists` if the file exists. After any other error of the system, no new file is left.
pub fn create_private_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let mut file = new_file(folder, path, 0o600)?;
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    let file = file.persist_noclobber(path)?;
    // Windows cannot sync a folder; flushing the file also writes its new name.
    let synced = if cfg!(windows) { file.sync_all() } else { sync_folder(folder) };
    synced.inspect_err(|_| {
        drop(file);
        let _ = fs::remove_file(path);
    })
}

fn prepare_by(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    mode: u32,
    adapt: fn(&NamedTempFile, &Path) -> io::Result<()>,
) -> io::Result<Prepared> {
    let mut file = new_file(folder_of(path), path, mode)?;
    // Set the permissions before writing the data, which may be confidential.
    adapt(&file, path)?;
    // The errors of `NamedTempFile` itself would name the temporary file.
    let mut buffered = io::BufWriter::new(file.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    Ok(Prepared { file, path: path.to_owned() })
}

/// Removes the temporary files that remain beside `path` if a process was killed while it replaced that file. They
/// contain data of the file.
///
/// The caller must hold the file's lock, so that no other process is replacing the file now.
///
/// # Errors
/// Returns the system's error if the folder cannot be listed or a file in it cannot be removed.
pub fn remove_leftovers(path: &Path) -> io::Result<()> {
    leftovers(path)?.into_iter().try_for_each(fs::remove_file)
}

/// Returns the files that [`remove_leftovers`] would remove. A running process may still be writing one of them.
///
/// # Errors
/// Returns the system's error if the folder cannot be listed.
pub(crate) fn leftovers(path: &Path) -> io::Result<Vec<PathBuf>> {
    let prefix = prefix(path);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder_of(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(SUFFIX));
        let is_ours = rest.is_some_and(|rest| rest.len() == RANDOM && rest.bytes().all(|b| b.is_ascii_alphanumeric()));
        if is_ours && entry.file_type()?.is_file() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

const SUFFIX: &str = ".tmp";
/// The number of random letters and digits in a temporary file's name.
const RANDOM: usize = 6;

/// Returns the prefix of the names of the files that kbfix creates beside the file at `path`, such as temporary files.
///
/// The prefix is `.kbfix-` and the name of the file at `path`, so that one can see to which file they belong. If this
/// name has more than 200 bytes or is not valid Unicode, the prefix contains the SHA-256 of the name instead.
pub fn own_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    match name.to_str() {
        // A file name can have 255 bytes, or UTF-16 units.
        Some(short) if short.len() <= 200 => format!(".kbfix-{short}"),
        _ => format!(".kbfix-{}", hex_digits(&Sha256::digest(name.as_encoded_bytes()))),
    }
}

/// Returns the prefix of the names of the temporary files for the file at `path`: [`own_name`] and a hyphen.
fn prefix(path: &Path) -> String {
    format!("{}-", own_name(path))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn new_file(folder: &Path, path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let prefix = prefix(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM);
    #[cfg(unix)]
    if !path.try_exists()? {
        use std::os::unix::fs::PermissionsExt as _;
        // The umask applies to this mode as to that of any new file.
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder.tempfile_in(folder).map_err(without_temporary_path)
}

#[cfg(not(windows))]
fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.persist(path)?;
    Ok(())
}

/// Moves the new file to `path`, where it replaces the old file, if there is one. If Windows denies access, tries again
/// up to 20 times: Windows does not replace a file while another program, such as a virus scanner, is reading it.
#[cfg(windows)]
fn persist(mut file: NamedTempFile, path: &Path) -> io::Result<()> {
    let mut tries = 0;
    loop {
        match windows::persist(file, path) {
            Ok(()) => return Ok(()),
            Err((error, again)) if error.kind() == io::ErrorKind::PermissionDenied && tries < 20 => {
                tries += 1;
                file = again;
                std::thread::sleep(std::time::Duration::from_millis(25));
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// Syncs a folder to disk, so that a rename in the folder is on disk too.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Does nothing on Windows, which has no call to sync a folder. NTFS logs the rename in its own journal.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::files::replace::*;

    #[test]
    fn the_file_is_replaced_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace_file(&path, b"one").unwrap();
        replace_file(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_process_left_of_this_file_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("SYSTEM");
        let long = "x".repeat(250);
        replace_file(&dir.path().join(&long), b"long").unwrap();
        new_file(dir.path(), &path, 0o600).unwrap().keep().unwrap();
        new_file(dir.path(), &dir.path().join(&long), 0o600).unwrap().keep().unwrap();
        let others =
            [".kbfix-SYSTEM-abc.tmp", ".kbfix-SYSTEM-a-abcdef.tmp", ".kbfix-SOFTWARE-abcdef.tmp", "SYSTEM-abcdef.tmp"];
        for other in others {
            fs::write(dir.path().join(other), "").unwrap();
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 7);
        remove_leftovers(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 6);
        assert!(others.iter().all(|other| dir.path().join(other).exists()));
        remove_leftovers(&dir.path().join(&long)).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5);
    }

    #[test]
    fn a_file_that_is_made_replaces_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        create_private_file(&path, b"one").unwrap();
        assert_eq!(create_private_file(&path, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_does_not_name_the_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("missing").join("a");
        for error in [replace_file(&path, b"").unwrap_err(), create_private_file(&path, b"").unwrap_err()] {
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(!error.to_string().contains("kbfix"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_stays() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace_file(&path, b"one").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o600, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        replace_file(&path, b"two").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn who_reads_meanwhile_sees_the_old_file_or_the_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let content = |byte: u8| vec![byte; 300_000];
        replace_file(&path, &content(0)).unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (0..40).try_for_each(|i| replace_file(&path, &content(i))));
            while !writer.is_finished() {
                let Ok(read) = std::fs::read(&path) else { continue };
                assert_eq!(read.len(), 300_000);
                assert!(read.iter().all(|b| *b == read[0]));
                // Windows does not replace a file while it is open, so without a pause the reader would prevent every
                // replacement.
                std::thread::sleep(std::time::Duration::from_millis(if cfg!(windows) { 5 } else { 0 }));
            }
            writer.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(replace_file(&dir.path().join("no/a"), b"").is_err());
    }
}
