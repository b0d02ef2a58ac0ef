//! Specs and what was read become a plan.

use std::collections::BTreeMap;

use super::{Check, Evidence, Install, Machine, Outcome, Part, Plan, Restart, SpecPlan, Truth, condition, os, rules};
use crate::{
    observe::Reader,
    registry::{Data, Key, KeyPath, ValueName},
    spec::{Spec, model::FileTest},
    target::{Action, Facts, KeyChange, ValueChange},
};

/// The plan for these specs, in their order. Run it once inside [`observe`](crate::observe::observe), which thereby learns
/// what is to be read, and once more with the facts for the plan itself.
pub fn build(target: &str, specs: &[Spec], facts: &Facts, reader: &Reader<'_>) -> Plan {
    let machine = machine(reader);
    let one_view = has_one_view(reader);
    let mut done = Done::default();
    let mut plans = Vec::new();
    for spec in specs {
        let mut plan = one(spec, one_view, reader);
        refuse_contradictions(&mut plan, &done);
        for change in &plan.changes {
            reader.pretend_for(&spec.id, change);
            done.add(&spec.id, change);
        }
        plans.push(plan);
    }
    Plan { kbfix_plan: 1, target: target.to_owned(), machine, specs: plans, facts: facts.clone() }
}

/// Which machine the target is, as far as it says.
pub fn machine(reader: &Reader<'_>) -> Machine {
    let text =
        |key: &str, name: &str| os::hklm_value(key, name, reader).ok().flatten().and_then(|data| data.as_read_text());
    let (computer_name, machine_guid) = (
        text(r"SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName", "ComputerName"),
        text(r"SOFTWARE\Microsoft\Cryptography", "MachineGuid"),
    );
    Machine { computer_name, machine_guid }
}

/// Whether the target is a 32-bit Windows, which has one registry view only. A target that does not say is taken for a
/// 64-bit one; the keys of the 32-bit view then answer for themselves.
fn has_one_view(reader: &Reader<'_>) -> bool {
    let environment = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment";
    let architecture = os::hklm_value(environment, "PROCESSOR_ARCHITECTURE", reader).ok().flatten();
    architecture.and_then(|data| data.as_read_text()).is_some_and(|text| text.eq_ignore_ascii_case("x86"))
}

fn one(spec: &Spec, one_view: bool, reader: &Reader<'_>) -> SpecPlan {
    let checks = checks(spec, reader);
    let mut registry = rules::evaluate(spec, one_view, reader);
    for one in &mut registry.satisfied {
        one.planned_by = reader
            .planned_by(|| match &one.name {
                Some(name) => drop(reader.value(&one.key, name)),
                None => drop(reader.key(&one.key)),
            })
            .1;
    }
    let of = |part: Part| Truth::all(checks.iter().filter(|c| c.part == part).map(|c| c.result));
    let install = match (of(Part::Applicable), of(Part::Prerequisite), of(Part::Hotfix)) {
        (Truth::Met, Truth::Met, Truth::Unmet) if registry.unknown.is_empty() => Install::wanted(spec, reader),
        _ => None,
    };
    let hotfix = if install.is_some() { Truth::Met } else { of(Part::Hotfix) };
    let gate = Truth::all([of(Part::Prerequisite), hotfix]);
    let (outcome, reasons) = match (of(Part::Applicable), gate) {
        (Truth::Unmet, _) => (Outcome::NotApplicable, reasons(&checks, Truth::Unmet, |c| c.part == Part::Applicable)),
        (Truth::Unknown, _) => (Outcome::Unknown, reasons(&checks, Truth::Unknown, |c| c.part == Part::Applicable)),
        (Truth::Met, Truth::Unmet) => {
            (Outcome::Blocked, reasons(&checks, Truth::Unmet, |c| c.part != Part::Applicable))
        }
        (Truth::Met, Truth::Unknown) => {
            (Outcome::Unknown, reasons(&checks, Truth::Unknown, |c| c.part != Part::Applicable))
        }
        (Truth::Met, Truth::Met) if !registry.unknown.is_empty() => (Outcome::Unknown, registry.unknown),
        (Truth::Met, Truth::Met) if registry.changes.is_empty() && install.is_none() => {
            (Outcome::InDesiredState, Vec::new())
        }
        (Truth::Met, Truth::Met) => (Outcome::ChangesPending, Vec::new()),
    };
    let counts = matches!(outcome, Outcome::InDesiredState | Outcome::ChangesPending);
    let restart = Restart {
        computer: spec.restart.computer,
        services: spec.restart.services.clone(),
        note: spec.restart.note.clone(),
    };
    SpecPlan {
        id: spec.id.clone(),
        title: spec.title.clone(),
        sha256: spec.origin.sha256.clone(),
        parameters: spec.parameters.clone(),
        outcome,
        reasons,
        checks,
        by_star: if counts { registry.by_star } else { 0 },
        install,
        changes: if counts { registry.changes } else { Vec::new() },
        satisfied: if counts { registry.satisfied } else { Vec::new() },
        restart,
    }
}

