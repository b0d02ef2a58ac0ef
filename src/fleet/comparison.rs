//! The result of comparing two states of a fleet, as one versioned document.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Case, FleetCommand};
use crate::diag::{Diagnostic, Exit};

/// The differences between two versions of specs on a fleet, or between the states of a fleet at two dates.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix fleet comparison, version 1")]
pub struct FleetComparison {
    /// The version of the format of comparisons: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_fleet_comparison: u32,
    /// The version of kbfix that made the comparison.
    pub kbfix_version: &'static str,
    /// The command that made the comparison: `impact` or `drift`.
    pub command: FleetCommand,
    /// The exit code of that command.
    #[schemars(with = "u8")]
    pub exit_code: Exit,
    /// The number of machines that were compared. Machines that could not be read are not counted.
    pub compared: usize,
    /// The number of compared machines on which the result of a spec, or a fact that the specs need, differs between
    /// the two states.
    pub different: usize,
    /// The specs that are in only one of two versions, or whose files differ. Always empty for `drift`.
    pub specs: SpecsMoved,
    /// The machines that exist only in the later state.
    pub machines_come: Vec<Arc<str>>,
    /// The machines that existed only in the earlier state.
    pub machines_go: Vec<Arc<str>>,
    /// The differences between the results of specs in the two states. They are sorted by kind, then by the order of
    /// the specs, then by the number of machines, the highest first.
    pub differences: Vec<Difference>,
    /// The values, keys and files that the specs need and that changed, with most machines first. Always empty for
    /// `impact`.
    pub facts: Vec<FactDrift>,
    /// The machines that could not be read in at least one of the two states, each with the reason.
    pub unreadable: Vec<Unreadable>,
    /// The names of the entries in the folders of snapshots that were not read, because they are folders, hidden files
    /// (whose names begin with a dot) or not `.json` files.
    pub ignored: Vec<String>,
    /// The errors that stopped the command, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// The ids of the specs that were added, removed or changed between the two versions of specs that `fleet impact`
/// compares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpecsMoved {
    /// The ids of the specs that exist only in the new version of the specs.
    pub come: Vec<String>,
    /// The ids of the specs that exist only in the old version of the specs.
    pub go: Vec<String>,
    /// The ids of the specs that exist in both versions of the specs, but whose files differ.
    pub differ: Vec<String>,
}

/// A difference between the earlier and the later result of a spec, with all machines that have it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Difference {
    /// The spec's id.
    pub spec: String,
    /// The kind of the difference.
    pub kind: DifferenceKind,
    /// The earlier result of the spec: with the old version of the specs (`impact`), or in the earlier snapshots
    /// (`drift`). Null if the spec does not exist in the old version.
    pub before: Option<Case>,
    /// The later result of the spec: with the new version of the specs (`impact`), or in the later snapshots (`drift`).
    /// Null if the spec does not exist in the new version.
    pub after: Option<Case>,
    /// The names of the machines with this difference.
    pub machines: Vec<Arc<str>>,
}

/// The kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Before, the outcome was `in_desired_state` or `not_applicable`, or the spec did not exist. Now, the outcome is
    /// neither of these two.
    Comes,
    /// Before and now, the outcome is neither `in_desired_state` nor `not_applicable`, but the two results differ.
    Differs,
    /// Before, the outcome was neither `in_desired_state` nor `not_applicable`. Now, it is one of these two, or the
    /// spec no longer exists.
    Goes,
    /// Before and now, the outcome is `in_desired_state` or `not_applicable`, or the spec does not exist. But the two
    /// results differ.
    Quiet,
}

impl DifferenceKind {
    /// Returns the name of the kind in documents, such as `comes`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comes => "comes",
            Self::Differs => "differs",
            Self::Goes => "goes",
            Self::Quiet => "quiet",
        }
    }
}

/// A value, key or file whose state changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct FactDrift {
    /// The key, value or file, as text for people.
    pub place: String,
    /// The earlier state, as text for people.
    pub was: String,
    /// The later state, as text for people.
    pub is: String,
    /// The names of the machines on which the state changed.
    pub machines: Vec<Arc<str>>,
}

/// A machine that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unreadable {
    /// The name of the machine in the fleet.
    pub name: Arc<str>,
    /// The reason why the machine could not be read.
    pub reason: String,
}

impl FleetComparison {
    /// Returns a comparison without differences, as the result of `command`.
    pub fn new(command: FleetCommand) -> Self {
        Self {
            kbfix_fleet_comparison: 1,
            kbfix_version: env!("CARGO_PKG_VERSION"),
            command,
            exit_code: Exit::Done,
            compared: 0,
            different: 0,
            specs: SpecsMoved::default(),
            machines_come: Vec::new(),
            machines_go: Vec::new(),
            differences: Vec::new(),
            facts: Vec::new(),
            unreadable: Vec::new(),
            ignored: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Sets the exit code to the highest that applies: 0 without differences; 1 for a difference; 3 if a machine could
    /// not be read; 4 if a spec with a difference is now blocked or unknown, waits for a restart, needs a parameter, or
    /// could not be read for a user.
    pub(super) fn with_exit(mut self) -> Self {
        let is_same = self.differences.is_empty()
            && self.facts.is_empty()
            && self.machines_come.is_empty()
            && self.machines_go.is_empty();
        let mut exit = if is_same { Exit::Done } else { Exit::Differences };
        if !self.unreadable.is_empty() {
            exit = exit.max(Exit::Unusable);
        }
        let after = self.differences.iter().filter_map(|one| one.after.as_ref()).map(Case::exit).max();
        self.exit_code = exit.max(after.unwrap_or(Exit::Done));
        self
    }
}
