//! Checks the model in regedit.rs with `reg.exe`: that of Windows, or that of Wine in `tests/run windows`.

use std::{collections::BTreeSet, fs, process::Command};

use kbfix::registry::{Data, ValueType};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::authoring::regedit::{PLACES, Registry, Section, carry_out, file, read, sections};

#[test]
fn the_model_is_what_reg_exe_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::deterministic();
    let files = 48;
    let mut registry = Registry::new();
    let mut imports = String::new();
    for number in 0..files {
        let mut sections = sections(3, 1..10).new_tree(&mut runner).unwrap().current();
        for section in &mut sections {
            // Each file has its own part of the registry.
            for place in PLACES {
                if let Some(below) = section.key.strip_prefix(&format!(r"{place}\0")) {
                    section.key = format!(r"{place}\{number}{below}");
                }
            }
        }
        // A list of one string without a NUL, with one NUL and with both.
        let key = format!(r"{}\{number}\list", PLACES[0]);
        let list = |nuls: usize| {
            (nuls.to_string(), Some(Data::new(ValueType::MULTI_SZ, [vec![0x61, 0], vec![0; 2 * nuls]].concat())))
        };
        sections.push(Section { key, deletes: false, after: ("", ""), values: (0..3).map(list).collect() });
        let mut bytes = file(&sections);
        if number % 4 == 0 {
            bytes.extend(*b"\x1a\0");
        }
        fs::write(folder.path().join(format!("{number}.reg")), bytes).unwrap();
        imports.push_str(&format!("reg import {number}.reg >nul 2>&1\r\n"));
        carry_out(&mut registry, &sections);
    }
    let own = PLACES.map(|place| place.replace("HKEY_CLASSES_ROOT", r"HKEY_LOCAL_MACHINE\SOFTWARE\Classes"));
    let own: BTreeSet<_> = own.into_iter().collect();
    let delete: String = own.iter().map(|place| format!("reg delete \"{place}\" /f >nul 2>&1\r\n")).collect();
    let mut batch = format!("@echo off\r\n{delete}{imports}");
    for (number, place) in own.iter().enumerate() {
        batch.push_str(&format!("reg export \"{place}\" out{number}.reg /y >nul 2>&1\r\n"));
    }
    batch.push_str(&delete);
    fs::write(folder.path().join("run.bat"), batch).unwrap();
    let output = Command::new("cmd").args(["/c", "run.bat"]).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut found = Registry::new();
    let mut wanted = Registry::new();
    for (number, place) in own.iter().enumerate() {
        let file = folder.path().join(format!("out{number}.reg"));
        let place = place.to_lowercase();
        let within =
            |key: &str| key.strip_prefix(place.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('\\'));
        wanted
            .extend(registry.iter().filter(|(key, _)| within(key)).map(|(key, values)| (key.clone(), values.clone())));
        if file.exists() {
            found.extend(read(&file).into_iter().filter(|(key, _)| within(key)));
        }
    }
    assert!(wanted.len() > 100, "{}", wanted.len());
    for (key, values) in &wanted {
        assert_eq!(found.get(key), Some(values), "{key}");
    }
    let more: Vec<_> = found.keys().filter(|key| !wanted.contains_key(*key)).collect();
    assert!(more.is_empty(), "{more:#?}");
}
