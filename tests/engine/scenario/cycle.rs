//! Diff, apply, diff, rollback: what a form goes through on a target.

use kbfix::{
    apply::{self, Execution, Occasion},
    journal::{self, Folder, Journal},
    observe::observe,
    plan::{Outcome, Plan},
    render,
    spec::Spec,
    targets::{KeyChange, Target},
};

use crate::scenario::{
    Scenario,
    content::content,
    machine::{Kind, Machine},
};

/// What is not as the form says.
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
    let changes = render::changes(&plan.changes);
    if changes != expected.changes {
        wrong.push(format!("changes are\n{changes}"));
    } else if plan.outcome == Outcome::ChangesPending {
        wrong.extend(made_and_undone(&machine, &specs));
    }
    wrong
}

/// How the spec ends on this kind of target.
pub(crate) fn outcome(kind: Kind, scenario: &Scenario) -> &'static str {
    let machine = Machine::new(kind, scenario);
    plan(&machine, &scenario.load()).specs[0].outcome.as_str()
}

fn plan(machine: &Machine, specs: &[Spec]) -> Plan {
    apply::make_plan(machine.open().as_mut(), specs).unwrap()
}

fn made_and_undone(machine: &Machine, specs: &[Spec]) -> Vec<String> {
    let before = content(machine);
    let mut target = machine.open();
    let _lock = target.lock().unwrap();
    let plan = apply::make_plan(target.as_mut(), specs).unwrap();
    let changes: Vec<KeyChange> = plan.changes().cloned().collect();
    let journal = match execute(machine, target.as_mut(), &plan, changes) {
        Execution::Done(journal) => journal,
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
    wrong.extend(rolled_back(machine, target.as_mut(), &plan, &journal));
    let after = content(machine);
    if after != before {
        let diff = similar::TextDiff::from_lines(&before, &after);
        wrong.push(format!("after rollback the machine differs:\n{}", diff.unified_diff().context_radius(1)));
    }
    wrong
}

fn rolled_back(machine: &Machine, target: &mut dyn Target, plan: &Plan, journal: &Journal) -> Option<String> {
    let mut undo = journal::Inverse::default();
    observe(target, |reader| undo = journal::inverse(&journal.entry.changes, false, reader)).unwrap();
    if !undo.conflicts.is_empty() || !undo.unread.is_empty() {
        return Some(format!("rollback finds {undo:?}"));
    }
    match execute(machine, target, plan, undo.changes) {
        Execution::Done(_) => None,
        other => Some(format!("rollback ends with {other:?}")),
    }
}

fn execute(machine: &Machine, target: &mut dyn Target, plan: &Plan, changes: Vec<KeyChange>) -> Execution {
    let occasion = Occasion {
        action: journal::Action::Apply,
        target: machine.address.clone(),
        machine: plan.machine.clone(),
        specs: vec!["FORM".to_owned()],
        plan: plan.digest(),
        restart: plan.restart(),
    };
    let folder = Folder::new(Some(machine.folder.path())).unwrap();
    apply::execute(changes, occasion, target, &folder).unwrap()
}
