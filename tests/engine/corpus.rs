//! Runs the parsers on the corpus of the fuzzer (tests/fuzz), whose inputs together reach all code of the parsers that
//! the fuzzer has found. Each input is parsed, and edits must read back. Nothing may panic. `tests/fuzz/run` adds to
//! the corpus.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "these are tests, their helpers too")]

use std::{fs, path::Path};

#[path = "../fuzz/inputs/mod.rs"]
mod inputs;

#[test]
fn every_input_of_the_corpus_is_parsed_without_panic() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, parse) in inputs::PARSERS {
        let mut files: Vec<_> = fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "the corpus of {name} is empty");
        for file in files {
            let data = fs::read(&file).unwrap();
            if std::panic::catch_unwind(|| parse(&data)).is_err() {
                panic!("{}: panic", file.display());
            }
        }
    }
}
