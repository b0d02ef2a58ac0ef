//! Plans: the changes that a target needs to satisfy specs, and the facts on which they depend.
//!
//! Planning does no I/O: it gets all facts from a [`Reader`](crate::observe::Reader). A plan is data: it can be saved,
//! reviewed, identified by its digest, and applied later to the same machine while the facts are unchanged.

mod build;
mod concern;
mod condition;
mod consistent;
mod evidence;
mod value;
mod value_test;
mod exclusive;
mod expand;
pub mod file;
mod gate;
pub(crate) mod hidden;
mod install;
mod lookup;
mod named;
mod canonical;
mod os;
mod policy;
mod pending;
mod trigger;
mod evaluation;
mod keys;
mod rules;
mod sensitive;
mod desired_state;
mod earlier;
mod retirement;
mod shared;
mod unsettled;
mod outcome;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use build::machine_values;
pub use build::{Planning, machine, machine_of_set};
pub(crate) use concern::{Touch, may_concern};
pub use install::{Install, InstalledFile, Threshold};
pub use named::{NamedRule, Place};
pub use outcome::Outcome;
pub use pending::{PendingRestart, ReplacedFile};
pub use policy::{PolicyOwner, PolicyResult, PolicyUnread};
pub use retirement::{Conflict, Retirement};
pub(crate) use shared::{Answers, SharedPlan, SharedPlans};

use crate::{
    registry::{Data, Key, ValueName},
    spec::document::{ComputerRestart, ManualStep},
    targets::{Facts, KeyChange},
};

/// All changes that a target needs to satisfy specs, or that retire specs, and the facts on which they depend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix plan, version 1")]
pub struct Plan {
    /// The version of the format of plans: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_plan: u32,
    /// The URI of the target from which the plan was made.
    pub target: String,
    /// Whether values in the policy branches of `HKLM` are read and changed in the target's local GPO, and not in its
    /// registry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub through_policy: bool,
    /// The identity of the machine that the target is, or is a copy of.
    pub machine: Machine,
    /// The plans of the specs, in the order in which the specs were given. Each spec is planned as if the changes of
    /// the specs before it had been made.
    pub specs: Vec<SpecPlan>,
    /// The ids of the specs that require further changes after the changes of later specs of the plan, because a
    /// condition of them is then true. Another run makes these changes. Only specs with the outcome `not_applicable`,
    /// `in_desired_state` or `changes_pending` are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsettled: Vec<String>,
    /// The specs that the plan retires; missing if it retires none. If present, `specs` has one entry for all retired
    /// specs together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires: Option<Retirement>,
    /// All facts that were read to make the plan. The plan is applied only if all of them are unchanged.
    pub facts: Facts,
}

/// The identity of a target's machine, as far as its registry contains it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The computer name; null if its registry value is absent, could not be read, or is not a string.
    pub computer_name: Option<String>,
    /// The MachineGuid; null if its registry value is absent, could not be read, or is not a string.
    pub machine_guid: Option<String>,
}

/// The plan for one spec on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecPlan {
    /// The spec's id; for a rollback or a retirement, the ids of all its specs, joined by `+`.
    pub id: String,
    /// The article's title; for a rollback or a retirement, a description of it.
    pub title: String,
    /// The SHA-256 of the spec's file, in hex digits; empty for a rollback or a retirement.
    pub sha256: String,
    /// The value of each parameter that is set; `(hidden)` for a sensitive parameter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// The outcome. Right after planning, `changes`, `named`, `satisfied`, `policy` and `policy_unread` are empty
    /// unless the outcome is `in_desired_state` or `changes_pending`.
    pub outcome: Outcome,
    /// The reasons for the outcome, as sentences. They also name the users who are left out and what a rollback or a
    /// retirement keeps, and say if a saved plan was already applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The SIDs of the users who could not be read completely, and for whom nothing is planned. Empty if the spec has
    /// no other changes, because its outcome is then `unknown`. In both cases, `reasons` contains the reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_users: Vec<String>,
    /// The checks of the spec that are made before the registry is changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Whether the operator requested the triggers of the spec. If so, the triggers that are not done are written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub run_triggers: bool,
    /// The installation of the hotfix, which is done before the changes. Missing unless a file of the hotfix is missing
    /// or not sufficient, and the operator requested the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Install>,
    /// The changes, in the order in which they will be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<KeyChange>,
    /// The number of changed keys that a `*` of the spec matches, and of changed keys and values in or below them.
    /// Above a limit, `kbfix apply` makes these changes only if its options allow it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub by_star: usize,
    /// The number of rules that apply to this target; missing if all apply, or if an outcome such as `blocked` prevents
    /// all changes. A rule does not apply if its `when` does not hold, its key matches no key, or it is a trigger that
    /// need not be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<RulesHere>,
    /// The rules and values that have an `id`, a `severity` or `controls` in the spec and apply to this target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<NamedRule>,
    /// The keys and values that are already in the state that the spec requires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub satisfied: Vec<Satisfied>,
    /// The settings of policy stores for the values that the spec sets or deletes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<PolicyOwner>,
    /// The policy stores that could not be read. For some values it is therefore unknown whether a policy sets them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_unread: Vec<PolicyUnread>,
    /// The steps outside the registry that the spec requires and that a person must do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manual_steps: Vec<ManualStep>,
    /// The restarts that are needed after the changes.
    pub restart: Restart,
    /// Whether the machine is already waiting for a restart, and why. Missing if the spec is not known to apply, or if
    /// it neither has a hotfix nor may require a restart of the computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_restart: Option<PendingRestart>,
    /// The parameters that the outcome `needs_parameter` is about. Not in the document; `reasons` describes them.
    #[serde(skip)]
    #[schemars(skip)]
    pub unset: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Restarts that are needed after the changes of a spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Whether the computer must be restarted. kbfix never restarts it.
    pub computer: ComputerRestart,
    /// The services to restart, by service name.
    pub services: Vec<String>,
    /// A note about the restart, for the operator; null if there is none.
    pub note: Option<String>,
}

