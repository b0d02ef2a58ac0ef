//! Paths for calls of Windows that std does not make for us.

use std::{
    ffi::OsString,
    io,
    os::windows::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf, Prefix, absolute},
};

/// From this length, in UTF-16 units, a path is written so that no call takes it for too long. A folder may have 12 units less than
/// MAX_PATH, so that a short name fits into it.
const LONG: usize = 260 - 12;

/// Returns the path in UTF-16 with a NUL, for a call whose name ends in `W`. Without the prefix `\\?\` such calls fail above 260
/// characters.
///
/// Source: Microsoft, "Maximum Path Length Limitation", "Naming Files, Paths, and Namespaces".
///
/// # Errors
/// The system's error, where the path has no absolute form.
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
        // Written so already, or of a device.
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
