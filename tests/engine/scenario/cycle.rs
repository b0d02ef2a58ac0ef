//! Runs the steps of a test of one form on a target: diff, apply, diff, rollback, apply, retire.

use std::collections::BTreeMap;

use kbfix::{
    journal::{Journal, Operation, Store},
    operation::{self, Applied, ApplyOptions, Request, RetireOptions, Retired, RollbackOptions},
    plan::{Outcome, Plan, Truth},
    render,
    spec::Spec,
    targets::Target,
};

use crate::scenario::{
    Scenario,
    content::content,
    machine::{Kind, Machine},
};

/// Returns every difference from what the form says.
pub(crate) fn faults(kind: Kind, form: &Scenario) -> Vec<String> {
    let machine = Machine::new(kind, form);
    let specs = form.load();
    let expected = form.expected(kind);
    let whole = plan(&machine, &specs);
    let plan = &whole.specs[0];
    if plan.outcome.as_str() != expected.outcome() {
        return vec![format!("is {}, not {}: {}", plan.outcome.as_str(), expected.outcome(), plan.reasons.join("; "))];
    }
    let mut wrong = Vec::new();
    if let Err(why) = Plan::from_text(&whole.to_text(), Some(&whole.digest())) {
        wrong.push(format!("its own plan is refused: {why}"));
    }
    if let Some(wanted) = &expected.reason
        && !plan.reasons.iter().any(|reason| reason.contains(wanted))
    {
        wrong.push(format!("no reason says `{wanted}`: {}", plan.reasons.join("; ")));
    }
    let named = plan.named.iter().filter_map(|rule| Some((rule.label.id.clone()?, truth(rule.result))));
    let named: BTreeMap<String, String> = named.collect();
    if named != expected.named {
        wrong.push(format!("named rules are {named:?}"));
    }
    let changes = render::changes(&plan.changes);
    if changes != expected.changes {
        wrong.push(format!("changes are\n{changes}"));
    } else if plan.outcome == Outcome::ChangesPending {
        wrong.extend(made_and_undone(&machine, &specs));
    }
    wrong
}

fn truth(truth: Truth) -> String {
    serde_json::to_value(truth).unwrap().as_str().unwrap().to_owned()
}

/// Returns the outcome of the spec on this kind of target.
pub(crate) fn outcome(kind: Kind, scenario: &Scenario) -> &'static str {
    let machine = Machine::new(kind, scenario);
    plan(&machine, &scenario.load()).specs[0].outcome.as_str()
}

fn plan(machine: &Machine, specs: &[Spec]) -> Plan {
    operation::make_plan(machine.open().as_mut(), specs).unwrap()
}

fn made_and_undone(machine: &Machine, specs: &[Spec]) -> Vec<String> {
    let before = content(machine);
    let mut target = machine.open();
    let lock = target.lock().unwrap();
    let plan = operation::make_plan(target.as_mut(), specs).unwrap();
    let store = Store::new(Some(machine.folder.path())).unwrap();
    let applied =
        operation::execute(&plan, Operation::Apply, machine.address.clone(), target.as_mut(), &store).unwrap();
    let journal = match applied {
        Applied::Done(journal) => journal,
        other => return vec![format!("apply ends with {other:?}")],
    };
    let mut wrong = Vec::new();
    let now = self::plan(machine, specs).specs.remove(0);
    if now.outcome != Outcome::InDesiredState {
        wrong.push(format!("after apply it is {}:\n{}", now.outcome.as_str(), render::changes(&now.changes)));
    }
    if content(machine) == before {
        wrong.push("apply changed nothing".to_owned());
    }
    drop(lock);
    wrong.extend(rolled_back(machine, target.as_mut(), journal, &store));
    let after = content(machine);
    if after != before {
        let diff = similar::TextDiff::from_lines(&before, &after);
        wrong.push(format!("after rollback the machine differs:\n{}", diff.unified_diff().context_radius(1)));
        return wrong;
    }
    wrong.extend(applied_and_retired(machine, target.as_mut(), specs, &store));
    let after = content(machine);
    if after != before {
        let diff = similar::TextDiff::from_lines(&before, &after);
        wrong.push(format!("after retire the machine differs:\n{}", diff.unified_diff().context_radius(1)));
    }
    wrong
}

fn applied_and_retired(machine: &Machine, target: &mut dyn Target, specs: &[Spec], store: &Store) -> Option<String> {
    let (address, options) = (|| machine.address.clone(), ApplyOptions::default());
    let applied = operation::apply(Request::Specs(specs.to_vec()), &options, address(), target, store, &mut ());
    if !applied.as_ref().is_ok_and(|report| report.changed) {
        return Some(format!("the second apply ends with {applied:?}"));
    }
    let ids = Retired::Ids(specs.iter().map(|spec| spec.id.clone()).collect());
    let options = RetireOptions { if_applied: true, ..RetireOptions::default() };
    match operation::retire(&ids, &[], options, address(), target, store, &mut ()) {
        Ok(report) if report.outcome == Some(Outcome::Changed) && report.conflicts.is_empty() => None,
        other => Some(format!("retire ends with {other:?}")),
    }
}

fn rolled_back(machine: &Machine, target: &mut dyn Target, journal: Journal, store: &Store) -> Option<String> {
    let options = RollbackOptions::default();
    match operation::rollback(journal, None, options, machine.address.clone(), target, store, &mut ()) {
        Ok(report) if report.outcome == Some(Outcome::Changed) && report.conflicts.is_empty() => None,
        other => Some(format!("rollback ends with {other:?}")),
    }
}
