//! Reads a folder of snapshots as a fleet: each file is one machine.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use super::Member;
use crate::{files::list::list, targets::Address};

/// The names of the entries in a folder that were not read, because they are folders, hidden files
/// (whose names begin with a dot) or not `.json` files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored(pub Vec<String>);

/// Returns one machine for each `.json` file of a folder whose name does not begin with a dot, and the names of all
/// other entries. Subfolders are not read. The name of a machine is the name of its file without the ending `.json` or
/// `.snapshot.json`. If two machines would have the same name, without regard to case, each is named by its full file
/// name.
///
/// # Errors
/// Returns the system's error if the folder cannot be listed.
pub fn snapshots(folder: &Path) -> io::Result<(Vec<Member>, Ignored)> {
    let (mut files, mut ignored) = (Vec::new(), Ignored::default());
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for path in list(folder)? {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match stem(&file).filter(|_| !path.is_dir()) {
            Some(name) => {
                *names.entry(name.to_lowercase()).or_default() += 1;
                files.push((name.to_owned(), file, path));
            }
            None => ignored.0.push(file),
        }
    }
    let member = |(name, file, path): (String, String, PathBuf)| {
        let name = if names[&name.to_lowercase()] == 1 { name } else { file };
        member(name, &path)
    };
    Ok((files.into_iter().map(member).collect(), ignored))
}

fn stem(file: &str) -> Option<&str> {
    let without = |text: &'_ str, ending: &str| {
        let at = text.len().checked_sub(ending.len())?;
        let ends = text.get(at..)?.eq_ignore_ascii_case(ending);
        ends.then_some(at).filter(|at| *at > 0)
    };
    // A hidden file belongs to an editor, or another program is still writing it.
    let at = without(file, ".json").filter(|_| !file.starts_with('.'))?;
    let stem = &file[..at];
    Some(without(stem, ".snapshot").map_or(stem, |at| &stem[..at]))
}

fn member(name: String, path: &Path) -> Member {
    let address = match path.to_str() {
        Some(text) => Address::new(&format!("snapshot:{text}"), None, None).map_err(|error| error.to_string()),
        None => Err("the path of the snapshot's file is not valid Unicode".to_owned()),
    };
    let named = format!("snapshot:{}", path.display());
    Member { name, named, address, groups: Vec::new(), parameters: BTreeMap::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_machine() {
        for (file, name) in [
            ("FE1.json", Some("FE1")),
            ("fe1.snapshot.json", Some("fe1")),
            ("a.b.JSON", Some("a.b")),
            (".json", None),
            (".FE1.json", None),
            (".snapshot.json", None),
            ("FE1.json.tmp", None),
            ("é.json", Some("é")),
            ("jsön", None),
        ] {
            assert_eq!(stem(file), name, "{file}");
        }
    }

    #[test]
    fn two_files_are_two_machines_and_the_rest_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.json", "A.snapshot.json", "a.json", "README.md"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("old.json")).unwrap();
        let (members, ignored) = snapshots(folder.path()).unwrap();
        let names: Vec<_> = members.iter().map(|member| &*member.name).collect();
        assert_eq!(names, ["A.snapshot.json", "a.json", "b"]);
        assert_eq!(ignored.0, ["README.md", "old.json"]);
    }
}
