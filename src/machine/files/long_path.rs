//! Converts paths for direct calls of the Windows API, to which std does not add the prefix for long paths.

use std::{
    ffi::OsString,
    io,
    os::windows::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf, Prefix, absolute},
};

/// The length, in UTF-16 units, from which a path gets the prefix for long paths. The path of a folder may have at
/// most MAX_PATH - 12 units, so that a short (8.3) file name still fits.
const LONG: usize = 260 - 12;

/// Returns the path in UTF-16 with a NUL at its end, for a Windows function whose name ends in `W`.
///
/// A path of 248 UTF-16 units or more is made absolute and gets the prefix `\\?\`, unless it has this prefix already or
/// is the path of a device. Without the prefix, such calls fail from 260 characters on.
///
/// Source: Microsoft, "Maximum Path Length Limitation", "Naming Files, Paths, and Namespaces".
///
/// # Errors
/// Returns the system's error if the path has no absolute form.
pub fn wide(path: &Path) -> io::Result<Vec<u16>> {
    let path = if path.as_os_str().encode_wide().count() < LONG { path.to_owned() } else { verbatim(path)? };
    Ok(path.as_os_str().encode_wide().chain([0]).collect())
}

fn verbatim(path: &Path) -> io::Result<PathBuf> {
    let path = absolute(path)?;
    let prefix = match path.components().next() {
        Some(Component::Prefix(prefix)) => prefix.kind(),
        _ => return Ok(path),
    };
    let mut text = OsString::from(r"\\?\");
    match prefix {
        Prefix::Disk(_) => text.push(&path),
        Prefix::UNC(server, share) => {
            text.push(r"UNC\");
            text.push(server);
            text.push(r"\");
            text.push(share);
            path.components().skip(2).for_each(|name| {
                text.push(r"\");
                text.push(name);
            });
        }
        // Already in this form, or the path of a device.
        _ => return Ok(path),
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_written_so_that_it_is_accepted() {
        let text = |path: &str| {
            let mut units = wide(Path::new(path)).unwrap();
            assert_eq!(units.pop(), Some(0));
            String::from_utf16(&units).unwrap()
        };
        let long = "a\\".repeat(130) + "b";
        assert_eq!(text(r"C:\a\b"), r"C:\a\b");
        assert_eq!(text(&format!("C:\\{}", long.replace('\\', "/"))), format!("\\\\?\\C:\\{long}"));
        assert_eq!(text(&format!("\\\\srv\\share\\{long}")), format!("\\\\?\\UNC\\srv\\share\\{long}"));
        let verbatim = format!("\\\\?\\C:\\{long}");
        assert_eq!(text(&verbatim), verbatim);
    }
}
