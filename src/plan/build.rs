//! Builds a plan from specs and the facts that were read.

use std::{cell::OnceCell, collections::BTreeSet};

use super::lookup;
use crate::{
    observe::{Reader, Reads},
    registry::{Key, ValueName},
    spec::{Spec, model::FileTest},
    targets::Facts,
};

use super::{
    Check, Evidence, Install, Machine, Outcome, Part, Plan, Restart, SpecPlan, Truth, condition,
    desired_state::DesiredState,
    earlier::Earlier,
    evaluation, expand,
    gate::{counts, gate, reasons, with_request},
    named, pending, rules, unsettled,
};

/// A plan that is being built.
///
/// [`observe`](crate::observe::observe) calls [`ask`](Self::ask) until no fact is missing. Each call shows which facts
/// are still missing, and `observe` reads these facts before the next call.
pub struct Planning<'a> {
    target: String,
    through_policy: bool,
    specs: &'a [Spec],
    /// Whether the plan contains the identity of the machine.
    asks_machine: bool,
    machine: Machine,
    /// The plan of each spec from the last call of [`ask`](Self::ask).
    planned: Vec<Planned<'a>>,
    hidden: BTreeSet<(Key, ValueName)>,
    unsettled: Vec<String>,
    /// The number of the newest registry state that a call of [`ask`](Self::ask) has assumed; see [`Planned::states`].
    states: usize,
}

/// The plan of one spec, and the conditions under which the next call of [`Planning::ask`] can use it again.
struct Planned<'a> {
    plan: SpecPlan,
    wants: DesiredState<'a>,
    /// The keys that were queried to plan the spec; `None` if it is the only spec, or if no key of its rules has a `*`.
    reads: Option<Reads>,
    /// Whether all facts that the spec needs were known. If so, further facts cannot change the plan of the spec.
    complete: bool,
    /// Whether the spec would change something if no earlier spec forbade it. If so, its plan also depends on what the
    /// earlier specs require.
    has_changes: bool,
    /// The number of sensitive values that were known when the spec was planned. Messages in the plan hide their data.
    hidden: usize,
    /// The numbers of two states of the registry: before and after the planned changes of this spec. If a state has the
    /// same number as in an earlier call, then in both calls the same changes lead to this state.
    states: (usize, usize),
}

impl<'a> Planning<'a> {
    /// Starts a plan of these specs, in this order. `target` is the target's URI.
    pub fn new(target: &str, specs: &'a [Spec]) -> Self {
        Self {
            target: target.to_owned(),
            through_policy: false,
            specs,
            asks_machine: true,
            machine: Machine::default(),
            planned: Vec::new(),
            hidden: BTreeSet::new(),
            unsettled: Vec::new(),
            states: 0,
        }
    }

    /// Leaves [`Plan::unsettled`] and the machine's identity out of the plan. The plan then contains only the facts
    /// that the specs need. It still contains the target's URI.
    #[must_use]
    pub fn of_any_machine(self) -> Self {
        Self { asks_machine: false, ..self }
    }

    /// Sets [`Plan::through_policy`]. The reader that [`ask`](Self::ask) gets must have the same setting.
    #[must_use]
    pub fn through_policy(self, through_policy: bool) -> Self {
        Self { through_policy, ..self }
    }

    /// Plans each spec again, except a spec whose plan cannot have changed since the last call.
    pub fn ask(&mut self, reader: &Reader<'_>) {
        if self.asks_machine {
            self.machine = machine(reader);
        }
        // Hide the sensitive values of all specs before the first is planned, because every message hides them.
        self.specs.iter().for_each(|spec| rules::hide(spec, reader));
        let (mut state, mut same_earlier) = (0, true);
        let mut before = std::mem::take(&mut self.planned).into_iter();
        let planned: Vec<OnceCell<Planned<'a>>> = self.specs.iter().map(|_| OnceCell::new()).collect();
        let mut earlier = Earlier::default();
        for (spec, cell) in self.specs.iter().zip(&planned) {
            // Repeat this for each spec, because its `*` may match a key that an earlier spec creates.
            rules::hide(spec, reader);
            let is_same = |last: &Planned<'_>| {
                last.complete
                    && last.states.0 == state
                    && last.hidden == reader.hidden_count()
                    && (same_earlier || !last.has_changes)
            };
            let last = before.next();
            let counted = last.as_ref().is_some_and(|last| counts(last.plan.outcome));
            let one = match last.filter(is_same) {
                Some(last) => {
                    last.plan.changes.iter().for_each(|change| reader.pretend(change));
                    last
                }
                None => {
                    let one = self.plan_one(spec, &earlier, state, reader);
                    // What the spec requires may be known only now, and changes of later specs may undo it.
                    same_earlier &= !counted && !counts(one.plan.outcome);
                    one
                }
            };
            reader.planned_for(&spec.id, &one.plan.changes);
            state = one.states.1;
            let one = cell.get_or_init(|| one);
            if counts(one.plan.outcome) {
                earlier.add(spec, &one.wants, one.reads.as_ref());
            }
        }
        drop(earlier);
        self.planned = planned.into_iter().filter_map(OnceCell::into_inner).collect();
        // The plans can still change as long as facts are missing.
        if self.asks_machine && self.planned.len() > 1 && reader.missed_count() == 0 {
            let changes = |spec: &Spec| !one(spec, reader).0.changes.is_empty();
            self.unsettled = unsettled::ids(self.specs, self.planned.iter().map(|one| &one.plan), reader, changes);
        }
        self.hidden = reader.hidden();
    }

    fn plan_one(&mut self, spec: &'a Spec, earlier: &Earlier<'_>, state: usize, reader: &Reader<'_>) -> Planned<'a> {
        let (missed, hidden) = (reader.missed_count(), reader.hidden_count());
        let Among { plan, wants, reads, changed } = among(spec, self.specs.len(), earlier, reader);
        self.states += usize::from(!plan.changes.is_empty());
        let after = if plan.changes.is_empty() { state } else { self.states };
        let complete = reader.missed_count() == missed;
        Planned { plan, wants, reads, complete, has_changes: !changed.is_empty(), hidden, states: (state, after) }
    }

    /// Returns the finished plan. `facts` contains all facts that were read for the plan.
    pub fn finish(self, mut facts: Facts) -> Plan {
        for (key, name) in &self.hidden {
            facts.hide(key, name);
        }
        let mut specs: Vec<SpecPlan> = self.planned.into_iter().map(|one| one.plan).collect();
        specs.iter_mut().for_each(|plan| mark_sensitive(plan, &self.hidden));
        let Self { target, through_policy, machine, unsettled, .. } = self;
        Plan { kbfix_plan: 1, target, through_policy, machine, specs, unsettled, retires: None, facts }
    }
}

