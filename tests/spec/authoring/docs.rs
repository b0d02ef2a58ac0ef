//! What docs/how-to/write-a-spec.md shows as a spec, or as part of one, is valid.

use kbfix::spec::{self, Settings};

/// The blocks of YAML in a document, each with the line it begins in.
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
    for (line, block) in blocks(include_str!("../../../docs/how-to/write-a-spec.md")) {
        let mut fields_here = block.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name);
        let is_spec = fields_here.clone().any(|name| fields.get(name).is_some());
        // A workflow, or the settings of another tool.
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
        let loaded =
            spec::load(&format!("docs/how-to/write-a-spec.md:{line}"), text.as_bytes(), &Settings::for_validation());
        assert!(loaded.diagnostics.is_empty(), "{:#?}\n{text}", loaded.diagnostics);
    }
    assert!(specs >= 3, "{specs}");
}
