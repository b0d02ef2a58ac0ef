//! Lock files on Windows. A file is locked while it is open, because it is opened without sharing.

use std::{fs::File, io, os::windows::fs::OpenOptionsExt as _, path::Path, thread, time::Duration};

use windows_sys::Win32::{
    Foundation::{ERROR_SHARING_VIOLATION, GENERIC_WRITE},
    Storage::FileSystem::{
        DELETE, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_DELETE_ON_CLOSE, FILE_FLAG_OPEN_REPARSE_POINT,
    },
};

use super::{Held, Taken, refuse_foreign};

/// Creates a lock file and opens it without sharing.
///
/// Windows deletes the file when its only handle is closed, which also releases the lock. CREATE_NEW follows no link.
///
/// # Errors
/// Returns [`io::ErrorKind::AlreadyExists`] if something has this name, or Windows' error.
pub(super) fn make(path: &Path) -> io::Result<Held> {
    let mut options = File::options();
    options.write(true).create_new(true).share_mode(0);
    options.access_mode(GENERIC_WRITE | DELETE).custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
    let file = patiently(|| options.open(path))?;
    Ok(Held { made: Some(path.to_owned()), file })
}

/// Opens an existing lock file without sharing. The file is not deleted when it is closed.
///
/// The owner of the file need not be checked: while the file is open, nobody can remove or open it.
///
/// # Errors
/// Returns [`io::ErrorKind::AlreadyExists`] if the file cannot be a lock file, or Windows' error. A file that another
/// process has open is no error: the result is [`Taken::ByAnother`].
pub(super) fn take(path: &Path) -> io::Result<Taken> {
    let mut options = File::options();
    options.read(true).share_mode(0).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS);
    let file = match patiently(|| options.open(path)) {
        Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION.cast_signed()) => {
            return Ok(Taken::ByAnother);
        }
        opened => opened?,
    };
    refuse_foreign(&file.metadata()?)?;
    Ok(Taken::Held(file))
}

/// Calls `open`, and repeats the call for a short time if access is denied. Windows also denies access to a file that
/// is being deleted.
fn patiently(mut open: impl FnMut() -> io::Result<File>) -> io::Result<File> {
    let mut tries = 0;
    loop {
        match open() {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && tries < 10 => {
                tries += 1;
                thread::sleep(Duration::from_millis(10));
            }
            opened => return opened,
        }
    }
}
