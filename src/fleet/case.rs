//! Cases. A case is the result of one spec on all machines on which the result is the same.

use std::{collections::HashMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{FleetOutcome, Note, Waiver, Waivers};
use crate::{
    diag::Exit,
    plan::{self, Check, Evidence, NamedRule, Outcome, Part, SpecPlan, Truth, hidden},
    targets::{ChangeAction, KeyChange},
};

/// The result of one spec, with all machines that have this result: the same outcome, changes, checks, reasons and
/// notes. Only sensitive data can differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Case {
    /// The id of the case. It is computed from the result, without the machines, so the same result has the same id in
    /// every report with the same waivers.
    pub id: Arc<str>,
    /// The spec's id.
    pub spec: String,
    /// The outcome of the spec on these machines.
    pub outcome: FleetOutcome,
    /// The digest of the changes: `sha256:` and the SHA-256, in hex digits, of the changes as canonical JSON, without
    /// sensitive data; null if there are no changes.
    pub digest: Option<String>,
    /// The changes that the spec requires on each machine with this case, except those that waivers accept.
    #[serde(serialize_with = "shown", skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<KeyChange>,
    /// The checks that fail or cannot be decided, except that of `cause`, with the found and the required state. Empty
    /// unless the outcome is `pending_restart`, `blocked`, `unknown` or `waived`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub checks: Vec<Check>,
    /// The reasons for the outcome, and the users who are left out. Empty for the outcomes `not_applicable` and
    /// `in_desired_state`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<String>,
    /// The SIDs of users for whom something could not be read. For the other users, the spec was planned.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unread_users: Vec<String>,
    /// Additional information for the operator: that Group Policy undoes the required state, that it is not known
    /// whether it does, or that the machine is waiting for a restart.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Note>,
    /// The part of this case that waivers accept; missing if they accept nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waived: Option<Waived>,
    /// The names of the machines, in the order of the report. Empty in a fleet comparison, where the difference
    /// contains them.
    pub machines: Vec<Arc<str>>,
}

/// The part of a case that waivers accept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waived {
    /// The indexes of the waivers in the report's list of waivers, from 0.
    pub waivers: Vec<usize>,
    /// The outcome that the case would have without the waivers.
    pub outcome: FleetOutcome,
    /// The changes that the waivers accept as missing, and that are therefore not planned.
    #[serde(serialize_with = "shown")]
    pub changes: Vec<KeyChange>,
}

/// Serializes changes without sensitive data.
fn shown<S: Serializer>(changes: &[KeyChange], to: S) -> Result<S::Ok, S::Error> {
    if changes.iter().all(|change| change.sensitive.is_empty()) {
        return changes.serialize(to);
    }
    hidden_value(changes).serialize(to)
}

fn hidden_value(changes: &[KeyChange]) -> Value {
    let mut value = serde_json::to_value(changes).unwrap_or_default();
    hidden::hide(&mut value);
    value
}

impl Case {
    /// Returns the exit code that follows from this case: that of its outcome, but at least that of
    /// [`FleetOutcome::Unknown`] if something could not be read for a user.
    pub fn exit(&self) -> Exit {
        let of_users = if self.unread_users.is_empty() { Exit::Done } else { FleetOutcome::Unknown.exit() };
        self.outcome.exit().max(of_users)
    }

    /// Returns the facts because of which checks do not pass. Each pair is a check and one such fact.
    pub fn evidence(&self) -> impl Iterator<Item = (&Check, &Evidence)> {
        let fails = |evidence: &&Evidence| evidence.result != Truth::Met;
        self.checks.iter().flat_map(move |check| check.evidence.iter().filter(fails).map(move |one| (check, one)))
    }

    /// Returns whether somebody must look at the case: its outcome is neither "not applicable" nor "in desired state".
    pub fn asks(&self) -> bool {
        !matches!(self.outcome, FleetOutcome::NotApplicable | FleetOutcome::InDesiredState)
    }

    /// Returns whether a report for people shows the case in detail: [`Self::asks`] is true, or the case has a note.
    pub fn is_shown(&self) -> bool {
        self.asks() || !self.notes.is_empty()
    }

