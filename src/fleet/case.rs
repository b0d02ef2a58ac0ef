//! Cases: what one spec comes to on all machines that are alike in it.

use std::{collections::HashMap, sync::Arc};

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{FleetOutcome, Waiver, Waivers};
use crate::{
    diag::Exit,
    plan::{self, Check, Evidence, Outcome, SpecPlan, Truth, hidden},
    targets::{ChangeAction, KeyChange},
};

/// What one spec comes to on all machines that are alike in it: the same outcome, changes, and reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Case {
    /// The case's own name, made of its content: the same in every report that has it.
    pub id: Arc<str>,
    /// The spec's id.
    pub spec: String,
    /// The outcome.
    pub outcome: FleetOutcome,
    /// The SHA-256 of the changes as canonical JSON, without the data that is shown to nobody; null without changes.
    pub digest: Option<String>,
    /// The changes.
    #[serde(serialize_with = "shown", skip_serializing_if = "Vec::is_empty", default)]
    pub changes: Vec<KeyChange>,
    /// The checks that do not pass, with what was found and wanted; only for `pending_restart`, `blocked`, `unknown` and
    /// `waived`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub checks: Vec<Check>,
    /// The reasons for the outcome, and which users are left out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reasons: Vec<String>,
    /// The SIDs of users for whom something could not be read, while the rest of the spec was planned.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unread_users: Vec<String>,
    /// What a waiver accepts of it; null where none does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub waived: Option<Waived>,
    /// The names of the machines, in the order of the report.
    pub machines: Vec<Arc<str>>,
}

/// What waivers accept of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Waived {
    /// The numbers of the waivers in the report, from 0.
    pub waivers: Vec<usize>,
    /// The outcome that the case would have.
    pub outcome: FleetOutcome,
    /// The changes that are not made.
    #[serde(serialize_with = "shown")]
    pub changes: Vec<KeyChange>,
}

/// Writes changes without the data that is shown to nobody.
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
    /// Returns the exit code of a command that found the case.
    pub fn exit(&self) -> Exit {
        let of_users = if self.unread_users.is_empty() { Exit::Done } else { FleetOutcome::Unknown.exit() };
        self.outcome.exit().max(of_users)
    }

    /// Returns the facts for which the checks do not pass.
    pub fn evidence(&self) -> impl Iterator<Item = (&Check, &Evidence)> {
        let fails = |evidence: &&Evidence| evidence.result != Truth::Met;
        self.checks.iter().flat_map(move |check| check.evidence.iter().filter(fails).map(move |one| (check, one)))
    }

    /// Returns whether the case asks for anything, or leaves something open.
    pub fn asks(&self) -> bool {
        !matches!(self.outcome, FleetOutcome::NotApplicable | FleetOutcome::InDesiredState)
    }

    /// Returns the waivers that accept something of the case, out of those of the report.
    pub fn waivers<'w>(&self, all: &'w [Waiver]) -> Vec<&'w Waiver> {
        self.waived.iter().flat_map(|waived| &waived.waivers).filter_map(|at| all.get(*at)).collect()
    }

    /// Returns how many keys and values change.
    pub fn size(&self) -> usize {
        let key = |change: &KeyChange| usize::from(change.action != ChangeAction::Update);
        self.changes.iter().map(|change| key(change) + change.values.len()).sum()
    }

    /// Returns what the plan of one spec comes to on a machine for which these waivers are.
    pub(super) fn of(plan: SpecPlan, waivers: &Waivers, among: &[usize]) -> Self {
        let outcome = FleetOutcome::from(plan.outcome);
        // Why an article does not apply, or how it holds, differs from machine to machine and asks for nothing.
        let is_plain = matches!(plan.outcome, Outcome::NotApplicable | Outcome::InDesiredState);
        let with_checks = matches!(plan.outcome, Outcome::PendingRestart | Outcome::Blocked | Outcome::Unknown);
        let mut checks: Vec<Check> = if with_checks { plan.checks } else { Vec::new() };
        checks.retain(|check| check.result != Truth::Met);
        let mut case = Self {
            id: Arc::from(""),
            spec: plan.id,
            outcome,
            digest: None,
            changes: plan.changes,
            checks,
            reasons: if is_plain { Vec::new() } else { plan.reasons },
            unread_users: plan.unread_users,
            waived: None,
            machines: Vec::new(),
        };
        if !among.is_empty() {
            case.waive(waivers, among);
        }
        case.seal();
        case
    }

    /// Takes out what waivers accept. Nothing waives what is unknown, not even for some users.
    fn waive(&mut self, waivers: &Waivers, among: &[usize]) {
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
            return;
        }
        let split = waivers.split(&self.spec, std::mem::take(&mut self.changes), among);
        self.changes = split.left;
        if !split.waived.is_empty() {
            self.waived = Some(Waived { waivers: split.by, outcome, changes: split.waived });
            if self.changes.is_empty() {
                self.outcome = FleetOutcome::Waived;
            }
        }
    }

    /// Gives the case its digest and its name.
    fn seal(&mut self) {
        let changes = (!self.changes.is_empty()).then(|| hidden_value(&self.changes));
        self.digest = changes.as_ref().map(plan::file::digest);
        let is_plain = self.digest.is_none() && self.reasons.is_empty() && self.checks.is_empty();
        let content = match is_plain && self.unread_users.is_empty() && self.waived.is_none() {
            true => format!("{} {}", self.spec, self.outcome.as_str()),
            false => {
                let Self { spec, outcome, digest, checks, reasons, unread_users, waived, .. } = &*self;
                json!([spec, outcome, digest, checks, reasons, unread_users, waived]).to_string()
            }
        };
        // Half a digest: names need to differ from each other, and prove nothing.
        self.id = plan::file::sha256(content.as_bytes())[..16].into();
    }
}

/// The cases of a survey, each once.
#[derive(Default)]
pub(super) struct Cases {
    by_id: HashMap<Arc<str>, usize>,
    list: Vec<Case>,
}

impl Cases {
    /// Adds a case, or finds it; returns its number.
    pub(super) fn add(&mut self, case: Case) -> usize {
        if let Some(known) = self.by_id.get(&case.id) {
            return *known;
        }
        self.by_id.insert(case.id.clone(), self.list.len());
        self.list.push(case);
        self.list.len() - 1
    }

    /// Notes that a machine has the case.
    pub(super) fn on(&mut self, number: usize, machine: &Arc<str>) {
        self.list[number].machines.push(machine.clone());
    }

    /// Returns the cases by their numbers.
    pub(super) fn list(&self) -> &[Case] {
        &self.list
    }

    /// Returns the cases that a machine has, worst outcomes first, of one outcome in the order of `specs`, of one spec
    /// those with most machines first.
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
