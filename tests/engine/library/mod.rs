//! The library of specs: each is held against machines described in a file of its own, `tests/engine/library/ID.yaml`.

mod fixture;
mod machines;
mod stars;
mod table;
mod users;
mod yaml11;

use std::path::{Path, PathBuf};

/// The `.yaml` files of a folder of the repository, each with its name without the ending, sorted.
fn yaml_files(folder: &str) -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    files.sort();
    files
}
