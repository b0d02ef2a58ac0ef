//! Short (8.3) names, which Windows gives to files and folders in addition to their long names.

#[cfg(windows)]
use std::fs;
use std::path::Path;

#[cfg(unix)]
use crate::registry::name;

/// Returns whether `name` has the form of a short name, such as `PROGRA~1` or `SETUP~12.EXE`: at most eight characters,
/// among them a tilde followed by a digit, and an extension of at most three characters.
///
/// Source: Microsoft, "Naming Files, Paths, and Namespaces", "Short vs. Long Names".
pub(super) fn is_one(name: &str) -> bool {
    let (base, extension) = name.split_once('.').unwrap_or((name, ""));
    let numbered = base.split_once('~').is_some_and(|(_, number)| number.starts_with(|c: char| c.is_ascii_digit()));
    numbered && base.chars().count() <= 8 && extension.chars().count() <= 3 && !extension.contains('.')
}

/// Returns whether `wanted` is the short name of the file or folder at `path`, as ntfs-3g reports it (see ntfs-3g(8)).
/// Returns false if the file system does not report short names.
#[cfg(unix)]
pub(super) fn is_of(path: &Path, wanted: &str) -> bool {
    let short = xattr::get(path, "system.ntfs_dos_name").ok().flatten().and_then(|name| String::from_utf8(name).ok());
    short.is_some_and(|short| name::compare(&short, wanted).is_eq())
}

/// Returns whether `wanted` is the short name of the file or folder at `path`. This is so if the path with the short
/// name leads to the same file or folder.
#[cfg(windows)]
pub(super) fn is_of(path: &Path, wanted: &str) -> bool {
    let by_short_name = fs::canonicalize(path.with_file_name(wanted));
    by_short_name.is_ok_and(|real| fs::canonicalize(path).is_ok_and(|path| path == real))
}

#[cfg(test)]
mod tests {
    use crate::targets::short_name::*;

    #[test]
    fn a_short_name_has_a_tilde_a_digit_and_few_characters() {
        for name in ["PROGRA~1", "progra~2", "SETUP~12.EXE", "A~1.B", "~1"] {
            assert!(is_one(name), "{name}");
        }
        for name in ["PROGRAM~1", "A~B", "~$notes", "A~1.HTML", "A~1.B.C", "Program Files", "a1~", ""] {
            assert!(!is_one(name), "{name}");
        }
    }
}
