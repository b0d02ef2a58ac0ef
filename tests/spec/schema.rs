//! Checks that the files generated from the types of the spec language are up to date. `UPDATE_SCHEMA=1` writes them.
#![allow(clippy::unwrap_used, reason = "clippy takes only #[test] functions for tests")]

use std::path::Path;

use kbfix::spec;

/// Checks that the file equals `generated`, or writes the file if `UPDATE_SCHEMA` is set.
fn up_to_date(file: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(found == generated, "{file} is not what the types say; run UPDATE_SCHEMA=1 cargo test --test spec schema");
}

#[test]
fn the_schema_file_is_up_to_date() {
    let schema = serde_json::to_string_pretty(&spec::schema()).unwrap() + "\n";
    up_to_date("schema/spec.v1.schema.json", &schema);
}

#[test]
fn the_schemas_of_the_documents_are_up_to_date() {
    for name in [
        "plan",
        "report",
        "snapshot",
        "fleet",
        "fleet-report",
        "waivers",
        "fleet-comparison",
        "fleet-machine",
        "fleet-plan",
        "findings",
        "articles",
        "journals",
        "journal",
        "library",
        "symptoms",
        "hive-check",
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_kbfix")).args(["schema", name]).output().unwrap();
        let schema = serde_json::from_slice(&output.stdout).unwrap();
        if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
            panic!("{name}: {error}");
        }
        up_to_date(&format!("schema/{name}.v1.schema.json"), &String::from_utf8(output.stdout).unwrap());
    }
}

#[test]
fn the_schema_is_a_schema_of_draft_2020_12() {
    let schema = spec::schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["$id"].as_str().is_some_and(|id| !id.is_empty()));
    if let Err(error) = jsonschema::draft202012::meta::validate(&schema) {
        panic!("{error}");
    }
}

#[test]
fn the_reference_is_up_to_date() {
    let pages = spec::reference();
    for (page, text) in &pages {
        up_to_date(&format!("docs/reference/{page}"), text);
    }
    for page in super::authoring::book::pages("docs/reference/language").into_keys() {
        let is_generated = pages.iter().any(|(name, _)| page == format!("docs/reference/{name}"));
        assert!(is_generated, "{page} describes no group of objects; delete it");
    }
}

#[test]
fn the_reference_describes_each_definition_once() {
    let schema = spec::schema();
    let pages: String = spec::reference().into_iter().map(|(_, text)| text).collect();
    let mut definitions: Vec<&str> = schema["$defs"].as_object().unwrap().keys().map(String::as_str).collect();
    definitions.push("Spec");
    let mut sections: Vec<&str> = pages.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    sections.retain(|section| !["How to read the tables", "All objects"].contains(section));
    definitions.sort();
    sections.sort();
    assert_eq!(sections, definitions, "give each definition a group in src/language/spec/reference/groups.rs");
}