fn checks(spec: &Spec, reader: &Reader<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(applicable) = &spec.applicable {
        let mut evidence = Vec::new();
        let result = condition::holds(applicable, spec, reader, &mut evidence);
        checks.push(Check { part: Part::Applicable, title: "applicable".to_owned(), evidence, result });
    }
    for prerequisite in &spec.prerequisites {
        let mut evidence = Vec::new();
        let result = condition::holds(&prerequisite.condition, spec, reader, &mut evidence);
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

/// One sentence for each check with that result.
fn reasons(checks: &[Check], result: Truth, which: impl Fn(&Check) -> bool) -> Vec<String> {
    let sentence = |check: &Check, e: &Evidence| {
        let what = format!("{}: found {}, wanted {}", e.place, e.found_or_planned(), e.wanted);
        match check.part {
            Part::Applicable => what,
            Part::Prerequisite => format!("prerequisite {}: {what}", check.title),
            Part::Hotfix => format!("hotfix {}: {what}", check.title),
        }
    };
    let found = checks.iter().filter(|c| which(c) && c.result == result);
    found.flat_map(|c| c.evidence.iter().filter(|e| e.result == result).map(move |e| sentence(c, e))).collect()
}

/// What earlier specs of a run change, and which of them does.
#[derive(Default)]
struct Done {
    values: BTreeMap<(Key, ValueName), (String, Option<Data>)>,
    /// The changes of each key, by the one name that it has.
    keys: BTreeMap<KeyPath, Vec<(String, KeyChange)>>,
}

impl Done {
    fn add(&mut self, id: &str, change: &KeyChange) {
        self.keys.entry(change.key.one_name()).or_default().push((id.to_owned(), change.clone()));
        for value in &change.values {
            self.values.insert((change.key.clone(), value.name.clone()), (id.to_owned(), value.after.clone()));
        }
    }

    /// What stands against a change after those of earlier specs.
    fn clashes(&self, change: &KeyChange) -> Vec<String> {
        let earlier = self.keys.get(&change.key.one_name()).into_iter().flatten();
        // Under another name it was planned as if nothing had been changed there.
        if let Some((id, earlier)) =
            earlier.filter(|(_, earlier)| earlier.key != change.key).find(|(_, e)| meet(e, change))
        {
            return vec![format!("{}: {id} of the same run changes it as {}", change.key, earlier.key)];
        }
        let text = |data: &Option<Data>| data.as_ref().map_or("absent".to_owned(), ToString::to_string);
        let clash = |value: &ValueChange| {
            let (id, earlier) = self.values.get(&(change.key.clone(), value.name.clone()))?;
            let place = change.place(&value.name);
            let (earlier, after) = (text(earlier), text(&value.after));
            Some(format!("{place}: {id} of the same run makes it {earlier}, this spec wants {after}"))
        };
        change.values.iter().filter_map(clash).collect()
    }
}

/// Whether two changes of one key are about the same thing in it: the key itself, or a value.
fn meet(a: &KeyChange, b: &KeyChange) -> bool {
    let only_values = a.action == Action::Update && b.action == Action::Update;
    !only_values || a.values.iter().any(|one| b.values.iter().any(|other| one.name == other.name))
}

/// A value that an earlier spec of the run changes is not changed once more by a later one: one of them is wrong.
fn refuse_contradictions(plan: &mut SpecPlan, done: &Done) {
    let clashes: Vec<String> = plan.changes.iter().flat_map(|change| done.clashes(change)).collect();
    if !clashes.is_empty() {
        plan.outcome = Outcome::Blocked;
        plan.reasons = clashes;
        plan.changes.clear();
        plan.satisfied.clear();
    }
}