    /// Returns the waivers that accept a part of the case, from the report's list of waivers.
    pub fn waivers<'w>(&self, all: &'w [Waiver]) -> Vec<&'w Waiver> {
        self.waived.iter().flat_map(|waived| &waived.waivers).filter_map(|at| all.get(*at)).collect()
    }

    /// Returns the number of values that the case changes, plus the number of keys that it creates or deletes.
    pub fn size(&self) -> usize {
        let key = |change: &KeyChange| usize::from(change.action != ChangeAction::Update);
        self.changes.iter().map(|change| key(change) + change.values.len()).sum()
    }

    /// Returns the case for `plan`, the plan of one spec on one machine, with these notes. `among` contains the indexes
    /// of the waivers that apply to the machine.
    pub(super) fn of(plan: SpecPlan, notes: Vec<Note>, waivers: &Waivers, among: &[usize]) -> Self {
        let outcome = FleetOutcome::from(plan.outcome);
        // The reasons why an article does not apply, or why its state is as desired, differ between machines and need
        // no attention.
        let is_plain = matches!(plan.outcome, Outcome::NotApplicable | Outcome::InDesiredState);
        let with_checks = matches!(plan.outcome, Outcome::PendingRestart | Outcome::Blocked | Outcome::Unknown);
        let mut checks: Vec<Check> = if with_checks { plan.checks } else { Vec::new() };
        checks.retain(|check| check.part != Part::Cause && check.result != Truth::Met);
        let mut case = Self {
            id: Arc::from(""),
            spec: plan.id,
            outcome,
            digest: None,
            changes: plan.changes,
            checks,
            reasons: if is_plain { Vec::new() } else { plan.reasons },
            unread_users: plan.unread_users,
            notes,
            waived: None,
            machines: Vec::new(),
        };
        if !among.is_empty() {
            case.waive(waivers, &plan.named, among);
        }
        case.seal();
        case
    }

    /// Moves the changes that the waivers in `among` accept from the case to its field `waived`. Does this only if the
    /// outcome is `changes_pending`, `pending_restart` or `blocked`, and `unread_users` is empty. If a waiver accepts
    /// the whole spec, or no change is left, the outcome becomes `waived` and the notes are removed.
    fn waive(&mut self, waivers: &Waivers, named: &[NamedRule], among: &[usize]) {
        let asks =
            matches!(self.outcome, FleetOutcome::ChangesPending | FleetOutcome::PendingRestart | FleetOutcome::Blocked);
        if !self.unread_users.is_empty() || !asks {
            return;
        }
        let outcome = self.outcome;
        if let Some(whole) = waivers.whole(&self.spec, among) {
            let changes = std::mem::take(&mut self.changes);
            self.waived = Some(Waived { waivers: vec![whole], outcome, changes });
            self.outcome = FleetOutcome::Waived;
            self.notes.clear();
            return;
        }
        let split = waivers.split(&self.spec, std::mem::take(&mut self.changes), named, among);
        self.changes = split.left;
        if !split.waived.is_empty() {
            self.waived = Some(Waived { waivers: split.by, outcome, changes: split.waived });
            if self.changes.is_empty() {
                self.outcome = FleetOutcome::Waived;
                self.notes.clear();
            }
        }
    }

    /// Sets the field `digest` to the digest of the changes, and the field `id` to an id that is computed from the
    /// result without the machines.
    fn seal(&mut self) {
        let changes = (!self.changes.is_empty()).then(|| hidden_value(&self.changes));
        self.digest = changes.as_ref().map(plan::file::digest);
        let is_plain = self.digest.is_none() && self.reasons.is_empty() && self.checks.is_empty();
        let mut content = match is_plain && self.unread_users.is_empty() && self.waived.is_none() {
            true => format!("{} {}", self.spec, self.outcome.as_str()),
            false => {
                let Self { spec, outcome, digest, checks, reasons, unread_users, waived, .. } = &*self;
                json!([spec, outcome, digest, checks, reasons, unread_users, waived]).to_string()
            }
        };
        // A case without notes has the same id as in versions of kbfix that had no notes.
        if !self.notes.is_empty() {
            content.push_str(&json!(self.notes).to_string());
        }
        // A quarter of the hash is enough: the ids must only differ from each other, and prove nothing.
        self.id = plan::file::sha256(content.as_bytes())[..16].into();
    }
}

/// The cases of a fleet. Equal cases of several machines are kept only once.
#[derive(Default)]
pub(super) struct Cases {
    by_id: HashMap<Arc<str>, usize>,
    list: Vec<Case>,
}

impl Cases {
    /// Adds a case if it is new; returns its index in the list of cases.
    pub(super) fn add(&mut self, case: &Case) -> usize {
        if let Some(known) = self.by_id.get(&case.id) {
            return *known;
        }
        self.by_id.insert(case.id.clone(), self.list.len());
        self.list.push(case.clone());
        self.list.len() - 1
    }

    /// Records that a machine has the case with this index.
    pub(super) fn on(&mut self, number: usize, machine: &Arc<str>) {
        self.list[number].machines.push(machine.clone());
    }

    /// Returns the cases, in the order in which they were added.
    pub(super) fn list(&self) -> &[Case] {
        &self.list
    }

    /// Returns the cases that at least one machine has: worst outcomes first, then in the order of `specs`, then by the
    /// number of machines, the highest first.
    pub(super) fn in_order(self, specs: &[&str]) -> Vec<Case> {
        let place: HashMap<&str, usize> = specs.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let mut list: Vec<Case> = self.list.into_iter().filter(|case| !case.machines.is_empty()).collect();
        list.sort_by_cached_key(|case| {
            let spec = place.get(&*case.spec).copied();
            (std::cmp::Reverse(case.outcome), spec, std::cmp::Reverse(case.machines.len()), case.id.clone())
        });
        list
    }
}
