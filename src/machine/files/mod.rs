//! Files on a disk: reading up to a size limit, atomic replacement, and the folders that kbfix uses.

pub mod canonical;
pub mod list;
#[cfg(windows)]
pub mod long_path;
pub mod pinned;
pub mod read;
pub mod replace;
pub mod state;

use std::io;

/// Returns an error of the crate `tempfile` without the path of the temporary file, which has a random name. The
/// message of the caller names the file that the user knows.
pub(crate) fn without_temporary_path(error: io::Error) -> io::Error {
    // The crate offers the original error only as text.
    match error.to_string().split_once(" at path \"") {
        Some((text, _)) => io::Error::new(error.kind(), text.to_owned()),
        None => error,
    }
}
