//! Tests that services are restarted through the service manager, and only after a change. The service is a real
//! program (tests/wine/make-programs).

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use kbfix::targets::Answer;
use serde_json::Value;

use crate::{
    local::scratch::{Scratch, alone, read},
    start::run,
};

/// A service that is removed when the test ends.
struct Service(&'static str);

fn sc(arguments: &[&str]) -> Output {
    run(Command::new("sc").args(arguments))
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
        // The current drive of the service manager is not that of the test.
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
    apply_with(scratch, services, data, &[])
}

fn apply_with(scratch: &Scratch, services: &str, data: u32, more: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    let text = format!(
        "kbfix: 1\nid: T\ntitle: Test\nregistry:\n  - key: {}\n    values: {{ v: {{ type: REG_DWORD, data: {data} }} }}\n\
         restart: {{ computer: never, services: [{services}] }}\n",
        scratch.path()
    );
    fs::write(&spec, text).unwrap();
    let mut kbfix = Command::new(env!("CARGO_BIN_EXE_kbfix"));
    kbfix.arg("apply").arg(&spec).args(["--format", "json", "--restart-services", "--state-dir"]);
    let output = run(kbfix.arg(folder.path().join("state")).args(more));
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
fn a_service_that_cannot_be_stopped_is_told_and_the_change_stays() {
    let _alone = alone();
    let scratch = Scratch::machine("services-failed");
    let Some(service) = Service::new("kbfix-test-stubborn", "stubborn") else { return };
    let (code, report) = apply(&scratch, service.0, 1);
    assert_eq!((code, &report["outcome"]), (7, &Value::from("changed")), "{report:#}");
    assert_eq!(report["diagnostics"][0]["code"], "service-restart-failed");
    assert_eq!(report["diagnostics"][0]["severity"], "error");
    assert_eq!(report["changed"], true);
}

#[test]
fn a_service_that_is_about_to_run_is_waited_for() {
    let _alone = alone();
    let scratch = Scratch::machine("services-slow");
    let Some(service) = Service::new("kbfix-test-slow", "slow") else { return };
    let (code, report) = apply(&scratch, service.0, 1);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(steps(&report), ["stop_service kbfix-test-slow done", "start_service kbfix-test-slow done"]);
}

#[test]
fn a_service_that_is_not_there_is_told_before_anything_is_changed() {
    let _alone = alone();
    let scratch = Scratch::machine("services-none");
    for more in [&["--check"][..], &[], &[]] {
        let (code, report) = apply_with(&scratch, "kbfix-test-none", 1, more);
        assert_eq!((code, &report["diagnostics"][0]["code"]), (2, &Value::from("service-missing")), "{report:#}");
        assert_eq!(report["changed"], false);
        assert!(matches!(read(&scratch.key, "v"), Answer::Absent));
    }
}
