//! Builds a plan from specs and what was read.

use std::collections::{BTreeMap, BTreeSet};

use super::lookup;
use crate::{
    observe::Reader,
    spec::{Spec, model::FileTest},
    targets::{ChangeAction, Facts, KeyChange},
};

use super::{
    Check, Evidence, Install, Machine, Outcome, Part, Plan, Restart, SpecPlan, Truth, condition,
    desired_state::DesiredState, named, rules,
};

/// Builds the plan for these specs, in their order. Run it once inside [`observe`](crate::observe::observe), which
/// learns from it what to read, and once more with the facts to get the plan itself.
pub fn build(target: &str, specs: &[Spec], facts: &Facts, reader: &Reader<'_>) -> Plan {
    let machine = machine(reader);
    let mut earlier: Vec<(&Spec, DesiredState<'_>)> = Vec::new();
    let mut plans = Vec::new();
    // Before the first spec, because every message of a run hides what any of its specs calls sensitive.
    specs.iter().for_each(|spec| rules::hide(spec, reader));
    for spec in specs {
        // Again for each spec, because its `*` may match a key that an earlier spec creates.
        rules::hide(spec, reader);
        let (mut plan, wants) = one(spec, reader);
        let undone = undone(&plan.changes, &earlier, reader);
        refuse(&mut plan, undone);
        plan.changes.iter().for_each(|change| reader.pretend(change));
        let left_out = left_out(&plan.changes, &earlier, reader);
        if !left_out.is_empty() {
            plan.changes.iter().rev().for_each(|change| reader.pretend(&change.inverse()));
            refuse(&mut plan, left_out);
        }
        plan.changes.iter().for_each(|change| reader.planned_for(&spec.id, change));
        if counts(plan.outcome) {
            earlier.push((spec, wants));
        }
        plans.push(plan);
    }
    let mut facts = facts.clone();
    for (key, name) in reader.hidden() {
        facts.hide(&key, &name);
    }
    plans.iter_mut().for_each(|plan| mark_sensitive(plan, reader));
    Plan { kbfix_plan: 1, target: target.to_owned(), machine, specs: plans, facts }
}

/// Marks the plan's values whose data is shown to nobody.
fn mark_sensitive(plan: &mut SpecPlan, reader: &Reader<'_>) {
    for change in &mut plan.changes {
        let hidden = change.values.iter().filter(|value| reader.is_hidden(&change.key, &value.name));
        change.sensitive = hidden.map(|value| value.name.clone()).collect();
    }
    for one in &mut plan.satisfied {
        one.sensitive = one.name.as_ref().is_some_and(|name| reader.is_hidden(&one.key, name));
    }
}

/// Reads which machine the target is, as far as its registry says.
pub fn machine(reader: &Reader<'_>) -> Machine {
    machine_of_set("CurrentControlSet", reader)
}

/// Reads which machine the target is, with the computer name that this control set has.
pub fn machine_of_set(set: &str, reader: &Reader<'_>) -> Machine {
    let text = |key: &str, name: &str| {
        lookup::hklm_value(key, name, reader).ok().flatten().and_then(|data| data.as_read_text())
    };
    let (computer_name, machine_guid) = (
        text(&format!(r"SYSTEM\{set}\Control\ComputerName\ComputerName"), "ComputerName"),
        text(r"SOFTWARE\Microsoft\Cryptography", "MachineGuid"),
    );
    Machine { computer_name, machine_guid }
}

/// Returns whether a spec with this outcome gets, or already has, what it requires.
pub(super) fn counts(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::InDesiredState | Outcome::ChangesPending)
}

