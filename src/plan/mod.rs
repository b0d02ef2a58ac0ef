//! Plans: what has to change on a target to satisfy specs, and the facts that this rests on.
//!
//! Making a plan is pure: it asks a [`Reader`](crate::observe::Reader) and does no I/O. A plan is data: it can be
//! saved, reviewed, identified by its digest, and applied later on the same machine if nothing that it rests on has
//! changed.

mod build;
mod condition;
mod consistent;
mod evidence;
mod value;
mod value_test;
mod exclusive;
mod expand;
pub mod file;
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

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use build::machine_values;
pub use build::{Planning, machine, machine_of_set};
pub use install::{Install, InstalledFile, Threshold};
pub use named::{NamedRule, Place};
pub use pending::{PendingRestart, ReplacedFile};
pub use policy::{PolicyOwner, PolicyResult, PolicyUnread};
pub use retirement::{Conflict, Retirement};

use crate::{
    diag::Exit,
    registry::{Data, Key, ValueName},
    spec::document::{ComputerRestart, ManualStep},
    targets::{Facts, KeyChange},
};

/// All changes that a target needs to satisfy specs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "kbfix plan, version 1")]
pub struct Plan {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_plan: u32,
    /// The URI of the target that the plan was made from.
    pub target: String,
    /// The machine that the target is, or is a copy of.
    pub machine: Machine,
    /// One part for each spec, in the order given. Later specs are planned as if the changes of earlier ones were made.
    pub specs: Vec<SpecPlan>,
    /// The specs that the plan retires, if it does; then `specs` has one part for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires: Option<Retirement>,
    /// Everything that was read to make the plan. The plan is applied only while all of it still holds.
    pub facts: Facts,
}

/// The identity of a target's machine, as far as its registry says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The computer name; null if the target does not have it.
    pub computer_name: Option<String>,
    /// The MachineGuid; null if the target does not have it.
    pub machine_guid: Option<String>,
}

/// The plan for one spec on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecPlan {
    /// The spec's id.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// The SHA-256 of the spec's file, in hex digits.
    pub sha256: String,
    /// The parameter values; `(hidden)` for a sensitive one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// The outcome of the spec.
    pub outcome: Outcome,
    /// The reasons for an outcome of not applicable, pending restart, blocked, needs parameter, unknown or failed; and which users are
    /// left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The SIDs of users for whom something could not be read, while the spec applies to all others; `reasons` say why.
    /// Nothing is planned for these users, and the run as a whole is `unknown`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_users: Vec<String>,
    /// The checks that are made before the registry rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Whether the operator asked for the spec's triggers, so that those that are not done are written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub run_triggers: bool,
    /// The installation of the hotfix, if it is missing and the operator asks for it. It comes before the changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Install>,
    /// The changes, in the order in which they are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<KeyChange>,
    /// How many keys and values change through a `*` of the spec. `kbfix apply` makes very many such changes only if
    /// told to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub by_star: usize,
    /// How many of the spec's rules apply to this target, if not all do. A rule does not apply if its `when` does not
    /// hold, or if its key pattern (such as `*`) matches no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<RulesHere>,
    /// The rules and values to which the spec gives an `id`, a `severity` or `controls`, and which apply to this target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub named: Vec<NamedRule>,
    /// Everything that is already as the spec requires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub satisfied: Vec<Satisfied>,
    /// What policy stores say about the values that the spec wants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy: Vec<PolicyOwner>,
    /// The policy stores that could not be read, so that the owners of values are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_unread: Vec<PolicyUnread>,
    /// The steps that the spec asks for beside the registry, which kbfix does not take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manual_steps: Vec<ManualStep>,
    /// What has to be restarted after the changes.
    pub restart: Restart,
    /// The restart that the machine waits for already. Missing if the spec has no use for it: without a hotfix and a
    /// restart of the computer, and where it does not apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_restart: Option<PendingRestart>,
    /// The parameters that have to be set first. Not in the document, whose `reasons` name them in words.
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
    /// A note for the operator.
    pub note: Option<String>,
}

impl Restart {
    /// Combines several: the strongest requirement for the computer, and each service once.
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

/// A test that a spec makes before its registry rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The part of the spec that asks for the check.
    pub part: Part,
    /// The prerequisite's or hotfix's title, or the name of the part.
    pub title: String,
    /// Each single fact that was tested.
    pub evidence: Vec<Evidence>,
    /// Whether the check passes.
    pub result: Truth,
}

/// A part of a spec that tests something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// `applicable`.
    Applicable,
    /// `cause`. It decides nothing.
    Cause,
    /// `prerequisites`.
    Prerequisite,
    /// `hotfix`.
    Hotfix,
    /// `on_subkeys: refuse` of a key that must be absent.
    Deletion,
    /// `trigger` of a rule: whether it is done, or written.
    Trigger,
}

