//! Plans: what has to change on a target so that specs hold there, and what that rests on.
//!
//! Making a plan is pure: it asks a [`Reader`](crate::observe::Reader) and does no I/O. A plan is data; it can be saved,
//! reviewed, quoted by its digest, and carried out later on the same machine if nothing it rests on has moved.

mod build;
mod condition;
mod consistent;
mod evidence;
mod value;
mod exclusive;
mod expand;
pub mod file;
mod install;
mod lookup;
mod canonical;
mod os;
mod rules;
mod desired_state;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use build::{build, machine};
pub use install::{Install, InstalledFile, Threshold};

use crate::{
    registry::{Data, Key, ValueName},
    spec::document::ComputerRestart,
    targets::{Facts, KeyChange},
};

/// What has to change on a target so that specs hold there.
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
    /// One for each spec, in the order given. Later specs were planned as if the changes of earlier ones were made.
    pub specs: Vec<SpecPlan>,
    /// All that was read to make the plan. It is carried out only while all of this still holds.
    pub facts: Facts,
}

/// Which machine a target is, as far as its registry says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its computer name; none where the target does not cover it.
    pub computer_name: Option<String>,
    /// Its MachineGuid; none where the target does not cover it.
    pub machine_guid: Option<String>,
}

/// What one spec comes to on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpecPlan {
    /// The spec's id.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// The SHA-256 of the spec's file, in hex digits.
    pub sha256: String,
    /// What its parameters were; `(hidden)` for a sensitive one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// How it ends.
    pub outcome: Outcome,
    /// Why, where it ends as not applicable, blocked, in need of a parameter, unknown or failed; and which users are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The SIDs of users of whom something could not be read, where the spec goes on for all others: `reasons` say why. Nothing is planned
    /// for these users, and the run as a whole is `unknown`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_users: Vec<String>,
    /// What was tested before the registry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The installation of the hotfix, where it is missing and the operator asks for it. It comes before the changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<Install>,
    /// The changes, in the order in which they are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<KeyChange>,
    /// How many keys and values change through a `*` of the spec. `kbfix apply` makes very many only when told so.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub by_star: usize,
    /// How many of the spec's rules count on this target, where not all do: their `when` does not hold, or their key stands for
    /// no key, as `*` can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<RulesHere>,
    /// What already is as the spec wants it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub satisfied: Vec<Satisfied>,
    /// What has to be restarted once the changes are made.
    pub restart: Restart,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// What has to be restarted once the changes of a spec are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Whether the computer must be. kbfix never restarts it.
    pub computer: ComputerRestart,
    /// The services, by service name.
    pub services: Vec<String>,
    /// What the operator should know.
    pub note: Option<String>,
}

impl Restart {
    /// What several ask for: the strongest word on the computer, and each service once.
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

/// A test that a spec makes before it looks at the values it wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What part of the spec asks for it.
    pub part: Part,
    /// What is tested: the prerequisite's title, or the place.
    pub title: String,
    /// Each single fact that was looked at.
    pub evidence: Vec<Evidence>,
    /// Whether it holds.
    pub result: Truth,
}

/// A part of a spec that tests something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// `applicable`.
    Applicable,
    /// `prerequisites`.
    Prerequisite,
    /// `hotfix`.
    Hotfix,
    /// `on_subkeys: refuse` of a key that is to be absent.
    Deletion,
}

/// A fact that was looked at, beside what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The key, value or file.
    pub place: String,
    /// What is wanted.
    pub wanted: String,
    /// What was found.
    pub found: String,
    /// Whether that is what is wanted.
    pub result: Truth,
    /// The earlier spec of the run for which that is planned. None where it is what the target has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_by: Option<String>,
}

impl Evidence {
    /// What was found, and for which spec it is only planned.
    pub fn found_or_planned(&self) -> String {
        match &self.planned_by {
            Some(id) => format!("{} (planned by {id})", self.found),
            None => self.found.clone(),
        }
    }
}

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It holds.
    Met,
    /// It does not hold.
    Unmet,
    /// The target cannot tell.
    Unknown,
}