/// The plan of one spec of a run, and what later specs of the run must know about it.
pub(super) struct Among<'a> {
    pub(super) plan: SpecPlan,
    pub(super) wants: DesiredState<'a>,
    /// The keys that were queried to plan the spec; `None` if it is the only spec, or if no key of its rules has a `*`.
    pub(super) reads: Option<Reads>,
    /// The keys that the spec would change if no earlier spec forbade it. An earlier spec can forbid these changes if
    /// it requires something in these keys, or in the keys above them.
    pub(super) changed: Vec<Key>,
}

/// Plans one spec of a run with `count` specs. `earlier` contains the specs before it. After this call, `reader`
/// answers as if the planned changes had been made.
pub(super) fn among<'a>(spec: &'a Spec, count: usize, earlier: &Earlier<'_>, reader: &Reader<'_>) -> Among<'a> {
    let is_starred = count > 1 && spec.rules.iter().any(|rule| rule.key.has_star());
    let ((mut plan, wants), reads) = match is_starred {
        true => reader.logged(|| one(spec, reader)),
        false => (one(spec, reader), None),
    };
    let changed = plan.changes.iter().map(|change| change.key.clone()).collect();
    let undone = earlier.undone(&plan.changes, reader);
    refuse(&mut plan, undone);
    plan.changes.iter().for_each(|change| reader.pretend(change));
    let left_out = earlier.left_out(&plan.changes, reader);
    if !left_out.is_empty() {
        plan.changes.iter().rev().for_each(|change| reader.pretend(&change.inverse()));
        refuse(&mut plan, left_out);
    }
    Among { plan, wants, reads, changed }
}

/// Marks each value in the plan as sensitive if `hidden` contains it, so that its data is never shown.
fn mark_sensitive(plan: &mut SpecPlan, hidden: &BTreeSet<(Key, ValueName)>) {
    if hidden.is_empty() {
        return;
    }
    let is_hidden = |key: &Key, name: &ValueName| hidden.contains(&(key.clone(), name.clone()));
    for change in &mut plan.changes {
        let hidden = change.values.iter().filter(|value| is_hidden(&change.key, &value.name));
        change.sensitive = hidden.map(|value| value.name.clone()).collect();
    }
    for one in &mut plan.satisfied {
        one.sensitive = one.name.as_ref().is_some_and(|name| is_hidden(&one.key, name));
    }
    for owner in &mut plan.policy {
        owner.sensitive |= is_hidden(&owner.key, &owner.name);
    }
}

/// Reads the identity of the target's machine from its registry.
pub fn machine(reader: &Reader<'_>) -> Machine {
    machine_of_set("CurrentControlSet", reader)
}

/// Reads the identity of the target's machine. The computer name is in the control set `set`, such as `ControlSet001`.
pub fn machine_of_set(set: &str, reader: &Reader<'_>) -> Machine {
    let text = |value: Option<(Key, ValueName)>| {
        let (key, name) = value?;
        reader.value(&key, &name).known().ok().flatten()?.as_read_text()
    };
    let [computer_name, machine_guid] = machine_values(set).map(text);
    Machine { computer_name, machine_guid }
}

