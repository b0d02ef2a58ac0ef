//! Lists the content of a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Returns the path of each entry of a folder, sorted by name.
///
/// # Errors
/// Returns the system's error.
pub fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
