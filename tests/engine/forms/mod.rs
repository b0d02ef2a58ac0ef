//! Tests every form of the spec language on every kind of target, each with a small spec, a machine and the expected
//! result.
//!
//! The forms are in `tests/engine/forms/*.yaml`. On each kind of target, the plan must have the changes that the file
//! lists, an apply must make them, a second plan must be empty, and a rollback must restore the machine. If a kind of
//! target does not support a form, the file also contains the expected answer of that kind.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests, their helpers too")]

#[cfg(target_os = "linux")]
mod injected;
#[cfg(windows)]
pub(crate) mod local;

use crate::scenario::{
    Scenario, cycle,
    machine::{self, Kind},
    read_yaml, sample, yaml_files,
};

/// Returns all forms in the order of their files.
fn all() -> Vec<Scenario> {
    yaml_files("tests/engine/forms").iter().flat_map(|(_, path)| read_yaml::<Vec<Scenario>>(path)).collect()
}

/// Tests these forms on one kind of target, and reports every failure.
fn every_form_on(kind: Kind, forms: impl IntoIterator<Item = Scenario>) {
    let mut failures = Vec::new();
    for form in forms {
        let Some(form) = machine::fitted(kind, form) else { continue };
        println!("{}", form.title);
        failures.extend(cycle::faults(kind, &form).into_iter().map(|why| format!("{}: {why}", form.title)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn on_an_export() {
    every_form_on(Kind::Reg, sample(all()));
}

#[test]
fn on_a_snapshot() {
    every_form_on(Kind::Snapshot, sample(all()));
}

#[test]
fn on_an_image() {
    every_form_on(Kind::Image, sample(all()));
}

#[test]
fn on_a_hive() {
    every_form_on(Kind::Hive, sample(all()));
}

#[test]
fn on_a_policy() {
    every_form_on(Kind::Pol, sample(all()));
}

#[test]
fn on_an_image_through_its_policy() {
    every_form_on(Kind::Through, sample(all()));
}

/// Tests all forms on the live registry. Keys without `kbfix-test-forms` in their name are changed only while one form
/// is tested. Forms about the version or the users of Windows change these keys and restore them, and are tested under
/// Wine only.
#[cfg(windows)]
#[test]
fn on_this_machine() {
    every_form_on(Kind::Local, all());
}