/// Returns the keys and names of two values: the computer name in the control set `set`, and the MachineGuid. `None`
/// does not occur, because the names are valid.
pub(crate) fn machine_values(set: &str) -> [Option<(Key, ValueName)>; 2] {
    [
        (&*format!(r"SYSTEM\{set}\Control\ComputerName\ComputerName"), "ComputerName"),
        (r"SOFTWARE\Microsoft\Cryptography", "MachineGuid"),
    ]
    .map(|(key, name)| Some((lookup::hklm(key), ValueName::new(name).ok()?)))
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
    let pending_restart = pending::of(spec, &checks, reader);
    let is_waiting = pending_restart.as_ref().is_some_and(|pending| pending.installs(&checks));
    let is_free = !is_waiting && spec.unset.is_empty() && registry.unknown.is_empty();
    // An installation cannot be rolled back, so nothing else may prevent the changes of the spec.
    let is_free = is_free && gate(&checks, true, spec.run_triggers).is_none();
    let install = (is_free && of(Part::Hotfix) == Truth::Unmet).then(|| Install::wanted(spec, reader)).flatten();
    let prerequisites = spec.cause.iter().chain(&spec.prerequisites).map(|one| &one.condition);
    let of_conditions = expand::without_hive(spec.applicable.iter().chain(prerequisites), reader);
    registry.without_hive.extend(of_conditions.iter().cloned());
    let (unread, without_hive) =
        (std::mem::take(&mut registry.unread_users), std::mem::take(&mut registry.without_hive));
    let of_users = || evaluation::users_left_out(&unread, &without_hive);
    let (outcome, reasons) = match gate(&checks, install.is_some(), spec.run_triggers) {
        Some(Outcome::NotApplicable) => {
            (Outcome::NotApplicable, reasons(&checks, Truth::Unmet, |c| c.part == Part::Applicable))
        }
        _ if !spec.unset.is_empty() => {
            let missing = spec.unset.iter();
            let missing = missing.map(|(name, what)| format!("the parameter `{name}` is not set: {what}"));
            (Outcome::NeedsParameter, missing.collect())
        }
        Some(Outcome::Blocked) if is_waiting && gate(&checks, true, spec.run_triggers).is_none() => {
            (Outcome::PendingRestart, reasons(&checks, Truth::Unmet, |c| c.part == Part::Hotfix))
        }
        Some(outcome) => {
            let truth = if outcome == Outcome::Unknown { Truth::Unknown } else { Truth::Unmet };
            // If it is not known that the spec applies, only the `applicable` check is a reason.
            let applicable = of(Part::Applicable) != Truth::Met;
            let is_reason =
                |c: &Check| (c.part == Part::Applicable) == applicable && with_request(c, spec.run_triggers) == truth;
            let mut reasons = reasons(&checks, truth, is_reason);
            if outcome == Outcome::Blocked && !spec.run_triggers && of(Part::Trigger) == Truth::Unmet {
                let id = &spec.id;
                reasons.push(format!("a trigger is not done, and kbfix writes it only with `--trigger {id}`"));
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
    let mut reasons = reasons;
    if !counts(outcome) {
        for left_out in of_conditions.iter().map(|sid| evaluation::has_no_hive(sid)) {
            if !reasons.contains(&left_out) {
                reasons.push(left_out);
            }
        }
    }
    if matches!(outcome, Outcome::PendingRestart | Outcome::Blocked) {
        let replaced = pending_restart.iter().flat_map(|pending| &pending.replaced);
        reasons.extend(replaced.map(pending::ReplacedFile::sentence));
    }
    let counts = counts(outcome);
    let (policy, policy_unread) = std::mem::take(&mut registry.policy).finish();
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
        policy: if counts { policy } else { Vec::new() },
        policy_unread: if counts { policy_unread } else { Vec::new() },
        manual_steps: match outcome {
            Outcome::NotApplicable => Vec::new(),
            _ => spec.document.manual_steps.clone(),
        },
        restart,
        pending_restart,
        unset: if outcome == Outcome::NeedsParameter { spec.unset.keys().cloned().collect() } else { Vec::new() },
    };
    (plan, registry.wants)
}

fn checks(spec: &Spec, reader: &Reader<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(applicable) = &spec.applicable {
        let mut evidence = Vec::new();
        let result = condition::holds(applicable, None, spec, reader, &mut evidence);
        checks.push(Check { part: Part::Applicable, title: "applicable".to_owned(), evidence, result });
    }
    let titled = spec.cause.iter().map(|cause| (Part::Cause, cause));
    for (part, prerequisite) in titled.chain(spec.prerequisites.iter().map(|one| (Part::Prerequisite, one))) {
        let mut evidence = Vec::new();
        let result = condition::holds(&prerequisite.condition, None, spec, reader, &mut evidence);
        checks.push(Check { part, title: prerequisite.title.clone(), evidence, result });
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

/// Blocks a spec that has `clashes` with earlier specs, and removes everything that was planned for it. Does nothing if
/// there are no clashes.
fn refuse(plan: &mut SpecPlan, clashes: Vec<String>) {
    if !clashes.is_empty() {
        plan.outcome = Outcome::Blocked;
        plan.reasons = clashes;
        plan.unread_users.clear();
        plan.by_star = 0;
        plan.rules = None;
        plan.install = None;
        plan.changes.clear();
        plan.named.clear();
        plan.satisfied.clear();
        plan.policy.clear();
        plan.policy_unread.clear();
    }
}
