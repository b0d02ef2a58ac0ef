//! The comparison: what is different between two states of a fleet, as one versioned document.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Case, FleetCommand};
use crate::diag::{Diagnostic, Exit};

/// What is different between two versions of specs on a fleet, or between two dates.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix fleet comparison, version 1")]
pub struct FleetComparison {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_fleet_comparison: u32,
    /// The version of kbfix.
    pub kbfix_version: &'static str,
    /// The command: `impact` or `drift`.
    pub command: FleetCommand,
    /// The command's exit code.
    #[schemars(with = "u8")]
    pub exit_code: Exit,
    /// How many machines were compared.
    pub compared: usize,
    /// On how many of them anything is different.
    pub different: usize,
    /// The specs that are in only one of two versions, or whose files differ.
    pub specs: SpecsMoved,
    /// The machines that are there only now.
    pub machines_come: Vec<Arc<str>>,
    /// The machines that were there only before.
    pub machines_go: Vec<Arc<str>>,
    /// What specs come to otherwise than before, in the order of the specs, with most machines first.
    pub differences: Vec<Difference>,
    /// Values, keys and files that are not as they were, with most machines first. Empty for `impact`.
    pub facts: Vec<FactDrift>,
    /// The machines that could not be read, now or before, each with the reason.
    pub unreadable: Vec<Unreadable>,
    /// What stopped the command, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// Which specs are not the same in two versions, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpecsMoved {
    /// Only in the new version.
    pub come: Vec<String>,
    /// Only in the old version.
    pub go: Vec<String>,
    /// In both, with another content.
    pub differ: Vec<String>,
}

/// What one spec comes to otherwise than before, on machines that are alike in it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Difference {
    /// The spec's id.
    pub spec: String,
    /// The kind of difference.
    pub kind: DifferenceKind,
    /// What the spec came to; null where it was not there.
    pub before: Option<Case>,
    /// What it comes to; null where it is not there any more.
    pub after: Option<Case>,
    /// The machines.
    pub machines: Vec<Arc<str>>,
}

/// The kinds of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The spec asks for something now, and did not before.
    Comes,
    /// The spec asked for something else before.
    Differs,
    /// The spec asks for nothing any more.
    Goes,
    /// The spec asks for nothing, now and before, for different reasons.
    Quiet,
}

impl DifferenceKind {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comes => "comes",
            Self::Differs => "differs",
            Self::Goes => "goes",
            Self::Quiet => "quiet",
        }
    }
}

/// A value, key or file that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct FactDrift {
    /// The key, value or file.
    pub place: String,
    /// The earlier state.
    pub was: String,
    /// The present state.
    pub is: String,
    /// The machines.
    pub machines: Vec<Arc<str>>,
}

/// A machine that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unreadable {
    /// Its name in the fleet.
    pub name: Arc<str>,
    /// Why.
    pub reason: String,
}

impl FleetComparison {
    /// Returns a comparison of nothing yet.
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
            diagnostics: Vec::new(),
        }
    }

    /// Sets the exit code: differences are 1, a machine that could not be read 3, something that is now blocked or
    /// unknown 4.
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