/// Returns the outcome of a spec whose checks do not all pass; `None` if they do, so that the registry rules decide. A
/// hotfix that is to be installed counts as installed, and a trigger that is to be run as done.
pub(super) fn gate(checks: &[Check], installs: bool, run_triggers: bool) -> Option<Outcome> {
    let of = |part: Part| Truth::all(checks.iter().filter(|c| c.part == part).map(|c| c.result));
    let hotfix = if installs { Truth::Met } else { of(Part::Hotfix) };
    let triggers = match of(Part::Trigger) {
        Truth::Unmet if run_triggers => Truth::Met,
        truth => truth,
    };
    match (of(Part::Applicable), Truth::all([of(Part::Prerequisite), of(Part::Deletion), hotfix, triggers])) {
        (Truth::Unmet, _) => Some(Outcome::NotApplicable),
        (Truth::Unknown, _) | (Truth::Met, Truth::Unknown) => Some(Outcome::Unknown),
        (Truth::Met, Truth::Unmet) => Some(Outcome::Blocked),
        (Truth::Met, Truth::Met) => None,
    }
}

fn one<'a>(spec: &'a Spec, reader: &Reader<'_>) -> (SpecPlan, DesiredState<'a>) {
    let mut checks = checks(spec, reader);
    let mut registry = rules::evaluate(spec, reader);
    checks.append(&mut registry.checks);
    for one in &mut registry.satisfied {
        one.planned_by = reader
            .planned_by(|| match &one.name {
                Some(name) => drop(reader.value(&one.key, name)),
                None => drop(reader.key(&one.key)),
            })
            .1;
    }
    let of = |part: Part| Truth::all(checks.iter().filter(|c| c.part == part).map(|c| c.result));
    let before = Truth::all([of(Part::Prerequisite), of(Part::Deletion)]);
    let install = match (of(Part::Applicable), before, of(Part::Hotfix)) {
        (Truth::Met, Truth::Met, Truth::Unmet) if spec.unset.is_empty() && registry.unknown.is_empty() => {
            Install::wanted(spec, reader)
        }
        _ => None,
    };
    let (unread, without_hive) =
        (std::mem::take(&mut registry.unread_users), std::mem::take(&mut registry.without_hive));
    let of_users = || users_left_out(&unread, &without_hive);
    let (outcome, reasons) = match gate(&checks, install.is_some(), spec.run_triggers) {
        Some(Outcome::NotApplicable) => {
            (Outcome::NotApplicable, reasons(&checks, Truth::Unmet, |c| c.part == Part::Applicable))
        }
        _ if !spec.unset.is_empty() => {
            let missing = spec.unset.iter();
            let missing = missing.map(|(name, what)| format!("the parameter `{name}` is not set: {what}"));
            (Outcome::NeedsParameter, missing.collect())
        }
        Some(outcome) => {
            let truth = if outcome == Outcome::Unknown { Truth::Unknown } else { Truth::Unmet };
            // Until a spec is known to be applicable, only that check is a reason.
            let applicable = of(Part::Applicable) != Truth::Met;
            let mut reasons = reasons(&checks, truth, |c| (c.part == Part::Applicable) == applicable);
            if outcome == Outcome::Blocked && of(Part::Trigger) == Truth::Unmet {
                reasons
                    .push(format!("a trigger is not done, and was not requested; `--trigger {}` writes it", spec.id));
            }
            (outcome, reasons)
        }
        None if !registry.unknown.is_empty() => (Outcome::Unknown, registry.unknown),
        None if registry.changes.is_empty() && install.is_none() => match unread.is_empty() {
            true => (Outcome::InDesiredState, of_users()),
            false => (Outcome::Unknown, of_users()),
        },
        None => (Outcome::ChangesPending, of_users()),
    };
    let counts = counts(outcome);
    let restart = Restart {
        computer: spec.restart.computer,
        services: spec.restart.services.clone(),
        note: spec.restart.note.clone(),
    };
    let plan = SpecPlan {
        id: spec.id.clone(),
        title: spec.title.clone(),
        sha256: spec.origin.sha256.clone(),
        parameters: spec.parameters.clone(),
        outcome,
        reasons,
        unread_users: if counts { unread.into_keys().collect() } else { Vec::new() },
        checks,
        run_triggers: spec.run_triggers,
        by_star: if counts { registry.by_star } else { 0 },
        install,
        rules: Some(registry.rules).filter(|rules| counts && rules.here < rules.of),
        named: if counts { named::named(spec, &registry.held, &registry.changes) } else { Vec::new() },
        changes: if counts { registry.changes } else { Vec::new() },
        satisfied: if counts { registry.satisfied } else { Vec::new() },
        manual_steps: match outcome {
            Outcome::NotApplicable => Vec::new(),
            _ => spec.document.manual_steps.clone(),
        },
        restart,
        unset: if outcome == Outcome::NeedsParameter { spec.unset.keys().cloned().collect() } else { Vec::new() },
    };
    (plan, registry.wants)
}

