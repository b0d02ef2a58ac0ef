//! Checks the result of validation for every spec in `specs/` and `tests/fixtures/specs`.
//!
//! An invalid spec names the expected result in its first lines: `# expect: code line:column` for each finding, `#
//! says: …` for words in a message or hint, and `# set: name=data` for a parameter.

#![allow(clippy::print_stderr, reason = "says which of the specs fail")]

use std::path::{Path, PathBuf};

use kbfix::{
    diag::Diagnostic,
    render::diagnostics::json,
    spec::{self, Settings},
};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

fn header<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let comments = text.lines().map_while(|line| line.strip_prefix("# "));
    comments.filter_map(|line| line.strip_prefix(word)).map(str::trim).collect()
}

fn brief(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.place.as_ref();
    let place = place.map_or_else(|| "nowhere".to_owned(), |p| format!("{}:{}", p.line, p.column));
    format!("{} {place}", diagnostic.code)
}

#[test]
fn valid_specs_have_no_findings() {
    let mut all = files("specs");
    all.extend(files("tests/fixtures/specs/valid"));
    for file in all {
        let bytes = std::fs::read(&file).unwrap();
        let loaded = spec::load(&file.display().to_string(), &bytes, &Settings::for_validation());
        assert!(loaded.diagnostics.is_empty(), "{}", json(&loaded.diagnostics));
        assert!(loaded.spec.is_some());
    }
}

#[test]
fn invalid_specs_have_just_the_findings_they_name() {
    let mut failed = 0;
    let files = files("tests/fixtures/specs/invalid");
    assert!(files.len() >= 60);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let settings: Settings = header(&text, "set:").iter().map(|s| s.split_once('=').unwrap()).collect();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let loaded = spec::load(&name, text.as_bytes(), &settings);
        let found: Vec<String> = loaded.diagnostics.iter().map(brief).collect();
        let words: Vec<&str> =
            loaded.diagnostics.iter().flat_map(|d| std::iter::once(&*d.message).chain(d.hint.as_deref())).collect();
        let said = header(&text, "says:").iter().all(|wanted| words.iter().any(|words| words.contains(wanted)));
        if found != header(&text, "expect:") || !said {
            failed += 1;
            eprintln!("{name}: expected {:?}, found\n{}", header(&text, "expect:"), json(&loaded.diagnostics));
        }
    }
    assert_eq!(failed, 0, "specs with other findings");
}
