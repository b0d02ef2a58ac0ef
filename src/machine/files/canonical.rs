//! Returns the path of a file after all links in it are resolved.

use std::{fs, io, path::Path, path::PathBuf};

/// Returns the absolute path of an existing file or folder, with links resolved, in the usual notation.
///
/// On Windows, the system returns the path with the prefix `\\?\`, which few programs accept and few users know. The
/// prefix is removed if the path leads to the same file without it.
///
/// # Errors
///
/// Returns the error of the operating system.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    let found = fs::canonicalize(path)?;
    if !cfg!(windows) {
        return Ok(found);
    }
    Ok(found.to_str().and_then(plain).map_or(found.clone(), PathBuf::from))
}

/// Returns a path without its prefix `\\?\`.
///
/// Returns `None` if the path has no such prefix, or if the path without the prefix would lead to another file: the
/// system then removes dots and spaces at the end of names, and treats names such as `aux` as devices.
///
/// Source: Microsoft, "Naming Files, Paths, and Namespaces".
fn plain(path: &str) -> Option<String> {
    let rest = path.strip_prefix(r"\\?\")?;
    let (plain, names) = match rest.strip_prefix(r"UNC\") {
        Some(share) => (format!(r"\\{share}"), share),
        None => (rest.to_owned(), rest.get(1..)?.strip_prefix(r":\").filter(|_| rest.is_char_boundary(1))?),
    };
    names.split('\\').filter(|name| !name.is_empty()).all(is_ordinary).then_some(plain)
}

fn is_ordinary(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or(name).trim_end();
    let is_numbered = |device: &str| {
        let number = base.get(..3).filter(|start| start.eq_ignore_ascii_case(device)).and_then(|_| base.get(3..));
        number.is_some_and(|number| matches!(number.chars().collect::<Vec<_>>()[..], ['0'..='9' | '¹' | '²' | '³']))
    };
    let devices = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let is_device = devices.iter().any(|device| base.eq_ignore_ascii_case(device));
    !(name.ends_with(['.', ' ']) || name.contains('/') || is_device || is_numbered("com") || is_numbered("lpt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_removed_where_nothing_depends_on_it() {
        for (path, expected) in [
            (r"\\?\C:\Users\b\a.reg", Some(r"C:\Users\b\a.reg")),
            (r"\\?\C:\", Some(r"C:\")),
            (r"\\?\UNC\server\share\a.reg", Some(r"\\server\share\a.reg")),
            (r"\\?\C:\a b\.c\com10\console.txt", Some(r"C:\a b\.c\com10\console.txt")),
            (r"C:\a", None),
            (r"\\?\Volume{1}\a", None),
            (r"\\?\C:\a.\b", None),
            (r"\\?\C:\a \b", None),
            (r"\\?\C:\aux", None),
            (r"\\?\C:\a\Com1.txt", None),
            (r"\\?\UNC\server\share\lpt¹ .x", None),
        ] {
            assert_eq!(plain(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_path_that_exists_has_one_form() {
        let folder = tempfile::tempdir().unwrap();
        let found = canonical(&folder.path().join(".")).unwrap();
        assert!(found.is_absolute() && !found.to_string_lossy().starts_with(r"\\?\"), "{}", found.display());
        assert_eq!(canonical(&found).unwrap(), found);
        assert!(canonical(&found.join("none")).is_err());
    }
}
