//! Services are restarted through the service manager, after a change and only then. The service is a real program
//! (tests/wine/make-programs).

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

use crate::scratch::{Scratch, alone};

/// A service that is removed when the test ends.
struct Service(&'static str);

fn sc(arguments: &[&str]) -> Output {
    Command::new("sc").args(arguments).output().unwrap()
}

/// Runs `sc`, which has to succeed.
fn insist(arguments: &[&str]) {
    let output = sc(arguments);
    assert!(output.status.success(), "sc {arguments:?}: {output:?}");
}

impl Service {
    fn new(name: &'static str, argument: &str) -> Option<Self> {
        let Some(folder) = std::env::var_os("KBFIX_TEST_PROGRAMS").map(PathBuf::from) else {
            println!("SKIPPED: KBFIX_TEST_PROGRAMS is not set; see tests/wine/README.md");
            return None;
        };
        // The service manager's own drive is another one than the test's.
        let program = std::path::absolute(folder.join("service.exe")).unwrap();
        sc(&["delete", name]);
        let command = format!("\"{}\" {argument}", program.display());
        insist(&["create", name, "binPath=", command.trim(), "start=", "demand"]);
        insist(&["start", name]);
        Some(Self(name))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        sc(&["stop", self.0]);
        sc(&["delete", self.0]);
    }
}

fn apply(scratch: &Scratch, services: &str, data: u32) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    let text = format!(
        "kbfix: 1\nid: T\ntitle: Test\nregistry:\n  - key: {}\n    values: {{ v: {{ type: REG_DWORD, data: {data} }} }}\n\
         restart: {{ computer: never, services: [{services}] }}\n",
        scratch.path()
    );
    fs::write(&spec, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_kbfix"))
        .arg("apply")
        .arg(&spec)
        .args(["--format", "json", "--restart-services", "--state-dir"])
        .arg(folder.path().join("state"))
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    (output.status.code().unwrap(), report)
}

fn steps(report: &Value) -> Vec<String> {
    let text = |step: &Value, field: &str| step[field].as_str().unwrap().to_owned();
    let steps = report["steps"].as_array().unwrap();
    steps.iter().map(|s| format!("{} {} {}", text(s, "action"), text(s, "name"), text(s, "result"))).collect()
}

#[test]
fn a_service_is_restarted_after_a_change_and_only_then() {
    let _alone = alone();
    let scratch = Scratch::machine("services");
    let Some(service) = Service::new("kbfix-test-service", "") else { return };
    let (code, report) = apply(&scratch, service.0, 1);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(steps(&report), ["stop_service kbfix-test-service done", "start_service kbfix-test-service done"]);
    let (code, report) = apply(&scratch, service.0, 1);
    assert_eq!((code, steps(&report).len()), (0, 0), "{report:#}");
    sc(&["stop", service.0]);
    let (code, report) = apply(&scratch, service.0, 2);
    assert_eq!((code, steps(&report)), (0, vec!["stop_service kbfix-test-service skipped".to_owned()]), "{report:#}");
}

#[test]
fn a_service_that_cannot_be_restarted_is_told_and_the_change_stays() {
    let _alone = alone();
    let scratch = Scratch::machine("services-failed");
    let (code, report) = apply(&scratch, "kbfix-test-none", 1);
    assert_eq!((code, &report["outcome"]), (7, &Value::from("changed")), "{report:#}");
    assert_eq!(report["diagnostics"][0]["code"], "service-restart-failed");
    assert_eq!(report["changed"], true);
}
