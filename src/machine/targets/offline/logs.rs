//! Finds the transaction logs beside a hive file.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The suffixes that Windows adds to the name of a hive file, to get the names of its transaction logs.
const LOGS: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];

/// Returns the paths of the transaction logs beside the hive file at `path`, sorted. The case of their names does not
/// matter. Links are left out. If the name of the hive file is not valid Unicode, the list is empty.
///
/// # Errors
/// Returns the error of the operating system if the folder cannot be listed.
pub fn logs_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(Vec::new());
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut logs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_log = entry
            .file_name()
            .to_str()
            .is_some_and(|found| LOGS.iter().any(|ending| found.eq_ignore_ascii_case(&format!("{name}{ending}"))));
        // A link is skipped: it could lead out of the volume, and Windows creates no links here.
        if is_log && entry.file_type()?.is_file() {
            logs.push(entry.path());
        }
    }
    logs.sort();
    Ok(logs)
}
