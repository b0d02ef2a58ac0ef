//! Checks that each spec, or part of a spec, in the how-to pages and the reference of the language is valid.

use kbfix::spec::{self, Settings};

/// Returns the blocks of YAML in a document, each with the line at which it begins.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in text.lines().enumerate() {
        match (&mut open, line) {
            (None, "```yaml") => open = Some((at + 2, String::new())),
            (Some(_), "```") => out.extend(open.take()),
            (Some((_, block)), line) => block.push_str(&format!("{line}\n")),
            (None, _) => {}
        }
    }
    out
}

#[test]
fn each_example_of_a_spec_is_valid() {
    let fields = spec::schema()["properties"].clone();
    let mut specs = 0;
    let mut pages = super::book::pages("docs/how-to");
    let how_to = ["write-a-spec", "special-rules", "microsoft-baseline"].map(|page| format!("docs/how-to/{page}.md"));
    pages.retain(|page, _| how_to.contains(page));
    assert_eq!(pages.len(), how_to.len());
    pages.extend(super::book::pages("docs/reference/language"));
    let each =
        pages.iter().flat_map(|(page, text)| blocks(text).into_iter().map(move |(line, block)| (page, line, block)));
    for (page, line, block) in each {
        let mut fields_here = block.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name);
        let is_spec = fields_here.clone().any(|name| fields.get(name).is_some());
        // The block is a workflow or the settings of another tool.
        if !is_spec || block.contains("jobs:") {
            continue;
        }
        specs += 1;
        let mut text = String::new();
        for (name, data) in [("kbfix", "1"), ("id", "X"), ("title", "T")] {
            if !fields_here.clone().any(|field| field == name) {
                text.push_str(&format!("{name}: {data}\n"));
            }
        }
        text.push_str(&block.replace("sha256: 64 hex digits", &format!("sha256: '{}'", "a".repeat(64))));
        if block.contains("{exchange}") && !fields_here.any(|field| field == "locations") {
            text.push_str("locations: { exchange: { registry: { key: HKLM\\SOFTWARE\\X, name: Folder } } }\n");
        }
        if !text.lines().any(|line| line.starts_with("registry:") || line.starts_with("hotfix:")) {
            text.push_str("registry: [{ key: HKLM\\SOFTWARE\\X }]\n");
        }
        let name = format!("{page}:{line}");
        let loaded = spec::load(&name, text.as_bytes(), &Settings::for_validation());
        assert!(loaded.diagnostics.is_empty(), "{:#?}\n{text}", loaded.diagnostics);
    }
    assert!(specs >= 3, "{specs}");
}

/// A newcomer reads README first, and to its end only if it is short.
#[test]
fn readme_has_at_most_80_lines() {
    let text = include_str!("../../../README.md");
    assert!(text.lines().count() <= 80, "README.md has {} lines", text.lines().count());
}