/// Returns one sentence for each user for whom nothing is planned.
fn users_left_out(unread: &BTreeMap<String, Vec<String>>, without_hive: &BTreeSet<String>) -> Vec<String> {
    let not_read = unread.iter().flat_map(|(sid, why)| why.iter().map(move |why| format!("user {sid}: {why}")));
    let stale =
        without_hive.iter().map(|sid| format!("user {sid} has a profile in ProfileList but no hive, and is left out"));
    not_read.chain(stale).collect()
}

fn checks(spec: &Spec, reader: &Reader<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(applicable) = &spec.applicable {
        let mut evidence = Vec::new();
        let result = condition::holds(applicable, None, spec, reader, &mut evidence);
        checks.push(Check { part: Part::Applicable, title: "applicable".to_owned(), evidence, result });
    }
    for prerequisite in &spec.prerequisites {
        let mut evidence = Vec::new();
        let result = condition::holds(&prerequisite.condition, None, spec, reader, &mut evidence);
        checks.push(Check { part: Part::Prerequisite, title: prerequisite.title.clone(), evidence, result });
    }
    if let Some(hotfix) = &spec.hotfix {
        for file in &hotfix.files {
            let test = FileTest::Present { version: Some(file.version.clone()), platform: file.platform };
            let (evidence, planned_by) = reader.planned_by(|| condition::file(&file.path, &test, spec, reader));
            let evidence = Evidence { planned_by, ..evidence };
            let result = evidence.result;
            checks.push(Check { part: Part::Hotfix, title: hotfix.title.clone(), evidence: vec![evidence], result });
        }
    }
    checks
}

/// Returns one sentence for each fact with that result, from the checks that have it too.
fn reasons(checks: &[Check], result: Truth, which: impl Fn(&Check) -> bool) -> Vec<String> {
    let found = checks.iter().filter(|c| which(c) && c.result == result);
    found.flat_map(|c| c.evidence.iter().filter(|e| e.result == result).map(|e| c.sentence(e))).collect()
}

/// Returns one message for each setting that an earlier spec of this run requires and `changes` would undo.
fn undone(changes: &[KeyChange], earlier: &[(&Spec, DesiredState<'_>)], reader: &Reader<'_>) -> Vec<String> {
    let mut clashes = Vec::new();
    for change in changes {
        for (Spec { id, .. }, wants) in earlier {
            let undone = wants.undone_by(change, reader).into_iter();
            clashes.extend(undone.map(|(place, what)| format!("{place}: {id}, earlier in this run, requires {what}")));
        }
    }
    clashes
}

/// Returns one message for each change that an earlier spec would want once these changes are made, because its `*`
/// matches a key that they create.
fn left_out(changes: &[KeyChange], earlier: &[(&Spec, DesiredState<'_>)], reader: &Reader<'_>) -> Vec<String> {
    if !changes.iter().any(|change| change.action == ChangeAction::Create) {
        return Vec::new();
    }
    let starred = earlier.iter().filter(|(spec, _)| spec.rules.iter().any(|rule| rule.key.has_star()));
    let again = starred.flat_map(|(spec, _)| {
        let clash =
            |change: KeyChange| format!("{}: a `*` of {}, earlier in this run, would match it", change.key, spec.id);
        rules::evaluate(spec, reader).changes.into_iter().map(clash)
    });
    again.collect()
}

/// Blocks a spec that conflicts with earlier ones, and drops everything planned for it.
fn refuse(plan: &mut SpecPlan, clashes: Vec<String>) {
    if !clashes.is_empty() {
        plan.outcome = Outcome::Blocked;
        plan.reasons = clashes;
        plan.install = None;
        plan.changes.clear();
        plan.named.clear();
        plan.satisfied.clear();
    }
}
