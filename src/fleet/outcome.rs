//! The outcomes of specs and machines in a fleet.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{diag::Exit, plan::Outcome};

/// The outcome of a spec on a machine, or of a machine as a whole. The variants are ordered by severity, the worst
/// last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FleetOutcome {
    /// The article does not apply to the machine.
    NotApplicable,
    /// Everything is in the state that the spec requires.
    InDesiredState,
    /// Something is not in the state that the spec requires, and waivers accept all of this.
    Waived,
    /// A key or value must be changed, or the hotfix must be installed.
    ChangesPending,
    /// The hotfix was installed, and takes effect only after the next start of the computer.
    PendingRestart,
    /// The spec cannot be applied, for example because a prerequisite is not met or the hotfix is missing.
    Blocked,
    /// The spec has a parameter without a default, and the parameter is not set.
    NeedsParameter,
    /// The outcome cannot be decided, for example because a fact could not be read.
    Unknown,
    /// The machine could not be read.
    Unreadable,
}

impl FleetOutcome {
    /// All outcomes, ordered by severity, the worst last.
    pub const ALL: [Self; 9] = [
        Self::NotApplicable,
        Self::InDesiredState,
        Self::Waived,
        Self::ChangesPending,
        Self::PendingRestart,
        Self::Blocked,
        Self::NeedsParameter,
        Self::Unknown,
        Self::Unreadable,
    ];

    /// Returns the name of the outcome in documents, such as `in_desired_state`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::InDesiredState => "in_desired_state",
            Self::Waived => "waived",
            Self::ChangesPending => "changes_pending",
            Self::PendingRestart => "pending_restart",
            Self::Blocked => "blocked",
            Self::NeedsParameter => "needs_parameter",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
        }
    }

    /// Returns the name of the outcome in messages, such as `in desired state`.
    pub fn words(self) -> &'static str {
        match self {
            Self::NotApplicable => "not applicable",
            Self::InDesiredState => "in desired state",
            Self::Waived => "waived",
            Self::ChangesPending => "changes pending",
            Self::PendingRestart => "pending restart",
            Self::Blocked => "blocked",
            Self::NeedsParameter => "needs parameter",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
        }
    }

    /// Returns the exit code that follows from this outcome, such as 4 for `blocked`.
    pub fn exit(self) -> Exit {
        match self {
            Self::NotApplicable | Self::InDesiredState | Self::Waived => Exit::Done,
            Self::ChangesPending => Exit::Differences,
            Self::Unreadable => Exit::Unusable,
            Self::PendingRestart | Self::Blocked | Self::NeedsParameter | Self::Unknown => Exit::Blocked,
        }
    }

    /// Returns whether a reviewer must look at each machine with this outcome: true for `PendingRestart` and all worse
    /// outcomes.
    pub fn is_exception(self) -> bool {
        self >= Self::PendingRestart
    }
}

impl From<Outcome> for FleetOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NotApplicable => Self::NotApplicable,
            Outcome::InDesiredState | Outcome::Changed => Self::InDesiredState,
            Outcome::ChangesPending | Outcome::RolledBack | Outcome::Failed => Self::ChangesPending,
            Outcome::PendingRestart => Self::PendingRestart,
            Outcome::Blocked => Self::Blocked,
            Outcome::NeedsParameter => Self::NeedsParameter,
            Outcome::Unknown => Self::Unknown,
        }
    }
}
