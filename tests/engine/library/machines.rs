//! Tests each spec on each machine of its fixture and on every kind of target: the outcome, the changes, the apply and
//! the rollback.

use kbfix::spec::library;

use super::Fixture;
use crate::scenario::{cycle, machine::Kind, sample, yaml_files};

/// The outcomes for which a fixture must have a machine, or the reason why it has none.
const OUTCOMES: [&str; 4] = ["not_applicable", "blocked", "changes_pending", "in_desired_state"];

#[test]
fn the_table_of_built_in_specs_is_the_folder() {
    let files = yaml_files("specs");
    let names: Vec<&str> = files.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(library::ids().collect::<Vec<_>>(), names);
    for (id, path) in &files {
        assert_eq!(library::find(id), Some(std::fs::read(path).unwrap().as_slice()));
        let spec = kbfix::spec::load(id, &std::fs::read(path).unwrap(), &kbfix::spec::Settings::for_validation());
        assert_eq!(spec.spec.unwrap().id, *id);
    }
}

#[test]
fn every_spec_has_a_machine_for_each_outcome() {
    let mut failures = Vec::new();
    for (id, spec) in yaml_files("specs") {
        let Some(fixture) = Fixture::of(&id, &spec) else {
            failures.push(format!("{id}: there is no tests/engine/library/{id}.yaml"));
            continue;
        };
        for outcome in OUTCOMES {
            let there = fixture.machines.iter().any(|m| m.expected(Kind::Reg).outcome() == outcome);
            if there == fixture.without.contains_key(outcome) {
                failures.push(format!("{id}: needs a machine that is {outcome}, or under `without` why there is none"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Tests each spec on each of its machines, and reports every failure.
fn every_spec_on(kind: Kind) {
    let mut failures = Vec::new();
    for (id, spec) in sample(yaml_files("specs")) {
        let machines = Fixture::of(&id, &spec).map(|fixture| fixture.machines).unwrap_or_default();
        for machine in machines.iter().filter(|machine| machine.fits(kind)) {
            let faults = cycle::faults(kind, machine);
            failures.extend(faults.into_iter().map(|why| format!("{id}, {}: {why}", machine.title)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn on_exports() {
    every_spec_on(Kind::Reg);
}

#[test]
fn on_snapshots() {
    every_spec_on(Kind::Snapshot);
}

#[test]
fn on_images() {
    every_spec_on(Kind::Image);
}

/// A single hive knows less than a machine: everything about other hives must be unknown.
#[test]
fn on_single_hives() {
    let mut failures = Vec::new();
    for (id, spec) in sample(yaml_files("specs")) {
        let machines = Fixture::of(&id, &spec).map(|fixture| fixture.machines).unwrap_or_default();
        for machine in machines.iter().filter(|machine| machine.fits(Kind::Hive)) {
            let found = cycle::outcome(Kind::Hive, machine);
            if found != "unknown" && found != machine.expected(Kind::Hive).outcome() {
                failures.push(format!("{id}, {}: is {found} on its hive of software", machine.title));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
