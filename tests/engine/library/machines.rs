//! Each spec on each machine of its fixture: the outcome, the changes, then apply and rollback with the program itself.

use std::{collections::BTreeMap, path::Path};

use kbfix::{
    apply::make_plan,
    plan::{Outcome, Plan, SpecPlan},
    render,
    spec::library,
};

use crate::library::{
    fixture::{self, Built, Fixture, Machine},
    yaml_files,
};

/// What a fixture has a machine for, unless it says why there is none.
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
fn every_spec_on_its_machines() {
    let fixtures: BTreeMap<_, _> = yaml_files("tests/engine/library").into_iter().collect();
    let mut failures = Vec::new();
    for (id, spec) in yaml_files("specs") {
        let Some(path) = fixtures.get(&id) else {
            failures.push(format!("{id}: there is no tests/engine/library/{id}.yaml"));
            continue;
        };
        let fixture = Fixture::read(path);
        for outcome in OUTCOMES {
            let there = fixture.machines.iter().any(|m| m.outcome == outcome);
            if there == fixture.without.contains_key(outcome) {
                failures.push(format!("{id}: needs a machine that is {outcome}, or under `without` why there is none"));
            }
        }
        for machine in &fixture.machines {
            for what in check(&spec, &fixture, machine) {
                failures.push(format!("{id}, {}: {what}", machine.title));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is not as the fixture says.
fn check(spec: &Path, fixture: &Fixture, machine: &Machine) -> Vec<String> {
    let built = machine.build();
    let settings = machine.settings(fixture);
    let before = built.bytes();
    let plan = plan(spec, &settings, &built);
    let mut wrong = Vec::new();
    if plan.outcome.as_str() != machine.outcome {
        wrong.push(format!("is {}, not {}: {}", plan.outcome.as_str(), machine.outcome, plan.reasons.join("; ")));
        return wrong;
    }
    if let Some(reason) = machine.reason.as_deref().filter(|wanted| !plan.reasons.iter().any(|r| r.contains(*wanted))) {
        wrong.push(format!("no reason says `{reason}`: {}", plan.reasons.join("; ")));
    }
    let changes = render::changes(&plan.changes);
    if changes != machine.changes {
        wrong.push(format!("changes are\n{changes}"));
        return wrong;
    }
    let applied = built.run("apply", &arguments(spec, &settings));
    let wanted = if plan.outcome == Outcome::ChangesPending { 0 } else { i32::from(plan.outcome.exit_code()) };
    if applied.status.code() != Some(wanted) {
        wrong.push(format!("apply ends with {applied:?}"));
    } else if plan.outcome != Outcome::ChangesPending {
        if built.bytes() != before {
            wrong.push("apply changed the export".to_owned());
        }
    } else {
        wrong.extend(undone(spec, &settings, &built, &before));
    }
    wrong
}

/// After an apply: everything is in desired state, and a rollback gives the very bytes of before.
fn undone(spec: &Path, settings: &BTreeMap<String, String>, built: &Built, before: &[u8]) -> Vec<String> {
    let mut wrong = Vec::new();
    let now = plan(spec, settings, built);
    if now.outcome != Outcome::InDesiredState {
        wrong.push(format!("after apply it is {}:\n{}", now.outcome.as_str(), render::changes(&now.changes)));
    }
    let back = built.run("rollback", &["--last".to_owned()]);
    if !back.status.success() {
        wrong.push(format!("rollback ends with {back:?}"));
    } else if built.bytes() != before {
        let (before, now) = (text(before), text(&built.bytes()));
        let diff = similar::TextDiff::from_lines(&before, &now);
        wrong.push(format!("after rollback the export differs:\n{}", diff.unified_diff().context_radius(1)));
    }
    wrong
}

/// An export's text.
fn text(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}

fn plan(spec: &Path, settings: &BTreeMap<String, String>, built: &Built) -> SpecPlan {
    let specs = [fixture::load(spec, settings)];
    let mut plan = make_plan(built.open().as_mut(), &specs).unwrap();
    Plan::from_text(&plan.to_text(), Some(&plan.digest())).unwrap();
    plan.specs.remove(0)
}

fn arguments(spec: &Path, settings: &BTreeMap<String, String>) -> Vec<String> {
    let mut arguments = vec![spec.display().to_string()];
    for (name, data) in settings {
        arguments.extend(["--set".to_owned(), format!("{name}={data}")]);
    }
    arguments
}