impl Restart {
    /// Returns the restarts that all of `each` together require. Each service is listed once. The `note` is `None`.
    pub fn together<'a>(each: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self { computer: ComputerRestart::Never, services: Vec::new(), note: None };
        for one in each {
            all.computer = all.computer.max(one.computer);
            for service in &one.services {
                if !all.services.iter().any(|s| s.eq_ignore_ascii_case(service)) {
                    all.services.push(service.clone());
                }
            }
        }
        all
    }
}

/// A test of a spec before the registry is changed, with the facts that were tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The part of the spec that contains the test.
    pub part: Part,
    /// The title of the prerequisite, cause or hotfix; for a trigger, the key; otherwise the name of the part.
    pub title: String,
    /// The facts that were tested.
    pub evidence: Vec<Evidence>,
    /// Whether the check passes (`met`), fails (`unmet`), or cannot be decided (`unknown`).
    pub result: Truth,
}

/// The parts of a spec that contain a test, such as `applicable` or a prerequisite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The condition `applicable` of the spec.
    Applicable,
    /// The condition `cause` of the spec. Its result does not affect the outcome.
    Cause,
    /// One of the `prerequisites` of the spec.
    Prerequisite,
    /// One file of the `hotfix` of the spec. The check passes if the file's version and processor are sufficient.
    Hotfix,
    /// The option `on_subkeys: refuse` of a key to delete. The check passes if the spec deletes all its subkeys too.
    Deletion,
    /// The `trigger` of a rule. The check passes if the trigger is done, or if its key or values are already written.
    Trigger,
}

/// A fact that was tested: its found state, its wanted state, and the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The key, value, file or property of Windows that was tested, as text for people.
    pub place: String,
    /// The wanted state, as text for people.
    pub wanted: String,
    /// The state that was found, as text for people.
    pub found: String,
    /// Whether the found state satisfies the test.
    pub result: Truth,
    /// The id of the earlier spec whose planned changes lead to the found state; missing if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_by: Option<String>,
}

impl Evidence {
    /// Returns the found state as text. If the planned changes of an earlier spec lead to it, the text names this spec.
    pub fn found_or_planned(&self) -> String {
        match &self.planned_by {
            Some(id) => format!("{} (planned by {id})", self.found),
            None => self.found.clone(),
        }
    }
}

/// The result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// The test is satisfied.
    Met,
    /// The test is not satisfied.
    Unmet,
    /// The test cannot be decided, for example because a fact could not be read.
    Unknown,
}

/// The number of a spec's rules, and how many of them apply to a target, for example because their `when` holds there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesHere {
    /// The number of the spec's rules that apply to the target. A rule does not apply if its `when` does not hold, its
    /// key matches no key, or it is a trigger that need not be written.
    pub here: usize,
    /// The number of all rules of the spec. Each value of a rule counts as one, as does a rule about the key itself. A
    /// rule for both registry views counts twice.
    pub of: usize,
}

/// A key or value that is already in the state that the spec requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Satisfied {
    /// The key that is in the required state, or that contains the value.
    #[serde(flatten)]
    pub key: Key,
    /// The value name; missing if the entry is about the key itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ValueName>,
    /// The data of the value; missing if the value is absent, or if the entry is about the key itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The id of the earlier spec whose planned changes lead to this state; missing if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_by: Option<String>,
    /// Whether the data is never shown. In a report, `bytes` is then missing, and `hidden` is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

impl Satisfied {
    /// Returns the entry for a key, or for a value of the key.
    pub(crate) fn new(key: &Key, name: Option<ValueName>, data: Option<Data>) -> Self {
        Self { key: key.clone(), name, data, planned_by: None, sensitive: false }
    }
}

impl SpecPlan {
    /// Returns the outcome of the spec for the machine and all users together. If `unread_users` names a user, this is
    /// `unknown` or a worse outcome.
    pub fn whole_outcome(&self) -> Outcome {
        if self.unread_users.is_empty() { self.outcome } else { self.outcome.max(Outcome::Unknown) }
    }

    /// Returns whether the plan installs or changes anything for the spec.
    pub fn does_something(&self) -> bool {
        self.install.is_some() || !self.changes.is_empty()
    }
}

impl Plan {
    /// Returns all changes, in the order in which they are made.
    pub fn changes(&self) -> impl Iterator<Item = &KeyChange> {
        self.specs.iter().flat_map(|spec| &spec.changes)
    }

    /// Returns the first spec with changes whose [`SpecPlan::by_star`] is above `most`; `None` if there is none.
    ///
    /// The matches of a `*` depend on the machine, so a reviewer of the spec cannot know their number.
    pub fn wider_than(&self, most: usize) -> Option<&SpecPlan> {
        self.specs.iter().find(|spec| !spec.changes.is_empty() && spec.by_star > most)
    }

    /// Returns the combined restarts of all specs that install or change something. Notes are not included.
    pub fn restart(&self) -> Restart {
        Restart::together(self.specs.iter().filter(|spec| spec.does_something()).map(|spec| &spec.restart))
    }

    /// Returns the worst outcome of all specs; [`Outcome::InDesiredState`] if there is no spec.
    pub fn outcome(&self) -> Outcome {
        self.specs.iter().map(SpecPlan::whole_outcome).max().unwrap_or(Outcome::InDesiredState)
    }
}
