//! Tests the installation of a hotfix on an export: it is planned, and the apply refuses it.

use std::{fs, path::PathBuf, process::Command};

use kbfix::{format::pe::minimal, plan::file::sha256, version::FileVersion};
use serde_json::Value;

struct Machine {
    folder: tempfile::TempDir,
}

const SPEC: &str = r"
kbfix: 1
id: KB1
title: Test
prerequisites:
  - { title: Base, registry: { key: HKLM\SOFTWARE\Base } }
hotfix:
  files:
    - { path: 'C:\fix.dll', version: 1.0.0.2 }
  package: { file: 'fix-*.exe', sha256: DIGEST, arguments: [/quiet, /norestart] }
registry:
  - key: HKLM\SOFTWARE\T
    values: { v: { type: REG_DWORD, data: 1 } }
restart: { computer: never, services: [svc] }
";

impl Machine {
    fn new(base: &str) -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(machine.file("C")).unwrap();
        fs::write(machine.file("C/fix.dll"), minimal::dll(FileVersion([1, 0, 0, 1]))).unwrap();
        fs::write(machine.file("fix-x86.exe"), "package").unwrap();
        fs::write(machine.file("spec.yaml"), SPEC.replace("DIGEST", &sha256(b"package").to_uppercase())).unwrap();
        let export = format!("REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE]\r\n\r\n{base}\r\n");
        fs::write(machine.file("machine.reg"), export).unwrap();
        machine
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, command: &str, more: &[&str]) -> (Option<i32>, String) {
        let mut kbfix = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        kbfix.arg(command).arg(self.file("spec.yaml")).arg("--target");
        kbfix.arg(format!("reg:{}", self.file("machine.reg").display())).arg("--files").arg(self.file("C"));
        if command == "apply" {
            kbfix.arg("--state-dir").arg(self.file("state"));
        }
        let output = kbfix.args(more).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), text)
    }

    fn package(&self) -> [String; 3] {
        ["--install-hotfix".into(), "--package".into(), format!("KB1={}", self.file("fix-x86.exe").display())]
    }
}

const BASE: &str = "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Base]";

#[test]
fn the_plan_has_the_installation_before_the_changes() {
    let machine = Machine::new(BASE);
    let (code, text) = machine.run("diff", &[]);
    assert_eq!(code, Some(4), "{text}");
    let package = machine.package();
    let package: Vec<&str> = package.iter().map(String::as_str).collect();
    let (code, text) = machine.run("diff", &package);
    assert_eq!(code, Some(1), "{text}");
    let step = "install       hotfix: run fix-*.exe with /quiet /norestart (SHA-256 ";
    assert!(text.contains(step) && text.contains("this cannot be rolled back"), "{text}");
    assert!(text.find(step) < text.find("+\"v\"=dword:00000001"), "{text}");
    for format in ["markdown", "html"] {
        let (_, text) = machine.run("diff", &[&package[..], &["--format", format]].concat());
        assert!(text.contains("this cannot be rolled back"), "{text}");
    }
    let (_, text) = machine.run("diff", &[&package[..], &["--format", "json"]].concat());
    let report: Value = serde_json::from_str(&text).unwrap();
    let install = &report["specs"][0]["install"];
    assert_eq!(install["success"], serde_json::json!([0]));
    assert_eq!(install["restart"], serde_json::json!([3010, 1641]));
    assert_eq!(install["files"][0]["path"], r"C:\fix.dll");
    assert_eq!(install["sha256"], sha256(b"package"));
}

#[test]
fn nothing_is_installed_where_another_gate_is_shut() {
    let machine = Machine::new("");
    let package = machine.package();
    let package: Vec<&str> = package.iter().map(String::as_str).collect();
    let (code, text) = machine.run("diff", &package);
    assert_eq!(code, Some(4), "{text}");
    assert!(!text.contains("install       "), "{text}");
}

#[test]
fn nothing_is_installed_for_a_trigger_that_nobody_asked_for() {
    let machine = Machine::new(BASE);
    let trigger = "    trigger: { done_when: { registry: { key: ., name: done } } }\n    values";
    let spec = fs::read_to_string(machine.file("spec.yaml")).unwrap().replace("    values", trigger);
    fs::write(machine.file("spec.yaml"), spec).unwrap();
    let package = machine.package();
    let package: Vec<&str> = package.iter().map(String::as_str).collect();
    let (code, text) = machine.run("diff", &package);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("only with `--trigger KB1`") && !text.contains("install       "), "{text}");
    let (code, text) = machine.run("apply", &package);
    assert_eq!(code, Some(4), "{text}");
    let (code, text) = machine.run("diff", &[&package[..], &["--trigger", "KB1"]].concat());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("install       "), "{text}");
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is() {
    let machine = Machine::new(BASE);
    let package = machine.package();
    let package: Vec<&str> = package.iter().map(String::as_str).collect();
    let before = fs::read(machine.file("machine.reg")).unwrap();
    for (more, word) in [
        (package.clone(), "target-unsupported"),
        (vec!["--restart-services"], "target-unsupported"),
        (vec!["--install-hotfix", "--package", "KB2=x.exe"], "package-usage"),
        (vec!["--install-hotfix"], "--package"),
        (vec!["--package", "KB1=x.exe"], "--install-hotfix"),
        (vec!["--install-hotfix", "--package", "KB1"], "ID=PATH"),
    ] {
        let (code, text) = machine.run("apply", &more);
        assert_eq!(code, Some(2), "{more:?}: {text}");
        assert!(text.contains(word), "{more:?}: {text}");
    }
    assert_eq!(fs::read(machine.file("machine.reg")).unwrap(), before);
}
