//! Tests the installation of a hotfix: its package is checked and run, and its exit code and the new file are checked.
//! Only then is the registry changed. The package is a real program (tests/wine/make-programs), the files are real DLLs
//! (make-dlls).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::MutexGuard,
};

use kbfix::{plan::file::sha256, targets::Answer};
use serde_json::Value;

use crate::{
    local::scratch::{Scratch, alone, read},
    start::run,
};

/// A machine with an old exprox.dll, a spec that wants the new one, and a package that installs it.
struct Machine {
    folder: tempfile::TempDir,
    scratch: Scratch,
    package: PathBuf,
    _alone: MutexGuard<'static, ()>,
}

/// Returns the folder that tests/run names in this variable; `None` if the test cannot run.
fn needed(variable: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        println!("SKIPPED: {variable} is not set; see tests/wine/README.md");
    }
    folder
}

impl Machine {
    fn new(test: &str) -> Option<Self> {
        let (dlls, programs) = (needed("KBFIX_TEST_DLLS")?, needed("KBFIX_TEST_PROGRAMS")?);
        let folder = tempfile::tempdir().unwrap();
        let copy = |from: PathBuf, to: &str| {
            let to = folder.path().join(to);
            fs::copy(from, &to).unwrap();
            to
        };
        copy(dlls.join("old/exprox.dll"), "exprox.dll");
        copy(dlls.join("new/exprox.dll"), "new.dll");
        let package = copy(programs.join("install.exe"), "Exchange-KB1-x86.exe");
        Some(Self { scratch: Scratch::machine(test), folder, package, _alone: alone() })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a spec whose package installs the file `from` and ends with this exit code.
    fn spec(&self, from: &str, exit_code: u32) -> PathBuf {
        let path = |name: &str| self.file(name).display().to_string();
        let from = if from == "-" { from.to_owned() } else { path(from) };
        let text = format!(
            "kbfix: 1\nid: KB1\ntitle: Test\nhotfix:\n  files:\n    - {{ path: '{}', version: 6.5.7651.19, platform: x86 }}\n  \
             package:\n    file: Exchange-KB1-*.exe\n    sha256: {}\n    arguments: ['{from}', '{}', '{exit_code}']\nregistry:\n  \
             - key: {}\n    values: {{ v: {{ type: REG_DWORD, data: 1 }} }}\n",
            path("exprox.dll"),
            sha256(&fs::read(&self.package).unwrap()),
            path("exprox.dll"),
            self.scratch.path(),
        );
        let spec = self.file("spec.yaml");
        fs::write(&spec, text).unwrap();
        spec
    }

    fn kbfix(&self, command: &str, what: &[&str], package: Option<&Path>) -> (i32, Value) {
        let mut kbfix = Command::new(env!("CARGO_BIN_EXE_kbfix"));
        kbfix.arg(command).args(what).args(["--format", "json", "--target", "local"]);
        if command != "diff" {
            kbfix.arg("--state-dir").arg(self.file("state"));
        }
        if let Some(package) = package {
            kbfix.arg("--package").arg(format!("kb1={}", package.display())).arg("--install-hotfix");
        }
        let output = run(&mut kbfix);
        let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        (output.status.code().unwrap(), report)
    }

    fn apply(&self, spec: &Path, package: Option<&Path>) -> (i32, Value) {
        self.kbfix("apply", &[spec.to_str().unwrap()], package)
    }

    fn is_new(&self) -> bool {
        fs::read(self.file("exprox.dll")).unwrap() == fs::read(self.file("new.dll")).unwrap()
    }

    fn value_is_set(&self) -> bool {
        matches!(read(&self.scratch.key, "v"), Answer::Present(_))
    }

    fn restore(&self) {
        let old = needed("KBFIX_TEST_DLLS").unwrap().join("old/exprox.dll");
        fs::copy(old, self.file("exprox.dll")).unwrap();
    }
}

#[test]
fn a_hotfix_is_installed_and_then_the_registry_changed() {
    let Some(machine) = Machine::new("hotfix") else { return };
    let spec = machine.spec("new.dll", 3010);
    let (code, report) = machine.apply(&spec, None);
    assert_eq!((code, &report["outcome"]), (4, &Value::from("blocked")), "{report:#}");

    let (code, plan) = machine.kbfix("diff", &[spec.to_str().unwrap()], Some(&machine.package));
    assert_eq!(code, 1, "{plan:#}");
    assert_eq!(plan["specs"][0]["install"]["package"], "Exchange-KB1-*.exe");
    assert_eq!(plan["specs"][0]["install"]["arguments"][2], "3010");
    let (_, other) = machine.kbfix("diff", &[spec.to_str().unwrap()], None);
    assert_ne!(plan["digest"], other["digest"]);
    assert!(!machine.is_new() && !machine.value_is_set());

    let (code, report) = machine.apply(&spec, Some(&machine.package));
    assert_eq!((code, &report["outcome"]), (0, &Value::from("changed")), "{report:#}");
    assert_eq!(report["steps"][0]["result"], "restart_needed", "{report:#}");
    assert_eq!(report["restart"]["computer"], "required", "{report:#}");
    assert!(machine.is_new() && machine.value_is_set());
    // The copy of the package that was run is deleted.
    let left: Vec<_> = fs::read_dir(machine.file("state")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["journal"]);

    let (code, report) = machine.apply(&spec, Some(&machine.package));
    assert_eq!((code, &report["outcome"]), (0, &Value::from("in_desired_state")), "{report:#}");
    assert_eq!(report["steps"], serde_json::json!([]));

    let (code, _) = machine.kbfix("rollback", &["--last"], None);
    assert_eq!(code, 0);
    assert!(machine.is_new() && !machine.value_is_set());
}

#[test]
fn what_goes_wrong_with_a_package_leaves_the_registry_alone() {
    let Some(machine) = Machine::new("hotfix-wrong") else { return };
    let spec = machine.spec("new.dll", 0);
    let other = machine.file("other.exe");
    let mut bytes = fs::read(&machine.package).unwrap();
    bytes.push(0);
    fs::write(&other, bytes).unwrap();
    let (code, report) = machine.apply(&spec, Some(&other));
    assert_eq!((code, &report["diagnostics"][0]["code"]), (2, &Value::from("package-mismatch")), "{report:#}");
    let (code, report) = machine.kbfix("apply", &[spec.to_str().unwrap(), "--check"], Some(&other));
    assert_eq!((code, &report["diagnostics"][0]["code"]), (2, &Value::from("package-mismatch")), "{report:#}");
    let missing = machine.file("missing.exe");
    let (code, report) = machine.kbfix("apply", &[spec.to_str().unwrap(), "--check"], Some(&missing));
    assert_eq!((code, &report["diagnostics"][0]["code"]), (2, &Value::from("file-access")), "{report:#}");
    assert!(!machine.is_new());

    let spec = machine.spec("new.dll", 1603);
    let (code, report) = machine.apply(&spec, Some(&machine.package));
    assert_eq!((code, &report["outcome"]), (6, &Value::from("failed")), "{report:#}");
    assert_eq!(report["diagnostics"][0]["code"], "package-failed");
    assert!(report["steps"][0]["detail"].as_str().unwrap().contains("1603"), "{report:#}");
    assert!(!machine.value_is_set());
    machine.restore();

    // The exit code of the package says that it restarts the computer, so nothing is changed after it.
    let spec = machine.spec("new.dll", 1641);
    let (code, report) = machine.apply(&spec, Some(&machine.package));
    assert_eq!((code, &report["outcome"]), (4, &Value::from("blocked")), "{report:#}");
    assert_eq!(report["diagnostics"][0]["code"], "restart-begun");
    assert_eq!(report["steps"][0]["result"], "restart_begun");
    assert_eq!((&report["changed"], &report["restart"]["computer"]), (&Value::from(true), &Value::from("required")));
    assert!(machine.is_new() && !machine.value_is_set());
    machine.restore();

    let spec = machine.spec("-", 0);
    let (code, report) = machine.apply(&spec, Some(&machine.package));
    assert_eq!((code, &report["outcome"]), (4, &Value::from("blocked")), "{report:#}");
    assert_eq!(report["diagnostics"][0]["code"], "hotfix-not-effective");
    assert_eq!(report["changed"], true);
    assert!(!machine.value_is_set());
}

#[test]
fn a_saved_plan_installs_what_was_approved() {
    let Some(machine) = Machine::new("hotfix-plan") else { return };
    let spec = machine.spec("new.dll", 0);
    let plan = machine.file("plan.json");
    let saved =
        machine.kbfix("diff", &[spec.to_str().unwrap(), "--out", plan.to_str().unwrap()], Some(&machine.package));
    let digest = saved.1["digest"].as_str().unwrap().to_owned();
    let what = ["--plan", plan.to_str().unwrap(), "--digest", &digest];
    let (code, report) = machine.kbfix("apply", &what, None);
    assert_eq!((code, &report["diagnostics"][0]["code"]), (2, &Value::from("package-usage")), "{report:#}");
    assert!(!machine.is_new());
    let (code, report) = machine.kbfix("apply", &what, Some(&machine.package));
    assert_eq!((code, &report["outcome"]), (0, &Value::from("changed")), "{report:#}");
    assert_eq!(report["digest"], digest.as_str());
    assert!(machine.is_new() && machine.value_is_set());
    let (code, report) = machine.kbfix("apply", &what, Some(&machine.package));
    assert_eq!((code, &report["diagnostics"][0]["code"]), (2, &Value::from("plan-stale")), "{report:#}");
}
