//! Reads whole files, up to a size limit.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// Returns the bytes of a regular file of at most `most` bytes.
///
/// The type of the file is checked before it is opened: a pipe, device or folder is refused.
///
/// # Errors
/// Returns the system's error, or one that says that this is not a regular file or has more than `most` bytes.
pub fn read_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_open(open_file(path, most)?, most)
}

/// Opens a regular file of at most `most` bytes for reading. A pipe, device or folder is refused before it is opened.
///
/// # Errors
/// Returns the system's error, or one that says that this is not a regular file or has more than `most` bytes.
pub fn open_file(path: &Path, most: u64) -> io::Result<File> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(not_a_file());
    }
    if metadata.len() > most {
        return Err(too_large(most));
    }
    File::open(path)
}

/// Returns the bytes of a file that need not be regular, such as the pipe that a shell makes for `<(…)`.
///
/// # Errors
///
/// Returns the error of the operating system, or one that says that there are more than `most` bytes.
pub fn read_stream(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() && metadata.len() > most {
        return Err(too_large(most));
    }
    read_open(File::open(path)?, most)
}

/// Returns the bytes of an open file. The limit is checked while reading: a file may grow, and a device has no size.
///
/// # Errors
/// Returns the system's error, or one that says that there are more than `most` bytes.
pub fn read_open(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

/// The error for a folder, pipe or device where only a regular file can be read.
#[derive(Debug, thiserror::Error)]
#[error("it is not a file")]
struct NotAFile;

/// Returns the error for a path that does not lead to a regular file.
pub(crate) fn not_a_file() -> io::Error {
    io::Error::other(NotAFile)
}

/// Returns the hint for an error of [`read_file`] or [`open_file`] that does not depend on the system: the path does
/// not lead to a regular file, or the file is too large. Returns `None` for any other error.
pub fn hint(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Some("check that this is the right file, because kbfix reads no larger one"),
        _ if error.get_ref().is_some_and(|error| error.is::<NotAFile>()) => {
            Some("name a file; this is a folder, a pipe or a device")
        }
        _ => None,
    }
}

fn too_large(most: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        format!("the file has more than {most} bytes, which is the limit for this kind of file"),
    )
}

#[cfg(test)]
mod tests {
    use crate::files::read::*;

    #[test]
    fn no_more_is_read_than_allowed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, [7; 10]).unwrap();
        assert_eq!(read_file(&path, 10).unwrap(), [7; 10]);
        assert_eq!(read_stream(&path, 10).unwrap(), [7; 10]);
        assert!(read_file(&path, 9).is_err() && read_stream(&path, 9).is_err());
        assert!(read_file(dir.path(), 9).is_err() && read_stream(dir.path(), 9).is_err());
        assert!(read_file(&dir.path().join("no"), 9).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_no_file_and_has_an_end_as_a_stream() {
        let zero = Path::new("/dev/zero");
        let error = read_file(zero, 1000).unwrap_err();
        assert_eq!(error.to_string(), "it is not a file");
        assert!(hint(&error).unwrap().starts_with("name a file"));
        assert_eq!(hint(&io::Error::other("it is not a file")), None);
        assert!(read_stream(zero, 1000).unwrap_err().to_string().contains("more than 1000 bytes"));
    }
}