/// A fact that was tested, next to what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The key, value or file.
    pub place: String,
    /// The wanted state.
    pub wanted: String,
    /// The state that was found.
    pub found: String,
    /// Whether the found state is as wanted.
    pub result: Truth,
    /// The earlier spec of the run that plans the found state. Missing if the target has it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_by: Option<String>,
}

impl Evidence {
    /// Returns the found state, and which spec plans it if it is only planned.
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
    /// It holds.
    Met,
    /// It does not hold.
    Unmet,
    /// The target cannot answer.
    Unknown,
}

/// How many of a spec's rules apply to a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesHere {
    /// The rules that apply.
    pub here: usize,
    /// All rules: each value that a rule names, or the key if the rule is about the key itself. In both views, a rule
    /// counts twice.
    pub of: usize,
}

/// A key or value that is already as the spec requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Satisfied {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// The value name; missing if this is about the key itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ValueName>,
    /// The value's data; missing if the value is absent, as it should be or may be, and if this is about the key
    /// itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The earlier spec of the run that plans this state. Missing if the target has it now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_by: Option<String>,
    /// Whether the data is shown to nobody. In a report, `bytes` is then missing from it, and `hidden` is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

impl Satisfied {
    /// Returns the entry for a key, or for a value in it.
    pub(crate) fn new(key: &Key, name: Option<ValueName>, data: Option<Data>) -> Self {
        Self { key: key.clone(), name, data, planned_by: None, sensitive: false }
    }
}

/// The outcome of a spec. The order is that of the exit codes, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The article does not apply to this target.
    NotApplicable,
    /// Everything is as the spec requires.
    InDesiredState,
    /// The changes were made.
    Changed,
    /// Something has to change.
    ChangesPending,
    /// The hotfix is installed, and waits for the next start of the computer, which replaces its file; nothing is
    /// changed.
    PendingRestart,
    /// A prerequisite or the hotfix is missing, a key to be deleted has subkeys, or the spec conflicts with an earlier
    /// one; nothing is changed.
    Blocked,
    /// A parameter without a default is not set; nothing is changed.
    NeedsParameter,
    /// The target cannot answer; nothing is changed.
    Unknown,
    /// Writing failed, and everything was put back as it was.
    RolledBack,
    /// Writing failed, and not everything could be put back; or the package of the hotfix failed, and nothing was
    /// written.
    Failed,
}

impl Outcome {
    /// Returns the word for it in documents and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::InDesiredState => "in_desired_state",
            Self::Changed => "changed",
            Self::ChangesPending => "changes_pending",
            Self::PendingRestart => "pending_restart",
            Self::Blocked => "blocked",
            Self::NeedsParameter => "needs_parameter",
            Self::Unknown => "unknown",
            Self::RolledBack => "rolled_back",
            Self::Failed => "failed",
        }
    }

    /// Returns the exit code of a run whose worst outcome this is.
    pub fn exit(self) -> Exit {
        match self {
            Self::NotApplicable | Self::InDesiredState | Self::Changed => Exit::Done,
            Self::ChangesPending => Exit::Differences,
            Self::PendingRestart | Self::Blocked | Self::NeedsParameter | Self::Unknown => Exit::Blocked,
            Self::RolledBack => Exit::RolledBack,
            Self::Failed => Exit::Failed,
        }
    }
}

impl SpecPlan {
    /// Returns the outcome for the run as a whole: if a user could not be read, at least unknown.
    pub fn whole_outcome(&self) -> Outcome {
        if self.unread_users.is_empty() { self.outcome } else { self.outcome.max(Outcome::Unknown) }
    }

    /// Returns whether anything is installed or changed for the spec.
    pub fn does_something(&self) -> bool {
        self.install.is_some() || !self.changes.is_empty()
    }
}

impl Plan {
    /// Returns all changes, in the order in which they are made.
    pub fn changes(&self) -> impl Iterator<Item = &KeyChange> {
        self.specs.iter().flat_map(|spec| &spec.changes)
    }

    /// Returns the first spec that changes more than `most` keys and values through a `*`. What a `*` matches depends
    /// on the machine, so no reviewer of the spec has seen how many there are.
    pub fn wider_than(&self, most: usize) -> Option<&SpecPlan> {
        self.specs.iter().find(|spec| !spec.changes.is_empty() && spec.by_star > most)
    }

    /// Returns the restarts for all specs with something to do; their notes stay with the specs.
    pub fn restart(&self) -> Restart {
        Restart::together(self.specs.iter().filter(|spec| spec.does_something()).map(|spec| &spec.restart))
    }

    /// Returns the worst outcome; in desired state if there is no spec.
    pub fn outcome(&self) -> Outcome {
        self.specs.iter().map(SpecPlan::whole_outcome).max().unwrap_or(Outcome::InDesiredState)
    }
}
