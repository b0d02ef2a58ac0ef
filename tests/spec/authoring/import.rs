//! Tests that an imported and applied `.reg` file gives the same registry as an import by regedit.

use std::fs;

use kbfix::{
    convert::import::{About, Reading, import},
    operation,
    plan::Outcome,
    spec::{self, Settings, Source},
    targets::{RegTarget, Target},
};
use proptest::prelude::*;

use crate::authoring::regedit::{Registry, Section, carry_out, export, file, read, sections};

/// Returns the registry of a 64-bit Windows with one user. An export covers the machine and the user.
fn machine(before: &[Section]) -> Registry {
    let key = |key: &str| Section { key: key.to_owned(), deletes: false, after: ("", ""), values: Vec::new() };
    let start = [
        key(r"HKEY_LOCAL_MACHINE\SOFTWARE"),
        key(r"HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node"),
        key("HKEY_CURRENT_USER"),
    ];
    let mut registry = Registry::new();
    carry_out(&mut registry, &start);
    carry_out(&mut registry, before);
    registry
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn applied_it_gives_what_importing_gives(before in sections(0, 0..6), wanted in sections(2, 1..9)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("machine.reg");
        let mut expected = machine(&before);
        let covered: Registry = expected.clone().into_iter().filter(|(key, _)| key != "hkey_local_machine").collect();
        fs::write(&path, file(&export(&covered))).unwrap();
        prop_assert_eq!(read(&path), expected.clone());

        let about = About { id: "T", title: "Test", summary: None };
        let imported = import("wanted.reg", &file(&wanted), Reading::default(), about);
        let imported = imported.unwrap_or_else(|findings| panic!("{findings:#?}"));
        carry_out(&mut expected, &wanted);
        let source = Source { name: "spec", bytes: imported.text.as_bytes() };
        let specs = spec::load_all(&[source], &Settings::new()).into_specs();
        let specs = specs.unwrap_or_else(|findings| panic!("{findings:#?}\n{}", imported.text));
        let mut target = RegTarget::open(&path, None, None).unwrap();
        let plan = operation::make_plan(&mut target, &specs).unwrap();
        prop_assert!(plan.outcome() != Outcome::Unknown, "{:#?}\n{}", plan.specs[0].reasons, imported.text);
        let changes: Vec<_> = plan.changes().cloned().collect();
        target.write(&changes).unwrap();
        prop_assert_eq!(read(&path), expected, "{}", imported.text);

        let again = operation::make_plan(&mut target, &specs).unwrap();
        prop_assert_eq!(again.outcome(), Outcome::InDesiredState);
    }
}