/// How many of a spec's rules count on a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesHere {
    /// Those that count.
    pub here: usize,
    /// All: each value that a rule names, or the key where the rule is about itself; in both views it is two.
    pub of: usize,
}

/// A key or value that already is as the spec wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Satisfied {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// The value name; none where it is about the key itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ValueName>,
    /// Its data; none where it is absent, as it should be or may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The earlier spec of the run for which that is planned. None where the target has it so now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_by: Option<String>,
    /// Whether its data is shown to nobody. In a report `bytes` is then missing from it, and `hidden` is true.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

/// How a spec ends. The order is that of the exit codes, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The target is not of the kind that the article is about.
    NotApplicable,
    /// Everything is as the spec wants it.
    InDesiredState,
    /// The changes were made.
    Changed,
    /// Something has to change.
    ChangesPending,
    /// A prerequisite or the hotfix is missing; nothing is changed.
    Blocked,
    /// A parameter without default is not set; nothing is changed.
    NeedsParameter,
    /// The target cannot tell; nothing is changed.
    Unknown,
    /// Writing failed, and everything was put back as it was.
    RolledBack,
    /// Writing failed, and not everything could be put back; or the package of the hotfix failed, and nothing was written.
    Failed,
}

impl Outcome {
    /// The word in documents and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::InDesiredState => "in_desired_state",
            Self::Changed => "changed",
            Self::ChangesPending => "changes_pending",
            Self::Blocked => "blocked",
            Self::NeedsParameter => "needs_parameter",
            Self::Unknown => "unknown",
            Self::RolledBack => "rolled_back",
            Self::Failed => "failed",
        }
    }

    /// Returns the exit code of a spec with this outcome: `docs/reference/exit-codes.md`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::NotApplicable | Self::InDesiredState | Self::Changed => 0,
            Self::ChangesPending => 1,
            Self::Blocked | Self::NeedsParameter | Self::Unknown => 4,
            Self::RolledBack => 5,
            Self::Failed => 6,
        }
    }
}

impl Check {
    /// What a fact that was looked at says of the spec, as a sentence.
    pub fn sentence(&self, evidence: &Evidence) -> String {
        let Evidence { place, wanted, .. } = evidence;
        let found = evidence.found_or_planned();
        let part = match self.part {
            Part::Applicable => String::new(),
            Part::Prerequisite => format!("prerequisite {}: ", self.title),
            Part::Hotfix => format!("hotfix {}: ", self.title),
            Part::Deletion => "deletion: ".to_owned(),
        };
        format!("{part}{place}: found {found}, wanted {wanted}")
    }
}

impl SpecPlan {
    /// Returns how it ends for the run as a whole: a user who could not be read is unknown, however it ends for the others.
    pub fn whole_outcome(&self) -> Outcome {
        if self.unread_users.is_empty() { self.outcome } else { self.outcome.max(Outcome::Unknown) }
    }

    /// Whether something is done for it.
    pub fn does_something(&self) -> bool {
        self.install.is_some() || !self.changes.is_empty()
    }
}

impl Plan {
    /// All changes, in the order in which they are made.
    pub fn changes(&self) -> impl Iterator<Item = &KeyChange> {
        self.specs.iter().flat_map(|spec| &spec.changes)
    }

    /// The first spec that changes more than `most` keys and values through a `*`: what it stands for depends on the
    /// machine, so that nobody has seen how many there are.
    pub fn wider_than(&self, most: usize) -> Option<&SpecPlan> {
        self.specs.iter().find(|spec| !spec.changes.is_empty() && spec.by_star > most)
    }

    /// What has to be restarted, of all specs with changes together; their notes stand with the specs.
    pub fn restart(&self) -> Restart {
        Restart::together(self.specs.iter().filter(|spec| spec.does_something()).map(|spec| &spec.restart))
    }

    /// The worst outcome; in desired state where there is no spec.
    pub fn outcome(&self) -> Outcome {
        self.specs.iter().map(SpecPlan::whole_outcome).max().unwrap_or(Outcome::InDesiredState)
    }
}
