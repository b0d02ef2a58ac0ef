//! Every form of the spec language on every kind of target: a small spec, a machine, and what the one makes of the
//! other.
//!
//! The forms stand in `tests/engine/forms/*.yaml`. On each kind of target the plan has the changes that stand there,
//! apply makes them, a second plan has none, and a rollback gives the machine of before. Where a kind cannot carry a
//! form, what it answers stands there too.
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

/// All of them, in the order of their files.
fn all() -> Vec<Scenario> {
    yaml_files("tests/engine/forms").iter().flat_map(|(_, path)| read_yaml::<Vec<Scenario>>(path)).collect()
}

/// These forms on one kind; every failure is told.
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

/// On the live registry: only keys named `kbfix-test-forms` stay changed for longer than a form takes. Forms that ask
/// which Windows it is or who its users are alter what says so, and put it back; that is done under Wine only.
#[cfg(windows)]
#[test]
fn on_this_machine() {
    every_form_on(Kind::Local, all());
}
