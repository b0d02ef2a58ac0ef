//! Tests that an export of kbfix that `reg.exe` imports gives the same state as an apply of kbfix.

use std::{fs, process::Command};

use kbfix::{
    operation,
    spec::{self, Settings, Source},
    targets::{Target, local::LocalTarget},
};

use crate::{
    local::scratch::{Scratch, make_key, reg_export, reg_import, reg_ok},
    start::run,
};

const SPEC: &str = r#"
kbfix: 1
id: T
title: Everything that a .reg file can say
registry:
  - key: HKLM\SOFTWARE\kbfix-test-export
    values:
      "": { type: REG_SZ, data: "the default" }
      dword: { type: REG_DWORD, data: 0xFFFFFFFE }
      qword: { type: REG_QWORD, data: 0x8000000000000001 }
      multi: { type: REG_MULTI_SZ, data: [one, "two; three", "ünf"] }
      expand: { type: REG_EXPAND_SZ, data: '%SystemRoot%\"x"' }
      text: { type: REG_SZ, data: 'C:\a "b" ; c' }
      bytes: { type: REG_BINARY, data: "00ff10" }
      none: { type: REG_NONE, data: "01" }
      '\\*\SYSVOL': { type: REG_SZ, data: "RequireIntegrity=1" }
      gone: { ensure: absent }
  - { key: HKLM\SOFTWARE\kbfix-test-export\Old, ensure: absent }
  - { key: HKLM\SOFTWARE\kbfix-test-export\New\Deep, ensure: present }
"#;

#[test]
fn an_exported_reg_file_does_what_apply_does() {
    // The state before: values to delete, to replace and to keep.
    let start = || {
        let scratch = Scratch::machine("export");
        make_key(&scratch.below("Old").child(&"Deep".to_owned().try_into().unwrap()));
        let lines = ["\"gone\"=\"x\"", "\"dword\"=\"a string\"", "\"keep\"=dword:7"].map(str::to_owned);
        reg_import(&scratch.key, &lines);
        scratch
    };
    let applied = {
        let scratch = start();
        let specs = spec::load_all(&[Source { name: "spec", bytes: SPEC.as_bytes() }], &Settings::new());
        let specs = specs.into_specs().unwrap();
        let mut target = LocalTarget::new();
        let plan = operation::make_plan(&mut target, &specs).unwrap();
        target.write(&plan.changes().cloned().collect::<Vec<_>>()).unwrap();
        reg_export(&scratch.path())
    };
    let scratch = start();
    let folder = tempfile::tempdir().unwrap();
    let (spec, file) = (folder.path().join("spec.yaml"), folder.path().join("export.reg"));
    fs::write(&spec, SPEC).unwrap();
    let mut kbfix = Command::new(env!("CARGO_BIN_EXE_kbfix"));
    let export = run(kbfix.arg("export").arg(&spec).args(["--format", "reg", "--strict", "--out"]).arg(&file));
    assert!(export.status.success(), "{export:?}");
    reg_ok(&["import", file.to_str().unwrap()]);
    let imported = reg_export(&scratch.path());
    assert_eq!(imported, applied);
    assert!(applied.iter().any(|line| line == "\"dword\"=dword:fffffffe"), "{applied:#?}");
    assert!(applied.iter().any(|line| line == "\"keep\"=dword:00000007"), "{applied:#?}");
    assert!(!applied.iter().any(|line| line.contains("Old") || line.contains("gone")), "{applied:#?}");
}
