//! Tests hives that Windows did not write completely, or that cannot be read completely.

use std::fs;

use kbfix::{
    format::regf::{Hive, State},
    targets::{Answer, KeyQuery, TargetError, ValueSelection},
};

use crate::hives::support::{counts, real_file};

use super::support::{Machine, SYSTEM, exists, hivexget, key};

/// A spec that applies to every machine.
const SPEC: &str = r"kbfix: 1
id: KB3
title: Anywhere
registry:
  - key: HKLM\SYSTEM\CurrentControlSet\Control\Lsa
    values:
      KbfixTest: { type: REG_DWORD, data: 7 }
";

/// Returns the example machine with a dirty SYSTEM hive of Windows 10.
fn machine(logs: bool) -> Option<(Machine, String)> {
    let machine = Machine::new();
    fs::write(machine.path(SYSTEM), real_file("regipy-SYSTEM_B")?).unwrap();
    for number in 1..=2 {
        let log = real_file(&format!("regipy-SYSTEM_B.LOG{number}"))?;
        if logs {
            // The name is in another case, as some tools unpack it.
            fs::write(machine.path(&format!("Windows/System32/config/system.log{number}")), log).unwrap();
        }
    }
    let spec = machine.beside("spec.yaml", SPEC).to_str().unwrap().to_owned();
    Some((machine, spec))
}

#[test]
fn it_is_recovered_for_reading_and_saved_only_when_something_is_applied() {
    let Some((machine, spec)) = machine(true) else { return };
    let files = machine.files();
    machine.kbfix(&["diff", &spec]).exits(1).says("1 value to create");
    assert!(machine.files() == files, "a look wrote something");

    machine.kbfix(&["apply", &spec]).exits(0).says("1 value created");
    let hive = Hive::open(fs::read(machine.path(SYSTEM)).unwrap(), &[]).unwrap();
    assert_eq!(*hive.state(), State::Clean);
    assert_eq!(counts(&hive), (35_595, 78_901 + 1));
    for number in 1..=2 {
        let log = machine.path(&format!("Windows/System32/config/system.log{number}"));
        assert_eq!(fs::metadata(log).unwrap().len(), 0);
    }
    if let Some(text) = hivexget(&machine.path(SYSTEM), r"ControlSet001\Control\Lsa") {
        assert!(text.contains(r#""KbfixTest"=dword:00000007"#), "{text}");
    }
    machine.kbfix(&["rollback", "--last"]).exits(0);
    let hive = Hive::open(fs::read(machine.path(SYSTEM)).unwrap(), &[]).unwrap();
    assert_eq!(counts(&hive), (35_595, 78_901));
}

#[test]
fn without_its_logs_it_is_refused_and_with_allow_dirty_read_but_never_written() {
    let Some((machine, spec)) = machine(false) else { return };
    let files = machine.files();
    machine.kbfix(&["diff", &spec]).exits(3).says("the hive is incomplete").says("--allow-dirty");
    machine.kbfix(&["apply", &spec]).exits(3);
    machine.kbfix(&["diff", &spec, "--allow-dirty"]).exits(1).says("1 value to create").says("cannot-apply");
    machine.kbfix(&["apply", &spec, "--allow-dirty", "--check"]).exits(5).says("cannot-apply");
    machine.kbfix(&["apply", &spec, "--allow-dirty"]).exits(5).says("start the Windows of this hive once");
    assert!(machine.files() == files, "a dirty hive was written");
    // kbfix does not open hives that it does not need.
    machine.kbfix(&["hive", "check", machine.path(SYSTEM).to_str().unwrap()]);
}

#[test]
fn a_hive_that_becomes_shorter_while_it_is_read_refuses_the_target() {
    let machine = Machine::new();
    machine.edit(SYSTEM, |editor| {
        for i in 0..2000 {
            editor.create_key(&format!(r"many\key number {i}")).unwrap();
        }
    });
    let mut target = machine.target();
    assert_eq!(exists(&mut *target, r"HKLM\SYSTEM\Select"), Answer::Present(()));
    fs::File::options().write(true).open(machine.path(SYSTEM)).unwrap().set_len(9000).unwrap();
    let query = |path: &str| KeyQuery { key: key(path), values: ValueSelection::All, subkeys: true };
    let error = target.read_keys(&[query(r"HKLM\SYSTEM\many")]).unwrap_err();
    assert!(matches!(error, TargetError::Io { .. }));
    assert!(error.to_string().contains("the file has become shorter since it was opened"), "{error}");
    // When it is opened again, the hive is cut short.
    let error = machine.target().read_keys(&[query(r"HKLM\SYSTEM\many")]).unwrap_err();
    assert!(error.to_string().contains("the hive is incomplete"), "{error}");
}
